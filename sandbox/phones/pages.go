package phones

import (
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/text"
)

func (p *Phones) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { p.showLogin(w, r, r.URL.Query().Get("at"), false, nil) })
	mux.HandleFunc("POST /login", p.answerByForm)
	mux.HandleFunc("GET /phones/{id}/sheet", func(w http.ResponseWriter, r *http.Request) { p.front(w, r, nil) })
	mux.HandleFunc("POST /phones/{id}/apply", p.form(p.applyByForm))
	mux.HandleFunc("POST /phones/{id}/personalize", p.personalizeByForm)
}

var frontPage = doorway.Template(`{{define "body"}}{{$v := .Data.View}}
<p><code>{{$v.ID}}</code> · {{$v.Model}} · {{$v.OSBuild}} · app {{$v.AppVersion}}</p>
<p>{{.T "phones.element"}} <code>{{$v.Record.Element}}</code>{{with $v.IMEI}} · IMEI <code>{{.}}</code>{{end}}</p>
{{range $v.Reminders}}<div class="problem" role="status"><p>{{if eq $.Lang "ja"}}{{.Ja}}{{else}}{{.En}}{{end}}</p></div>{{end}}
{{with $v.App.Listing}}<div class="problem" role="alert"><p><strong>{{.Marketplace}}</strong> {{$.T "phones.listed"}} <a href="/phones/{{$v.ID}}/leaving?event=listing">{{$.T "phones.leaving-choose"}}</a></p></div>{{end}}
{{with $v.Application}}<h2>{{$.T "phones.status"}}</h2><p><strong>{{.State}}</strong> <code>{{.ID}}</code>{{with .DueAt}} {{$.T "phones.due"}} {{.}}{{end}}{{with .Problem}} ({{.}}){{end}}</p>
{{if eq .State "issued"}}<form method="post" action="/phones/{{$v.ID}}/personalize"><fieldset><legend>{{$.T "phones.personalize"}}</legend>
<p>{{$.T "phones.card-again"}}</p><label>{{$.T "phones.card"}} <input name="card" autocomplete="off"></label><label>{{$.T "phones.card-pin"}} <input name="cardPin" inputmode="numeric" autocomplete="off"></label>
<button>{{$.T "phones.personalize-do"}}</button></fieldset></form>{{end}}{{end}}
<form method="post" action="/phones/{{$v.ID}}/apply"><fieldset><legend>{{.T "phones.apply"}}</legend>
<label>{{.T "phones.card"}} <input name="card" required autocomplete="off"></label>
<label>{{.T "phones.card-password"}} <input name="cardPassword" required autocomplete="off"></label>
<label><input type="checkbox" name="kind" value="signature" checked> {{.T "phones.kind-signature"}}</label>
<label><input type="checkbox" name="kind" value="authentication" checked> {{.T "phones.kind-authentication"}}</label>
<p>{{.Data.Notes}}</p>
<label><input type="checkbox" name="consent" value="{{.Data.Consent}}"> {{.T "phones.consent"}} ({{.Data.Consent}})</label>
<label>{{.T "phones.signature-password"}} <input name="signature" autocomplete="off"></label>
<label>{{.T "phones.pin"}} <input name="authentication" inputmode="numeric" autocomplete="off"></label>
<p>{{.T "phones.contact-note"}}</p>
<label>{{.T "phones.contact-reading"}} <input name="reading" autocomplete="off"></label>
<label>{{.T "phones.contact-telephone"}} <input name="telephone" inputmode="tel" autocomplete="off"></label>
{{with $v.Application}}{{if or (eq .State "submitted") (eq .State "issued")}}<label><input type="checkbox" name="discard" value="1"> {{$.T "phones.discard"}}</label>{{end}}{{end}}
<button>{{.T "phones.apply-do"}}</button></fieldset></form>
{{if $v.App.Personalized}}
<form method="post" action="/phones/{{$v.ID}}/sign" enctype="multipart/form-data"><fieldset><legend>{{.T "phones.sign"}}</legend>
<label>{{.T "phones.document"}} <input type="file" name="document" required></label>
<label>{{.T "phones.signature-password"}} <input name="password" required autocomplete="off"></label>
<label>{{.T "phones.form"}} <select name="form">{{range .Data.Forms}}<option value="{{.}}">{{$.T (printf "phones.form-%s" .)}}</option>{{end}}</select></label>
<label><input type="checkbox" name="timestamp" value="1" checked> {{.T "phones.timestamp"}}</label><button>{{.T "phones.sign-do"}}</button></fieldset></form>
<form method="post" action="/phones/{{$v.ID}}/screenlock"><fieldset><legend>{{.T "phones.screenlock"}}</legend>
{{range $v.LockedKinds}}<p>{{$.T (printf "phones.kind-%s" .)}}: {{$.T "phones.screenlock-is-on"}}</p>{{end}}
<label>{{.T "phones.pin"}} <input name="pin" inputmode="numeric" autocomplete="off"></label>
{{if .Data.ScreenLockSigning}}<label>{{.T "phones.screenlock-signing"}} <input name="password" autocomplete="off"></label>{{end}}
<label>{{.T "phones.method"}} <select name="method">{{range $v.Methods}}<option>{{.}}</option>{{end}}</select></label>
<label>{{.T "phones.shown"}} <input name="shown" value="thumb" required autocomplete="off"></label><button>{{.T "phones.screenlock-do"}}</button>{{if $v.ScreenLock}} <button name="off" value="1">{{.T "phones.screenlock-off"}}</button>{{end}}</fieldset></form>
<form method="post" action="/phones/{{$v.ID}}/secret"><fieldset><legend>{{.T "phones.secret"}}</legend><p>{{.T "phones.secret-note"}}</p>
<label>{{.T "phones.which"}} <select name="kind"><option value="signature">{{.T "phones.kind-signature"}}</option><option value="authentication">{{.T "phones.kind-authentication"}}</option></select></label>
<label>{{.T "phones.current"}} <input name="current" required autocomplete="off"></label><label>{{.T "phones.new"}} <input name="next" required autocomplete="off"></label>
<button>{{.T "phones.secret-do"}}</button></fieldset></form>
<form method="post" action="/phones/{{$v.ID}}/unlock"><fieldset><legend>{{.T "phones.unlock"}}</legend><p>{{.T "phones.unlock-note"}}</p>
<label>{{.T "phones.which"}} <select name="kind"><option value="signature">{{.T "phones.kind-signature"}}</option><option value="authentication">{{.T "phones.kind-authentication"}}</option></select></label>
<label>{{.T "phones.card"}} <input name="card" required autocomplete="off"></label><label>{{.T "phones.card-password"}} <input name="cardPassword" required autocomplete="off"></label>
<label>{{.T "phones.new"}} <input name="next" required autocomplete="off"></label><button>{{.T "phones.unlock-do"}}</button></fieldset></form>
<form method="post" action="/phones/{{$v.ID}}/contact"><fieldset><legend>{{.T "phones.contact"}}</legend><p>{{.T "phones.contact-change"}}</p>
<label>{{.T "phones.contact-reading"}} <input name="reading" required autocomplete="off"></label>
<label>{{.T "phones.contact-telephone"}} <input name="telephone" inputmode="tel" required autocomplete="off"></label>
<label>{{.T "phones.signature-password"}} <input name="password" autocomplete="off"></label>
<label>{{.T "phones.order-pin"}} <input name="pin" inputmode="numeric" autocomplete="off"></label>
<button>{{.T "phones.contact-do"}}</button></fieldset></form>
<form method="post" action="/phones/{{$v.ID}}/order"><fieldset><legend>{{.T "phones.order"}}</legend><p>{{.T "phones.order-note"}}</p>
<label><input type="checkbox" name="kind" value="signature" checked> {{.T "phones.kind-signature"}}</label>
<label><input type="checkbox" name="kind" value="authentication" checked> {{.T "phones.kind-authentication"}}</label>
<label>{{.T "phones.order-verb"}} <select name="verb"><option value="suspend">{{.T "phones.order-suspend"}}</option><option value="resume">{{.T "phones.order-resume"}}</option><option value="code">{{.T "phones.order-code"}}</option><option value="revoke">{{.T "phones.order-revoke"}}</option></select></label>
<label>{{.T "phones.signature-password"}} <input name="password" autocomplete="off"></label>
<label>{{.T "phones.order-pin"}} <input name="pin" inputmode="numeric" autocomplete="off"></label>
<button>{{.T "phones.order-do"}}</button></fieldset></form>
{{end}}
<h2>{{.T "phones.check"}}</h2><ul>{{range $v.Kinds}}<li>{{$.T (printf "phones.kind-%s" .Kind)}}: {{if .OnChip}}{{$.T "phones.on-chip"}}{{else}}{{$.T "phones.not-on-chip"}}{{end}}{{with .Standing}}, <strong>{{.State}}</strong>{{range .Holds}} {{.}}{{end}}{{end}}. {{$.T (printf "phone.finding.%s" .Finding)}}</li>{{end}}</ul>
{{if not $v.App.Application}}{{range $i, $k := $v.Kinds}}{{if and (eq $i 0) (or .OnChip .Live)}}<p>{{$.T "phone.finding-not-yours"}}</p>{{end}}{{end}}{{end}}
<form method="post" action="/phones/{{$v.ID}}/ledger"><h2>{{.T "ledger.heading"}}</h2><label>{{.T "phones.order-pin"}} <input name="pin" inputmode="numeric" autocomplete="off"></label> <button>{{.T "ledger.read"}}</button></form>
<form method="post" action="/phones/{{$v.ID}}/check"><p>{{.T "phones.recognise-note"}}</p><button>{{.T "phones.recognise"}}</button></form>
<form method="post" action="/phones/{{$v.ID}}/wipe"><p>{{.T "phones.wipe-note"}}</p><button>{{.T "phones.wipe"}}</button></form>
<h2>{{.T "phones.leaving"}}</h2><p>{{.T "phones.reset-note"}}</p><ul>{{range .Data.Occasions}}<li><a href="/phones/{{$v.ID}}/leaving?event={{.}}">{{$.T (printf "phones.event-%s" .)}}</a></li>{{end}}</ul>
<p><a href="/">{{.T "phones.back"}}</a></p>{{end}}`)

type frontData struct {
	View    View
	Consent string // version of the notes
	Notes   string
	// ScreenLockSigning tells that the scheme lets the screen lock sign (K3).
	ScreenLockSigning bool
	Occasions         []phone.Occasion
	Forms             []phone.SignatureForm
}

func (p *Phones) front(w http.ResponseWriter, r *http.Request, problem error) {
	v, err := p.View(r.Context(), r.PathValue("id"))
	if err != nil {
		p.chooser(w, r, err)
		return
	}
	version := p.config.Scheme.Consent
	notes := text.Sentence("consent."+version, doorway.Lang(r), nil)
	doorway.Show(w, r, frontPage, "phones.phone", frontData{v, version, notes, p.config.Scheme.ScreenLockSigning, phone.Occasions, phone.SignatureForms}, problem)
}

// form makes a door of a step that a page's form fills: back to the page, with the
// problem if there was one.
func (p *Phones) form(f func(*http.Request, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
		var err error = warifu.Invalid("sandbox-request-malformed")
		if r.ParseForm() == nil {
			err = f(r, r.PathValue("id"))
		}
		if err == nil {
			http.Redirect(w, r, "/phones/"+r.PathValue("id"), http.StatusSeeOther)
			return
		}
		p.front(w, r, err)
	}
}

func (p *Phones) applyByForm(r *http.Request, id string) error {
	in := Apply{Card: r.FormValue("card"), CardPassword: r.FormValue("cardPassword"), Consent: r.FormValue("consent"),
		Signature: r.FormValue("signature"), PIN: r.FormValue("authentication"), Discard: r.FormValue("discard") != ""}
	for _, name := range r.Form["kind"] {
		kind, err := warifu.ParseKind(name)
		if err != nil {
			return err
		}
		in.Kinds = append(in.Kinds, kind)
	}
	var err error
	if in.Contact, err = contactTyped(r); err != nil {
		return err
	}
	_, err = p.Apply(r.Context(), id, in)
	return err
}

// personalizeByForm shows the suspension code where there is one to note down.
func (p *Phones) personalizeByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	out, err := p.Personalize(r.Context(), r.PathValue("id"), Personalize{r.FormValue("card"), r.FormValue("cardPin")})
	o, unknown := p.find(r.PathValue("id"))
	switch {
	case err != nil || unknown != nil:
		p.front(w, r, err)
	case out.SuspensionCode != "":
		p.showCode(w, r, o, out.SuspensionCode, nil)
	default:
		http.Redirect(w, r, "/phones/"+r.PathValue("id"), http.StatusSeeOther)
	}
}

func (p *Phones) signFile(r *http.Request, file multipart.File, in Sign) (Signed, error) {
	defer file.Close()
	var err error
	if in.Document, err = io.ReadAll(file); err != nil {
		return Signed{}, warifu.TooLarge("document-too-large").With(err)
	}
	return p.Sign(r.Context(), r.PathValue("id"), in)
}

// safeName keeps of a file's name what a header may carry.
func safeName(name string) string {
	plain := []byte(filepath.Base(name))
	for i, c := range plain {
		if c < 0x20 || c > 0x7E || c == '"' || c == '\\' {
			plain[i] = '_'
		}
	}
	return string(plain)
}
