package world

import (
	"context"
	"net/http"

	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/sandbox/kiosk"
	"warifu/sandbox/municipality"
	"warifu/sandbox/reader"
	"warifu/sandbox/terminal"
	"warifu/verify"
)

// TownPrefix is where the municipalities' issuing server answers, at the desk's address, and
// KioskKey is the sandbox kiosk's key there: it protects nothing.
const (
	TownPrefix = "/municipality"
	KioskKey   = "sandbox-kiosk"
)

// openTown is the municipalities' issuing server.
func (w *World) openTown(trust verify.Trust) http.Handler {
	return municipality.New(municipality.Config{
		Origin: w.Places.Desk, Register: residents{w}, Clock: w.Clock, Kiosks: map[string]string{KioskKey: "sandbox kiosk"},
		Verifier: verify.New(trust, verify.FirstOf{verify.OCSPClient{}, &verify.CRLClient{}}, w.Clock),
	}).Handler()
}

func (w *World) openKiosk(context.Context) (http.Handler, error) {
	c := kiosk.Config{
		Town: kiosk.NewTown(w.Places.Desk+TownPrefix, KioskKey), Clock: w.Clock, Scheme: w.Scheme,
		Chips: w.touchable, Touched: w.touched, Reader: w.config.KioskReader,
	}
	return routes(kiosk.New(c).Routes), nil
}

// touched is a reader with a chip of this world on it, reached as everybody reaches it: by
// the desk's door.
func (w *World) touched(id string) reader.Source {
	return reader.Demo(doorway.NewClient(w.Places.Desk), id)
}

// touchable lists every card and phone of this world.
func (w *World) touchable() (out []terminal.Chip, err error) {
	for _, h := range w.Phones.List() {
		out = append(out, terminal.Chip{ID: h.ID, Class: profile.ClassPhone})
	}
	persons, err := w.Bureau.Persons()
	for _, v := range persons {
		out = append(out, terminal.Chip{ID: v.Person.ID, Class: profile.ClassCard})
	}
	return out, err
}
