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
	return known.clients.Client(context.Background(), id)
}
