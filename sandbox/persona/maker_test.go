package persona_test

import (
	"context"
	"testing"

	"warifu"
	"warifu/internal/worldtest"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/persona"
)

// Each word brings the person into its state, by the desk's door, and made again it changes
// nothing.
func TestPersonasStandAsTheyAreNamed(t *testing.T) {
	w := worldtest.Stand(t)
	desk := doorway.NewClient(w.Places.Desk)
	ctx := context.Background()
	build := func(name, on string) (persona.Made, error) {
		var made persona.Made
		err := desk.Post(ctx, "/api/personas", persona.Wish{Name: name, Phone: on}, &made)
		return made, err
	}
	for _, c := range []struct {
		name      string
		sig, auth phone.Finding
		tries     map[warifu.Kind]int
	}{
		{"taro+hold@signature", phone.FindingHeld, phone.FindingUsable, nil},
		{"hanako+moved", phone.FindingEnded, phone.FindingUsable, nil},
		{"jiro+pin2left+password4left", phone.FindingUsable, phone.FindingUsable, map[warifu.Kind]int{warifu.Signature: 4, warifu.Authentication: 2}},
		{"kyoko+nosig+locked", phone.FindingNone, phone.FindingUsable, map[warifu.Kind]int{warifu.Authentication: 0}},
		{"makoto+pending", phone.FindingNone, phone.FindingNone, nil},
		{"yoshino+revoked@signature", phone.FindingGone, phone.FindingUsable, nil},
		{"uruu+card-hold", phone.FindingHeld, phone.FindingHeld, nil},
		{"kenji+repair+screenlock", phone.FindingHeld, phone.FindingHeld, nil},
	} {
		made, err := build(c.name, "")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(made.Kinds) != 2 || made.Kinds[0].Finding != c.sig || made.Kinds[1].Finding != c.auth {
			t.Errorf("%s stands at %+v", c.name, made.Kinds)
		}
		for kind, left := range c.tries {
			if made.Tries[kind] != left {
				t.Errorf("%s has %v tries left", c.name, made.Tries)
			}
		}
		again, err := build(c.name, made.Phone)
		if err != nil || again.Phone != made.Phone || again.Done != made.Done {
			t.Errorf("%s again: %+v, %v", c.name, again, err)
		}
	}
	for name, slug := range map[string]string{
		"taro+revoked":     "persona-taken",
		"taro+hold+repair": "persona-contradiction",
		"ren+phone":        "persona-cannot-apply",
	} {
		if _, err := build(name, ""); worldtest.Slug(err) != slug {
			t.Errorf("%s: %v, want %s", name, err, slug)
		}
	}
	if _, err := build("taro+hold@signature", "phone-1"); worldtest.Slug(err) != "persona-taken" {
		t.Errorf("on another phone: %v", err)
	}
	var made []persona.Made
	if err := desk.Get(ctx, "/api/personas", &made); err != nil || len(made) != 8 {
		t.Errorf("%d are listed, %v", len(made), err)
	}
	var words []persona.Word
	if err := desk.Get(ctx, "/api/personas/words", &words); err != nil || len(words) != len(persona.Words()) {
		t.Errorf("%d words, %v", len(words), err)
	}
}

// The words that end everything, each on a person of their own; the last moves the clock.
func TestPersonasWhoseCertificatesAreOver(t *testing.T) {
	w := worldtest.Stand(t)
	desk := doorway.NewClient(w.Places.Desk)
	for _, name := range []string{"taro+superseded", "hanako+renewed", "jiro+dead", "kyoko+moved+expired"} {
		var made persona.Made
		if err := desk.Post(context.Background(), "/api/personas", persona.Wish{Name: name}, &made); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, k := range made.Kinds {
			if k.Live || k.Finding == phone.FindingUsable {
				t.Errorf("%s: the %s certificate is %s", name, k.Kind, k.Finding)
			}
		}
		if (made.NewPhone != "") != (name == "taro+superseded") {
			t.Errorf("%s: the new phone is %q", name, made.NewPhone)
		}
	}
	if _, err := w.Phones.Sign(context.Background(), "phone-3", signing); err != nil {
		t.Errorf("taro's new phone does not sign: %v", err)
	}
}

// A world of hours is moved to the hour at which applications are issued.
func TestAPersonaWaitsForTheHourByTheWorldsClock(t *testing.T) {
	w := worldtest.Stand(t, night(t))
	before := w.Clock.Now()
	var made persona.Made
	if err := doorway.NewClient(w.Places.Desk).Post(context.Background(), "/api/personas", persona.Wish{Name: "taro+phone"}, &made); err != nil {
		t.Fatal(err)
	}
	if now := w.Clock.Now().In(w.Scheme.Hours.Zone); !made.Kinds[0].Live || !now.After(before) || now.Hour() != 7 || now.Minute() < 30 {
		t.Errorf("at %v: %+v", now, made)
	}
}
