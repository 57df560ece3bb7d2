package offline

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/cms"
	"warifu/ocsp"
)

// OID is the eContentType of a pack.
var OID = asn1.ObjectIdentifier{2, 25, 154071603, 1, 4}

const (
	// MaxPack bounds a signed pack in octets.
	MaxPack = 64 << 20
	// MaxListed bounds the certificates in one of a pack's lists.
	MaxListed = 1 << 20
	// MaxSkew is how far a pack's time may lie ahead of the reader's.
	MaxSkew = ocsp.MaxSkew

	listed = 16 // octets of a Key that stand in a list
)

// Pack is what one authority knows of all its certificates at one instant, small enough
// to be carried about. It covers the certificates whose notBefore is not after CoveredTo,
// and those of a younger day that are in Recent, as long as they had not expired by
// ProducedAt: of these every answer is exact. Of others it knows nothing, and neither
// does its reader.
//
// A certificate's notBefore is the beginning of the day in Japan it was issued on, so
// CoveredTo can be no later than the end of a day that is over: of what was issued today
// a filter alone could not tell what came before ProducedAt from what came after.
//
// A pack with a Base is a delta: it is read together with the pack of that number, and
// its filter tells which of the certificates that were not revoked there are revoked
// now. Its lists stand in place of the base's.
//
// It travels as CMS, an attached message of content type OID signed by the key that
// signs the authority's OCSP responses. Its content is DER:
//
//	StatusPack ::= SEQUENCE {
//	   version     INTEGER (1),
//	   issuer      OCTET STRING (SIZE(32)),  -- SHA-256 of the issuer's public key
//	   number      INTEGER,                  -- greater in every newer pack of the authority
//	   base        [0] EXPLICIT INTEGER OPTIONAL,
//	   producedAt  GeneralizedTime,
//	   coveredTo   GeneralizedTime,
//	   nextUpdate  GeneralizedTime,
//	   filter      OCTET STRING,             -- Filter.Marshal
//	   held        OCTET STRING,             -- first 16 octets of each Key, ascending
//	   unused      OCTET STRING,             -- the same: issued and not in use yet
//	   recent      OCTET STRING }            -- the same: issued after coveredTo and known
type Pack struct {
	Issuer     [32]byte
	Number     uint64
	Base       uint64 // the number of the pack it stands on; 0: on none
	ProducedAt time.Time
	CoveredTo  time.Time
	NextUpdate time.Time
	Filter     *Filter
	Held       List
	Unused     List
	Recent     List
}

// List is an exact set of certificates: ascending, each once.
type List [][listed]byte

// ListOf makes a list of keys.
func ListOf(keys []Key) List {
	out := make(List, len(keys))
	for i, k := range keys {
		out[i] = [listed]byte(k[:listed])
	}
	slices.SortFunc(out, func(a, b [listed]byte) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(out)
}

// Has reports whether the key is in the list.
func (l List) Has(k Key) bool {
	_, ok := slices.BinarySearchFunc(l, [listed]byte(k[:listed]), func(a, b [listed]byte) int { return bytes.Compare(a[:], b[:]) })
	return ok
}

// Covers reports whether the pack speaks of the certificate, which is one of the issuer's.
func (p *Pack) Covers(c *x509.Certificate) bool {
	return p.covers(Keyer{p.Issuer}.Key(c.SerialNumber.Bytes()), c.NotBefore) && !c.NotAfter.Before(p.ProducedAt)
}

func (p *Pack) covers(k Key, notBefore time.Time) bool {
	return !notBefore.After(p.CoveredTo) || p.Recent.Has(k)
}

// lists are the exact ones, in the order in which they are written.
func (p *Pack) lists() []*List { return []*List{&p.Held, &p.Unused, &p.Recent} }

// Status returns the status at ProducedAt of a certificate of the issuer, whose
// signature the caller has checked: unknown for one that is not covered, or not in use.
// A revocation's time and reason are not told; a hold's reason is. base is the pack the
// delta stands on, and nil for a pack that stands on none.
func (p *Pack) Status(base *Pack, c *x509.Certificate) warifu.Status {
	if !p.Covers(c) || (base == nil) != (p.Base == 0) || (base != nil && (base.Number != p.Base || base.Issuer != p.Issuer)) {
		return warifu.Status{}
	}
	k := Keyer{p.Issuer}.Key(c.SerialNumber.Bytes())
	switch {
	case base != nil && base.Covers(c) && base.Filter.Revoked(k), p.Filter.Revoked(k):
		return warifu.Status{Cert: warifu.StatusRevoked}
	case p.Unused.Has(k):
		return warifu.Status{}
	case p.Held.Has(k):
		return warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold}
	}
	return warifu.Status{Cert: warifu.StatusGood}
}

// Sign signs the pack with the key of a responder. Error: TooLarge "offline-too-large".
func Sign(p *Pack, responder *x509.Certificate, key crypto.Signer) ([]byte, error) {
	for _, l := range p.lists() {
		if len(*l) > MaxListed {
			return nil, warifu.TooLarge("offline-too-large")
		}
	}
	content, err := p.marshal()
	if err != nil {
		return nil, err
	}
	return cms.Sign(OID, content, responder, key)
}

func (p *Pack) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1OctetString(p.Issuer[:])
		b.AddASN1Uint64(p.Number)
		if p.Base != 0 {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Uint64(p.Base) })
		}
		for _, t := range []time.Time{p.ProducedAt, p.CoveredTo, p.NextUpdate} {
			b.AddASN1GeneralizedTime(t.UTC())
		}
		b.AddASN1OctetString(p.Filter.Marshal())
		for _, l := range p.lists() {
			b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) {
				for _, k := range *l {
					b.AddBytes(k[:])
				}
			})
		}
	})
	return b.Bytes()
}

// SignedPack is a pack as it was read. Nothing in it is to be believed before Verify.
type SignedPack struct {
	Pack
	Responder *x509.Certificate
	Raw       []byte

	message *cms.Message
}

// Parse reads a signed pack. Errors: Invalid "offline-pack-malformed", TooLarge
// "offline-too-large", those of ParseFilter.
func Parse(der []byte) (*SignedPack, error) {
	if len(der) > MaxPack {
		return nil, warifu.TooLarge("offline-too-large")
	}
	m, err := cms.ParseWithin(der, MaxPack)
	if err != nil {
		return nil, malformed("signed message").With(err)
	}
	if !m.ContentType.Equal(OID) || m.Detached {
		return nil, malformed("content type")
	}
	p := &SignedPack{Responder: m.Signer, Raw: der, message: m}
	if err := p.read(m.Content); err != nil {
		return nil, err
	}
	return p, nil
}

func malformed(what string) *warifu.Error {
	return warifu.Invalid("offline-pack-malformed", "what", what)
}

func (p *Pack) read(content []byte) error {
	rest := cryptobyte.String(content)
	var body cryptobyte.String
	if !rest.ReadASN1(&body, cbasn1.SEQUENCE) || !rest.Empty() {
		return malformed("sequence")
	}
	if err := p.readHead(&body); err != nil {
		return err
	}
	var filter []byte
	if !body.ReadASN1Bytes(&filter, cbasn1.OCTET_STRING) {
		return malformed("filter")
	}
	var err error
	if p.Filter, err = ParseFilter(filter); err != nil {
		return err
	}
	for _, l := range p.lists() {
		if !readList(&body, l) {
			return malformed("list")
		}
	}
	if !body.Empty() {
		return malformed("more than a pack")
	}
	if again, err := p.marshal(); err != nil || !bytes.Equal(again, content) {
		return malformed("encoding")
	}
	return nil
}

// readHead reads what says of whom and when the pack speaks.
func (p *Pack) readHead(body *cryptobyte.String) error {
	var explicit cryptobyte.String
	var issuer []byte
	var version int
	var hasBase bool
	if !body.ReadASN1Integer(&version) || version != 1 {
		return malformed("version")
	}
	if !body.ReadASN1Bytes(&issuer, cbasn1.OCTET_STRING) || len(issuer) != len(p.Issuer) {
		return malformed("issuer")
	}
	p.Issuer = [32]byte(issuer)
	if !body.ReadASN1Integer(&p.Number) || p.Number == 0 {
		return malformed("number")
	}
	if !body.ReadOptionalASN1(&explicit, &hasBase, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		(hasBase && (!explicit.ReadASN1Integer(&p.Base) || !explicit.Empty() || p.Base == 0 || p.Base >= p.Number)) {
		return malformed("base")
	}
	for _, t := range []*time.Time{&p.ProducedAt, &p.CoveredTo, &p.NextUpdate} {
		if !body.ReadASN1GeneralizedTime(t) {
			return malformed("time")
		}
	}
	if p.CoveredTo.After(p.ProducedAt) || !p.NextUpdate.After(p.ProducedAt) {
		return malformed("times")
	}
	return nil
}

func readList(in *cryptobyte.String, l *List) bool {
	var octets []byte
	if !in.ReadASN1Bytes(&octets, cbasn1.OCTET_STRING) || len(octets)%listed != 0 || len(octets) > MaxListed*listed {
		return false
	}
	for one := range slices.Chunk(octets, listed) {
		k := [listed]byte(one)
		if n := len(*l); n > 0 && bytes.Compare((*l)[n-1][:], k[:]) >= 0 {
			return false
		}
		*l = append(*l, k)
	}
	return true
}

// Verify checks that the pack is the issuer's word, or that of a responder it appointed
// whose time is not over. How old it may be, and that it is not older than one seen
// before, is the caller's to look at. Errors: Refused "offline-pack-mismatch",
// "status-responder-unauthorized", "offline-pack-signature", "offline-pack-future".
func (p *SignedPack) Verify(issuer *x509.Certificate, now time.Time) error {
	if p.Issuer != NewKeyer(issuer).issuer {
		return warifu.Refused("offline-pack-mismatch")
	}
	if err := ocsp.CheckDelegation(p.Responder, issuer, now); err != nil {
		return err
	}
	if err := p.message.Verify(nil); err != nil {
		return warifu.Refused("offline-pack-signature").With(err)
	}
	if p.ProducedAt.After(now.Add(MaxSkew)) {
		return warifu.Refused("offline-pack-future")
	}
	return nil
}
