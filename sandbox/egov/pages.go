package egov

import (
	"net/http"
	"strconv"
	"strings"

	"warifu/sandbox/doorway"
	"warifu/text"
)

func (w *Window) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, r *http.Request) { w.front(rw, r, nil) })
	mux.HandleFunc("POST /drafts", w.draftByForm)
	mux.HandleFunc("GET /drafts/{id}", func(rw http.ResponseWriter, r *http.Request) { w.showDraft(rw, r, nil) })
	mux.HandleFunc("GET /drafts/{id}/filing.xml", w.draftFile)
	mux.HandleFunc("GET /drafts/{id}/sign", func(rw http.ResponseWriter, r *http.Request) {
		address, err := w.sign(rw, r)
		if err != nil {
			w.showDraft(rw, r, err)
			return
		}
		http.Redirect(rw, r, address, http.StatusSeeOther)
	})
	mux.HandleFunc("POST /filings", w.handByForm)
	mux.HandleFunc("GET /find", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/filings/"+strings.TrimSpace(r.FormValue("number")), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /filings/{number}", func(rw http.ResponseWriter, r *http.Request) {
		receipt, err := w.receipt(r.PathValue("number"))
		if err != nil {
			w.front(rw, r, err)
			return
		}
		doorway.Show(rw, r, receiptPage, "egov.receipt", receipt, nil)
	})
	mux.HandleFunc("POST /mandates/mandate.xml", w.mandateFile)
	mux.HandleFunc("POST /mandates", w.entrustByForm)
}

// In names the procedure in the reader's language.
func (p Procedure) In(l text.Lang) string {
	if l == text.Japanese {
		return p.Ja
	}
	return p.En
}

var frontPage = doorway.Template(`{{define "body"}}{{$d := .Data}}<p>{{.T "egov.welcome"}}</p>
<table id="companies"><tr><th>{{.T "egov.company"}}</th><th>{{.T "egov.name"}}</th><th>{{.T "egov.representative"}}</th></tr>{{range $d.Companies}}<tr><td><code>{{.Number}}</code></td><td>{{.Name}}</td><td>{{.Representative}}</td></tr>{{end}}</table>
{{with $d.Mandate}}<div class="done" role="status"><p>{{$.T "egov.entrusted"}} <strong id="mandate">{{.ID}}</strong> ({{.Delegate}}, {{.Until}})</p></div>{{end}}
<form method="post" action="/drafts"><fieldset><legend>{{.T "egov.new"}}</legend>
<label>{{.T "egov.company"}} <input name="company" inputmode="numeric" value="{{$d.Filing.Company}}" required autocomplete="off"></label>
<label>{{.T "egov.procedure"}} <select name="procedure">{{range $d.Procedures}}<option value="{{.ID}}"{{if eq .ID $d.Filing.Procedure}} selected{{end}}>{{.In $.Lang}}</option>{{end}}</select></label>
<label>{{.T "egov.year"}} <input name="year" type="number" value="{{$d.Filing.Year}}" required></label>
<label>{{.T "egov.employees"}} <input name="employees" type="number" min="0" value="{{$d.Filing.Employees}}" required></label>
<label>{{.T "egov.yen"}} <input name="yen" type="number" min="0" value="{{$d.Filing.Yen}}" required></label>
<label>{{.T "egov.mandate"}} <input name="mandate" value="{{$d.Filing.Mandate}}" placeholder="mandate-00001" autocomplete="off"></label><button>{{.T "egov.fill"}}</button></fieldset></form>
<form method="post" action="/filings" enctype="multipart/form-data"><fieldset><legend>{{.T "egov.hand-in"}}</legend><p>{{.T "egov.hand-in-note"}}</p>
<label>{{.T "egov.file"}} <input type="file" name="file" required></label><p>{{.T "egov.pdf-only"}}</p>
<label>{{.T "egov.company"}} <input name="company" inputmode="numeric" autocomplete="off"></label>
<label>{{.T "egov.procedure"}} <select name="procedure">{{range $d.Procedures}}<option value="{{.ID}}">{{.In $.Lang}}</option>{{end}}</select></label>
<label>{{.T "egov.mandate"}} <input name="mandate" autocomplete="off"></label><button>{{.T "egov.hand-in-do"}}</button></fieldset></form>
<fieldset><legend>{{.T "egov.entrust"}}</legend><p>{{.T "egov.entrust-note"}}</p><form method="post" action="/mandates/mandate.xml">
<label>{{.T "egov.company"}} <input name="company" inputmode="numeric" required autocomplete="off"></label><label>{{.T "egov.delegate"}} <input name="delegate" required></label>
<label>{{.T "egov.birth"}} <input name="birthDate" type="date" required></label><label>{{.T "egov.until"}} <input name="until" type="date" required></label>
<label>{{.T "egov.procedure"}} <select name="procedure"><option value="any">{{.T "egov.any"}}</option>{{range $d.Procedures}}<option value="{{.ID}}">{{.In $.Lang}}</option>{{end}}</select></label><button>{{.T "egov.mandate-file"}}</button></form>
<form method="post" action="/mandates" enctype="multipart/form-data"><label>{{.T "egov.mandate-signed"}} <input type="file" name="file" required></label><button>{{.T "egov.mandate-hand-in"}}</button></form></fieldset>
<form method="get" action="/find"><label>{{.T "egov.number"}} <input name="number" inputmode="numeric" required></label> <button>{{.T "egov.look"}}</button></form>{{end}}`)

type frontData struct {
	Companies  []Company
	Procedures []Procedure
	Filing     Filing // what was typed
	Mandate    *Held
}

func (w *Window) front(rw http.ResponseWriter, r *http.Request, problem error) {
	w.show(rw, r, nil, problem)
}

func (w *Window) show(rw http.ResponseWriter, r *http.Request, m *Held, problem error) {
	data := frontData{register, Procedures, Filing{Year: w.year()}, m}
	if r.Method == http.MethodPost && problem != nil {
		data.Filing = filingOf(r)
	}
	doorway.Show(rw, r, frontPage, "egov.title", data, problem)
}

func filingOf(r *http.Request) Filing {
	number := func(name string) int {
		n, err := strconv.Atoi(r.FormValue(name))
		if err != nil {
			return -1 // refused with the field's name
		}
		return n
	}
	return Filing{Procedure: r.FormValue("procedure"), Year: number("year"), Company: strings.TrimSpace(r.FormValue("company")),
		Employees: number("employees"), Yen: number("yen"), Mandate: strings.TrimSpace(r.FormValue("mandate"))}
}

func (w *Window) draftByForm(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, doorway.MaxBody)
	d, err := w.draft(filingOf(r))
	if err != nil {
		w.front(rw, r, err)
		return
	}
	http.Redirect(rw, r, "/drafts/"+d.ID, http.StatusSeeOther)
}

var draftPage = doorway.Template(`{{define "body"}}{{$f := .Data.Filing}}
<table><tr><th>{{.T "egov.company"}}</th><td><code>{{$f.Company}}</code> {{$f.Name}}</td></tr><tr><th>{{.T "egov.procedure"}}</th><td>{{.Data.Procedure.In $.Lang}}</td></tr>
<tr><th>{{.T "egov.year"}}</th><td>{{$f.Year}}</td></tr><tr><th>{{.T "egov.employees"}}</th><td>{{$f.Employees}}</td></tr><tr><th>{{.T "egov.yen"}}</th><td>{{$.Yen $f.Yen}}</td></tr>
{{with $f.Mandate}}<tr><th>{{$.T "egov.mandate"}}</th><td><code>{{.}}</code></td></tr>{{end}}</table>
{{if .Data.Number}}<p><a href="/filings/{{.Data.Number}}">{{.T "egov.filed"}} {{.Data.Number}}</a></p>
{{else}}<p><a class="button" href="/drafts/{{.Data.ID}}/sign">{{.T "egov.sign"}}</a></p><p><a href="/drafts/{{.Data.ID}}/filing.xml">{{.T "egov.xml"}}</a><br><code>warifu phone sign phone-1 --xades filing.xml</code></p>{{end}}
<p><a href="/">{{.T "egov.back"}}</a></p>{{end}}`)

func (w *Window) showDraft(rw http.ResponseWriter, r *http.Request, problem error) {
	d, err := w.drafts.Get(r.PathValue("id"))
	if err != nil {
		w.front(rw, r, err)
		return
	}
	p, err := procedureOf(d.Filing.Procedure)
	if problem == nil {
		problem = err
	}
	doorway.Show(rw, r, draftPage, "egov.filing", struct {
		Draft
		Procedure Procedure
	}{d, p}, problem)
}

func (w *Window) draftFile(rw http.ResponseWriter, r *http.Request) {
	d, err := w.drafts.Get(r.PathValue("id"))
	if err != nil {
		w.front(rw, r, err)
		return
	}
	content, err := paperOf(d.Filing)
	if err != nil {
		w.front(rw, r, err)
		return
	}
	download(rw, "filing.xml", content)
}

func download(rw http.ResponseWriter, name string, content []byte) {
	rw.Header().Set("Content-Type", "application/xml")
	rw.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = rw.Write(content)
}

func (w *Window) handByForm(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, 2*MaxFile)
	file, err := doorway.Part(r, "file", MaxFile)
	if err == nil {
		var receipt Receipt
		if receipt, err = w.hand(r.Context(), file, Order{strings.TrimSpace(r.FormValue("company")), r.FormValue("procedure"), strings.TrimSpace(r.FormValue("mandate"))}); err == nil {
			http.Redirect(rw, r, "/filings/"+receipt.Number, http.StatusSeeOther)
			return
		}
	}
	w.front(rw, r, err)
}

func (w *Window) mandateFile(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, doorway.MaxBody)
	m, err := Mandate{Company: strings.TrimSpace(r.FormValue("company")), Delegate: r.FormValue("delegate"), BirthDate: r.FormValue("birthDate"),
		Procedure: r.FormValue("procedure"), Until: r.FormValue("until")}.fill()
	if err != nil {
		w.front(rw, r, err)
		return
	}
	content, err := paperOf(m)
	if err != nil {
		w.front(rw, r, err)
		return
	}
	download(rw, "mandate.xml", content)
}

func (w *Window) entrustByForm(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, 2*MaxFile)
	file, err := doorway.Part(r, "file", MaxFile)
	if err != nil {
		w.front(rw, r, err)
		return
	}
	m, err := w.entrust(r.Context(), file)
	if err != nil {
		w.front(rw, r, err)
		return
	}
	w.show(rw, r, &m, nil)
}

var receiptPage = doorway.Template(`{{define "body"}}{{$r := .Data}}<div class="done" role="status"><p><strong>{{.T "egov.received"}}</strong></p></div>
<table id="receipt"><tr><th>{{.T "egov.number"}}</th><td><code>{{$r.Number}}</code></td></tr><tr><th>{{.T "egov.at"}}</th><td>{{$r.At.Format "2006-01-02 15:04:05Z"}}</td></tr>
<tr><th>{{.T "egov.company"}}</th><td><code>{{$r.Company}}</code></td></tr><tr><th>{{.T "egov.by"}}</th><td>{{.T (printf "egov.by-%s" $r.By)}}</td></tr><tr><th>SHA-256</th><td><code>{{$r.SHA256}}</code></td></tr></table>
<p>{{.T "egov.keep"}}</p><p><a href="/">{{.T "egov.back"}}</a></p>{{end}}`)
