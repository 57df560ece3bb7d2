package web

import (
	"html/template"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"warifu"
	"warifu/console"
	"warifu/face"
	"warifu/text"
)

// consolePlace is an entry of the console's navigation, shown to who has one of the roles. The
// sentence of its key says its name, and key + ".what" what is done there.
type consolePlace struct {
	address, key string
	roles        []console.Role
}

var (
	atHotline = []console.Role{console.Hotline, console.Registrar}
	atAudit   = []console.Role{console.Auditor}
	atStaff   = []console.Role{console.Administrator}
	anyRole   = console.Roles
)

// consolePlaces stand in the navigation in this order.
var consolePlaces = []consolePlace{
	{"/console/hotline", "console.nav.hotline", atHotline},
	{"/console/queue", "console.nav.queue", atHotline},
	{"/console/calls", "console.nav.calls", atAudit},
	{"/console/audit", "console.nav.audit", atAudit},
	{"/console/catalogue", "console.nav.catalogue", atCatalogue},
	{"/console/submissions", "console.nav.submissions", atCatalogue},
	{"/console/figures", "console.nav.figures", atFigures},
	{"/console/causes", "console.nav.causes", atFigures},
	{"/console/staff", "console.nav.staff", atStaff},
}

// maxConsoleForm bounds a form of the console, in octets.
const maxConsoleForm = 64 << 10

// console adds the operators' pages; without a desk there are none.
func (s *site) console(mux *http.ServeMux) {
	if s.Console == nil {
		return
	}
	s.consoleEntrance(mux)
	s.consoleHotline(mux)
	s.consoleStaff(mux)
	s.consolePasskeys(mux)
	s.consoleAudit(mux)
	s.consoleCharts(mux)
	s.consoleCauses(mux)
	s.consoleCatalogue(mux)
	s.atConsole(mux, "GET /console", anyRole, func(w http.ResponseWriter, r *http.Request, o console.Operator) {
		s.homePage(w, r, o)
	})
}

// homeView is what a new operator does best first.
type homeView struct {
	OneKey bool // a second passkey is to be made
	Few    bool // a second administrator is to be invited
}

func (s *site) homePage(w http.ResponseWriter, r *http.Request, o console.Operator) {
	keys, err := s.Console.Passkeys(r.Context(), o)
	v := homeView{OneKey: len(keys) == 1}
	if err == nil && o.Is(console.Administrator) {
		var staff console.Staff
		staff, err = s.Console.Staff(r.Context(), o)
		v.Few = staff.Administrators < 2
	}
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	s.consolePage(w, r, http.StatusOK, "home", "console.home.title", v, nil)
}

// atConsole serves a page of the console to who has one of the roles: signed in, in this
// browser, and, where something is posted, by a form of this session that was not sent before.
// console.Of(r.Context()) is the operator, too.
func (s *site) atConsole(mux *http.ServeMux, pattern string, roles []console.Role, page func(http.ResponseWriter, *http.Request, console.Operator)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		session, byItself := s.Console.Session, askedByItself(r)
		if byItself {
			session = s.Console.Glance
		}
		o, err := session(r.Context(), s.consoleSecret(r), r.UserAgent())
		if err != nil && byItself && warifu.ProblemOf(err).IsCode(warifu.CodeUnauthenticated) {
			w.WriteHeader(http.StatusNoContent) // what stands there stays, and says that it is old
			return
		}
		if err != nil {
			s.consoleStranger(w, r, err)
			return
		}
		r = r.WithContext(console.With(r.Context(), o))
		if !o.Is(roles...) {
			s.consoleProblem(w, r, warifu.Refused("console-role", "role", string(o.Role)))
			return
		}
		if r.Method == http.MethodPost {
			if err := readConsoleForm(w, r); err != nil {
				s.consoleProblem(w, r, warifu.Invalid("request-malformed"))
				return
			}
			if err := s.takeForm(r, o); err != nil {
				s.consoleProblem(w, r, err)
				return
			}
		}
		page(w, r, o)
	})
}

// exportAddress answers a form with a file.
const exportAddress = "/console/audit/export"

// takeForm takes the token of a form; where the answer is a file the page stays, and so does its token.
func (s *site) takeForm(r *http.Request, o console.Operator) error {
	token := r.PostForm.Get("token")
	if r.URL.Path == exportAddress {
		return s.Console.CheckForm(o, token)
	}
	return s.Console.SpendForm(r.Context(), o, token)
}

// askedByItself reports whether a page asks for its own figures again, which nobody touched.
func askedByItself(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("HX-Request") == "true"
}

// readConsoleForm reads what was posted; a form with a file may be as long as any request.
func readConsoleForm(w http.ResponseWriter, r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		return r.ParseMultipartForm(maxRequest)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxConsoleForm)
	return r.ParseForm()
}

// consoleStranger sends who is not signed in to the entrance, and from there back again.
func (s *site) consoleStranger(w http.ResponseWriter, r *http.Request, err error) {
	if !warifu.ProblemOf(err).IsCode(warifu.CodeUnauthenticated) {
		s.consoleProblem(w, r, err)
		return
	}
	s.refused(r.Context(), "console", err)
	to := url.Values{}
	if r.Method == http.MethodGet && r.URL.Path != "/console" {
		to.Set("back", r.URL.RequestURI())
	}
	if warifu.ProblemOf(err).Problem == "console-session-over" {
		to.Set("over", "1")
	}
	address := "/console/sign-in"
	if len(to) > 0 {
		address += "?" + to.Encode()
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// backOf is where a person came from, if that is a page of the console.
func backOf(back string) string {
	u, err := url.Parse(back)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, "/console") || strings.Contains(back, "\\") || len(back) > 1000 {
		return "/console"
	}
	return back
}

// consoleTemplates are the console's pages, each parsed once.
var consoleTemplates sync.Map // string to *template.Template

func consoleTemplate(name string) *template.Template {
	if t, there := consoleTemplates.Load(name); there {
		return t.(*template.Template)
	}
	t, _ := consoleTemplates.LoadOrStore(name, face.ConsolePage(name))
	return t.(*template.Template)
}

// consolePage writes templates/console/NAME.html: title is a key of the catalogue, data is the
// page's own (.Data in the template), and a problem stands above the body where there is one.
func (s *site) consolePage(w http.ResponseWriter, r *http.Request, status int, name, title string, data any, problem error) {
	c := face.Console{Data: data}
	if o, ok := console.Of(r.Context()); ok {
		token, err := s.Console.FormToken(o)
		if err != nil {
			s.problemPage(w, r, err)
			return
		}
		r = face.Unkept(r)
		c.Name, c.Role, c.Ends, c.Token = o.Name, string(o.Role), o.Ends, token
		for _, p := range consolePlaces {
			if o.Is(p.roles...) {
				here := r.URL.Path == p.address || strings.HasPrefix(r.URL.Path, p.address+"/")
				c.Places = append(c.Places, face.ConsolePlace{Address: p.address, Key: p.key, Here: here})
			}
		}
	}
	if problem != nil {
		p := problemOf(problem, text.Japanese)
		status = p.Status
		s.refused(r.Context(), "console", problem)
		if p.passes() {
			w.Header().Set("Retry-After", retryAfter)
		}
	}
	s.write(w, r, status, "console/"+name, func(r *http.Request) ([]byte, error) {
		here := c
		here.Lang = readersLanguage(r)
		page := face.Page{Lang: here.Lang, Title: title, Data: here}
		page.Problem, _ = problemSentences(here.Lang, fieldNamed(problem, here.Lang))
		return face.Placed(r, consoleTemplate(name), page)
	})
}

// fields are the forms' fields by their labels, for problems that name a field as programs call it.
var fields = map[string]string{
	"reading": "console.hotline.reading", "birthDate": "console.hotline.birth", "telephone": "console.hotline.telephone",
	"from": "console.audit.from", "until": "console.audit.until", "actor": "console.audit.actor", "verb": "console.audit.verb", "subject": "console.audit.subject", "cause": "console.audit.cause",
	"caller": "console.suspend.caller", "phone": "console.suspend.phone", "card": "console.suspend.card", "outcome": "console.back.outcome",
	"id": "console.model.id", "maker": "console.model.maker", "names": "console.model.names", "carriers": "console.model.carriers", "since": "console.model.since",
	"minOSBuild": "console.model.min-build", "minAppVersion": "console.model.min-app", "reason": "console.submissions.reason",
}

// fieldNamed is a problem whose field is called as its label says; nil for none.
func fieldNamed(problem error, lang text.Lang) error {
	if problem == nil {
		return nil
	}
	e := warifu.ProblemOf(problem)
	label, known := fields[e.Params["field"]]
	if !known {
		return problem
	}
	named := *e
	named.Params = maps.Clone(e.Params)
	named.Params["field"] = text.Sentence(label, lang, nil)
	return &named
}

// placeOf is the page to which a request belongs: itself, or of a form the page it stands on.
func placeOf(r *http.Request) string {
	if r.Method == http.MethodGet {
		return backOf(r.URL.RequestURI())
	}
	part := strings.Split(strings.TrimPrefix(r.URL.Path, "/console/"), "/")
	if len(part) > 1 && part[0] == "hotline" {
		return "/console/hotline/" + url.PathEscape(part[1])
	}
	if r.URL.Path == "/console/passkeys/new" {
		return r.URL.Path
	}
	if part[0] == "enrol" || part[0] == "sign-in" || part[0] == "sandbox" {
		return "/console"
	}
	return "/console/" + url.PathEscape(part[0])
}

// consoleLink is a way on from a page that says only what happened.
type consoleLink struct{ Address, Key string }

// consoleProblem says why something was not done, and leads back; what wants the passkey
// again leads to it.
func (s *site) consoleProblem(w http.ResponseWriter, r *http.Request, err error) {
	on := []consoleLink{{"/console", "console.message.home"}}
	from := placeOf(r)
	switch p := warifu.ProblemOf(err); {
	case p.Problem == "step-up-needed":
		http.Redirect(w, r, "/console/step-up?back="+url.QueryEscape(from), http.StatusSeeOther)
		return
	case r.Method == http.MethodPost && from != "/console":
		on = append([]consoleLink{{from, "console.message.back"}}, on...)
	}
	s.consolePage(w, r, http.StatusOK, "message", "console.message.title", on, err)
}
