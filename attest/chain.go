package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"

	"warifu"
	"warifu/signed"
)

// MaxChain is the number of certificates an attestation chain may have, leaf included.
const MaxChain = 4

// VerifyChain checks a maker's attestation chain (leaf first, DER) to one of the
// anchors at the instant now and returns the element's key and identifier. The
// leaf's subject serialNumber is the element's identifier in hexadecimal.
// Errors: "attestation-chain-invalid".
func VerifyChain(chain [][]byte, anchors *x509.CertPool, now time.Time) (*ecdsa.PublicKey, warifu.ElementID, error) {
	refused := warifu.Refused("attestation-chain-invalid")
	var none warifu.ElementID
	if len(chain) == 0 || len(chain) > MaxChain || anchors == nil {
		return nil, none, refused
	}
	leaf, err := signed.Parsed(chain[0])
	if err != nil {
		return nil, none, refused.With(err)
	}
	if !authorities.issued(leaf, chain[1:], anchors, now) {
		if err := verifyWhole(leaf, chain[1:], anchors, now); err != nil {
			return nil, none, refused.With(err)
		}
	}
	id, err := warifu.ParseElementID(leaf.Subject.SerialNumber)
	if err != nil {
		return nil, none, refused.With(err)
	}
	pub, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || leaf.IsCA || leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return nil, none, refused
	}
	return pub, id, nil
}

// verifyWhole has the standard library build and check the whole chain, and
// remembers what stands above the leaf.
func verifyWhole(leaf *x509.Certificate, above [][]byte, anchors *x509.CertPool, now time.Time) error {
	between := x509.NewCertPool()
	for _, der := range above {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		between.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: anchors, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err == nil {
		authorities.remember(chains[0][1:], above, anchors)
	}
	return err
}

// makers is every maker's authority that was checked up to an anchor: millions of
// phones have the same. What is not of the leaf does not change from one leaf to the
// next but for the hour, which is looked at anew.
type makers struct {
	mu    sync.Mutex
	known map[maker][]*x509.Certificate // from the one that issues leaves up to the anchor
}

// maker is what a leaf's chain holds above it, and whose anchors it was checked with.
type maker struct {
	above   [sha256.Size]byte
	anchors *x509.CertPool
}

// mostMakers bounds the memory; one maker more and it begins anew.
const mostMakers = 256

var authorities = &makers{known: map[maker][]*x509.Certificate{}}

func nameOf(above [][]byte, anchors *x509.CertPool) maker {
	return maker{sha256.Sum256(bytes.Join(above, nil)), anchors} // DER says its own length
}

// remember keeps the upper part of a chain that was verified. A chain that constrains
// names, which the leaf would have to be held against, is not kept.
func (m *makers) remember(upper []*x509.Certificate, above [][]byte, anchors *x509.CertPool) {
	if len(upper) == 0 {
		return
	}
	for _, c := range upper {
		if len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains)+len(c.PermittedIPRanges)+len(c.ExcludedIPRanges)+len(c.PermittedEmailAddresses)+
			len(c.ExcludedEmailAddresses)+len(c.PermittedURIDomains)+len(c.ExcludedURIDomains) > 0 {
			return
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= mostMakers {
		clear(m.known)
	}
	m.known[nameOf(above, anchors)] = upper
}

// issued reports whether a remembered maker's authority issued the leaf and all are
// valid now. What it does not know or like the standard library is asked about.
func (m *makers) issued(leaf *x509.Certificate, above [][]byte, anchors *x509.CertPool, now time.Time) bool {
	m.mu.Lock()
	upper := m.known[nameOf(above, anchors)]
	m.mu.Unlock()
	if upper == nil || len(leaf.UnhandledCriticalExtensions) > 0 || !bytes.Equal(leaf.RawIssuer, upper[0].RawSubject) {
		return false
	}
	for _, c := range append([]*x509.Certificate{leaf}, upper...) {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return false
		}
	}
	return signed.By(leaf, upper[0]) == nil
}
