package jpki_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
)

func TestSlotsReadBackAsTheyWereWritten(t *testing.T) {
	digest := rapid.Custom(func(r *rapid.T) (d warifu.Digest) {
		copy(d[:], rapid.SliceOfN(rapid.ByteRange(1, 255), 32, 32).Draw(r, "digest"))
		return d
	})
	half := func(r *rapid.T, shadow bool) jpki.SlotHalf {
		h := jpki.SlotHalf{Element: warifu.ElementID{9}, Shadow: shadow, Counter: rapid.IntRange(0, 65535).Draw(r, "counter")}
		for _, kind := range warifu.Kinds {
			if rapid.Bool().Draw(r, "slot") {
				s := jpki.SlotState{Kind: kind, Algorithm: jpki.P256, SecretSet: rapid.Bool().Draw(r, "secret"), PublicKey: digest.Draw(r, "key")}
				if rapid.Bool().Draw(r, "certificate") {
					s.Certificate = digest.Draw(r, "certificate")
				}
				h.Slots = append(h.Slots, s)
			}
		}
		if shadow && rapid.Bool().Draw(r, "parent") {
			h.Parent = digest.Draw(r, "parent")
		}
		if !shadow && rapid.Bool().Draw(r, "tickets") {
			h.Tickets = digest.Draw(r, "tickets")
		}
		return h
	}
	rapid.Check(t, func(r *rapid.T) {
		live, shadow := half(r, false), half(r, true)
		got, err := jpki.ParseSlots(append(live.Bytes(), shadow.Bytes()...))
		if err != nil {
			r.Fatal(err)
		}
		if !bytes.Equal(got.Live.Bytes(), live.Bytes()) || !bytes.Equal(got.Shadow.Bytes(), shadow.Bytes()) {
			r.Fatalf("%+v", got)
		}
		if n := max(len(live.Bytes()), len(shadow.Bytes())); n+8 > iso7816.MaxShortNe {
			r.Fatalf("%d octets do not fit a short response with its MAC", n)
		}
	})
}

func TestActivateNamesWhatItMakesLive(t *testing.T) {
	want := map[warifu.Kind]warifu.Digest{warifu.Signature: {1}, warifu.Authentication: {2}}
	value, err := iso7816.ParseTLV(jpki.Activate(want), jpki.TagActivate)
	if err != nil {
		t.Fatal(err)
	}
	got, err := jpki.ParseActivate(value)
	if err != nil || len(got) != 2 || got[warifu.Signature] != want[warifu.Signature] || got[warifu.Authentication] != want[warifu.Authentication] {
		t.Fatal(got, err)
	}
	if _, err := jpki.ParseActivate(append(value, value...)); err == nil {
		t.Fatal("a kind named twice")
	}
	for n := range value {
		if _, err := jpki.ParseActivate(value[:n]); err == nil && n != len(value)/2 {
			t.Fatalf("cut to %d octets", n)
		}
	}
}

// A refusal of the chip is a sentence for people, and still the chip's status word for who asks.
func TestRefusalsOfTheElementHaveNames(t *testing.T) {
	secret := warifu.NewActivationSecret([]byte("1234"))
	for name, c := range map[string]struct {
		sw      iso7816.StatusWord
		call    func(*jpki.Element) error
		problem string
	}{
		"generate":   {iso7816.SWWrongParameters, func(e *jpki.Element) error { _, err := e.Generate(t.Context(), 1, "p-256"); return err }, "element-refused"},
		"attest":     {iso7816.SWConditions, func(e *jpki.Element) error { _, err := e.Attest(t.Context(), nil); return err }, "element-state"},
		"set secret": {iso7816.SWWrongData, func(e *jpki.Element) error { return e.SetSecret(t.Context(), 1, secret) }, "secret-format"},
		"reset":      {iso7816.SWSecurityStatus, func(e *jpki.Element) error { return e.ResetSecret(t.Context(), 1, nil, secret) }, "reset-proof-invalid"},
		"slots":      {iso7816.SWOK, func(e *jpki.Element) error { _, err := e.Slots(t.Context()); return err }, "element-malformed"},
		"algorithm":  {iso7816.SWOK, func(e *jpki.Element) error { _, err := e.Generate(t.Context(), 1, "rsa-1024"); return err }, "algorithm-unknown"},
	} {
		err := c.call(answering(t, c.sw))
		if !errors.Is(err, &warifu.Error{Problem: c.problem}) || c.sw != iso7816.SWOK && !errors.Is(err, c.sw) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for sw, problem := range map[iso7816.StatusWord]string{
		iso7816.SWFileNotFound: "element-absent", iso7816.SWSecurityStatus: "element-access", iso7816.SWNoDiagnosis: "element-refused",
	} {
		_, err := jpki.SelectElement(t.Context(), always(sw))
		if !errors.Is(err, &warifu.Error{Problem: problem}) {
			t.Errorf("%v: %v", sw, err)
		}
	}
}

func always(sw iso7816.StatusWord) iso7816.Transmitter {
	return iso7816.TransmitterFunc(func(context.Context, []byte) ([]byte, error) { return iso7816.Response{SW: sw}.Bytes(), nil })
}

// answering is a chip that lets itself be selected and then says sw to everything.
func answering(t *testing.T, sw iso7816.StatusWord) *jpki.Element {
	t.Helper()
	now := iso7816.SWOK
	e, err := jpki.SelectElement(t.Context(), iso7816.TransmitterFunc(func(ctx context.Context, c []byte) ([]byte, error) {
		return always(now).Transmit(ctx, c)
	}))
	if err != nil {
		t.Fatal(err)
	}
	now = sw
	return e
}

func FuzzParseSlots(f *testing.F) {
	h := jpki.SlotHalf{Slots: []jpki.SlotState{{Kind: 1}, {Kind: 2, Algorithm: jpki.P256, Certificate: warifu.Digest{1}}}}
	shadow := jpki.SlotHalf{Shadow: true, Parent: warifu.Digest{2}}
	f.Add(append(h.Bytes(), shadow.Bytes()...))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := jpki.ParseSlots(data)
		if err != nil {
			return
		}
		again, err := jpki.ParseSlots(append(s.Live.Bytes(), s.Shadow.Bytes()...))
		if err != nil || len(again.Live.Slots) != len(s.Live.Slots) {
			t.Fatalf("%+v reads back as %+v, %v", s, again, err)
		}
	})
}

func FuzzParseActivate(f *testing.F) {
	f.Add(jpki.Activate(map[warifu.Kind]warifu.Digest{warifu.Signature: {1}}))
	f.Fuzz(func(t *testing.T, value []byte) {
		if got, err := jpki.ParseActivate(value); err == nil && len(got) == 0 {
			t.Fatal("an activation of nothing")
		}
	})
}
