package ocsp_test

import (
	"bytes"
	"crypto"
	"math/big"
	"testing"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu/ocsp"
)

// TestTheCommonestQuestionIsRecognized: RFC 9919 §3.1.1, one CertID and nothing else, by
// SHA-256 or, for older clients, SHA-1; with NULL parameters or none.
func TestTheCommonestQuestionIsRecognized(t *testing.T) {
	issuer := world().authority.certificate
	forms := ocsp.NewForms(issuer)
	seen := map[ocsp.Form]bool{}
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA1} {
		for _, n := range []*big.Int{big.NewInt(0), big.NewInt(5), big.NewInt(0x80), serial, new(big.Int).SetBytes(bytes.Repeat([]byte{0xFF}, 20))} {
			id := ocsp.NewCertID(h, issuer, n)
			written, err := ocsp.Request{CertIDs: []ocsp.CertID{id}}.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			bare := bytes.Replace(written, []byte{0x05, 0x00}, nil, 1)
			for i, headers := 0, []int{1, 3, 5, 7, 9, 11}; i < len(headers); i++ {
				bare[headers[i]] -= 2
			}
			for _, question := range [][]byte{written, bare} {
				form, found, ok := forms.Recognize(question)
				r, err := ocsp.ParseRequest(question)
				if err != nil || !ok || !bytes.Equal(found, r.CertIDs[0].Serial) {
					t.Fatalf("%v %v: %v, recognized %v: %x", h, n, err, ok, found)
				}
				seen[form] = true
			}
		}
	}
	if len(seen) != ocsp.NumForms {
		t.Errorf("%d forms", len(seen))
	}
}

func TestOtherQuestionsAreNotRecognized(t *testing.T) {
	issuer := world().authority.certificate
	forms := ocsp.NewForms(issuer)
	id := ocsp.NewCertID(crypto.SHA256, issuer, serial)
	marshal := func(r ocsp.Request) []byte {
		der, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	fine := marshal(ocsp.Request{CertIDs: []ocsp.CertID{id}})
	for name, question := range map[string][]byte{
		"nothing":           nil,
		"a nonce":           marshal(ocsp.Request{CertIDs: []ocsp.CertID{id}, Nonce: []byte{1}}),
		"two":               marshal(ocsp.Request{CertIDs: []ocsp.CertID{id, id}}),
		"another authority": marshal(ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, stranger().authority.certificate, serial)}}),
		"cut":               fine[:len(fine)-1],
		"something after":   append(bytes.Clone(fine), 0),
		"one octet less":    fine[1:],
		"a negative serial": shape{list: one([]byte{2, 1, 0x80})}.der(),
		"a requestor":       shape{before: explicit(1, explicit(4, der(cbasn1.SEQUENCE))), list: one([]byte{2, 1, 5})}.der(),
	} {
		if form, n, ok := forms.Recognize(question); ok {
			t.Errorf("%s: recognized as %d, %x", name, form, n)
		}
	}
}

func FuzzRecognize(f *testing.F) {
	issuer := world().authority.certificate
	forms := ocsp.NewForms(issuer)
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		seed, _ := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(h, issuer, serial)}}.Marshal()
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, question []byte) {
		_, n, ok := forms.Recognize(question)
		if !ok {
			return
		}
		r, err := ocsp.ParseRequest(question)
		if err != nil || len(r.CertIDs) != 1 || r.Nonce != nil || r.CriticalUnknown || !r.CertIDs[0].IssuedBy(issuer) || !bytes.Equal(r.CertIDs[0].Serial, n) {
			t.Fatalf("%v %+v %x", err, r, n)
		}
	})
}
