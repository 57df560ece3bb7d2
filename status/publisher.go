package status

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/profile"
)

const (
	// DefaultListLife is the time from thisUpdate to nextUpdate of a list. A
	// certificate stays listed for as long after its own end (RFC 5280 §3.3).
	DefaultListLife = 24 * time.Hour
	// DefaultListAge is how old a list is served before a new one is made.
	DefaultListAge = 10 * time.Minute
	// DefaultDeltaLife is the time from thisUpdate to nextUpdate of a delta.
	DefaultDeltaLife = time.Hour
	// DefaultBaseAge is how long deltas stand on one full list.
	DefaultBaseAge = 12 * time.Hour
)

// Signing signs a list: crl.Draft.Sign with the authority's certificate and key, done by
// whoever holds them.
type Signing func(ctx context.Context, list *crl.Draft) error

// Publisher makes and serves the lists of one authority: the full one; where Partitions
// says so, the partial ones, on one of which each certificate is; and where Freshest says
// so, a delta on the full one. All are made of one snapshot, bear one number (RFC 5280
// §5.2.4) and are swapped in together; readers never wait for them being made unless there
// are none yet. They are made as a stream: what is in memory of them, Room says.
//
// A delta tells everything that changed since its base, which is a full list that was
// served before it; every full list made while the base stands may be used in its
// place. The base is renewed after BaseAge, or sooner when too much changed. It is not
// remembered over a restart: deltas then stand on the first list made after it, and
// whoever holds an older one sees that and fetches the full list again.
type Publisher struct {
	// The fields may be changed before use.
	Life      time.Duration // of a full list
	Age       time.Duration // of a full list and its delta when new ones are made
	DeltaLife time.Duration
	BaseAge   time.Duration
	// Point goes into the lists' issuingDistributionPoint when not empty.
	Point string
	// Partitions says which certificates the partial lists name; Points is the address of
	// each, which goes into its issuingDistributionPoint and is in its certificates.
	Partitions profile.Partitions
	Points     func(partition int) string
	// Room makes the place for one list; nil: memory.
	Room func() crl.Spool
	// Freshest is the address of the deltas, written into the full lists' freshestCRL.
	// While it is empty no deltas are made.
	Freshest string
	// Progress is told now and then how many entries of about how many have been gathered; all is
	// nought before the first list. nil: nobody is told.
	Progress func(done, all int)

	kind     warifu.Kind
	sign     Signing
	register Register
	clock    warifu.Clock

	making  sync.Mutex // one pair of lists at a time; guards sequel
	sequel  *sequel    // what changed since the base; nil: no base yet
	entries int        // of the list before, guarded by making
	current atomic.Pointer[published]
}

// published is what is served: a full list, its parts, and the delta of the same moment,
// nil where it has no base to stand on.
type published struct {
	full, delta *document
	parts       []*document
	number      uint64
}

// document is a signed list.
type document struct {
	list                   *crl.Draft
	tag                    string
	thisUpdate, nextUpdate time.Time
}

func (d *document) octets() ([]byte, error) { return io.ReadAll(d.list.Reader()) }

// NewPublisher makes the publisher of the authority for that kind; nothing is made
// before Refresh or the first reader.
func NewPublisher(kind warifu.Kind, sign Signing, register Register, clock warifu.Clock) *Publisher {
	return &Publisher{
		Life: DefaultListLife, Age: DefaultListAge, DeltaLife: DefaultDeltaLife, BaseAge: DefaultBaseAge,
		kind: kind, sign: sign, register: register, clock: clock,
	}
}

// Refresh makes new lists now and serves them from then on: for when something
// changed. On an error the lists that stand go on being served until their nextUpdate.
func (p *Publisher) Refresh(ctx context.Context) error {
	p.making.Lock()
	defer p.making.Unlock()
	return p.make(ctx)
}

// make needs p.making held. The snapshot is read while the full list's entries are
// gathered and has ended before anything is signed.
func (p *Publisher) make(ctx context.Context) error {
	now := p.clock.Now().UTC()
	number, feed, err := p.register.Number(ctx, now)
	if err != nil {
		return err
	}
	if number == 0 {
		number = p.number(now)
	}
	head := crl.Head{Number: number, Point: p.Point, Freshest: p.Freshest, ThisUpdate: now.Truncate(time.Second), NextUpdate: now.Add(p.Life).Truncate(time.Second)}
	r := &round{publisher: p, at: head.ThisUpdate, held: map[string]struct{}{}}
	e := p.edition(head)
	if err := p.register.View(ctx, func(s Snapshot) error { return r.read(s, p.counted(e.add)) }); err != nil {
		return err
	}
	next, err := p.print(ctx, e)
	if err != nil {
		return err
	}
	if p.Freshest != "" {
		if next.delta, err = p.follow(ctx, r, head, feed); err != nil {
			return err
		}
	}
	p.current.Store(next)
	return nil
}

// progressEvery is how many entries are gathered between two reports.
const progressEvery = 1 << 12

// counted tells of add's calls. It needs p.making held until the last of them.
func (p *Publisher) counted(add func(warifu.StatusRecord) error) func(warifu.StatusRecord) error {
	all, done := p.entries, 0
	p.entries = 0
	return func(r warifu.StatusRecord) error {
		done++
		p.entries = done
		if p.Progress != nil && done%progressEvery == 0 {
			p.Progress(done, atLeast(all, done))
		}
		return add(r)
	}
}

// atLeast is an estimate that has not been passed yet; nought for one that has.
func atLeast(all, done int) int {
	if all < done {
		return 0
	}
	return all
}

// document signs a list whose records are in it.
func (p *Publisher) document(ctx context.Context, list *crl.Draft) (*document, error) {
	if err := p.sign(ctx, list); err != nil {
		return nil, err
	}
	digest, head := list.Digest(), list.Head()
	return &document{list, `"` + hex.EncodeToString(digest[:]) + `"`, head.ThisUpdate, head.NextUpdate}, nil
}

// number returns the next CRLNumber where the register takes none: the microseconds
// since 1970, so that it grows over restarts, and always more than the last.
func (p *Publisher) number(now time.Time) uint64 {
	n := uint64(max(1, now.UnixMicro()))
	if last := p.current.Load(); last != nil && n <= last.number {
		n = last.number + 1
	}
	return n
}

// List returns the DER of a full list that is not older than Age, made anew when need
// be; when that fails, the one that stands, as long as it may be relied upon. Error:
// Unavailable "status-list-unavailable".
func (p *Publisher) List(ctx context.Context) ([]byte, error) {
	list, err := p.fresh(ctx)
	if err != nil {
		return nil, err
	}
	return list.full.octets()
}

// DeltaList returns the DER of the delta of the same moment as List's; where no base
// was served before it, both are made anew. Error: Unavailable "status-list-unavailable".
func (p *Publisher) DeltaList(ctx context.Context) ([]byte, error) {
	delta, err := p.freshDelta(ctx)
	if err != nil {
		return nil, err
	}
	return delta.octets()
}

func (p *Publisher) fresh(ctx context.Context) (*published, error) {
	list := p.current.Load()
	now := p.clock.Now()
	if list != nil && now.Sub(list.full.thisUpdate) < p.Age {
		return list, nil
	}
	usable := list != nil && now.Before(list.full.nextUpdate)
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

func (p *Publisher) freshDelta(ctx context.Context) (*document, error) {
	unavailable := warifu.Unavailable("status-list-unavailable")
	if p.Freshest == "" {
		return nil, unavailable
	}
	list, err := p.fresh(ctx)
	if err != nil {
		return nil, err
	}
	if list.delta == nil {
		if list, err = p.second(ctx); err != nil {
			return nil, unavailable.With(err)
		}
	}
	if list.delta == nil || !p.clock.Now().Before(list.delta.nextUpdate) {
		return nil, unavailable
	}
	return list.delta, nil
}

// second makes the lists that follow a first one.
func (p *Publisher) second(ctx context.Context) (*published, error) {
	p.making.Lock()
	defer p.making.Unlock()
	if list := p.current.Load(); list.delta != nil {
		return list, nil
	}
	err := p.make(ctx)
	return p.current.Load(), err
}

// ServeHTTP implements http.Handler for the full list: GET and HEAD, with ETag and
// conditional requests.
func (p *Publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.serve(w, r, func(ctx context.Context) (*document, error) {
		list, err := p.fresh(ctx)
		if err != nil {
			return nil, err
		}
		return list.full, nil
	})
}

// Deltas is the handler of the address in Freshest.
func (p *Publisher) Deltas() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, p.freshDelta) })
}

func (p *Publisher) serve(w http.ResponseWriter, r *http.Request, pick func(context.Context) (*document, error)) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "ask by GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	d, err := pick(r.Context())
	if err != nil {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "no list can be had now", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	setCaching(w.Header(), d.tag, d.thisUpdate, d.nextUpdate, p.clock.Now())
	http.ServeContent(w, r, "", d.thisUpdate, d.list.Reader())
}
