package warifu_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"warifu"
)

func TestSecretsCannotBePrinted(t *testing.T) {
	const canary = "CANARY7788"
	card, phone := warifu.NewCardPIN([]byte(canary)), warifu.NewActivationSecret([]byte(canary))
	holder := struct {
		C warifu.CardPIN
		P warifu.ActivationSecret
		Q *warifu.CardPIN
	}{card, phone, &card}
	var shown strings.Builder
	for _, v := range []any{card, phone, &card, &phone, holder, &holder} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&shown, verb+"\n", v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(b)
	}
	var log bytes.Buffer
	for _, l := range []*slog.Logger{slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil))} {
		l.Info("x", "card", card, "phone", phone, "both", holder)
	}
	shown.Write(log.Bytes())
	for _, form := range []string{canary, "43414e415259", "43414E415259", "67 65 78", "Q0FOQVJZ"} {
		if strings.Contains(shown.String(), form) {
			t.Errorf("a secret was shown as %q", form)
		}
	}
}

func TestSecretsCompare(t *testing.T) {
	a, b := warifu.NewCardPIN([]byte("1234")), warifu.NewCardPIN([]byte("1235"))
	if !a.Equal(a) || a.Equal(b) || a.Len() != 4 || string(a.Reveal()) != "1234" {
		t.Fatal("a PIN is not itself")
	}
}

func TestRevealedOctetsAreACopy(t *testing.T) {
	p := warifu.NewActivationSecret([]byte("1234"))
	p.Reveal()[0] = 'X'
	if string(p.Reveal()) != "1234" {
		t.Fatal("who reveals can change")
	}
}
