package status

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
	"warifu/ocsp"
)

const (
	// MaxAge is the longest that a cache may keep an answer or a list.
	MaxAge = 60 * time.Second
	// DefaultAnswerLife is the time from thisUpdate to nextUpdate of an answer.
	DefaultAnswerLife = 10 * time.Minute
)

// Source knows the status of certificates.
type Source interface {
	// Status returns what is known of the certificate of that kind with that serial
	// number (big-endian, no sign octet), and false for one never issued. A
	// certificate that is not active yet has the status unknown. An error means that
	// it could not be found out now.
	Status(ctx context.Context, kind warifu.Kind, serial []byte) (warifu.StatusRecord, bool, error)
}

// Delegate is a responder's certificate (profile.Responder) and its key.
type Delegate struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// Responder answers OCSP requests about the certificates of one authority.
type Responder struct {
	// Path is where it is mounted: "/ocsp/signature" or "/ocsp/authentication"
	// unless changed before use. A GET request's base64 follows behind it.
	Path string
	// Life is the time from thisUpdate to nextUpdate; DefaultAnswerLife unless changed.
	Life time.Duration
	// Count, when not nil, is told every answer in a word, for metrics: "good", "revoked",
	// "unknown", or the name of the error response.
	Count func(answer string)

	kind     warifu.Kind
	issuer   *x509.Certificate
	source   Source
	delegate func() (Delegate, error)
	clock    warifu.Clock
}

// NewResponder makes the responder for the issuer's certificates. delegate is called
// for every answer, so that the key may be rotated; it returns what is to sign now.
func NewResponder(kind warifu.Kind, issuer *x509.Certificate, source Source, delegate func() (Delegate, error), clock warifu.Clock) *Responder {
	return &Responder{
		Path: "/ocsp/" + kind.String(), Life: DefaultAnswerLife,
		kind: kind, issuer: issuer, source: source, delegate: delegate, clock: clock,
	}
}

// ServeHTTP implements http.Handler (RFC 6960 appendix A): POST with the request as
// body, or GET with its base64 behind Path. It must be reached with the path as it
// came, not through http.ServeMux, which would redirect a GET whose base64 has two
// slashes in a row to another question.
func (o *Responder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var question []byte
	var err error
	switch r.Method {
	case http.MethodGet:
		question, err = o.questionOfPath(r.URL.EscapedPath())
	case http.MethodPost:
		if mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(mediaType) != "application/ocsp-request" {
			http.Error(w, "Content-Type must be application/ocsp-request", http.StatusUnsupportedMediaType)
			return
		}
		question, err = io.ReadAll(http.MaxBytesReader(w, r.Body, ocsp.MaxRequest+1))
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "ask by GET or POST", http.StatusMethodNotAllowed)
		return
	}
	if err != nil {
		o.refuse(w, ocsp.MalformedRequest)
		return
	}
	a, refusal := o.answer(r.Context(), question)
	if refusal != ocsp.Successful {
		o.refuse(w, refusal)
		return
	}
	a.write(w, r, o.clock.Now())
}

// questionOfPath decodes the base64 behind Path: '+' and '/' may stand as they are
// or percent-escaped.
func (o *Responder) questionOfPath(escaped string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(escaped, o.Path+"/")
	if !ok || len(encoded) > 3*ocsp.MaxRequest {
		return nil, errors.New("status: no request in the path")
	}
	plain, err := url.PathUnescape(encoded)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(plain, "\r\n") { // which the decoder would skip
		return nil, errors.New("status: line break in base64")
	}
	return base64.StdEncoding.DecodeString(plain)
}

func (o *Responder) refuse(w http.ResponseWriter, status ocsp.ResponseStatus) {
	o.count(status.String())
	w.Header().Set("Content-Type", "application/ocsp-response")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(ocsp.ErrorResponse(status))
}

func (o *Responder) count(answer string) {
	if o.Count != nil {
		o.Count(answer)
	}
}

// answered is a signed response with what a cache has to know of it.
type answered struct {
	der        []byte
	thisUpdate time.Time
	nextUpdate time.Time
	keep       bool // caches may
}

// Answer answers a DER request with a DER response, which is an error response for
// what it cannot or must not answer (RFC 6960 §2.3).
func (o *Responder) Answer(ctx context.Context, question []byte) []byte {
	a, refusal := o.answer(ctx, question)
	if refusal != ocsp.Successful {
		return ocsp.ErrorResponse(refusal)
	}
	return a.der
}

func (o *Responder) answer(ctx context.Context, question []byte) (answered, ocsp.ResponseStatus) {
	request, err := ocsp.ParseRequest(question)
	if err != nil || request.CriticalUnknown {
		return answered{}, ocsp.MalformedRequest
	}
	now := o.clock.Now().UTC().Truncate(time.Second)
	singles, refusal := o.singles(ctx, request, now)
	if refusal != ocsp.Successful {
		return answered{}, refusal
	}
	d, err := o.delegate()
	if err != nil || now.Before(d.Certificate.NotBefore) || now.After(d.Certificate.NotAfter) {
		return answered{}, ocsp.TryLater
	}
	der, err := ocsp.Sign(singles, request.Nonce, now, d.Certificate, d.Key)
	if err != nil {
		return answered{}, ocsp.InternalError
	}
	keep := request.Nonce == nil
	for _, s := range singles {
		o.count(s.Status.Cert.String())
		keep = keep && s.Status.Cert != warifu.StatusUnknown
	}
	return answered{der, now, now.Add(o.Life), keep}, ocsp.Successful
}

// singles answers every CertID. One of another authority is unknown here; a request
// with none of ours is not ours to answer.
func (o *Responder) singles(ctx context.Context, request *ocsp.Request, now time.Time) ([]ocsp.Single, ocsp.ResponseStatus) {
	out := make([]ocsp.Single, len(request.CertIDs))
	ours := false
	for i, id := range request.CertIDs {
		out[i] = ocsp.Single{CertID: id, ThisUpdate: now, NextUpdate: now.Add(o.Life)}
		if !id.IssuedBy(o.issuer) {
			continue
		}
		ours = true
		record, known, err := o.source.Status(ctx, o.kind, id.Serial)
		if err != nil {
			return nil, ocsp.TryLater
		}
		if known {
			out[i].Status = record.Status
		}
		if known && !record.NotAfter.IsZero() && now.After(record.NotAfter) {
			out[i].Archive = o.issuer.NotBefore // nothing is ever forgotten
		}
	}
	if !ours {
		return nil, ocsp.Unauthorized
	}
	return out, ocsp.Successful
}

// write sends the response with the headers of RFC 5019 §6.2. An answer to a nonce
// is of use to nobody else, one to a POST is not kept by caches anyway, and what is
// unknown now may be in use the next second: the holder who has just personalized a
// phone logs in with it.
func (a answered) write(w http.ResponseWriter, r *http.Request, now time.Time) {
	h := w.Header()
	h.Set("Content-Type", "application/ocsp-response")
	if !a.keep || r.Method != http.MethodGet {
		h.Set("Cache-Control", "no-store")
		_, _ = w.Write(a.der)
		return
	}
	digest := sha256.Sum256(a.der)
	tag := `"` + hex.EncodeToString(digest[:]) + `"`
	setCaching(h, tag, a.thisUpdate, a.nextUpdate, now)
	_, _ = w.Write(a.der)
}

// setCaching lets caches keep something true at thisUpdate for MaxAge, but never past nextUpdate.
func setCaching(h http.Header, tag string, thisUpdate, nextUpdate, now time.Time) {
	keep := max(0, min(MaxAge, nextUpdate.Sub(now))).Truncate(time.Second)
	h.Set("ETag", tag)
	h.Set("Last-Modified", thisUpdate.UTC().Format(http.TimeFormat))
	h.Set("Expires", now.Add(keep).UTC().Format(http.TimeFormat))
	h.Set("Cache-Control", fmt.Sprintf("max-age=%d, public, no-transform, must-revalidate", int(keep.Seconds())))
}
