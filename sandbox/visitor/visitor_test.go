package visitor_test

import (
	"context"
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
	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
)

// provider is one that needs no phone: the address it sends a browser to names the state,
// and the code of the answer names who answers.
type provider struct {
	mu    sync.Mutex
	begun int
	wish  relyingparty.Wish
}

func (p *provider) Begin(_ context.Context, w relyingparty.Wish) (relyingparty.Begun, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun++
	p.wish = w
	state := "s" + strconv.Itoa(p.begun)
	return relyingparty.Begun{URL: "https://provider.example/auth?state=" + state, State: state}, nil
}

func (p *provider) Finish(_ context.Context, q url.Values, state string) (*relyingparty.Login, error) {
	switch {
	case q.Get("state") != state:
		return nil, warifu.Unauthenticated("login-state")
	case q.Get("error") != "":
		return nil, warifu.Refused("login-refused", "error", q.Get("error"))
	}
	return &relyingparty.Login{Subject: q.Get("code"), Class: "phone", Activation: "pin"}, nil
}

func (p *provider) UserInfo(_ context.Context, l *relyingparty.Login) (relyingparty.Attributes, error) {
	return relyingparty.Attributes{Name: "name of " + l.Subject}, nil
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// shop is a service with visitors, and a browser in front of it.
type shop struct {
	t       *testing.T
	url     string
	browser *http.Client
	clock   *clock
	desk    *visitor.Visitors
	arrived []visitor.Arrival
}

func open(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, clock: &clock{now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}}
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	s.url = site.URL
	jar, _ := cookiejar.New(nil)
	s.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.desk = visitor.New(visitor.Config{
		Name: "shop", Origin: site.URL, Provider: &provider{}, JWKS: []byte(`{"keys":[]}`), Clock: s.clock,
		Arrived: func(_ context.Context, a visitor.Arrival) (string, error) {
			s.arrived = append(s.arrived, a)
			return "/done", nil
		},
		Page: func(w http.ResponseWriter, _ *http.Request, problem error) { doorway.Refuse(w, problem) },
	})
	s.desk.Routes(mux)
	mux.HandleFunc("GET /pay", func(w http.ResponseWriter, r *http.Request) {
		s.desk.Send(w, r, "pay", "order-1", relyingparty.Wish{Prompt: "login"})
	})
	return s
}

// get returns the status and where it leads, or the body.
func (s *shop) get(path string) (int, string) {
	s.t.Helper()
	answer, err := s.browser.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if to := answer.Header.Get("Location"); to != "" {
		return answer.StatusCode, to
	}
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

// begin starts a way and returns its state.
func (s *shop) begin(path string) string {
	s.t.Helper()
	_, to := s.get(path)
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("state") == "" {
		s.t.Fatalf("%s leads to %q", path, to)
	}
	return u.Query().Get("state")
}

func (s *shop) wants(path string, status int, says string) {
	s.t.Helper()
	if got, body := s.get(path); got != status || !strings.Contains(body, says) {
		s.t.Errorf("%s: %d %s, want %d %q", path, got, body, status, says)
	}
}

func TestALoginMakesASessionOfItsOwn(t *testing.T) {
	s := open(t)
	s.wants("/api/visit", http.StatusUnauthorized, "visitor-absent")
	state := s.begin("/visit?to=/mine")
	u, _ := url.Parse(s.url)
	before := s.browser.Jar.Cookies(u)[0].Value
	s.wants("/callback?code=taro&state="+state, http.StatusSeeOther, "/mine")
	if after := s.browser.Jar.Cookies(u)[0].Value; after == before {
		t.Error("the session kept the name it had before anybody was logged in")
	}
	s.wants("/api/visit", http.StatusOK, "name of taro")
	s.clock.forward(31 * time.Minute)
	s.wants("/api/visit", http.StatusUnauthorized, "visitor-absent")
}

func TestAnAnswerIsTakenOnceAndOnlyWhereItWasBegun(t *testing.T) {
	s := open(t)
	s.wants("/callback?code=taro&state=s1", http.StatusConflict, "visitor-way-unknown")
	state := s.begin("/visit")
	other := open(t)
	other.begin("/visit")
	other.wants("/callback?code=taro&state=s9", http.StatusConflict, "visitor-way-unknown")
	s.wants("/callback?code=taro&state="+state, http.StatusSeeOther, "/")
	s.wants("/callback?code=taro&state="+state, http.StatusConflict, "visitor-way-unknown") // the back button
	s.wants("/api/visit", http.StatusOK, "taro")
}

func TestTwoTabsComeBackInAnyOrder(t *testing.T) {
	s := open(t)
	first, second := s.begin("/visit?to=/one"), s.begin("/visit?to=/two")
	s.wants("/callback?code=taro&state="+second, http.StatusSeeOther, "/two")
	s.wants("/callback?code=taro&state="+first, http.StatusSeeOther, "/one")
}

func TestWhoSaysNoIsNotLoggedIn(t *testing.T) {
	s := open(t)
	s.wants("/callback?error=access_denied&state="+s.begin("/visit"), http.StatusForbidden, "visitor-declined")
	s.wants("/api/visit", http.StatusUnauthorized, "visitor-absent")
}

func TestAnotherPersonsAnswerIsRefused(t *testing.T) {
	s := open(t)
	s.get("/callback?code=taro&state=" + s.begin("/visit"))
	s.wants("/callback?code=hanako&state="+s.begin("/pay"), http.StatusForbidden, "visitor-other-person")
	s.wants("/callback?code=taro&state="+s.begin("/pay"), http.StatusSeeOther, "/done")
	if len(s.arrived) != 1 || s.arrived[0].Purpose != "pay" || s.arrived[0].Reference != "order-1" || s.arrived[0].Visitor.Subject != "taro" {
		t.Errorf("%+v", s.arrived)
	}
}

func TestALoginLeadsToOwnPagesAlone(t *testing.T) {
	for _, to := range []string{"https://thief.example/", "//thief.example", "/\\thief.example", "thief", ""} {
		s := open(t)
		s.wants("/callback?code=taro&state="+s.begin("/visit?to="+url.QueryEscape(to)), http.StatusSeeOther, "/")
		if _, at := s.get("/callback?code=taro&state=" + s.begin("/visit?to="+url.QueryEscape(to))); at != "/" {
			t.Errorf("%q leads to %q", to, at)
		}
	}
}

func TestLeavingEndsTheSession(t *testing.T) {
	s := open(t)
	s.get("/callback?code=taro&state=" + s.begin("/visit"))
	answer, err := s.browser.Post(s.url+"/leave", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	s.wants("/api/visit", http.StatusUnauthorized, "visitor-absent")
}

func TestNamesAreComparedAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct {
		certificate, substitution, typed string
		same                             bool
	}{
		{"割符　太郎", "00000", "割符 太郎", true},
		{"割符　太郎", "00000", "割符太郎", true},
		{"割符　太郎", "00000", "割符　花子", false},
		{"葛城　薫", "1000", "葛󠄁城　薫", true},
		{"高城　薫", "1000", "葛城 薫", true}, // the certificate says that it has a substitute there
		{"高城　薫", "0000", "葛城 薫", false},
		{"髙﨑　邉", "0000", "高崎 辺", true},
		{"MARIA GARCIA", "", "ｍａｒｉａ　ｇａｒｃｉａ", true},
		{"", "", "", false},
	} {
		if got := visitor.SameName(c.certificate, c.substitution, c.typed); got != c.same {
			t.Errorf("%q (%s) and %q: %v", c.certificate, c.substitution, c.typed, got)
		}
	}
}

func FuzzSameName(f *testing.F) {
	f.Add("葛城　薫", "1000", "葛󠄁城　薫")
	f.Fuzz(func(t *testing.T, a, substitution, b string) {
		if visitor.SameName(a, substitution, b) && visitor.PlainName(b) == "" {
			t.Error("an empty name is somebody's")
		}
		if p := visitor.PlainName(a); p != "" && !visitor.SameName(a, "", a) {
			t.Errorf("%q is not itself", a)
		}
	})
}
