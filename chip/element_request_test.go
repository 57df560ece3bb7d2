package chip_test

import (
	"slices"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

// verifiedIn is what the chip says in a request over the channel.
func verifiedIn(t testing.TB, p *elementtest.Phone, client *jpki.Element) []warifu.Kind {
	t.Helper()
	envelope, err := client.DeviceRequest(t.Context(), "revoke", "signature,authentication", make([]byte, attest.ChallengeLength))
	if err != nil {
		t.Fatal(err)
	}
	request, err := attest.OpenDeviceRequest(envelope, attestationKey(t, p))
	if err != nil {
		t.Fatal(err)
	}
	return request.Verified
}

func give(t testing.TB, tr iso7816.Transmitter, kind warifu.Kind, secret []byte) error {
	t.Helper()
	return selectPhone(t, tr).VerifyPhone(t.Context(), kind, warifu.NewActivationSecret(secret))
}

func TestARequestSaysWhichSecretsWereGivenForIt(t *testing.T) {
	p, keys := inUse(t, nil)
	app, other := p.App(), p.App()
	token := selectPhone(t, app)
	element := token.Element()
	expect := func(why string, client *jpki.Element, want ...warifu.Kind) {
		t.Helper()
		if got := verifiedIn(t, p, client); !slices.Equal(got, want) {
			t.Fatalf("%s: %v, want %v", why, got, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	give := func(kind warifu.Kind) {
		t.Helper()
		must(token.VerifyPhone(t.Context(), kind, warifu.NewActivationSecret(elementtest.SecretOf(kind))))
	}
	expect("nothing given", element)
	give(warifu.Authentication)
	expect("the PIN, on another channel", clientOf(t, other))
	expect("the PIN", element, warifu.Authentication)
	expect("the PIN, used up", element)
	give(warifu.Authentication)
	give(warifu.Signature)
	expect("both", element, warifu.Signature, warifu.Authentication)
	give(warifu.Authentication)
	give(warifu.Signature)
	expectProblem(t, token.VerifyPhone(t.Context(), warifu.Signature, warifu.NewActivationSecret([]byte("WRONG1"))), "secret-wrong")
	expect("the password, then a wrong one", element, warifu.Authentication)
	give(warifu.Authentication)
	if _, err := p.Client(t).Kill(t.Context(), p.SealTicket(t, p.Ticket(warifu.Authentication, keys[warifu.Authentication], 1))); err != nil {
		t.Fatal(err)
	}
	expect("the key destroyed", element)
	give(warifu.Signature)
	p.Personalize(t, p.Work(t, p.Apply(t, jpki.P256, elementKinds...))) // the same secrets, other keys
	expect("keys replaced under the same secrets", element)
	give(warifu.Signature)
	p.Element.PowerOff()
	expect("the power gone", clientOf(t, app))
}

// K10, R75: who knows the PIN alone revokes nothing although the holder typed the password
// for something else before, on the app's one channel.
func TestASecretGivenForSomethingElseCountsForNoRequest(t *testing.T) {
	p, _ := inUse(t, nil)
	app := p.App()
	var token *jpki.Token
	sign := func() error {
		_, err := token.Sign(t.Context(), warifu.Signature, jpki.DigestInfoSHA256([32]byte{}))
		return err
	}
	for name, between := range map[string]func(t *testing.T){
		"a signature": func(t *testing.T) {
			if err := sign(); err != nil {
				t.Fatal(err)
			}
		},
		"a certificate read": func(t *testing.T) {
			if _, err := token.Certificate(t.Context(), warifu.Signature); err != nil {
				t.Fatal(err)
			}
		},
		"the secret changed": func(t *testing.T) {
			if err := token.ChangePhone(t.Context(), warifu.Signature, warifu.NewActivationSecret(elementtest.Password)); err != nil {
				t.Fatal(err)
			}
		},
		"the slots looked at":      func(t *testing.T) { _, _ = token.Element().Slots(t.Context()) },
		"the application selected": func(t *testing.T) { token = selectPhone(t, app) },
		"another application": func(t *testing.T) {
			_, _ = iso7816.Send(t.Context(), app, iso7816.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: jpki.AIDAccessRules})
			token = selectPhone(t, app)
		},
	} {
		t.Run(name, func(t *testing.T) {
			token = selectPhone(t, app)
			if err := token.VerifyPhone(t.Context(), warifu.Signature, warifu.NewActivationSecret(elementtest.Password)); err != nil {
				t.Fatal(err)
			}
			between(t)
			if err := token.VerifyPhone(t.Context(), warifu.Authentication, warifu.NewActivationSecret(elementtest.PIN)); err != nil {
				t.Fatal(err)
			}
			if got := verifiedIn(t, p, token.Element()); !slices.Equal(got, []warifu.Kind{warifu.Authentication}) {
				t.Fatalf("counted are %v", got)
			}
		})
	}
	token = selectPhone(t, app)
	if err := token.VerifyPhone(t.Context(), warifu.Signature, warifu.NewActivationSecret(elementtest.Password)); err != nil {
		t.Fatal(err)
	}
	verifiedIn(t, p, token.Element())
	expectProblem(t, sign(), "secret-needed") // what was given for the request signs nothing afterwards
}
