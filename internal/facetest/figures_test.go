package facetest

import (
	"encoding/json"
	"os"
	"testing"

	"warifu/internal/browsertest"
)

// maxFirstPage is what a first page may weigh over the wire, styles and scripts included.
const maxFirstPage = 100_000

// Figures are what the first pages cost a browser that knows nothing of them yet: the worst of all
// places. `make bench` reads them (bench/face.go).
type Figures struct {
	Pages       int
	Octets      int     // the heaviest, over the wire
	Interactive float64 // milliseconds until the slowest could be used
	Loaded      float64 // … and until all of it was there
}

// No place's first page weighs more than 100 kB over the wire, on a browser that comes for the
// first time.
func TestFirstPagesAreLight(t *testing.T) {
	b, w := browsertest.Open(t), World(t)
	var worst Figures
	for _, front := range fronts(w.Places) {
		b.Page(t, browsertest.Phone, "ja").Go(front + "/") // what is made at first touch is made
		cost := b.Page(t, browsertest.Phone, "ja").Go(front + "/").Cost()
		if cost.Octets > maxFirstPage || cost.Octets == 0 {
			t.Errorf("%s: %d octets", front, cost.Octets)
		}
		t.Logf("%s: %.1f kB over the wire, of use after %.0f ms, all there after %.0f ms", front, float64(cost.Octets)/1000, cost.Interactive, cost.Loaded)
		worst.Pages++
		worst.Octets, worst.Interactive, worst.Loaded = max(worst.Octets, cost.Octets), max(worst.Interactive, cost.Interactive), max(worst.Loaded, cost.Loaded)
	}
	t.Logf("%+v", worst)
	name := os.Getenv("WARIFU_FIGURES")
	if name == "" {
		return
	}
	out, err := json.Marshal(worst)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, out, 0o600); err != nil {
		t.Fatal(err)
	}
}
