package tax

import (
	"net/http"
	"strconv"
	"strings"

	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
)

func (o *Office) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { o.front(w, r, nil) })
	mux.HandleFunc("POST /returns", o.draftByForm)
	mux.HandleFunc("GET /returns/{id}", func(w http.ResponseWriter, r *http.Request) { o.showDraft(w, r, nil) })
	mux.HandleFunc("GET /returns/{id}/return.xml", o.draftFile)
	mux.HandleFunc("GET /returns/{id}/sign", func(w http.ResponseWriter, r *http.Request) {
		address, err := o.sign(w, r)
		if err != nil {
			o.showDraft(w, r, err)
			return
		}
		http.Redirect(w, r, address, http.StatusSeeOther)
	})
	mux.HandleFunc("POST /filings", o.uploadByForm)
	mux.HandleFunc("GET /find", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/filings/"+strings.TrimSpace(r.FormValue("number")), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /filings/{number}", o.showReceipt)
}

// slipAt is the slip of an address /{year}/{number}.
func slipAt(r *http.Request) (Slip, error) {
	year, err := strconv.Atoi(r.PathValue("year"))
	if err != nil {
		year = 0
	}
	return SlipOf(year, r.PathValue("number"))
}

var frontPage = doorway.Template(`{{define "body"}}{{$d := .Data}}<p>{{.T "tax.welcome"}}</p>
<form method="post" action="/returns"><fieldset><legend>{{.T "tax.new"}}</legend>
<label>{{.T "tax.year"}} <input name="year" type="number" value="{{$d.Claim.Year}}" required></label>
<label>{{.T "tax.name"}} <input name="name" value="{{$d.Claim.Name}}" required></label>
<label>{{.T "tax.birth"}} <input name="birthDate" type="date" value="{{$d.Claim.BirthDate}}" required></label>
<label>{{.T "tax.address"}} <input name="address" value="{{$d.Claim.Address}}" size="40" required></label>
<label>{{.T "tax.slips"}} <input name="slips" value="{{$d.Slips}}" placeholder="100234 100235" required></label>
<label>{{.T "tax.medical"}} <input name="medical" type="number" min="0" value="{{$d.Claim.Medical}}"></label>
<button>{{.T "tax.fill"}}</button></fieldset></form>
<form method="post" action="/filings" enctype="multipart/form-data"><fieldset><legend>{{.T "tax.upload"}}</legend><p>{{.T "tax.upload-note"}}</p>
<label>{{.T "tax.file"}} <input type="file" name="file" required></label><button>{{.T "tax.hand-in"}}</button></fieldset></form>
<form method="get" action="/find"><label>{{.T "tax.number"}} <input name="number" inputmode="numeric" required></label> <button>{{.T "tax.look"}}</button></form>
{{if $d.Who}}<h2>{{.T "tax.mine"}}</h2>{{if $d.Mine}}<ul>{{range $d.Mine}}<li><a href="/filings/{{.Number}}">{{.Number}}</a> {{.Year}} {{$.T (printf "tax.state-%s" .State)}}</li>{{end}}</ul>{{else}}<p>{{.T "tax.none"}}</p>{{end}}
<form method="post" action="/leave"><button class="quiet">{{.T "tax.leave"}}</button></form>{{else}}<p><a href="/visit">{{.T "tax.login"}}</a></p>{{end}}{{end}}`)

type frontData struct {
	Claim Claim
	Slips string
	Who   *visitor.Visitor
	Mine  []Receipt
}

// front is the first page, with what was typed and what went wrong.
func (o *Office) front(w http.ResponseWriter, r *http.Request, problem error) {
	data := frontData{Claim: Claim{Year: o.config.Clock.Now().In(o.config.Zone).Year() - 1}}
	if r.Method == http.MethodPost {
		data.Claim = claimOf(r)
		data.Slips = strings.Join(data.Claim.Slips, " ")
	}
	if who, err := o.visitors.Current(r); err == nil {
		data.Who = &who
		if data.Mine, err = o.of(who.Subject); problem == nil {
			problem = err
		}
	}
	doorway.Show(w, r, frontPage, "tax.title", data, problem)
}

func claimOf(r *http.Request) Claim {
	number := func(name string) int {
		n, err := strconv.Atoi(r.FormValue(name))
		if err != nil && r.FormValue(name) != "" {
			return -1 // refused with the field's name
		}
		return n
	}
	return Claim{Year: number("year"), Name: r.FormValue("name"), BirthDate: r.FormValue("birthDate"), Address: r.FormValue("address"),
		Slips: strings.Fields(r.FormValue("slips")), Medical: number("medical")}
}

func (o *Office) draftByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	d, err := o.draft(claimOf(r))
	if err != nil {
		o.front(w, r, err)
		return
	}
	http.Redirect(w, r, "/returns/"+d.ID, http.StatusSeeOther)
}

var draftPage = doorway.Template(`{{define "body"}}{{$r := .Data.Return}}
<table><tr><th>{{.T "tax.year"}}</th><td>{{$r.Year}}</td></tr><tr><th>{{.T "tax.name"}}</th><td>{{$r.Name}}</td></tr><tr><th>{{.T "tax.address"}}</th><td>{{$r.Address}}</td></tr>
{{range $r.Slips}}<tr><th>{{$.T "tax.slip"}} {{.Number}}</th><td>{{.Employer}}: {{$.Yen .Paid}} ({{$.T "tax.withheld"}} {{$.Yen .Withheld}})</td></tr>{{end}}
<tr><th>{{.T "tax.income"}}</th><td>{{$.Yen $r.Result.Income}}</td></tr><tr><th>{{.T "tax.deduction"}}</th><td>{{$.Yen $r.Result.Deduction}}</td></tr>
<tr><th>{{.T "tax.taxable"}}</th><td>{{$.Yen $r.Result.Taxable}}</td></tr><tr><th>{{.T "tax.tax"}}</th><td>{{$.Yen $r.Result.Tax}}</td></tr>
<tr><th>{{.T "tax.balance"}}</th><td><strong>{{$.Yen $r.Result.Balance}}</strong></td></tr></table>
{{with .Data.Number}}<p><a href="/filings/{{.}}">{{$.T "tax.filed"}} {{.}}</a></p>{{else}}
<p>{{.T "tax.one-tap"}}</p><p><a class="button" href="/returns/{{.Data.ID}}/sign">{{.T "tax.sign"}}</a></p>
<p><a href="/returns/{{.Data.ID}}/return.xml">{{.T "tax.xml"}}</a><br><code>warifu phone sign phone-1 --xades return.xml</code></p>{{end}}
<p><a href="/">{{.T "tax.back"}}</a></p>{{end}}`)

func (o *Office) showDraft(w http.ResponseWriter, r *http.Request, problem error) {
	d, err := o.drafts.Get(r.PathValue("id"))
	if err != nil {
		o.front(w, r, err)
		return
	}
	doorway.Show(w, r, draftPage, "tax.return", d, problem)
}

func (o *Office) draftFile(w http.ResponseWriter, r *http.Request) {
	d, err := o.drafts.Get(r.PathValue("id"))
	if err != nil {
		o.front(w, r, err)
		return
	}
	paper, err := d.paper()
	if err != nil {
		o.front(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Disposition", `attachment; filename="return.xml"`)
	_, _ = w.Write(paper.Content)
}

func (o *Office) uploadByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 2*MaxFile)
	file, err := doorway.Part(r, "file", MaxFile)
	if err != nil {
		o.front(w, r, err)
		return
	}
	receipt, err := o.upload(r.Context(), file)
	if err != nil {
		o.front(w, r, err)
		return
	}
	http.Redirect(w, r, "/filings/"+receipt.Number, http.StatusSeeOther)
}

var receiptPage = doorway.Template(`{{define "body"}}{{$r := .Data}}<div class="done" role="status"><p><strong>{{.T (printf "tax.state-%s" $r.State)}}</strong></p></div>
<table id="receipt"><tr><th>{{.T "tax.number"}}</th><td><code>{{$r.Number}}</code></td></tr><tr><th>{{.T "tax.at"}}</th><td>{{$r.At.Format "2006-01-02 15:04:05Z"}}</td></tr>
<tr><th>{{.T "tax.year"}}</th><td>{{$r.Year}}</td></tr><tr><th>SHA-256</th><td><code>{{$r.SHA256}}</code></td></tr>{{with $r.Amends}}<tr><th>{{$.T "tax.amends"}}</th><td><a href="/filings/{{.}}">{{.}}</a></td></tr>{{end}}</table>
<p>{{.T "tax.keep"}}</p><p><a href="/">{{.T "tax.back"}}</a></p>{{end}}`)

func (o *Office) showReceipt(w http.ResponseWriter, r *http.Request) {
	receipt, err := o.receipt(r.PathValue("number"))
	if err != nil {
		o.front(w, r, err)
		return
	}
	doorway.Show(w, r, receiptPage, "tax.receipt", receipt, nil)
}
