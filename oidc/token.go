package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/store"
)

// The grants.
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	grantClient  = "client_credentials"
)

// tokens is the answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
type tokens struct {
	Access         string `json:"access_token"`
	Type           string `json:"token_type"`
	Expires        int    `json:"expires_in"`
	Refresh        string `json:"refresh_token,omitempty"`
	RefreshExpires int    `json:"refresh_expires_in,omitempty"`
	ID             string `json:"id_token,omitempty"`
	Scope          string `json:"scope"`
	Session        string `json:"session_state,omitempty"`
}

// token is the token endpoint.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) error {
	f, err := bodyOf(r)
	if err != nil {
		return err
	}
	c, by, err := p.authenticate(r.Context(), f)
	if err != nil {
		return err
	}
	var out tokens
	switch f.get("grant_type") {
	case grantCode:
		out, err = p.exchange(r.Context(), c, by, f)
	case grantRefresh:
		out, err = p.refresh(r.Context(), c, by, f)
	case grantClient:
		out, err = p.clientToken(r.Context(), c, by, f)
	case "":
		err = p.spend(r.Context(), by, malformed("grant_type"))
	default:
		err = p.spend(r.Context(), by, refuse(unsupportedGrantType, warifu.Invalid("oidc-grant-type")))
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

var (
	errCode    = refuse(invalidGrant, warifu.Refused("oidc-code-invalid"))
	errRefresh = refuse(invalidGrant, warifu.Refused("oidc-refresh-invalid"))
	errStale   = errors.New("the row is not as it is remembered")
	errEnded   = refuse(invalidGrant, warifu.Refused("oidc-credential-ended"))
)

// exchange gives tokens for a code (RFC 6749 §4.1.3). What is wrong with the code is always
// invalid_grant. A code that comes a second time ends all that came of it (§4.1.2, §10.5).
func (p *Provider) exchange(ctx context.Context, c Client, by proof, f form) (tokens, error) {
	code := f.get("code")
	if code == "" {
		return tokens{}, p.spend(ctx, by, malformed("code"))
	}
	b, ours, err := p.mac.open(labelCode, code, len(store.LoginID{}), c.ID)
	if err != nil {
		return tokens{}, err
	}
	if !ours {
		return tokens{}, p.spend(ctx, by, errCode)
	}
	now := p.Clock.Now()
	m, cached := p.recent.in(store.LoginID(b), store.LoginFinished)
	m.row.ID = store.LoginID(b)
	u, err := p.change(ctx, under{client: c, row: m.row, request: m.request, cached: cached}, by, errCode, func(tx *store.Tx, u *under) (refused, err error) {
		return p.redeem(ctx, tx, u, f, now)
	})
	if err != nil {
		return tokens{}, err
	}
	p.Counted("redeemed")
	return p.issue(u, 1, now, true)
}

// change reads a login and changes it in one transaction, with the client's proof spent in it.
// A card's status has to be asked of its bureau, which no transaction waits for: the first
// pass finds out, the second goes on with the answer.
func (p *Provider) change(ctx context.Context, u under, by proof, unknown error, fn func(*store.Tx, *under) (refused, err error)) (under, error) {
	id := u.row.ID
	var refused error
	pass := func(tx *store.Tx) (err error) {
		refused = nil
		if !u.cached {
			u.row, err = tx.Login(id)
		}
		if problemOf(err).IsCode(warifu.CodeNotFound) {
			refused = unknown
			return by.use(tx)
		}
		if err != nil || u.row.Class == ClassCard && u.card == nil {
			return err
		}
		if err := by.use(tx); err != nil {
			return err
		}
		refused, err = fn(tx, &u)
		return err
	}
	err := p.Store.Write(ctx, pass)
	if errors.Is(err, errStale) {
		u.cached = false
		err = p.Store.Write(ctx, pass)
	}
	if err == nil && refused == nil && u.row.Class == ClassCard && u.card == nil {
		good, failed := p.cardGood(ctx, u.row)
		if failed != nil {
			return u, failed
		}
		u.card, u.cached = &good, false
		err = p.Store.Write(ctx, pass)
	}
	p.recent.drop(id)
	if err == nil {
		err = refused
	}
	return u, err
}

// redeem takes the code in the transaction: refused is why it is not, with what that writes.
func (p *Provider) redeem(ctx context.Context, tx *store.Tx, u *under, f form, now time.Time) (refused, err error) {
	if u.row.State != store.LoginFinished || !now.Before(u.row.Expires) {
		if u.cached {
			return nil, errStale
		}
		if u.row.State == store.LoginRedeemed {
			p.Counted("replayed")
			_, err = tx.EndLogin(u.row.ID)
		}
		return errCode, err
	}
	if err := p.complete(ctx, u); err != nil {
		return nil, err
	}
	if f.get("redirect_uri") != u.Redirect || !proves(f.get("code_verifier"), u.Challenge) {
		return errCode, nil
	}
	good, err := u.standing(tx)
	if err != nil {
		return nil, err
	}
	if !good {
		_, err = tx.EndLogin(u.row.ID)
		return errEnded, err
	}
	done, err := tx.RedeemLogin(u.row.ID, now, now.Add(RefreshLife))
	if err == nil && !done && u.cached {
		return nil, errStale
	}
	if err == nil && !done {
		return errCode, nil
	}
	u.row.RedeemedAt, u.row.Expires = now, now.Add(RefreshLife)
	return nil, err
}

// proves holds a verifier against its challenge (RFC 7636 §4.6).
func proves(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// standing reports whether the credential is still good: of a phone by the database that
// decides it, of a card by what its bureau said.
func (u *under) standing(tx *store.Tx) (bool, error) {
	if u.row.Class == ClassCard {
		return u.card != nil && *u.card, nil
	}
	return tx.CredentialActive(u.row.Kind, u.row.Serial)
}

// refresh gives new tokens for a refresh token, which is good once (RFC 9700 §4.14.2): the
// older coming back means that two have it, and ends them all.
func (p *Provider) refresh(ctx context.Context, c Client, by proof, f form) (tokens, error) {
	text := f.get("refresh_token")
	if text == "" {
		return tokens{}, p.spend(ctx, by, malformed("refresh_token"))
	}
	b, ours, err := p.mac.open(labelRefresh, text, refreshLength, c.ID)
	if err != nil {
		return tokens{}, err
	}
	if !ours {
		return tokens{}, p.spend(ctx, by, errRefresh)
	}
	id, generation := store.LoginID(b[:len(store.LoginID{})]), int64(binary.BigEndian.Uint32(b[len(store.LoginID{}):]))
	now := p.Clock.Now()
	u, err := p.change(ctx, under{client: c, row: store.Login{ID: id}}, by, errRefresh, func(tx *store.Tx, u *under) (refused, err error) {
		return p.rotate(ctx, tx, u, generation, f.get("scope"), now)
	})
	if err != nil {
		return tokens{}, err
	}
	p.Counted("refreshed")
	return p.issue(u, generation+1, now, false)
}

// rotate puts the next generation in the place of the one that came.
func (p *Provider) rotate(ctx context.Context, tx *store.Tx, u *under, generation int64, scope string, now time.Time) (refused, err error) {
	if u.row.State != store.LoginRedeemed || !now.Before(u.row.Expires) {
		return errRefresh, nil
	}
	if generation != u.row.Generation {
		p.Counted("replayed")
		_, err = tx.EndLogin(u.row.ID)
		return errRefresh, err
	}
	if err := p.complete(ctx, u); err != nil {
		return nil, err
	}
	if err := u.narrow(scope); err != nil {
		return err, nil
	}
	good, err := u.standing(tx)
	if err != nil {
		return nil, err
	}
	if !good {
		_, err = tx.EndLogin(u.row.ID)
		return errEnded, err
	}
	done, err := tx.RotateLogin(u.row.ID, generation, now)
	if err == nil && !done {
		return errRefresh, nil
	}
	return nil, err
}

// narrow checks that a refresh asks for no more than was granted (RFC 6749 §6). What is
// granted stays as it is: to ask for less changes nothing.
func (u *under) narrow(scope string) error {
	for _, s := range strings.Fields(scope) {
		if !slices.Contains(u.granted(), s) {
			return refuse(invalidScope, warifu.Refused("oidc-scope-not-yours", "scope", "?"))
		}
	}
	return nil
}

// granted are the scopes that were asked for without the attributes that the person left out.
func (u *under) granted() []string {
	agreed := strings.Split(u.row.Agreed, ",")
	return slices.DeleteFunc(slices.Clone(u.Scopes), func(s string) bool {
		return slices.Contains(attributeScopes, s) && !slices.Contains(agreed, s)
	})
}

// issue makes the tokens of a login.
func (p *Provider) issue(u under, generation int64, now time.Time, first bool) (out tokens, err error) {
	out = tokens{Type: "Bearer", Expires: int(AccessLife / time.Second), RefreshExpires: int(u.row.Expires.Sub(now) / time.Second), Scope: strings.Join(u.granted(), " ")}
	body := binary.BigEndian.AppendUint32(slices.Clone(u.row.ID[:]), uint32(now.Add(AccessLife).Unix()))
	if out.Access, err = p.mac.ticket(labelAccess, body, ""); err != nil {
		return out, err
	}
	body = binary.BigEndian.AppendUint32(slices.Clone(u.row.ID[:]), uint32(generation))
	if out.Refresh, err = p.mac.ticket(labelRefresh, body, u.client.ID); err != nil {
		return out, err
	}
	if out.Session, err = p.session(u.row.ID); err != nil {
		return out, err
	}
	out.ID, err = p.idToken(u, out, now, first)
	return out, err
}

const (
	accessLength  = len(store.LoginID{}) + 4 // and its end, seconds since 1970
	refreshLength = len(store.LoginID{}) + 4 // and its generation
)

// clientToken gives a client a token for itself (RFC 6749 §4.4): to hand in what is to be signed.
func (p *Provider) clientToken(ctx context.Context, c Client, by proof, f form) (tokens, error) {
	if p.Signing == nil || !c.may(ScopeSign) {
		return tokens{}, p.spend(ctx, by, refuse(unauthorizedClient, warifu.Refused("oidc-scope-not-yours", "scope", ScopeSign)))
	}
	for _, s := range strings.Fields(f.get("scope")) {
		if s != ScopeSign {
			return tokens{}, p.spend(ctx, by, refuse(invalidScope, warifu.Refused("oidc-scope-not-yours", "scope", "?")))
		}
	}
	now := p.Clock.Now()
	access, err := p.clientAccess(c, now)
	if err != nil {
		return tokens{}, err
	}
	if err := p.Store.Write(ctx, by.use); err != nil {
		return tokens{}, err
	}
	return tokens{Access: access, Type: "Bearer", Expires: int(AccessLife / time.Second), Scope: ScopeSign}, nil
}
