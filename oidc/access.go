package oidc

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"time"

	"warifu"
	"warifu/store"
	"warifu/verify"
)

// Access is what an access token opens.
type Access struct {
	Client Client
	Scopes []string // granted
	// Login is the login that the token came of, Person who logged in and SignTransaction what
	// was signed with it. Empty of a token that a client got for itself (client_credentials).
	Login           string
	Person          warifu.Digest
	SignTransaction string
}

func errToken() error { return warifu.Unauthenticated("access-token-invalid") }

// Access tells what a bearer token opens now (RFC 6750). Unauthenticated "access-token-invalid"
// for one that is not ours, has expired or was revoked, or whose credential is no longer good.
func (p *Provider) Access(ctx context.Context, token string) (Access, error) {
	u, err := p.bearer(ctx, token)
	if err != nil {
		return Access{}, err
	}
	if u.name == "" {
		return Access{Client: u.client, Scopes: []string{ScopeSign}}, nil
	}
	return Access{Client: u.client, Scopes: u.granted(), Login: u.name, Person: u.row.Person, SignTransaction: u.Sign}, nil
}

// bearer finds the login behind an access token; of a client's own token, the client alone.
func (p *Provider) bearer(ctx context.Context, token string) (under, error) {
	b, ours, err := p.mac.open(labelAccess, token, accessLength, "")
	if err != nil {
		return under{}, err
	}
	if !ours {
		c, _, err := p.clientBearer(ctx, token)
		return under{client: c}, err
	}
	if !p.Clock.Now().Before(endOf(b[len(store.LoginID{}):])) {
		return under{}, errToken()
	}
	u := under{}
	good := false
	err = p.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if u.row, err = tx.Login(store.LoginID(b[:len(store.LoginID{})])); err != nil || u.row.State != store.LoginRedeemed {
			return err
		}
		good, err = u.standing(tx)
		good = good || u.row.Class == ClassCard // for so short a time the bureau is not asked
		return err
	})
	if err == nil && good {
		u.name = nameOf(u.row.ID)
		err = p.complete(ctx, &u)
	}
	if problemOf(err).IsCode(warifu.CodeNotFound) || err == nil && !good {
		return under{}, errToken()
	}
	return u, err
}

// endOf reads when a ticket ends.
func endOf(b []byte) time.Time { return time.Unix(int64(binary.BigEndian.Uint32(b)), 0) }

// clientAccess makes a client's own access token: its end, its name, and a MAC.
func (p *Provider) clientAccess(c Client, now time.Time) (string, error) {
	body := binary.BigEndian.AppendUint32(nil, uint32(now.Add(AccessLife).Unix()))
	return p.mac.ticket(labelClient, append(body, c.ID...), "")
}

// clientBearer is whose own token it is, and when it ends.
func (p *Provider) clientBearer(ctx context.Context, token string) (Client, time.Time, error) {
	n := base64.RawURLEncoding.DecodedLen(len(token)) - macLength
	if n <= 4 || n > 4+maxClientID {
		return Client{}, time.Time{}, errToken()
	}
	b, ours, err := p.mac.open(labelClient, token, n, "")
	if err != nil {
		return Client{}, time.Time{}, err
	}
	if !ours {
		return Client{}, time.Time{}, errToken()
	}
	end := endOf(b[:4])
	if !p.Clock.Now().Before(end) {
		return Client{}, time.Time{}, errToken()
	}
	revoked := false
	err = p.Store.Read(ctx, func(tx *store.Tx) (err error) {
		revoked, err = tx.ChallengeUsed(revokedMark(token))
		return err
	})
	if err == nil && revoked {
		err = errToken()
	}
	if err != nil {
		return Client{}, time.Time{}, err
	}
	c, err := p.Clients.Client(ctx, string(b[4:]))
	if problemOf(err).IsCode(warifu.CodeNotFound) {
		err = errToken()
	}
	return c, end, err
}

// revokedMark is by what a client's own token that was revoked is remembered until its end.
func revokedMark(token string) warifu.Digest {
	return warifu.DigestOf([]byte("warifu-access-revoked-v1\x00" + token))
}

// cardGood asks whether the card's certificate that a login was approved with is still good.
// What cannot be found out is an error and never good.
func (p *Provider) cardGood(ctx context.Context, row store.Login) (bool, error) {
	var papers [][]byte
	err := p.Store.Read(ctx, func(tx *store.Tx) (err error) {
		papers, err = tx.LoginPapers(row.Papers)
		return err
	})
	if problemOf(err).IsCode(warifu.CodeNotFound) {
		return false, nil // erased
	}
	if err != nil || len(papers) == 0 {
		return false, err
	}
	c, err := x509.ParseCertificate(papers[0])
	if err != nil {
		return false, err
	}
	r, err := p.Verifier.Certificate(ctx, c, verify.Policy{Kind: row.Kind})
	if err != nil {
		return false, err
	}
	if r.Verdict == verify.Unknown {
		return false, warifu.Unavailable("status-unavailable").With(r.Err())
	}
	return r.Verdict == verify.Good, nil
}
