package oidc

import (
	"net/http"
	"time"

	"warifu/store"
)

// revoke is the revocation endpoint (RFC 7009). A token of a login takes all the others of that
// login with it (§2.1). What is no token of this client's is nothing to revoke: the answer is
// the same, and nobody learns whether it is somebody else's.
func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) error {
	f, err := bodyOf(r)
	if err != nil {
		return err
	}
	c, by, err := p.authenticate(r.Context(), f)
	if err != nil {
		return err
	}
	token := f.get("token")
	if token == "" {
		return p.spend(r.Context(), by, malformed("token"))
	}
	id, known, err := p.whichLogin(c, token)
	if err != nil {
		return err
	}
	var own time.Time
	if !known {
		if of, end, err := p.clientBearer(r.Context(), token); err == nil && of.ID == c.ID {
			own = end
		}
	}
	err = p.Store.Write(r.Context(), func(tx *store.Tx) error {
		if err := by.use(tx); err != nil {
			return err
		}
		if !own.IsZero() {
			return tx.UseChallenge(revokedMark(token), own)
		}
		if !known {
			return nil
		}
		row, err := tx.Login(id)
		if err != nil || row.Client != c.ID {
			return ignoreUnknown(err)
		}
		_, err = tx.EndLogin(id)
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

// whichLogin is the login that a refresh or access token came of, expired or not.
func (p *Provider) whichLogin(c Client, token string) (id store.LoginID, known bool, err error) {
	b, known, err := p.mac.open(labelRefresh, token, refreshLength, c.ID)
	if err == nil && !known {
		b, known, err = p.mac.open(labelAccess, token, accessLength, "")
	}
	if known {
		id = store.LoginID(b[:len(id)])
	}
	return id, known, err
}
