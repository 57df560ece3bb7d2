package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
	"warifu/face"
	"warifu/ledger"
	"warifu/oidc"
	"warifu/registration"
	"warifu/verification"
)

// The holder's own pages. Who signs in with phone or card sees what they have, what became of
// it and who checked them, and takes it away as files (B.11). Nothing is changed here: that
// takes the chip's own word, on the phone or with the card.

// Own is the provider as the house's own relying party (oidc.Provider).
type Own interface {
	OwnAddress(state, challenge, lang string) string
	EnterOwn(ctx context.Context, code, verifier string) (session string, err error)
	Own(ctx context.Context, session string) (oidc.Own, error)
	LeaveOwn(ctx context.Context, session string) error
}

var (
	minePage    = face.Place("holder/mine")
	mineInPage  = face.Place("holder/signin")
	checkedPage = face.Place("holder/checked")
)

// mineView is what the pages are made of; each fills its own part.
type mineView struct {
	Who      oidc.Own
	Has      registration.Holding
	Wishes   []verification.Wish
	Page     ledger.Page
	Lines    []checkedLine // newest first
	After    int64         // of the page that follows; zero: none does
	Declined bool          // the holder said no at the phone, or gave up
	Hotline  string
	Reader   template.URL // where the card answers who wants to be told; empty: the page tells only that it can
}

// consentsLink is what a reader's program is handed to answer who wants to be told attributes.
const consentsLink = "/mine/consents"

// checkedLine is a line of the ledger in the reader's language.
type checkedLine struct {
	At, Late           time.Time
	Who, What, Purpose string
	Result             string // "good", "bad", "unknown"; of attributes, their names
	Attributes         []string
	Why                []*Problem
	Erased             bool
}

func (s *site) minePages(mux *http.ServeMux) {
	if s.Login == nil || s.Login.Own == nil {
		return
	}
	mux.HandleFunc("GET /mine", func(w http.ResponseWriter, r *http.Request) { s.mine(w, r, nil) })
	mux.Handle("GET "+consentsLink, http.RedirectHandler("/mine", http.StatusSeeOther)) // where no reader took it
	mux.HandleFunc("GET /mine/enter", s.enterMine)
	mux.HandleFunc("GET "+oidc.OwnPath, s.backToMine)
	mux.HandleFunc("POST /mine/leave", s.leaveMine)
	mux.HandleFunc("GET /mine/checked", s.minesOwn(s.checkedMe))
	mux.HandleFunc("GET /mine/checked.json", s.minesOwn(s.checkedFile))
	mux.HandleFunc("GET /mine/certificates.json", s.minesOwn(s.certificatesFile))
}

// minesOwn lets in who is signed in; everybody else is shown how to.
func (s *site) minesOwn(page func(http.ResponseWriter, *http.Request, oidc.Own)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := s.Login.Own.Own(r.Context(), s.mineCookie(r))
		if err != nil {
			s.mine(w, r, err)
			return
		}
		page(w, r, who)
	}
}

// mine is the overview, or the way in. A browser that brought no session is told nothing but
// the way; one whose session has ended is told that.
func (s *site) mine(w http.ResponseWriter, r *http.Request, problem error) {
	session := s.mineCookie(r)
	who, err := s.Login.Own.Own(r.Context(), session)
	if problem == nil && session != "" {
		problem = err
	}
	v := mineView{Who: who, Hotline: s.Scheme.Hotline, Declined: r.URL.Query().Get("declined") != ""}
	if err != nil {
		if session == "" {
			problem = notJust(problem, "own-session-over")
		}
		s.draw(w, r, mineInPage, "mine.title", v, problem)
		return
	}
	if s.Login.Reader != "" {
		v.Reader = template.URL(handedTo(s.Login.Reader, s.Origin+consentsLink)) // of the operator's configuration
	}
	if v.Has, err = s.Registration.Of(r.Context(), who.Person); problem == nil {
		problem = err
	}
	if s.Verification != nil {
		all, err := s.Verification.Wishes(r.Context(), who.Person)
		if problem == nil {
			problem = err
		}
		for _, wish := range all {
			if wish.State == "waiting" {
				v.Wishes = append(v.Wishes, wish)
			}
		}
	}
	s.draw(w, r, minePage, "mine.title", v, problem)
}

// notJust is err, unless it is the problem of that name.
func notJust(err error, problem string) error {
	if err != nil && warifu.ProblemOf(err).Problem == problem {
		return nil
	}
	return err
}

// cookies of the way in and of the session. They carry the port, since browsers keep cookies
// by host alone.
func (s *site) mineName(of string) string {
	u, err := url.Parse(s.Origin)
	if err != nil {
		return of
	}
	name := of + "-" + u.Port()
	if u.Scheme == "https" {
		name = "__Secure-" + name
	}
	return strings.TrimSuffix(name, "-")
}

func (s *site) mineCookie(r *http.Request) string {
	c, err := r.Cookie(s.mineName("warifu-mine"))
	if err != nil {
		return ""
	}
	return c.Value
}

// setMine sets a cookie below /mine; life zero takes it away.
func (s *site) setMine(w http.ResponseWriter, name, value string, life time.Duration) {
	age := int(life / time.Second)
	if age == 0 {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.mineName(name), Value: value, Path: "/mine", MaxAge: age,
		HttpOnly: true, Secure: strings.HasPrefix(s.Origin, "https:"), SameSite: http.SameSiteLaxMode,
	})
}

const mineWay = "warifu-mine-way"

// enterMine begins the way in. What ties the answer to this browser is PKCE's verifier, which
// lies in a cookie; the state is made of it, so that nothing is kept here.
func (s *site) enterMine(w http.ResponseWriter, r *http.Request) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	verifier := base64.RawURLEncoding.EncodeToString(b)
	s.setMine(w, mineWay, verifier, oidc.LoginLife+oidc.ReturnLife+oidc.CodeLife)
	http.Redirect(w, r, s.Login.Own.OwnAddress(mineState(verifier), mineDigest(verifier), string(languageOf(r.Context()))), http.StatusSeeOther)
}

func mineDigest(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// mineState is another digest than the challenge, which everybody on the way sees.
func mineState(verifier string) string { return mineDigest("warifu-mine-state-v1\x00" + verifier) }

// backToMine takes the browser back from the login's page.
func (s *site) backToMine(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	way, err := r.Cookie(s.mineName(mineWay))
	if err != nil || q.Get("state") != mineState(way.Value) {
		// The back button, a page that was kept, or an answer to what this browser never asked.
		http.Redirect(w, r, "/mine", http.StatusSeeOther)
		return
	}
	s.setMine(w, mineWay, "", 0)
	if q.Get("error") != "" {
		http.Redirect(w, r, "/mine?declined=1", http.StatusSeeOther)
		return
	}
	session, err := s.Login.Own.EnterOwn(r.Context(), q.Get("code"), way.Value)
	if err != nil {
		s.refused(r.Context(), "mine-enter", err)
		s.draw(w, r, mineInPage, "mine.title", mineView{Hotline: s.Scheme.Hotline}, err)
		return
	}
	s.setMine(w, "warifu-mine", session, oidc.OwnLife)
	http.Redirect(w, r, "/mine", http.StatusSeeOther)
}

// leaveMine ends the session here and in the cookie.
func (s *site) leaveMine(w http.ResponseWriter, r *http.Request) {
	if err := s.Login.Own.LeaveOwn(r.Context(), s.mineCookie(r)); err != nil {
		s.mine(w, face.Unkept(r), err) // it shows what is the holder's alone
		return
	}
	s.setMine(w, "warifu-mine", "", 0)
	http.Redirect(w, r, "/mine", http.StatusSeeOther)
}
