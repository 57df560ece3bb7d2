package phones

import (
	"net/http"
	"time"

	"warifu"
	"warifu/face"
	"warifu/sandbox/field"
)

var unlockScreen = face.Phone("unlock")

// The screens on which a password of the phone is set anew, in the order of the national app:
// which one, the card's password, the card is read, the new password. The card is read before
// a new password is thought of, so that a wrong card password is told in time; it stays
// with the phone until the chip has its signature, which is over the new password's moment.
const (
	unlockPassword = "password" // the card's
	unlockTap      = "tap"
	unlockNew      = "new"
)

// unlocking is how far that has come. It is kept in memory, for as long as an application is.
type unlocking struct {
	kind     warifu.Kind
	password string // the card's, as typed
	card     string // that lies on the phone
	touched  time.Time
}

// at is the screen that comes next.
func (u unlocking) at() string {
	switch {
	case u.password == "":
		return unlockPassword
	case u.card == "":
		return unlockTap
	}
	return unlockNew
}

// unlockingOf is how far the phone has come with a password of the kind.
func (p *Phones) unlockingOf(o *owned, kind warifu.Kind) unlocking {
	defer o.hand.lock()()
	u := o.hand.unlocking
	if u == nil || u.kind != kind || p.config.Clock.Now().Sub(u.touched) > walkIdle {
		o.hand.unlocking = nil
		return unlocking{kind: kind}
	}
	return *u
}

// keep remembers how far it has come; nil: nothing is under way any more.
func (p *Phones) keep(o *owned, u *unlocking) {
	defer o.hand.lock()()
	if u != nil {
		u.touched = p.config.Clock.Now()
	}
	o.hand.unlocking = u
}

// unlockData is the screen that sets a password of the phone anew.
type unlockData struct {
	mine
	Kind, At string
	Step     int // of four
	NFC      string
	Cards    []face.CardAtHand
	Card     string // that lies on the phone
	Blocked  bool   // the card's own password is locked
}

func (p *Phones) showUnlock(w http.ResponseWriter, r *http.Request, o *owned, problem error) {
	p.mineScreen(w, r, o, unlockScreen, "my.unlock.title", problem, func(m mine) any {
		d := unlockData{mine: m, Kind: chosenKind(r), NFC: p.nfc(o.handset.Model), Cards: p.cardsAtHand()}
		if kind, err := warifu.ParseKind(d.Kind); err == nil {
			u := p.unlockingOf(o, kind)
			d.At, d.Card = u.at(), u.card
			d.Step = map[string]int{unlockPassword: 2, unlockTap: 3, unlockNew: 4}[d.At]
		}
		d.Blocked = problem != nil && warifu.ProblemOf(problem).Problem == "card-pin-blocked"
		return d
	})
}

// fillUnlock takes a screen's form. One of an earlier screen leads to where it is by now.
func (p *Phones) fillUnlock(w http.ResponseWriter, r *http.Request, o *owned) {
	kind, err := warifu.ParseKind(r.FormValue("kind"))
	if err != nil {
		p.showUnlock(w, r, o, err)
		return
	}
	u := p.unlockingOf(o, kind)
	switch part := r.FormValue("part"); {
	case part == "away":
		p.keep(o, nil)
		leadTo(w, r, o, "/certificates")
		return
	case part != u.at():
	case part == unlockPassword:
		if _, err = p.config.Scheme.CardPIN(warifu.Signature, r.FormValue("cardPassword")); err == nil {
			u.password = r.FormValue("cardPassword")
		}
	case part == unlockTap:
		err = p.readParent(r, o, &u)
	default:
		if err = p.resetSecret(r, o, &u); err == nil {
			p.keep(o, nil)
			finish(w, r, o, "unlock"+p.folded(kind, r.FormValue("next")))
			return
		}
	}
	p.keep(o, &u)
	if err != nil {
		p.showUnlock(w, r, o, err)
		return
	}
	leadTo(w, r, o, "/unlock?kind="+kind.String())
}

// readParent reads the card that is held to the phone, with its password.
func (p *Phones) readParent(r *http.Request, o *owned, u *unlocking) error {
	card := r.FormValue("card")
	err := p.with(r.Context(), o.handset.ID, func(o *owned) error {
		return p.tap(r.Context(), card, func(held *field.Held) error { return o.app.TryParent(r.Context(), held, u.password) })
	})
	if u.card = card; err != nil {
		u.mend(err)
		u.card = ""
	}
	return err
}

// resetSecret sets the phone's password anew with the card (K14).
func (p *Phones) resetSecret(r *http.Request, o *owned, u *unlocking) error {
	err := typedTwice(r)
	if err == nil {
		err = p.ResetSecret(r.Context(), o.handset.ID, Reset{u.kind, u.card, u.password, r.FormValue("next")})
		u.mend(err)
	}
	return err
}

// mend goes back to the screen on which a problem is mended.
func (u *unlocking) mend(err error) {
	if err == nil {
		return
	}
	switch warifu.ProblemOf(err).Problem {
	case "card-pin-wrong", "card-pin-blocked", "card-pin-format":
		u.password, u.card = "", ""
	case "reset-proof-invalid", "card-removed", "card-unknown", "card-signature-absent", "chip-unknown":
		u.card = ""
	}
}
