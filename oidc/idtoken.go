package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"warifu/store"
)

// idClaims are the claims of an ID token: OpenID Connect Core §2, and what kind of credential
// it was. Attributes are told at the userinfo endpoint alone.
type idClaims struct {
	Issuer     string   `json:"iss"`
	Subject    string   `json:"sub"`
	Audience   string   `json:"aud"`
	Authorized string   `json:"azp"`
	Expires    int64    `json:"exp"`
	IssuedAt   int64    `json:"iat"`
	AuthTime   int64    `json:"auth_time"`
	Nonce      string   `json:"nonce,omitempty"`
	ACR        string   `json:"acr"`
	AMR        []string `json:"amr"`
	AccessHash string   `json:"at_hash"`
	Session    string   `json:"sid"`
	Class      string   `json:"warifu_class"`
	Activation string   `json:"warifu_activation"`
}

// idToken signs the ID token of a login. One that comes of a refresh has no nonce (§12.2).
func (p *Provider) idToken(u under, t tokens, now time.Time, first bool) (string, error) {
	subject, err := p.mac.subject(u.client.sector(), u.row.Person)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256([]byte(t.Access))
	issued := p.Outside.Now()
	ahead := issued.Sub(now)
	c := idClaims{
		Issuer: p.issuer, Subject: subject, Audience: u.client.ID, Authorized: u.client.ID,
		Expires: issued.Add(AccessLife).Unix(), IssuedAt: issued.Unix(), AuthTime: u.row.ApprovedAt.Add(ahead).Unix(),
		AccessHash: base64.RawURLEncoding.EncodeToString(hash[:len(hash)/2]), Session: t.Session,
		Class: u.row.Class, Activation: u.row.Activation,
	}
	c.ACR, c.AMR = contextOf(u.row.Class, u.row.Activation)
	if first {
		c.Nonce = u.Nonce
	}
	return p.keys.Load().current(now).seal(c)
}

// contextOf is the authentication context class, in the words of デジタル認証アプリ, and the
// methods (RFC 8176). The chip checks a PIN or a password itself; the screen lock opens a
// wrapped PIN outside of it, and counts as a level less.
func contextOf(class, activation string) (acr string, amr []string) {
	switch {
	case class == ClassCard:
		return acrAAL3, []string{"sc", "hwk", "pin", "mfa"}
	case activation == ActivationScreenLock:
		return acrAAL2, []string{"hwk", "user", "mfa"}
	case activation == ActivationPassword:
		return acrAAL3, []string{"hwk", "pwd", "mfa"}
	}
	return acrAAL3, []string{"hwk", "pin", "mfa"}
}

// session names a login to its client, and to no other.
func (p *Provider) session(id store.LoginID) (string, error) {
	b, err := p.mac.of(labelSession, id[:])
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b[:16]), nil
}
