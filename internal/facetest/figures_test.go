package facetest

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/world"
	"warifu/text"
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

// Answers are how long what was done so many times was without an answer.
type Answers struct {
	Times        int
	Median, Most float64 // milliseconds
}

func answers(took []time.Duration) Answers {
	took = slices.Sorted(slices.Values(took))
	in := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return Answers{len(took), in(took[len(took)/2]), in(took[len(took)-1])}
}

// measured is Long, but for `make bench`.
func measured(t *testing.T) {
	if os.Getenv("WARIFU_FIGURES") == "" {
		Long(t)
	}
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
	keep(t, worst)
}

// Every tap of the first walk is answered: a change of the page is to be seen, the sign that what
// was asked for is on its way, or the next page. `make bench` keeps how soon.
func TestEveryTapIsAnswered(t *testing.T) {
	measured(t)
	b := browsertest.Open(t)
	w := worldtest.Stand(t, func(c *world.Config) { c.Scheme = "jp-mobile" })
	view, err := w.Bureau.Show("taro")
	if err != nil {
		t.Fatal(err)
	}
	var taps []time.Duration
	n := &newcomer{Page: b.Page(t, browsertest.Phone, "ja"), t: t, w: w, lang: text.Japanese, who: "taro", secret: view.Person.Record().PINs.Signature, timed: &taps}
	n.begin()
	n.apply()
	n.register()
	n.on()
	n.use()
	n.on()
	n.lose("resume")
	t.Log(taps)
	keep(t, answers(taps))
}

// On a line where pages take their time a tap is answered all the same: a bar is seen and a word
// heard, on a service's page and on the phone, for links and forms; and both are gone for who comes
// back.
func TestATapIsAnsweredBeforeItsPageComes(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for place, tap := range map[string]string{
		w.Places.Bank + "/":                 `nav a:not([aria-current])`,
		w.Places.Desk + "/":                 `.rooms a:not([aria-current])`,
		w.Places.Portal + "/":               `a[href="/visit"]`,
		w.Places.Phones + "/":               `main a[href^="/phones/"]`,
		w.Places.Kiosk + "/":                `main button`,
		w.Places.Server + "/mine":           `main a[href]`,
		w.Places.Phones + "/phones/phone-1": `a.banner`,
	} {
		page := b.Page(t, browsertest.Phone, "en").Go(place)
		page.AnsweredBefore(tap).Go(place).Click(tap)
		page.Back().Until(`html:not([data-busy]) body:not(:has(.handset[data-busy]))`)
	}
}

// keep hands figures to whoever asked for them, as JSON in the file that they named.
func keep(t *testing.T, figures any) {
	t.Helper()
	t.Logf("%+v", figures)
	name := os.Getenv("WARIFU_FIGURES")
	if name == "" {
		return
	}
	out, err := json.Marshal(figures)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, out, 0o600); err != nil {
		t.Fatal(err)
	}
}
