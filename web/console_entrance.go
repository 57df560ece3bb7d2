package web

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"warifu"
	"warifu/console"
	"warifu/text"
)

// consoleCookie names the session's cookie, one for each port: cookies know no ports.
func (s *site) consoleCookie() string {
	u, err := url.Parse(s.Origin)
	if err != nil || u.Port() == "" {
		return "warifu-console"
	}
	return "warifu-console-" + u.Port()
}

func (s *site) consoleSecret(r *http.Request) console.Secret {
	c, err := r.Cookie(s.consoleCookie())
	if err != nil || len(c.Value) > 100 {
		return ""
	}
	return console.Secret(c.Value)
}

// signedIn hands the browser its session and leads on.
func (s *site) signedIn(w http.ResponseWriter, r *http.Request, o console.Operator, back string) {
	s.setConsoleCookie(w, o.Secret.Reveal(), int(console.Longest.Seconds()))
	http.Redirect(w, r, backOf(back), http.StatusSeeOther)
}

func (s *site) setConsoleCookie(w http.ResponseWriter, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.consoleCookie(), Value: value, Path: "/console", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: strings.HasPrefix(s.Origin, "https:"),
	})
}

// consoleEntrance serves what is open to who is not signed in, and the way out.
func (s *site) consoleEntrance(mux *http.ServeMux) {
	mux.HandleFunc("GET /console/sign-in", func(w http.ResponseWriter, r *http.Request) {
		var said error
		if r.URL.Query().Get("over") != "" {
			said = warifu.Unauthenticated("console-session-over")
		}
		s.signInPage(w, r, said)
	})
	mux.HandleFunc("POST /console/sign-in", s.consoleForm(s.signIn))
	mux.HandleFunc("POST /console/sandbox", s.consoleForm(s.sandboxSignIn))
	mux.HandleFunc("GET /console/enrol/{link}", s.enrolPage)
	mux.HandleFunc("POST /console/enrol/{link}", s.consoleForm(s.enrol))
	s.atConsole(mux, "POST /console/sign-out", anyRole, s.signOut)
	s.atConsole(mux, "GET /console/step-up", anyRole, func(w http.ResponseWriter, r *http.Request, o console.Operator) {
		s.stepUpPage(w, r, o, r.URL.Query().Get("back"), nil)
	})
	s.atConsole(mux, "POST /console/step-up", anyRole, s.stepUp)
}

// consoleForm bounds and reads a form of who is not signed in yet.
func (s *site) consoleForm(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxConsoleForm)
		if err := r.ParseForm(); err != nil {
			s.consoleProblem(w, r, warifu.Invalid("request-malformed"))
			return
		}
		next(w, r)
	}
}

// ceremony is what the template "ceremony" is drawn from.
type ceremony struct {
	Lang                  text.Lang
	Action, Kind, Options string // kind "get" or "create"
	Key                   string // the button's sentence
	Token, Back, Name     string
}

type signInView struct {
	Options   bool
	Ceremony  ceremony
	Elsewhere string // the address at which passkeys work, if this is another
	Sandbox   []sandboxer
	Back      string
}

type sandboxer struct {
	Name string
	Role console.Role
}

// onThisMachine reports whether a browser stands on the machine itself and came straight here.
func onThisMachine(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip := net.ParseIP(host)
	here := host == "localhost" || ip != nil && ip.IsLoopback()
	return here && loopback(r.RemoteAddr) && r.Header.Get("X-Forwarded-For") == ""
}

// ours reports whether the page is open at the address to which passkeys belong.
func (s *site) ours(r *http.Request) bool {
	u, err := url.Parse(s.Console.Origin())
	return err == nil && s.Console.ByPasskey() && u.Host == r.Host
}

func (s *site) signInPage(w http.ResponseWriter, r *http.Request, said error) {
	back := backOf(r.FormValue("back"))
	v := signInView{Back: back}
	switch {
	case s.ours(r):
		options, err := s.Console.SignInOptions()
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		v.Options = true
		v.Ceremony = ceremony{Lang: languageOf(r.Context()), Action: "/console/sign-in", Kind: "get", Options: string(options), Key: "console.signin.do", Back: back}
	case s.Console.ByPasskey():
		v.Elsewhere = s.Console.Origin() + "/console/sign-in"
	}
	if s.Console.Sandbox && onThisMachine(r) {
		for _, one := range console.Sandboxers {
			v.Sandbox = append(v.Sandbox, sandboxer(one))
		}
	}
	s.consolePage(w, r, http.StatusOK, "sign-in", "console.signin.title", v, said)
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	o, err := s.Console.FinishSignIn(r.Context(), []byte(r.PostForm.Get("answer")), r.UserAgent())
	if err != nil {
		s.signInPage(w, r, err)
		return
	}
	s.signedIn(w, r, o, r.PostForm.Get("back"))
}

func (s *site) sandboxSignIn(w http.ResponseWriter, r *http.Request) {
	err := error(warifu.Refused("console-no-sandbox"))
	if onThisMachine(r) {
		var o console.Operator
		if o, err = s.Console.SandboxSignIn(r.Context(), r.PostForm.Get("name"), r.UserAgent()); err == nil {
			s.signedIn(w, r, o, r.PostForm.Get("back"))
			return
		}
	}
	s.signInPage(w, r, err)
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request, o console.Operator) {
	if err := s.Console.SignOut(r.Context(), o); err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	s.setConsoleCookie(w, "", -1)
	http.Redirect(w, r, "/console/sign-in", http.StatusSeeOther)
}

type stepUpView struct {
	Ceremony ceremony
	Options  bool
	Back     string
	Sandbox  bool
}

func (s *site) stepUpPage(w http.ResponseWriter, r *http.Request, o console.Operator, back string, said error) {
	v := stepUpView{Back: backOf(back), Sandbox: o.WithoutKey}
	if !o.WithoutKey {
		options, err := s.Console.StepUpOptions(o)
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		token, err := s.Console.FormToken(o)
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		v.Options = true
		v.Ceremony = ceremony{Lang: languageOf(r.Context()), Action: "/console/step-up", Kind: "get", Options: string(options), Key: "console.stepup.do", Back: v.Back, Token: token}
	}
	s.consolePage(w, r, http.StatusOK, "step-up", "console.stepup.title", v, said)
}

func (s *site) stepUp(w http.ResponseWriter, r *http.Request, o console.Operator) {
	back := r.PostForm.Get("back")
	if err := s.Console.FinishStepUp(r.Context(), o, []byte(r.PostForm.Get("answer"))); err != nil {
		s.stepUpPage(w, r, o, back, err)
		return
	}
	http.Redirect(w, r, backOf(back), http.StatusSeeOther)
}

type enrolView struct {
	console.Invitation
	Link     string
	Chosen   string
	Options  bool
	Ceremony ceremony
}

// enrolPage shows what a one-time link opens; looking at it does not use it up.
func (s *site) enrolPage(w http.ResponseWriter, r *http.Request) {
	s.showEnrol(w, r, r.FormValue("name"), nil)
}

func (s *site) showEnrol(w http.ResponseWriter, r *http.Request, chosen string, said error) {
	link := console.Secret(r.PathValue("link"))
	i, err := s.Console.Invitation(r.Context(), link)
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	if !s.ours(r) && s.Console.ByPasskey() {
		http.Redirect(w, r, s.Console.Origin()+console.Path(link), http.StatusSeeOther)
		return
	}
	v := enrolView{Invitation: i, Link: console.Path(link), Chosen: chosen}
	if i.Name != "" {
		v.Chosen = i.Name
	}
	if v.Chosen != "" {
		options, err := s.Console.EnrolOptions(r.Context(), link, v.Chosen)
		if err == nil {
			v.Options = true
			v.Ceremony = ceremony{Lang: languageOf(r.Context()), Action: v.Link, Kind: "create", Options: string(options), Key: "console.enrol.do", Name: v.Chosen}
		} else if said == nil {
			said = err
		}
	}
	s.consolePage(w, r, http.StatusOK, "enrol", "console.enrol.title", v, said)
}

func (s *site) enrol(w http.ResponseWriter, r *http.Request) {
	name := r.PostForm.Get("name")
	o, err := s.Console.FinishEnrol(r.Context(), console.Secret(r.PathValue("link")), name, []byte(r.PostForm.Get("answer")), r.UserAgent())
	if err != nil {
		s.showEnrol(w, r, name, err)
		return
	}
	s.signedIn(w, r, o, "/console")
}

// needsPasskey reports whether a refusal is overcome by proving the passkey again.
func needsPasskey(err error) bool { return warifu.ProblemOf(err).Problem == "step-up-needed" }
