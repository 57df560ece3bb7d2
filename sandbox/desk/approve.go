package desk

import (
	"cmp"
	"context"
	"net/http"

	"warifu/phone"
	"warifu/sandbox/bureau"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
)

// ApproveByCard is what a person decides about a login who puts their card in the desk's
// reader, which is any PC (K17).
type ApproveByCard struct {
	phones.Link
	// Attributes are those left ticked; null means every one that is asked for.
	Attributes   []string `json:"attributes"`
	Number       string   `json:"number,omitempty"`       // picked, where three are shown
	PIN          string   `json:"pin,omitempty"`          // the card's four-digit PIN
	CardPassword string   `json:"cardPassword,omitempty"` // the card's signing password, where an attribute is told
	Decline      bool     `json:"decline,omitempty"`
	Seen         string   `json:"seen,omitempty"` // fingerprint of the question that was shown
}

func (d *Desk) approveRoutes(mux *http.ServeMux) {
	mux.Handle("POST /api/asked", doorway.JSON(d.asked))
	mux.Handle("POST /api/cards/{id}/approve", doorway.JSON(d.approve))
	mux.HandleFunc("GET /reader", d.openReader)
	mux.HandleFunc("GET /reader/{way}/{login}", func(w http.ResponseWriter, r *http.Request) { d.showReader(w, r, nil) })
	mux.HandleFunc("POST /reader/{way}/{login}", d.approveByForm)
	d.consentRoutes(mux)
}

// elsewhere is the desk's PC.
func (d *Desk) elsewhere() phone.Elsewhere {
	return phone.Elsewhere{Server: d.config.Server, Scheme: d.config.Scheme, Clock: d.config.Clock}
}

func (d *Desk) asked(w http.ResponseWriter, r *http.Request) (any, error) {
	var in phones.Link
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	q, err := d.elsewhere().Asked(r.Context(), in.Link)
	if err == nil && q.Sign != nil {
		_, err = d.elsewhere().Wanted(r.Context(), q)
	}
	return phones.LoginAsked{LoginQuestion: q, Seen: q.Seen()}, err
}

func (d *Desk) approve(w http.ResponseWriter, r *http.Request) (any, error) {
	var in ApproveByCard
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	return d.answerByCard(r.Context(), r.PathValue("id"), in)
}

// answerByCard puts the card in the reader and answers as the person decided.
func (d *Desk) answerByCard(ctx context.Context, card string, in ApproveByCard) (phones.Decided, error) {
	out := phones.Decided{Declined: in.Decline}
	at := d.elsewhere()
	q, err := phone.LoginAsked(ctx, at.Server, in.Link.Link, at.Clock.Now())
	if err != nil {
		return out, err
	}
	if in.Decline {
		out.Approved, err = at.Decline(ctx, q)
		return out, err
	}
	if err := q.StillAsks(cmp.Or(in.Seen, q.Seen())); err != nil {
		return out, err
	}
	if in.Attributes == nil {
		in.Attributes = q.Attributes
	}
	held, err := d.config.Chips.Hold(ctx, card)
	if err != nil {
		return out, err
	}
	defer held.PutAway()
	out.Approved, err = at.Approve(ctx, q, phone.CardAgreement{
		Attributes: in.Attributes, Number: in.Number, Card: held, PIN: in.PIN, Password: in.CardPassword,
	})
	return out, err
}

var readerPage = doorway.Template(phones.ApproveForm + `{{define "body"}}
{{if .Data.Decided}}{{template "decided" .}}
{{else if .Data.Question.Login}}
<p>{{.T "login.approve.asked"}}</p>{{template "asked" .}}
<form method="post" action="/reader/{{.Data.Question.Way}}/{{.Data.Question.Login}}"><fieldset class="of-card"><legend>{{.T "login.approve.card"}}</legend>{{template "decide" .}}
<label>{{.T "login.approve.which-card"}} <select name="card">{{range .Data.Cards}}<option value="{{.Person.ID}}" {{foreign $.Lang .Person.Name}}{{if eq .Person.ID $.Data.Card}} selected{{end}}>{{.Person.ID}} {{.Person.Name}}</option>{{end}}</select></label>
{{secret .Lang "card" "authentication" "pin" -1}}
{{if .Data.Question.Sign}}{{secret .Lang "card" "signature" "cardPassword" -1}}
{{else if .Data.Question.Attributes}}{{maybe .Lang "card" "signature" "cardPassword" -1}}<p class="quiet">{{.T "login.approve.card-password-note"}}</p>{{end}}
<p class="row"><button>{{.T "login.approve.do"}}</button> <button class="quiet" name="decline" value="1" formnovalidate>{{.T "login.approve.decline"}}</button></p></fieldset></form>
{{else}}
<form method="get" action="/reader"><label>{{.T "login.approve.link"}} <input name="at" value="{{.Data.At}}" required autocomplete="off"></label> <button>{{.T "login.approve.open"}}</button></form>
{{end}}{{end}}`)

// readerData is the page of a PC with a card reader.
type readerData struct {
	phones.Asking
	phones.Outcome
	Cards []bureau.View
	Card  string // chosen
}

// openReader takes a link and leads to the page of its login.
func (d *Desk) openReader(w http.ResponseWriter, r *http.Request) {
	if path := phones.PagePath(r.FormValue("at"), d.config.Server); path != "" {
		http.Redirect(w, r, "/reader"+path, http.StatusSeeOther)
		return
	}
	if toConsents(r.FormValue("at"), d.config.Server) {
		http.Redirect(w, r, "/reader/consents", http.StatusSeeOther)
		return
	}
	d.showReader(w, r, nil)
}

func (d *Desk) showReader(w http.ResponseWriter, r *http.Request, problem error) {
	data := readerData{Asking: phones.NewAsking(r, d.config.Server), Card: r.FormValue("card")}
	var err error
	if data.Cards, err = d.config.Cards.Persons(); problem == nil {
		problem = err
	}
	if err := data.Ask(r.Context(), d.config.Server, d.config.Clock); problem == nil {
		problem = err
	}
	doorway.Show(w, r, readerPage, "login.approve.reader", data, problem)
}

func (d *Desk) approveByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	at := phones.NewAsking(r, d.config.Server).At
	decided, err := d.answerByCard(r.Context(), r.FormValue("card"), ApproveByCard{
		Link: phones.Link{Link: at}, Attributes: append([]string{}, r.Form["attribute"]...), Number: r.FormValue("number"), Seen: r.FormValue("seen"),
		PIN: r.FormValue("pin"), CardPassword: r.FormValue("cardPassword"), Decline: r.FormValue("decline") != "",
	})
	if err != nil {
		d.showReader(w, r, err)
		return
	}
	doorway.Show(w, r, readerPage, "login.approve.reader", readerData{Outcome: phones.Told(w, decided)}, nil)
}
