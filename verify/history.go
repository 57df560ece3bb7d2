package verify

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/profile"
)

// History tells of a certificate's past what its present status cannot: a suspension
// that was lifted, during which nothing that was signed is good.
type History interface {
	// Holds returns the intervals in which the certificate was not good. It returns only
	// what the issuer, or a responder it appointed, has signed about this certificate; now
	// is the verifier's present instant. Where nobody offers a history of the issuer's
	// certificates the error is NotFound "status-history-absent", and the verifier goes on
	// without; any other error leaves the verdict unknown at best.
	Holds(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Past, error)
}

// Past is an authentic word about when a certificate was not good.
type Past struct {
	AsOf   time.Time // nothing that had begun by then is missing
	Holds  []Interval
	Source string // for people: "history http://…"
}

// Interval is a span of time in which a certificate was not good: it begins with From
// and ends before To. A zero From is as far back as there is, a zero To has no end.
type Interval struct {
	From, To time.Time
	// Status is what it was then: revoked with certificateHold while it was suspended,
	// otherwise revoked for good, or unknown before it was in use.
	Status warifu.Status
}

// Contains reports whether t lies in i.
func (i Interval) Contains(t time.Time) bool {
	return !t.Before(i.From) && (i.To.IsZero() || t.Before(i.To))
}

// HistoryClient asks the service that issued the certificate for its status history
// over HTTP. The zero value is ready for use.
type HistoryClient struct {
	HTTP *http.Client // nil: ten seconds, no redirects
	// Address is asked instead of the issuer's own when not empty:
	// "https://…/api/v1/status-history/signature". It is one authority's.
	Address string
}

// historyPath stands in a history's address where /ocsp/ stands in its responder's.
const historyPath = "/api/v1/status-history/"

// Holds implements History. Errors: NotFound "status-history-absent" where the
// certificate's responder is not one of those that tell histories, Unavailable
// "status-unavailable", those of ocsp.ParseHistory and SignedHistory.Verify.
func (c HistoryClient) Holds(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Past, error) {
	_, past, err := c.ask(ctx, certificate, issuer, now)
	return past, err
}

// Fetch asks as Holds does and returns the service's octets, checked to be an answer
// about the certificate, to be kept and handed in later as a RawHistory.
func (c HistoryClient) Fetch(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) ([]byte, error) {
	der, _, err := c.ask(ctx, certificate, issuer, now)
	return der, err
}

func (c HistoryClient) ask(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) ([]byte, Past, error) {
	address := c.Address
	if address == "" {
		address = historyOf(certificate)
	}
	if address == "" {
		return nil, Past{}, warifu.NotFound("status-history-absent")
	}
	der, err := c.fetch(ctx, address, certificate)
	if err != nil {
		return nil, Past{}, err
	}
	past, err := readHistory(der, certificate, issuer, now)
	past.Source = "history " + address
	return der, past, err
}

func (c HistoryClient) fetch(ctx context.Context, address string, certificate *x509.Certificate) ([]byte, error) {
	address = strings.TrimSuffix(address, "/") + "/" + hex.EncodeToString(certificate.SerialNumber.Bytes())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, warifu.Unavailable("status-unavailable").With(err)
	}
	return fetch(c.HTTP, request, "application/cms", ocsp.MaxHistory)
}

// historyOf is where the histories of a phone's authority are: beside its responder,
// which is at /ocsp/{authority}. Empty for a certificate of any other shape.
func historyOf(certificate *x509.Certificate) string {
	class, kind, known := profile.ClassOf(certificate)
	address, err := pick("", certificate.OCSPServer)
	if err != nil || !known || class != profile.ClassPhone {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Path != "/ocsp/"+kind.String() || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	u.Path, u.RawPath = historyPath+kind.String(), ""
	return u.String()
}

// RawHistory tells a past with a history that was handed in or kept. It reaches as far
// as the instant it was made at.
type RawHistory []byte

// Holds implements History.
func (raw RawHistory) Holds(_ context.Context, certificate, issuer *x509.Certificate, now time.Time) (Past, error) {
	past, err := readHistory(raw, certificate, issuer, now)
	past.Source = "history handed in"
	return past, err
}

func readHistory(der []byte, certificate, issuer *x509.Certificate, now time.Time) (Past, error) {
	h, err := ocsp.ParseHistory(der)
	if err != nil {
		return Past{}, err
	}
	if err := h.Verify(issuer, certificate.SerialNumber, now); err != nil {
		return Past{}, err
	}
	past := Past{AsOf: h.AsOf}
	for _, i := range h.Holds {
		past.Holds = append(past.Holds, Interval{From: i.From, To: i.To, Status: h.At(i.From)})
	}
	if h.Revoked.Cert == warifu.StatusRevoked {
		past.Holds = append(past.Holds, Interval{From: h.Revoked.RevokedAt, Status: h.Revoked})
	}
	return past.unused(h.Active), nil
}

// unused adds the time before the certificate was in use.
func (p Past) unused(active time.Time) Past {
	p.Holds = append(p.Holds, Interval{To: active})
	return p
}

// at returns what the certificate was at an instant: good where no interval contains
// it, and a final revocation before a suspension before not being in use.
func (p Past) at(t time.Time) (Interval, bool) {
	var found Interval
	bad := false
	for _, i := range p.Holds {
		if i.Contains(t) && (!bad || i.weight() > found.weight()) {
			found, bad = i, true
		}
	}
	return found, bad
}

func (i Interval) weight() int {
	switch {
	case i.Status.Cert != warifu.StatusRevoked:
		return 0
	case i.Status.Reason == warifu.ReasonCertificateHold:
		return 1
	}
	return 2
}

// weighPast turns a past into reasons about the instant judged, which it must reach. An
// instant so near to now that no answer could be younger is told by one as fresh as an
// OCSP answer has to be.
func (r *Result) weighPast(past Past, now time.Time, maxAge time.Duration) {
	reach := r.At
	if fresh := now.Add(-ocsp.MaxSkew); reach.After(fresh) {
		reach = fresh
	}
	if past.AsOf.Before(reach) || (maxAge > 0 && r.At.Sub(past.AsOf) > maxAge) {
		r.unsure(warifu.Refused("status-answer-stale", "thisUpdate", stamp(past.AsOf)))
		return
	}
	i, bad := past.at(r.At)
	switch {
	case !bad:
		r.Status = warifu.Status{Cert: warifu.StatusGood}
	case i.weight() == 0:
		r.unsure(warifu.Unavailable("status-unknown"))
	case i.weight() == 1 && !i.To.IsZero():
		r.Status = i.Status
		r.bad(warifu.Refused("certificate-was-suspended", "since", stamp(i.From), "until", stamp(i.To)))
	default:
		r.Status = i.Status
		r.bad(revoked(i.Status))
	}
}
