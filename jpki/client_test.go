package jpki_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
)

// script is a chip that answers by command: the longest prefix that matches.
type script struct {
	label   string
	answers map[string]string
	heard   []string
}

// Transmit implements iso7816.Transmitter.
func (s *script) Transmit(_ context.Context, command []byte) ([]byte, error) {
	heard := fmt.Sprintf("%X", command)
	s.heard = append(s.heard, heard)
	best, answer := -1, "9000"
	if heard == "00B0000020" {
		return append(jpki.TokenInfo{Label: s.label}.Bytes()[:32], 0x90, 0x00), nil
	}
	for prefix, a := range s.answers {
		if len(prefix) > best && len(heard) >= len(prefix) && heard[:len(prefix)] == prefix {
			best, answer = len(prefix), a
		}
	}
	if answer == "" {
		return nil, iso7816.ErrRemoved
	}
	return hex.DecodeString(answer)
}

func token(t *testing.T, label string, answers map[string]string) (*jpki.Token, *script) {
	t.Helper()
	s := &script{label: label, answers: answers}
	k, err := jpki.Select(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return k, s
}

func problemOf(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

func TestSelectSaysWhoAnswers(t *testing.T) {
	for label, phone := range map[string]bool{jpki.LabelCard: false, jpki.LabelResident: false, jpki.LabelPhone: true, jpki.LabelIPhone: true, jpki.LabelBadge: true} {
		if k, _ := token(t, label, nil); k.IsPhone() != phone || k.Label() != label {
			t.Errorf("%q: %q, phone %v", label, k.Label(), k.IsPhone())
		}
	}
	for answer, want := range map[string]string{"6A82": "jpki-absent", "6F00": "chip-refused", "": "chip-removed"} {
		_, err := jpki.Select(context.Background(), &script{answers: map[string]string{"00A404": answer}})
		if problemOf(err) != want {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

// R28: a wrong secret says whose it was and how many tries are left.
func TestAWrongSecretSaysWhoseAndHowManyTries(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct{ status, card, phone, left string }{
		{"63C2", "card-pin-wrong", "secret-wrong", "2"},
		{"63C0", "card-pin-blocked", "secret-blocked", ""},
		{"6984", "card-pin-blocked", "secret-blocked", ""},
		{"6983", "card-pin-blocked", "secret-blocked", ""},
		{"6F00", "chip-refused", "chip-refused", ""},
	} {
		k, _ := token(t, jpki.LabelCard, map[string]string{"0020": c.status})
		err := k.VerifyCard(ctx, warifu.Signature, warifu.NewCardPIN([]byte("ABC123")))
		if problemOf(err) != c.card || warifu.ProblemOf(err).Params["left"] != c.left {
			t.Errorf("card, %s: %v", c.status, err)
		}
		k, _ = token(t, jpki.LabelPhone, map[string]string{"0020": c.status})
		err = k.VerifyPhone(ctx, warifu.Signature, warifu.NewActivationSecret([]byte("ABC123")))
		if problemOf(err) != c.phone || warifu.ProblemOf(err).Params["left"] != c.left {
			t.Errorf("phone, %s: %v", c.status, err)
		}
	}
}

func TestASecretNeverGoesToTheWrongHalf(t *testing.T) {
	ctx := context.Background()
	k, s := token(t, jpki.LabelPhone, nil)
	before := len(s.heard)
	if err := k.VerifyCard(ctx, warifu.Authentication, warifu.NewCardPIN([]byte("1234"))); problemOf(err) != "not-a-card" {
		t.Error(err)
	}
	if err := k.ChangeCard(ctx, warifu.Authentication, warifu.NewCardPIN([]byte("1234"))); problemOf(err) != "not-a-card" {
		t.Error(err)
	}
	if err := k.VerifyPhone(ctx, warifu.Authentication, warifu.NewActivationSecret(nil)); problemOf(err) != "secret-malformed" {
		t.Error(err)
	}
	if err := k.ChangePhone(ctx, warifu.Authentication, warifu.NewActivationSecret([]byte("12345"))); problemOf(err) != "secret-malformed" {
		t.Error(err)
	}
	if len(s.heard) != before {
		t.Errorf("sent %q", s.heard[before:])
	}
	k, s = token(t, jpki.LabelCard, nil)
	before = len(s.heard)
	if err := k.VerifyPhone(ctx, warifu.Authentication, warifu.NewActivationSecret([]byte("1234"))); problemOf(err) != "not-a-phone" {
		t.Error(err)
	}
	if err := k.ChangeCard(ctx, warifu.Signature, warifu.NewCardPIN([]byte("abc"))); problemOf(err) != "card-pin-malformed" {
		t.Error(err)
	}
	if len(s.heard) != before {
		t.Errorf("sent %q", s.heard[before:])
	}
}

func TestTriesLeftCostsNone(t *testing.T) {
	for status, want := range map[string]int{"63C3": 3, "63C0": 0, "6984": 0, "9000": 3} {
		k, s := token(t, jpki.LabelCard, map[string]string{"00200080": status})
		n, err := k.TriesLeft(context.Background(), warifu.Authentication)
		if err != nil || n != want {
			t.Errorf("%s: %d, %v", status, n, err)
		}
		if last := s.heard[len(s.heard)-1]; last != "00200080" {
			t.Errorf("asked with %s", last)
		}
	}
}

func TestSigningAndReadingSayWhatIsMissing(t *testing.T) {
	ctx := context.Background()
	for status, want := range map[string]string{"6982": "card-pin-needed", "6985": "key-absent", "6A82": "chip-refused", "": "chip-removed"} {
		k, _ := token(t, jpki.LabelCard, map[string]string{"802A": status})
		if _, err := k.Sign(ctx, warifu.Signature, make([]byte, 51)); problemOf(err) != want {
			t.Errorf("sign, %q: %v", status, err)
		}
	}
	for answer, want := range map[string]string{
		"6B00": "certificate-absent", "9000": "certificate-absent", "FFFFFFFF9000": "certificate-absent",
		"3082FFFF9000": "certificate-too-large", "6982": "secret-needed",
	} {
		k, _ := token(t, jpki.LabelPhone, map[string]string{"00B0": answer})
		if _, err := k.Certificate(ctx, warifu.Authentication); problemOf(err) != want {
			t.Errorf("read, %q: %v", answer, err)
		}
	}
}

// FuzzClient lets a chip answer anything: the client neither panics nor reads for ever.
func FuzzClient(f *testing.F) {
	f.Add([]byte{0x30, 0x82, 0x00, 0x04, 0x90, 0x00})
	f.Add([]byte{0x61, 0x00})
	f.Add([]byte{0x6C, 0x10})
	f.Fuzz(func(t *testing.T, answer []byte) {
		ctx := context.Background()
		chip := iso7816.TransmitterFunc(func(_ context.Context, c []byte) ([]byte, error) { return answer, nil })
		k, err := jpki.Select(ctx, chip)
		if err != nil {
			var p *warifu.Error
			if !errors.As(err, &p) {
				t.Fatalf("no sentence for %v", err)
			}
			return
		}
		_, _ = k.Certificate(ctx, warifu.Signature)
		_, _ = k.TriesLeft(ctx, warifu.Signature)
		_, _ = k.Sign(ctx, warifu.Signature, answer)
	})
}
