package housetest

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"io"
	"math/big"
	"net/http"

	"warifu"
	"warifu/crl"
	"warifu/ocsp"
)

// feedPage is how many changes are read at once; small, so that pages have an end.
const feedPage = 16

// get asks the house's site as anybody may.
func (h *House) get(t TB, method, path string, body []byte) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, Origin+path, bytes.NewReader(body))
	check(t, err)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/ocsp-request")
	}
	response, err := InProcess{h.Site}.RoundTrip(request)
	check(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	check(t, err)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("house: %s %s: %d %s", method, path, response.StatusCode, answer)
	}
	return answer
}

// OCSP asks the responder over the site about one certificate, checks its answer as a
// relying party does, and returns the status.
func (h *House) OCSP(t TB, kind warifu.Kind, serial []byte) warifu.Status {
	t.Helper()
	number := new(big.Int).SetBytes(serial)
	question, err := (&ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, h.CAs[kind], number)}}).Marshal()
	check(t, err)
	response, err := ocsp.ParseResponse(h.get(t, http.MethodPost, "/ocsp/"+kind.String(), question))
	check(t, err)
	check(t, response.Verify(h.CAs[kind], h.Clock.Now()))
	single, err := response.Find(h.CAs[kind], number)
	check(t, err)
	return single.Status
}

// Lists makes new lists of one authority, as its server does when a status changed, and
// returns the full one and its delta, both verified.
func (h *House) Lists(t TB, kind warifu.Kind) (full, delta *crl.List) {
	t.Helper()
	check(t, h.publishers[kind].Refresh(context.Background()))
	return h.list(t, kind, ".crl"), h.list(t, kind, "-delta.crl")
}

func (h *House) list(t TB, kind warifu.Kind, suffix string) *crl.List {
	t.Helper()
	l, err := crl.Parse(h.get(t, http.MethodGet, "/crl/"+kind.String()+suffix, nil))
	check(t, err)
	check(t, l.Verify(h.CAs[kind], h.Clock.Now()))
	return l
}

// History asks the historian over the site when a certificate was on hold.
func (h *House) History(t TB, kind warifu.Kind, serial []byte) *ocsp.SignedHistory {
	t.Helper()
	number := new(big.Int).SetBytes(serial)
	signed, err := ocsp.ParseHistory(h.get(t, http.MethodGet, "/api/v1/status-history/"+kind.String()+"/"+hex.EncodeToString(serial), nil))
	check(t, err)
	check(t, signed.Verify(h.CAs[kind], number, h.Clock.Now()))
	return signed
}
