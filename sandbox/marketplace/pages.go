package marketplace

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"warifu/sandbox/doorway"
	"warifu/text"
)

func (m *Marketplace) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { m.front(w, r, nil) })
	mux.HandleFunc("POST /offers", m.sellByForm)
	mux.HandleFunc("GET /offers/{id}", func(w http.ResponseWriter, r *http.Request) { m.showOffer(w, r, nil) })
	mux.HandleFunc("POST /offers/{id}/proof", m.onOffer(func(r *http.Request, id string) (Offer, error) {
		return m.prove(r.Context(), id, Shown{Code: r.FormValue("code")})
	}))
	mux.HandleFunc("POST /offers/{id}/question", m.onOffer(func(r *http.Request, id string) (Offer, error) { return m.ask(r.Context(), id) }))
	mux.HandleFunc("POST /offers/{id}/sale", m.onOffer(func(r *http.Request, id string) (Offer, error) { return m.buy(r.Context(), id) }))
	mux.HandleFunc("GET /check", func(w http.ResponseWriter, r *http.Request) {
		doorway.Show(w, r, checkPage, "marketplace.check", checkData{}, nil)
	})
	mux.HandleFunc("POST /check", m.checkByForm)
	mux.HandleFunc("GET /trade-in", func(w http.ResponseWriter, r *http.Request) {
		doorway.Show(w, r, lotPage, "marketplace.trade-in", lotData{Origin: m.config.Origin}, nil)
	})
	mux.HandleFunc("POST /trade-in", m.lotByForm)
	mux.HandleFunc("GET /trade-in/{id}", func(w http.ResponseWriter, r *http.Request) {
		l, err := m.lot(r.Context(), r.PathValue("id"))
		doorway.Show(w, r, lotPage, "marketplace.trade-in", lotData{Origin: m.config.Origin, Lot: l}, err)
	})
	mux.HandleFunc("GET /staff", func(w http.ResponseWriter, r *http.Request) {
		doorway.Show(w, r, staffPage, "marketplace.staff", m.config, nil)
	})
	mux.HandleFunc("POST /staff", func(w http.ResponseWriter, r *http.Request) {
		doorway.Show(w, r, staffPage, "marketplace.staff", m.config, m.refuseRevoking())
	})
}

var frontPage = doorway.Template(`{{define "body"}}{{$d := .Data}}<p>{{.T "marketplace.welcome"}}</p>
<ul><li><a href="/check">{{.T "marketplace.check"}}</a></li><li><a href="/trade-in">{{.T "marketplace.trade-in"}}</a></li><li><a href="/staff">{{.T "marketplace.staff"}}</a></li></ul>
<h2>{{.T "marketplace.listed"}}</h2>
{{if $d.Offers}}<table id="offers"><tr><th>{{.T "marketplace.phone"}}</th><th>{{.T "marketplace.price"}}</th><th>{{.T "marketplace.proved"}}</th></tr>
{{range $d.Offers}}<tr><td><a href="/offers/{{.ID}}">{{.Title}}</a></td><td>{{$.Yen .Price}}</td><td>{{if .Tied}}{{$.T "marketplace.tied"}}{{else}}{{$.T "marketplace.untied"}}{{end}}</td></tr>{{end}}</table>
{{else}}<p>{{.T "marketplace.none"}}</p>{{end}}
<form method="post" action="/offers"><fieldset><legend>{{.T "marketplace.sell"}}</legend><p>{{.T "marketplace.sell-note"}}</p>
<label>{{.T "marketplace.phone"}} <input name="title" value="{{$d.Sale.Title}}" required></label>
<label>{{.T "marketplace.price"}} <input name="price" type="number" min="1" {{with $d.Sale.Price}}value="{{.}}"{{end}} required></label>
<label>{{.T "marketplace.imei"}} <input name="imei" inputmode="numeric" value="{{$d.Sale.IMEI}}" required autocomplete="off"></label>
<label>{{.T "marketplace.element"}} <input name="element" value="{{$d.Sale.Element}}" autocomplete="off" size="34"></label>
<p>{{.T "marketplace.checklist"}}</p>
<label><input type="checkbox" name="initialised" value="1" {{if $d.Sale.Checklist.Initialised}}checked{{end}}> {{.T "marketplace.initialised"}}</label>
<label><input type="checkbox" name="activation-lock" value="1" {{if $d.Sale.Checklist.ActivationLock}}checked{{end}}> {{.T "marketplace.activation-lock"}}</label>
<label><input type="checkbox" name="certificates" value="1" {{if $d.Sale.Checklist.Certificates}}checked{{end}}> {{.T "marketplace.certificates"}}</label>
<button>{{.T "marketplace.sell-do"}}</button></fieldset></form>{{end}}`)

type frontData struct {
	Offers []Offer
	Sale   Sale // what was typed, where it was refused
}

func (m *Marketplace) front(w http.ResponseWriter, r *http.Request, problem error) {
	offers, err := m.shelf(r.Context())
	if problem == nil {
		problem = err
	}
	data := frontData{Offers: offers}
	if r.Method == http.MethodPost {
		data.Sale = saleOf(r)
	}
	doorway.Show(w, r, frontPage, "marketplace.title", data, problem)
}

func saleOf(r *http.Request) Sale {
	price, err := strconv.Atoi(r.FormValue("price"))
	if err != nil {
		price = 0 // refused with the field's name
	}
	return Sale{Title: r.FormValue("title"), Price: price, IMEI: r.FormValue("imei"), Element: strings.TrimSpace(r.FormValue("element")),
		Checklist: Checklist{r.FormValue("initialised") != "", r.FormValue("activation-lock") != "", r.FormValue("certificates") != ""}}
}

func (m *Marketplace) sellByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	o, err := m.sell(saleOf(r))
	if err != nil {
		m.front(w, r, err)
		return
	}
	http.Redirect(w, r, "/offers/"+o.ID, http.StatusSeeOther)
}

var offerPage = doorway.Template(`{{define "body"}}{{$o := .Data.Offer}}
<table><tr><th>{{.T "marketplace.phone"}}</th><td>{{$o.Title}}</td></tr><tr><th>{{.T "marketplace.price"}}</th><td>{{$.Yen $o.Price}}</td></tr>
<tr><th>IMEI</th><td><code>{{$o.IMEI}}</code></td></tr><tr><th>{{.T "marketplace.state"}}</th><td><strong>{{.T (printf "marketplace.state-%s" $o.State)}}</strong></td></tr></table>
{{if eq $o.State "listed"}}<div class="done" role="status"><p>{{if $o.Tied}}{{.T "marketplace.tied"}}{{else}}{{.T "marketplace.untied"}}{{end}} {{.Data.Checked}}</p></div>
<form method="post" action="/offers/{{$o.ID}}/sale"><button>{{.T "marketplace.buy"}}</button></form>{{end}}
{{if eq $o.State "sold"}}<p>{{.T "marketplace.sold-next"}}</p>{{end}}
{{if eq $o.State "blocked"}}{{if $o.Why}}<div class="problem" role="alert"><p>{{.T "marketplace.why"}}</p><ul>{{range $o.Why}}<li>{{.In $.Lang}} <code>{{.Problem}}</code></li>{{end}}</ul></div>{{end}}
<h2>{{.T "marketplace.prove"}}</h2><ol><li>{{.T "marketplace.prove-revoke"}}</li>
<li><a href="{{.Data.Phone}}">{{.T "marketplace.prove-phone"}}</a><br>{{.T "marketplace.prove-command"}} <code>warifu phone proof phone-1 --marketplace {{$o.Question.Marketplace}} --nonce {{.Data.Nonce}} --text</code></li>
<li><form method="post" action="/offers/{{$o.ID}}/proof"><label>{{.T "marketplace.code"}}<br><textarea name="code" rows="5" cols="60" required>{{.Data.Code}}</textarea></label><button>{{.T "marketplace.prove-do"}}</button></form></li></ol>
<h2>{{.T "marketplace.from-afar"}}</h2>
{{if $o.Outcome}}<p>{{.T (printf "marketplace.outcome-%s" $o.Outcome)}}</p><form method="get" action="/offers/{{$o.ID}}"><button>{{.T "marketplace.look-again"}}</button></form>{{end}}
{{if not $o.Element}}<p>{{.T "marketplace.no-element"}}</p>{{else if ne $o.Outcome "pending"}}<p>{{.T "marketplace.ask-note"}}</p><form method="post" action="/offers/{{$o.ID}}/question"><button>{{.T "marketplace.ask"}}</button></form>{{end}}
{{end}}<p><a href="/">{{.T "marketplace.back"}}</a></p>{{end}}`)

type offerData struct {
	Offer                       Offer
	Phone, Nonce, Code, Checked string
}

func (m *Marketplace) showOffer(w http.ResponseWriter, r *http.Request, problem error) {
	o, err := m.look(r.Context(), r.PathValue("id"))
	if problem == nil {
		problem = err
	}
	if o.ID == "" {
		m.front(w, r, problem)
		return
	}
	data := offerData{Offer: o, Nonce: hex.EncodeToString(o.Question.Nonce), Code: r.FormValue("code")}
	data.Phone = m.config.Phones + "/listed?" + url.Values{"marketplace": {Name}, "nonce": {data.Nonce},
		"identifier": o.Question.Identifiers, "back": {m.config.Origin + "/offers/" + o.ID}}.Encode()
	data.Checked = text.Sentence("marketplace.checked", doorway.Lang(r), map[string]string{"at": o.CheckedAt.Format("2006-01-02 15:04Z")})
	doorway.Show(w, r, offerPage, "marketplace.offer", data, problem)
}

// onOffer makes a form's door of a step on an offer.
func (m *Marketplace) onOffer(step func(*http.Request, string) (Offer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
		if _, err := step(r, r.PathValue("id")); err != nil {
			m.showOffer(w, r, err)
			return
		}
		http.Redirect(w, r, "/offers/"+r.PathValue("id"), http.StatusSeeOther)
	}
}

var checkPage = doorway.Template(`{{define "body"}}{{$d := .Data}}
{{with $d.Checked}}<div class="{{if eq .Answer.Answer "clean"}}done{{else}}problem{{end}}" role="status"><p><strong>{{$.T (printf "marketplace.answer-%s" .Answer.Answer)}}</strong></p>
<table><tr><th>{{$.T "marketplace.asker"}}</th><td>{{.Asker}} {{if .Ours}}{{$.T "marketplace.ours"}} {{.Offer}}{{else}}{{$.T "marketplace.not-ours"}}{{end}}</td></tr>
<tr><th>{{$.T "marketplace.age"}}</th><td>{{.Age}}</td></tr><tr><th>{{$.T "marketplace.element"}}</th><td><code>{{.Element}}</code></td></tr></table>
{{if .Reasons}}<ul>{{range .Reasons}}<li>{{.In $.Lang}} <code>{{.Problem}}</code></li>{{end}}</ul>{{end}}</div>{{end}}
<p>{{.T "marketplace.check-note"}}</p>
<form method="post" action="/check"><label>{{.T "marketplace.code"}}<br><textarea name="code" rows="5" cols="60" required>{{$d.Seen.Code}}</textarea></label>
<label>{{.T "marketplace.check-imei"}} <input name="imei" inputmode="numeric" value="{{$d.Seen.IMEI}}" autocomplete="off"></label><button>{{.T "marketplace.check-do"}}</button></form>
<p><a href="/">{{.T "marketplace.back"}}</a></p>{{end}}`)

type checkData struct {
	Seen    Seen
	Checked *Checked
}

func (m *Marketplace) checkByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	data := checkData{Seen: Seen{r.FormValue("code"), r.FormValue("imei")}}
	checked, err := m.check(r.Context(), data.Seen)
	if err == nil {
		data.Checked = &checked
	}
	doorway.Show(w, r, checkPage, "marketplace.check", data, err)
}

var lotPage = doorway.Template(`{{define "body"}}{{$d := .Data}}
{{if $d.Lot.ID}}<h2>{{$d.Lot.ID}}</h2><table id="lot"><tr><th>IMEI</th><th>{{.T "marketplace.verdict"}}</th><th>{{.T "marketplace.why"}}</th></tr>
{{range $d.Lot.Rows}}<tr><td><code>{{.IMEI}}</code></td><td><strong>{{$.T (printf "marketplace.verdict-%s" .Verdict)}}</strong></td><td>{{range .Why}}{{.In $.Lang}} <code>{{.Problem}}</code><br>{{end}}</td></tr>{{end}}</table>
<form method="get" action="/trade-in/{{$d.Lot.ID}}"><button>{{.T "marketplace.look-again"}}</button></form>{{end}}
<p>{{.T "marketplace.trade-in-note"}}</p><p><code>curl -s {{$d.Origin}}/api/questions --json '{"identifiers":["imei:…"]}'</code></p>
<form method="post" action="/trade-in"><label>{{.T "marketplace.table"}}<br><textarea name="table" rows="8" cols="60" required>{{if $d.Table}}{{$d.Table}}{{else}}imei,proof,element
{{end}}</textarea></label><button>{{.T "marketplace.judge"}}</button></form>
<p><a href="/">{{.T "marketplace.back"}}</a></p>{{end}}`)

type lotData struct {
	Origin, Table string
	Lot           Lot
}

func (m *Marketplace) lotByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4*maxTable) // as a form writes it
	table := r.FormValue("table")
	l, err := m.takeLot(r.Context(), table)
	if err != nil {
		doorway.Show(w, r, lotPage, "marketplace.trade-in", lotData{Origin: m.config.Origin, Table: table}, err)
		return
	}
	http.Redirect(w, r, "/trade-in/"+l.ID, http.StatusSeeOther)
}

var staffPage = doorway.Template(`{{define "body"}}<p>{{.T "marketplace.staff-note"}}</p><ol><li>{{.T "marketplace.staff-phone"}}</li><li>{{.T "marketplace.staff-card"}}</li>
<li>{{.T "marketplace.staff-lost"}} {{.Data.Hotline}}</li><li>{{.T "marketplace.staff-stranger"}}</li></ol>
<form method="post" action="/staff"><button>{{.T "marketplace.staff-revoke"}}</button></form><p><a href="/">{{.T "marketplace.back"}}</a></p>{{end}}`)
