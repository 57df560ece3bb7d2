// Package visitortest is a provider and a verification service that need neither phones nor
// certificates, and a browser to walk between them and a sample service: for tests of what a
// service decides by itself. Tests with the true ones stand in package sandbox/world.
package visitortest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/relyingparty"
	"warifu/sandbox/visitor"
)

// Person is somebody who answers.
type Person struct {
	Subject, Class string
	Attributes     visitor.Attributes
}

// Provider lets whoever is Next answer at once.
type Provider struct {
	Next  Person
	Wish  relyingparty.Wish // of the last way begun
	Clock warifu.Clock

	mu        sync.Mutex
	begun     int
	documents map[string]relyingparty.Document
}

// Begin implements visitor.Provider.
func (p *Provider) Begin(_ context.Context, w relyingparty.Wish) (relyingparty.Begun, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun++
	p.Wish = w
	state := "s" + strconv.Itoa(p.begun) + "." + w.SignTransaction
	return relyingparty.Begun{URL: "https://provider.example/auth?state=" + state, State: state}, nil
}

// Finish implements visitor.Provider.
func (p *Provider) Finish(_ context.Context, q url.Values, state string) (*relyingparty.Login, error) {
	switch {
	case q.Get("state") != state:
		return nil, warifu.Unauthenticated("login-state")
	case q.Get("error") != "":
		return nil, warifu.Refused("login-refused", "error", q.Get("error"))
	}
	_, document, _ := strings.Cut(state, ".")
	return &relyingparty.Login{Subject: p.Next.Subject, Class: p.Next.Class, Activation: "pin", AuthTime: p.Clock.Now(), SignTransaction: document}, nil
}

// UserInfo implements visitor.Provider.
func (p *Provider) UserInfo(context.Context, *relyingparty.Login) (relyingparty.Attributes, error) {
	a := p.Next.Attributes
	return relyingparty.Attributes{Name: a.Name, Address: a.Address, BirthDate: a.BirthDate, Gender: a.Gender}, nil
}

// SignTransaction implements visitor.Signer.
func (p *Provider) SignTransaction(_ context.Context, d relyingparty.Document) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.documents == nil {
		p.documents = map[string]relyingparty.Document{}
	}
	id := "d" + strconv.Itoa(len(p.documents)+1)
	p.documents[id] = d
	return id, nil
}

// SignResult implements visitor.Signer: the document with a line more is the signed one.
func (p *Provider) SignResult(_ context.Context, _ *relyingparty.Login, id string) (relyingparty.Signed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.documents[id].Content
	return relyingparty.Signed{Signature: []byte("signature"), Document: append(bytes.Clone(d), "\nsigned"...)}, nil
}

// Checks is a verification service that says what it is told to.
type Checks struct {
	*httptest.Server
	mu     sync.Mutex
	answer visitor.Checked
	asked  []visitor.Question
	hooks  []string
	latest visitor.Asked
	deaf   bool
	JWKS   []byte
}

// NewChecks opens one whose answer is a good one.
func NewChecks(t *testing.T) *Checks {
	c := &Checks{JWKS: []byte(`{"keys":[]}`)}
	c.Say(visitor.Checked{ID: "v-1", Verdict: "good", Class: "phone", Kind: "signature", Status: visitor.Standing{Status: "good"}, DocumentSHA256: "00", Evidence: &visitor.Evidence{ID: "e-1"}})
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("POST /api/v1/verifications", func(w http.ResponseWriter, r *http.Request) {
		var q visitor.Question
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, q)
		reply(w, c.answer)
	})
	mux.HandleFunc("GET /api/v1/verifications/{id}", func(w http.ResponseWriter, _ *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		reply(w, c.answer)
	})
	mux.HandleFunc("POST /api/v1/verifications/{id}/attribute-requests", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, visitor.Asked{ID: "r-1", State: "waiting"})
	})
	mux.HandleFunc("GET /api/v1/attribute-requests/{id}", func(w http.ResponseWriter, _ *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		reply(w, c.latest)
	})
	mux.HandleFunc("POST /api/v1/webhooks", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Verification, Address string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.deaf {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		c.hooks = append(c.hooks, in.Address)
		reply(w, map[string]string{"id": "w-1"})
	})
	mux.HandleFunc("GET /api/v1/webhook-keys", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(c.JWKS) })
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

// Say sets what is answered from now on.
func (c *Checks) Say(a visitor.Checked) { c.mu.Lock(); defer c.mu.Unlock(); c.answer = a }

// Latest sets what the holder answered to a wish.
func (c *Checks) Latest(a visitor.Asked) { c.mu.Lock(); defer c.mu.Unlock(); c.latest = a }

// Deaf has it refuse, or take again, wishes to be told of changes.
func (c *Checks) Deaf(is bool) { c.mu.Lock(); defer c.mu.Unlock(); c.deaf = is }

// Asked are the questions so far.
func (c *Checks) Asked() []visitor.Question {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]visitor.Question(nil), c.asked...)
}

// Hooks are the addresses that wish to be told.
func (c *Checks) Hooks() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.hooks...)
}

// Clock stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock stands at a Monday noon in Tokyo.
func NewClock() *Clock { return &Clock{now: time.Date(2026, time.June, 1, 3, 0, 0, 0, time.UTC)} }

// Now implements warifu.Clock.
func (c *Clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

// Forward moves it.
func (c *Clock) Forward(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// Browser walks the pages of one service and its API, and keeps cookies.
type Browser struct {
	t      *testing.T
	site   string
	client *http.Client
}

// NewBrowser opens one in front of a site.
func NewBrowser(t *testing.T, site string) *Browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &Browser{t, site, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Do sends a request and returns the status and where it leads, or the body.
func (b *Browser) Do(method, path, kind, body string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.site+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	if to := answer.Header.Get("Location"); to != "" {
		return answer.StatusCode, to
	}
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, string(page)
}

// Get fetches a page.
func (b *Browser) Get(path string) (int, string) {
	b.t.Helper()
	return b.Do(http.MethodGet, path, "", "")
}

// Fill sends a form.
func (b *Browser) Fill(path string, pairs ...string) (int, string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.Do(http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode())
}

// Post sends JSON, and reads the answer into out where it is a good one. It returns the
// problem's slug, "" for none.
func (b *Browser) Post(path string, in, out any) string {
	b.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.read(out)(b.Do(http.MethodPost, path, "application/json", string(body)))
}

// Fetch reads JSON, as Post.
func (b *Browser) Fetch(path string, out any) string {
	b.t.Helper()
	return b.read(out)(b.Get(path))
}

func (b *Browser) read(out any) func(int, string) string {
	return func(status int, body string) string {
		b.t.Helper()
		if status >= 400 {
			var p struct{ Type string }
			if err := json.Unmarshal([]byte(body), &p); err != nil {
				b.t.Fatalf("status %d: %s", status, body)
			}
			return strings.TrimPrefix(p.Type, "urn:warifu:problem:")
		}
		if out != nil {
			if err := json.Unmarshal([]byte(body), out); err != nil {
				b.t.Fatalf("%v: %s", err, body)
			}
		}
		return ""
	}
}

// Return comes back from the provider's address: more is "error=access_denied" or "".
func (b *Browser) Return(address, more string) (int, string) {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("state") == "" {
		b.t.Fatalf("%q is no way to the provider", address)
	}
	return b.Get("/callback?state=" + url.QueryEscape(u.Query().Get("state")) + "&" + more)
}

// Login logs whoever is next in.
func (b *Browser) Login() {
	b.t.Helper()
	_, address := b.Get("/visit")
	if status, to := b.Return(address, ""); status != http.StatusSeeOther {
		b.t.Fatalf("login: %d %s", status, to)
	}
}
