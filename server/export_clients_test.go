package server

import (
	"context"

	"warifu/oidc"
)

// ClientOf is the client of that identifier in the configured file of relying parties.
func ClientOf(c Config, id string) (oidc.Client, error) {
	known, err := c.parties()
	if err != nil {
		return oidc.Client{}, err
	}
	d := oidc.NewDirectory(nil, nil, false)
	d.SetGiven(known.clients)
	return d.Client(context.Background(), id)
}
