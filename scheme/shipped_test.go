package scheme_test

import (
	"errors"
	"testing"
	"time"

	"warifu"
	"warifu/scheme"
	"warifu/text"
)

func shipped(t testing.TB, name string) *scheme.Scheme {
	t.Helper()
	s, err := scheme.Shipped(name)
	if err != nil {
		t.Fatalf("%s: %v", name, errors.Unwrap(err))
	}
	return s
}

func TestShippedSchemesParseUnderTheirNames(t *testing.T) {
	for _, name := range scheme.Names {
		s := shipped(t, name)
		if s.Name != name || s.ID() != name+"/1" {
			t.Errorf("%s calls itself %s", name, s.ID())
		}
		for _, l := range text.Languages {
			if key := "consent." + s.Consent; text.Sentence(key, l, nil) == key {
				t.Errorf("%s: no consent notes under %s", name, key)
			}
		}
	}
	if _, err := scheme.Shipped("no-such"); !errors.Is(err, &warifu.Error{Problem: "scheme-unknown"}) {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestR38R39JPMobileHours(t *testing.T) {
	h := shipped(t, "jp-mobile").Hours
	if h.Opens.String() != "07:30" || h.CutOff.String() != "19:30" || h.Closes.String() != "20:00" || h.Zone.String() != "Asia/Tokyo" {
		t.Errorf("%v %v %v %v", h.Opens, h.CutOff, h.Closes, h.Zone)
	}
}

func TestR41StrictHours(t *testing.T) {
	h := shipped(t, "jp-mobile-strict").Hours
	if h.Opens.String() != "09:00" || h.CutOff.String() != "19:30" || h.Closes.String() != "19:30" {
		t.Errorf("%v %v %v", h.Opens, h.CutOff, h.Closes)
	}
}

func TestK14TriesAndLapse(t *testing.T) {
	for _, name := range scheme.Names {
		s := shipped(t, name)
		if s.Tries.Of(warifu.Signature) != 5 || s.Tries.Of(warifu.Authentication) != 3 || s.Tries.Of(0) != 0 {
			t.Errorf("%s: tries %+v", name, s.Tries)
		}
		if s.ApplicationLapse != 30*24*time.Hour || s.Lifetimes.ChallengeLife != 10*time.Minute {
			t.Errorf("%s: lifetimes %+v", name, s.Lifetimes)
		}
	}
}

func TestK6ServicesOpen(t *testing.T) {
	past := time.Date(2023, 5, 10, 15, 0, 0, 0, time.UTC) // 00:00 of 11 May in Tokyo
	if s := shipped(t, "jp-mobile"); !s.ServiceOpen("clinic", past) || s.ServiceOpen("casino", past) {
		t.Error("jp-mobile: every known service is open, an unknown one is not")
	}
	replay := shipped(t, "jp-mobile-2023")
	if !replay.ServiceOpen("portal", past) || replay.ServiceOpen("portal", past.Add(-time.Second)) {
		t.Error("the portal opens with the first second of 11 May 2023 in Tokyo")
	}
	if replay.ServiceOpen("clinic", time.Date(2025, 9, 18, 14, 59, 59, 0, time.UTC)) {
		t.Error("clinics open on 19 September 2025")
	}
}

func TestBadgeIsAlwaysOpenAndP256(t *testing.T) {
	s := shipped(t, "badge")
	if s.Algorithm != scheme.P256 || !s.Hours.Open(time.Date(2026, 1, 1, 18, 0, 0, 0, time.UTC)) {
		t.Errorf("%s", s.Algorithm)
	}
}
