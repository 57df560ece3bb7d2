package oidc

import (
	"context"
	"net/http"
	"strings"

	"warifu"
	"warifu/ledger"
	"warifu/store"
)

// userinfo tells who logged in and the attributes that the person agreed to (OpenID Connect
// Core §5.3).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) error {
	token, err := bearerOf(r)
	if err != nil {
		return p.challenge(w, err)
	}
	u, err := p.bearer(r.Context(), token)
	if err == nil && u.name == "" {
		err = refuse(insufficientScope, warifu.Refused("oidc-scope-openid"))
	}
	if err != nil {
		return p.challenge(w, err)
	}
	out, err := p.told(r.Context(), u)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// userClaims are what the endpoint answers.
type userClaims struct {
	Subject string `json:"sub"`
	claims
}

// told gathers the claims. That attributes were told stands in the holder's ledger: once for
// each that was not told with this login before.
func (p *Provider) told(ctx context.Context, u under) (out userClaims, err error) {
	if out.Subject, err = p.mac.subject(u.client.sector(), u.row.Person); err != nil || u.row.Agreed == "" {
		return out, err
	}
	attributes, err := p.attributesOf(ctx, u.row)
	if err != nil {
		return out, err
	}
	var told []string
	out.claims, told = tell(u.client, strings.Split(u.row.Agreed, ","), attributes)
	names := strings.Join(told, ",")
	if names == "" || names == u.row.Told {
		return out, nil
	}
	err = p.Store.Write(ctx, func(tx *store.Tx) error {
		now, err := tx.Login(u.row.ID)
		if err != nil || now.Told == names {
			return err
		}
		if err := tx.SetLoginTold(u.row.ID, names); err != nil {
			return err
		}
		return p.Ledger.Append(tx, u.row.Person, ledger.Entry{
			At: p.Clock.Now(), By: u.client.ID, Name: u.client.Name, What: ledger.Told, Class: u.row.Class, Result: names, Reference: u.name,
		})
	})
	return out, err
}

// errNoToken is a request without a token: it is told how to come, and no error (RFC 6750 §3.1).
var errNoToken = refuse(invalidToken, warifu.Unauthenticated("access-token-missing"))

// bearerOf is the token of a request, in its header or, of a POST, its form (RFC 6750 §2.1, §2.2):
// in one of the two.
func bearerOf(r *http.Request) (string, error) {
	header := r.Header.Values("Authorization")
	if len(header) > 1 {
		return "", malformed("access_token")
	}
	inForm := ""
	if r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		f, err := bodyOf(r)
		if err == nil {
			err = f.once()
		}
		if err != nil {
			return "", err
		}
		inForm = f.get("access_token")
	}
	if len(header) == 0 {
		if inForm == "" {
			return "", errNoToken
		}
		return inForm, nil
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	switch {
	case inForm != "":
		return "", malformed("access_token")
	case !strings.EqualFold(scheme, "Bearer"):
		return "", errNoToken
	case token == "":
		return "", malformed("access_token")
	}
	return token, nil
}

// challenge says in the header too what is wrong with a token (RFC 6750 §3). It returns the
// error to be written.
func (p *Provider) challenge(w http.ResponseWriter, err error) error {
	if e := problemOf(err); e.Problem == "access-token-invalid" {
		err = refuse(invalidToken, e)
	}
	r := refusalOf(err)
	head := `Bearer realm="` + p.issuer + `"`
	if err != errNoToken {
		head += `, error="` + r.code + `", error_description="` + describe(r.problem) + `"`
	}
	if statusOfCode[r.code] == http.StatusServiceUnavailable || r.code == serverError {
		return err
	}
	w.Header().Set("WWW-Authenticate", head)
	return err
}
