package phones

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"warifu"
	"warifu/face"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/handset"
)

var loginScreen = face.Phone("login")

// loginData is the screen of a relying party that asks the phone itself, without a provider
// between them: a bank or a repair shop of the sandbox, by the address of its question.
type loginData struct {
	mine
	At, Seen string // the question's address, and the site that it is at
	Phones   []handset.Record
	Phone    string // chosen
	Gestures []face.Gesture
	Done     bool
}

// Can reports whether the phone can answer.
func (d loginData) Can() bool {
	return d.Has(warifu.Authentication.String()) && (len(d.Gestures) > 0 || !d.Locked(warifu.Authentication.String()))
}

// asked is what a relying party answers at the address of its question.
type asked struct {
	Question phone.Question `json:"question"`
	Answer   string         `json:"answer"`
}

// party finds the relying party whose question is at the address. Only those of the
// sandbox are called: this place fetches for whoever shows it an address.
func (p *Phones) party(at string) (doorway.Client, string, error) {
	u, err := url.Parse(at)
	if err != nil || !slices.Contains(p.config.Parties, u.Scheme+"://"+u.Host) {
		return doorway.Client{}, "", warifu.Refused("party-unknown")
	}
	return doorway.NewClient(u.Scheme + "://" + u.Host), u.EscapedPath(), nil
}

// showLogin shows who asks, on the phone that the address or the form names, or on the only
// one there is.
func (p *Phones) showLogin(w http.ResponseWriter, r *http.Request, done bool, problem error) {
	data := loginData{At: r.FormValue("at"), Phones: p.List(), Phone: r.FormValue("phone"), Done: done}
	if data.Phone == "" && len(data.Phones) == 1 {
		data.Phone = data.Phones[0].ID
	}
	if party, _, err := p.party(data.At); err == nil {
		data.Seen = party.Origin()
	} else if problem == nil {
		problem = err
	}
	var h *handset.Handset
	if o, err := p.find(data.Phone); err == nil {
		h = o.handset
		m, err := p.mineOf(r, o)
		if err != nil && problem == nil {
			problem = err
		}
		if data.mine = m; m.ScreenLock {
			data.Gestures = gesturesOf(m.View)
		}
	} else if data.Phone != "" {
		data.Phone, problem = "", err
	}
	p.show(w, r, loginScreen, h, look{Title: "login.approve.title"}, data, problem)
}

// answerByForm has the chosen phone answer the question at the address.
func (p *Phones) answerByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	unlock := Unlock{PIN: r.FormValue("pin")}
	if unlock.PIN == "" { // what is typed goes before what is shown
		unlock.Method, unlock.Shown = gesture(r)
	}
	err := p.answer(r.Context(), r.FormValue("phone"), r.FormValue("at"), unlock)
	p.showLogin(w, r, err == nil, err)
}

func (p *Phones) answer(ctx context.Context, id, at string, unlock Unlock) error {
	party, path, err := p.party(at)
	if err != nil {
		return err
	}
	var q asked
	if err := party.Get(ctx, path, &q); err != nil {
		return err
	}
	answer, err := p.Login(ctx, id, Login{Question: q.Question, Seen: party.Origin(), Unlock: unlock})
	if err != nil {
		return err
	}
	return party.Post(ctx, q.Answer, answer, nil)
}

// nowhere answers an address that there is not with the phones there are, and one that only has
// a stroke too much with the right one.
func (p *Phones) nowhere(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		doorway.Refuse(w, warifu.NotFound("page-unknown"))
		return
	}
	if at := strings.TrimRight(r.URL.Path, "/"); at != r.URL.Path && strings.HasPrefix(at, "/phones/") {
		http.Redirect(w, r, at, http.StatusMovedPermanently)
		return
	}
	p.chooser(w, r, warifu.NotFound("page-unknown"))
}

func (p *Phones) loginRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { p.showLogin(w, r, false, nil) })
	mux.HandleFunc("POST /login", p.answerByForm)
	mux.HandleFunc("GET /", p.nowhere)
}
