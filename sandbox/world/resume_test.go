package world_test

import (
	"context"
	"testing"

	"warifu"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

// during opens the world in dir, serves it while f runs, and stops it as Ctrl-C does.
func during(t *testing.T, dir string, f func(*world.World)) {
	t.Helper()
	w, err := world.Open(t.Context(), world.Config{Dir: dir, AnyPort: true, Scheme: "badge"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	err = w.Run(ctx, func() error {
		go func() { defer stop(); f(w) }()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func application(w *world.World) phones.Apply {
	return phones.Apply{Card: "taro", CardPassword: "TARO1980", Kinds: warifu.Kinds[:], Consent: w.Scheme.Consent, Signature: "PHONE123", PIN: "2468"}
}

// A world that is stopped in the middle of everything goes on at the next start: the
// application, the chips, the clock and the ports are as they were (design §4).
func TestASecondStartResumes(t *testing.T) {
	dir := t.TempDir()
	var first *world.World
	during(t, dir, func(w *world.World) {
		first = w
		if _, err := w.Phones.Apply(t.Context(), "phone-1", application(w)); err != nil {
			t.Error(err)
		}
	})
	during(t, dir, func(w *world.World) {
		if w.Places != first.Places {
			t.Errorf("the places moved from %+v to %+v", first.Places, w.Places)
		}
		waitFor(t, func() bool {
			a, err := w.Phones.Status(t.Context(), "phone-1")
			return err == nil && a.State == warifu.ApplicationIssued
		})
		if _, err := w.Phones.Personalize(t.Context(), "phone-1", phones.Personalize{}); err != nil {
			t.Error(err)
		}
	})
	during(t, dir, func(w *world.World) {
		if _, err := w.Phones.Sign(t.Context(), "phone-1", phones.Sign{Document: []byte("x"), Password: "PHONE123"}); err != nil {
			t.Errorf("signing after the third start: %v", err)
		}
		checkFactoryReset(t, w)
	})
}

// R74, K12: a factory reset empties the phone and leaves the chip as it was.
func checkFactoryReset(t *testing.T, w *world.World) {
	h, err := w.Phones.Handset("phone-1")
	if err != nil {
		t.Error(err)
		return
	}
	if err := h.FactoryReset(); err != nil {
		t.Error(err)
	}
	v, err := w.Phones.View(t.Context(), "phone-1")
	if err != nil || v.App.Application != "" || v.App.Personalized {
		t.Errorf("after a reset the app remembers %+v (%v)", v.App, err)
	}
	if _, err := w.Phones.Sign(t.Context(), "phone-1", phones.Sign{Document: []byte("x"), Password: "PHONE123"}); err != nil {
		t.Errorf("a factory reset reached the chip: %v", err)
	}
}
