package chip_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"testing"

	"warifu/chip"
	"warifu/iso7816"
	"warifu/jpki"
)

// signWith verifies the authentication PIN and signs with P1 as given.
func signWith(t *testing.T, p1 byte, input []byte) ([]byte, iso7816.StatusWord) {
	t.Helper()
	c := newCard(t, new(chip.Volatile))
	play(t, c, []step{{selectJPKI, "9000"}, {ef("0018"), "9000"}, {verify(authenticationPIN), "9000"}, {ef("0017"), "9000"}})
	return send(t, c, fmt.Sprintf("802A%02X80%02X%X00", p1, len(input), input))
}

// docs/card-facts.md §1.5: COMPUTE SIGNATURE P1.
func TestEverySignatureVariantIsWhatItSays(t *testing.T) {
	public := &rsaKey("authentication").PublicKey
	document := []byte("利用者証明")
	digest := sha256.Sum256(document)
	sha1DigestInfo := append([]byte{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}, make([]byte, sha1.Size)...)
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: crypto.SHA256}
	cases := []struct {
		rule  string
		p1    byte
		input []byte
		check func(signature []byte) error
	}{
		{"00 pads a DigestInfo as it is", 0, jpki.DigestInfoSHA256(digest), func(s []byte) error {
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], s)
		}},
		{"00 asks nothing about the DigestInfo: SHA-1", 0, sha1DigestInfo, func(s []byte) error {
			return rsa.VerifyPKCS1v15(public, crypto.SHA1, make([]byte, sha1.Size), s)
		}},
		{"00 pads whatever it is given", 0, document, func(s []byte) error { return rsa.VerifyPKCS1v15(public, 0, document, s) }},
		{"01 hashes and pads the bare value", 1, document, func(s []byte) error { return rsa.VerifyPKCS1v15(public, 0, digest[:], s) }},
		{"02 wraps a hash into DigestInfo", 2, digest[:], func(s []byte) error {
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], s)
		}},
		{"03 hashes and wraps", 3, document, func(s []byte) error { return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], s) }},
		{"04 PSS of a hash", 4, digest[:], func(s []byte) error { return rsa.VerifyPSS(public, crypto.SHA256, digest[:], s, pss) }},
		{"05 hashes, then PSS", 5, document, func(s []byte) error { return rsa.VerifyPSS(public, crypto.SHA256, digest[:], s, pss) }},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			signature, sw := signWith(t, c.p1, c.input)
			if sw != iso7816.SWOK || len(signature) != 256 {
				t.Fatalf("%v, %d octets", sw, len(signature))
			}
			if err := c.check(signature); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// docs/card-facts.md §1.5: other P1 6A86, wrong input length 6985 or 6700.
func TestSigningRefusesWhatCannotBeSigned(t *testing.T) {
	for _, c := range []struct {
		rule string
		p1   byte
		n    int
		want iso7816.StatusWord
	}{
		{"an unknown P1", 6, 32, iso7816.SWWrongParameters},
		{"246 octets do not fit the padding", 0, 246, iso7816.SWConditions},
		{"245 octets do", 0, 245, iso7816.SWOK},
		{"a hash of 31 octets", 2, 31, iso7816.SWConditions},
		{"a hash of 33 octets for PSS", 4, 33, iso7816.SWConditions},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if _, sw := signWith(t, c.p1, bytes.Repeat([]byte{0x5A}, c.n)); sw != c.want {
				t.Fatalf("%v, want %v", sw, c.want)
			}
		})
	}
}

// docs/card-facts.md §1.5: the 券面 applications sign with a default key and no PIN.
func TestFaceApplicationsSignWithTheirDefaultKey(t *testing.T) {
	digest := sha256.Sum256([]byte("challenge"))
	for _, application := range []string{selectSupport, selectSurface} {
		c := newCard(t, new(chip.Volatile))
		play(t, c, []step{{application, "9000"}})
		signature, sw := send(t, c, fmt.Sprintf("802A000033%X00", jpki.DigestInfoSHA256(digest)))
		if sw != iso7816.SWOK {
			t.Fatal(sw)
		}
		if err := rsa.VerifyPKCS1v15(&rsaKey("authentication").PublicKey, crypto.SHA256, digest[:], signature); err != nil {
			t.Fatal(err)
		}
	}
	c := newCard(t, new(chip.Volatile))
	play(t, c, []step{{selectJPKI, "9000"}, {"802A0000023131 00", "6A86"}})
}

// docs/card-facts.md §1.5: the terminal's certificate, whole.
func TestTerminalCertificateIsCheckedAgainstItsAuthority(t *testing.T) {
	body := append(append([]byte("WARIFU-TEST-ROOTWARIFU-TEST-TERM"), 0x90, 3, 1, 0, 1, 0x91, 0x82, 1, 0), rsaKey("authentication").N.FillBytes(make([]byte, 256))...)
	object := iso7816.MakeTLV(0x5F4E, body)
	digest := sha256.Sum256(object)
	signature, err := rsa.SignPKCS1v15(nil, rsaKey("ca"), crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	first := append([]byte{0x7F, 0x21, 0x82, 0x02, 0x33}, object...)
	begin := fmt.Sprintf("80A206C1 00%04X%X", len(first), first)
	c := newCard(t, new(chip.Volatile))
	play(t, c, []step{
		{selectJPKI, "9000"}, {ef("0016"), "9000"},
		{begin, "9000"}, {fmt.Sprintf("80A200C1 000105%X", iso7816.MakeTLV(0x5F37, signature)), "9000"},
		{fmt.Sprintf("80A200C1 000105%X", iso7816.MakeTLV(0x5F37, signature)), "6985"},
		{begin, "9000"}, {fmt.Sprintf("80A200C1 000105%X", iso7816.MakeTLV(0x5F37, make([]byte, 256))), "6982"},
		{ef("0017"), "9000"}, {"802A0080023131 00", "6982"},
	})
}
