package phones

import (
	"net/http"

	"warifu"
	"warifu/face"
)

var (
	secretScreen     = face.Phone("secret")
	screenLockScreen = face.Phone("screenlock")
	contactScreen    = face.Phone("contact")
)

// secretData is a screen about one of the phone's secrets: which one, once it is chosen.
type secretData struct {
	mine
	Kind string
}

// chosenKind is the kind that a screen's address or form names; "" for none yet.
func chosenKind(r *http.Request) string {
	if kind, err := warifu.ParseKind(r.FormValue("kind")); err == nil {
		return kind.String()
	}
	return ""
}

func (p *Phones) showSecret(w http.ResponseWriter, r *http.Request, o *owned, problem error) {
	p.mineScreen(w, r, o, secretScreen, "my.secret.title", problem, func(m mine) any {
		return secretData{m, chosenKind(r)}
	})
}

// changeSecret changes one of the phone's own passwords (R30).
func (p *Phones) changeSecret(w http.ResponseWriter, r *http.Request, o *owned) {
	kind, err := warifu.ParseKind(r.FormValue("kind"))
	if err == nil {
		err = typedTwice(r)
	}
	var out Changed
	if err == nil {
		out, err = p.ChangeSecret(r.Context(), o.handset.ID, ChangeSecret{kind, r.FormValue("current"), r.FormValue("next")})
	}
	if err != nil {
		p.showSecret(w, r, o, err)
		return
	}
	query := p.folded(kind, r.FormValue("next"))
	if out.ScreenLockOff {
		query = "?lock=off" + map[bool]string{true: "&folded=1"}[query != ""]
	}
	finish(w, r, o, "secret"+query)
}

// screenLockData is the screen that turns the screen lock on and off (R50).
type screenLockData struct {
	mine
	Gestures []face.Gesture
}

func (p *Phones) showScreenLock(w http.ResponseWriter, r *http.Request, o *owned, problem error) {
	p.mineScreen(w, r, o, screenLockScreen, "phones.screenlock", problem, func(m mine) any {
		return screenLockData{m, gesturesOf(m.View)}
	})
}

func (p *Phones) setScreenLock(w http.ResponseWriter, r *http.Request, o *owned) {
	what, err := "screenlock", error(nil)
	if r.FormValue("off") != "" {
		what, err = "screenlock-off", p.DisableScreenLock(r.Context(), o.handset.ID)
	} else {
		in := ScreenLock{Unlock: Unlock{PIN: r.FormValue("pin")}, Password: r.FormValue("password")}
		in.Method, in.Shown = gesture(r)
		if in.Password != "" {
			in.Kind = warifu.Signature
		}
		err = p.EnableScreenLock(r.Context(), o.handset.ID, in)
	}
	if err != nil {
		p.showScreenLock(w, r, o, err)
		return
	}
	finish(w, r, o, what)
}

// contactData is the screen of the telephone for notices, as the person left it.
type contactData struct {
	mine
	Reading, Telephone string
}

func (p *Phones) showContact(w http.ResponseWriter, r *http.Request, o *owned, problem error) {
	p.mineScreen(w, r, o, contactScreen, "phones.contact", problem, func(m mine) any {
		return contactData{m, r.PostFormValue("reading"), r.PostFormValue("telephone")}
	})
}

func (p *Phones) changeContact(w http.ResponseWriter, r *http.Request, o *owned) {
	if err := p.contactByForm(r, o.handset.ID); err != nil {
		p.showContact(w, r, o, err)
		return
	}
	finish(w, r, o, "contact")
}

func (p *Phones) secretRoutes(mux *http.ServeMux) {
	show := func(f func(http.ResponseWriter, *http.Request, *owned, error)) http.HandlerFunc {
		return p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) { f(w, r, o, nil) })
	}
	mux.HandleFunc("GET /phones/{id}/secret", show(p.showSecret))
	mux.HandleFunc("POST /phones/{id}/secret", p.inHand(p.changeSecret))
	mux.HandleFunc("GET /phones/{id}/unlock", show(p.showUnlock))
	mux.HandleFunc("POST /phones/{id}/unlock", p.inHand(p.fillUnlock))
	mux.HandleFunc("GET /phones/{id}/screenlock", show(p.showScreenLock))
	mux.HandleFunc("POST /phones/{id}/screenlock", p.inHand(p.setScreenLock))
	mux.HandleFunc("GET /phones/{id}/contact", show(p.showContact))
	mux.HandleFunc("POST /phones/{id}/contact", p.inHand(p.changeContact))
	mux.HandleFunc("GET /phones/{id}/sign", show(p.showSign))
	mux.HandleFunc("POST /phones/{id}/sign", p.sign)
}
