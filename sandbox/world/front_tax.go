package world

import (
	"context"
	"net/http"

	"warifu/sandbox/doorway"
	"warifu/sandbox/tax"
	"warifu/sandbox/visitor"
)

// TaxKey is the tax office's key at the verification service: it protects nothing.
const TaxKey = "sandbox-tax"

// openTax opens the tax office at 8406, on the date of the scheme (R65).
func (w *World) openTax(ctx context.Context) (http.Handler, error) {
	v, err := w.visited(ctx, "tax", tax.ClientID, w.Places.Tax)
	if err != nil {
		return nil, err
	}
	office, err := tax.New(tax.Config{
		Origin: w.Places.Tax, Provider: v.party, JWKS: v.jwks, Folder: v.folder, Zone: w.Scheme.Hours.Zone, Clock: w.Clock,
		Checks: visitor.Checks{Address: w.Places.Server, Key: TaxKey},
	})
	if err != nil {
		return nil, err
	}
	return doorway.Opens(routes(office.Routes), w.Scheme, "tax", "tax.title", w.Clock), nil
}
