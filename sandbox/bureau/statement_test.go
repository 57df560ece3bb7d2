package bureau_test

import (
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/sandbox/bureau"
)

func statement(t *testing.T, b *bureau.Bureau, der []byte, nonce warifu.Digest) attest.CardStatement {
	t.Helper()
	envelope, err := b.Statement(der, nonce)
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.OpenCardStatement(envelope, b.StatementKey())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAStatementSpeaksOfTheWholeCardAndOneNonce(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	v := issued(t, b, "taro")
	nonce := warifu.DigestOf([]byte("document"))
	s := statement(t, b, of(t, v, warifu.Signature).Certificate.Raw, nonce)
	if s.Nonce != nonce || !s.ProducedAt.Equal(start) || len(s.Certificates) != 2 {
		t.Errorf("%+v", s)
	}
	for _, kind := range warifu.Kinds {
		c, _ := s.Of(kind)
		want := of(t, v, kind).Certificate
		if c.Certificate != warifu.DigestOf(want.Raw) || string(c.Serial) != string(want.SerialNumber.Bytes()) ||
			c.State != warifu.StatusGood || !c.NotAfter.Equal(want.NotAfter) {
			t.Errorf("%s: %+v", kind, c)
		}
	}
	other := statement(t, b, of(t, v, warifu.Authentication).Certificate.Raw, warifu.DigestOf([]byte("another")))
	if other.Nonce == s.Nonce || other.Person != s.Person {
		t.Error("the statement of one document serves for another, or the person changed")
	}
}

func TestAChangedNonceBreaksTheSignature(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	v := issued(t, b, "taro")
	nonce := warifu.DigestOf([]byte("document"))
	envelope, err := b.Statement(of(t, v, warifu.Signature).Certificate.Raw, nonce)
	if err != nil {
		t.Fatal(err)
	}
	for i := range envelope {
		flipped := append([]byte(nil), envelope...)
		flipped[i] ^= 1
		if _, err := attest.OpenCardStatement(flipped, b.StatementKey()); err == nil {
			t.Fatalf("octet %d may be changed", i)
		}
	}
}

func TestTheHandleOutlivesRenewalAndDiffersBetweenWorlds(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	nonce := warifu.DigestOf([]byte("document"))
	old := of(t, issued(t, b, "yuki"), warifu.Signature).Certificate.Raw
	before := statement(t, b, old, nonce)
	if err := b.Renew("yuki", bureau.Renewal{}); err != nil {
		t.Fatal(err)
	}
	v, _ := b.Show("yuki")
	after := statement(t, b, of(t, v, warifu.Signature).Certificate.Raw, nonce)
	if before.Person != after.Person {
		t.Error("the handle changed with renewal")
	}
	stale := statement(t, b, old, nonce)
	if c, _ := stale.Of(warifu.Signature); c.State != warifu.StatusRevoked || c.Held {
		t.Errorf("the old certificate: %+v", c)
	}
	world := open(t, t.TempDir(), newClock())
	elsewhere := statement(t, world, of(t, issued(t, world, "yuki"), warifu.Signature).Certificate.Raw, nonce)
	if elsewhere.Person == before.Person {
		t.Error("one handle in two worlds")
	}
}

func TestStatementsTellHoldsRevocationsAndChildren(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	nonce := warifu.DigestOf([]byte("document"))
	for id, want := range map[string]struct {
		state        warifu.CertStatus
		held         bool
		certificates int
	}{
		"mika":   {warifu.StatusRevoked, true, 2},
		"shin":   {warifu.StatusRevoked, false, 2},
		"sakura": {warifu.StatusGood, false, 1},
		"goro":   {warifu.StatusGood, false, 2},
	} {
		s := statement(t, b, of(t, issued(t, b, id), warifu.Authentication).Certificate.Raw, nonce)
		c, _ := s.Of(warifu.Authentication)
		if c.State != want.state || c.Held != want.held || len(s.Certificates) != want.certificates {
			t.Errorf("%s: %+v", id, s)
		}
		if expired := c.NotAfter.Before(start.Truncate(time.Second)); expired != (id == "goro") {
			t.Errorf("%s: notAfter %s", id, c.NotAfter)
		}
	}
}

func TestNoStatementAboutAnothersCertificate(t *testing.T) {
	b, other := open(t, t.TempDir(), newClock()), open(t, t.TempDir(), newClock())
	foreign := of(t, issued(t, other, "taro"), warifu.Signature).Certificate.Raw
	nonce := warifu.DigestOf([]byte("document"))
	if _, err := b.Statement(foreign, nonce); problem(err) != "card-certificate-unknown" {
		t.Errorf("got %v", err)
	}
	if _, err := b.Statement([]byte("no certificate"), nonce); problem(err) != "bureau-request-malformed" {
		t.Errorf("got %v", err)
	}
	if _, err := other.Statement(foreign, warifu.Digest{}); problem(err) != "bureau-request-malformed" {
		t.Errorf("got %v", err)
	}
}
