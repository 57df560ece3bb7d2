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
func verifiedIn(t testing.TB, p *elementtest.Phone, tr iso7816.Transmitter) []warifu.Kind {
	t.Helper()
	envelope, err := clientOf(t, tr).DeviceRequest(t.Context(), "revoke", "signature,authentication", make([]byte, attest.ChallengeLength))
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

func TestARequestSaysWhichSecretsThisChannelGave(t *testing.T) {
	p, keys := inUse(t, nil)
	app, other := p.App(), p.App()
	expect := func(why string, tr iso7816.Transmitter, want ...warifu.Kind) {
		t.Helper()
		if got := verifiedIn(t, p, tr); !slices.Equal(got, want) {
			t.Fatalf("%s: %v, want %v", why, got, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	expect("nothing given", app)
	must(give(t, app, warifu.Authentication, elementtest.PIN))
	expect("the PIN", app, warifu.Authentication)
	expect("another channel", other)
	must(give(t, app, warifu.Signature, elementtest.Password))
	expect("both", app, warifu.Signature, warifu.Authentication)
	expectProblem(t, give(t, app, warifu.Signature, []byte("WRONG1")), "secret-wrong")
	expect("the password, then a wrong one", app, warifu.Authentication)
	if _, err := p.Client(t).Kill(t.Context(), p.SealTicket(t, p.Ticket(warifu.Authentication, keys[warifu.Authentication], 1))); err != nil {
		t.Fatal(err)
	}
	expect("the key destroyed", app)
	must(give(t, app, warifu.Signature, elementtest.Password))
	p.Personalize(t, p.Work(t, p.Apply(t, jpki.P256, elementKinds...))) // the same secrets, other keys
	expect("keys replaced under the same secrets", app)
	must(give(t, app, warifu.Signature, elementtest.Password))
	p.Element.PowerOff()
	expect("the power gone", app)
}
