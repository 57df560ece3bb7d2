package facetest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/phone"
	"warifu/sandbox/world"
	"warifu/text"
)

// Before its day a service says from when it is there, and nothing on its page leads further; a
// page that there is not leads back.
func TestAServiceThatIsNotOpenYetSaysFromWhen(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	begin, err := time.Parse(time.RFC3339, "2023-05-01T12:00:00+09:00")
	if err != nil {
		t.Fatal(err)
	}
	w := worldtest.Stand(t, func(c *world.Config) { c.Scheme, c.Begin = "jp-mobile-2023", begin })
	p := w.Places
	for i, size := range browsertest.Sizes {
		c := caller{t: t, w: w, page: b.Page(t, size, string(text.Languages[i])), lang: text.Languages[i]}
		for name, at := range map[string]string{
			"portal": p.Portal, "bank": p.Bank, "carrier": p.Carrier, "cashless": p.Cashless, "marketplace": p.Marketplace, "tax": p.Tax, "egov": p.EGov,
		} {
			c.page.Go(at + "/")
			c.told("service-not-yet", "closed-"+name)
			if !strings.Contains(c.page.Text(".problem"), "202") {
				t.Errorf("%s: no date in %q", name, c.page.Text(".problem"))
			}
			if c.page.Has("main form") {
				t.Errorf("%s: there is a form", name)
			}
		}
		c.page.Go(p.Repair + "/nowhere")
		c.told("page-unknown", "nowhere")
		c.page.Go(p.Repair + "/repairs")
		c.told("answer-gone", "gone")
		c.page.Follow(says(c.lang, "face.problem.home")).Until(`form[action="/repairs"]`)
	}
}

// Where so many guess at suspension codes that none is taken, who has one is told so, with the
// other ways of stopping a phone; the hotline's number is on the page where there is one.
func TestGuessingSuspensionCodesEnds(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	w := worldtest.Stand(t, worldtest.Default)
	server, err := phone.NewServer(w.Places.Server, nil)
	if err != nil {
		t.Fatal(err)
	}
	const guessed = "0000000000000000000001"
	ctx, stop := context.WithCancel(t.Context())
	var guessing sync.WaitGroup
	for range 4 {
		guessing.Go(func() {
			for ctx.Err() == nil {
				_ = server.SuspendByCode(ctx, guessed) // refused, one way or the other
			}
		})
	}
	defer guessing.Wait()
	defer stop()
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		c := caller{t: t, w: w, page: b.Page(t, size, string(lang)), lang: lang}
		c.page.Go(w.Places.Server + "/lost").See(w.Scheme.Hotline)
		for range 100 {
			c.page.Type("input[name=code]", guessed).Click("main form button").Until(".problem")
			if c.sees(asProblem(lang, "suspension-codes-too-many")) {
				break
			}
		}
		c.told("suspension-codes-too-many", "lost-guessed")
	}
}
