package phones

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/face"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/text"
)

var (
	homeScreen  = face.Phone("home")
	myScreen    = face.Phone("my")
	aboutScreen = face.Phone("about")
)

// Front is what the app's first screens know of the phone: what is on it, where an
// application stands, and whether it may have certificates at all.
type Front struct {
	View
	Certificates []Carried
	// Eligible reports whether the banner is shown (R21, R22); Refused says why not, in the
	// reader's language, and Update whether the holder can mend it (R19, R20).
	Eligible bool
	Update   bool
	Offline  bool // the server could not be asked: nothing is known
	Refused  *doorway.Sentences
	// Walk is the application that is being filled in on this phone: the step to go on with.
	Walk string
	// Code tells that the suspension code of the last registration is not noted down yet.
	Code bool
}

// Carried is one certificate of this phone as its holder is told.
type Carried struct {
	Kind     warifu.Kind
	State    string // as {{state}} draws it
	NotAfter time.Time
	Tries    int  // left on its secret; -1 where the chip did not say
	Lock     bool // the screen lock stands in for its secret
}

// Live reports whether any certificate of the phone is in use or on hold.
func (f Front) Live() bool {
	return slices.ContainsFunc(f.Certificates, func(c Carried) bool { return c.State == "good" || c.State == "held" || c.State == "locked" })
}

// Open is the application that is not finished, nil for none.
func (f Front) Open() *phone.Application {
	if f.Application == nil || warifu.ApplicationLife.Final(f.Application.State) {
		return nil
	}
	return f.Application
}

// look gathers what the first screens show.
func (p *Phones) look(r *http.Request, o *owned) (Front, error) {
	eligible := make(chan error, 1)
	go func() {
		_, err := o.app.CheckEligible(r.Context())
		eligible <- err
	}()
	view, err := p.View(r.Context(), o.handset.ID)
	refused := <-eligible // it uses the request's context, and is waited for in any case
	if err != nil {
		return Front{}, err
	}
	p.expire(view)
	f := Front{View: view, Walk: o.walking(), Code: o.unnoted()}
	for _, v := range view.Kinds {
		if c, there := carried(view, v); there {
			f.Certificates = append(f.Certificates, c)
		}
	}
	f.judge(refused, doorway.Lang(r))
	return f, nil
}

// judge turns the server's answer about the phone into what is shown (R19–R22, K4).
func (f *Front) judge(err error, lang text.Lang) {
	if f.Eligible = err == nil; f.Eligible {
		return
	}
	e := warifu.ProblemOf(err)
	f.Offline = e.IsCode(warifu.CodeUnavailable)
	f.Update = e.Problem == "device-os-update" || e.Problem == "app-too-old"
	title, detail, next := text.Problem(e, lang)
	f.Refused = &doorway.Sentences{Title: title, Detail: detail, Next: next}
}

// carried tells of one kind that is or was on this phone.
func carried(v View, k phone.Validity) (Carried, bool) {
	c := Carried{Kind: k.Kind, Tries: -1, Lock: slices.Contains(v.LockedKinds, k.Kind)}
	if n, known := v.Tries[k.Kind]; known {
		c.Tries = n
	}
	if k.Standing == nil {
		return c, false
	}
	c.State, c.NotAfter = string(k.Standing.State), k.Standing.NotAfter
	switch {
	case k.Standing.State == warifu.CredentialPending:
		return c, false // it is told as an application
	case k.Standing.State == warifu.CredentialActive && c.Tries == 0:
		c.State = "locked"
	case k.Standing.State == warifu.CredentialActive:
		c.State = "good"
	}
	return c, true
}

// home is the app's top screen.
func (p *Phones) home(w http.ResponseWriter, r *http.Request, o *owned, problem error) {
	f, err := p.look(r, o)
	if problem == nil {
		problem = err
	}
	p.show(w, r, homeScreen, o.handset, look{Title: "app.name", Tab: "home"}, f, problem)
}

// my is マイページ with its menu 証明書の管理 (K8).
func (p *Phones) my(w http.ResponseWriter, r *http.Request, o *owned, problem error) {
	f, err := p.look(r, o)
	said, failed := o.hand.told()
	for _, one := range []error{failed, err} {
		if problem == nil {
			problem = one
		}
	}
	if name := r.URL.Query().Get("said"); name != "" && text.Has("app.said."+name) && !strings.Contains(name, ".") {
		said = "app.said." + name
	}
	p.show(w, r, myScreen, o.handset, look{Title: "app.tab.my", Tab: "my", Said: said}, f, problem)
}

// about asks "do I need this?" and answers honestly (R88): what it can do, what it takes,
// what a loss means, and that everything goes with the card alone (K17).
func (p *Phones) about(w http.ResponseWriter, r *http.Request, o *owned) {
	_, err := o.app.CheckEligible(r.Context())
	f := Front{View: View{Record: o.handset.Record}}
	f.judge(err, doorway.Lang(r))
	p.show(w, r, aboutScreen, o.handset, look{Title: "app.about.title", Back: "/phones/" + o.handset.ID}, f, nil)
}

// screenRoutes are the doors of the app's screens.
func (p *Phones) screenRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { p.chooser(w, r, nil) })
	mux.HandleFunc("POST /phones", p.buyByForm)
	mux.HandleFunc("GET /phones/{id}", p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) { p.home(w, r, o, nil) }))
	mux.HandleFunc("GET /phones/{id}/my", p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) { p.my(w, r, o, nil) }))
	mux.HandleFunc("GET /phones/{id}/about", p.inHand(p.about))
}
