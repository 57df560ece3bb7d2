package world

import (
	"context"
	"net/http"

	"warifu/sandbox/cashless"
	"warifu/sandbox/doorway"
)

// openCashless opens the payment service at 8410, on the date of the scheme (R61).
func (w *World) openCashless(ctx context.Context) (http.Handler, error) {
	v, err := w.visited(ctx, "cashless", cashless.ClientID, w.Places.Cashless, "name", "birthdate")
	if err != nil {
		return nil, err
	}
	c := cashless.New(cashless.Config{
		Origin: w.Places.Cashless, Provider: v.party, JWKS: v.jwks, Folder: v.folder, Clock: w.Clock, Outside: w.config.Real, Linked: cashless.AskBank(w.Places.Bank),
	})
	return doorway.Opens(routes(c.Routes), w.Scheme, "cashless", "cashless.title", w.Clock), nil
}
