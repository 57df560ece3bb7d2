package pkitest_test

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/profile"
	"warifu/status"
)

// house is one authority with its responder and its lists, behind a listener on loopback.
// Its clock is the machine's, since Java's and OpenSSL's responders' clients know no other; a
// list is made when the test says so.
type house struct {
	t          *testing.T
	algorithm  profile.Algorithm
	ca         party
	responder  party
	serials    profile.SerialCipher
	partitions profile.Partitions
	publisher  *status.Publisher
	base       string
	dark       atomic.Bool // the lists are not served
	*register
}

type party struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

var now = warifu.SystemClock{}.Now().UTC().Truncate(time.Second)

const parts = 4

func newHouse(t *testing.T, algorithm profile.Algorithm) *house {
	h := &house{t: t, algorithm: algorithm, register: &register{records: map[string]warifu.StatusRecord{}}}
	block := func(n byte) (b [16]byte) { b[0] = n; return b }
	one, two := block(1), block(2)
	serialKey, err := aes.NewCipher(one[:])
	h.must(err)
	partKey, err := aes.NewCipher(two[:])
	h.must(err)
	h.serials, err = profile.NewSerialCipher(1, serialKey)
	h.must(err)
	h.partitions, err = profile.NewPartitions(parts, partKey)
	h.must(err)
	h.ca.key = h.key()
	h.ca.certificate = h.parse(profile.PhoneAuthority(warifu.Signature, "").SelfSign(h.ca.key, []byte{1}, now.AddDate(-1, 0, 0), now.AddDate(9, 0, 0)))
	h.responder.key = newP256(t) // P-256 in every scheme
	tbs, err := profile.Responder{Serial: []byte{2}, PublicKey: spki(t, h.responder.key), CommonName: "responder", NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(0, 0, 7)}.TBS(h.ca.certificate)
	h.must(err)
	h.responder.certificate = h.parse(profile.Sign(tbs, h.ca.key))
	h.open()
	return h
}

// open serves responder and lists at the addresses that certificates name.
func (h *house) open() {
	var handler http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	h.t.Cleanup(s.Close)
	h.base = s.URL
	delegate := func() (status.Delegate, error) {
		return status.Delegate{Certificate: h.responder.certificate, Key: h.responder.key}, nil
	}
	responder := status.NewResponder(warifu.Signature, h.ca.certificate, h.register, delegate, warifu.SystemClock{})
	h.publisher = status.NewPublisher(warifu.Signature, func(_ context.Context, l *crl.Draft) error { return l.Sign(h.ca.certificate, h.ca.key) }, h.register, warifu.SystemClock{})
	h.publisher.Partitions, h.publisher.Points = h.partitions, h.endpoints(parts).Point
	h.publisher.Freshest = h.base + "/crl/signature-delta.crl"
	lists := http.NewServeMux()
	lists.Handle("/crl/signature.crl", h.publisher)
	lists.Handle("/crl/signature-delta.crl", h.publisher.Deltas())
	for n := range parts {
		lists.Handle(fmt.Sprintf("/crl/signature/%d.crl", n), h.publisher.Part(n))
	}
	handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), "/ocsp/signature") {
			responder.ServeHTTP(w, r)
			return
		}
		if h.dark.Load() {
			http.Error(w, "dark", http.StatusServiceUnavailable)
			return
		}
		lists.ServeHTTP(w, r)
	})
}

func (h *house) endpoints(n int) profile.Endpoints {
	return profile.Endpoints{OCSP: h.base + "/ocsp/signature", CRL: h.base + "/crl/signature.crl", Issuer: h.base + "/ca/signature.cer", Partitions: n}
}

// issue makes the certificate of an index; an old one names the full list.
func (h *house) issue(index uint64, old bool) *x509.Certificate {
	h.t.Helper()
	n := parts
	if old {
		n = 0
	}
	in := profile.EndEntity{
		Serial: h.serials.Serial(index), PublicKey: spki(h.t, newP256(h.t)), CommonName: strings.Repeat("A2", 12), NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(1, 0, 0),
		Attributes: profile.Attributes{Name: "山田　太郎", Gender: "1", BirthDate: "319800217", Address: "東京都"}.Complete(),
	}
	if !old {
		in.Partition = h.partitions.Of(in.Serial)
	}
	algorithm := profile.P256
	if h.algorithm == profile.RSA2048 {
		algorithm, in.PublicKey = profile.RSA2048, spki(h.t, rsaKeys()[1])
	}
	tbs, err := profile.Phone(warifu.Signature, algorithm, h.endpoints(n)).TBS(in, h.ca.certificate)
	h.must(err)
	return h.parse(profile.Sign(tbs, h.ca.key))
}

func (h *house) refresh() { h.t.Helper(); h.must(h.publisher.Refresh(h.t.Context())) }

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) parse(der []byte, err error) *x509.Certificate {
	h.t.Helper()
	h.must(err)
	c, err := x509.ParseCertificate(der)
	h.must(err)
	return c
}

// rsaKeys are made once: the authority's and the holders'.
var rsaKeys = sync.OnceValue(func() (keys [2]crypto.Signer) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

func (h *house) key() crypto.Signer {
	if h.algorithm == profile.RSA2048 {
		return rsaKeys()[0]
	}
	return newP256(h.t)
}

func newP256(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func spki(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// register is what the authority knows, and its feed: a status.Source and a status.Register.
type register struct {
	mu      sync.Mutex
	records map[string]warifu.StatusRecord
	feed    []status.Change
	number  uint64
}

// set says what a certificate is from now on.
func (r *register) set(c *x509.Certificate, s warifu.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	record := warifu.StatusRecord{Kind: warifu.Signature, Serial: c.SerialNumber.Bytes(), Status: s, NotAfter: c.NotAfter}
	r.records[string(record.Serial)] = record
	if s.Cert != warifu.StatusUnknown {
		r.feed = append(r.feed, status.Change{Number: int64(len(r.feed) + 1), Record: record})
	}
}

// Status implements status.Source.
func (r *register) Status(_ context.Context, _ warifu.Kind, serial []byte) (warifu.StatusRecord, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	record, found := r.records[string(serial)]
	return record, found, nil
}

// Number implements status.Register.
func (r *register) Number(context.Context, time.Time) (uint64, int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number++
	return r.number, int64(len(r.feed)), nil
}

// View implements status.Register.
func (r *register) View(_ context.Context, f func(status.Snapshot) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return f(view{r})
}

type view struct{ *register }

// Head implements status.Snapshot.
func (v view) Head() (int64, error) { return int64(len(v.feed)), nil }

// Revoked implements status.Snapshot.
func (v view) Revoked(add func(warifu.StatusRecord) error) error {
	for _, record := range v.records {
		if record.Status.Cert != warifu.StatusRevoked {
			continue
		}
		if err := add(record); err != nil {
			return err
		}
	}
	return nil
}

// Changes implements status.Snapshot.
func (v view) Changes(after int64, add func(status.Change) error) error {
	for _, c := range v.feed[after:] {
		if err := add(c); err != nil {
			return err
		}
	}
	return nil
}
