package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"strings"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// under is a login under way: its row, what was asked, and by whom.
type under struct {
	row    store.Login
	name   string
	client Client
	request
	cached bool  // from memory: another server may have gone on
	card   *bool // of a login with a card: whether its certificate is still good; nil: nobody has asked yet
}

func (u under) view() ClientView {
	return ClientView{ID: u.client.ID, Name: u.client.Name, Origin: originOf(u.Redirect)}
}

// state is how far it is at an instant.
func (u under) state(now time.Time) State {
	switch u.row.State {
	case store.LoginWaiting, store.LoginApproved:
		if !now.Before(u.row.Expires) {
			return Expired
		}
		return State(u.row.State)
	case store.LoginRefused, store.LoginCancelled:
		return State(u.row.State)
	}
	return Finished
}

// find reads a login. A client that was taken away meanwhile has none.
func (p *Provider) find(ctx context.Context, login string) (under, error) {
	id, err := idOf(login)
	if err != nil {
		return under{}, err
	}
	u := under{name: login}
	err = p.Store.Read(ctx, func(tx *store.Tx) (err error) {
		u.row, err = tx.Login(id)
		return err
	})
	if err == nil && u.row.State == store.LoginPushed {
		err = warifu.NotFound("login-unknown")
	}
	if err == nil {
		err = p.complete(ctx, &u)
	}
	return u, err
}

// known is find from memory, for a step that holds only while the login is in that state: the
// step itself finds out whether it still is.
func (p *Provider) known(ctx context.Context, login, state string) (under, error) {
	id, err := idOf(login)
	if err != nil {
		return under{}, err
	}
	m, is := p.recent.in(id, state)
	if !is {
		return p.find(ctx, login)
	}
	u := under{name: login, row: m.row, request: m.request, cached: true}
	return u, p.complete(ctx, &u)
}

// complete adds what the row does not say itself.
func (p *Provider) complete(ctx context.Context, u *under) (err error) {
	if u.client, err = p.Clients.Client(ctx, u.row.Client); err != nil {
		if problemOf(err).IsCode(warifu.CodeNotFound) {
			err = warifu.NotFound("login-unknown").With(err)
		}
		return err
	}
	if u.cached {
		return nil
	}
	return json.Unmarshal(u.row.Request, &u.request)
}

// waits is find for what only one that waits allows; Conflict "login-over".
func (p *Provider) waits(ctx context.Context, login string) (under, error) {
	u, err := p.find(ctx, login)
	if err == nil {
		err = over(u.state(p.Clock.Now()))
	}
	return u, err
}

func over(s State) error {
	if s == Waiting {
		return nil
	}
	return warifu.Conflict("login-over", "state", string(s))
}

// Question tells whoever has a login's identifier what is asked; way is WayApp or WayQR.
// Errors: NotFound "login-unknown", Conflict "login-over" with parameter "state", Invalid
// "login-answer-malformed" for another way.
func (p *Provider) Question(ctx context.Context, login, way string) (Question, error) {
	if way != WayApp && way != WayQR {
		return Question{}, warifu.Invalid("login-answer-malformed", "what", "way")
	}
	u, err := p.waits(ctx, login)
	if err != nil {
		return Question{}, err
	}
	q := Question{
		Login: login, Client: u.view(), Scopes: u.Scopes, Attributes: u.attributes(), Demands: u.Demands, Expires: u.row.Expires.UTC(), Way: way,
	}
	if q.Sign, err = p.signView(ctx, u); err != nil {
		return Question{}, err
	}
	if q.Salt, err = p.mac.of(labelSalt, u.row.ID[:]); err != nil {
		return Question{}, err
	}
	q.Presence = u.presence(q.Salt, q.Sign, q.Attributes)
	if way == WayQR {
		q.Numbers, _, err = p.mac.numbers(u.row.ID)
	}
	return q, err
}

// presence is what is signed by who agrees to some attributes.
func (u under) presence(salt []byte, sign *SignView, agreed []string) attest.Presence {
	v := u.view()
	c := attest.Consent{Client: v.ID, Origin: v.Origin, Login: u.name, Attributes: agreed}
	if sign != nil {
		c.Sign = sign.Digest
	}
	return attest.Presence{
		Purpose: attest.PurposeLogin, ClientID: v.ID, Origin: v.Origin, Nonce: c.Nonce(salt), Transaction: u.name, Time: u.row.At.Truncate(time.Second).UTC(),
	}
}

func (p *Provider) signView(ctx context.Context, u under) (*SignView, error) {
	if u.Sign == "" {
		return nil, nil
	}
	v, err := p.Signing.View(ctx, u.client, u.Sign)
	return &v, err
}

// Document returns the octets that are to be signed with a login. Errors as Question, NotFound
// "login-signs-nothing".
func (p *Provider) Document(ctx context.Context, login string) ([]byte, error) {
	u, err := p.waits(ctx, login)
	if err != nil {
		return nil, err
	}
	if u.Sign == "" {
		return nil, warifu.NotFound("login-signs-nothing")
	}
	return p.Signing.Document(ctx, u.client, u.Sign)
}

// Decline ends a login: the browser goes back with access_denied. It needs no proof: who has
// the link can keep its browser from going on, and do nothing else. Errors as Question.
func (p *Provider) Decline(ctx context.Context, login string) error {
	u, err := p.waits(ctx, login)
	if err != nil {
		return err
	}
	return p.end(ctx, u, store.LoginRefused, nil)
}

// end ends a login that waits; also is done in the same transaction.
func (p *Provider) end(ctx context.Context, u under, state string, also func(*store.Tx) error) error {
	now := p.Clock.Now()
	p.recent.drop(u.row.ID)
	err := p.Store.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.EndWaitingLogin(u.row.ID, state, now)
		if err == nil && !done {
			err = warifu.Conflict("login-over", "state", "")
		}
		if err == nil && u.Sign != "" {
			err = p.Signing.Ended(tx, u.name)
		}
		if err == nil && also != nil {
			err = also(tx)
		}
		return err
	})
	if err == nil {
		p.moved(u.row.ID, state)
	}
	return err
}

// moved tells who waits and who counts.
func (p *Provider) moved(id store.LoginID, what string) {
	p.crowd.leave(id)
	p.waiting.wake(id)
	p.Counted(what)
}

// seen is find for the browser that began the login; Refused "login-cookie-wrong".
func (p *Provider) seen(ctx context.Context, login, cookie string) (under, error) {
	u, err := p.find(ctx, login)
	return u, u.heldBy(cookie, err)
}

// heldBy compares the cookie, unless there is an error already.
func (u under) heldBy(cookie string, err error) error {
	if err != nil {
		return err
	}
	kept := warifu.DigestOf([]byte(cookie))
	if subtle.ConstantTimeCompare(kept[:], u.row.Browser[:]) != 1 {
		return warifu.Refused("login-cookie-wrong")
	}
	return nil
}

// View shows a login to the browser that began it: cookie is the value of CookieName.
// Errors: NotFound "login-unknown", Refused "login-cookie-wrong".
func (p *Provider) View(ctx context.Context, login, cookie string) (View, error) {
	u, err := p.seen(ctx, login, cookie)
	if err != nil {
		return View{}, err
	}
	v := View{
		Login: login, Client: u.view(), State: u.state(p.Clock.Now()), Way: u.row.Way, Attributes: u.attributes(), Demands: u.Demands,
		Languages: u.Languages, Expires: u.row.Expires.UTC(),
	}
	if v.State != Waiting {
		return v, nil
	}
	if v.Sign, err = p.signView(ctx, u); err != nil {
		return View{}, err
	}
	_, v.Number, err = p.mac.numbers(u.row.ID)
	return v, err
}

// Finish returns where the browser goes back to: with a code when the login is Approved, with
// access_denied when it ended otherwise. It gives a code once. returnToken is the parameter
// "return" of Answered.Return; "" where the browser goes on by itself. Errors: as View;
// Conflict "login-waiting", "login-finished"; Refused "login-return-wrong" where the login was
// approved on the same device and the token is not the answer's.
func (p *Provider) Finish(ctx context.Context, login, cookie, returnToken string) (redirect string, err error) {
	u, err := p.known(ctx, login, store.LoginApproved)
	if err = u.heldBy(cookie, err); err != nil {
		return "", err
	}
	now := p.Clock.Now()
	switch u.state(now) {
	case Waiting:
		return "", warifu.Conflict("login-waiting")
	case Finished:
		return "", warifu.Conflict("login-finished")
	case Refused:
		return p.failure(u.Redirect, u.State, &refusal{accessDenied, warifu.Refused("login-declined")}), nil
	case Cancelled:
		return p.failure(u.Redirect, u.State, &refusal{accessDenied, warifu.Refused("login-cancelled")}), nil
	case Expired:
		return p.failure(u.Redirect, u.State, &refusal{accessDenied, warifu.Refused("login-expired")}), nil
	}
	if u.row.Way == WayApp {
		_, ours, err := p.mac.open(labelReturn, returnToken, len(u.row.ID), nameOf(u.row.ID))
		if err != nil {
			return "", err
		}
		if !ours {
			return "", warifu.Refused("login-return-wrong")
		}
	}
	done := false
	err = p.Store.Write(ctx, func(tx *store.Tx) (err error) {
		done, err = tx.FinishLogin(u.row.ID, now, now.Add(CodeLife))
		return err
	})
	if err == nil && !done {
		err = warifu.Conflict("login-finished")
	}
	if err != nil {
		p.recent.drop(u.row.ID)
		return "", err
	}
	u.row.State, u.row.Expires = store.LoginFinished, now.Add(CodeLife)
	p.recent.put(u.row, u.request)
	code, err := p.mac.ticket(labelCode, u.row.ID[:], u.client.ID)
	if err != nil {
		return "", err
	}
	session, err := p.session(u.row.ID)
	if err != nil {
		return "", err
	}
	return p.answerAt(u.Redirect, u.State, [2]string{"code", code}, [2]string{"session_state", session}), nil
}

// Cancel ends a login in its browser and returns where it goes back to, with access_denied.
// A page whose form leads here has to allow the client's origin in form-action: browsers hold
// the redirections of a form against it. Errors as View; Conflict "login-over".
func (p *Provider) Cancel(ctx context.Context, login, cookie string) (redirect string, err error) {
	u, err := p.seen(ctx, login, cookie)
	if err == nil {
		err = over(u.state(p.Clock.Now()))
	}
	if err == nil {
		err = p.end(ctx, u, store.LoginCancelled, nil)
	}
	if err != nil {
		return "", err
	}
	return p.failure(u.Redirect, u.State, &refusal{accessDenied, warifu.Refused("login-cancelled")}), nil
}

// returnAddress is where the browser of the same device goes on.
func (p *Provider) returnAddress(id store.LoginID) (string, error) {
	token, err := p.mac.ticket(labelReturn, id[:], nameOf(id))
	return strings.Join([]string{p.Origin, "/login/", nameOf(id), "/done?return=", token}, ""), err
}
