package offline

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"iter"
	"math"
	"math/big"

	"warifu/ocsp"
)

// Key stands for one certificate in a filter: SHA-256 over the SHA-256 of its issuer's
// public key (the subjectPublicKey's octets, as in an OCSP CertID) and its serial
// number, big-endian without sign octet.
type Key [sha256.Size]byte

// Keyer makes the keys of one issuer's certificates.
type Keyer struct{ issuer [sha256.Size]byte }

// NewKeyer takes the issuer's certificate.
func NewKeyer(issuer *x509.Certificate) Keyer {
	id := ocsp.NewCertID(crypto.SHA256, issuer, new(big.Int))
	return Keyer{[sha256.Size]byte(id.IssuerKeyHash)}
}

// KeyerOf takes what a pack calls the issuer by (Pack.Issuer).
func KeyerOf(issuer [sha256.Size]byte) Keyer { return Keyer{issuer} }

// Issuer returns what a pack calls the issuer by: SHA-256 of its public key.
func (k Keyer) Issuer() [sha256.Size]byte { return k.issuer }

// Key returns the key of a serial number, big-endian without sign octet.
func (k Keyer) Key(serial []byte) Key {
	in := make([]byte, 0, sha256.Size+32)
	return sha256.Sum256(append(append(in, k.issuer[:]...), serial...))
}

// Filter tells of every certificate it was made of whether it is revoked, without
// error, in little more than a tenth of a byte each. Of a certificate it was not made
// of it tells nothing: what it answers then means nothing, and the caller has to know
// beforehand what is covered (Pack).
//
// It is two bands. The first is an ordinary filter: every revoked certificate passes
// it, and of the others one in 2ᵏ. The second knows of everything that passes which
// of the two it is. Schanck's Clubcards (2024) showed that nothing much smaller exists.
type Filter struct {
	passing band // k columns: the key's own fingerprint for who is revoked
	exact   band // one column: 1 for revoked
}

// maxColumns bounds k: with one revoked in a hundred million it is 26.
const maxColumns = 28

// Build makes the filter of a set of certificates: those revoked, and those not. No key
// may stand in both or twice in revoked; false then.
func Build(revoked []Key, others iter.Seq[Key]) (*Filter, bool) {
	count := 0
	for range others {
		count++
	}
	return build(revoked, count, others)
}

// build is Build for who has counted the others, nearly: they are gone through once.
func build(revoked []Key, count int, others iter.Seq[Key]) (*Filter, bool) {
	f := &Filter{}
	if len(revoked) == 0 {
		return f, true
	}
	columns := columnsFor(len(revoked), count)
	passing, ok := solve(revoked, func(i int) uint32 { return fingerprint(revoked[i], columns) }, columns)
	if !ok {
		return nil, false
	}
	f.passing = *passing
	through := append([]Key(nil), revoked...)
	for k := range others {
		if f.passes(k) {
			through = append(through, k)
		}
	}
	exact, ok := solve(through, func(i int) uint32 {
		if i < len(revoked) {
			return 1
		}
		return 0
	}, 1)
	if !ok {
		return nil, false
	}
	f.exact = *exact
	return f, true
}

// columnsFor returns the k that makes both bands together smallest: k bits for each
// revoked certificate in the first, one for each that passes in the second.
func columnsFor(revoked, others int) (best int) {
	least := math.Inf(1)
	for k := range maxColumns + 1 {
		size := float64(revoked)*float64(k+1) + float64(others)/float64(uint64(1)<<k)
		if size < least {
			best, least = k, size
		}
	}
	return best
}

// passes reports whether the first band lets the key through.
func (f *Filter) passes(k Key) bool {
	want := fingerprint(k, len(f.passing.columns))
	return f.passing.lookup(k, want) == want
}

// Revoked reports whether the certificate is revoked, if the filter was made of it.
func (f *Filter) Revoked(k Key) bool {
	return f.passes(k) && f.exact.lookup(k, 1) == 1
}

// fingerprint is what the first band holds for a revoked certificate.
func fingerprint(k Key, columns int) uint32 {
	return (uint32(k[24]) | uint32(k[25])<<8 | uint32(k[26])<<16 | uint32(k[27])<<24) & (1<<columns - 1)
}
