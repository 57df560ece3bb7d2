package world_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"warifu/sandbox/moment"
)

// What falls due is listed in order, and the clock goes there by words, by the form alone.
func TestTheTimeMachineByFormPages(t *testing.T) {
	w, b := stand(t), newBrowser(t)
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
	b.wants(b.get(w.Places.Desk+"/"), "15th birthday")
	before := w.Clock.Now()
	status, page := b.fill(w.Places.Desk+"/clock", "words", "明日の7時30分")
	if status != http.StatusOK || !strings.Contains(page, "07:30:0") {
		t.Errorf("status %d: %s", status, page)
	}
	if now := w.Clock.Now().In(w.Scheme.Hours.Zone); now.Hour() != 7 || now.Minute() != 30 || !now.After(before) {
		t.Errorf("it is %v", now)
	}
	status, page = b.fill(w.Places.Desk+"/clock", "words", "2001-01-01T00:00:00Z")
	if status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}
	b.wants(page, "which is the earliest possible")
	_, page = b.fill(w.Places.Desk+"/clock", "words", "some day")
	b.wants(page, "These words name no instant")
}

func TestLifeEventsAndTheCounterByFormPages(t *testing.T) {
	w, b := stand(t), newBrowser(t)
	status, page := b.fill(w.Places.Desk+"/events", "card", "taro", "event", "move")
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	b.wants(page, "Nothing happened to any certificate on a phone")
	for _, visit := range [][]string{
		{"what", "unlock", "kind", "signature", "next", "REMEMBER1"},
		{"what", "face", "kind", "authentication"},
		{"what", "kiosk", "kind", "authentication", "known", "REMEMBER1", "next", "4649"},
		{"what", "change", "kind", "authentication", "known", "4649", "next", "9464"},
		{"what", "inquire", "kind", "signature"},
	} {
		if status, page := b.fill(w.Places.Desk+"/counter", append(visit, "card", "wasure")...); status != http.StatusOK {
			t.Errorf("%v: status %d: %s", visit, status, page)
		}
	}
	page = b.get(w.Places.Desk + "/persons/wasure")
	b.wants(page, "<code>REMEMBER1</code>")
	b.wants(page, "<code>9464</code>")
	_, page = b.fill(w.Places.Desk+"/counter", "card", "wasure", "what", "proxy", "kind", "signature", "known", "00000000", "next", "REMEMBER2")
	b.wants(page, "The number of the letter could not be confirmed")
}

// The server itself has no door to its clock: that stands in the sandbox alone.
func TestTheServerHasNoDoorToItsClock(t *testing.T) {
	w, b := stand(t), newBrowser(t)
	for _, path := range []string{"/clock", "/api/clock", "/api/v1/clock", "/api/clock/upcoming", "/api/v1/time"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if status, _ := b.send(method, w.Places.Server+path, "application/json", strings.NewReader(`{"forward":"1h"}`)); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s answers %d", method, path, status)
			}
		}
	}
	if strings.Contains(b.get(w.Places.Server+"/api/openapi.json"), "clock") {
		t.Error("the server's own description speaks of a clock")
	}
	if ahead := time.Until(w.Clock.Now()); ahead > time.Hour {
		t.Errorf("the clock went ahead by %v", ahead)
	}
}
