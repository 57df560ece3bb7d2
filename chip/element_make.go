package chip

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/globalplatform"
	"warifu/jpki"
)

// Maker is who manufactures secure elements and answers for their attestation keys: a root
// that relying parties anchor, whose key is gone, and the authority under it that certifies
// each chip. It holds a private key; whoever keeps it keeps it sealed.
type Maker struct {
	Name      string `json:"name"`
	Root      []byte `json:"root"`      // DER, the anchor of attestation chains
	Authority []byte `json:"authority"` // DER, under Root
	Key       []byte `json:"key"`       // PKCS #8, of Authority
}

// makerLife is how long a maker's certificates last: longer than any phone.
const makerLife = 30 * 365 * 24 * time.Hour

// NewMaker founds a maker at the instant at. Its certificates say WARIFU-TEST.
func NewMaker(name string, at time.Time) (*Maker, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	m := &Maker{Name: name}
	root := makerCertificate(m.subject("attestation root"), at)
	if m.Root, err = x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey); err != nil {
		return nil, err
	}
	authority := makerCertificate(m.subject("attestation authority"), at)
	authority.MaxPathLenZero = true
	if m.Authority, err = x509.CreateCertificate(rand.Reader, authority, root, key.Public(), rootKey); err != nil {
		return nil, err
	}
	m.Key, err = x509.MarshalPKCS8PrivateKey(key)
	return m, err
}

func (m *Maker) subject(unit string) pkix.Name {
	return pkix.Name{Country: []string{"JP"}, Organization: []string{"WARIFU-TEST"}, OrganizationalUnit: []string{m.Name}, CommonName: unit}
}

func makerCertificate(subject pkix.Name, at time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: randomSerial(), Subject: subject, NotBefore: at.UTC().Truncate(time.Second), NotAfter: at.UTC().Add(makerLife),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func randomSerial() *big.Int {
	octets := make([]byte, 16)
	_, _ = rand.Read(octets) // never fails (crypto/rand)
	octets[0] = octets[0]&0x7F | 0x01
	return new(big.Int).SetBytes(octets)
}

// Order says what a secure element is to be made for.
type Order struct {
	Model       string            // catalogue identifier of the phone
	Identifiers map[string]string // device identifiers by name ("imei", "serial"); kept only salted
	// Domain gives the supplementary domain's keys for the new chip: what the server derives
	// for the same identifier (DeriveDomainKeys).
	Domain func(warifu.ElementID) (DomainKeys, error)
	Apps   []warifu.Digest // SHA-256 of the signing certificates of the apps that may reach it
	At     time.Time
	ID     warifu.ElementID // zero: made at random
}

// identifierNames are the identifiers a chip may carry, in the order of the attestation.
var identifierNames = []string{"imei", "imei2", "meid", "serial"}

// Manufacture makes a secure element: its identifier, attestation key and certificate, the
// maker's own keys, and the access rules that let the apps reach the JPKI application and the
// supplementary domain.
func (m *Maker) Manufacture(o Order) (ElementPersonality, error) {
	p := ElementPersonality{ID: o.ID, Model: o.Model, IssuerKeys: randomKeys(), Identifiers: salted(o.Identifiers)}
	if p.ID.IsZero() {
		_, _ = rand.Read(p.ID[:])
	}
	var err error
	if p.DomainKeys, err = o.Domain(p.ID); err != nil {
		return p, err
	}
	for _, app := range o.Apps {
		p.Access = append(p.Access, AccessRule{AID: jpki.AID, Caller: app}, AccessRule{AID: jpki.AIDDomain, Caller: app})
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return p, err
	}
	if p.AttestationKey, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return p, err
	}
	leaf, err := m.certify(p.ID, key.Public(), o.At)
	p.Chain = [][]byte{leaf, m.Authority}
	return p, err
}

// certify issues the certificate of a chip's attestation key; the subject's serialNumber is
// the chip's identifier (attest.VerifyChain).
func (m *Maker) certify(id warifu.ElementID, key crypto.PublicKey, at time.Time) ([]byte, error) {
	authority, err := x509.ParseCertificate(m.Authority)
	if err != nil {
		return nil, err
	}
	signer, err := parsePrivateKey(m.Key)
	if err != nil {
		return nil, err
	}
	subject := m.subject("secure element")
	subject.SerialNumber = id.String()
	return x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: randomSerial(), Subject: subject, NotBefore: at.UTC().Truncate(time.Second), NotAfter: authority.NotAfter,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}, authority, key, signer)
}

// salted keeps of each identifier what only somebody who already knows it can recognise.
func salted(identifiers map[string]string) []attest.Identifier {
	var out []attest.Identifier
	for _, name := range identifierNames {
		value, ok := identifiers[name]
		if !ok {
			continue
		}
		salt := make([]byte, 16)
		_, _ = rand.Read(salt)
		digest := sha256.Sum256(append(append([]byte(nil), salt...), value...))
		out = append(out, attest.Identifier{Name: name, Salt: salt, Digest: digest[:]})
	}
	return out
}

func randomKeys() DomainKeys {
	key := func() []byte {
		octets := make([]byte, 32)
		_, _ = rand.Read(octets)
		return octets
	}
	return DomainKeys{ENC: key(), MAC: key(), DEK: key()}
}

// DeriveDomainKeys derives the supplementary domain's keys for one chip from a master key, by
// nothing but the operation CMAC; the labels are those that the server derives with
// (docs/secure-element.md §3).
func DeriveDomainKeys(master globalplatform.Key, id warifu.ElementID) (DomainKeys, error) {
	var out DomainKeys
	for _, k := range []struct {
		label  string
		octets *[]byte
	}{{jpki.LabelDomainENC, &out.ENC}, {jpki.LabelDomainMAC, &out.MAC}, {jpki.LabelDomainDEK, &out.DEK}} {
		octets, err := globalplatform.Diversify(master, k.label, id[:], jpki.DomainKeyBits)
		if err != nil {
			return out, err
		}
		*k.octets = octets
	}
	return out, nil
}
