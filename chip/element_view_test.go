package chip_test

import (
	"testing"

	"warifu"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

func TestLeavingTheReaderForgetsWhatWasVerified(t *testing.T) {
	p := ready(t, jpki.P256)
	for name, leave := range map[string]func(iso7816.Transmitter){
		"the field": func(tr iso7816.Transmitter) { tr.(iso7816.Powered).PowerOff() },
		"a reset":   func(tr iso7816.Transmitter) { tr.(iso7816.Powered).Reset() },
		"the power": func(iso7816.Transmitter) { p.Element.PowerOff() },
	} {
		reader, app := p.Element.Contactless(), p.App()
		secret := warifu.NewActivationSecret(elementtest.PIN)
		for _, tr := range []iso7816.Transmitter{reader, app} {
			if err := selectPhone(t, tr).VerifyPhone(t.Context(), warifu.Authentication, secret); err != nil {
				t.Fatal(err)
			}
		}
		leave(reader)
		_, err := selectPhone(t, reader).Certificate(t.Context(), warifu.Authentication)
		expectProblem(t, err, "secret-needed")
		if name == "the power" {
			continue
		}
		r := transmit(t, app, iso7816.Command{INS: 0xB0, P1: 0x80 | jpki.FileAuthenticationCertificate.Short(), Ne: 4})
		if r.SW != iso7816.SWOK {
			t.Errorf("%s: the app's own session ended too: %v", name, r.SW)
		}
	}
}

func TestASecretGivenOnOneInterfaceOpensNothingOnTheOther(t *testing.T) {
	p := ready(t, jpki.P256)
	if err := selectPhone(t, p.App()).VerifyPhone(t.Context(), warifu.Authentication, warifu.NewActivationSecret(elementtest.PIN)); err != nil {
		t.Fatal(err)
	}
	_, err := selectPhone(t, p.Element.Contactless()).Certificate(t.Context(), warifu.Authentication)
	expectProblem(t, err, "secret-needed")
}

func TestALongAnswerIsFetchedInPieces(t *testing.T) {
	p := elementtest.New(t, nil)
	app := p.App()
	selectPhone(t, app)
	whole := transmit(t, app, iso7816.Command{CLA: 0x80, INS: jpki.InsChain, Ne: 65536})
	first := transmit(t, app, iso7816.Command{CLA: 0x80, INS: jpki.InsChain, Ne: 256})
	if len(first.Data) != 256 || first.SW>>8 != 0x61 {
		t.Fatal(len(first.Data), first.SW)
	}
	got := first.Data
	for r := first; r.SW>>8 == 0x61; got = append(got, r.Data...) {
		r = transmit(t, app, iso7816.Command{INS: 0xC0, Ne: 100})
		if r.SW == iso7816.SWOK {
			got = append(got, r.Data...)
			break
		}
	}
	if string(got[:256]) != string(whole.Data[:256]) || len(got) != len(whole.Data) {
		t.Fatalf("%d octets, whole %d", len(got), len(whole.Data))
	}
	transmit(t, app, iso7816.Command{CLA: 0x80, INS: jpki.InsChain, Ne: 256})
	transmit(t, app, iso7816.Command{CLA: 0x80, INS: jpki.InsSlots, Ne: 256})
	if r := transmit(t, app, iso7816.Command{INS: 0xC0, Ne: 256}); r.SW == iso7816.SWOK {
		t.Error("the rest of an answer outlived another command")
	}
}
