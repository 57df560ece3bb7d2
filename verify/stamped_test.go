package verify_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/document"
	"warifu/ocsp"
	"warifu/timestamp"
	"warifu/verify"
)

// station is a time-stamping authority that signs itself.
type station struct{ signer timestamp.Signer }

var trustedStation, otherStation = sync.OnceValue(newStation), sync.OnceValue(newStation)

func newStation() station {
	key := newKey()
	usages, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "station"}, NotBefore: now.AddDate(-2, 0, 0), NotAfter: now.AddDate(9, 0, 0),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usages}},
	}
	c := certificate(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return station{timestamp.Signer{Certificate: c, Key: key, Policy: asn1.ObjectIdentifier{1, 2, 3}}}
}

func (s station) stamp(t testing.TB, imprint [sha256.Size]byte, at time.Time) []byte {
	t.Helper()
	token, err := s.signer.Token(&timestamp.Request{Imprint: imprint}, at, big.NewInt(7))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (s station) anchors() timestamp.Anchors { return timestamp.NewAnchors(s.signer.Certificate) }

// stampedMessage is a signature that is an hour old by the station's clock.
func stampedMessage(t testing.TB, p party, by station, at time.Time) []byte {
	t.Helper()
	der := signed(t, p, content, true)
	m, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	out, err := cms.AddTimestamp(der, by.stamp(t, sha256.Sum256(m.Signature), at))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestASignatureIsJudgedAtItsTimestamp(t *testing.T) {
	h := world()[phoneSignature]
	then := ago(time.Hour)
	v := verifier(t).WithTimestamps(trustedStation().anchors())
	// Revoked half an hour ago: what was signed an hour ago is good, if a history says it was.
	history := verify.RawHistory(history(t, h.responder, ocsp.History{
		CertID: ocsp.NewCertID(crypto.SHA256, h.authority.certificate, h.holder.certificate.SerialNumber), AsOf: now, Active: ago(48 * time.Hour),
		Revoked: revokedAt(warifu.ReasonKeyCompromise, ago(30*time.Minute)),
	}))
	r := must(t)(v.Document(t.Context(), stampedMessage(t, h.holder, trustedStation(), then), content, verify.Policy{History: history}))
	wantGood(t, "signed before the revocation", r)
	if !r.At.Equal(then) || !r.Stamped.Equal(then) {
		t.Errorf("judged at %v, stamped %v", r.At, r.Stamped)
	}
	r = must(t)(v.Document(t.Context(), stampedMessage(t, h.holder, trustedStation(), ago(10*time.Minute)), content, verify.Policy{History: history}))
	wantBad(t, "signed after the revocation", r, "certificate-revoked")
	r = must(t)(v.Document(t.Context(), stampedMessage(t, h.holder, trustedStation(), then), content, verify.Policy{}))
	wantUnknown(t, "without a history", r, "status-answer-later")
}

func TestATimestampOfNobodyTrustedProvesNothing(t *testing.T) {
	h := world()[phoneSignature]
	r := must(t)(verifier(t).WithTimestamps(trustedStation().anchors()).Document(t.Context(), stampedMessage(t, h.holder, otherStation(), ago(time.Hour)), content, verify.Policy{}))
	wantGood(t, "another's", r)
	if !r.At.Equal(now) || len(r.Warnings) != 1 || r.Warnings[0].Problem != "timestamp-untrusted" {
		t.Errorf("judged at %v, warnings %v", r.At, r.Warnings)
	}
}

func TestAForgedTimestampIsBad(t *testing.T) {
	h := world()[phoneSignature]
	v := verifier(t).WithTimestamps(trustedStation().anchors())
	der := signed(t, h.holder, content, true)
	token := trustedStation().stamp(t, sha256.Sum256([]byte("another signature")), ago(time.Hour))
	other, err := cms.AddTimestamp(der, token)
	if err != nil {
		t.Fatal(err)
	}
	wantBad(t, "of another signature", must(t)(v.Document(t.Context(), other, content, verify.Policy{})), "timestamp-mismatch")
	future := stampedMessage(t, h.holder, trustedStation(), now.Add(time.Hour))
	wantBad(t, "from the future", must(t)(v.Document(t.Context(), future, content, verify.Policy{})), "timestamp-future")
	honest := stampedMessage(t, h.holder, trustedStation(), ago(time.Hour))
	i := bytes.Index(honest, []byte("20260401")) // genTime
	honest[i+7]++
	wantBad(t, "another hour", must(t)(v.Document(t.Context(), honest, content, verify.Policy{})), "timestamp-signature")
}

func contract(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("../document/testdata/contract.pdf")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func signPDF(t testing.TB, in []byte, p party, stampAt time.Time) []byte {
	t.Helper()
	prepared, err := document.PreparePDF(in, document.PDFOptions{Certificate: p.certificate, At: now})
	if err != nil {
		t.Fatal(err)
	}
	digest := prepared.Digest()
	signature, err := p.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var token []byte
	if !stampAt.IsZero() {
		token = trustedStation().stamp(t, sha256.Sum256(signature), stampAt)
	}
	out, err := prepared.Finish(signature, token)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func onePDF(t *testing.T, v *verify.Verifier, file []byte, p verify.Policy) *verify.PDFResult {
	t.Helper()
	all, err := v.PDF(t.Context(), file, p)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d results, %v", len(all), err)
	}
	return all[0]
}

func TestAPDFIsJudgedWithWhatChangedAfterwards(t *testing.T) {
	h := world()[phoneSignature]
	v := verifier(t).WithTimestamps(trustedStation().anchors())
	file := signPDF(t, contract(t), h.holder, time.Time{})
	r := onePDF(t, v, file, verify.Policy{})
	wantGood(t, "signed", r.Result)
	if !r.Whole || r.Field != "Signature1" {
		t.Errorf("%+v", r)
	}
	wantBad(t, "unsigned", onePDF(t, v, contract(t), verify.Policy{}).Result, "pdf-unsigned")
	wantBad(t, "no file", onePDF(t, v, []byte("x"), verify.Policy{}).Result, "pdf-malformed")
	i := bytes.Index(file, []byte("100 yen"))
	changed := bytes.Clone(file)
	changed[i]++
	wantBad(t, "an octet", onePDF(t, v, changed, verify.Policy{}).Result, "signature-content-mismatch")
	s := "BT /F1 24 Tf 72 700 Td (I owe 900 yen) Tj ET"
	at := bytes.LastIndex(file, []byte("startxref\n"))
	var previous int
	if _, err := fmt.Sscanf(string(file[at:]), "startxref\n%d", &previous); err != nil {
		t.Fatal(err)
	}
	later := fmt.Appendf(bytes.Clone(file), "4 0 obj\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n", len(s), s)
	table := len(later)
	later = fmt.Appendf(later, "xref\n4 1\n%010d 00000 n \ntrailer\n<</Size 9 /Root 1 0 R /Prev %d>>\nstartxref\n%d\n%%%%EOF\n", len(file), previous, table)
	r = onePDF(t, v, later, verify.Policy{})
	wantBad(t, "changed later", r.Result, "pdf-changed")
	if r.Whole || len(r.Changes) != 1 {
		t.Errorf("%+v", r)
	}
	other := signPDF(t, contract(t), world()[phoneAuthentication].holder, time.Time{})
	wantBad(t, "an authentication key", onePDF(t, v, other, verify.Policy{}).Result, "certificate-purpose")
}

// TestALongTermPDFNeedsNobody is PAdES-B-LT: years later, the responder gone.
func TestALongTermPDFNeedsNobody(t *testing.T) {
	h := world()[phoneSignature]
	file := signPDF(t, contract(t), h.holder, now)
	long, err := document.ExtendPDF(file, document.DSS{
		Certificates: [][]byte{h.authority.certificate.Raw},
		OCSP:         [][]byte{answered(t, h, h.responder, h.holder.certificate.SerialNumber, good, now)},
	})
	if err != nil {
		t.Fatal(err)
	}
	later := warifu.ClockFunc(func() time.Time { return now.AddDate(6, 0, 0) })
	v := verify.New(trust(t), nil, later).WithTimestamps(trustedStation().anchors())
	r := onePDF(t, v, long, verify.Policy{})
	wantGood(t, "six years later", r.Result)
	if !r.At.Equal(now) || len(r.Additions) != 1 || len(r.Changes) != 0 {
		t.Errorf("%+v", r)
	}
	wantBad(t, "without the time-stamp", onePDF(t, verify.New(trust(t), nil, later), long, verify.Policy{}).Result, "certificate-expired")
	revoked, err := document.ExtendPDF(file, document.DSS{OCSP: [][]byte{answered(t, h, h.responder, h.holder.certificate.SerialNumber, revokedAt(warifu.ReasonKeyCompromise, ago(time.Minute)), now)}})
	if err != nil {
		t.Fatal(err)
	}
	wantBad(t, "revoked before", onePDF(t, v, revoked, verify.Policy{}).Result, "certificate-revoked")
}

func TestAnXMLDocumentIsJudged(t *testing.T) {
	h := world()[phoneSignature]
	v := verifier(t).WithTimestamps(trustedStation().anchors())
	in := []byte(`<確定申告><税額>100</税額></確定申告>`)
	prepared, err := document.PrepareXML(in, h.holder.certificate, now)
	if err != nil {
		t.Fatal(err)
	}
	digest := prepared.Digest()
	signature, err := h.holder.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	imprint, err := prepared.Imprint(signature)
	if err != nil {
		t.Fatal(err)
	}
	out, err := prepared.Finish(signature, trustedStation().stamp(t, imprint, now))
	if err != nil {
		t.Fatal(err)
	}
	r := must(t)(v.XML(t.Context(), out, verify.Policy{Attributes: verify.AllAttributes}))
	wantGood(t, "signed", r)
	if !r.Stamped.Equal(now) || r.Attributes.Name != yamada.Name {
		t.Errorf("stamped %v, name %q", r.Stamped, r.Attributes.Name)
	}
	wantBad(t, "changed", must(t)(v.XML(t.Context(), bytes.Replace(out, []byte(">100<"), []byte(">900<"), 1), verify.Policy{})), "signature-content-mismatch")
	wantBad(t, "unsigned", must(t)(v.XML(t.Context(), in, verify.Policy{})), "xml-unsigned")
}

func TestABareSignatureIsJudged(t *testing.T) {
	h := world()[phoneSignature]
	v := verifier(t)
	digest := sha256.Sum256(content)
	signature, err := h.holder.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, "bare", must(t)(v.Digest(t.Context(), digest, h.holder.certificate, signature, verify.Policy{})))
	wantBad(t, "another document", must(t)(v.Digest(t.Context(), sha256.Sum256(nil), h.holder.certificate, signature, verify.Policy{})), "signature-invalid")
	wantBad(t, "another key", must(t)(v.Digest(t.Context(), digest, world()[cardSignature].holder.certificate, signature, verify.Policy{})), "signature-invalid")
}

// youngStation is a certificate for the station's key that begins years from now.
func youngStation(t testing.TB, s station) *x509.Certificate {
	t.Helper()
	old := s.signer.Certificate
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "a younger station"}, NotBefore: now.AddDate(7, 0, 0), NotAfter: now.AddDate(17, 0, 0),
		ExtraExtensions: old.Extensions[:1],
	}
	key := s.signer.Key
	return certificate(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
}

func anchorsOf(stations ...station) timestamp.Anchors {
	var all []*x509.Certificate
	for _, s := range stations {
		all = append(all, s.signer.Certificate)
	}
	return timestamp.NewAnchors(all...)
}

// swapped has a record's two time-stamps change places.
func swapped(e *verify.Evidence) *verify.Evidence {
	out := *e
	out.Stamps = [][]byte{e.Stamps[1], e.Stamps[0]}
	return &out
}
