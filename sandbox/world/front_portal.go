package world

import (
	"context"
	"net/http"

	"warifu/sandbox/doorway"
	"warifu/sandbox/portal"
	"warifu/sandbox/visitor"
)

// PortalKey is the portal's key at the verification service: it protects nothing.
const PortalKey = "sandbox-portal"

// openPortal opens the portal at 8408, on the date of the scheme (R59).
func (w *World) openPortal(ctx context.Context) (http.Handler, error) {
	v, err := w.visited(ctx, "portal", portal.ClientID, w.Places.Portal, "name", "birthdate")
	if err != nil {
		return nil, err
	}
	people, err := v.folder.Sub("people")
	if err != nil {
		return nil, err
	}
	tax := w.Places.Tax
	if tax != "" {
		tax += "/visit" // R66: on to the tax office, logged in by the same card or phone
	}
	p := portal.New(portal.Config{
		Origin: w.Places.Portal, Provider: v.party, JWKS: v.jwks, Applications: v.folder, People: people, Scheme: w.Scheme, Clock: w.Clock, Outside: w.config.Real,
		Checks: visitor.Checks{Address: w.Places.Server, Key: PortalKey}, Tax: tax, Desk: w.Places.Desk,
	})
	return doorway.Opens(routes(p.Routes), w.Scheme, "portal", "portal.title", w.Clock), nil
}
