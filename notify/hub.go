package notify

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"warifu"
)

// Waiting answers which applications of an element wait to be fetched, oldest first:
// the notices that may not have arrived. Fetched or ended ones are not among them.
type Waiting interface {
	Waiting(ctx context.Context, element warifu.ElementID) ([]string, error)
}

// HubConfig bounds a hub; zero fields get the defaults.
type HubConfig struct {
	Waiting    Waiting       // required
	KeepAlive  time.Duration // between signs of life on a quiet stream; 25 s
	MaxStreams int           // open at once; 10,000
	PerElement int           // open at once for one element, a newer ends the oldest; 3
	PerSource  int           // open at once from one source; 500
	// Source names where a request comes from, "" where that is not known and only MaxStreams
	// holds. Nil: the address without its port, and "" for a loopback one.
	Source func(*http.Request) string
}

// queued is how many notices one stream may lag behind before it is ended: the phone
// comes back and is told again what waits.
const queued = 16

// Hub hands notices to the streams that phones keep open.
type Hub struct {
	config HubConfig

	mu      sync.Mutex
	streams map[warifu.ElementID][]*stream // oldest first
	sources map[string]int                 // open streams of each; none is zero
	open    int
	closed  bool
}

type stream struct {
	notices chan Notice
	end     chan struct{} // closed by the hub, once
	source  string
}

// NewHub makes a hub.
func NewHub(c HubConfig) *Hub {
	if c.KeepAlive <= 0 {
		c.KeepAlive = 25 * time.Second
	}
	if c.MaxStreams <= 0 {
		c.MaxStreams = 10_000
	}
	if c.PerElement <= 0 {
		c.PerElement = 3
	}
	if c.PerSource <= 0 {
		c.PerSource = 500
	}
	if c.Source == nil {
		c.Source = addressOf
	}
	return &Hub{config: c, streams: map[warifu.ElementID][]*stream{}, sources: map[string]int{}}
}

// Tell hands a notice to every stream of the element and returns their number. It never
// waits: a stream that lags too far behind is ended.
func (h *Hub) Tell(element warifu.ElementID, n Notice) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := 0
	for _, s := range slices.Clone(h.streams[element]) {
		select {
		case s.notices <- n:
			told++
		default:
			h.remove(element, s)
		}
	}
	return told
}

// Close ends every stream and takes no more; for a graceful stop, since an HTTP server
// waits for open requests.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for element, streams := range h.streams {
		for _, s := range slices.Clone(streams) {
			h.remove(element, s)
		}
	}
}

// Streams returns how many streams are open, for the metrics.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open
}

// addressOf is the source of a request that nobody else named.
func addressOf(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || from.Addr().IsLoopback() {
		return ""
	}
	return from.Addr().Unmap().String()
}

// join opens a stream. A source that has all it may have open costs the others nothing.
// Errors: Unavailable "notices-closed", TooMany "notices-source-full" and "notices-full".
func (h *Hub) join(element warifu.ElementID, source string) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, warifu.Unavailable("notices-closed")
	}
	if mine := h.streams[element]; len(mine) >= h.config.PerElement {
		h.remove(element, mine[0])
	}
	if source != "" && h.sources[source] >= h.config.PerSource {
		return nil, warifu.TooMany("notices-source-full")
	}
	if h.open >= h.config.MaxStreams {
		return nil, warifu.TooMany("notices-full")
	}
	s := &stream{make(chan Notice, queued), make(chan struct{}), source}
	h.sources[source]++
	h.streams[element] = append(h.streams[element], s)
	h.open++
	return s, nil
}

func (h *Hub) leave(element warifu.ElementID, s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(element, s)
}

// remove ends a stream that is still among the open ones; the lock is held.
func (h *Hub) remove(element warifu.ElementID, s *stream) {
	i := slices.Index(h.streams[element], s)
	if i < 0 {
		return
	}
	close(s.end)
	h.open--
	if h.sources[s.source]--; h.sources[s.source] == 0 {
		delete(h.sources, s.source)
	}
	if rest := slices.Delete(h.streams[element], i, i+1); len(rest) > 0 {
		h.streams[element] = rest
	} else {
		delete(h.streams, element)
	}
}
