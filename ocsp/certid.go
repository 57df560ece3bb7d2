package ocsp

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // CertIDs of clients that know nothing newer; identifies, protects nothing
	_ "crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

// maxSerial is the longest serial number there may be, in octets (RFC 5280 §4.1.2.2).
const maxSerial = 20

// CertID names one certificate (RFC 6960 §4.1.1): its issuer by two digests, and
// its serial number.
type CertID struct {
	Hash           crypto.Hash // crypto.SHA1 or crypto.SHA256; zero for one we do not know
	IssuerNameHash []byte      // of the issuer's DER Name
	IssuerKeyHash  []byte      // of the BIT STRING content of the issuer's public key
	Serial         []byte      // big-endian, no sign octet

	raw []byte // as it came; an answer repeats it octet for octet
}

// NewCertID names the certificate with the serial number under the issuer, by the
// hash h, which is crypto.SHA1 or crypto.SHA256.
func NewCertID(h crypto.Hash, issuer *x509.Certificate, serial *big.Int) CertID {
	name, key := issuerHashes(h, issuer)
	return CertID{Hash: h, IssuerNameHash: name, IssuerKeyHash: key, Serial: serial.Bytes()}
}

// IssuedBy reports whether id names a certificate of the issuer.
func (id CertID) IssuedBy(issuer *x509.Certificate) bool {
	if id.Hash == 0 {
		return false
	}
	name, key := issuerHashes(id.Hash, issuer)
	return bytes.Equal(id.IssuerNameHash, name) && bytes.Equal(id.IssuerKeyHash, key)
}

// Names reports whether id names the issuer's certificate with that serial number.
func (id CertID) Names(issuer *x509.Certificate, serial *big.Int) bool {
	return bytes.Equal(id.Serial, serial.Bytes()) && id.IssuedBy(issuer)
}

func issuerHashes(h crypto.Hash, issuer *x509.Certificate) (name, key []byte) {
	return sum(h, issuer.RawSubject), sum(h, publicKeyBits(issuer))
}

func sum(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// publicKeyBits returns the content of the subjectPublicKey BIT STRING, without the
// octet that counts unused bits.
func publicKeyBits(c *x509.Certificate) []byte {
	in := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var spki, algorithm cryptobyte.String
	var bits asn1.BitString
	if !in.ReadASN1(&spki, cbasn1.SEQUENCE) || !spki.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !spki.ReadASN1BitString(&bits) {
		return nil
	}
	return bits.Bytes
}

func (id CertID) add(b *cryptobyte.Builder) {
	if id.raw != nil {
		b.AddBytes(id.raw)
		return
	}
	oid := oidSHA256
	if id.Hash == crypto.SHA1 {
		oid = oidSHA1
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(id.IssuerNameHash)
		b.AddASN1OctetString(id.IssuerKeyHash)
		b.AddASN1BigInt(new(big.Int).SetBytes(id.Serial))
	})
}

func readCertID(in *cryptobyte.String) (CertID, bool) {
	var id CertID
	var element, body, algorithm, name, key cryptobyte.String
	var oid asn1.ObjectIdentifier
	serial := new(big.Int)
	if !in.ReadASN1Element(&element, cbasn1.SEQUENCE) {
		return id, false
	}
	id.raw = element
	ok := element.ReadASN1(&body, cbasn1.SEQUENCE) && body.ReadASN1(&algorithm, cbasn1.SEQUENCE) &&
		algorithm.ReadASN1ObjectIdentifier(&oid) && body.ReadASN1(&name, cbasn1.OCTET_STRING) &&
		body.ReadASN1(&key, cbasn1.OCTET_STRING) && body.ReadASN1Integer(serial) && body.Empty()
	if !ok || serial.Sign() < 0 || len(serial.Bytes()) > maxSerial {
		return id, false
	}
	switch {
	case oid.Equal(oidSHA1):
		id.Hash = crypto.SHA1
	case oid.Equal(oidSHA256):
		id.Hash = crypto.SHA256
	}
	id.IssuerNameHash, id.IssuerKeyHash, id.Serial = name, key, serial.Bytes()
	return id, id.Hash == 0 || (len(name) == id.Hash.Size() && len(key) == id.Hash.Size())
}
