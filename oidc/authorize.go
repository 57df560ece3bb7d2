package oidc

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
	"warifu/store"
)

// pushedPrefix begins a request_uri of ours (RFC 9126 §2.2).
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// authorize is the authorization endpoint: it begins a login and sends the browser to the
// login's page. What is wrong with client or redirect URI it returns, for a page; what is wrong
// with the rest it tells the client at its redirect URI (RFC 6749 §4.1.2.1).
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) error {
	f, err := formOf(r)
	if err != nil {
		return err
	}
	if pushed := f.get("request_uri"); strings.HasPrefix(pushed, pushedPrefix) {
		return p.takeUp(w, r, f, pushed)
	}
	c, redirect, err := p.parties(r.Context(), f)
	if err != nil {
		return err
	}
	q, err := p.parse(r.Context(), c, redirect, f)
	if err == nil {
		err = p.begin(w, r, c, q)
	}
	if err != nil {
		state := f.get("state")
		if len(state) > maxState {
			state = ""
		}
		p.refused(r.Context(), r.URL.Path, err)
		p.sendBack(w, r, p.failure(redirect, state, refusalOf(err)))
	}
	return nil
}

// begin writes a login down that came without a pushed request.
func (p *Provider) begin(w http.ResponseWriter, r *http.Request, c Client, q request) error {
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	now := p.Clock.Now()
	cookie, browser := newCookie()
	l := store.Login{ID: newLoginID(), Client: c.ID, Request: body, Browser: browser, At: now, Expires: now.Add(LoginLife)}
	if err := p.crowd.enter(l.ID, c.ID, false, l.Expires); err != nil {
		return err
	}
	err = p.Store.Write(r.Context(), func(tx *store.Tx) error {
		if err := tx.InsertLogin(l); err != nil {
			return err
		}
		return p.bind(tx, c, q, l.ID)
	})
	if err != nil {
		p.crowd.leave(l.ID)
		return err
	}
	l.State = store.LoginWaiting
	p.recent.put(l, q)
	p.welcome(w, r, l.ID, cookie)
	return nil
}

// takeUp begins the login of a pushed request. Parameters beside it are not looked at, but for
// the client's name, which has to be that of who pushed (RFC 9126 §4). Nothing is sent to any
// redirect URI before the request is known: errors are for a page.
func (p *Provider) takeUp(w http.ResponseWriter, r *http.Request, f form, pushed string) error {
	unknown := refuse(invalidRequestURI, warifu.Invalid("oidc-request-uri-unknown"))
	c, err := p.party(r.Context(), f)
	if err != nil {
		return err
	}
	b, ours, err := p.mac.open(labelPushed, strings.TrimPrefix(pushed, pushedPrefix), len(store.LoginID{}), c.ID)
	if err != nil {
		return err
	}
	if !ours {
		return unknown
	}
	id := store.LoginID(b)
	cookie, browser := newCookie()
	now := p.Clock.Now()
	u := under{client: c}
	err = p.Store.Write(r.Context(), func(tx *store.Tx) (err error) {
		if u.row, err = tx.Login(id); err == nil {
			err = p.complete(r.Context(), &u)
		}
		if err != nil {
			return err
		}
		begun, err := tx.BeginLogin(id, browser, now, now.Add(LoginLife))
		if err == nil && !begun {
			err = unknown
		}
		if err != nil {
			return err
		}
		return p.bind(tx, c, u.request, id)
	})
	if problemOf(err).IsCode(warifu.CodeNotFound) && u.Redirect == "" {
		return unknown
	}
	if err != nil && !errors.Is(err, unknown) && u.Redirect != "" {
		p.refused(r.Context(), r.URL.Path, err)
		p.sendBack(w, r, p.failure(u.Redirect, u.State, refusalOf(err)))
		return nil
	}
	if err != nil {
		return err
	}
	p.crowd.stay(id, now.Add(LoginLife))
	p.welcome(w, r, id, cookie)
	return nil
}

// bind ties what is to be signed to a login that begins.
func (p *Provider) bind(tx *store.Tx, c Client, q request, id store.LoginID) error {
	if q.Sign == "" {
		return nil
	}
	return p.Signing.Bind(tx, c, q.Sign, nameOf(id))
}

// welcome ties the login to the browser and sends it to the login's page.
func (p *Provider) welcome(w http.ResponseWriter, r *http.Request, id store.LoginID, cookie string) {
	p.Counted("begun")
	page := "/login/" + nameOf(id)
	http.SetCookie(w, &http.Cookie{
		Name: p.CookieName(), Value: cookie, Path: page, MaxAge: int((LoginLife + ReturnLife) / time.Second),
		HttpOnly: true, Secure: strings.HasPrefix(p.Origin, "https:"), SameSite: http.SameSiteLaxMode,
	})
	p.sendBack(w, r, p.Origin+page)
}

// sendBack redirects with 303, so that a browser that posted does not post again (RFC 9700
// §4.12), and lets nothing be kept.
func (p *Provider) sendBack(w http.ResponseWriter, _ *http.Request, address string) {
	h := w.Header()
	h.Set("Location", address)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

// failure is a redirect URI with an error (RFC 6749 §4.1.2.1, RFC 9207 §2).
func (p *Provider) failure(redirect, state string, r *refusal) string {
	return p.answerAt(redirect, state, [2]string{"error", r.code}, [2]string{"error_description", describe(r.problem)})
}

// answerAt adds an authorization response to a redirect URI, which may have a query of its own.
func (p *Provider) answerAt(redirect, state string, parameters ...[2]string) string {
	var b strings.Builder
	b.WriteString(redirect)
	separator := byte('?')
	if strings.Contains(redirect, "?") {
		separator = '&'
	}
	if state != "" {
		parameters = append(parameters, [2]string{"state", state})
	}
	for _, kv := range append(parameters, [2]string{"iss", p.issuer}) {
		b.WriteByte(separator)
		b.WriteString(kv[0])
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(kv[1]))
		separator = '&'
	}
	return b.String()
}

// CookieName is the cookie that ties a login to its browser, with the port in it, since
// browsers keep cookies by host alone. Its path is /login/{login}: each login has its own, so
// that two tabs do not disturb each other.
func (p *Provider) CookieName() string {
	prefix, port := "", ""
	u, err := url.Parse(p.Origin)
	if err == nil {
		port = u.Port()
	}
	if strings.HasPrefix(p.Origin, "https:") {
		prefix = "__Secure-"
	}
	if port != "" {
		port = "-" + port
	}
	return prefix + "warifu-login" + port
}

// newCookie draws a cookie and what is kept of it.
func newCookie() (value string, kept warifu.Digest) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	value = base64.RawURLEncoding.EncodeToString(b)
	return value, warifu.DigestOf([]byte(value))
}

func newLoginID() (id store.LoginID) {
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	return id
}

// push takes a request from the client itself (RFC 9126 §2): the browser then brings only its name.
func (p *Provider) push(w http.ResponseWriter, r *http.Request) error {
	f, err := bodyOf(r)
	if err != nil {
		return err
	}
	c, proof, err := p.authenticate(r.Context(), f)
	if err != nil {
		return err
	}
	l, err := p.pushed(r.Context(), c, f)
	if err != nil {
		return p.spend(r.Context(), proof, err)
	}
	uri, err := p.mac.ticket(labelPushed, l.ID[:], c.ID)
	if err != nil {
		return err
	}
	if err := p.crowd.enter(l.ID, c.ID, true, l.Expires); err != nil {
		return err
	}
	err = p.Store.Write(r.Context(), func(tx *store.Tx) error {
		if err := proof.use(tx); err != nil {
			return err
		}
		return tx.InsertLogin(l)
	})
	if err != nil {
		p.crowd.leave(l.ID)
		return err
	}
	writeJSON(w, http.StatusCreated, struct {
		URI     string `json:"request_uri"`
		Expires int    `json:"expires_in"`
	}{pushedPrefix + uri, int(PushedLife / time.Second)})
	return nil
}

// pushed is the row of a pushed request.
func (p *Provider) pushed(ctx context.Context, c Client, f form) (store.Login, error) {
	if f.get("request_uri") != "" {
		return store.Login{}, malformed("request_uri") // RFC 9126 §2.1
	}
	redirect := f.get("redirect_uri")
	if !c.redirects(redirect) {
		return store.Login{}, refuse(invalidRequest, warifu.Refused("redirect-unknown", "client", c.ID))
	}
	q, err := p.parse(ctx, c, redirect, f)
	if err != nil {
		return store.Login{}, err
	}
	body, err := json.Marshal(q)
	now := p.Clock.Now()
	return store.Login{ID: newLoginID(), Client: c.ID, Request: body, At: now, Expires: now.Add(PushedLife)}, err
}
