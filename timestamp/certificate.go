package timestamp

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

// Policy is the policy that the house's authority follows: time from the server's one clock,
// within a second of UTC, key of one year's use at the most.
var Policy = asn1.ObjectIdentifier{2, 25, 154071603, 4, 1}

const (
	// RootYears is how long the root of the house's time-stamps lives.
	RootYears = 20
	// AuthorityYears is how long an authority's certificate lives: a token proves something
	// for as long.
	AuthorityYears = 10
	// keyYears is how long an authority signs with one key.
	keyYears = 1
)

// NewSerial draws a serial number of 128 random bits, for a token or a certificate. Drawn
// and not counted: servers of one authority need not agree, and a database put back from a
// copy cannot count the same number twice. Among 2^40 tokens two are the same with a
// probability below 2^-48 (RFC 3161 §2.4.2 wants them to differ).
func NewSerial() (*big.Int, error) {
	octets := make([]byte, 16)
	if _, err := rand.Read(octets); err != nil {
		return nil, err
	}
	octets[0] = octets[0]&0x7F | 0x40 // the same length for all, and never zero
	return new(big.Int).SetBytes(octets), nil
}

// Root makes the self-signed certificate of an authority for time-stamping authorities and
// nothing else (RFC 5280 §4.2.1.9: no further authorities below them).
func Root(key crypto.Signer, organization string, from time.Time) ([]byte, error) {
	serial, err := NewSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: name(organization, "Root of time-stamps"),
		NotBefore: from.UTC().Truncate(time.Second), NotAfter: from.UTC().Truncate(time.Second).AddDate(RootYears, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
}

// Appoint makes the certificate of a time-stamping authority below the root: its key is for
// time-stamps alone, and the certificate says so critically (RFC 3161 §2.3). It never outlives the
// root. issuer, where not empty, is where the root's certificate is to be had.
func Appoint(root *x509.Certificate, rootKey crypto.Signer, key crypto.PublicKey, issuer string, from time.Time) ([]byte, error) {
	serial, err := NewSerial()
	if err != nil {
		return nil, err
	}
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{oidTimeStamping})
	if err != nil {
		return nil, err
	}
	from = from.UTC().Truncate(time.Second)
	until := from.AddDate(AuthorityYears, 0, 0)
	if until.After(root.NotAfter) {
		until = root.NotAfter
	}
	organization := ""
	if len(root.Subject.Organization) > 0 {
		organization = root.Subject.Organization[0]
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: name(organization, "Time-stamps since "+from.Format(time.DateOnly)), NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		ExtraExtensions: []pkix.Extension{{Id: oidExtendedKeyUsage, Critical: true, Value: usage}},
	}
	if issuer != "" {
		template.IssuingCertificateURL = []string{issuer}
	}
	return x509.CreateCertificate(rand.Reader, template, root, key, rootKey)
}

var oidTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}

func name(organization, unit string) pkix.Name {
	return pkix.Name{Country: []string{"JP"}, Organization: []string{organization}, OrganizationalUnit: []string{"Warifu"}, CommonName: unit}
}

// SuccessorDue says that an authority shall get a new key and certificate: there is none, it
// is not valid, or its key has been used for a year, so that whoever gets at a key gets at one
// year's time-stamps.
func SuccessorDue(authority *x509.Certificate, now time.Time) bool {
	return authority == nil || now.Before(authority.NotBefore) || !now.Before(authority.NotBefore.AddDate(keyYears, 0, 0)) || !now.Before(authority.NotAfter)
}
