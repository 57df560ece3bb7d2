package oidc

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net/url"
	"time"

	"warifu"
	"warifu/ledger"
	"warifu/store"
)

// OwnClient is the house itself as a relying party: where holders sign in to see what is
// theirs. It has no keys, so that nobody redeems a code of its at the token endpoint; it may
// ask for no attribute.
const OwnClient = "warifu"

// OwnPath is where its logins come back to, below the origin.
const OwnPath = "/mine/back"

// OwnLife is how long a holder stays signed in at the house: long enough to read, short
// enough for a computer that others use too.
const OwnLife = 15 * time.Minute

const labelOwn = "warifu-login-own-v1"

// withOwn knows the house itself beside everybody else.
type withOwn struct {
	Clients
	own Client
}

// Client implements Clients.
func (w withOwn) Client(ctx context.Context, id string) (Client, error) {
	if id == OwnClient {
		return w.own, nil
	}
	return w.Clients.Client(ctx, id)
}

func ownClient(origin string) Client {
	return Client{
		ID: OwnClient, Name: ledger.Name{Japanese: "割符（ご本人のページ）", English: "Warifu (your own pages)"},
		RedirectURIs: []string{origin + OwnPath},
	}
}

// Own is a holder who is signed in at the house.
type Own struct {
	Person            warifu.Digest
	Class, Activation string
	At, Ends          time.Time // signed in at, until
}

// OwnAddress is where a browser begins to sign in at the house. challenge is PKCE's (S256), lang
// the page's language.
func (p *Provider) OwnAddress(state, challenge, lang string) string {
	return p.Origin + realm + pathAuthorize + "?" + url.Values{
		"client_id": {OwnClient}, "redirect_uri": {p.Origin + OwnPath}, "response_type": {"code"}, "scope": {ScopeOpenID}, "state": {state},
		"nonce": {state}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}, "ui_locales": {lang},
	}.Encode()
}

// EnterOwn takes the code that the browser came back with, and returns the session for its
// cookie. Errors as those of the token endpoint: "oidc-code-invalid", "oidc-credential-ended".
func (p *Provider) EnterOwn(ctx context.Context, code, verifier string) (session string, err error) {
	c := ownClient(p.Origin)
	b, ours, err := p.mac.open(labelCode, code, len(store.LoginID{}), c.ID)
	if err != nil {
		return "", err
	}
	if !ours {
		return "", problemOf(errCode)
	}
	// There is no assertion of a client's to spend: the mark stands for this exchange alone.
	var once warifu.Digest
	_, _ = rand.Read(once[:]) // never fails (crypto/rand)
	now := p.Clock.Now()
	by := proof{mark: once, expires: now.Add(CodeLife)}
	said := form{values: url.Values{"redirect_uri": {p.Origin + OwnPath}, "code_verifier": {verifier}}}
	u, err := p.change(ctx, under{client: c, row: store.Login{ID: store.LoginID(b)}}, by, errCode, func(tx *store.Tx, u *under) (refused, err error) {
		return p.redeem(ctx, tx, u, said, now)
	})
	if err != nil {
		return "", problemOf(err)
	}
	body := binary.BigEndian.AppendUint32(u.row.ID[:len(u.row.ID):len(u.row.ID)], uint32(now.Add(OwnLife).Unix()))
	return p.mac.ticket(labelOwn, body, OwnClient)
}

// Own tells who a session's holder is. Unauthenticated "own-session-over" where it has
// ended, was left, or the credential that opened it is no longer good.
func (p *Provider) Own(ctx context.Context, session string) (Own, error) {
	over := warifu.Unauthenticated("own-session-over")
	b, ours, err := p.mac.open(labelOwn, session, accessLength, OwnClient)
	if err != nil {
		return Own{}, err
	}
	if !ours || !p.Clock.Now().Before(endOf(b[len(store.LoginID{}):])) {
		return Own{}, over
	}
	u, good := under{}, false
	err = p.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if u.row, err = tx.Login(store.LoginID(b[:len(store.LoginID{})])); err != nil || u.row.State != store.LoginRedeemed {
			return err
		}
		good, err = u.standing(tx)
		good = good || u.row.Class == ClassCard // it was good when it opened the session, minutes ago
		return err
	})
	if problemOf(err).IsCode(warifu.CodeNotFound) || err == nil && !good {
		return Own{}, over
	}
	return Own{Person: u.row.Person, Class: u.row.Class, Activation: u.row.Activation, At: u.row.ApprovedAt, Ends: endOf(b[len(store.LoginID{}):])}, err
}

// LeaveOwn ends a session; one that is over already is no error.
func (p *Provider) LeaveOwn(ctx context.Context, session string) error {
	b, ours, err := p.mac.open(labelOwn, session, accessLength, OwnClient)
	if err != nil || !ours {
		return err
	}
	return p.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.EndLogin(store.LoginID(b[:len(store.LoginID{})]))
		return err
	})
}
