package world

import (
	"cmp"
	"context"
	"net/http"

	"warifu/sandbox/doorway"
	"warifu/sandbox/reader"
	"warifu/sandbox/repair"
	"warifu/verify"
)

func (w *World) openRepair(context.Context) (http.Handler, error) {
	kept, err := w.folder.Sub("repair")
	if err != nil {
		return nil, err
	}
	trust, err := w.Trust()
	if err != nil {
		return nil, err
	}
	desk := doorway.NewClient(w.Places.Desk)
	shop := repair.New(repair.Config{
		Origin: w.Places.Repair, Phones: w.Places.Phones, Issuer: w.Places.Server, Hotline: w.stopping(), Zone: w.Scheme.Hours.Zone,
		Verifier: verify.New(trust, verify.OCSPClient{}, w.Clock), Clock: w.Clock, Folder: kept,
		Reader: func(chip string) reader.Source { return reader.Demo(desk, chip) },
	})
	return routes(shop.Routes), nil
}

// stopping is where a person turns who has to stop a phone that cannot: the hotline, or where the
// organisation has none, the server's own page for it.
func (w *World) stopping() string { return cmp.Or(w.Scheme.Hotline, w.Places.Server+"/lost") }
