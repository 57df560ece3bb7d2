package bureau_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"warifu"
	"warifu/chip"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/sandbox/bureau"
	"warifu/sandbox/person"
)

func touch(t *testing.T, b *bureau.Bureau, id string) (*chip.Card, *jpki.Token) {
	t.Helper()
	card, err := b.Card(id)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jpki.Select(t.Context(), card)
	if err != nil {
		t.Fatal(err)
	}
	return card, token
}

func tries(t *testing.T, token *jpki.Token, kind warifu.Kind) int {
	t.Helper()
	n, err := token.TriesLeft(t.Context(), kind)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheCardSignsWithTheKeyOfItsCertificate(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	_, token := touch(t, b, "taro")
	v := issued(t, b, "taro")
	for kind, pin := range map[warifu.Kind]warifu.CardPIN{
		warifu.Signature: v.Person.PINs.Signature, warifu.Authentication: v.Person.PINs.Authentication,
	} {
		if err := token.VerifyCard(t.Context(), kind, pin); err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte("document"))
		signature, err := token.Sign(t.Context(), kind, jpki.DigestInfoSHA256(digest))
		if err != nil {
			t.Fatal(err)
		}
		certificate := of(t, v, kind).Certificate
		if err := rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if der, err := token.Certificate(t.Context(), kind); err != nil || string(der) != string(certificate.Raw) {
			t.Errorf("%s: another certificate on the chip: %v", kind, err)
		}
		if der, err := token.CACertificate(t.Context(), kind); err != nil || string(der) != string(b.Authority(kind).Raw) {
			t.Errorf("%s: another authority on the chip: %v", kind, err)
		}
	}
	if token.IsPhone() {
		t.Error("a card says it is a phone")
	}
}

func TestTriesSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	_, token := touch(t, open(t, dir, newClock()), "taro")
	for range 2 {
		err := token.VerifyCard(t.Context(), warifu.Signature, warifu.NewCardPIN([]byte("NOTTARO")))
		if problem(err) != "card-pin-wrong" {
			t.Fatal(err)
		}
	}
	_, token = touch(t, open(t, dir, newClock()), "taro")
	if n := tries(t, token, warifu.Signature); n != 3 {
		t.Errorf("%d tries left", n)
	}
}

func TestWhoForgotBothPasswordsIsLocked(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // and still after a restart
		b := open(t, dir, newClock())
		_, token := touch(t, b, "wasure")
		v, _ := b.Show("wasure")
		for kind, pin := range map[warifu.Kind]warifu.CardPIN{
			warifu.Signature: v.Person.PINs.Signature, warifu.Authentication: v.Person.PINs.Authentication,
		} {
			if err := token.VerifyCard(t.Context(), kind, pin); problem(err) != "card-pin-blocked" {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

func TestAChildsCardHasNoSigningCertificate(t *testing.T) {
	_, token := touch(t, open(t, t.TempDir(), newClock()), "sakura")
	if _, err := token.Sign(t.Context(), warifu.Signature, jpki.DigestInfoSHA256([32]byte{})); err == nil {
		t.Error("a child's card signed")
	}
}

func TestRenewalChangesTheChipAndKeepsItsPINs(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	_, token := touch(t, b, "yuki")
	v := issued(t, b, "yuki")
	if err := token.VerifyCard(t.Context(), warifu.Signature, v.Person.PINs.Signature); err != nil {
		t.Fatal(err)
	}
	changed := warifu.NewCardPIN([]byte("CHANGED1"))
	if err := token.ChangeCard(t.Context(), warifu.Signature, changed); err != nil {
		t.Fatal(err)
	}
	if err := b.Renew("yuki", bureau.Renewal{}); err != nil {
		t.Fatal(err)
	}
	_, token = touch(t, b, "yuki")
	if err := token.VerifyCard(t.Context(), warifu.Signature, changed); err != nil {
		t.Errorf("the changed password was lost: %v", err)
	}
	v, _ = b.Show("yuki")
	if der, err := token.Certificate(t.Context(), warifu.Signature); err != nil || string(der) != string(of(t, v, warifu.Signature).Certificate.Raw) {
		t.Errorf("the old certificate is still on the chip: %v", err)
	}
}

func TestAChipLeftInAReaderOverARenewalForgetsNothingOfTheNewOnes(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	_, old := touch(t, b, "yuki")
	if err := b.Renew("yuki", bureau.Renewal{}); err != nil {
		t.Fatal(err)
	}
	_, fresh := touch(t, b, "yuki")
	wrong := warifu.NewCardPIN([]byte("0000"))
	_ = fresh.VerifyCard(t.Context(), warifu.Authentication, wrong)
	if err := old.VerifyCard(t.Context(), warifu.Authentication, wrong); problem(err) == "card-pin-wrong" {
		t.Error("the old chip still writes to the memory")
	}
	if n := tries(t, fresh, warifu.Authentication); n != 2 {
		t.Errorf("%d tries left", n)
	}
}

func TestACardIssuedAnewHasANewSerialNumberAndFreshTries(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	_, token := touch(t, b, "goro") // long expired, card and all
	_ = token.VerifyCard(t.Context(), warifu.Authentication, warifu.NewCardPIN([]byte("0000")))
	before, _ := b.Show("goro")
	if err := b.Renew("goro", bureau.Renewal{}); err != nil {
		t.Fatal(err)
	}
	_, token = touch(t, b, "goro")
	after, _ := b.Show("goro")
	if after.CardSerial == before.CardSerial || after.State != "good" || tries(t, token, warifu.Authentication) != 3 {
		t.Errorf("%s → %s, %s", before.CardSerial, after.CardSerial, after.State)
	}
}

func TestTheTextApplicationHoldsTheAttributesAndNoRealNumber(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	for id, sex := range map[string]string{"yoshino": "1", "makoto": "9", "ume": "2"} {
		card, err := b.Card(id)
		if err != nil {
			t.Fatal(err)
		}
		v := issued(t, b, id)
		send := func(c iso7816.Command) []byte {
			data, err := iso7816.Send(t.Context(), card, c)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			return data
		}
		send(iso7816.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: chip.SupportAID})
		send(iso7816.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{0x00, 0x11}})
		send(iso7816.Command{INS: 0x20, P2: 0x80, Data: v.Person.PINs.Text.Reveal()})
		send(iso7816.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{0x00, 0x02}})
		attributes := send(iso7816.Command{INS: 0xB0, Ne: iso7816.MaxExtendedNe})
		for _, want := range []string{v.Person.Name, v.Person.Address, v.Person.Birth.Format("20060102"), sex} {
			if !bytes.Contains(attributes, []byte(want)) {
				t.Errorf("%s: %q is not in the text application", id, want)
			}
		}
		send(iso7816.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{0x00, 0x01}})
		number := send(iso7816.Command{INS: 0xB0, Ne: iso7816.MaxExtendedNe})
		if len(number) != 17 || string(number[3:15]) != v.Person.Number || person.RealNumber(string(number[3:15])) {
			t.Errorf("%s: % X", id, number)
		}
	}
}
