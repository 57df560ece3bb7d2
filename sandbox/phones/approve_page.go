package phones

import (
	"context"
	"net/http"
	"slices"

	"warifu"
	"warifu/phone"
	"warifu/text"
)

// ApproveForm is the part of a page that shows what a login asks and takes the decision. It is
// the same for a phone and for the card at a reader; what opens the key stands between.
const ApproveForm = `{{define "asked"}}{{$q := .Data.Question}}{{$lang := .Lang}}
<dl><dt>{{.T "login.page.client"}}</dt><dd><strong>{{.Data.Called .Lang}}</strong><br><code>{{$q.Client.Origin}}</code></dd>
{{with $q.Sign}}<dt>{{$.T "login.page.sign"}}</dt><dd><strong>{{.Name}}</strong><br>{{$.T (printf "login.sign.%s" .Mode)}}<br><small>{{.Size}} {{$.T "login.sign.octets"}} · SHA-256 <code>{{.Digest}}</code></small>
{{with $.Data.Wanted.Text}}<details><summary>{{$.T "login.sign.read"}}</summary><pre>{{.}}</pre></details>{{end}}<p><a href="{{$.Data.Document}}">{{$.T "login.sign.open"}}</a></p></dd>{{end}}
<dt>{{.T "login.page.until"}}</dt><dd>{{when .Lang $q.Expires}}</dd></dl>{{end}}
{{define "decide"}}{{$q := .Data.Question}}
<input type="hidden" name="seen" value="{{$q.Seen}}">
{{if $q.Attributes}}<p>{{.T "login.approve.attributes"}}</p>
{{range $q.Attributes}}<label class="tick"><input type="checkbox" name="attribute" value="{{.}}" {{if $.Data.Ticked .}}checked{{end}}> {{$.T (printf "login.attribute.%s" .)}}</label>{{end}}
{{else}}<p>{{.T "login.approve.attributes-none"}}</p>{{end}}
{{with $q.Numbers}}<p>{{$.T "login.approve.number"}}</p>
{{range .}}<label class="tick"><input type="radio" name="number" value="{{.}}" required> <strong>{{.}}</strong></label>{{end}}{{end}}{{end}}
{{define "decided"}}<div class="done" role="status"><p><strong>{{if .Data.Decided.Declined}}{{.T "login.approve.declined"}}{{else}}{{.T "login.approve.done"}}{{end}}</strong></p>
{{range .Data.Decided.Missing}}<p>{{$.T "login.approve.missing"}} {{$.T (printf "login.attribute.%s" .)}}</p>{{end}}
{{if not .Data.Decided.Return}}<p>{{.T "login.approve.there"}}</p>{{end}}</div>
{{with .Data.Decided.Return}}<p><a class="button" href="{{.}}">{{$.T "login.approve.back"}}</a></p>{{end}}{{end}}`

// Outcome is what a page tells once the person has decided.
type Outcome struct{ Decided *Decided }

// Told is the outcome of a decision. On the same device the browser is opened where the server
// says: the page itself goes on, since a form may not lead to another origin.
func Told(w http.ResponseWriter, d Decided) Outcome {
	if d.Return != "" {
		w.Header().Set("Refresh", "0; url="+d.Return)
	}
	return Outcome{&d}
}

// Asking is what the pages of a phone and of a card's reader have in common.
type Asking struct {
	At       string
	Question phone.LoginQuestion
	Wanted   phone.Wanted // where a document is to be signed: as it was fetched
	Document string       // its address, to open it with another program
	Kept     []string     // ticked, once the person has decided
	Again    bool         // they have, and are asked again
}

// NewAsking is the page of the login that its address names (PagePath), or of what was pasted,
// as the person left the form if they did.
func NewAsking(r *http.Request, server *phone.Server) Asking {
	a := Asking{At: r.FormValue("at")}
	if login := r.PathValue("login"); login != "" {
		a.At = phone.LoginLink{Origin: server.Origin(), Login: login, Way: r.PathValue("way")}.String()
	}
	if r.Method == http.MethodPost {
		a.Kept, a.Again = r.Form["attribute"], true
	}
	return a
}

// Ticked reports whether an attribute is ticked: every one at first, and then as the person left it.
func (a Asking) Ticked(name string) bool {
	return !a.Again || slices.Contains(a.Kept, name)
}

// Called is who asks, in the reader's language.
func (a Asking) Called(lang text.Lang) string {
	if lang == text.English {
		return a.Question.Client.Name.En
	}
	return a.Question.Client.Name.Ja
}

// Ask fetches the question behind a link for a page.
func (a *Asking) Ask(ctx context.Context, server *phone.Server, clock warifu.Clock) (err error) {
	if a.At == "" {
		return nil
	}
	if a.Question, err = phone.LoginAsked(ctx, server, a.At, clock.Now()); err != nil {
		return err
	}
	if a.Question.Sign == nil {
		return nil
	}
	a.Document = server.Origin() + "/api/v1/logins/" + a.Question.Login + "/document"
	if a.Wanted, err = (phone.Elsewhere{Server: server}).Wanted(ctx, a.Question); err != nil {
		a.Question = phone.LoginQuestion{} // nothing to decide about
	}
	return err
}

// PagePath is the address below a page of the login that a link leads to: without the link in it,
// so that it stays the same in the other language. "" for no link of this server.
func PagePath(link string, server *phone.Server) string {
	l, err := phone.ParseLoginLink(link)
	if err != nil || l.Origin != server.Origin() {
		return ""
	}
	return "/" + l.Way + "/" + l.Login
}
