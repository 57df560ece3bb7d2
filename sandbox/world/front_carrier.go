package world

import (
	"context"
	"net/http"

	"warifu/sandbox/carrier"
	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
)

// CarrierKey is the carrier's key at the verification service: it protects nothing.
const CarrierKey = "sandbox-carrier"

// openCarrier opens the mobile carrier at 8409, on the date of the scheme (R61).
func (w *World) openCarrier(ctx context.Context) (http.Handler, error) {
	v, err := w.visited(ctx, "carrier", carrier.ClientID, w.Places.Carrier, "name", "address", "birthdate")
	if err != nil {
		return nil, err
	}
	c := carrier.New(carrier.Config{
		Origin: w.Places.Carrier, Provider: v.party, JWKS: v.jwks, Folder: v.folder, Clock: w.Clock, Outside: w.config.Real,
		Checks: visitor.Checks{Address: w.Places.Server, Key: CarrierKey},
	})
	return doorway.Opens(routes(c.Routes), w.Scheme, "carrier", "carrier.title", w.Clock), nil
}
