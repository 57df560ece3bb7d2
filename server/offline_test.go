package server_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/offline"
	"warifu/phone"
	"warifu/registration"
	"warifu/server"
)

// noIndex has no token status lists.
type noIndex struct{}

func (noIndex) Index([]byte) (uint64, bool) { return 0, false }

// packer makes a house's packs of one kind as a server does.
type packer struct {
	t *testing.T
	*housetest.House
	kind      warifu.Kind
	publisher *offline.Publisher
}

func newPacker(t *testing.T, h *housetest.House, kind warifu.Kind) *packer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := h.Issuers[kind].CA.CertifyResponder(t.Context(), &key.PublicKey)
	must(t, err)
	responder, err := x509.ParseCertificate(der)
	must(t, err)
	signer := func() (*x509.Certificate, crypto.Signer, error) { return responder, key, nil }
	register := server.NewPackRegister(h.Store, h.Issuers[kind].Ledger.Ledger, kind)
	return &packer{t, h, kind, offline.NewPublisher(h.CAs[kind], register, signer, noIndex{}, h.Clock)}
}

// tell makes what is due and returns what a reader of the newest finds.
func (p *packer) tell() func(*x509.Certificate) warifu.Status {
	p.t.Helper()
	_, err := p.publisher.Round(p.t.Context())
	must(p.t, err)
	read := func(d offline.Document) *offline.SignedPack {
		s, err := offline.Parse(d.Octets)
		must(p.t, err)
		must(p.t, s.Verify(p.CAs[p.kind], p.Clock.Now()))
		return s
	}
	now := p.publisher.Current()
	full := read(now.Full)
	if now.Delta == nil {
		return func(c *x509.Certificate) warifu.Status { return full.Status(nil, c) }
	}
	delta := read(*now.Delta)
	return func(c *x509.Certificate) warifu.Status { return delta.Status(&full.Pack, c) }
}

// agrees asks pack and responder about every certificate that was ever signed.
func (p *packer) agrees(want map[warifu.CertStatus]int) {
	p.t.Helper()
	tell, found := p.tell(), map[warifu.CertStatus]int{}
	for _, in := range p.Issuers[p.kind].Ledger.Intents() {
		in, err := p.Issuers[p.kind].Ledger.Lookup(p.t.Context(), in.Serial)
		must(p.t, err)
		c, err := x509.ParseCertificate(in.Certificate)
		must(p.t, err)
		pack, asked := tell(c), p.OCSP(p.t, p.kind, in.Serial)
		if pack.Cert != asked.Cert || (pack.Reason == warifu.ReasonCertificateHold) != (asked.Reason == warifu.ReasonCertificateHold) {
			p.t.Errorf("serial %x: the pack says %+v, OCSP %+v", in.Serial, pack, asked)
		}
		found[pack.Cert]++
	}
	for status, n := range want {
		if found[status] != n {
			p.t.Errorf("%v: %d, want %d", status, found[status], n)
		}
	}
}

func TestAServersPackTellsWhatItsResponderTells(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	good, held, gone, waiting := h.Phone(t), h.Phone(t), h.Phone(t), h.Phone(t)
	good.Own(t, "taro")
	held.Own(t, "hanako")
	signing := phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature}
	p := newPacker(t, h, warifu.Signature)
	p.agrees(map[warifu.CertStatus]int{warifu.StatusGood: 2})

	_, err := held.App.Suspend(t.Context(), nil, time.Time{}, signing)
	must(t, err)
	gone.Own(t, "kenji")
	_, err = gone.App.Revoke(t.Context(), nil, signing)
	must(t, err)
	waiting.Issue(t, "yuki")
	h.Clock.Forward(2 * time.Hour)
	p.agrees(map[warifu.CertStatus]int{warifu.StatusGood: 1, warifu.StatusRevoked: 2, warifu.StatusUnknown: 1})
	if now := p.publisher.Current(); now.Delta == nil || now.Delta.Number <= now.Full.Number {
		t.Error("no delta was made on the first pack")
	}
	for range 3 { // the day ends, the pack is made anew
		h.Clock.Forward(13 * time.Hour)
		p.agrees(map[warifu.CertStatus]int{warifu.StatusGood: 1, warifu.StatusRevoked: 2, warifu.StatusUnknown: 1})
	}
}

// A certificate that was signed, and of which the registration authority never heard, is
// on record in the ledger alone: the pack must not call it good.
func TestWhatIsSignedAndNotOnRecordIsUnknownToThePack(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	h.Phone(t).Own(t, "taro")
	h.Issuers[warifu.Signature].After = func(registration.Evidence, registration.Outcome) registration.Outcome {
		return registration.Outcome{Err: warifu.Unavailable("issuer-unavailable").With(errors.New("lost"))}
	}
	h.Phone(t).Apply(t, "hanako")
	h.Drain(t)
	p := newPacker(t, h, warifu.Signature)
	want := map[warifu.CertStatus]int{warifu.StatusGood: 1, warifu.StatusUnknown: 1}
	p.agrees(want)
	h.Clock.Forward(26 * time.Hour)
	p.agrees(want)
}

// Every start of a server has a responder certified, which is in the ledger and lives a
// month: it must not stay in the packs for ever.
func TestRespondersOfThePastLeaveThePack(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	newPacker(t, h, warifu.Signature)
	first := newPacker(t, h, warifu.Signature)
	first.tell()
	unused := func(p *packer) int {
		pack, err := offline.Parse(p.publisher.Current().Full.Octets)
		must(t, err)
		return len(pack.Unused)
	}
	if n := unused(first); n < 2 {
		t.Errorf("%d responders are known, want those of now", n)
	}
	h.Clock.Forward(40 * 24 * time.Hour)
	later := newPacker(t, h, warifu.Signature)
	later.tell()
	if n := unused(later); n != 1 {
		t.Errorf("%d responders are known, want the one of now", n)
	}
}

func TestAServerPublishesPacks(t *testing.T) {
	at := newPremises(t)
	at.furnish(t)
	s := at.open(t, server.Options{})
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://warifu.test"+path, nil)
		s.Handler().ServeHTTP(w, r)
		return w
	}
	if w := ask("/offline/signature"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("before the first: %d", w.Code)
	}
	s.Sweep(context.WithoutCancel(t.Context()))
	der, err := os.ReadFile(at.path("signature.cer"))
	must(t, err)
	issuer, err := x509.ParseCertificate(der)
	must(t, err)
	pack, err := offline.Parse(ask("/offline/signature").Body.Bytes())
	must(t, err)
	must(t, pack.Verify(issuer, at.clock.Now()))
	for _, name := range []string{"warifu_offline_pack_age_seconds", "warifu_offline_pack_octets", "warifu_offline_pack_making_seconds"} {
		if !strings.Contains(ask("/metrics").Body.String(), name+`{authority="signature"`) {
			t.Errorf("no metric %s", name)
		}
	}
}

func TestAServerThatIsToPublishNoPacksDoesNot(t *testing.T) {
	at := newPremises(t)
	at.config.Offline.Off = true
	at.furnish(t)
	s := at.open(t, server.Options{})
	s.Sweep(context.WithoutCancel(t.Context()))
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://warifu.test/offline/signature", nil))
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "offline-not-published") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestIntervalsOfPacksThatMakeNoSenseAreRefused(t *testing.T) {
	at := newPremises(t)
	for want, c := range map[string]server.OfflineConfig{
		"every is not between":  {Every: time.Minute},
		"deltas is not between": {Every: time.Hour, Deltas: 2 * time.Hour},
		"life is not between":   {Life: time.Hour},
	} {
		at.config.Offline = c
		fault(t, at.config.Check(), "configuration-invalid", want)
	}
	at.config.Offline = server.OfflineConfig{}
	must(t, at.config.Check())
}
