package carrier

import (
	"net/http"
	"net/url"

	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
	"warifu/text"
)

type seen struct {
	Who       *visitor.Visitor
	Plans     []Plan
	Contracts []Contract
	Contract  Contract
}

// Class says what somebody used.
func (seen) Class(class string, l text.Lang) string { return visitor.ClassWord(class, l) }

var frontPage = doorway.Template(`{{define "body"}}{{$p := .}}<p>{{.T "carrier.welcome"}}</p>
{{with .Data.Who}}<p>{{$p.T "carrier.customer"}} <strong>{{.Attributes.Name}}</strong> ({{$p.Data.Class .Class $p.Lang}})</p>
<form method="post" action="/contracts"><fieldset><legend>{{$p.T "carrier.new"}}</legend>
{{range $i, $plan := $p.Data.Plans}}<label><input type="radio" name="plan" value="{{.ID}}" required{{if eq $i 1}} checked{{end}}> {{.In $p.Lang}} ({{.Data}}) {{.Yen}} {{$p.T "carrier.yen"}}</label>{{end}}
<label><input type="checkbox" name="demand" value="phone"> {{$p.T "carrier.demand"}}</label>
<button>{{$p.T "carrier.order"}}</button></fieldset></form>
{{if $p.Data.Contracts}}<h2>{{$p.T "carrier.contracts"}}</h2><ul>{{range $p.Data.Contracts}}<li><a href="/contracts/{{.ID}}">{{.Number}}</a> {{$p.T (printf "carrier.state-%s" .State)}}</li>{{end}}</ul>{{end}}
<form method="post" action="/leave"><button class="quiet">{{$p.T "carrier.leave"}}</button></form>
{{else}}<p><a class="button" href="/visit">{{.T "carrier.login"}}</a></p>{{end}}{{end}}`)

var contractPage = doorway.Template(`{{define "body"}}{{$p := .}}{{with .Data.Contract}}
{{if .Checked}}<div class="done" role="status"><p><strong>{{$p.T "carrier.signed"}}</strong> {{$p.Data.Class .Class $p.Lang}}</p><p>{{$p.T "carrier.telephone"}} {{.Telephone}}</p></div>
<table><tr><th>{{$p.T "carrier.verification"}}</th><td><code>{{.Checked.ID}}</code></td></tr><tr><th>SHA-256</th><td><code>{{.Checked.DocumentSHA256}}</code></td></tr>
{{with .Again}}<tr><th>{{$p.T "carrier.again"}}</th><td>{{.Verdict}}{{with .Now}} ({{$p.T "carrier.now"}} {{.Status}}{{with .Reason}} {{.}}{{end}}){{end}}</td></tr>{{end}}</table>
<form method="post" action="/contracts/{{.ID}}/check"><button class="quiet">{{$p.T "carrier.check"}}</button></form>
{{else}}<p>{{$p.T "carrier.please-sign"}}</p>{{end}}
<p><a href="/contracts/{{.ID}}/contract.pdf">{{$p.T "carrier.file"}}</a></p>
{{if not .Checked}}<p><a class="button" href="/contracts/{{.ID}}/sign">{{$p.T "carrier.sign"}}</a></p>{{end}}{{end}}
<p><a href="/">{{.T "carrier.back"}}</a></p>{{end}}`)

func (c *Carrier) here(r *http.Request) (seen, error) {
	s := seen{Plans: Plans}
	who, err := c.visitors.Current(r)
	if err != nil {
		return s, nil // nobody is logged in: the first page says how
	}
	s.Who = &who
	s.Contracts, err = c.of(who.Subject)
	return s, err
}

func (c *Carrier) front(w http.ResponseWriter, r *http.Request) { c.problem(w, r, nil) }

// problem shows the first page, with what went wrong where something did.
func (c *Carrier) problem(w http.ResponseWriter, r *http.Request, problem error) {
	s, err := c.here(r)
	if problem == nil {
		problem = err
	}
	doorway.Show(w, r, frontPage, "carrier.title", s, problem)
}

func (c *Carrier) orderByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	who, err := c.visitors.Current(r)
	if err != nil {
		c.problem(w, r, err)
		return
	}
	k, err := c.order(who, Order{r.PostFormValue("plan"), r.PostFormValue("demand")})
	if err != nil {
		c.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/contracts/"+k.ID, http.StatusSeeOther)
}

// mine finds the contract of the path for who is logged in; everybody else is sent to log in.
func (c *Carrier) mine(w http.ResponseWriter, r *http.Request) (visitor.Visitor, Contract, bool) {
	who, err := c.visitors.Current(r)
	if err != nil {
		http.Redirect(w, r, "/visit?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return who, Contract{}, false
	}
	k, err := c.one(who.Subject, r.PathValue("id"))
	if err != nil {
		c.problem(w, r, err)
	}
	return who, k, err == nil
}

func (c *Carrier) contractPage(w http.ResponseWriter, r *http.Request) {
	if who, k, ok := c.mine(w, r); ok {
		doorway.Show(w, r, contractPage, "carrier.contract", seen{Who: &who, Contract: k}, nil)
	}
}

// file shows the contract: signed where it is.
func (c *Carrier) file(w http.ResponseWriter, r *http.Request) {
	_, k, ok := c.mine(w, r)
	if !ok {
		return
	}
	file := k.Signed
	if file == nil {
		file = k.paper().Content
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(file)
}

func (c *Carrier) signPage(w http.ResponseWriter, r *http.Request) {
	who, k, ok := c.mine(w, r)
	if !ok {
		return
	}
	address, err := c.sign(w, r, who, k.ID)
	if err != nil {
		c.problem(w, r, err)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (c *Carrier) checkByForm(w http.ResponseWriter, r *http.Request) {
	who, k, ok := c.mine(w, r)
	if !ok {
		return
	}
	if _, err := c.check(r.Context(), who, k.ID); err != nil {
		c.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/contracts/"+k.ID, http.StatusSeeOther)
}
