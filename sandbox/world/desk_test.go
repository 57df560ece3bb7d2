package world_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"warifu/internal/worldtest"
	"warifu/sandbox/moment"
)

// What falls due is listed in order, and the clock goes there by words, by the form alone.
func TestTheTimeMachineByFormPages(t *testing.T) {
	w, b := worldtest.Stand(t), worldtest.NewBrowser(t)
	due, err := w.Calendar(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[moment.What]bool{}
	for i, d := range due {
		seen[d.What] = true
		if d.At.Before(w.Clock.Now()) || i > 0 && d.At.Before(due[i-1].At) {
			t.Errorf("out of order: %v", d)
		}
	}
	for _, want := range []moment.What{moment.Birthday, moment.Birthday15, moment.ListUpdate} {
		if !seen[want] {
			t.Errorf("no %s is listed", want)
		}
	}
	b.Wants(b.Get(w.Places.Desk+"/"), "15th birthday")
	before := w.Clock.Now()
	status, page := b.Fill(w.Places.Desk+"/clock", "words", "明日の7時30分")
	if status != http.StatusOK || !strings.Contains(page, "07:30:0") {
		t.Errorf("status %d: %s", status, page)
	}
	if now := w.Clock.Now().In(w.Scheme.Hours.Zone); now.Hour() != 7 || now.Minute() != 30 || !now.After(before) {
		t.Errorf("it is %v", now)
	}
	status, page = b.Fill(w.Places.Desk+"/clock", "words", "2001-01-01T00:00:00Z")
	if status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}
	b.Wants(page, "which is the earliest possible")
	_, page = b.Fill(w.Places.Desk+"/clock", "words", "some day")
	b.Wants(page, "These words name no instant")
}

func TestLifeEventsAndTheCounterByFormPages(t *testing.T) {
	w, b := worldtest.Stand(t), worldtest.NewBrowser(t)
	noon(t, w) // a kiosk is closed at night
	status, page := b.Fill(w.Places.Desk+"/events", "card", "taro", "event", "move")
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	b.Wants(page, "Nothing happened to any certificate on a phone")
	for _, visit := range [][]string{
		{"what", "unlock", "kind", "signature", "next", "REMEMBER1"},
		{"what", "face", "kind", "authentication"},
		{"what", "kiosk", "kind", "authentication", "known", "REMEMBER1", "next", "4649"},
		{"what", "change", "kind", "authentication", "known", "4649", "next", "9464"},
		{"what", "inquire", "kind", "signature"},
	} {
		if status, page := b.Fill(w.Places.Desk+"/counter", append(visit, "card", "wasure")...); status != http.StatusOK {
			t.Errorf("%v: status %d: %s", visit, status, page)
		}
	}
	page = b.Get(w.Places.Desk + "/persons/wasure")
	b.Wants(page, "<code>REMEMBER1</code>")
	b.Wants(page, "<code>9464</code>")
	_, page = b.Fill(w.Places.Desk+"/counter", "card", "wasure", "what", "proxy", "kind", "signature", "known", "00000000", "next", "REMEMBER2")
	b.Wants(page, "The number of the letter could not be confirmed")
}

// The server itself has no door to its clock: that stands in the sandbox alone.
func TestTheServerHasNoDoorToItsClock(t *testing.T) {
	w, b := worldtest.Stand(t), worldtest.NewBrowser(t)
	for _, path := range []string{"/clock", "/api/clock", "/api/v1/clock", "/api/clock/upcoming", "/api/v1/time"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if status, _ := b.Send(method, w.Places.Server+path, "application/json", strings.NewReader(`{"forward":"1h"}`)); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s answers %d", method, path, status)
			}
		}
	}
	if strings.Contains(b.Get(w.Places.Server+"/api/openapi.json"), "clock") {
		t.Error("the server's own description speaks of a clock")
	}
	if ahead := time.Until(w.Clock.Now()); ahead > time.Hour {
		t.Errorf("the clock went ahead by %v", ahead)
	}
}
