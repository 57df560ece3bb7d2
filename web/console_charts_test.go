package web_test

import (
	"context"
	"testing"
	"time"

	"warifu/console"
	"warifu/registration"
	"warifu/web"
)

// underWay is a service of which one list is being built.
type underWay struct{ at time.Time }

func (u underWay) Figures(context.Context) (web.Figures, error) {
	return web.Figures{At: u.at, Packing: []web.Packing{{Authority: "signature", What: "list", Made: u.at, Building: true, Percent: 40, Left: 90 * time.Second}}}, nil
}

func (underWay) Causes(context.Context, string) ([]registration.Cause, error) { return nil, nil }

// What is being built says how far it is and about how long it will take.
func TestTheConsoleTellsHowFarAListIs(t *testing.T) {
	h, site := site(t, func(c *web.Config) { c.Overseen = underWay{time.Date(2026, 6, 10, 1, 0, 0, 0, time.UTC)} })
	link, err := h.Console.Bootstrap(context.Background(), false)
	must(t, err)
	b := newBrowser(t, site)
	b.enrolled(console.Path(link), "nao")
	b.open("/console/figures").see(`<progress max="100" value="40"`, "40 %", "about 90 s left")
}
