package desk

import (
	"context"
	"net/http"
	"strings"

	"warifu/phone"
	"warifu/sandbox/bureau"
	"warifu/sandbox/doorway"
)

// ConsentByCard is what a person decides, with the card at the desk's reader, about who wants
// to be told attributes of theirs: the way for who has no phone, or not at hand.
type ConsentByCard struct {
	Wish         string `json:"wish,omitempty"` // empty: only see what waits
	Grant        bool   `json:"grant,omitempty"`
	CardPassword string `json:"cardPassword"` // the card's signing password
}

// Consents are the requests that wait.
type Consents struct {
	Requests []phone.Wish `json:"requests"`
}

func (d *Desk) consentRoutes(mux *http.ServeMux) {
	mux.Handle("POST /api/cards/{id}/consents", doorway.Take(func(r *http.Request, in ConsentByCard) (any, error) {
		return d.consentByCard(r.Context(), r.PathValue("id"), in)
	}))
	mux.HandleFunc("GET /reader/consents", func(w http.ResponseWriter, r *http.Request) { d.showConsents(w, r, consentsData{}, nil) })
	mux.HandleFunc("POST /reader/consents", d.consentsByForm)
}

// consentByCard puts the card in the reader, decides about a request where one is named, and
// returns those that wait otherwise.
func (d *Desk) consentByCard(ctx context.Context, card string, in ConsentByCard) (out Consents, err error) {
	held, err := d.config.Chips.Hold(ctx, card)
	if err != nil {
		return out, err
	}
	defer held.PutAway()
	if in.Wish != "" {
		return out, d.elsewhere().Consent(ctx, in.Wish, in.Grant, held, in.CardPassword)
	}
	out.Requests, err = d.elsewhere().Consents(ctx, held, in.CardPassword)
	return out, err
}

// consentsPath is the part of the server's links that leads a reader to who waits for consent,
// as the holder's own pages hand it on.
const consentsPath = "/mine/consents"

var consentsPage = doorway.Template(`{{define "width"}}reading{{end}}{{define "body"}}{{$d := .Data}}{{$p := .}}
{{if $d.Decided}}<div class="done" role="status"><p><strong>{{.T (printf "my.consents.state-%s" $d.Decided)}}</strong></p></div>
<p><a class="button quiet" href="/reader/consents">{{.T "login.consents.again"}}</a> <a class="button" href="{{$d.Mine}}">{{.T "login.consents.mine"}}</a></p>
{{else if and $d.Read (not $d.Wishes)}}<p class="info">{{.T "my.consents.none"}}</p><p><a class="button" href="{{$d.Mine}}">{{.T "login.consents.mine"}}</a></p>
{{else}}<p class="lead">{{if $d.Read}}{{.T "login.consents.decide"}}{{else}}{{.T "my.consents.what"}}{{end}}</p>
<form method="post" action="/reader/consents">
{{if $d.Read}}<input type="hidden" name="card" value="{{$d.Card}}">
{{else}}<label>{{.T "login.approve.which-card"}} <select name="card">{{range $d.Cards}}<option value="{{.Person.ID}}" {{foreign $p.Lang .Person.Name}}{{if eq .Person.ID $d.Card}} selected{{end}}>{{.Person.ID}} {{.Person.Name}}</option>{{end}}</select></label>{{end}}
{{secret .Lang "card" "signature" "cardPassword" -1}}
{{range $d.Wishes}}<section class="card" aria-labelledby="w-{{.ID}}"><h2 id="w-{{.ID}}">{{if eq $p.Lang "ja"}}{{.Name.Ja}}{{else}}{{.Name.En}}{{end}}</h2>
<dl><dt>{{$p.T "my.consents.attributes"}}</dt><dd>{{range $i, $a := .Attributes}}{{if $i}}{{$p.T "login.page.and"}}{{end}}{{$p.T (printf "login.attribute.%s" $a)}}{{end}}</dd>
<dt>{{$p.T "ledger.why"}}</dt><dd>{{named $p.Lang .Purpose}}</dd><dt>{{$p.T "login.page.until"}}</dt><dd>{{when $p.Lang .ExpiresAt}}</dd></dl>
<p class="row"><button name="grant" value="{{.ID}}">{{$p.T "my.consents.grant"}}</button> <button class="quiet" name="refuse" value="{{.ID}}">{{$p.T "my.consents.refuse"}}</button></p></section>{{end}}
{{if not $d.Read}}<p><button>{{.T "my.consents.read"}}</button></p>{{end}}</form>{{end}}{{end}}`)

// consentsData is the page of who wants to be told, at a computer with a card reader.
type consentsData struct {
	Cards   []bureau.View
	Card    string // chosen
	Read    bool   // the card has asked
	Wishes  []phone.Wish
	Decided string // "granted", "refused"
	Mine    string // the holder's own pages
}

func (d *Desk) showConsents(w http.ResponseWriter, r *http.Request, data consentsData, problem error) {
	var err error
	if data.Cards, err = d.config.Cards.Persons(); problem == nil {
		problem = err
	}
	if data.Card == "" {
		data.Card = r.FormValue("card")
	}
	data.Mine = d.config.Server.Origin() + "/mine"
	doorway.Show(w, r, consentsPage, "login.consents.title", data, problem)
}

func (d *Desk) consentsByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	grant, refuse := r.PostFormValue("grant"), r.PostFormValue("refuse")
	data := consentsData{Card: r.PostFormValue("card")}
	read, err := d.consentByCard(r.Context(), data.Card, ConsentByCard{Wish: grant + refuse, Grant: grant != "", CardPassword: r.PostFormValue("cardPassword")})
	switch {
	case err != nil:
	case grant != "":
		data.Decided = "granted"
	case refuse != "":
		data.Decided = "refused"
	default:
		data.Read, data.Wishes = true, waiting(read.Requests)
	}
	d.showConsents(w, r, data, err)
}

// waiting are the requests that wait for an answer.
func waiting(all []phone.Wish) (out []phone.Wish) {
	for _, w := range all {
		if w.State == "waiting" {
			out = append(out, w)
		}
	}
	return out
}

// toConsents reports whether a link is the server's to who waits for consent.
func toConsents(link string, server *phone.Server) bool {
	rest, ours := strings.CutPrefix(link, server.Origin())
	return ours && rest == consentsPath
}
