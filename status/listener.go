package status

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultConnections is how many connections a listener holds at once unless told otherwise.
	DefaultConnections = 8192

	listenIdle    = 2 * time.Minute  // a connection may be silent for that long
	listenCrowded = 5 * time.Second  // or that long, where half of the places are taken
	listenHead    = 5 * time.Second  // a request's head has to be there that long after its beginning
	listenBody    = 30 * time.Second // and its body
	listenGrace   = 20 * time.Second // for what is under way at the end
	listenBuffer  = 4 << 10          // a longer head is net/http's
)

// Listener is a door of its own to OCSP, for as many questions as a machine can bear. A
// plain GET (RFC 9919 §5) it reads, answers and writes by itself, in the order in which a connection asks. With
// the first octet of anything else (a POST, a HEAD, a condition, a body, a head that is long or that it
// does not take for plain) the connection goes over to net/http and Others, for good; there is nothing that it
// answers otherwise than those would. It speaks no TLS: answers are signed.
type Listener struct {
	// Others answers whatever is no plain GET to one of the responders; those it is to
	// have as well.
	Others http.Handler
	// Connections is how many are held at once; whoever comes after waits to be accepted.
	Connections int

	responders []*Responder
	places     chan struct{}
	handed     chan net.Conn
	second     atomic.Pointer[dates]

	mu    sync.Mutex
	open  map[net.Conn]struct{} // that the listener itself serves
	ended bool
}

// NewListener makes a listener for the responders.
func NewListener(others http.Handler, responders ...*Responder) *Listener {
	return &Listener{Others: others, Connections: DefaultConnections, responders: responders, handed: make(chan net.Conn), open: map[net.Conn]struct{}{}}
}

// Serve accepts connections until ctx ends, finishes what is under way and closes the
// listening socket. It is called once.
func (l *Listener) Serve(ctx context.Context, socket net.Listener) error {
	l.places = make(chan struct{}, l.Connections)
	others := &http.Server{Handler: l.Others, ReadHeaderTimeout: listenHead, ReadTimeout: listenBody, WriteTimeout: listenIdle, IdleTimeout: listenIdle, MaxHeaderBytes: 32 << 10}
	handed := &handover{from: l.handed, over: make(chan struct{}), address: socket.Addr()}
	served := make(chan error, 1)
	go func() { served <- others.Serve(handed) }()
	var under sync.WaitGroup
	answering := context.WithoutCancel(ctx)
	ends := context.AfterFunc(ctx, func() {
		_ = socket.Close()
		l.end()
	})
	defer ends()
	err := l.accept(ctx, socket, func(c *placed) { under.Go(func() { l.serve(answering, c, handed.over) }) })
	under.Wait()
	grace, cancel := context.WithTimeout(answering, listenGrace)
	defer cancel()
	err = errors.Join(err, others.Shutdown(grace))
	if failed := <-served; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	return err
}

// accept accepts until ctx ends or the socket fails for good.
func (l *Listener) accept(ctx context.Context, socket net.Listener, serve func(*placed)) error {
	for {
		select {
		case l.places <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		c, err := socket.Accept()
		if err != nil {
			<-l.places
			if ctx.Err() != nil {
				return nil
			}
			var passing net.Error
			if errors.As(err, &passing) && passing.Timeout() || isExhausted(err) {
				if wait(ctx, time.Second/10) {
					continue
				}
				return nil
			}
			l.end()
			return err
		}
		place := &placed{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}
		if !l.enter(c) {
			_ = place.Close()
			continue
		}
		serve(place)
	}
}

// wait waits; false when ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// enter notes a connection, so that its reading can be ended.
func (l *Listener) enter(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.open[c] = struct{}{}
	}
	return !l.ended
}

func (l *Listener) left(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// end has every connection stop reading; what was read is answered.
func (l *Listener) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for c := range l.open {
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

// placed is a connection that leaves its place when it is closed.
type placed struct {
	net.Conn
	before []byte // read already
	leave  func()
}

func (p *placed) Read(b []byte) (int, error) {
	if len(p.before) > 0 {
		n := copy(b, p.before)
		p.before = p.before[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}

// handover is the listening socket of which net/http accepts what is handed over to it.
type handover struct {
	from    <-chan net.Conn
	over    chan struct{}
	once    sync.Once
	address net.Addr
}

func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.from:
		return c, nil
	case <-h.over:
		return nil, net.ErrClosed
	}
}

func (h *handover) Close() error {
	h.once.Do(func() { close(h.over) })
	return nil
}

func (h *handover) Addr() net.Addr { return h.address }

// dates are the texts of one second.
type dates struct {
	system, world     int64
	date, cachedUntil string
}

// texts returns Date of the system's clock and Expires of the world's, for an answer that
// may be kept for MaxAge. They differ in a sandbox alone.
func (l *Listener) texts(now, world time.Time) *dates {
	system := now.Unix()
	d := l.second.Load()
	if d == nil || d.system != system || d.world != world.Unix() {
		d = &dates{
			system: system, world: world.Unix(),
			date:        time.Unix(system, 0).UTC().Format(http.TimeFormat),
			cachedUntil: world.Add(MaxAge).UTC().Format(http.TimeFormat),
		}
		l.second.Store(d)
	}
	return d
}
