package phones

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"time"

	"warifu"
	"warifu/catalogue"
	"warifu/face"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/text"
)

var (
	startScreen    = face.Phone("apply")
	progressScreen = face.Phone("progress")
)

// stepScreen is a step's title and what its form does. do is called with the walk held; what
// it returns is the problem to show on the same screen, nil to go on.
type stepScreen struct {
	title string
	do    func(p *Phones, r *http.Request, o *owned, w *walk) error
}

var stepScreens = map[stage]stepScreen{
	stepPassword: {"app.step.password", (*Phones).takePassword}, stepChoose: {"app.step.choose", (*Phones).takeChoice},
	stepNotes: {"app.step.notes", (*Phones).takeConsent}, stepPrepare: {"app.step.prepare", (*Phones).takePrepared},
	stepCard: {"app.step.card", (*Phones).takeCard}, stepLift: {"app.step.lift", (*Phones).goOn},
	stepSignature: {"app.step.signature", (*Phones).takeSignature}, stepPIN: {"app.step.pin", (*Phones).takePIN},
	stepDone: {"app.step.done", (*Phones).goOn}, stepSend: {"app.step.send", (*Phones).takeSend},
}

// stepTemplates are the steps' screens.
var stepTemplates = func() map[stage]*template.Template {
	out := map[stage]*template.Template{}
	for s := range stepScreens {
		out[s] = face.Phone("step-" + string(s))
	}
	return out
}()

// startData is the screen before the first step: what is needed, and when the certificates
// will be there (R38–R41).
type startData struct {
	Front
	When  string         // key of the sentence about the hours
	Times map[string]any // for it
}

// start is the screen of 「スマホ用電子証明書を申請する」. A walk that is under way goes on.
func (p *Phones) start(w http.ResponseWriter, r *http.Request, o *owned, problem error) {
	p.sweep()
	walk, lapsed, put := p.takeWalk(r.Context(), o)
	if walk != nil && walk.at != stepDone && problem == nil {
		at := walk.at
		put()
		leadTo(w, r, o, "/apply/"+string(at))
		return
	}
	put()
	if problem == nil {
		_, problem = o.hand.told()
	}
	if lapsed && problem == nil {
		problem = warifu.Conflict("app-draft-expired")
	}
	f, err := p.look(r, o)
	if problem == nil {
		problem = err
	}
	data := startData{Front: f}
	data.When, data.Times = p.hours()
	p.show(w, r, startScreen, o.handset, look{Title: "app.menu.apply", Tab: "my", Back: "/phones/" + o.handset.ID + "/my"}, data, problem)
}

// hours says when what is handed in now will be issued (K1).
func (p *Phones) hours() (key string, times map[string]any) {
	return p.due("app.hours.", p.config.Scheme.Hours.Due(p.config.Clock.Now()))
}

// due says when what is due at an instant will be issued; the sentences are under prefix.
func (p *Phones) due(prefix string, due time.Time) (key string, times map[string]any) {
	h, now := p.config.Scheme.Hours, p.config.Clock.Now()
	times = map[string]any{"Due": due, "CutOff": h.CutOff, "Opens": h.Opens}
	switch {
	case h.Always:
		return prefix + "always", times
	case h.MayIssue(due, now):
		return prefix + "now", times
	case due.In(h.Zone).YearDay() == now.In(h.Zone).YearDay():
		return prefix + "later-today", times
	}
	return prefix + "tomorrow", times
}

// begin answers the start screen's button.
func (p *Phones) beginWalk(w http.ResponseWriter, r *http.Request, o *owned) {
	if discard := r.FormValue("discard") != ""; o.walking() == "" {
		o.begin(func(ctx context.Context, t tell) error {
			t("app.progress.terms", 0, 0)
			_, err := o.app.CheckEligible(ctx)
			return err
		}, func(err error) {
			if o.hand.problem = err; err == nil {
				p.newWalk(o, discard)
			}
		})
	}
	leadTo(w, r, o, "/apply")
}

// giveUp ends a walk: the chip forgets its keys, and the server never heard of it.
func (p *Phones) giveUp(w http.ResponseWriter, r *http.Request, o *owned) {
	walk, _, put := p.takeWalk(r.Context(), o)
	if walk == nil || o.hand.work != nil || walk.at == stepDone {
		put()
		leadTo(w, r, o, "/my")
		return
	}
	drafted := walk.draft != nil
	o.hand.walk = nil
	put()
	o.begin(func(ctx context.Context, t tell) error {
		t("app.progress.clear", 0, 0)
		if !drafted {
			return nil
		}
		return p.abandon(ctx, o)
	}, func(err error) {
		if o.hand.problem = err; err == nil {
			o.hand.said = "app.said.given-up"
		}
	})
	leadTo(w, r, o, "/my")
}

// stepData is what the screens of the steps show.
type stepData struct {
	Token       string
	At, All     int // of the eleven
	Kinds       []warifu.Kind
	Tries       int // left on the card's password; -1: not known yet
	Prepared    bool
	CardFirst   bool
	Consent     string // version of the notes
	Notes       []string
	Contact     phone.Contact
	Agreed      bool
	NFC         string // key of the sentence about where the card goes (R23)
	Cards       []Card
	Card        string // held last
	Blocked     bool   // the card's password is locked
	Young       bool   // the card has no signing certificate
	Final       bool   // it was refused: sending it again changes nothing
	Application phone.Application
	When        string
	Due         map[string]any
	Quiet       bool
}

// Has reports whether the certificate of the kind is asked for.
func (d stepData) Has(kind string) bool {
	return slices.ContainsFunc(d.Kinds, func(k warifu.Kind) bool { return k.String() == kind })
}

// showStep draws the screen of a step of the walk, which the caller holds; it is let go of here.
func (p *Phones) showStep(w http.ResponseWriter, r *http.Request, o *owned, walk *walk, s stage, problem error, put func()) {
	order := p.stages()
	at, all := count(order, s)
	d := stepData{
		Token: walk.token, At: at, All: all, Kinds: walk.kinds, Tries: walk.tries,
		Prepared: walk.prepared, CardFirst: p.config.Scheme.CardFirst, Consent: p.config.Scheme.Consent, Agreed: walk.consent != "", Card: walk.card, Final: walk.final, NFC: p.nfc(o.handset.Model),
		Notes: sentences(text.Sentence("consent."+p.config.Scheme.Consent, doorway.Lang(r), nil), doorway.Lang(r)),
	}
	if walk.contact != nil {
		d.Contact = *walk.contact
	}
	if walk.draft != nil {
		d.Application = p.local(walk.draft.Application)
	}
	if problem == nil {
		problem, walk.problem = walk.problem, nil
	}
	l := look{Title: stepScreens[s].title, Tab: "my", Back: p.backFrom(o, walk, order, s), Said: walk.said}
	walk.said = ""
	put()
	if problem != nil {
		slug := warifu.ProblemOf(problem).Problem
		d.Blocked, d.Young = slug == "card-pin-blocked", slug == "card-signature-absent"
	}
	if s == stepCard && p.config.Cards != nil {
		if d.Card == "" {
			d.Card = doorway.Person(r) // the card of whoever is at the browser lies nearest
		}
		var err error
		if d.Cards, err = p.config.Cards(); problem == nil {
			problem = err
		}
	}
	if s == stepDone {
		at := p.config.Scheme.Hours.Due(p.config.Clock.Now())
		if d.Application.DueAt != nil {
			at = *d.Application.DueAt
		}
		d.When, d.Due = p.due("app.done.", at)
		if state, err := o.app.State(); err == nil {
			d.Quiet = state.Quiet
		}
	}
	p.show(w, r, stepTemplates[s], o.handset, l, d, problem)
}

// backFrom is where the arrow leads: to the step before while nothing is made yet.
func (p *Phones) backFrom(o *owned, walk *walk, order []stage, s stage) string {
	at := "/phones/" + o.handset.ID
	if n := slices.Index(order, s); n > 0 && walk.open(order, order[n-1]) {
		return at + "/apply/" + string(order[n-1])
	} else if n == 0 {
		return at + "/my"
	}
	return ""
}

// nfc is the key of the sentence about where the card goes on a model (R23).
func (p *Phones) nfc(model string) string {
	where := catalogue.NFCManual
	if p.config.Model != nil {
		if m, err := p.config.Model(model); err == nil && m.NFC != "" {
			where = m.NFC
		}
	}
	return "word.nfc." + string(where)
}

// step shows a step: the one the walk is at, or one before it that may still be changed.
func (p *Phones) step(w http.ResponseWriter, r *http.Request, o *owned) {
	walk, lapsed, put := p.takeWalk(r.Context(), o)
	if walk == nil {
		put()
		problem := warifu.Conflict("app-page-expired")
		if lapsed {
			problem = warifu.Conflict("app-draft-expired")
		}
		p.start(w, r, o, problem)
		return
	}
	s := stage(r.PathValue("step"))
	if !walk.open(p.stages(), s) {
		at := walk.at
		put()
		leadTo(w, r, o, "/apply/"+string(at))
		return
	}
	p.showStep(w, r, o, walk, s, nil, put)
}

// fill takes a step's form. A screen of an older walk is told so; one that was sent twice, or
// from a second tab, leads to where the walk is by now.
func (p *Phones) fill(w http.ResponseWriter, r *http.Request, o *owned) {
	walk, lapsed, put := p.takeWalk(r.Context(), o)
	if walk == nil || r.FormValue("token") != walk.token {
		put()
		problem := warifu.Conflict("app-page-expired")
		if lapsed {
			problem = warifu.Conflict("app-draft-expired")
		}
		if walk == nil {
			p.start(w, r, o, problem)
			return
		}
		leadTo(w, r, o, "/apply")
		return
	}
	s, order := stage(r.PathValue("step")), p.stages()
	screen, known := stepScreens[s]
	if !known || o.hand.work != nil || !walk.open(order, s) {
		at := walk.at
		put()
		leadTo(w, r, o, "/apply/"+string(at))
		return
	}
	if err := screen.do(p, r, o, walk); err != nil {
		walk.problem = err // told on the screen itself, so that going back asks for no form again
		put()
		leadTo(w, r, o, "/apply/"+string(s))
		return
	}
	run := walk.run
	walk.run = nil
	if run == nil {
		walk.at = walk.after(order, s)
	}
	at := walk.at
	put()
	if run != nil {
		run()
		put := o.hand.lock()
		at = walk.at
		put()
	}
	leadTo(w, r, o, "/apply/"+string(at))
}

// showProgress shows how far the phone is with what it does.
func (p *Phones) showProgress(w http.ResponseWriter, r *http.Request, o *owned, e event) {
	type progress struct {
		Text      string
		Done, All int
	}
	l := look{Title: "app.progress.title", Tab: "my", Refresh: 1, Waits: true}
	p.show(w, r, progressScreen, o.handset, l, progress{text.Sentence(e.Key, doorway.Lang(r), e.Params), e.Done, e.All}, nil)
}

func (p *Phones) applyScreenRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /phones/{id}/apply", p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) { p.start(w, r, o, nil) }))
	mux.HandleFunc("POST /phones/{id}/apply/begin", p.inHand(p.beginWalk))
	mux.HandleFunc("POST /phones/{id}/apply/away", p.inHand(p.giveUp))
	mux.HandleFunc("GET /phones/{id}/apply/{step}", p.inHand(p.step))
	mux.HandleFunc("POST /phones/{id}/apply/{step}", p.inHand(p.fill))
	mux.HandleFunc("GET /phones/{id}/events", p.events)
}
