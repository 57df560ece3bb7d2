package visitor

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
	"warifu/face"
	"warifu/relyingparty"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// Login is the purpose of a plain login. Its reference is the page to go to afterwards.
const Login = "login"

// Provider is the OpenID provider as a relying party uses it: a *relyingparty.Party.
type Provider interface {
	Begin(ctx context.Context, w relyingparty.Wish) (relyingparty.Begun, error)
	Finish(ctx context.Context, callback url.Values, state string) (*relyingparty.Login, error)
	UserInfo(ctx context.Context, login *relyingparty.Login) (relyingparty.Attributes, error)
}

// Config is what a service's desk of visitors needs.
type Config struct {
	Name     string // of the service: "portal"; cookies are named by it
	Origin   string // "http://127.0.0.1:8408"
	Provider Provider
	JWKS     []byte // the service's public keys, served for the provider to fetch
	Clock    warifu.Clock
	// Outside is what the provider's tokens carry the time of, where the service's own clock
	// stands elsewhere, as in a sandbox that was sent ahead. Nil: Clock.
	Outside warifu.Clock
	// Arrived is told of every answer whose purpose is not Login, and says where the browser
	// goes on. Nil where there are none.
	Arrived func(ctx context.Context, a Arrival) (to string, err error)
	// Page shows a problem within the service's own pages.
	Page func(w http.ResponseWriter, r *http.Request, problem error)
	// Again shows the problem of an answer whose purpose is not Login where it was asked for, so
	// that it can be tried anew. Nil: Page does.
	Again func(w http.ResponseWriter, r *http.Request, reference string, problem error)
}

// Visitor is somebody who is logged in.
type Visitor struct {
	Subject    string     `json:"subject"`    // theirs at this service alone
	Class      string     `json:"class"`      // "card" or "phone"
	Activation string     `json:"activation"` // "pin" or "screen-lock"
	At         time.Time  `json:"at"`         // when presence was shown, by the service's clock, to the second
	Attributes Attributes `json:"attributes"`
}

// Arrival is an answer of the provider to what a service asked for with a purpose of its own.
type Arrival struct {
	Purpose, Reference string
	Visitor            Visitor // who answered; the same as who is logged in, where somebody is
	Login              *relyingparty.Login
}

// Visitors are the people at one service. They may be used by many requests at once.
type Visitors struct {
	config   Config
	sessions sessions
}

// New opens a desk.
func New(c Config) *Visitors {
	if c.Outside == nil {
		c.Outside = c.Clock
	}
	return &Visitors{config: c, sessions: newSessions(c.Clock)}
}

// Routes adds the desk's doors: /visit begins a login (/visit?to=/page goes there afterwards),
// /callback takes the browser back, /leave ends the session, /jwks.json is for the provider;
// GET and POST /api/visit are the same for programs, which keep the cookies.
func (v *Visitors) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /visit", v.visit)
	mux.HandleFunc("GET /callback", v.callback)
	mux.HandleFunc("POST /leave", v.leave)
	mux.HandleFunc("GET /jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(v.config.JWKS)
	})
	mux.Handle("GET /api/visit", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) { return v.Current(r) }))
	mux.Handle("POST /api/visit", doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		address, err := v.Begin(w, r, Login, "/", relyingparty.Wish{})
		return map[string]string{"address": address}, err
	}))
}

// Current is who is logged in. Error: Unauthenticated "visitor-absent".
func (v *Visitors) Current(r *http.Request) (Visitor, error) {
	if s := v.sessions.find(cookie(r, v.cookieName())); s.visitor != nil {
		return *s.visitor, nil
	}
	return Visitor{}, warifu.Unauthenticated("visitor-absent")
}

// Begin starts a way to the provider and returns the address to send the browser to. The
// purpose and its reference come back with the Arrival; of Login the reference is a path.
func (v *Visitors) Begin(w http.ResponseWriter, r *http.Request, purpose, reference string, wish relyingparty.Wish) (address string, err error) {
	if wish.UILocale == "" && r.URL.Query().Has("lang") {
		wish.UILocale = string(doorway.Lang(r))
	}
	begun, err := v.config.Provider.Begin(r.Context(), wish)
	if err != nil {
		return "", err
	}
	id, err := v.sessions.pend(cookie(r, v.cookieName()), pending{begun.State, purpose, reference})
	if err != nil {
		return "", err
	}
	v.setCookie(w, id)
	return begun.URL, nil
}

// Send begins a way and sends the browser there. A form must lead to a link first: pages
// let no form go to another origin, redirected or not (form-action).
func (v *Visitors) Send(w http.ResponseWriter, r *http.Request, purpose, reference string, wish relyingparty.Wish) {
	address, err := v.Begin(w, r, purpose, reference, wish)
	if err != nil {
		v.config.Page(w, r, err)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (v *Visitors) visit(w http.ResponseWriter, r *http.Request) {
	v.Send(w, r, Login, within(r.URL.Query().Get("to")), relyingparty.Wish{})
}

// within lets a browser be sent to pages of the service alone.
func within(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		return "/"
	}
	return to
}

// callback takes a browser back. Errors: "visitor-way-unknown" for an answer to nothing that
// this browser began, or one taken before; "visitor-other-person"; those of Finish.
func (v *Visitors) callback(w http.ResponseWriter, r *http.Request) {
	to, way, err := v.arrive(w, r)
	r = face.Once(r) // whoever asks for a refusal's page in another language brings no second answer
	switch {
	case err == nil:
		http.Redirect(w, r, to, http.StatusSeeOther)
	case v.config.Again != nil && way.purpose != "" && way.purpose != Login:
		v.config.Again(w, r, way.reference, err)
	default:
		v.config.Page(w, r, err)
	}
}

// declined is err as a customer is told it, who has said no or let the time run out.
func declined(err error) error {
	if e := warifu.ProblemOf(err); e.Problem == "login-refused" && e.Params["error"] == "access_denied" {
		return warifu.Refused("visitor-declined").With(err)
	}
	return err
}

// arrive takes an answer and says where the browser goes on, and to which way it belongs.
func (v *Visitors) arrive(w http.ResponseWriter, r *http.Request) (to string, way pending, err error) {
	id := cookie(r, v.cookieName())
	login, way, err := v.finish(r, id)
	if err != nil {
		return "", way, declined(err)
	}
	who := Visitor{Subject: login.Subject, Class: login.Class, Activation: login.Activation}
	who.At = v.config.Clock.Now().Add(login.AuthTime.Sub(v.config.Outside.Now()))
	here := v.sessions.find(id).visitor
	if way.purpose != Login {
		if here != nil && here.Subject != who.Subject {
			return "", way, warifu.Refused("visitor-other-person")
		}
		to, err = v.config.Arrived(r.Context(), Arrival{Purpose: way.purpose, Reference: way.reference, Visitor: who, Login: login})
		return to, way, err
	}
	told, err := v.config.Provider.UserInfo(r.Context(), login)
	if err != nil {
		return "", way, err
	}
	who.Attributes = Attributes{Name: told.Name, Address: told.Address, BirthDate: told.BirthDate, Gender: told.Gender}
	// A new name of the session: one that somebody else put into the browser opens nothing.
	if id, err = v.sessions.enter(id, who); err != nil {
		return "", way, err
	}
	v.setCookie(w, id)
	return way.reference, way, nil
}

// finish finds the way that the answer belongs to among those the browser began. The state
// of each is sealed; only its own opens the answer.
func (v *Visitors) finish(r *http.Request, id string) (*relyingparty.Login, pending, error) {
	for _, way := range v.sessions.find(id).pending {
		login, err := v.config.Provider.Finish(r.Context(), r.URL.Query(), way.state)
		if err != nil && warifu.ProblemOf(err).Problem == "login-state" {
			continue
		}
		v.sessions.took(id, way.state)
		return login, way, err
	}
	return nil, pending{}, warifu.Conflict("visitor-way-unknown")
}

func (v *Visitors) leave(w http.ResponseWriter, r *http.Request) {
	v.sessions.leave(cookie(r, v.cookieName()))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// cookieName carries the port: cookies know none, and places of the sandbox differ by it alone.
func (v *Visitors) cookieName() string {
	u, err := url.Parse(v.config.Origin)
	if err != nil {
		return "warifu_" + v.config.Name
	}
	return "warifu_" + v.config.Name + "_" + u.Port()
}

func (v *Visitors) setCookie(w http.ResponseWriter, id string) {
	http.SetCookie(w, &http.Cookie{
		Name: v.cookieName(), Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(v.config.Origin, "https://"),
	})
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// ClassWord says "card" or "phone" in the reader's language.
func ClassWord(class string, l text.Lang) string {
	if class != "card" && class != "phone" {
		return class
	}
	return text.Sentence("visitor.class-"+class, l, nil)
}
