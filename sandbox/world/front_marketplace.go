package world

import (
	"context"
	"net/http"

	"warifu/sandbox/doorway"
	"warifu/sandbox/marketplace"
)

// MarketplaceKey is the sandbox marketplace's key at the issuer: it protects nothing.
const MarketplaceKey = "sandbox-marketplace"

func (w *World) openMarketplace(context.Context) (http.Handler, error) {
	kept, err := w.folder.Sub("marketplace")
	if err != nil {
		return nil, err
	}
	m, err := marketplace.New(marketplace.Config{
		Origin: w.Places.Marketplace, Phones: w.Places.Phones, Hotline: w.stopping(), Clock: w.Clock, Folder: kept,
		Issuer: marketplace.Authority{Address: w.Places.Server, Key: MarketplaceKey},
	})
	if err != nil {
		return nil, err
	}
	return doorway.Opens(routes(m.Routes), w.Scheme, "marketplace", "marketplace.title", w.Clock), nil
}
