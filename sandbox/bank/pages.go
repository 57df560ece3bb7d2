package bank

import (
	"errors"
	"net/http"
	"net/url"

	"warifu"
	"warifu/sandbox/doorway"
)

// sessionCookie names the transaction that a browser began. Cookies know no ports,
// so the name carries ours apart from other places'.
const sessionCookie = "warifu_bank"

var frontPage = doorway.Template(`{{define "body"}}
<p>{{.T "bank.welcome"}}</p>
<h2>{{.T "bank.accounts"}}</h2><p>{{.T "bank.open-note"}}</p><p><a class="button" href="/accounts">{{.T "bank.open"}}</a></p>
<h2>{{.T "bank.login"}}</h2><p>{{.T "bank.login-note"}}</p><form method="post" action="/login"><button>{{.T "bank.login"}}</button></form>
<h2>{{.T "bank.documents"}}</h2>
<form method="post" action="/documents" enctype="multipart/form-data">
<label>{{.T "bank.signature"}} <input type="file" name="signature" required></label>
<label>{{.T "bank.document"}} <input type="file" name="document"></label>
<button>{{.T "bank.check"}}</button></form>
{{with .Data}}<h2>{{$.T "bank.result"}}</h2><div class="{{if eq .Verdict "good"}}done{{else}}problem{{end}}" role="status">
<p><strong>{{.Verdict}}</strong>{{with .Name}} — {{.}}{{end}}</p><table>
{{with .Class}}<tr><th>{{$.T "bank.class"}}</th><td>{{.}}</td></tr>{{end}}
{{with .Subject}}<tr><th>{{$.T "bank.subject"}}</th><td><code>{{.}}</code></td></tr>{{end}}
{{with .Address}}<tr><th>{{$.T "bank.address"}}</th><td>{{.}}</td></tr>{{end}}
<tr><th>{{$.T "bank.status"}}</th><td>{{.Status}} {{.StatusFrom}}</td></tr></table>
{{if .Reasons}}<ul>{{range .Reasons}}<li>{{.In $.Lang}} <code>{{.Problem}}</code></li>{{end}}</ul>{{end}}</div>{{end}}
{{end}}`)

func (b *Bank) front(w http.ResponseWriter, r *http.Request) { b.show(w, r, nil, nil) }

func (b *Bank) show(w http.ResponseWriter, r *http.Request, j *Judgement, problem error) {
	doorway.Show(w, r, frontPage, "bank.title", j, problem)
}

// beginLogin asks a question for this browser and goes to wait for the answer.
func (b *Bank) beginLogin(w http.ResponseWriter, r *http.Request) {
	q, err := b.ask()
	if err != nil {
		b.show(w, r, nil, err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: q.Transaction, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

var loginPage = doorway.Template(`{{define "body"}}
{{with .Data.Customer}}<div class="done" role="status"><p><strong>{{$.T "bank.hello"}}</strong></p><p><code>{{.Subject}}</code> ({{.Class}})</p></div>
{{else}}<p>{{.T "bank.waiting"}}</p>
<p><a href="{{.Data.Phones}}">{{.T "bank.to-phones"}}</a></p>
<p>{{.T "bank.or-command"}}<br><code>warifu phone login phone-1 --at {{.Data.Question}}</code></p>
<form method="get" action="/login"><button>{{.T "bank.look-again"}}</button></form>{{end}}
<p><a href="/">{{.T "bank.back"}}</a></p>{{end}}`)

type loginData struct {
	Customer *Customer
	Phones   string // the phones' page, told where the question is
	Question string // the question's address
}

func (b *Bank) waitLogin(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		b.show(w, r, nil, warifu.NotFound("bank-question-unknown"))
		return
	}
	v, err := b.find(cookie.Value)
	if err != nil {
		b.show(w, r, nil, err)
		return
	}
	address := b.config.Origin + "/api/login/" + v.question.Transaction
	doorway.Show(w, r, loginPage, "bank.title", loginData{v.customer, b.config.Phones + "/login?at=" + url.QueryEscape(address), address}, nil)
}

func (b *Bank) uploadDocument(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	signature, err := part(r, "signature")
	if err != nil {
		b.show(w, r, nil, err)
		return
	}
	document, err := part(r, "document")
	if err != nil && !errors.Is(err, http.ErrMissingFile) {
		b.show(w, r, nil, err)
		return
	}
	j, err := b.judge(r.Context(), signature, document)
	if err != nil {
		b.show(w, r, nil, err)
		return
	}
	b.show(w, r, &j, nil)
}

// part reads one uploaded file; an empty one counts as none.
func part(r *http.Request, name string) ([]byte, error) {
	file, _, err := r.FormFile(name)
	if err != nil {
		return nil, warifu.Invalid("sandbox-request-malformed").With(err)
	}
	defer file.Close()
	data, err := readAll(file, maxUpload)
	if len(data) == 0 {
		return nil, err
	}
	return data, err
}
