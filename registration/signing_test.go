package registration_test

import (
	"bytes"
	"slices"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/jpki"
)

// The chip's word counts for the purpose, the subject and the nonce that it was given for, and
// tells which secrets were typed for it.
func TestTheChipTellsWhatWasTypedForWhat(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	nonce := bytes.Repeat([]byte{9}, attest.ChallengeLength)
	said := func(kinds ...warifu.Kind) []byte {
		token, err := jpki.Select(t.Context(), p.App.Element)
		must(t, err)
		for _, kind := range kinds {
			typed := map[warifu.Kind]string{warifu.Signature: housetest.Secrets.Signature, warifu.Authentication: housetest.Secrets.Authentication}[kind]
			secret, err := h.Scheme.ActivationSecret(kind, typed)
			must(t, err)
			must(t, token.VerifyPhone(t.Context(), kind, secret))
		}
		envelope, err := token.Element().DeviceRequest(t.Context(), "sign", "what", nonce)
		must(t, err)
		return envelope
	}
	element := p.App.Device.Element
	for _, kinds := range [][]warifu.Kind{{}, {warifu.Signature}, {warifu.Authentication}, {warifu.Signature, warifu.Authentication}} {
		got, err := h.Registrar.Gave(t.Context(), element, said(kinds...), "sign", "what", nonce)
		must(t, err)
		if !slices.Equal(got, kinds) {
			t.Errorf("typed %v, told %v", kinds, got)
		}
	}
	envelope := said(warifu.Signature)
	for _, ask := range map[string]func() error{
		"another purpose": func() error {
			_, err := h.Registrar.Gave(t.Context(), element, envelope, "revoke", "what", nonce)
			return err
		},
		"another subject": func() error {
			_, err := h.Registrar.Gave(t.Context(), element, envelope, "sign", "else", nonce)
			return err
		},
		"another nonce": func() error {
			_, err := h.Registrar.Gave(t.Context(), element, envelope, "sign", "what", nonce[1:])
			return err
		},
	} {
		wantProblem(t, ask(), "device-request-other")
	}
	other := h.Phone(t)
	other.Own(t, "hanako")
	_, err := h.Registrar.Gave(t.Context(), other.App.Device.Element, envelope, "sign", "what", nonce)
	wantProblem(t, err, "paper-signature-invalid")
	_, err = h.Registrar.Gave(t.Context(), warifu.ElementID{1}, envelope, "sign", "what", nonce)
	wantProblem(t, err, "element-unknown")
}
