package world

import (
	"context"
	"net/http"

	"warifu/sandbox/doorway"
	"warifu/sandbox/egov"
	"warifu/sandbox/visitor"
)

// EGovKey is e-Gov's key at the verification service: it protects nothing.
const EGovKey = "sandbox-egov"

// openEGov opens e-Gov at 8411, on the date of the scheme (R64).
func (w *World) openEGov(ctx context.Context) (http.Handler, error) {
	v, err := w.visited(ctx, "egov", egov.ClientID, w.Places.EGov)
	if err != nil {
		return nil, err
	}
	window, err := egov.New(egov.Config{
		Origin: w.Places.EGov, Provider: v.party, JWKS: v.jwks, Folder: v.folder, Zone: w.Scheme.Hours.Zone, Clock: w.Clock,
		Checks: visitor.Checks{Address: w.Places.Server, Key: EGovKey},
	})
	if err != nil {
		return nil, err
	}
	return doorway.Opens(routes(window.Routes), w.Scheme, "e-gov", "egov.title", w.Clock), nil
}
