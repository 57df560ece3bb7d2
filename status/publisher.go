package status

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/crl"
)

const (
	// DefaultListLife is the time from thisUpdate to nextUpdate of a list.
	DefaultListLife = 24 * time.Hour
	// DefaultListAge is how old a list is served before a new one is made.
	DefaultListAge = 10 * time.Minute
)

// Signing writes a signed list of the records to w: crl.Write with the authority's
// certificate and key, done by whoever holds them.
type Signing func(ctx context.Context, w io.Writer, head crl.Head, records crl.Records) error

// Listing hands every revoked or held certificate that has not expired to add.
type Listing func(ctx context.Context, add func(warifu.StatusRecord) error) error

// Publisher makes and serves the full list of one authority. A list once made is
// swapped in whole; readers never wait for one being made unless there is none yet.
type Publisher struct {
	// Life, Age and Point may be changed before use. Point goes into the list's
	// issuingDistributionPoint when not empty.
	Life  time.Duration
	Age   time.Duration
	Point string

	sign    Signing
	revoked Listing
	clock   warifu.Clock

	making  sync.Mutex // one list at a time
	current atomic.Pointer[published]
}

type published struct {
	der  []byte
	tag  string
	head crl.Head
}

// NewPublisher makes a publisher; nothing is made before Refresh or the first reader.
func NewPublisher(sign Signing, revoked Listing, clock warifu.Clock) *Publisher {
	return &Publisher{Life: DefaultListLife, Age: DefaultListAge, sign: sign, revoked: revoked, clock: clock}
}

// Refresh makes a new list now and serves it from then on: for when something was
// revoked. On an error the list that stands goes on being served until its nextUpdate.
func (p *Publisher) Refresh(ctx context.Context) error {
	p.making.Lock()
	defer p.making.Unlock()
	return p.make(ctx)
}

// make needs p.making held.
func (p *Publisher) make(ctx context.Context) error {
	now := p.clock.Now()
	head := crl.Head{
		Number: p.number(now), Point: p.Point,
		ThisUpdate: now.UTC().Truncate(time.Second), NextUpdate: now.Add(p.Life).UTC().Truncate(time.Second),
	}
	var out bytes.Buffer
	records := func(add func(warifu.StatusRecord) error) error { return p.revoked(ctx, add) }
	if err := p.sign(ctx, &out, head, records); err != nil {
		return err
	}
	digest := sha256.Sum256(out.Bytes())
	p.current.Store(&published{out.Bytes(), `"` + hex.EncodeToString(digest[:]) + `"`, head})
	return nil
}

// number returns the next CRLNumber: the microseconds since 1970, so that it grows
// over restarts with nothing to remember, and always more than the last.
func (p *Publisher) number(now time.Time) uint64 {
	n := uint64(max(1, now.UnixMicro()))
	if last := p.current.Load(); last != nil && n <= last.head.Number {
		n = last.head.Number + 1
	}
	return n
}

// List returns the DER of a list that is not older than Age, made anew when need be;
// when that fails, the one that stands, as long as it may be relied upon. Error:
// Unavailable "status-list-unavailable".
func (p *Publisher) List(ctx context.Context) ([]byte, error) {
	list, err := p.fresh(ctx)
	if err != nil {
		return nil, err
	}
	return list.der, nil
}

func (p *Publisher) fresh(ctx context.Context) (*published, error) {
	list := p.current.Load()
	now := p.clock.Now()
	if list != nil && now.Sub(list.head.ThisUpdate) < p.Age {
		return list, nil
	}
	usable := list != nil && now.Before(list.head.NextUpdate)
	if usable && !p.making.TryLock() {
		return list, nil // somebody is at it
	}
	if !usable {
		p.making.Lock()
	}
	defer p.making.Unlock()
	if again := p.current.Load(); again != list {
		return again, nil
	}
	if err := p.make(ctx); err != nil {
		if usable {
			return list, nil
		}
		return nil, warifu.Unavailable("status-list-unavailable").With(err)
	}
	return p.current.Load(), nil
}

// ServeHTTP implements http.Handler: GET and HEAD, with ETag and conditional requests.
func (p *Publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "ask by GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	list, err := p.fresh(r.Context())
	if err != nil {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "no list can be had now", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	setCaching(w.Header(), list.tag, list.head.ThisUpdate, list.head.NextUpdate, p.clock.Now())
	http.ServeContent(w, r, "", list.head.ThisUpdate, bytes.NewReader(list.der))
}
