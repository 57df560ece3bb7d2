package facetest

import (
	"context"
	"testing"
	"time"

	"warifu"
	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
	"warifu/text"
)

// An application handed in at night waits for the service hours: the walk says until when and
// moves the clock there, and the time machine tells what was passed on the way.
func TestTheWalkWaitsForTheHours(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	night := time.Date(2026, 6, 1, 22, 0, 0, 0, time.FixedZone("JST", 9*60*60))
	w := worldtest.Stand(t, func(c *world.Config) { c.Scheme, c.Begin = "jp-mobile", night })
	page := b.Page(t, browsertest.Phone, "ja").Go(w.Places.Desk + "/").Click(`button[value="begin"]`)
	page.See(text.Sentence("desk.hours-closed", text.Japanese, nil))
	page.Click(".stop a.button").Go(w.Places.Phones + "/phones/phone-1").Go(w.Places.Desk + "/")
	in := phones.Apply{Card: "taro", CardPassword: "TARO1980", Kinds: warifu.Kinds[:], Consent: w.Scheme.Consent, PIN: worldtest.PIN, Signature: worldtest.Password}
	if _, err := w.Phones.Apply(context.Background(), "phone-1", in); err != nil {
		t.Fatal(err)
	}
	jump := text.Sentence("desk.stop-issue-jump", text.Japanese, nil)
	page.Until(`.walk[data-stop="issue"]`).See(jump).Shot("desk-walk-hours").Whole(t)
	page.Click(`.stop form[action="/clock"] button`).Until(`.walk[data-stop="register"]`)
	page.Go(w.Places.Desk + "/time").See(text.Sentence("cli.word-due-opening", text.Japanese, nil)).Shot("desk-jumped").Whole(t)
	page.Click(`button[value="desk.wish-tomorrow"]`)
	if now := w.Clock.Now().In(w.Scheme.Hours.Zone); now.Day() != 3 || now.Hour() != 7 {
		t.Errorf("it is %v", now)
	}
	if page.Type(`[name="words"]`, "some day").Click(`form:has([name="words"][required]) button`); !page.Has(`.problem[role="alert"]`) {
		t.Error("words that name no instant are taken")
	}
}

// A world is saved and reset at its page, which comes back by itself when the world stands
// again.
func TestAWorldIsSavedAndResetAtItsPage(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	ctx, stop := context.WithCancel(context.Background())
	stood, ended := make(chan desk.Places, 4), make(chan error, 1)
	go func() {
		ended <- world.Keep(ctx, world.Config{Dir: t.TempDir(), AnyPort: true, Scheme: "badge"}, func(w *world.World, _ int) error {
			stood <- w.Places
			return nil
		})
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	var places desk.Places
	select {
	case places = <-stood:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	page := b.Page(t, browsertest.Desktop, "en").Go(places.Desk + "/worlds").Whole(t).Bear("net::ERR_CONNECTION_REFUSED " + places.Desk + "/api/world")
	page.Type(`[name="name"]`, "before-sale").Click(`button[value="save"]`).See("the world stands again").See("before-sale").Shot("desk-worlds-saved").Whole(t)
	if err := doorway.NewClient(places.Phones).Post(ctx, "/api/phones", phones.Buy{}, nil); err != nil {
		t.Fatal(err)
	}
	page.Go(places.Desk + "/").See("phone-2")
	page.Go(places.Desk + "/worlds").Click("details summary").Click(`button[value="reset"]`).Until(`.done`)
	page.Go(places.Desk + "/")
	if page.Sees("phone-2") {
		t.Error("a phone bought later is still there")
	}
}
