package party

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/profile"
	"warifu/timestamp"
)

// holder is a key with its certificate.
type holder struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

// place is one authority's: whose certificates live where and serve for what.
type place struct {
	class profile.Class
	kind  warifu.Kind
}

// name is that of the authority's file, as `warifu trust` names it.
func (p place) name() string { return p.class.String() + "-" + p.kind.String() }

var (
	phoneSigning  = place{profile.ClassPhone, warifu.Signature}
	phonePresence = place{profile.ClassPhone, warifu.Authentication}
	cardSigning   = place{profile.ClassCard, warifu.Signature}
	cardPresence  = place{profile.ClassCard, warifu.Authentication}
)

// said is what the responder says of one certificate.
type said struct {
	status warifu.Status
	age    time.Duration // of the answer: thisUpdate lies so far back
	life   time.Duration // from thisUpdate to nextUpdate
	holds  []ocsp.Interval
	// stranger answers under a key of nobody's, other of another certificate.
	stranger, other, down, slow bool
}

var saidGood = said{status: warifu.Status{Cert: warifu.StatusGood}, life: 10 * time.Minute}

// house is the doctor's four certification authorities with their responders, and its
// time-stamping authority. It lives for one examination.
type house struct {
	base        string // http address of this provider, without a path
	clock       warifu.Clock
	authorities map[place]holder
	responders  map[place]holder
	stranger    map[place]holder // authorities of the same names that nobody trusts
	stampRoot   *x509.Certificate
	stamps      timestamp.Signer

	mu     sync.Mutex
	words  map[string]said // by serial number, hexadecimal
	number int64
}

func ecKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("the machine has no randomness: " + err.Error())
	}
	return key
}

func newHouse(base string, clock warifu.Clock) (*house, error) {
	h := &house{base: base, clock: clock, authorities: map[place]holder{}, responders: map[place]holder{}, stranger: map[place]holder{}, words: map[string]said{}}
	for _, p := range []place{phoneSigning, phonePresence, cardSigning, cardPresence} {
		for _, into := range []map[place]holder{h.authorities, h.stranger} {
			made, err := h.authority(p)
			if err != nil {
				return nil, err
			}
			into[p] = made
		}
		key := ecKey()
		spki, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			return nil, err
		}
		now := clock.Now()
		tbs, err := profile.Responder{Serial: h.serial(), PublicKey: spki, CommonName: "doctor responder", NotBefore: now.AddDate(0, 0, -2), NotAfter: now.AddDate(0, 0, 2)}.TBS(h.authorities[p].certificate)
		if err != nil {
			return nil, err
		}
		if h.responders[p], err = signedBy(key, tbs, h.authorities[p].key); err != nil {
			return nil, err
		}
	}
	return h, h.station()
}

func (h *house) authority(p place) (holder, error) {
	name := profile.CardAuthority(p.kind)
	if p.class == profile.ClassPhone {
		name = profile.PhoneAuthority(p.kind, "")
	}
	key, now := ecKey(), h.clock.Now()
	der, err := name.SelfSign(key, h.serial(), now.AddDate(-3, 0, 0), now.AddDate(7, 0, 0))
	return parsed(key, der, err)
}

// station makes the time-stamping authority.
func (h *house) station() error {
	rootKey, key, now := ecKey(), ecKey(), h.clock.Now()
	root, err := timestamp.Root(rootKey, profile.TestOrganization, now.AddDate(-1, 0, 0))
	if err != nil {
		return err
	}
	if h.stampRoot, err = x509.ParseCertificate(root); err != nil {
		return err
	}
	der, err := timestamp.Appoint(h.stampRoot, rootKey, key.Public(), "", now.AddDate(-1, 0, 0))
	made, err := parsed(key, der, err)
	h.stamps = timestamp.Signer{Certificate: made.certificate, Key: key, Policy: timestamp.Policy}
	return err
}

func parsed(key crypto.Signer, der []byte, err error) (holder, error) {
	if err != nil {
		return holder{}, err
	}
	c, err := x509.ParseCertificate(der)
	return holder{key, c}, err
}

func signedBy(key crypto.Signer, tbs []byte, by crypto.Signer) (holder, error) {
	der, err := profile.Sign(tbs, by)
	return parsed(key, der, err)
}

// serial is a new serial number of a phone certificate's length.
func (h *house) serial() []byte {
	b := make([]byte, profile.SerialLength)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	b[0] = 0x42
	return b
}

// order is a certificate to be made. The zero fields are those of a good one.
type order struct {
	place    place
	from, to time.Duration // from now; zero: a month back, a year ahead
	policy   asn1.ObjectIdentifier
	by       *holder // instead of the authority
	said     *said
}

// sample are the attributes of a person who does not exist.
var sample = profile.Attributes{Name: "検査　花子", Gender: "2", BirthDate: "319800217", Address: "東京都清瀬市中里五丁目８４２番地"}.Complete()

// issue makes a certificate and tells the responder of it.
func (h *house) issue(o order) (holder, error) {
	key, now, serial := ecKey(), h.clock.Now(), h.serial()
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return holder{}, err
	}
	from, to := now.AddDate(0, -1, 0), now.AddDate(1, 0, 0)
	if o.from != 0 || o.to != 0 {
		from, to = now.Add(o.from), now.Add(o.to)
	}
	p := profile.Of(o.place.class, o.place.kind)
	if o.policy != nil {
		p.Policy = o.policy
	}
	p.Endpoints = profile.Endpoints{OCSP: h.base + responderPath(o.place), CRL: h.base + "/crl/" + o.place.name() + ".crl", Issuer: h.base + "/ca/" + o.place.name() + ".cer"}
	in := profile.EndEntity{Serial: serial, PublicKey: spki, CommonName: "DOCTOR1", NotBefore: from, NotAfter: to}
	if o.place.kind == warifu.Signature {
		in.Attributes = sample
	}
	if o.place.class == profile.ClassCard {
		in.Prefecture, in.Municipality = "Tokyo-to", "Kiyose-shi"
	}
	by := h.authorities[o.place]
	if o.by != nil {
		by = *o.by
	}
	tbs, err := p.TBS(in, by.certificate)
	if err != nil {
		return holder{}, err
	}
	word := saidGood
	if o.said != nil {
		word = *o.said
	}
	h.mu.Lock()
	h.words[hex.EncodeToString(serial)] = word
	h.mu.Unlock()
	return signedBy(key, tbs, by.key)
}

// responderPath is where a place's responder answers. The phone's have the paths at which
// this project's own stand, so that a status history is found beside them.
func responderPath(p place) string {
	if p.class == profile.ClassPhone {
		return "/ocsp/" + p.kind.String()
	}
	return "/ocsp/" + p.name()
}

// ServeHTTP implements http.Handler: responders, histories and the authorities' certificates.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for p, authority := range h.authorities {
		switch {
		case r.URL.Path == "/ca/"+p.name()+".cer":
			w.Header().Set("Content-Type", "application/pkix-cert")
			_, _ = w.Write(authority.certificate.Raw)
			return
		case r.URL.Path == responderPath(p) || strings.HasPrefix(r.URL.Path, responderPath(p)+"/"):
			h.respond(w, r, p)
			return
		case p.class == profile.ClassPhone && strings.HasPrefix(r.URL.Path, "/api/v1/status-history/"+p.kind.String()+"/"):
			h.tellHistory(w, p, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
			return
		}
	}
	if r.URL.Path == "/ca/timestamp.cer" {
		w.Header().Set("Content-Type", "application/pkix-cert")
		_, _ = w.Write(h.stampRoot.Raw)
		return
	}
	http.NotFound(w, r)
}

func (h *house) word(serial string) said {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.words[serial]; ok {
		return s
	}
	return said{life: 10 * time.Minute} // unknown
}

// respond answers an OCSP request by POST; GET is not asked of it by way of the certificate.
func (h *house) respond(w http.ResponseWriter, r *http.Request, p place) {
	der, err := readBounded(r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	q, err := ocsp.ParseRequest(der)
	if err != nil || len(q.CertIDs) == 0 {
		_, _ = w.Write(ocsp.ErrorResponse(ocsp.MalformedRequest))
		return
	}
	word := h.word(hex.EncodeToString(q.CertIDs[0].Serial))
	switch {
	case word.slow:
		hang(w, r)
		return
	case word.down:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	id, by := q.CertIDs[0], h.responders[p]
	if word.other {
		id = ocsp.NewCertID(crypto.SHA256, h.authorities[p].certificate, big.NewInt(4711))
	}
	if word.stranger {
		by = h.stranger[p]
	}
	at := h.clock.Now().Add(-word.age)
	answer, err := ocsp.Sign([]ocsp.Single{{CertID: id, Status: word.status, ThisUpdate: at, NextUpdate: at.Add(word.life)}}, q.Nonce, at, by.certificate, by.key)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	_, _ = w.Write(answer)
}

// readBounded takes the request from a POST's body, or from the address of a GET (RFC 6960
// appendix A.1).
func readBounded(r *http.Request) ([]byte, error) {
	if r.Method == http.MethodGet {
		return fromAddress(r.URL.Path)
	}
	return io.ReadAll(io.LimitReader(r.Body, ocsp.MaxRequest+1))
}

func (h *house) tellHistory(w http.ResponseWriter, p place, serial string) {
	b, err := hex.DecodeString(serial)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	word, now := h.word(serial), h.clock.Now()
	history := ocsp.History{CertID: ocsp.NewCertID(crypto.SHA256, h.authorities[p].certificate, new(big.Int).SetBytes(b)), AsOf: now,
		Active: now.AddDate(0, -1, 0), Holds: word.holds}
	der, err := ocsp.SignHistory(history, h.responders[p].certificate, h.responders[p].key)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/cms")
	_, _ = w.Write(der)
}

// save writes whom to believe into a folder, named as `warifu trust` names them. Error:
// Refused "doctor-authorities" with "folder".
func (h *house) save(folder string) error {
	failed := func(err error) error { return warifu.Refused("doctor-authorities", "folder", folder).With(err) }
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return failed(err)
	}
	files := map[string][]byte{"timestamp.cer": h.stampRoot.Raw}
	for p, authority := range h.authorities {
		files[p.name()+".cer"] = authority.certificate.Raw
	}
	for name, der := range files {
		if err := os.WriteFile(filepath.Join(folder, name), der, 0o644); err != nil {
			return failed(err)
		}
	}
	return nil
}

// stamp is a time-stamp token over a digest, at an instant of the doctor's choice.
func (h *house) stamp(imprint [32]byte, at time.Time) ([]byte, error) {
	h.mu.Lock()
	h.number++
	n := h.number
	h.mu.Unlock()
	return h.stamps.Token(&timestamp.Request{Imprint: imprint}, at, big.NewInt(n))
}
