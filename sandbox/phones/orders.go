package phones

import (
	"net/http"

	"warifu"
	"warifu/face"
)

var codeScreen = face.Phone("code")

// codeData is the screen of the suspension code, which is shown once.
type codeData struct {
	mine
	Code string
}

// showCode shows a suspension code, or, with none, asks for the secret that gets a new one.
// The page is kept by nobody.
func (p *Phones) showCode(w http.ResponseWriter, r *http.Request, o *owned, code string, problem error) {
	p.mineScreen(w, r, o, codeScreen, "phones.code", problem, func(m mine) any { return codeData{m, code} })
}

// ordered are the kinds that a form ticks.
func ordered(r *http.Request) (kinds []warifu.Kind, err error) {
	for _, name := range r.Form["kind"] {
		kind, err := warifu.ParseKind(name)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// orderByForm is the screens' door to orders: suspend, resume, revoke, a new suspension code.
// A form that names no kind means all of them, unless it let the person tick them.
func (p *Phones) orderByForm(w http.ResponseWriter, r *http.Request, o *owned) {
	id, verb := o.handset.ID, r.FormValue("verb")
	in := Order{Password: r.FormValue("password"), PIN: r.FormValue("pin"), Reason: warifu.HoldReason(r.FormValue("reason"))}
	var err error
	if in.Kinds, err = ordered(r); err == nil && len(in.Kinds) == 0 && r.PostForm.Has("ticks") {
		err = warifu.Invalid("kinds-none")
	}
	var c Coded
	if err == nil {
		switch verb {
		case "suspend":
			_, err = p.Suspend(r.Context(), id, in)
		case "resume":
			_, err = p.Resume(r.Context(), id, in)
		case "revoke":
			_, err = p.Revoke(r.Context(), id, in)
		case "code":
			c, err = p.NewCode(r.Context(), id, in)
		default:
			err = warifu.Invalid("sandbox-request-malformed")
		}
	}
	switch {
	case err != nil:
		p.orderRefused(w, r, o, verb, err)
	case verb == "code":
		p.showCode(w, r, o, c.SuspensionCode, nil)
	default:
		finish(w, r, o, verb)
	}
}

// orderRefused draws the screen that the order came from, with the problem.
func (p *Phones) orderRefused(w http.ResponseWriter, r *http.Request, o *owned, verb string, problem error) {
	same := func(m mine) any { return m }
	switch verb {
	case "code":
		p.showCode(w, r, o, "", problem)
	case "revoke":
		p.mineScreen(w, r, o, revokeScreen, "my.revoke.title", problem, same)
	default:
		p.mineScreen(w, r, o, suspendScreen, "my.suspend.title", problem, same)
	}
}

// wipeByForm has the chip destroy what is dead.
func (p *Phones) wipeByForm(w http.ResponseWriter, r *http.Request, o *owned) {
	_, err := p.Wipe(r.Context(), o.handset.ID)
	p.checkedOut(w, r, o, "wipe", err)
}

// recogniseByForm is 有効性確認 at the screen (K18).
func (p *Phones) recogniseByForm(w http.ResponseWriter, r *http.Request, o *owned) {
	_, err := p.Recognise(r.Context(), o.handset.ID)
	p.checkedOut(w, r, o, "check", err)
}

func (p *Phones) checkedOut(w http.ResponseWriter, r *http.Request, o *owned, what string, err error) {
	if err != nil {
		p.mineScreen(w, r, o, validityScreen, "phones.check", err, func(m mine) any { return m })
		return
	}
	finish(w, r, o, what)
}

func (p *Phones) orderRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /phones/{id}/code", p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) { p.showCode(w, r, o, "", nil) }))
	mux.HandleFunc("POST /phones/{id}/order", p.inHand(p.orderByForm))
	mux.HandleFunc("POST /phones/{id}/wipe", p.inHand(p.wipeByForm))
	mux.HandleFunc("POST /phones/{id}/check", p.inHand(p.recogniseByForm))
}
