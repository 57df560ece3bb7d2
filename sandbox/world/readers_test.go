package world_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/worldtest"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
	"warifu/sandbox/reader"
	"warifu/sandbox/world"
)

// equip puts certificates on the first phone, with the PIN 2468.
func equip(t *testing.T, w *world.World) {
	t.Helper()
	_, err := w.Phones.Apply(t.Context(), "phone-1", phones.Apply{Card: "taro", CardPassword: "TARO1980", Kinds: warifu.Kinds[:], Consent: w.Scheme.Consent, Signature: "PHONE123", PIN: "2468"})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		a, err := w.Phones.Status(t.Context(), "phone-1")
		return err == nil && a.State == warifu.ApplicationIssued
	})
	if _, err := w.Phones.Personalize(t.Context(), "phone-1", phones.Personalize{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Clock.To(w.Clock.Now().Add(time.Minute)); err != nil { // in use from the second after
		t.Fatal(err)
	}
}

// noon brings the world to an hour at which the kiosk is open, whatever day it began on.
func noon(t *testing.T, w *world.World) {
	t.Helper()
	now := w.Clock.Now().In(w.Scheme.Hours.Zone)
	at := time.Date(now.Year(), now.Month(), now.Day()+1, 12, 0, 0, 0, now.Location())
	for at.Month() == time.December && at.Day() >= 29 || at.Month() == time.January && at.Day() <= 3 {
		at = at.AddDate(0, 0, 1)
	}
	if err := w.Clock.To(at); err != nil {
		t.Fatal(err)
	}
}

// guest is a person at a terminal's screens.
type guest struct {
	*worldtest.Browser
	t *testing.T
}

// ended presses a button of a terminal and has its screen until what it began has ended.
func (b guest) ended(place, path string, pairs ...string) (int, string) {
	b.t.Helper()
	status, page := b.Fill(place+path, pairs...)
	for strings.Contains(page, "data-wait") {
		b.Get(place + "/visit/events") // answers when it has
		status, page = b.Send(http.MethodGet, place+"/visit", "", nil)
	}
	return status, page
}

// touch types a PIN on a terminal and touches a chip to it.
func (b guest) touch(place, chip, pin string) (int, string) {
	b.t.Helper()
	b.Fill(place+"/visit/pin", "pin", pin)
	return b.ended(place, "/visit/tap", "chip", chip)
}

// consents answers the clinic's three questions.
func (b guest) consents(place string, answers ...string) (status int, page string) {
	b.t.Helper()
	for i, what := range []string{"medicine", "checkups", "high-cost"} {
		status, page = b.ended(place, "/visit/consent", "what", what, "answer", answers[i])
	}
	return status, page
}

// Kiosk and clinic at their doors, by the screens alone, with a phone's real secure element
// over its contactless interface and with a card.
func TestKioskAndClinicTakePhoneAndCard(t *testing.T) {
	w, b := worldtest.Stand(t), guest{worldtest.NewBrowser(t), t}
	noon(t, w)
	kiosk, clinic := w.Places.Kiosk, w.Places.Clinic
	_, page := b.Fill(kiosk+"/visits", "medium", "phone")
	b.Wants(page, "Type your PHONE")
	_, page = b.touch(kiosk, "phone-1", "2468") // before there is anything on it
	b.Wants(page, "This phone carries no usable certificate")
	equip(t, w)
	_, page = b.Fill(kiosk+"/visits", "medium", "phone")
	b.Wants(page, "Type your PHONE")
	_, page = b.touch(kiosk, "taro", "2468")
	b.Wants(page, "This is a card")
	_, page = b.touch(kiosk, "phone-1", "2468")
	b.Wants(page, "清瀬市")
	b.Fill(kiosk+"/visit/answer", "document", "residence")
	b.Fill(kiosk+"/visit/answer", "household", "no")
	b.Fill(kiosk+"/visit/answer", "relation", "yes")
	b.Fill(kiosk+"/visit/answer", "copies", "1")
	b.Fill(kiosk+"/visit/coins", "yen", "500")
	_, page = b.ended(kiosk, "/visit/print")
	b.Wants(page, "Your paper is ready")
	if paper := b.Get(kiosk + "/visit/paper"); !strings.HasPrefix(paper, "%PDF-1.7") {
		t.Error("the paper is no PDF file")
	}
	b.Fill(kiosk + "/visit/leave")
	if status, _ := b.Send(http.MethodGet, kiosk+"/visit/paper", "", nil); status != http.StatusNotFound {
		t.Errorf("after leaving: %d", status)
	}
	b.Fill(clinic+"/visits", "medium", "phone")
	b.touch(clinic, "phone-1", "2468")
	_, page = b.consents(clinic, "yes", "yes", "no")
	b.Wants(page, "You are checked in")
	b.Wants(b.Get(clinic+"/staff"), "割符　太郎")
	b.Fill(clinic+"/visits", "medium", "card")
	_, page = b.touch(clinic, "mika", "0421")
	b.Wants(page, "your past medicine") // the insurer says what is wrong with the card
	_, page = b.consents(clinic, "no", "no", "no")
	b.Wants(page, "suspended")
}

// An answer for the municipality is none for the insurers: neither takes the other's
// question, nor a kiosk's key at the clinic's door.
func TestTownAndInsurersKeepApart(t *testing.T) {
	w := worldtest.Stand(t)
	door := doorway.NewClient(w.Places.Desk)
	for _, path := range []string{"/municipality/challenges", "/insurers/questions"} {
		if err := door.Post(t.Context(), path, struct{}{}, nil); warifu.ProblemOf(err).Code != warifu.CodeUnauthenticated {
			t.Errorf("%s without a key: %v", path, err)
		}
	}
	var fees map[string]struct{ Residence int }
	if err := door.Get(t.Context(), "/municipality/fees", &fees); err != nil || fees["13221"].Residence != 200 {
		t.Errorf("%v, %v", fees, err)
	}
}

// nothing is a reader on which no card is ever put.
type nothing struct{}

func (nothing) Tap(context.Context) (reader.Chip, error) {
	return nil, warifu.Unavailable("reader-no-card")
}

// A world that was given real readers has its kiosk and its clinic wait for what lies there.
func TestAWorldWithRealReaders(t *testing.T) {
	w := worldtest.Stand(t, func(c *world.Config) { c.KioskReader, c.ClinicReader = nothing{}, nothing{} })
	noon(t, w)
	b := guest{worldtest.NewBrowser(t), t}
	for _, place := range []string{w.Places.Kiosk, w.Places.Clinic} {
		_, page := b.Fill(place+"/visits", "medium", "card")
		b.Wants(page, "Type your CARD")
		_, page = b.ended(place, "/visit/pin", "pin", "1217")
		b.Wants(page, "No card or phone was put on the reader")
		if strings.Contains(page, "<select") {
			t.Errorf("%s asks which of the demo's chips is touched", place)
		}
	}
}
