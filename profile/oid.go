package profile

import (
	"crypto/x509"
	"encoding/asn1"

	"warifu"
)

// Certificate policies. A certificate of the house asserts exactly one, and it
// alone tells card from phone and signature from authentication (card-facts §2.3).
var (
	// PolicyCardSignature is the card's 署名用 policy in the test hierarchy.
	PolicyCardSignature = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 20}
	// PolicyCardSignatureReal is the same in the real hierarchy: recognised by ClassOf, accepted
	// only where an operator sets Profile.Policy to it.
	PolicyCardSignatureReal = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 1, 20}
	// PolicyCardAuthentication is the card's 利用者証明用 policy.
	PolicyCardAuthentication = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 3, 30}
	// PolicyPhoneSignature is our own policy of the phone's 署名用 certificate.
	PolicyPhoneSignature = asn1.ObjectIdentifier{2, 25, 154071603, 2, 1}
	// PolicyPhoneAuthentication is our own policy of the phone's 利用者証明用 certificate.
	PolicyPhoneAuthentication = asn1.ObjectIdentifier{2, 25, 154071603, 2, 2}
)

// The types of the six otherNames that carry the four attributes (card-facts §2.2).
var (
	OIDName                = attributeOID(1)
	OIDNameSubstitution    = attributeOID(2)
	OIDGender              = attributeOID(3)
	OIDBirthDate           = attributeOID(4)
	OIDAddress             = attributeOID(5)
	OIDAddressSubstitution = attributeOID(6)
)

func attributeOID(n int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 5, n}
}

// Extensions and their parts, RFC 5280 §4.2 and RFC 6960 §4.2.2.2.
var (
	oidSubjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSubjectAltName   = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidIssuerAltName    = asn1.ObjectIdentifier{2, 5, 29, 18}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidCRLPoints        = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidPolicies         = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidAuthorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidAuthorityInfo    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidCPS              = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	oidClientAuth       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	oidOCSPSigning      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}
	oidAccessOCSP       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}
	oidAccessIssuers    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 2}
	oidOCSPNoCheck      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
)

// Class says where a certificate's key lives.
type Class uint8

// The classes. The zero value is no class.
const (
	ClassCard  Class = 1 // on the identity card: the parent
	ClassPhone Class = 2 // in a phone's secure element: the child
)

// String returns "card" or "phone".
func (c Class) String() string {
	switch c {
	case ClassCard:
		return "card"
	case ClassPhone:
		return "phone"
	}
	return "none"
}

var policies = []struct {
	oid   asn1.ObjectIdentifier
	class Class
	kind  warifu.Kind
}{
	{PolicyCardSignature, ClassCard, warifu.Signature},
	{PolicyCardSignatureReal, ClassCard, warifu.Signature},
	{PolicyCardAuthentication, ClassCard, warifu.Authentication},
	{PolicyPhoneSignature, ClassPhone, warifu.Signature},
	{PolicyPhoneAuthentication, ClassPhone, warifu.Authentication},
}

// ClassOf tells class and kind by the certificate's one policy. It says what a
// certificate claims to be, not whether it is: that is Check and the chain.
func ClassOf(c *x509.Certificate) (Class, warifu.Kind, bool) {
	if len(c.PolicyIdentifiers) != 1 {
		return 0, 0, false
	}
	for _, p := range policies {
		if p.oid.Equal(c.PolicyIdentifiers[0]) {
			return p.class, p.kind, true
		}
	}
	return 0, 0, false
}
