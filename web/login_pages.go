package web

import (
	"context"
	"html/template"
	"net/http"
	"net/url"

	"warifu"
	"warifu/face"
	"warifu/oidc"
	"warifu/text"
)

// loginPageView is the page of a browser that waits for its phone.
type loginPageView struct {
	oidc.View
	Lang        text.Lang
	Same, Other string // the links
	// App and Reader are where the same device's app and a card's reader take the link. Both are
	// of the operator's configuration, which may name a scheme of its own.
	App, Reader template.URL
	Stand       template.URL // where a sandbox's phones take the QR code's link; empty outside one
	QR          QR
}

// Name is what people call who asks.
func (v loginPageView) Name() string {
	if v.Lang == text.English {
		return v.Client.Name.English
	}
	return v.Client.Name.Japanese
}

// Key is the sentence of how far the login is.
func (v loginPageView) Key() string { return "login.page." + string(v.State) }

// ByPhone and ByCard say which the relying party takes.
func (v loginPageView) ByPhone() bool { return v.Demands != oidc.ClassCard }

// ByCard is the other.
func (v loginPageView) ByCard() bool { return v.Demands != oidc.ClassPhone }

// Waiting reports whether there is something to do yet.
func (v loginPageView) Waiting() bool { return v.State == oidc.Waiting }

// refresh is how often a browser without script asks again, in seconds.
func (v loginPageView) refresh() int {
	if v.Waiting() {
		return 4
	}
	return 0
}

// BackWithError reports whether going back tells the relying party that nothing came of it.
func (v loginPageView) BackWithError() bool {
	return v.State == oidc.Expired || v.State == oidc.Cancelled || v.State == oidc.Refused
}

// loginPage shows what is asked and the ways to answer. A login that was answered goes on by
// itself: back to the relying party, with a code or with access_denied.
func (s *site) loginPage(w http.ResponseWriter, r *http.Request) {
	id, cookie, err := s.login(r)
	if err != nil {
		s.refuseLogin(w, r, "login-page", err)
		return
	}
	v, err := s.Login.Browser.View(r.Context(), id, cookie)
	if err != nil {
		s.refuseLogin(w, r, "login-page", err)
		return
	}
	if goesOn(v) {
		http.Redirect(w, r, "/login/"+id+"/done", http.StatusSeeOther)
		return
	}
	r = s.speaking(w, r, v.Languages)
	page := loginPageView{View: v, Lang: languageOf(r.Context()), Same: s.sameDevice(id), Other: s.otherDevice(id)}
	name, title, status := "login-over", "login.over.title", http.StatusOK
	if v.State == oidc.Expired {
		status = http.StatusGone
	}
	if page.Waiting() {
		name, title = "login", "login.page.title"
		page.App = template.URL(handedTo(s.Login.App, page.Same))
		if s.Login.Sandbox && s.Login.App != "" {
			page.Stand = template.URL(handedTo(s.Login.App, page.Other))
		}
		if s.Login.Reader != "" {
			page.Reader = template.URL(handedTo(s.Login.Reader, page.Same))
		}
		if page.QR, err = NewQR(page.Other); err != nil {
			s.refuseLogin(w, r, "login-page", err)
			return
		}
		allowForms(w.Header(), v.Client.Origin)
	}
	s.show(w, r, status, name, face.Page{Lang: page.Lang, Title: title, Data: page, Refresh: page.refresh()})
}

// goesOn reports whether the browser has nothing more to do here: an approval on this device
// goes on where the app opens the browser, and what ended in the browser is told there.
func goesOn(v oidc.View) bool {
	return v.State == oidc.Approved && v.Way != oidc.WayApp || v.State == oidc.Refused
}

// speaking is the request in the language that the relying party asked for (ui_locales),
// where the person has not chosen one here.
func (s *site) speaking(w http.ResponseWriter, r *http.Request, wished []string) *http.Request {
	if _, chosen := face.Chosen(r); chosen {
		return r
	}
	for _, tag := range wished {
		if lang, ok := text.Parse(primary(tag)); ok {
			w.Header().Set("Content-Language", string(lang))
			return r.WithContext(context.WithValue(r.Context(), languageKey{}, lang))
		}
	}
	return r
}

// primary is the language of a tag such as en-GB (RFC 5646 §2.1).
func primary(tag string) string {
	for i := range len(tag) {
		if tag[i] == '-' {
			return tag[:i]
		}
	}
	return tag
}

// allowForms lets the page's form lead back to the relying party: browsers hold what a form is
// answered with, redirections too, against form-action.
func allowForms(h http.Header, origin string) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.Scheme+"://"+u.Host != origin {
		return
	}
	h.Set("Content-Security-Policy", policyWithForms("'self' "+origin))
}

// finishLogin sends the browser back to the relying party.
func (s *site) finishLogin(w http.ResponseWriter, r *http.Request) {
	id, cookie, err := s.login(r)
	if err == nil {
		var back string
		if back, err = s.Login.Browser.Finish(r.Context(), id, cookie, r.URL.Query().Get("return")); err == nil {
			seeOther(w, back)
			return
		}
	}
	if p := warifu.ProblemOf(err).Problem; p == "login-waiting" || p == "login-finished" {
		http.Redirect(w, r, "/login/"+id, http.StatusSeeOther) // the page says how far it is
		return
	}
	s.refuseLogin(w, r, "login-finish", err)
}

// cancelLogin ends a login in its browser.
func (s *site) cancelLogin(w http.ResponseWriter, r *http.Request) {
	id, cookie, err := s.login(r)
	if err == nil {
		var back string
		if back, err = s.Login.Browser.Cancel(r.Context(), id, cookie); err == nil {
			seeOther(w, back)
			return
		}
	}
	s.refuseLogin(w, r, "login-cancel", err)
}

// seeOther sends a browser to an address exactly as it was registered: net/http would put
// what it thinks is a path in order.
func seeOther(w http.ResponseWriter, address string) {
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusSeeOther)
}

// scannedLogin is what a person sees whose camera opened a QR code's link in a browser and not
// in the app. It tells nothing of the login: whoever has the link may not have begun it.
func (s *site) scannedLogin(w http.ResponseWriter, r *http.Request) {
	s.handLogin(w, r, s.otherDevice)
}

// openLogin is the link of the same device, where no app took it.
func (s *site) openLogin(w http.ResponseWriter, r *http.Request) {
	s.handLogin(w, r, s.sameDevice)
}

func (s *site) handLogin(w http.ResponseWriter, r *http.Request, link func(string) string) {
	id := r.PathValue("login")
	if !loginID.MatchString(id) {
		s.refuseLogin(w, r, "login-link", warifu.NotFound("login-unknown"))
		return
	}
	v := struct {
		Link string
		App  template.URL
	}{Link: link(id)}
	if s.Login.App != "" {
		v.App = template.URL(handedTo(s.Login.App, v.Link))
	}
	s.page(w, r, http.StatusOK, "login-open", "login.open.title", v)
}
