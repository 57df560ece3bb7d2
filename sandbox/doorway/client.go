package doorway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"warifu"
	"warifu/phone"
)

// maxAnswer bounds what a place answers: a signed document in base64 and a little more.
const maxAnswer = 128 << 20

// Client calls one place of the sandbox.
type Client struct {
	Base   string // "http://127.0.0.1:8401"
	Client *http.Client
}

// NewClient makes a client with a timeout that suits keys being made at first touch.
func NewClient(base string) Client {
	return Client{Base: base, Client: &http.Client{Timeout: 2 * time.Minute}}
}

// NewKeyClient makes a client that shows a key with every request ("Authorization: Bearer").
func NewKeyClient(base, key string, timeout time.Duration) Client {
	return Client{Base: base, Client: &http.Client{Timeout: timeout, Transport: bearer(key)}}
}

type bearer string

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// Away reports whether err says that a place cannot be reached, or answers nothing that can be
// read.
func Away(err error) bool {
	e := warifu.ProblemOf(err)
	return e != nil && (e.Problem == "server-unreachable" || e.Problem == "server-answer-unreadable")
}

// Origin returns scheme://host[:port] of the place.
func (c Client) Origin() string {
	u, err := url.Parse(c.Base)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Get fetches JSON into out.
func (c Client) Get(ctx context.Context, path string, out any) error {
	return c.call(ctx, http.MethodGet, path, nil, "", out)
}

// Post sends in as JSON and reads the answer into out, which may be nil.
func (c Client) Post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path, body, "application/json", out)
}

// Put sends in as JSON, to stand where path says, and reads the answer into out.
func (c Client) Put(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPut, path, body, "application/json", out)
}

// Delete asks for a thing to be gone.
func (c Client) Delete(ctx context.Context, path string) error {
	return c.call(ctx, http.MethodDelete, path, nil, "", nil)
}

// PostOctets sends octets as they are and reads the answer into out.
func (c Client) PostOctets(ctx context.Context, path string, body []byte, out any) error {
	return c.call(ctx, http.MethodPost, path, body, "application/octet-stream", out)
}

// call performs one request. A refusal comes back as the *warifu.Error the place
// had; a place that is not there is "server-unreachable".
func (c Client) call(ctx context.Context, method, path string, body []byte, kind string, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return warifu.Invalid("server-address-malformed", "address", c.Base).With(err)
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := c.Client.Do(request)
	if err != nil {
		return warifu.Unavailable("server-unreachable", "server", c.Base).With(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return warifu.Unavailable("server-unreachable", "server", c.Base).With(err)
	}
	if response.StatusCode >= 400 {
		return phone.ParseProblem(response.StatusCode, answer)
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = answer
		return nil
	}
	return json.Unmarshal(answer, out)
}
