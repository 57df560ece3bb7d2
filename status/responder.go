package status

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"

	"warifu"
	"warifu/ocsp"
)

const (
	// MaxAge is the longest that a cache may keep an answer or a list.
	MaxAge = 60 * time.Second
	// DefaultAnswerLife is the time from thisUpdate to nextUpdate of an answer.
	DefaultAnswerLife = 10 * time.Minute
	// MaxUnsaid is the greatest age of a source that an answer leaves unsaid: a follower
	// is a moment behind by its nature. Beyond it thisUpdate is when the source was last up to date.
	MaxUnsaid = 10 * time.Second
)

// Source knows the status of certificates. One that also has a method Age() time.Duration
// says by it how long ago what it knows was known to be up to date.
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
	// Cache, when not nil, keeps the signed answers to questions without a nonce. It is
	// for a source that answers from memory, since that is asked for each answer all the same. No other
	// responder of the same kind may use it.
	Cache *Cache

	kind     warifu.Kind
	issuer   *x509.Certificate
	forms    *ocsp.Forms
	source   Source
	delegate func() (Delegate, error)
	clock    warifu.Clock

	mu        sync.Mutex
	appointed *x509.Certificate // whose answers are in the cache
	number    uint64            // of that appointment
}

// NewResponder makes the responder for the issuer's certificates. delegate is called
// for every answer, so that the key may be rotated; it returns what is to sign now.
func NewResponder(kind warifu.Kind, issuer *x509.Certificate, source Source, delegate func() (Delegate, error), clock warifu.Clock) *Responder {
	return &Responder{
		Path: "/ocsp/" + kind.String(), Life: DefaultAnswerLife,
		kind: kind, issuer: issuer, forms: ocsp.NewForms(issuer), source: source, delegate: delegate, clock: clock,
	}
}

func (o *Responder) count(answer string) {
	if o.Count != nil {
		o.Count(answer)
	}
}

// answered is a signed response with what a cache has to know of it. The response is head
// and tail, one behind the other: the tail is common to all of one appointment.
type answered struct {
	head, tail []byte
	tag        [sha256.Size]byte // zero: not computed yet
	at         time.Time         // when it was given
	thisUpdate time.Time
	nextUpdate time.Time
	keep       bool // caches may
}

func (a answered) length() int { return len(a.head) + len(a.tail) }

// etag is the digest of the response (RFC 9919 §6.2).
func (a answered) etag() [sha256.Size]byte {
	if a.tag != [sha256.Size]byte{} {
		return a.tag
	}
	d := sha256.New()
	d.Write(a.head)
	d.Write(a.tail)
	return [sha256.Size]byte(d.Sum(nil))
}

// Answer answers a DER request with a DER response, which is an error response for
// what it cannot or must not answer (RFC 6960 §2.3).
func (o *Responder) Answer(ctx context.Context, question []byte) []byte {
	a, refusal := o.answer(ctx, question, nil)
	if refusal != ocsp.Successful {
		return ocsp.ErrorResponse(refusal)
	}
	return append(a.head, a.tail...)
}

// answer answers and counts. What it returns may lie in scratch.
func (o *Responder) answer(ctx context.Context, question, scratch []byte) (answered, ocsp.ResponseStatus) {
	if o.Cache != nil {
		if form, serial, ok := o.forms.Recognize(question); ok {
			return o.answerOne(ctx, question, form, serial, scratch)
		}
	}
	return o.answerAny(ctx, question)
}

// answerOne answers about one certificate, with a kept answer where there is one that
// still says what the source says now.
func (o *Responder) answerOne(ctx context.Context, question []byte, form ocsp.Form, serial, scratch []byte) (answered, ocsp.ResponseStatus) {
	record, known, err := o.source.Status(ctx, o.kind, serial)
	if err != nil {
		return o.refuse(ocsp.TryLater)
	}
	if !known || record.Status.Cert == warifu.StatusUnknown {
		return o.answerAny(ctx, question) // in a moment it may be another, and is never kept
	}
	now := o.clock.Now().UTC().Truncate(time.Second)
	d, number, err := o.signer(now)
	if err != nil {
		return o.refuse(ocsp.TryLater)
	}
	wanted := wanted{now: now, status: record.Status, archive: o.expired(record, now), signer: number, life: min(o.Cache.Keep, o.Life-MaxAge)}
	k := keyOf(o.kind, form, serial)
	a, found := o.Cache.get(k, scratch)
	if !found || !wanted.fits(a) {
		a, err = o.Cache.make(k, scratch, wanted.fits, func() (kept, error) { return o.sign(question, record, now, d, number) })
		if err != nil {
			return o.refuse(refusalOf(err))
		}
	}
	o.count(record.Status.Cert.String())
	out := answered{at: now, head: a.head, tag: a.tag, thisUpdate: a.thisUpdate, nextUpdate: a.thisUpdate.Add(o.Life), keep: true}
	if !d.Certificate.IsCA {
		out.tail = d.Certificate.Raw
	}
	return out, ocsp.Successful
}

// wanted is what a kept answer has to be to be given again.
type wanted struct {
	now     time.Time
	status  warifu.Status
	archive bool
	signer  uint64
	life    time.Duration
}

func (w wanted) fits(a kept) bool {
	age := w.now.Sub(a.thisUpdate)
	return a.status == w.status && a.archive == w.archive && a.signer == w.signer && age >= 0 && (age < w.life || age == 0)
}

// sign makes an answer to be kept.
func (o *Responder) sign(question []byte, record warifu.StatusRecord, now time.Time, d Delegate, number uint64) (kept, error) {
	request, err := ocsp.ParseRequest(question)
	if err != nil {
		return kept{}, refused(ocsp.MalformedRequest)
	}
	thisUpdate, err := o.asOf(now)
	if err != nil {
		return kept{}, err
	}
	single := o.single(request.CertIDs[0], thisUpdate, now, record)
	der, err := ocsp.Sign([]ocsp.Single{single}, nil, now, d.Certificate, d.Key)
	if err != nil {
		return kept{}, refused(ocsp.InternalError)
	}
	out := kept{status: record.Status, archive: !single.Archive.IsZero(), thisUpdate: thisUpdate, signer: number, tag: sha256.Sum256(der), head: der}
	if !d.Certificate.IsCA { // it stands at the very end (RFC 6960 §4.2.1)
		n := len(der) - len(d.Certificate.Raw)
		out.head = der[:n:n] // whoever waits for this flight appends to it
	}
	return out, nil
}

// signer returns who signs now and the number of that appointment. A new one empties the
// cache; what the one before has signed stays true wherever else it lies, as long as its certificate lives.
func (o *Responder) signer(now time.Time) (Delegate, uint64, error) {
	d, err := o.delegate()
	if err != nil || now.Before(d.Certificate.NotBefore) || now.After(d.Certificate.NotAfter) {
		return Delegate{}, 0, refused(ocsp.TryLater)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.appointed != d.Certificate {
		o.appointed = d.Certificate
		o.number++
		if o.Cache != nil {
			o.Cache.Invalidate(o.kind, nil)
		}
	}
	return d, o.number, nil
}

// answerAny answers whatever can be answered, with a signature of its own.
func (o *Responder) answerAny(ctx context.Context, question []byte) (answered, ocsp.ResponseStatus) {
	request, err := ocsp.ParseRequest(question)
	if err != nil || request.CriticalUnknown {
		return o.refuse(ocsp.MalformedRequest)
	}
	now := o.clock.Now().UTC().Truncate(time.Second)
	singles, err := o.singles(ctx, request, now)
	if err != nil {
		return o.refuse(refusalOf(err))
	}
	d, _, err := o.signer(now)
	if err != nil {
		return o.refuse(refusalOf(err))
	}
	der, err := ocsp.Sign(singles, request.Nonce, now, d.Certificate, d.Key)
	if err != nil {
		return o.refuse(ocsp.InternalError)
	}
	keep := request.Nonce == nil
	for _, s := range singles {
		o.count(s.Status.Cert.String())
		keep = keep && s.Status.Cert != warifu.StatusUnknown
	}
	return answered{at: now, head: der, thisUpdate: singles[0].ThisUpdate, nextUpdate: singles[0].NextUpdate, keep: keep}, ocsp.Successful
}

// singles answers every CertID. One of another authority is unknown here; a request
// with none of ours is not ours to answer.
func (o *Responder) singles(ctx context.Context, request *ocsp.Request, now time.Time) ([]ocsp.Single, error) {
	out := make([]ocsp.Single, len(request.CertIDs))
	records := make([]warifu.StatusRecord, len(out))
	ours := false
	for i, id := range request.CertIDs {
		if !id.IssuedBy(o.issuer) {
			continue
		}
		ours = true
		record, known, err := o.source.Status(ctx, o.kind, id.Serial)
		if err != nil {
			return nil, refused(ocsp.TryLater)
		}
		if known {
			records[i] = record
		}
	}
	if !ours {
		return nil, refused(ocsp.Unauthorized)
	}
	thisUpdate, err := o.asOf(now)
	if err != nil {
		return nil, err
	}
	for i, id := range request.CertIDs {
		out[i] = o.single(id, thisUpdate, now, records[i])
	}
	return out, nil
}

func (o *Responder) single(id ocsp.CertID, thisUpdate, now time.Time, record warifu.StatusRecord) ocsp.Single {
	s := ocsp.Single{CertID: id, Status: record.Status, ThisUpdate: thisUpdate, NextUpdate: thisUpdate.Add(o.Life)}
	if o.expired(record, now) {
		s.Archive = o.issuer.NotBefore // nothing is ever forgotten
	}
	return s
}

// expired reports whether the answer is about a certificate that is, or may be, past its
// end: a source in memory does not tell it.
func (o *Responder) expired(record warifu.StatusRecord, now time.Time) bool {
	if record.NotAfter.IsZero() {
		return record.Status.Cert != warifu.StatusUnknown
	}
	return now.After(record.NotAfter)
}

// asOf is the time at which what the source says is known to be correct (RFC 9919
// §3.2.4): now, or when a source that is cut off was last up to date.
func (o *Responder) asOf(now time.Time) (time.Time, error) {
	aged, ok := o.source.(interface{ Age() time.Duration })
	if !ok {
		return now, nil
	}
	age := aged.Age()
	if age <= MaxUnsaid {
		return now, nil
	}
	if age >= o.Life { // the answer would be over before it is given
		return time.Time{}, refused(ocsp.TryLater)
	}
	return now.Add(-age).Truncate(time.Second), nil
}

// refused is a refusal as an error.
type refused ocsp.ResponseStatus

// Error implements error.
func (r refused) Error() string { return "status: " + ocsp.ResponseStatus(r).String() }

func refusalOf(err error) ocsp.ResponseStatus {
	if r, ok := err.(refused); ok { //nolint:errorlint // made here, never wrapped
		return ocsp.ResponseStatus(r)
	}
	return ocsp.InternalError
}

func (o *Responder) refuse(status ocsp.ResponseStatus) (answered, ocsp.ResponseStatus) {
	o.count(status.String())
	return answered{at: o.clock.Now()}, status
}
