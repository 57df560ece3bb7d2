package lineartest_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/ocsp"
	"warifu/status"
)

// asker is somebody who was shown a certificate: outside, on a socket, knowing nothing.
type asker struct {
	*resident
	id     int
	random *rand.Rand
	http   *http.Client
	cache  *cache
	fulls  map[warifu.Kind]*crl.List // that deltas are applied to
	ended  map[string]bool           // serial numbers that are revoked for good, as it was told
}

func (r *resident) asker(id int, shared *cache, client *http.Client) *asker {
	return &asker{resident: r, id: r.number*100 + id, random: rand.New(rand.NewPCG(uint64(r.number), uint64(id))), http: client, cache: shared, fulls: map[warifu.Kind]*crl.List{}, ended: map[string]bool{}}
}

// The ways of asking. The first two are asked of the responder itself and must be true
// between question and answer. The others may be as old as they say, and no older
// than is stated: they must have been true at some instant since their thisUpdate.
var ways = []string{"GET", "POST", "history", "cache", "list", "delta"}

// allowed is how old an answer may be that came by a way, by the town's clock. While a
// list is being made the one before it is served (status.Publisher), and the clock goes on.
var allowed = map[string]time.Duration{
	"cache": signed + status.MaxAge + status.MaxUnsaid, "list": status.DefaultListAge + beingMade, "delta": status.DefaultListAge + beingMade,
	"GET" + ofTwo: signed + status.MaxUnsaid, "POST" + ofTwo: signed + status.MaxUnsaid,
}

// signed is for how long a responder gives a signed answer again, while it is still true.
const signed = status.MaxAge

// ofTwo marks what a responder was asked where there are two servers. Each answers from
// memory, at once of what it did itself and a moment later of what the other did, so that its answer
// was true at some instant since status.MaxUnsaid before its thisUpdate.
const ofTwo = " of two"

const beingMade = time.Minute

// look asks about one certificate by one way and writes down what was said.
func (a *asker) look(ctx context.Context, one certificate, way string) error {
	began := a.town.ticks.next()
	now := a.town.clock.Now()
	said, at, err := a.ask(ctx, one, way)
	if errors.Is(err, errNotNow) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", way, err)
	}
	if len(a.town.sites) > 1 {
		switch way {
		case "GET", "POST":
			way += ofTwo
			fallthrough
		case "cache":
			at = at.Add(-status.MaxUnsaid)
		}
	}
	if limit, delayed := allowed[way]; delayed {
		if old := now.Sub(at); old > limit {
			return fmt.Errorf("an answer by %s is %v old, and may be %v", way, old, limit)
		}
		began = min(began, a.town.clock.since(at))
	}
	a.ended[string(one.serial)] = said.Cert == warifu.StatusRevoked && said.Reason != warifu.ReasonCertificateHold
	a.history.did(a.id, began, call{person: a.number, verb: read, application: one.application, kind: one.kind, how: way}, answer{status: said})
	return nil
}

// errNotNow is an answer that says nothing: tryLater, or a delta that is no newer than
// the list.
var errNotNow = errors.New("nothing was said")

// ask returns what was said and when that was true by its own word.
func (a *asker) ask(ctx context.Context, one certificate, way string) (warifu.Status, time.Time, error) {
	base := a.town.sites[a.random.IntN(len(a.town.sites))].base
	path := "/ocsp/" + one.kind.String()
	switch way {
	case "GET", "cache":
		question, err := a.question(one)
		if err != nil {
			return warifu.Status{}, time.Time{}, err
		}
		from := a.fetch
		if way == "cache" {
			from = a.cache.fetch
		}
		return a.read(one, func() ([]byte, error) {
			return from(ctx, base, path+"/"+url.PathEscape(base64.StdEncoding.EncodeToString(question)))
		})
	case "POST":
		question, err := a.question(one)
		if err != nil {
			return warifu.Status{}, time.Time{}, err
		}
		return a.read(one, func() ([]byte, error) { return a.postQuestion(ctx, base+path, question) })
	case "history":
		return a.past(ctx, base, one)
	}
	return a.listed(ctx, base, one, way)
}

func (a *asker) question(one certificate) ([]byte, error) {
	id := ocsp.NewCertID(crypto.SHA256, a.town.cas[one.kind], new(big.Int).SetBytes(one.serial))
	return (&ocsp.Request{CertIDs: []ocsp.CertID{id}}).Marshal()
}

// read checks an OCSP answer as a relying party does.
func (a *asker) read(one certificate, get func() ([]byte, error)) (warifu.Status, time.Time, error) {
	der, err := get()
	if err != nil {
		return warifu.Status{}, time.Time{}, err
	}
	if bytes.Equal(der, ocsp.ErrorResponse(ocsp.TryLater)) {
		return warifu.Status{}, time.Time{}, errNotNow
	}
	response, err := ocsp.ParseResponse(der)
	if err != nil {
		return warifu.Status{}, time.Time{}, err
	}
	ca := a.town.cas[one.kind]
	if err := response.Verify(ca, a.town.clock.Now()); err != nil {
		return warifu.Status{}, time.Time{}, err
	}
	single, err := response.Find(ca, new(big.Int).SetBytes(one.serial))
	return single.Status, single.ThisUpdate, err
}

func (a *asker) fetch(ctx context.Context, base, path string) ([]byte, error) {
	body, _, err := get(ctx, a.http, base+path)
	return body, err
}

func get(ctx context.Context, client *http.Client, address string) ([]byte, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode == http.StatusServiceUnavailable {
		err = errNotNow
	}
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return body, response.Header, err
}

func (a *asker) postQuestion(ctx context.Context, address string, question []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/ocsp-request")
	response, err := a.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// past reads the newest word of a status history.
func (a *asker) past(ctx context.Context, base string, one certificate) (warifu.Status, time.Time, error) {
	der, _, err := get(ctx, a.http, base+"/api/v1/status-history/"+one.kind.String()+"/"+hex.EncodeToString(one.serial))
	if err != nil {
		return warifu.Status{}, time.Time{}, err
	}
	h, err := ocsp.ParseHistory(der)
	if err != nil {
		return warifu.Status{}, time.Time{}, err
	}
	if err := h.Verify(a.town.cas[one.kind], new(big.Int).SetBytes(one.serial), a.town.clock.Now()); err != nil {
		return warifu.Status{}, time.Time{}, err
	}
	said := warifu.Status{Cert: warifu.StatusUnknown}
	switch {
	case h.Revoked.Cert == warifu.StatusRevoked:
		said = h.Revoked
	case len(h.Holds) > 0 && h.Holds[len(h.Holds)-1].To.IsZero():
		said = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold}
	case !h.Active.IsZero():
		said.Cert = warifu.StatusGood
	}
	return said, h.AsOf, nil
}

// listed looks the certificate up in the full list, or in a list got earlier with the
// newest delta applied to it.
func (a *asker) listed(ctx context.Context, base string, one certificate, way string) (said warifu.Status, at time.Time, err error) {
	full := a.fulls[one.kind]
	if way == "list" || full == nil {
		if full, err = a.list(ctx, base+"/crl/"+one.kind.String()+".crl", one.kind); err != nil {
			return said, at, err
		}
		if a.fulls[one.kind] == nil || a.random.IntN(8) == 0 {
			a.fulls[one.kind] = full
		}
		if way == "list" {
			said, _ := full.Lookup(one.serial)
			return unlessListed(said), full.ThisUpdate, nil
		}
	}
	delta, err := a.list(ctx, base+"/crl/"+one.kind.String()+"-delta.crl", one.kind)
	if err != nil {
		return said, at, err
	}
	both, err := crl.Combine(full, delta)
	if err != nil { // the list is of another server, or as new as the delta
		delete(a.fulls, one.kind)
		return said, at, errNotNow
	}
	said, _ = both.Lookup(one.serial)
	return unlessListed(said), delta.ThisUpdate, nil
}

// unlessListed is what a list says of a certificate that it does not name: nothing bad.
func unlessListed(s warifu.Status) warifu.Status {
	if s.Cert != warifu.StatusRevoked {
		return warifu.Status{Cert: warifu.StatusGood}
	}
	return s
}

func (a *asker) list(ctx context.Context, address string, kind warifu.Kind) (*crl.List, error) {
	der, _, err := get(ctx, a.http, address)
	if err != nil {
		return nil, err
	}
	l, err := crl.Parse(der)
	if err != nil {
		return nil, err
	}
	return l, l.Verify(a.town.cas[kind], a.town.clock.Now())
}

// eager is how many questions an asker asks for each call of the person's hands.
const eager = 5

// keepAsking asks until the others are done, and then a little more.
func (a *asker) keepAsking(ctx context.Context, done <-chan struct{}, least int) error {
	for n := 0; ; {
		select {
		case <-done:
			if n >= least || len(a.all()) == 0 {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		one, there := a.pick()
		for try := 0; !there && try < 8; try++ {
			one, there = a.pick()
		}
		if !there || n > least && int64(n) > eager*a.done.Load() {
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		}
		way := ways[min(a.random.IntN(12)/2, len(ways)-1)]
		if a.random.IntN(2) == 0 {
			way = "GET"
		}
		if err := a.look(ctx, one, way); err != nil {
			return err
		}
		n++
		if a.random.IntN(20) == 0 {
			a.town.clock.creep()
		}
	}
}

// pick is most often one of the newest certificates, and one that may still change.
func (a *asker) pick() (certificate, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) == 0 {
		return certificate{}, false
	}
	n := a.random.IntN(len(a.seen))
	if a.random.IntN(3) > 0 {
		n = len(a.seen) - 1 - a.random.IntN(min(4, len(a.seen)))
	}
	if a.ended[string(a.seen[n].serial)] && a.random.IntN(8) > 0 {
		return certificate{}, false
	}
	return a.seen[n], true
}

// all are the certificates that are known at the end.
func (r *resident) all() []certificate {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// cache is a shared cache on the way (RFC 9111), by the town's clock: it keeps what it
// may keep, as long as it may, and not a second longer.
type cache struct {
	clock *clock
	http  *http.Client
	mu    sync.Mutex
	kept  map[string]kept
	hits  int
}

type kept struct {
	body  []byte
	until time.Time
}

// fetch answers out of the cache, whichever server is asked: they are one origin.
func (c *cache) fetch(ctx context.Context, base, path string) ([]byte, error) {
	c.mu.Lock()
	k, there := c.kept[path]
	if there && c.clock.Now().Before(k.until) {
		c.hits++
		c.mu.Unlock()
		return k.body, nil
	}
	c.mu.Unlock()
	asked := c.clock.Now()
	body, header, err := get(ctx, c.http, base+path)
	if err != nil {
		return nil, err
	}
	if seconds, may := maxAge(header); may {
		c.mu.Lock()
		c.kept[path] = kept{body, asked.Add(time.Duration(seconds) * time.Second)}
		c.mu.Unlock()
	}
	return body, nil
}

func maxAge(h http.Header) (seconds int, may bool) {
	for directive := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store":
			return 0, false
		case "max-age":
			n, err := strconv.Atoi(value)
			if err != nil {
				return 0, false
			}
			seconds, may = n, true
		}
	}
	return seconds, may
}

// drain reads a whole answer.
func drain(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// answerOf is an answer with that body.
func answerOf(r *http.Request, body []byte) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}
}
