package status

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"warifu"
	"warifu/ocsp"
)

// loop serves one connection.
type loop struct {
	*Listener
	conn     *placed
	in       []byte // what was read and not answered
	out      []byte // what was answered and not written
	plain    []byte // a path without escapes
	question []byte
	scratch  []byte // a kept answer
	deadline time.Time
	begun    bool // a head has, and its time runs
	now      time.Time
}

// serve answers plain GETs until something else comes, and then hands the connection over.
func (l *Listener) serve(ctx context.Context, c *placed, over <-chan struct{}) {
	s := &loop{Listener: l, conn: c, in: make([]byte, 0, listenBuffer)}
	ours := s.run(ctx)
	l.left(c.Conn)
	if ours || c.SetDeadline(time.Time{}) != nil {
		_ = c.Close()
		return
	}
	c.before = s.in
	select {
	case l.handed <- c:
	case <-over:
		_ = c.Close()
	}
}

// run reads and answers. It returns true when the connection is over, false when it is
// somebody else's from here on.
func (s *loop) run(ctx context.Context) bool {
	for {
		s.now = warifu.SystemClock{}.Now()
		plain := s.answerAll(ctx)
		if len(s.out) > 0 {
			if _, err := s.conn.Conn.Write(s.out); err != nil {
				return true
			}
			s.out = s.out[:0]
		}
		if !plain || len(s.in) == cap(s.in) {
			return false
		}
		s.wait()
		if s.over() {
			return true
		}
		n, err := s.conn.Conn.Read(s.in[len(s.in):cap(s.in)])
		s.in = s.in[:len(s.in)+n]
		if n == 0 && err != nil {
			return true
		}
	}
}

func (s *loop) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// answerAll answers every request that is there whole. False: the next is not plain.
func (s *loop) answerAll(ctx context.Context) bool {
	rest := s.in
	defer func() { s.in = s.in[:copy(s.in, rest)] }()
	for len(rest) > 0 {
		path, size, what := plainGET(rest)
		if what == headUnfinished {
			return true
		}
		if what == headOther || !s.get(ctx, path) {
			return false
		}
		rest = rest[size:]
		s.begun = false
	}
	return true
}

// wait sets how long the next octets may take. Moving a deadline costs more than an
// answer, so that it is moved once in a while.
func (s *loop) wait() {
	now := s.now
	left := s.deadline.Sub(now)
	switch {
	case len(s.in) > 0 && s.begun: // it is not given more time with each octet
	case len(s.in) > 0:
		s.begun = true
		s.deadline = now.Add(listenHead)
		s.set()
	case len(s.places) > cap(s.places)/2:
		if left > listenCrowded || left < listenCrowded/2 {
			s.deadline = now.Add(listenCrowded)
			s.set()
		}
	case left < listenIdle-listenCrowded:
		s.deadline = now.Add(listenIdle)
		s.set()
	}
}

func (s *loop) set() { _ = s.conn.SetDeadline(s.deadline) }

// get answers a GET, if its path is a responder's and holds what may be a question.
func (s *loop) get(ctx context.Context, path []byte) bool {
	for _, o := range s.responders {
		if n := len(o.Path); len(path) > n && path[n] == '/' && string(path[:n]) == o.Path {
			question, ok := s.decode(path[n+1:])
			if ok {
				s.answer(ctx, o, question)
			}
			return ok
		}
	}
	return false
}

// hexDigits are the values of hexadecimal digits, and one more than that.
var hexDigits = func() (of [256]byte) {
	for i := range byte(16) {
		of["0123456789abcdef"[i]], of["0123456789ABCDEF"[i]] = i+1, i+1
	}
	return of
}()

// decode reads base64 whose characters may be escaped; whatever else stands there is for
// questionOfPath to refuse, and the path is left as it is.
func (s *loop) decode(path []byte) ([]byte, bool) {
	if bytes.IndexByte(path, '%') >= 0 {
		s.plain = s.plain[:0]
		for i := 0; i < len(path); i++ {
			c := path[i]
			if c == '%' {
				if i+2 >= len(path) {
					return nil, false
				}
				high, low := hexDigits[path[i+1]], hexDigits[path[i+2]]
				c = (high-1)<<4 | (low - 1)
				if high == 0 || low == 0 || c == '\r' || c == '\n' { // which the decoder would skip
					return nil, false
				}
				i += 2
			}
			s.plain = append(s.plain, c)
		}
		path = s.plain
	}
	if len(s.question) < len(path) {
		s.question = make([]byte, listenBuffer)
	}
	n, err := base64.StdEncoding.Decode(s.question, path)
	return s.question[:max(0, n)], err == nil
}

const (
	answerHead  = "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nCache-Control: "
	answerClose = "\r\n\r\n"
)

// answer writes the answer as Responder.ServeHTTP would.
func (s *loop) answer(ctx context.Context, o *Responder, question []byte) {
	if s.scratch == nil {
		s.scratch = make([]byte, 0, 1<<10)
	}
	a, refusal := o.answer(ctx, question, s.scratch)
	texts := s.texts(s.now, a.at)
	out := append(s.out, answerHead...)
	switch {
	case refusal != ocsp.Successful:
		a.head = ocsp.ErrorResponse(refusal)
		out = append(out, "no-store"...)
	case !a.keep:
		out = append(out, caching(0)...)
	default:
		out = appendCaching(out, a, texts)
	}
	out = append(out, "\r\nDate: "...)
	out = append(out, texts.date...)
	out = append(out, "\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(a.length()), 10)
	out = append(out, answerClose...)
	out = append(out, a.head...)
	s.out = append(out, a.tail...)
}

var cachingFull = caching(int(MaxAge / time.Second))

// appendCaching is setCaching in octets.
func appendCaching(out []byte, a answered, texts *dates) []byte {
	keep := mayKeep(a.nextUpdate, a.at)
	if keep == MaxAge {
		out = append(out, cachingFull...)
		out = append(out, "\r\nExpires: "...)
		out = append(out, texts.cachedUntil...)
	} else {
		out = append(out, caching(int(keep/time.Second))...)
		out = append(out, "\r\nExpires: "...)
		out = a.at.Add(keep).UTC().AppendFormat(out, http.TimeFormat)
	}
	tag := a.etag()
	out = append(out, "\r\nETag: \""...)
	out = hex.AppendEncode(out, tag[:])
	out = append(out, "\"\r\nLast-Modified: "...)
	return appendHTTPDate(out, a.thisUpdate.Unix())
}
