package housetest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"sync"
	"time"

	"warifu"
	"warifu/ledger"
	"warifu/profile"
	"warifu/timestamp"
	"warifu/verification"
	"warifu/verify"
)

// BankKey and ShopKey are the keys of the house's relying parties: the bank may ask for every
// attribute, the shop for none.
const (
	BankKey = "house-bank-key"
	ShopKey = "house-shop-key"
)

// Parties are the house's relying parties.
func Parties() []verification.Party {
	return []verification.Party{
		{ID: "bank", Name: ledger.Name{Japanese: "見本銀行", English: "Sample Bank"}, Key: warifu.DigestOf([]byte(BankKey)), Attributes: verify.AllAttributes},
		{ID: "shop", Name: ledger.Name{Japanese: "見本商店", English: "Sample Shop"}, Key: warifu.DigestOf([]byte(ShopKey))},
	}
}

// Stamps is a time-stamping authority in the house. It is its own root.
type Stamps struct {
	Signer timestamp.Signer
	house  *House
	serial int64
}

// NewStamps makes one whose certificate lives that long.
func (h *House) NewStamps(t TB, life time.Duration) *Stamps {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	check(t, err)
	now := h.Clock.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "house stamps"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(t, err)
	certificate, err := x509.ParseCertificate(der)
	check(t, err)
	return &Stamps{Signer: timestamp.Signer{Certificate: certificate, Key: key, Policy: asn1.ObjectIdentifier{1, 2, 3}}, house: h}
}

// Stamp implements verify.Stamper.
func (s *Stamps) Stamp(_ context.Context, digest [32]byte) ([]byte, error) {
	s.serial++
	return s.Signer.Token(&timestamp.Request{Imprint: digest, Certificates: true}, s.house.Clock.Now(), big.NewInt(s.serial))
}

// DeskConfig is what the house's verification service is made of; stamps may be nil, others
// are believed beside.
func (h *House) DeskConfig(t TB, stamps *Stamps, others ...*Stamps) verification.Config {
	t.Helper()
	var trust verify.Trust
	own := verification.Own{Cards: h.Cards.Status, Kind: func(issuer *x509.Certificate) (warifu.Kind, bool) {
		for _, kind := range warifu.Kinds {
			if bytes.Equal(h.Bureau.Authority(kind).Raw, issuer.Raw) {
				return kind, true
			}
		}
		return 0, false
	}}
	for _, kind := range warifu.Kinds {
		check(t, trust.Add(profile.ClassCard, kind, h.Bureau.Authority(kind)))
		check(t, trust.Add(profile.ClassPhone, kind, h.CAs[kind]))
		own.Authorities = append(own.Authorities, verification.Authority{Certificate: h.CAs[kind], Responder: h.responders[kind], Historian: h.historians[kind]})
	}
	parties, err := verification.NewParties(Parties())
	check(t, err)
	history := verification.OwnHistory{Own: own}
	c := verification.Config{
		Store: h.Store, Ledger: ledger.New(h.Store, h.Scheme.LedgerKeep, h.Clock), Scheme: h.Scheme, Clock: h.Clock, Parties: parties, Log: h.logger(), Origin: Origin,
		Sources: verify.Sources{OCSP: own, History: history},
	}
	if h.Subscriber == nil {
		h.Subscriber = NewSubscriber(t)
	}
	c.Hooks = verification.Hooks{Key: h.Subscriber.Key, Sender: h.Subscriber}
	var anchors []*x509.Certificate
	if stamps != nil {
		c.Sources.Stamper = stamps
		anchors = append(anchors, stamps.Signer.Certificate)
	}
	for _, s := range others {
		anchors = append(anchors, s.Signer.Certificate)
	}
	c.Verifier = verify.New(trust, own, h.Clock).WithHistory(history).WithTimestamps(timestamp.NewAnchors(anchors...))
	return c
}

// Subscriber is whoever relying parties have tokens posted to.
type Subscriber struct {
	Key *ecdsa.PrivateKey // the service signs with it
	// Fault, where not nil, is asked before a token is taken.
	Fault func(token string) error

	mu    sync.Mutex
	taken []string
}

// NewSubscriber makes one.
func NewSubscriber(t TB) *Subscriber {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return &Subscriber{Key: key}
}

// Send implements verification.Sender.
func (s *Subscriber) Send(_ context.Context, _, token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Fault != nil {
		if err := s.Fault(token); err != nil {
			return err
		}
	}
	s.taken = append(s.taken, token)
	return nil
}

// Taken returns every token that was taken, in order.
func (s *Subscriber) Taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}
