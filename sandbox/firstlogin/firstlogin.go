// Package firstlogin is the smallest service that people log in to: a page with a link, the
// way to the provider and back, and a page that shows who came. `warifu rp try` runs it with a
// developer's own registration; it is there to be copied from.
package firstlogin

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"

	"warifu"
	"warifu/relyingparty"
	"warifu/text"
)

// cookie carries the login under way. It is the browser's that began, for the way back alone.
const cookie = "warifu-first-login"

// Came is somebody who logged in, with what they agreed to tell.
type Came struct {
	*relyingparty.Login
	relyingparty.Attributes
}

// Handler is the service. callback is its redirect URI as registered; told, where not nil,
// hears of each login.
func Handler(p *relyingparty.Party, callback *url.URL, told func(Came)) http.Handler {
	path := cmp.Or(callback.Path, "/")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		show(w, http.StatusOK, map[string]any{})
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		begun, err := p.Begin(r.Context(), relyingparty.Wish{UILocale: r.URL.Query().Get("lang")})
		if err != nil {
			fail(w, r, err)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: cookie, Value: begun.State, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: callback.Scheme == "https"})
		http.Redirect(w, r, begun.URL, http.StatusSeeOther)
	})
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		state := ""
		if c, err := r.Cookie(cookie); err == nil {
			state = c.Value
		}
		http.SetCookie(w, &http.Cookie{Name: cookie, Path: path, MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: callback.Scheme == "https"})
		login, err := p.Finish(r.Context(), r.URL.Query(), state)
		if err != nil {
			fail(w, r, err)
			return
		}
		attributes, err := p.UserInfo(r.Context(), login)
		if err != nil {
			fail(w, r, err)
			return
		}
		came := Came{login, attributes}
		if told != nil {
			told(came)
		}
		show(w, http.StatusOK, map[string]any{"Came": came})
	})
	return mux
}

// fail shows a problem in the browser's language.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	problem := warifu.ProblemOf(err)
	title, detail, next := text.Problem(problem, text.Match(r.Header.Get("Accept-Language")))
	show(w, http.StatusBadRequest, map[string]any{"Problem": problem.Problem, "Title": title, "Detail": detail, "Next": next})
}

func show(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = page.Execute(w, v) // the browser has gone
}

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>My first login</title>
<meta name="viewport" content="width=device-width"><style>body{font:1.1rem/1.6 sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}dt{color:#555}dd{margin:0 0 .5rem;overflow-wrap:anywhere}</style>
{{if .Title}}<h1>{{.Title}}</h1><p>{{.Detail}}</p><p>{{.Next}}</p><p><code>{{.Problem}}</code></p>
{{else}}{{with .Came}}<h1>Logged in · ログインしました</h1><dl>
<dt>sub</dt><dd>{{.Subject}}</dd><dt>warifu_class, warifu_activation</dt><dd>{{.Class}}, {{.Activation}}</dd><dt>acr</dt><dd>{{.ACR}}</dd>
{{with .Name}}<dt>name</dt><dd>{{.}}</dd>{{end}}{{with .Address}}<dt>address</dt><dd>{{.}}</dd>{{end}}{{with .BirthDate}}<dt>birthdate</dt><dd>{{.}}</dd>{{end}}{{with .Gender}}<dt>gender</dt><dd>{{.}}</dd>{{end}}
</dl>{{else}}<h1>My first login · はじめてのログイン</h1>{{end}}{{end}}
<p><a href="/login">Log in · ログイン</a></p></html>
`))
