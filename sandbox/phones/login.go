package phones

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/handset"
)

var loginPage = doorway.Template(`{{define "body"}}
{{if .Data.Done}}<div class="done" role="status"><p><strong>{{.T "phones.login-done"}}</strong></p></div>
{{else}}<p>{{.T "phones.login-note"}}</p><p><strong>{{.Data.Seen}}</strong></p>
<form method="post" action="/login"><fieldset><legend>{{.T "phones.login"}}</legend><input type="hidden" name="at" value="{{.Data.At}}">
<label>{{.T "phones.which-phone"}} <select name="phone">{{range .Data.Phones}}<option>{{.ID}}</option>{{end}}</select></label>
<label>{{.T "phones.pin"}} <input name="pin" inputmode="numeric" required autocomplete="off"></label>
<button>{{.T "phones.login-do"}}</button></fieldset></form>{{end}}{{end}}`)

type loginData struct {
	At, Seen string
	Phones   []handset.Record
	Done     bool
}

// asked is what a relying party answers at the address of its question.
type asked struct {
	Question phone.Question `json:"question"`
	Answer   string         `json:"answer"`
}

// party finds the relying party whose question is at the address. Only those of the
// sandbox are called: this place fetches for whoever shows it an address.
func (p *Phones) party(at string) (doorway.Client, string, error) {
	u, err := url.Parse(at)
	if err != nil || !slices.Contains(p.config.Parties, u.Scheme+"://"+u.Host) {
		return doorway.Client{}, "", warifu.Refused("party-unknown")
	}
	return doorway.NewClient(u.Scheme + "://" + u.Host), u.EscapedPath(), nil
}

func (p *Phones) showLogin(w http.ResponseWriter, r *http.Request, at string, done bool, problem error) {
	data := loginData{At: at, Phones: p.List(), Done: done}
	if party, _, err := p.party(at); err == nil {
		data.Seen = party.Origin()
	} else if problem == nil {
		problem = err
	}
	doorway.Show(w, r, loginPage, "phones.login", data, problem)
}

// answerByForm has the chosen phone answer the question at the address.
func (p *Phones) answerByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	at := r.FormValue("at")
	err := p.answer(r.Context(), r.FormValue("phone"), at, Unlock{PIN: r.FormValue("pin")})
	p.showLogin(w, r, at, err == nil, err)
}

func (p *Phones) answer(ctx context.Context, id, at string, unlock Unlock) error {
	party, path, err := p.party(at)
	if err != nil {
		return err
	}
	var q asked
	if err := party.Get(ctx, path, &q); err != nil {
		return err
	}
	answer, err := p.Login(ctx, id, Login{Question: q.Question, Seen: party.Origin(), Unlock: unlock})
	if err != nil {
		return err
	}
	return party.Post(ctx, q.Answer, answer, nil)
}
