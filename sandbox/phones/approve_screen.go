package phones

import (
	"net/http"
	"slices"

	"warifu"
	"warifu/face"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/handset"
)

var approveScreen = face.Phone("approve")

// approveData is the screen of a phone that is asked, or, before it is known which, of all of
// them.
type approveData struct {
	Asking
	mine
	Phones    []handset.Record // with certificates, as far as their apps remember
	Others    []handset.Record // without
	Phone     string           // chosen
	Number    string           // picked, on the form that is shown again
	Gestures  []face.Gesture
	modelName func(string) string
	Over      string // why there is nothing to decide any more: "wrong", "unusable", "over"; "" for not
	Outcome
}

// Needs is the kind of certificate that answers.
func (d approveData) Needs() string {
	if d.Question.Sign != nil {
		return warifu.Signature.String()
	}
	return warifu.Authentication.String()
}

// Hindered tells why the phone cannot answer, before a try is spent on it: it is "lacking" the
// certificate, which may be "held", or its secret is "locked"; "" where it can.
func (d approveData) Hindered() string {
	switch kind := d.Needs(); {
	case !d.Has(kind):
		return "lacking"
	case slices.Contains(d.standing(warifu.CredentialHeld), kind):
		return "held"
	case d.Locked(kind) && (d.Question.Sign != nil || len(d.Gestures) == 0):
		return "locked"
	}
	return ""
}

// ModelOf is what a model is sold as.
func (d approveData) ModelOf(id string) string { return d.modelName(id) }

// approveEndings are the problems after which a login cannot be approved any more.
var approveEndings = map[string]string{
	"login-number-wrong": "wrong", "login-answers-too-many": "wrong",
	"login-credential-ended": "unusable", "credential-none": "unusable", "credential-held": "unusable",
	"approve-expired": "over", "login-expired": "over", "login-unknown": "over", "login-over": "over", "login-finished": "over",
	"login-declined": "over", "login-cancelled": "over", "approve-other-server": "over", "approve-malformed": "over",
	"approve-card-demanded": "over", "login-demands-card": "over", "approve-document-other": "over",
}

// ended tells how a problem ends a login; "" where it does not, or there is none.
func ended(problem error) string {
	if problem == nil {
		return ""
	}
	return approveEndings[warifu.ProblemOf(problem).Problem]
}

// openApprove takes a link and leads to the screen of its login; what is no link is told there.
func (p *Phones) openApprove(w http.ResponseWriter, r *http.Request) {
	if path := PagePath(r.FormValue("at"), p.config.Server); path != "" {
		http.Redirect(w, r, "/approve"+path, http.StatusSeeOther)
		return
	}
	p.showApprove(w, r, nil)
}

// showApprove shows what the login asks, on the phone that the address or the form names, or
// on the only one there is.
func (p *Phones) showApprove(w http.ResponseWriter, r *http.Request, problem error) {
	data := approveData{Asking: NewAsking(r, p.config.Server), Phone: r.FormValue("phone"), Number: r.PostFormValue("number"), modelName: p.modelName}
	data.Phones, data.Others = p.ableToApprove()
	if data.Phone == "" {
		data.Phone = theOne(data.Phones, data.Others)
	}
	if data.Over = ended(problem); data.Over == "" {
		if err := data.Ask(r.Context(), p.config.Server, p.config.Clock); err != nil && problem == nil {
			problem, data.Over = err, ended(err)
		}
	}
	p.drawApprove(w, r, data, problem)
}

// ableToApprove are the phones that carry certificates, and the rest, as far as their apps
// remember.
func (p *Phones) ableToApprove() (able, others []handset.Record) {
	for _, record := range p.List() {
		if o, err := p.find(record.ID); err == nil && o.carries() == "app.chooser.registered" {
			able = append(able, record)
		} else {
			others = append(others, record)
		}
	}
	return able, others
}

// theOne is the phone that nobody has to choose: the only one that can answer, or the only one
// there is; "" where there are several.
func theOne(able, others []handset.Record) string {
	switch {
	case len(able) == 1:
		return able[0].ID
	case len(able) == 0 && len(others) == 1:
		return others[0].ID
	}
	return ""
}

// drawApprove draws the screen in the hand that holds the phone.
func (p *Phones) drawApprove(w http.ResponseWriter, r *http.Request, data approveData, problem error) {
	var h *handset.Handset
	if o, err := p.find(data.Phone); err == nil {
		h = o.handset
		m, err := p.mineOf(r, o)
		if err != nil && problem == nil {
			problem = err
		}
		data.mine = m
		if m.ScreenLock {
			data.Gestures = gesturesOf(m.View)
		}
	} else if data.Phone != "" {
		data.Phone, problem = "", err
	}
	p.show(w, r, approveScreen, h, look{Title: titleOf(data)}, data, problem)
}

// titleOf is the screen's heading: what is to be decided, or that it is over.
func titleOf(d approveData) string {
	switch {
	case d.Over != "":
		return "my.approve.over"
	case d.Question.Sign != nil:
		return "my.approve.sign-title"
	}
	return "login.approve.title"
}

// approveByForm has the chosen phone answer.
func (p *Phones) approveByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	at := NewAsking(r, p.config.Server).At
	in := Approve{
		Link: Link{at}, Attributes: append([]string{}, r.PostForm["attribute"]...), Number: r.PostFormValue("number"), Seen: r.PostFormValue("seen"),
		Unlock: Unlock{PIN: r.PostFormValue("pin")}, Password: r.PostFormValue("password"), Decline: r.PostFormValue("decline") != "",
	}
	if in.PIN == "" { // what is typed goes before what is shown
		in.Method, in.Shown = gesture(r)
	}
	decided, err := p.Approve(r.Context(), r.FormValue("phone"), in)
	if err != nil {
		p.showApprove(w, r, err)
		return
	}
	p.drawApprove(w, r, approveData{Phone: r.FormValue("phone"), Outcome: Told(w, decided)}, nil)
}

// sendApprove puts the login before whoever holds the phone: a screen of it that is open
// somewhere shows it.
func (p *Phones) sendApprove(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	a := NewAsking(r, p.config.Server)
	if err := p.Prompt(r.Context(), r.PostFormValue("phone"), Link{a.At}); err != nil {
		p.showApprove(w, r, err)
		return
	}
	p.show(w, r, sentScreen, nil, look{Title: "my.approve.sent"}, sentData{Phone: r.PostFormValue("phone"), At: phone.LoginLink{Login: r.PathValue("login"), Way: r.PathValue("way")}}, nil)
}

var sentScreen = face.Phone("sent")

// sentData tells which phone was asked.
type sentData struct {
	Phone string
	At    phone.LoginLink
}
