package status

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/ocsp"
)

// Past knows what became of certificates.
type Past interface {
	// Past returns every change of the status of the certificate of that kind with that
	// serial number (big-endian, no sign octet), oldest first; none for one never issued
	// and for one that is not in use yet. An error means that it could not be found out now.
	Past(ctx context.Context, kind warifu.Kind, serial []byte) ([]Moment, error)
}

// Moment is a change of a certificate's status: what it was from then on.
type Moment struct {
	At     time.Time
	Status warifu.Status
}

// Historian answers what OCSP cannot: when a certificate of one authority was on hold.
// Its answers are status histories (package ocsp), signed with the responder's key.
// Like the responder it is asked by anybody, and tells of a serial number never issued
// what it tells of one not in use yet.
type Historian struct {
	// Path is where it is mounted: "/api/v1/status-history/signature" or
	// "/api/v1/status-history/authentication" unless changed before use. The serial
	// number in hexadecimal follows behind it.
	Path string
	// Count, when not nil, is told every answer in a word, for metrics: "history" or "tryLater".
	Count func(answer string)

	kind     warifu.Kind
	issuer   *x509.Certificate
	past     Past
	delegate func() (Delegate, error)
	clock    warifu.Clock
}

// NewHistorian makes the historian for the issuer's certificates; delegate as for NewResponder.
func NewHistorian(kind warifu.Kind, issuer *x509.Certificate, past Past, delegate func() (Delegate, error), clock warifu.Clock) *Historian {
	return &Historian{Path: "/api/v1/status-history/" + kind.String(), kind: kind, issuer: issuer, past: past, delegate: delegate, clock: clock}
}

const maxSerial = 20 // octets (RFC 5280 §4.1.2.2)

// ServeHTTP implements http.Handler: GET and HEAD of Path/{serial}. What is in use may
// be kept by caches as an OCSP answer is.
func (o *Historian) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "ask by GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	digits, _ := strings.CutPrefix(r.URL.Path, o.Path+"/")
	serial, err := hex.DecodeString(digits)
	if err != nil || len(serial) == 0 || len(serial) > maxSerial || serial[0] == 0 {
		http.Error(w, "ask for a serial number: 1 to 20 octets in hexadecimal, none of them zero in front", http.StatusBadRequest)
		return
	}
	history, der, err := o.answer(r.Context(), serial)
	if err != nil {
		o.count("tryLater")
		w.Header().Set("Retry-After", "30")
		http.Error(w, "no history can be had now", http.StatusServiceUnavailable)
		return
	}
	o.count("history")
	h := w.Header()
	h.Set("Content-Type", "application/cms") // RFC 7193
	if len(history.Holds) == 0 && history.Active.IsZero() && history.Revoked.Cert != warifu.StatusRevoked {
		h.Set("Cache-Control", "no-store")
	} else {
		digest := sha256.Sum256(der)
		setCaching(h, `"`+hex.EncodeToString(digest[:])+`"`, history.AsOf, history.AsOf.Add(DefaultAnswerLife), o.clock.Now())
	}
	_, _ = w.Write(der)
}

func (o *Historian) count(answer string) {
	if o.Count != nil {
		o.Count(answer)
	}
}

// Answer returns the signed history of the certificate with that serial number.
func (o *Historian) Answer(ctx context.Context, serial []byte) ([]byte, error) {
	_, der, err := o.answer(ctx, serial)
	return der, err
}

func (o *Historian) answer(ctx context.Context, serial []byte) (ocsp.History, []byte, error) {
	now := o.clock.Now() // before it is looked up: the answer is complete up to here
	moments, err := o.past.Past(ctx, o.kind, serial)
	if err != nil {
		return ocsp.History{}, nil, err
	}
	id := ocsp.NewCertID(crypto.SHA256, o.issuer, new(big.Int).SetBytes(serial))
	history := historyOf(id, now, moments)
	d, err := o.delegate()
	if err != nil {
		return ocsp.History{}, nil, err
	}
	if now.Before(d.Certificate.NotBefore) || now.After(d.Certificate.NotAfter) {
		return ocsp.History{}, nil, errors.New("status: the responder's time is over")
	}
	der, err := ocsp.SignHistory(history, d.Certificate, d.Key)
	return history, der, err
}

// historyOf puts moments into a history that is complete up to now. Times are rounded
// to the second, each so that the certificate is rather not good; a clock that went
// back between two moments makes the hold between them longer, never shorter.
func historyOf(id ocsp.CertID, now time.Time, moments []Moment) ocsp.History {
	h := ocsp.History{CertID: id, AsOf: down(now)}
	var held *Moment
	lift := func(at time.Time) {
		if held == nil {
			return
		}
		i := ocsp.Interval{From: down(held.At), To: up(at)}
		if at.Before(held.At) {
			i = ocsp.Interval{From: down(at), To: down(held.At).Add(time.Second)} // the instant of its beginning too
		}
		if !i.To.After(i.From) {
			i.To = i.From.Add(time.Second)
		}
		h.Holds, held = append(h.Holds, i), nil
	}
	for _, m := range moments {
		if at := down(m.At); at.After(h.AsOf) { // another server's clock is ahead of ours
			h.AsOf = at
		}
		switch {
		case m.Status.Cert == warifu.StatusGood:
			lift(m.At)
			if h.Active.IsZero() {
				h.Active = up(m.At)
			}
		case m.Status.Cert == warifu.StatusRevoked && m.Status.Reason == warifu.ReasonCertificateHold:
			if held == nil {
				held = &m
			}
		case m.Status.Cert == warifu.StatusRevoked:
			lift(m.At)
			h.Revoked = m.Status
			h.Revoked.RevokedAt = down(m.At)
		}
	}
	if held != nil { // it has no end, and swallows what such a clock has put behind its beginning
		from := down(held.At)
		h.Holds = slices.DeleteFunc(h.Holds, func(i ocsp.Interval) bool { return !i.From.Before(from) })
		h.Holds = append(h.Holds, ocsp.Interval{From: from})
	}
	slices.SortStableFunc(h.Holds, func(a, b ocsp.Interval) int { return cmp.Compare(a.From.Unix(), b.From.Unix()) })
	return h
}

func down(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func up(t time.Time) time.Time {
	if whole := down(t); !whole.Equal(t) {
		return whole.Add(time.Second)
	}
	return down(t)
}
