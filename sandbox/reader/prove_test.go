package reader_test

import (
	"context"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/towntest"
	"warifu/jpki"
	"warifu/profile"
	"warifu/sandbox/reader"
	"warifu/verify"
)

func question(town *towntest.Town) attest.Presence {
	return attest.Presence{Purpose: "test", ClientID: "kiosk", Origin: "http://kiosk.test", Nonce: make([]byte, 32), Transaction: "1", Time: town.Clock.Now()}
}

func touch(town *towntest.Town, class profile.Class, pin string) reader.Touch {
	return reader.Touch{Class: class, PIN: pin, Question: question(town), Scheme: town.Scheme}
}

func slug(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

func TestACardProvesPresenceInOneTap(t *testing.T) {
	town := towntest.New(t)
	card := town.Put("taro")
	proof, err := reader.Prove(t.Context(), card, touch(town, profile.ClassCard, "１２１７")) // full width is folded (K7)
	if err != nil {
		t.Fatal(err)
	}
	result, err := town.Verifier.Presence(t.Context(), question(town), proof.Certificate, proof.Signature, verify.Policy{})
	if err != nil || result.Verdict != verify.Good || result.Class != profile.ClassCard {
		t.Errorf("%+v, %v", result, err)
	}
	if card.Closed.Load() != 1 {
		t.Error("the card keeps its power")
	}
	other := question(town)
	other.ClientID = "another kiosk"
	if result, _ := town.Verifier.Presence(t.Context(), other, proof.Certificate, proof.Signature, verify.Policy{}); result.Verdict != verify.Bad {
		t.Error("the answer serves at another kiosk")
	}
}

// R28: a PIN is never sent to the other kind of chip, nor to one that is neither.
func TestTheWrongChipIsSentNoPIN(t *testing.T) {
	town := towntest.New(t)
	for _, c := range []struct {
		class       profile.Class
		label, want string
	}{
		{profile.ClassPhone, "", "not-a-phone"},
		{profile.ClassCard, jpki.LabelPhone, "not-a-card"},
		{profile.ClassCard, jpki.LabelResident, "reader-resident-card"},
		{profile.ClassPhone, jpki.LabelIPhone, "reader-iphone"},
		{profile.ClassCard, "MUSEUMPASS", "reader-token-unknown"},
	} {
		card := town.Put("taro")
		card.Label = c.label
		if _, err := reader.Prove(t.Context(), card, touch(town, c.class, "1217")); slug(err) != c.want {
			t.Errorf("%v, %q: %v, want %s", c.class, c.label, err, c.want)
		}
		if card.Verified() || card.Closed.Load() != 1 {
			t.Errorf("%v, %q: the PIN was sent, or the power is still on", c.class, c.label)
		}
	}
	phone := town.Put("taro")
	phone.Label = jpki.LabelPhone
	if _, err := reader.Prove(t.Context(), phone, touch(town, profile.ClassPhone, "1217")); err != nil {
		t.Error(err)
	}
}

func TestTheLastTryIsAnnouncedBeforeItIsSpent(t *testing.T) {
	town := towntest.New(t)
	card := town.Put("taro")
	at := touch(town, profile.ClassCard, "0000")
	for _, left := range []string{"2", "1"} {
		_, err := reader.Prove(t.Context(), card, at)
		if e := warifu.ProblemOf(err); e == nil || e.Problem != "card-pin-wrong" || e.Params["left"] != left {
			t.Fatalf("with %s left: %v", left, err)
		}
	}
	if _, err := reader.Prove(t.Context(), card, at); slug(err) != "reader-last-try-card" || card.Verified() {
		t.Errorf("before the last: %v", err)
	}
	at.LastTry, at.PIN = true, "12 7"
	if _, err := reader.Prove(t.Context(), card, at); slug(err) != "card-pin-format" || len(card.Sent()) > 10 {
		t.Errorf("no PIN at all: %v", err)
	}
	at.PIN = "0000"
	if _, err := reader.Prove(t.Context(), card, at); slug(err) != "card-pin-blocked" {
		t.Errorf("the last: %v", err)
	}
	at.PIN = "1217"
	if _, err := reader.Prove(t.Context(), card, at); slug(err) != "card-pin-blocked" || card.Verified() {
		t.Errorf("blocked: %v", err)
	}
}

// Whatever a chip does, at whatever command, the tap ends with a named problem, and in time.
func TestAnUnsoundChipEndsInANamedProblem(t *testing.T) {
	town := towntest.New(t)
	sound := town.Put("hanako")
	if _, err := reader.Prove(t.Context(), sound, touch(town, profile.ClassCard, "1103")); err != nil {
		t.Fatal(err)
	}
	allowed := map[towntest.Fault][]string{
		towntest.Torn:    {"chip-removed"},
		towntest.Slow:    {"chip-slow"},
		towntest.Garbage: {"reader-answer-malformed"},
		towntest.Strange: {"chip-refused"},
		towntest.Blocked: {"chip-refused", "card-pin-blocked"},
		towntest.Endless: {"reader-answer-malformed", "chip-refused", "chip-unreachable"},
		towntest.Lying:   {"reader-token-unknown", "reader-answer-malformed", "reader-signature-wrong", "chip-refused", "certificate-absent", "chip-unreachable"},
	}
	for fault, slugs := range allowed {
		for at := range sound.Sent() {
			card := town.Put("hanako")
			card.Fault, card.At = fault, at
			if fault == towntest.Slow {
				card.Limit = time.Millisecond
				card.At = 0 // a limit this short is over at the first command, whichever it is
			}
			_, err := reader.Prove(t.Context(), card, touch(town, profile.ClassCard, "1103"))
			if fault == towntest.Lying && err == nil {
				t.Errorf("lying from command %d on: believed", at)
			}
			if err != nil && !contains(slugs, slug(err)) {
				t.Errorf("fault %d at command %d: %v", fault, at, err)
			}
			if err == nil && fault != towntest.Lying {
				t.Errorf("fault %d at command %d: nothing was noticed", fault, at)
			}
			if card.Closed.Load() != 1 {
				t.Errorf("fault %d at command %d: the power is still on", fault, at)
			}
		}
	}
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}

func TestATerminalThatIsSwitchedOffWaitsForNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := reader.VPCD("127.0.0.1:0")
	if _, err := v.Tap(ctx); slug(err) != "reader-no-card" && slug(err) != "reader-unreachable" {
		t.Error(err)
	}
}
