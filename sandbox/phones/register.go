package phones

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"warifu"
	"warifu/face"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/field"
	"warifu/text"
)

var (
	applicationScreen = face.Phone("application")
	registerScreen    = face.Phone("register")
	registeredScreen  = face.Phone("registered")
	noticesScreen     = face.Phone("notices")
)

// registered is how a registration went.
type registered struct {
	code    string // the suspension code, until the holder says that it is noted
	problem error  // why it did not go to its end
	told    bool   // the holder has seen why; that it goes on from there stays
	done    bool
	card    bool // with the card, which the server had asked for
}

// ofCard reports whether the card has to be read once more: it was, and did not do.
func (g *registered) ofCard() bool {
	if g.problem == nil {
		return false
	}
	slug := warifu.ProblemOf(g.problem).Problem
	return slug == "card-proof-required" || g.card && strings.HasPrefix(slug, "card-")
}

// unnoted reports whether a suspension code waits to be noted down.
func (o *owned) unnoted() bool {
	defer o.hand.lock()()
	g := o.hand.registration
	return g != nil && g.done && g.code != ""
}

// applicationData is what 申請状況 shows.
type applicationData struct {
	Application *phone.Application
	Quiet       bool
	Unknown     bool               // there is one, and the server could not be asked about it
	Step        int                // stations that lie behind it, of three; zero: it has ended on the way
	Why         *doorway.Sentences // it was rejected
}

// stations are how many of 申請, 発行 and 登録 lie behind an application.
var stations = map[warifu.ApplicationState]int{warifu.ApplicationSubmitted: 1, warifu.ApplicationIssued: 2, warifu.ApplicationPersonalized: 3}

// application is 申請状況 (R43): where it stands, since when, and what comes next.
func (p *Phones) application(w http.ResponseWriter, r *http.Request, o *owned, problem error) {
	var data applicationData
	state, err := o.app.State()
	if err == nil && state.Application != "" {
		var a phone.Application
		data.Unknown = true
		if a, err = p.config.Server.Application(r.Context(), state.Application); err == nil {
			a = p.local(a)
			data.Unknown = false
			data.Application, data.Step = &a, stations[a.State]
			if a.Problem != "" {
				title, detail, next := text.Problem(warifu.Refused(a.Problem, "age", strconv.Itoa(p.config.Scheme.MinimumAge)), doorway.Lang(r))
				data.Why = &doorway.Sentences{Title: title, Detail: detail, Next: next}
			}
		}
	}
	data.Quiet = state.Quiet
	if problem == nil {
		problem = err
	}
	p.show(w, r, applicationScreen, o.handset, look{Title: "app.menu.application", Tab: "my", Back: "/phones/" + o.handset.ID + "/my"}, data, problem)
}

// takeBack withdraws the application.
func (p *Phones) takeBack(w http.ResponseWriter, r *http.Request, o *owned) {
	o.begin(func(ctx context.Context, t tell) error {
		t("app.progress.withdraw", 0, 0)
		return p.Withdraw(ctx, o.handset.ID)
	}, func(err error) {
		if o.hand.problem = err; err == nil {
			o.hand.said = "app.said.withdrawn"
		}
	})
	leadTo(w, r, o, "/my")
}

// registerData is the screen of 登録 (R44).
type registerData struct {
	Application phone.Application
	AskCard     bool // the server wants the card again (R45)
	Cut         bool // it was begun and torn away
	Unknown     bool // the server could not be asked
	Cards       []Card
	Code        string
	Strong      bool // the screen lock can stand in for the PIN
}

// register is the screen 「スマホ用電子証明書の登録」.
func (p *Phones) register(w http.ResponseWriter, r *http.Request, o *owned) {
	application, err := o.app.Status(r.Context())
	unlock := o.hand.lock()
	var data registerData
	var problem error
	data.AskCard = r.FormValue("card") != ""
	if g := o.hand.registration; g != nil {
		data.Code = g.code
		if g.done && application.State != warifu.ApplicationIssued { // of this application, not of one before it
			unlock()
			leadTo(w, r, o, "/registered")
			return
		}
		if !g.told {
			problem, g.told = g.problem, true
		}
		data.AskCard = data.AskCard || g.ofCard()
		data.Cut = g.problem != nil && !data.AskCard
		if g.done || err == nil && application.State != warifu.ApplicationIssued {
			o.hand.registration = nil
		}
	}
	unlock()
	data.Unknown = err != nil && warifu.ProblemOf(err).Problem != "application-none"
	if problem == nil {
		problem = err
	}
	data.Application = p.local(application)
	if data.AskCard && p.config.Cards != nil {
		data.Cards, err = p.config.Cards()
		if problem == nil {
			problem = err
		}
	}
	p.show(w, r, registerScreen, o.handset, look{Title: "app.menu.register", Tab: "my", Back: "/phones/" + o.handset.ID + "/my"}, data, problem)
}

// usualCommands are about how many commands a registration takes, one kind and each further
// one: for the length of the bar alone. What is told is what was carried.
const (
	usualCommands = 18
	usualForKind  = 8
)

// beginRegister answers 「登録する」: the certificates are written, command by command.
func (p *Phones) beginRegister(w http.ResponseWriter, r *http.Request, o *owned) {
	card, pin := r.FormValue("card"), r.FormValue("card-pin")
	state, err := o.app.State()
	if err == nil && card != "" {
		_, err = p.config.Scheme.CardPIN(warifu.Authentication, pin)
	}
	if err != nil {
		p.failRegister(o, err)
		leadTo(w, r, o, "/register?card=again")
		return
	}
	outcome := &registered{card: card != ""}
	o.begin(func(ctx context.Context, t tell) error {
		all := usualCommands + usualForKind*len(state.Kinds)
		in := phone.Personalization{CardPIN: pin, Code: func(code string) { outcome.code = code }}
		in.Told = func(relay phone.Relay) {
			n := relay.Number
			t("app.progress.write", min(n, all-1), all, "n", strconv.Itoa(n), "head", fmt.Sprintf("%X", relay.Head), "length", strconv.Itoa(relay.Length), "status", fmt.Sprintf("%04X", uint16(relay.Status)))
		}
		t("app.progress.session", 0, all)
		return p.with(ctx, o.handset.ID, func(o *owned) error {
			if card == "" {
				return o.app.Personalize(ctx, in)
			}
			return p.tap(ctx, card, func(held *field.Held) error {
				in.Card = held
				return o.app.Personalize(ctx, in)
			})
		})
	}, func(err error) {
		outcome.problem, outcome.done = err, err == nil
		o.hand.registration = outcome
	})
	leadTo(w, r, o, "/register")
}

func (p *Phones) failRegister(o *owned, err error) {
	defer o.hand.lock()()
	o.hand.registration = &registered{problem: err}
}

// afterRegister is the screen after the registration: the suspension code, shown until it is noted,
// and the way to the screen lock (R50).
func (p *Phones) afterRegister(w http.ResponseWriter, r *http.Request, o *owned) {
	unlock := o.hand.lock()
	g := o.hand.registration
	unlock()
	if g == nil || !g.done {
		leadTo(w, r, o, "/my")
		return
	}
	data := registerData{Code: g.code}
	if state, err := o.app.State(); err == nil {
		for _, kind := range state.Kinds {
			data.Strong = data.Strong || kind == warifu.Authentication
		}
	}
	p.show(w, r, registeredScreen, o.handset, look{Title: "app.registered.title", Tab: "my"}, data, nil)
}

// noted ends that screen: the code is not shown again.
func (p *Phones) noted(w http.ResponseWriter, r *http.Request, o *owned) {
	unlock := o.hand.lock()
	o.hand.registration = nil
	unlock()
	if r.FormValue("next") == "screenlock" {
		leadTo(w, r, o, "/screenlock")
		return
	}
	leadTo(w, r, o, "/my?said=registered")
}

// notices is the screen on which notices are allowed or not (R42, R43).
func (p *Phones) notices(w http.ResponseWriter, r *http.Request, o *owned) {
	var err error
	if r.Method == http.MethodPost {
		err = p.with(r.Context(), o.handset.ID, func(o *owned) error { return o.app.AllowNotices(r.FormValue("allow") != "") })
		if err == nil {
			leadTo(w, r, o, "/notices")
			return
		}
	}
	state, failed := o.app.State()
	if err == nil {
		err = failed
	}
	p.show(w, r, noticesScreen, o.handset, look{Title: "app.menu.notices", Tab: "my", Back: "/phones/" + o.handset.ID + "/my"}, state.Quiet, err)
}

func (p *Phones) registerRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /phones/{id}/application", p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) { p.application(w, r, o, nil) }))
	mux.HandleFunc("POST /phones/{id}/application/withdrawal", p.inHand(p.takeBack))
	mux.HandleFunc("GET /phones/{id}/register", p.inHand(p.register))
	mux.HandleFunc("POST /phones/{id}/register", p.inHand(p.beginRegister))
	mux.HandleFunc("GET /phones/{id}/registered", p.inHand(p.afterRegister))
	mux.HandleFunc("POST /phones/{id}/registered", p.inHand(p.noted))
	mux.HandleFunc("GET /phones/{id}/notices", p.inHand(p.notices))
	mux.HandleFunc("POST /phones/{id}/notices", p.inHand(p.notices))
}
