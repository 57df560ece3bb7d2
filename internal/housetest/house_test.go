package housetest_test

import (
	"crypto/x509"
	"testing"

	"warifu"
	"warifu/cms"
	"warifu/internal/housetest"
	"warifu/registration"
)

func TestTheWholeWalk(t *testing.T) {
	for _, scheme := range []string{"badge", "jp-mobile"} {
		t.Run(scheme, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{Scheme: scheme})
			p := h.Phone(t)
			a := p.Apply(t, "taro")
			h.Check(t)
			h.Drain(t)
			h.Check(t)
			if err := p.Personalize(); err != nil {
				t.Fatal(err)
			}
			h.Check(t)
			if got := h.Application(t, a.ID); got.State != warifu.ApplicationPersonalized {
				t.Fatalf("the application is %s (%s)", got.State, got.Problem)
			}
			if told := h.Pushed.Told(); len(told) != 1 || told[0] != a.ID {
				t.Errorf("notices %v, want one about %s", told, a.ID)
			}
		})
	}
}

func message(t *testing.T, der []byte) *cms.Message {
	t.Helper()
	m, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func signer(t *testing.T, der []byte) []byte { return message(t, der).Signer.Raw }

func identity(t *testing.T, der []byte) warifu.Digest {
	return warifu.DigestOf(message(t, der).Content)
}

// status asks the bureau about both certificates of the card behind a submission.
func status(t *testing.T, h *housetest.House, s registration.Submission) map[warifu.Kind][]byte {
	t.Helper()
	authentication, err := x509.ParseCertificate(s.CardAuthentication)
	if err != nil {
		t.Fatal(err)
	}
	out := map[warifu.Kind][]byte{}
	for kind, c := range map[warifu.Kind]*x509.Certificate{warifu.Signature: message(t, s.Document).Signer, warifu.Authentication: authentication} {
		if out[kind], err = h.Cards.Status(t.Context(), kind, c.SerialNumber.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
