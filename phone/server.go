package phone

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
)

// Bounds of the conversation with a server.
const (
	maxAnswer      = 1 << 20          // octets of a response body
	requestTimeout = 15 * time.Second // of one attempt
	attempts       = 4                // of a call that may be repeated without harm
)

// Server is the client of one Warifu server's JSON API (/api/v1). Calls that are
// idempotent are repeated with a growing pause when the server is not reached or
// answers 502, 503 or 504; others are made once.
type Server struct {
	base   *url.URL
	client *http.Client
	pause  func(ctx context.Context, attempt int) error
}

// NewServer makes a client of the server at base ("http://127.0.0.1:8400"). A nil
// client means one with no redirects and the timeouts of this package.
func NewServer(base string, client *http.Client) (*Server, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, warifu.Invalid("server-address-malformed", "address", base)
	}
	if client == nil {
		client = &http.Client{Timeout: requestTimeout, CheckRedirect: refuseRedirect}
	}
	return &Server{base: u, client: client, pause: pauseFor}, nil
}

// Origin returns scheme://host[:port] of the server: the audience of what a card
// or a phone signs for it.
func (s *Server) Origin() string { return s.base.Scheme + "://" + s.base.Host }

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// pauseFor waits 100 ms, 400 ms, 1.6 s … or until ctx ends.
func pauseFor(ctx context.Context, attempt int) error {
	timer := time.NewTimer(100 * time.Millisecond << (2 * attempt))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// call is one request of the API.
type call struct {
	method, path string
	in, out      any  // JSON; nil for none
	repeat       bool // may be sent again without harm
}

// do performs c, repeating it where that is allowed.
func (s *Server) do(ctx context.Context, c call) error { return s.doAs(ctx, c, "") }

// doAs is do with a header Authorization.
func (s *Server) doAs(ctx context.Context, c call, authorization string) error {
	body, err := encode(c.in)
	if err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		err = s.once(ctx, c, body, authorization)
		if err == nil || !c.repeat || !passing(err) || attempt+1 == attempts {
			return err
		}
		if stopped := s.pause(ctx, attempt); stopped != nil {
			return err
		}
	}
}

func encode(in any) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	return json.Marshal(in)
}

// passing reports whether err may be over by the next attempt.
func passing(err error) bool {
	var e *warifu.Error
	return errors.As(err, &e) && e.Code == warifu.CodeUnavailable
}

func (s *Server) once(ctx context.Context, c call, body []byte, authorization string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, c.method, s.base.String()+c.path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json, application/problem+json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return warifu.Unavailable("server-unreachable", "server", s.Origin()).With(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return warifu.Unavailable("server-unreachable", "server", s.Origin()).With(err)
	}
	return s.read(response.StatusCode, answer, c.out)
}

// read turns a status and a body into out or an error.
func (s *Server) read(status int, answer []byte, out any) error {
	unreadable := warifu.Unavailable("server-answer-unreadable", "server", s.Origin())
	switch {
	case len(answer) > maxAnswer:
		unreadable.Code = warifu.CodeInternal
		return unreadable
	case status >= 400:
		return ParseProblem(status, answer)
	case status < 200 || status > 299:
		unreadable.Code = warifu.CodeInternal
		return unreadable
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		unreadable.Code = warifu.CodeInternal
		return unreadable.With(err)
	}
	return nil
}
