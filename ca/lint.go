package ca

import (
	"bytes"
	"crypto/x509"
	"strings"
	"time"

	zx509 "github.com/zmap/zcrypto/x509"
	_ "github.com/zmap/zlint/v3" // registers its lints
	"github.com/zmap/zlint/v3/lint"

	"warifu"
	"warifu/profile"
)

// Limits is what the evidence allows a certificate to say.
type Limits struct {
	Issuer     *x509.Certificate
	Serials    SerialCipher
	PublicKey  []byte                     // the attested key, SubjectPublicKeyInfo
	Attributes profile.Attributes         // the card's; none on authentication
	NotAfter   time.Time                  // the earliest end of parent, statement and authority
	Point      func(serial []byte) string // the CRL distribution point of a certificate of that number
}

// Lint is one rule of this authority for what it is about to sign, beyond the profile's
// own Rules. Each looks at its own part of the certificate and at no other.
type Lint struct {
	Name     string // stable; the parameter "rule" of the problem "certificate-lint"
	Clause   string
	everyone bool // holds for OCSP responders' certificates too
	holds    func(l Limits, c *x509.Certificate) bool
}

// Holds reports whether the certificate keeps the rule.
func (l Lint) Holds(limits Limits, c *x509.Certificate) bool { return l.holds(limits, c) }

// Lints lists our own lints in the order in which they are tried.
func Lints() []Lint { return append([]Lint(nil), lints...) }

var lints = []Lint{
	{"serial-of-this-authority", "design §3.5", true, func(l Limits, c *x509.Certificate) bool {
		return l.Serials.Check(c.SerialNumber.FillBytes(make([]byte, max(profile.SerialLength, (c.SerialNumber.BitLen()+7)/8))))
	}},
	{"issuer-name", "RFC 5280 §4.1.2.4", true, func(l Limits, c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, l.Issuer.RawSubject) }},
	{"issuer-key", "RFC 5280 §4.2.1.1", true, func(l Limits, c *x509.Certificate) bool {
		return bytes.Equal(c.AuthorityKeyId, l.Issuer.SubjectKeyId)
	}},
	{"issuer-algorithm", "RFC 5280 §4.1.2.3", true, func(l Limits, c *x509.Certificate) bool { return c.SignatureAlgorithm == l.Issuer.SignatureAlgorithm }},
	{"not-before-of-the-day", "design §3.5: links nothing", false, func(l Limits, c *x509.Certificate) bool {
		return c.NotBefore.Equal(startOfDay(c.NotBefore)) || c.NotBefore.Equal(l.Issuer.NotBefore)
	}},
	{"not-after-parent", "R56", true, func(l Limits, c *x509.Certificate) bool { return !c.NotAfter.After(l.NotAfter) }},
	{"attested-key", "design §3.5", true, func(l Limits, c *x509.Certificate) bool {
		return bytes.Equal(c.RawSubjectPublicKeyInfo, l.PublicKey)
	}},
	{"attributes-of-the-card", "design §3.5", false, func(l Limits, c *x509.Certificate) bool {
		a, _, err := profile.ParseAttributes(c)
		return err == nil && a == l.Attributes
	}},
	{"partition-of-the-serial", "docs/profile.md: the list on which the serial number would be", false, func(l Limits, c *x509.Certificate) bool {
		return len(c.CRLDistributionPoints) == 1 && c.CRLDistributionPoints[0] == l.Point(c.SerialNumber.Bytes())
	}},
	{"opaque-common-name", "docs/profile.md", false, func(_ Limits, c *x509.Certificate) bool {
		return opaque(c.Subject.CommonName)
	}},
	{"size", "docs/profile.md: at most 4 KiB", true, func(_ Limits, c *x509.Certificate) bool { return len(c.RawTBSCertificate) <= 4<<10 }},
}

// opaque reports whether a common name is of the form that Issuer.commonName gives it.
func opaque(name string) bool {
	return len(name) == 24 && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// registry selects from zlint what applies to certificates that browsers never see: the
// RFCs and the community's lints, without the rules of the web's and the mail's PKI.
// Left out are one lint that compares with another authority's compromised keys and
// takes nine tenths of the time, and one that tries the first few private keys on the
// public one, which a key attested by its chip has no need of and which takes half of
// the rest.
func registry() (lint.Registry, error) {
	return lint.GlobalRegistry().Filter(lint.FilterOptions{
		IncludeSources: lint.SourceList{lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC6960, lint.RFC8813, lint.Community},
		ExcludeNames:   []string{"e_cert_issued_by_compromised_emudhra_ca", "e_ecdsa_small_private_key"},
	})
}

// lint refuses to-be-signed octets that profile, own lints or zlint find fault with,
// looking at them in a certificate with a throw-away signature. Error: Refused
// "certificate-lint" naming the rule.
func (i *Issuer) lint(tbs []byte, limits Limits) error {
	der, err := throwAway(tbs, i.config.Certificate)
	if err != nil {
		return err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return warifu.Refused("certificate-lint", "rule", "parses").With(err)
	}
	if err := i.profile.Check(c); err != nil {
		return err
	}
	for _, l := range lints {
		if !l.holds(limits, c) {
			return warifu.Refused("certificate-lint", "rule", l.Name)
		}
	}
	return i.zlintOnce(der, c)
}

// throwAway assembles a certificate with a signature of the right form and no worth.
func throwAway(tbs []byte, issuer *x509.Certificate) ([]byte, error) {
	algorithm, err := profile.AlgorithmOf(issuer.PublicKey)
	if err != nil {
		return nil, err
	}
	signature := []byte{0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01}
	if algorithm == profile.RSA2048 {
		signature = make([]byte, 256)
	}
	return profile.Certificate(tbs, algorithm, signature)
}

func (i *Issuer) zlintAll(der []byte) error {
	c, err := zx509.ParseCertificate(der)
	if err != nil {
		return warifu.Refused("certificate-lint", "rule", "zcrypto-parses").With(err)
	}
	// What zlint.LintCertificateEx does, without the report nobody reads.
	for _, l := range i.zlint {
		if result := l.Execute(c, i.zlintConfig); result.Status >= lint.Warn {
			return warifu.Refused("certificate-lint", "rule", l.Name)
		}
	}
	return nil
}
