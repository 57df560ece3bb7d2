package profile

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// extension returns the value of c's extension of that type, or nil. Repetitions
// never get here: crypto/x509 refuses them.
func extension(c *x509.Certificate, oid asn1.ObjectIdentifier) []byte {
	for _, e := range c.Extensions {
		if e.Id.Equal(oid) {
			return e.Value
		}
	}
	return nil
}

func sequence(fill func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, fill)
	return b.BytesOrPanic() // cannot fail: our own identifiers and short lengths
}

// Key usages as the whole DER value: BIT STRING with the trailing zero bits cut off (X.690 §11.2.2).
var (
	usageSignature      = []byte{0x03, 0x02, 0x06, 0xc0} // digitalSignature, nonRepudiation
	usageAuthentication = []byte{0x03, 0x02, 0x07, 0x80} // digitalSignature
	usageAuthority      = []byte{0x03, 0x02, 0x01, 0x06} // keyCertSign, cRLSign
	usageMaker          = []byte{0x03, 0x02, 0x02, 0x04} // keyCertSign
)

func keyUsage(value []byte) pkix.Extension {
	return pkix.Extension{Id: oidKeyUsage, Critical: true, Value: value}
}

func extendedKeyUsage(purpose asn1.ObjectIdentifier) pkix.Extension {
	return pkix.Extension{Id: oidExtendedKeyUsage, Value: sequence(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(purpose) })}
}

// policy encodes one critical policy, with a CPS qualifier where cps is not empty.
func policy(oid asn1.ObjectIdentifier, cps string) pkix.Extension {
	value := sequence(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			if cps == "" {
				return
			}
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidCPS)
					b.AddASN1(cbasn1.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(cps)) })
				})
			})
		})
	})
	return pkix.Extension{Id: oidPolicies, Critical: true, Value: value}
}

// alternativeName encodes GeneralNames with one directoryName.
func alternativeName(name []byte) []byte {
	return sequence(func(b *cryptobyte.Builder) { directoryName(b, name) })
}

// crlPoint encodes one distribution point with one fullName, written by general.
func crlPoint(general func(b *cryptobyte.Builder)) pkix.Extension {
	wrap := cbasn1.Tag(0).ContextSpecific().Constructed() // distributionPoint [0], fullName [0]
	value := sequence(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(wrap, func(b *cryptobyte.Builder) { b.AddASN1(wrap, general) })
		})
	})
	return pkix.Extension{Id: oidCRLPoints, Value: value}
}

// authorityInfo encodes the OCSP address and, where not empty, that of the issuer's certificate.
func authorityInfo(ocsp, issuer string) pkix.Extension {
	access := func(b *cryptobyte.Builder, method asn1.ObjectIdentifier, uri string) {
		if uri == "" {
			return
		}
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(method)
			uniformResource(b, uri)
		})
	}
	return pkix.Extension{Id: oidAuthorityInfo, Value: sequence(func(b *cryptobyte.Builder) {
		access(b, oidAccessOCSP, ocsp)
		access(b, oidAccessIssuers, issuer)
	})}
}

func authorityKeyID(id []byte) pkix.Extension {
	return pkix.Extension{Id: oidAuthorityKeyID, Value: sequence(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(id) })
	})}
}

func subjectKeyID(id []byte) pkix.Extension {
	var b cryptobyte.Builder
	b.AddASN1OctetString(id)
	return pkix.Extension{Id: oidSubjectKeyID, Value: b.BytesOrPanic()}
}
