package clinic

import (
	"net/http"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/insurer"
)

// visitCookie names the visit of this screen. Cookies know no ports, so its name is the clinic's own.
const visitCookie = "warifu_clinic"

var screen = doorway.Template(`{{define "body"}}
{{with .Data}}{{$v := .View}}
{{if eq $v.Step ""}}<p>{{$.T "clinic.welcome"}}</p>
<form method="post" action="/visits"><h2>{{$.T "clinic.which"}}</h2><div class="row">
<button name="medium" value="phone">{{$.T "clinic.android"}}</button> <button name="medium" value="iphone">{{$.T "clinic.iphone"}}</button> <button name="medium" value="card">{{$.T "clinic.card"}}</button></div></form>
<p>{{$.T "clinic.neither"}}</p>
<aside class="card"><form method="post" action="/line"><p>{{if .Line}}{{$.T "clinic.line-up"}}{{else}}{{$.T "clinic.line-cut"}}{{end}}</p>
<button class="quiet" name="line" value="{{if .Line}}cut{{else}}up{{end}}">{{if .Line}}{{$.T "clinic.cut"}}{{else}}{{$.T "clinic.mend"}}{{end}}</button></form></aside>
{{else}}
{{if eq $v.Step "touch"}}<div class="card of-{{$v.Medium}}"><h2>{{if eq $v.Medium "phone"}}{{$.T "clinic.pin-phone"}}{{else}}{{$.T "clinic.pin-card"}}{{end}}</h2>
<p>{{if eq $v.Medium "phone"}}{{$.T "clinic.pin-phone-note"}}{{else}}{{$.T "clinic.pin-card-note"}}{{end}}</p>
<form method="post" action="/visit/touch">
{{if .Chips}}<label>{{if eq $v.Medium "phone"}}{{$.T "clinic.touch-phone"}}{{else}}{{$.T "clinic.touch-card"}}{{end}} <select name="chip">{{range .Chips}}<option{{if eq . $.Data.Touched}} selected{{end}}>{{.}}</option>{{end}}</select> <small>{{$.T "kiosk.where-pins"}}</small></label>
{{else}}<p><strong>{{if eq $v.Medium "phone"}}{{$.T "clinic.reader-phone"}}{{else}}{{$.T "clinic.reader-card"}}{{end}}</strong></p>{{end}}
<label>{{$.T "clinic.pin"}} <input name="pin" type="password" inputmode="numeric" pattern="[0-9０-９]{4}" maxlength="4" required autocomplete="off"></label>
{{if $v.LastTry}}<label class="tick"><input type="checkbox" name="last" value="yes" required> {{$.T "clinic.last-try"}}</label>{{end}}
<button>{{$.T "clinic.go-on"}}</button></form></div>
{{else if eq $v.Step "consent"}}<p>{{$.T "clinic.consent-note"}}</p><form method="post" action="/visit/consent">
{{range .Asked}}<fieldset><legend>{{$.T (printf "clinic.consent-%s" .)}}</legend>
<label class="tick"><input type="radio" name="{{.}}" value="yes" required> {{$.T "clinic.yes"}}</label> <label class="tick"><input type="radio" name="{{.}}" value="no"> {{$.T "clinic.no"}}</label></fieldset>{{end}}
<button>{{$.T "clinic.go-on"}}</button></form>
{{else}}<div class="{{if .Fine}}done{{else}}care{{end}}" role="status"><p><strong>{{$.T (printf "clinic.state-%s" $v.State)}}</strong></p><p>{{$.T (printf "clinic.next-%s" $v.State)}}</p></div>
<table>{{with $v.Answer}}<tr><th>{{$.T "clinic.name"}}</th><td>{{.Name}}</td></tr><tr><th>{{$.T "clinic.birth"}}</th><td>{{.Birth}}</td></tr>
{{with .Insurer}}<tr><th>{{$.T "clinic.insurer"}}</th><td>{{.Name}} {{.Number}}</td></tr><tr><th>{{$.T "clinic.member"}}</th><td>{{.Member}}</td></tr><tr><th>{{$.T "clinic.from"}}</th><td>{{.From}}</td></tr>{{end}}
{{with .Previous}}<tr><th>{{$.T "clinic.previous"}}</th><td>{{.Name}} {{.Number}} ({{.From}} – {{.To}})</td></tr>{{end}}
{{if .Share}}<tr><th>{{$.T "clinic.share"}}</th><td>{{.Share}}%</td></tr>{{end}}
{{with .Grace}}<tr><th>{{$.T "clinic.grace"}}</th><td>{{.}}</td></tr>{{end}}
{{if .Medicine}}<tr><th>{{$.T "clinic.consent-medicine"}}</th><td>{{range .Medicine}}{{.}}<br>{{end}}</td></tr>{{end}}
{{if .Checkups}}<tr><th>{{$.T "clinic.consent-checkups"}}</th><td>{{range .Checkups}}{{.}}<br>{{end}}</td></tr>{{end}}
{{with .HighCost}}<tr><th>{{$.T "clinic.consent-high-cost"}}</th><td>{{.}}</td></tr>{{end}}{{end}}
{{if $v.StatusFrom}}<tr><th>{{$.T "clinic.status-from"}}</th><td>{{$.T (printf "clinic.kept-%s" $v.Medium)}}</td></tr><tr><th>{{$.T "clinic.status-age"}}</th><td>{{$.T .Age.Key}}{{with .Age.Number}} {{.}}{{end}}</td></tr>{{end}}</table>{{end}}
<form method="post" action="/visit/leave">{{if eq $v.Step "done"}}<button>{{$.T "clinic.finish"}}</button>{{else}}<button class="quiet">{{$.T "clinic.give-up"}}</button>{{end}}</form>
{{end}}{{end}}{{end}}`)

type screenData struct {
	View    View
	Chips   []string
	Touched string
	Asked   []string
	Line    bool
	Age     age
}

// age is how old something is, as a text's key and the number that goes with it.
type age struct {
	Key    string
	Number int
}

func ageOf(d time.Duration) age {
	switch {
	case d >= time.Hour:
		return age{"clinic.age-hours", int(d.Hours())}
	case d >= time.Minute:
		return age{"clinic.age-minutes", int(d.Minutes())}
	}
	return age{Key: "clinic.age-none"}
}

// Fine says whether the clinic may go on.
func (d screenData) Fine() bool {
	return d.View.State == insurer.Insured || d.View.State == insurer.Changed
}

// asked are the kinds of data, each its own question.
var asked = []string{"medicine", "checkups", "high-cost"}

// Routes adds the clinic's doors to mux: the screens, and the same steps as JSON.
func (c *Clinic) Routes(mux *http.ServeMux) {
	c.apiRoutes(mux)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { c.show(w, r, View{}, "", nil) })
	mux.HandleFunc("GET /visit", func(w http.ResponseWriter, r *http.Request) {
		v, err := c.Visit(visiting(r))
		c.show(w, r, v, "", err)
	})
	mux.HandleFunc("POST /visits", func(w http.ResponseWriter, r *http.Request) {
		v, err := c.Begin(r.FormValue("medium"))
		if err == nil {
			http.SetCookie(w, &http.Cookie{Name: visitCookie, Value: v.ID, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		}
		c.next(w, r, View{}, "", err)
	})
	mux.HandleFunc("POST /visit/touch", func(w http.ResponseWriter, r *http.Request) {
		chip := r.FormValue("chip")
		v, err := c.Touch(r.Context(), visiting(r), Touch{Chip: chip, PIN: r.FormValue("pin"), LastTry: r.FormValue("last") != ""})
		c.next(w, r, v, chip, err)
	})
	mux.HandleFunc("POST /visit/consent", c.consentByForm)
	mux.HandleFunc("POST /visit/leave", func(w http.ResponseWriter, r *http.Request) {
		err := c.Leave(visiting(r))
		if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
			err = nil // over already
		}
		http.SetCookie(w, &http.Cookie{Name: visitCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
		doorway.Show(w, r, screen, "clinic.title", screenData{Line: c.line()}, err)
	})
	mux.HandleFunc("POST /line", func(w http.ResponseWriter, r *http.Request) {
		c.Cut(r.FormValue("line") == "cut")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
}

// visiting is the visit of this screen, "" for none.
func visiting(r *http.Request) string {
	c, err := r.Cookie(visitCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

func (c *Clinic) next(w http.ResponseWriter, r *http.Request, v View, touched string, err error) {
	if err != nil {
		c.show(w, r, v, touched, err)
		return
	}
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

// consentByForm takes a yes or a no to each; who leaves one out is asked again.
func (c *Clinic) consentByForm(w http.ResponseWriter, r *http.Request) {
	said := map[string]bool{}
	for _, what := range asked {
		switch r.FormValue(what) {
		case "yes":
			said[what] = true
		case "no":
		default:
			c.show(w, r, View{}, "", warifu.Invalid("clinic-consent-open"))
			return
		}
	}
	v, err := c.Consent(r.Context(), visiting(r), insurer.Consents{Medicine: said["medicine"], Checkups: said["checkups"], HighCost: said["high-cost"]})
	c.next(w, r, v, "", err)
}

func (c *Clinic) show(w http.ResponseWriter, r *http.Request, v View, touched string, problem error) {
	if problem != nil && v.ID == "" && visiting(r) != "" {
		v, _ = c.Visit(visiting(r)) // the zero value is the first screen
	}
	data := screenData{View: v, Touched: touched, Asked: asked, Line: c.line(), Age: ageOf(v.StatusAge)}
	if v.Step == StepTouch && c.config.Reader == nil {
		chips, err := c.config.Chips()
		if err != nil && problem == nil {
			problem = err
		}
		for _, chip := range chips {
			if chip.Class.String() == v.Medium {
				data.Chips = append(data.Chips, chip.ID)
			}
		}
	}
	doorway.Show(w, r, screen, "clinic.title", data, problem)
}
