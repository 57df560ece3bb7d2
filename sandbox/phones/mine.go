package phones

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"warifu"
	"warifu/face"
	"warifu/phone"
)

// mine is what the screens of a registered phone are made of: the phone as it stands, and
// which of its secrets opens what.
type mine struct {
	View
	Lost string // the page for who lost the phone; it asks for no login
}

// mineOf looks at the phone for a screen.
func (p *Phones) mineOf(r *http.Request, o *owned) (mine, error) {
	v, err := p.View(r.Context(), o.handset.ID)
	p.expire(v)
	return mine{View: v, Lost: p.config.Server.Origin() + "/lost"}, err
}

// expire has certificates that are past their end stand as expired, whether the authority has
// said so yet or not.
func (p *Phones) expire(v View) {
	now := p.config.Clock.Now()
	for i, k := range v.Kinds {
		if k.Standing == nil || warifu.CredentialLife.Final(k.Standing.State) || !now.After(k.Standing.NotAfter) {
			continue
		}
		s := *k.Standing
		s.State = warifu.CredentialExpired
		v.Kinds[i].Standing, v.Kinds[i].Live, v.Kinds[i].Finding = &s, false, phone.FindingEnded
	}
}

// Carried are the kinds whose keys the chip carries and that have not ended, by name.
func (m mine) Carried() []string {
	var out []string
	for _, v := range m.Kinds {
		if v.OnChip && (v.Live || v.Finding == phone.FindingStrange) {
			out = append(out, v.Kind.String())
		}
	}
	return out
}

// Anything reports whether there is a certificate to show: in the chip, or live at the server.
func (m mine) Anything() bool {
	return slices.ContainsFunc(m.Kinds, func(v phone.Validity) bool { return v.OnChip || v.Live })
}

// Has reports whether the phone carries the kind.
func (m mine) Has(kind string) bool { return slices.Contains(m.Carried(), kind) }

// Left is how many tries are left on the phone's secret of the kind; -1 where nobody knows.
func (m mine) Left(kind string) int {
	for k, n := range m.Tries {
		if k.String() == kind {
			return n
		}
	}
	return -1
}

// Locked reports whether the phone's secret of the kind is locked.
func (m mine) Locked(kind string) bool { return m.Left(kind) == 0 }

// Opens is the kind whose secret orders are given with (K10): the signing password, and the
// PIN where that is all there is; "" where the phone carries nothing.
func (m mine) Opens() string {
	carried := m.Carried()
	if len(carried) == 0 {
		return ""
	}
	if m.Has(warifu.Signature.String()) {
		return warifu.Signature.String()
	}
	return carried[0]
}

// Reads is the kind whose secret reads who checked me: the PIN, which is the shorter one,
// unless it is not there or locked.
func (m mine) Reads() string {
	pin := warifu.Authentication.String()
	if m.Has(pin) && !(m.Locked(pin) && m.Has(warifu.Signature.String())) {
		return pin
	}
	return m.Opens()
}

// Field is the name of the form's field that takes the secret of the kind.
func (mine) Field(kind string) string {
	if kind == warifu.Signature.String() {
		return "password"
	}
	return "pin"
}

// standing are the kinds of the phone that stand in a state, by name.
func (m mine) standing(state warifu.CredentialState) []string {
	var out []string
	for _, v := range m.Kinds {
		if v.OnChip && v.Standing != nil && v.Standing.State == state {
			out = append(out, v.Kind.String())
		}
	}
	return out
}

// Active are the kinds that can be put on hold.
func (m mine) Active() []string { return m.standing(warifu.CredentialActive) }

// lift is a hold that the holder lifts here, and the kinds it lies on.
type lift struct {
	Reason warifu.HoldReason
	Kinds  []string
}

// Mine are the holds that the holder lifts in the app: their own wish, and a repair.
func (m mine) Mine() []lift {
	var out []lift
	for _, reason := range []warifu.HoldReason{warifu.HoldOwnWish, warifu.HoldRepair} {
		l := lift{Reason: reason}
		for _, v := range m.Kinds {
			if v.Standing != nil && slices.Contains(v.Standing.Holds, reason) {
				l.Kinds = append(l.Kinds, v.Kind.String())
			}
		}
		if len(l.Kinds) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// Others are the holds that somebody or something else lifts: the card, an operator.
func (m mine) Others() []warifu.HoldReason {
	var out []warifu.HoldReason
	for _, v := range m.Kinds {
		if v.Standing == nil {
			continue
		}
		for _, h := range v.Standing.Holds {
			if h != warifu.HoldOwnWish && h != warifu.HoldRepair && !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	return out
}

// Stranger reports whether the chip carries what this app knows nothing of (R82).
func (m mine) Stranger() bool {
	return m.App.Application == "" && m.Anything()
}

// Leftover reports whether something that has ended is still in the chip (K18).
func (m mine) Leftover() bool {
	return slices.ContainsFunc(m.Kinds, func(v phone.Validity) bool { return v.Finding == phone.FindingEnded })
}

// certificatesAt is where the screens here lead back to.
func certificatesAt(o *owned) string { return "/phones/" + o.handset.ID + "/certificates" }

// mineScreen draws a screen of the certificates' life, with what fill adds to the phone's view.
func (p *Phones) mineScreen(w http.ResponseWriter, r *http.Request, o *owned, t *template.Template, title string, problem error, fill func(mine) any) {
	m, err := p.mineOf(r, o)
	if err != nil {
		problem = err
	}
	l := look{Title: title, Tab: "my", Back: certificatesAt(o)}
	if title == "my.card.title" {
		l.Back = "/phones/" + o.handset.ID + "/my"
	}
	p.show(w, r, t, o.handset, l, fill(m), problem)
}

// plain makes a handler of a screen that shows the phone and nothing else.
func (p *Phones) plain(t *template.Template, title string) http.HandlerFunc {
	return p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) {
		p.mineScreen(w, r, o, t, title, nil, func(m mine) any { return m })
	})
}

var (
	cardScreen      = face.Phone("mine")
	revokeScreen    = face.Phone("revoke")
	suspendScreen   = face.Phone("suspend")
	validityScreen  = face.Phone("validity")
	forgottenScreen = face.Phone("forgotten")
	finishScreen    = face.Phone("finish")
)

// finishData is a screen that says what was done.
type finishData struct {
	mine
	What, Icon string
	Folded     bool // the secret was typed in full width or small letters, and put right (K7)
	LockOff    bool // the screen lock went with the old secret
}

// finishes are what can be done, with the picture of each.
var finishes = map[string]string{
	"suspend": "held", "resume": "good", "revoke": "good", "secret": "good", "unlock": "good", "contact": "good",
	"screenlock": "good", "screenlock-off": "good", "wipe": "good", "check": "good", "reset": "good", "granted": "good", "refused": "ended",
}

func (p *Phones) showFinish(w http.ResponseWriter, r *http.Request, o *owned) {
	what := r.PathValue("what")
	icon, known := finishes[what]
	if !known {
		p.chooser(w, r, warifu.NotFound("page-unknown"))
		return
	}
	p.mineScreen(w, r, o, finishScreen, "my.done.title."+what, nil, func(m mine) any {
		q := r.URL.Query()
		return finishData{m, what, icon, q.Has("folded"), q.Has("lock")}
	})
}

// finish leads to the screen that says what was done.
func finish(w http.ResponseWriter, r *http.Request, o *owned, what string) {
	leadTo(w, r, o, "/done/"+what)
}

// typedTwice refuses a new secret that was typed differently the second time; a form without
// the second field asks once.
func typedTwice(r *http.Request) error {
	if r.PostForm.Has("again") && r.FormValue("again") != r.FormValue("next") {
		return warifu.Invalid("secret-twice-different")
	}
	return nil
}

// folded tells the next screen what happened to the secret that was typed.
func (p *Phones) folded(kind warifu.Kind, typed string) string {
	if is, err := p.config.Scheme.FoldSecret(kind, typed); err == nil && is != typed {
		return "?folded=1"
	}
	return ""
}

// gesture reads what the screen lock is shown: "method:shown" of a screen, or two fields.
func gesture(r *http.Request) (method phone.Method, shown string) {
	if m, s, ok := strings.Cut(r.FormValue("gesture"), ":"); ok {
		return phone.Method(m), s
	}
	return phone.Method(r.FormValue("method")), r.FormValue("shown")
}

// gesturesOf is what a person can show this phone's screen lock: what is enrolled, as a new
// phone of the sandbox has it, and a finger that is not.
func gesturesOf(v View) []face.Gesture {
	var out []face.Gesture
	for _, g := range []face.Gesture{
		{Value: "fingerprint:thumb", Key: "my.gesture.finger"}, {Value: "device-pin:2580", Key: "my.gesture.device-pin"},
		{Value: "face:owner", Key: "my.gesture.face"}, {Value: "pattern:L", Key: "my.gesture.pattern"},
		{Value: "simple-face:owner", Key: "my.gesture.simple-face"},
	} {
		method, _, _ := strings.Cut(g.Value, ":")
		if slices.Contains(v.Methods, phone.Method(method)) {
			out = append(out, g)
		}
	}
	return append(out, face.Gesture{Value: "fingerprint:stranger", Key: "my.gesture.stranger"})
}

// cardsAtHand are the cards that can be held to the phone.
func (p *Phones) cardsAtHand() []face.CardAtHand {
	if p.config.Cards == nil {
		return nil
	}
	all, err := p.config.Cards()
	if err != nil {
		return nil // the card is then named by who has it
	}
	out := make([]face.CardAtHand, len(all))
	for i, c := range all {
		out[i] = face.CardAtHand{ID: c.ID, Name: c.Name}
	}
	return out
}

func (p *Phones) mineRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /phones/{id}/certificates", p.plain(cardScreen, "my.card.title"))
	mux.HandleFunc("GET /phones/{id}/revoke", p.plain(revokeScreen, "my.revoke.title"))
	mux.HandleFunc("GET /phones/{id}/suspend", p.plain(suspendScreen, "my.suspend.title"))
	mux.HandleFunc("GET /phones/{id}/check", p.plain(validityScreen, "phones.check"))
	mux.HandleFunc("GET /phones/{id}/forgotten", p.plain(forgottenScreen, "my.forgotten.title"))
	mux.HandleFunc("GET /phones/{id}/done/{what}", p.inHand(p.showFinish))
	p.secretRoutes(mux)
	p.orderRoutes(mux)
	p.consentRoutes(mux)
}
