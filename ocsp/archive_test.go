package ocsp_test

import (
	"bytes"
	"crypto"
	"errors"
	"testing"

	"warifu/ocsp"
)

func TestAnArchiveCutoffReadsBack(t *testing.T) {
	w := world()
	s := single(crypto.SHA256, held)
	s.Archive = w.authority.certificate.NotBefore
	der := answer(t, w.responder, nil, s, single(crypto.SHA1, good))
	r, err := ocsp.ParseResponse(der)
	if err != nil || !r.Singles[0].Archive.Equal(s.Archive) || !r.Singles[1].Archive.IsZero() {
		t.Fatalf("%v %+v", err, r)
	}
	digits := []byte(s.Archive.UTC().Format("20060102150405Z"))
	for name, broken := range map[string][]byte{"no time": bytes.Replace(der, digits, []byte("2026130100000_Z"), 1), "another type": bytes.Replace(der, append([]byte{0x18, 15}, digits...), append([]byte{0x17, 15}, digits...), 1)} {
		if bytes.Equal(broken, der) {
			t.Fatal("the time is not where the test looks for it")
		}
		if _, err := ocsp.ParseResponse(broken); !errors.Is(err, problem("status-answer-malformed")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
