package kiosk_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/kiosk"
	"warifu/sandbox/municipality"
	"warifu/sandbox/reader"
)

func TestTheWholeVisitByJSON(t *testing.T) {
	s := openShop(t, nil)
	mux := http.NewServeMux()
	s.Routes(mux)
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	door := doorway.NewClient(site.URL)
	var v kiosk.View
	step := func(path string, in any) string {
		t.Helper()
		if path == "" {
			return slug(door.Post(t.Context(), "/api/visits", in, &v))
		}
		return slug(door.Post(t.Context(), "/api/visits/"+v.ID+path, in, &v))
	}
	type in map[string]any
	for _, c := range []struct {
		path string
		in   in
		want string
	}{
		{"", in{"medium": "tablet"}, "kiosk-request-malformed"},
		{"", in{"medium": "card", "extra": 1}, "sandbox-request-malformed"},
		{"", in{"medium": "card"}, ""},
		{"/touch", in{"chip": "taro", "pin": "12"}, "card-pin-format"},
		{"/touch", in{"chip": "taro", "pin": "1217"}, ""},
		{"/choice", in{"document": "seal", "copies": 1, "options": in{"household": true}}, "kiosk-request-malformed"},
		{"/choice", in{"document": "residence", "copies": 3, "options": in{"household": true}}, ""},
		{"/coins", in{"yen": 1000}, ""},
		{"/print", in{}, ""},
	} {
		if got := step(c.path, c.in); got != c.want {
			t.Fatalf("%s %v: %q, want %q", c.path, c.in, got, c.want)
		}
	}
	if v.Step != kiosk.StepDone || v.Fee != 600 || v.Refund != 400 {
		t.Errorf("%+v", v)
	}
	var paper []byte
	if err := door.Get(t.Context(), "/api/visits/"+v.ID+"/paper", &paper); err != nil || !strings.HasPrefix(string(paper), "%PDF") {
		t.Error(err)
	}
	if err := door.Delete(t.Context(), "/api/visits/"+v.ID); err != nil {
		t.Error(err)
	}
	if err := door.Get(t.Context(), "/api/visits/"+v.ID, &v); slug(err) != "kiosk-visit-over" {
		t.Error(err)
	}
}

// nothing is a reader on which no card is put in time.
type nothing struct{}

func (nothing) Tap(context.Context) (reader.Chip, error) {
	return nil, warifu.Unavailable("reader-no-card")
}

// waiting is a real reader on which nothing lies until a card is put there.
type waiting struct {
	asked chan struct{}
	card  chan reader.Source
}

func (w waiting) Tap(ctx context.Context) (reader.Chip, error) {
	w.asked <- struct{}{}
	return (<-w.card).Tap(ctx)
}

// With a real reader nobody chooses among the demo's chips, and one person at a time uses it;
// a visit whose tap is under way is not touched from another tab.
func TestARealReaderServesOnePersonAtATime(t *testing.T) {
	w := waiting{make(chan struct{}), make(chan reader.Source)}
	s := openShop(t, func(c *kiosk.Config) { c.Reader = w; c.Chips = nil; c.Touched = nil })
	p := s.screen(t)
	p.press("/visits", "medium", "card")
	page := p.press("/visit/pin", "pin", "1217") // waits for the card from here on
	p.says(page, "Reading your card", "Stop")
	<-w.asked
	w.card <- nothing{}
	if p.says(p.ended(page), "No card or phone", "Hold your card"); strings.Contains(page, "<select") {
		t.Error("the screen asks which of the demo's chips is touched")
	}
	first, err := s.Begin("card")
	if err != nil {
		t.Fatal(err)
	}
	touched := make(chan error, 1)
	go func() {
		_, err := s.Touch(context.Background(), first.ID, kiosk.Touch{PIN: "1217"})
		touched <- err
	}()
	<-w.asked
	second, err := s.Begin("card")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Touch(t.Context(), second.ID, kiosk.Touch{PIN: "1217"}); slug(err) != "kiosk-in-use" {
		t.Errorf("a second person at the same reader: %v", err)
	}
	if _, err := s.Leave(first.ID); slug(err) != "kiosk-in-use" {
		t.Errorf("another tab in the middle of a tap: %v", err)
	}
	w.card <- s.Put("taro")
	if err := <-touched; err != nil {
		t.Error(err)
	}
	if v, err := s.Visit(first.ID); err != nil || v.Step != kiosk.StepChoose {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := s.Choose(first.ID, kiosk.Choice{Document: municipality.Seal, Copies: 1}); err != nil {
		t.Error(err)
	}
}
