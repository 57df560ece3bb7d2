package warifu

import (
	"fmt"
	"time"
)

// Reason is the CRLReason of RFC 5280 §5.3.1; 7 is not used there.
type Reason uint8

// The reasons of RFC 5280 §5.3.1.
const (
	ReasonUnspecified          Reason = 0
	ReasonKeyCompromise        Reason = 1
	ReasonCACompromise         Reason = 2
	ReasonAffiliationChanged   Reason = 3
	ReasonSuperseded           Reason = 4
	ReasonCessationOfOperation Reason = 5
	ReasonCertificateHold      Reason = 6
	ReasonRemoveFromCRL        Reason = 8
	ReasonPrivilegeWithdrawn   Reason = 9
	ReasonAACompromise         Reason = 10
)

var reasonNames = map[Reason]string{
	ReasonUnspecified: "unspecified", ReasonKeyCompromise: "keyCompromise", ReasonCACompromise: "cACompromise",
	ReasonAffiliationChanged: "affiliationChanged", ReasonSuperseded: "superseded",
	ReasonCessationOfOperation: "cessationOfOperation", ReasonCertificateHold: "certificateHold",
	ReasonRemoveFromCRL: "removeFromCRL", ReasonPrivilegeWithdrawn: "privilegeWithdrawn", ReasonAACompromise: "aACompromise",
}

// String returns the reason's name as RFC 5280 writes it.
func (r Reason) String() string {
	if s, ok := reasonNames[r]; ok {
		return s
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// Valid reports whether r is a reason RFC 5280 defines.
func (r Reason) Valid() bool { _, ok := reasonNames[r]; return ok }

// CertStatus is what may be said of a certificate: good, revoked or unknown. The
// zero value is unknown, so that what nobody checked is never good.
type CertStatus uint8

// The three answers of RFC 6960 §2.2.
const (
	StatusUnknown CertStatus = iota
	StatusGood
	StatusRevoked
)

// String returns "unknown", "good" or "revoked".
func (s CertStatus) String() string {
	switch s {
	case StatusGood:
		return "good"
	case StatusRevoked:
		return "revoked"
	}
	return "unknown"
}

// MarshalText implements encoding.TextMarshaler.
func (s CertStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Status is the state of one certificate at an authority.
type Status struct {
	Cert      CertStatus
	Reason    Reason    // when revoked; ReasonCertificateHold while suspended
	RevokedAt time.Time // when revoked
}

// StatusRecord is a Status with the serial number it speaks of: the unit of CRLs
// and of the feed that responders follow. Serial is the big-endian content of
// the INTEGER without sign octet.
type StatusRecord struct {
	Kind     Kind
	Serial   []byte
	Status   Status
	NotAfter time.Time // of the certificate; zero where unknown
}
