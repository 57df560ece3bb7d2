package ocsp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/cms"
)

// OIDHistory is the eContentType of a status history.
var OIDHistory = asn1.ObjectIdentifier{2, 25, 154071603, 1, 3}

const (
	// MaxHistory bounds a signed history in octets.
	MaxHistory = 256 << 10
	// MaxHolds bounds the holds in one.
	MaxHolds = 4096
)

// Interval is a span of time that begins with From and ends before To; a zero To is
// no end.
type Interval struct{ From, To time.Time }

// Contains reports whether t lies in i.
func (i Interval) Contains(t time.Time) bool {
	return !t.Before(i.From) && (i.To.IsZero() || t.Before(i.To))
}

// History is what became of one certificate until AsOf. OCSP tells the present only:
// a hold that was lifted leaves no trace in its answers, though what was signed during
// it stays bad. Times are to the second, each rounded to the side on which the
// certificate is not good.
//
// It travels as CMS, an attached message of content type OIDHistory signed by the key
// that signs the authority's OCSP responses, so that whoever stands between can leave
// nothing out. Its content is DER:
//
//	StatusHistory ::= SEQUENCE {
//	   version  INTEGER (1),
//	   certID   CertID,                     -- RFC 6960 §4.1.1, by SHA-256
//	   asOf     GeneralizedTime,
//	   active   [0] EXPLICIT GeneralizedTime OPTIONAL,
//	   holds    SEQUENCE OF SEQUENCE { from GeneralizedTime, to GeneralizedTime OPTIONAL },
//	   revoked  [1] IMPLICIT RevokedInfo OPTIONAL }  -- RFC 6960 §4.2.1
type History struct {
	CertID CertID
	AsOf   time.Time
	Active time.Time  // since when it has been in use; zero: never
	Holds  []Interval // in order of From; only the last may have no end
	// Revoked is its final revocation, and the zero status where there is none.
	Revoked warifu.Status
}

// At returns the certificate's status at an instant not after AsOf: unknown before it
// was in use.
func (h *History) At(t time.Time) warifu.Status {
	if h.Revoked.Cert == warifu.StatusRevoked && !t.Before(h.Revoked.RevokedAt) {
		return h.Revoked
	}
	for _, i := range h.Holds {
		if i.Contains(t) {
			return warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: i.From}
		}
	}
	if h.Active.IsZero() || t.Before(h.Active) {
		return warifu.Status{}
	}
	return warifu.Status{Cert: warifu.StatusGood}
}

// valid reports whether the history can be true.
func (h *History) valid() bool {
	end := h.AsOf.Add(time.Second) // what happened within the second of AsOf may be rounded up
	final := h.Revoked.Cert == warifu.StatusRevoked
	ok := !h.Active.After(end) && len(h.Holds) <= MaxHolds && h.CertID.Hash == crypto.SHA256
	if reason := h.Revoked.Reason; final {
		ok = ok && reason != warifu.ReasonCertificateHold && reason != warifu.ReasonRemoveFromCRL && !h.Revoked.RevokedAt.After(h.AsOf)
	} else {
		ok = ok && h.Revoked == warifu.Status{}
	}
	var last time.Time
	for n, i := range h.Holds {
		ok = ok && !i.From.Before(last) && !i.From.After(h.AsOf) && !i.To.After(end)
		if i.To.IsZero() {
			ok = ok && n == len(h.Holds)-1 && !final
		} else {
			ok = ok && i.To.After(i.From)
		}
		last = i.From
	}
	return ok
}

// SignHistory signs a history with the key of a responder.
func SignHistory(h History, responder *x509.Certificate, key crypto.Signer) ([]byte, error) {
	if len(h.Holds) > MaxHolds {
		return nil, warifu.TooLarge("status-answer-too-large")
	}
	content, err := h.marshal()
	if err != nil {
		return nil, err
	}
	return cms.Sign(OIDHistory, content, responder, key)
}

func (h *History) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		h.CertID.add(b)
		b.AddASN1GeneralizedTime(h.AsOf.UTC())
		if !h.Active.IsZero() {
			b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(h.Active.UTC()) })
		}
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, i := range h.Holds {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1GeneralizedTime(i.From.UTC())
					if !i.To.IsZero() {
						b.AddASN1GeneralizedTime(i.To.UTC())
					}
				})
			}
		})
		if h.Revoked.Cert == warifu.StatusRevoked {
			addRevoked(b, h.Revoked)
		}
	})
	return b.Bytes()
}

// SignedHistory is a history as it was read. Nothing in it is to be believed before Verify.
type SignedHistory struct {
	History
	Responder *x509.Certificate
	Raw       []byte

	message *cms.Message
}

// ParseHistory reads a signed history. Errors: Invalid "status-answer-malformed", TooLarge
// "status-answer-too-large".
func ParseHistory(der []byte) (*SignedHistory, error) {
	if len(der) > MaxHistory {
		return nil, warifu.TooLarge("status-answer-too-large")
	}
	m, err := cms.ParseWithin(der, MaxHistory)
	if err != nil {
		return nil, warifu.Invalid("status-answer-malformed", "what", "signed message").With(err)
	}
	if !m.ContentType.Equal(OIDHistory) || m.Detached {
		return nil, malformedResponse("content type")
	}
	h := &SignedHistory{Responder: m.Signer, Raw: der, message: m}
	if what := h.read(m.Content); what != "" {
		return nil, malformedResponse(what)
	}
	if again, err := h.marshal(); err != nil || !bytes.Equal(again, m.Content) || !h.valid() {
		return nil, malformedResponse("history")
	}
	return h, nil
}

// read fills h and returns what could not be read.
func (h *History) read(content cryptobyte.String) (what string) {
	var body, holds, explicit cryptobyte.String
	var version int
	var has, ok bool
	if !content.ReadASN1(&body, cbasn1.SEQUENCE) || !content.Empty() || !body.ReadASN1Integer(&version) || version != 1 {
		return "version"
	}
	if h.CertID, ok = readCertID(&body); !ok {
		return "CertID"
	}
	if !readTime(&body, &h.AsOf) {
		return "asOf"
	}
	if !body.ReadOptionalASN1(&explicit, &has, context(0)) || (has && (!readTime(&explicit, &h.Active) || !explicit.Empty())) {
		return "active"
	}
	if !body.ReadASN1(&holds, cbasn1.SEQUENCE) {
		return "holds"
	}
	for !holds.Empty() {
		var one cryptobyte.String
		var i Interval
		if len(h.Holds) == MaxHolds || !holds.ReadASN1(&one, cbasn1.SEQUENCE) || !readTime(&one, &i.From) ||
			(!one.Empty() && !readTime(&one, &i.To)) || !one.Empty() {
			return "holds"
		}
		h.Holds = append(h.Holds, i)
	}
	if body.PeekASN1Tag(context(1)) {
		if h.Revoked, ok = readStatus(&body); !ok {
			return "revoked"
		}
	}
	if !body.Empty() {
		return "more than a history"
	}
	return ""
}

// Verify checks that the history is the issuer's word, or that of a responder it
// appointed whose time is not over, about the certificate with that serial number.
// How far it reaches is the caller's to look at. Errors: Refused
// "status-answer-mismatch", "status-responder-unauthorized", "status-answer-signature",
// "status-answer-future".
func (h *SignedHistory) Verify(issuer *x509.Certificate, serial *big.Int, now time.Time) error {
	if !h.CertID.Names(issuer, serial) {
		return warifu.Refused("status-answer-mismatch")
	}
	if !bytes.Equal(h.Responder.Raw, issuer.Raw) {
		if err := CheckDelegation(h.Responder, issuer, now); err != nil {
			return err
		}
	}
	if err := h.message.Verify(nil); err != nil {
		return warifu.Refused("status-answer-signature").With(err)
	}
	if h.AsOf.After(now.Add(MaxSkew)) {
		return warifu.Refused("status-answer-future")
	}
	return nil
}
