package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/oidc"
)

// Claimant is what the provider answers a phone, or a reader with a card, about a login.
type Claimant interface {
	Question(ctx context.Context, login, way string) (oidc.Question, error)
	Document(ctx context.Context, login string) ([]byte, error)
	Answer(ctx context.Context, login string, a oidc.Answer) (oidc.Answered, error)
	Decline(ctx context.Context, login string) error
}

// Browser is what the provider answers the browser that began a login.
type Browser interface {
	View(ctx context.Context, login, cookie string) (oidc.View, error)
	Wait(ctx context.Context, login string) <-chan struct{}
	Finish(ctx context.Context, login, cookie, returnToken string) (redirect string, err error)
	Cancel(ctx context.Context, login, cookie string) (redirect string, err error)
}

// Login is the OpenID provider as the site shows it.
type Login struct {
	// Endpoints answers the protocol's own addresses (oidc.Paths).
	Endpoints http.Handler
	Claimant  Claimant
	Browser   Browser
	Own       Own    // the provider as the house's own relying party; nil: holders have no pages here
	Cookie    string // name of the cookie that ties a login to its browser
	// App is where the app on the same device takes a login's link, which is added as the
	// parameter "at": "https://app.example.jp/approve", or an address of the app's own scheme.
	// Empty: the link itself, which the platform hands to the app.
	App string
	// Reader is the same for a program, or a page, that has a card at a reader. Empty: the page
	// tells only that the card will do.
	Reader string
	// Sandbox says that App opens phones in this browser: the page leads there beside the QR code,
	// which nobody can scan.
	Sandbox bool
	// Alive is how often a page that waits is told that the server is there, and is looked after:
	// it may have run out of time. Zero: every 15 seconds.
	Alive time.Duration
	// Ended is closed when the server stops: pages that wait are let go. Nil: never.
	Ended <-chan struct{}
}

// logins adds the doors of the claimant and the pages of the browser.
func (s *site) logins(api huma.API, mux *http.ServeMux) {
	if s.Login == nil {
		return
	}
	endpoints := s.Login.Endpoints
	if p, able := endpoints.(paged); able {
		endpoints = p.Handler(s.authorizationPage)
	}
	for _, path := range oidc.Paths() {
		mux.Handle(path, endpoints)
	}
	s.claimants(api, mux)
	mux.HandleFunc("GET /l/{login}", s.scannedLogin)
	mux.HandleFunc("GET /login/{login}/app", s.openLogin)
	mux.HandleFunc("GET /login/{login}", s.loginPage)
	mux.Handle("GET /login/{login}/events", endless(http.HandlerFunc(s.loginEvents)))
	mux.HandleFunc("GET /login/{login}/done", s.finishLogin)
	mux.HandleFunc("POST /login/{login}/cancel", s.cancelLogin)
}

// paged is a provider that leaves to the site how a person is told what is wrong with a
// request (oidc.Provider).
type paged interface {
	Handler(page func(http.ResponseWriter, *http.Request, error)) http.Handler
}

// authorizationPage tells a person that a relying party's request is not in order; it is the
// request that is bad (RFC 6749 §4.1.2.1), whatever class the problem has elsewhere.
func (s *site) authorizationPage(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err, languageOf(r.Context()))
	if p.Status < http.StatusInternalServerError && !p.passes() && p.Type != ProblemPrefix+"page-unknown" {
		p.Status = http.StatusBadRequest
	}
	s.page(w, r, p.Status, "problem", "face.problem.title", p)
}

// maxWaits is how many pages of one login may wait at once: tabs of one browser.
const maxWaits = 8

// waits counts the pages that wait, by login.
type waits struct {
	mu sync.Mutex
	by map[string]int
}

func (w *waits) enter(login string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by[login] >= maxWaits {
		return false
	}
	w.by[login]++
	return true
}

func (w *waits) leave(login string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by[login]--; w.by[login] <= 0 {
		delete(w.by, login)
	}
}

var loginID = regexp.MustCompile(`^l[a-z2-7]{26}$`)

// authorizationPath is where relying parties send browsers, by a form too (OpenID Connect Core
// §3.1.2.1): the one address at which a page of another origin may post.
const authorizationPath = "/api/realms/main/protocol/openid-connect/auth"

// login reads which login an address names and what the browser shows for it.
func (s *site) login(r *http.Request) (id, cookie string, err error) {
	id = r.PathValue("login")
	if !loginID.MatchString(id) {
		return "", "", warifu.NotFound("login-unknown")
	}
	c, err := r.Cookie(s.Login.Cookie)
	if err != nil {
		return id, "", nil // the provider says what a browser without it is told
	}
	return id, c.Value, nil
}

// sameDevice and otherDevice are the two links of a login: what they lead to is the same, but
// for how the answer is tied to the browser.
func (s *site) sameDevice(id string) string  { return s.Origin + "/login/" + id + "/app" }
func (s *site) otherDevice(id string) string { return s.Origin + "/l/" + id }

// handedTo is the address at which whoever takes a link is handed it.
func handedTo(taker, link string) string {
	if taker == "" {
		return link
	}
	joint := "?"
	if strings.Contains(taker, "?") {
		joint = "&"
	}
	return taker + joint + "at=" + url.QueryEscape(link)
}

// refuseLogin shows a person why not, in words and in the language of the page.
func (s *site) refuseLogin(w http.ResponseWriter, r *http.Request, operation string, err error) {
	s.refused(r.Context(), operation, err)
	s.problemPage(w, r, err)
}
