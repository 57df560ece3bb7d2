package oidc

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"warifu"
	"warifu/store"
)

// result is what is kept of a signature, and told of it as the JWE's content.
type result struct {
	ID        string `json:"id"`
	Mode      string `json:"mode"`
	Digest    []byte `json:"digest"` // SHA-256 of the document as it was handed in
	Signature []byte `json:"signature,omitempty"`
	// Certificate is told with a bare signature, which cannot be checked without it. Of the
	// other modes it lies inside, where the format wants it, and stands nowhere else (design §5).
	Certificate []byte    `json:"certificate,omitempty"`
	Document    []byte    `json:"document,omitempty"`
	SigningTime time.Time `json:"signingTime"` // when it was taken here, to the second
	Status      string    `json:"status"`      // of the certificate then: "good"
	StatusTime  time.Time `json:"statusTime"`
	Class       string    `json:"class"`
}

func (j judged) record() ([]byte, error) {
	r := result{
		ID: j.transaction.ID, Mode: j.transaction.Mode, Digest: j.transaction.Digest[:], Signature: j.signed.Signature, Document: j.signed.Document,
		SigningTime: j.at.UTC().Truncate(time.Second), Status: j.Result.Status.Cert.String(), StatusTime: j.StatusTime.UTC().Truncate(time.Second), Class: j.Class.String(),
	}
	if r.Mode == ModeDigest || r.Mode == ModeDigestInfo {
		r.Certificate = j.signed.Certificate
	}
	return json.Marshal(r)
}

// Result gives what was signed to the client whose login's access token opens it, sealed to
// its key: a JWE in compact form. Errors: Refused "sign-result-other" for a token without the scope
// or of another login; NotFound "sign-transaction-unknown", also once its time is over;
// Conflict "sign-transaction-unsigned"; those of the client's keys.
func (d *SignDesk) Result(ctx context.Context, a Access, transaction string) ([]byte, error) {
	if a.Login == "" || a.SignTransaction == "" || a.SignTransaction != transaction || !slices.Contains(a.Scopes, ScopeSign) {
		return nil, warifu.Refused("sign-result-other")
	}
	var plain []byte
	err := d.Store.Read(ctx, func(tx *store.Tx) error {
		t, err := d.of(tx, a.Client, transaction)
		switch {
		case err != nil:
			return err
		case !d.Clock.Now().Before(t.Expires):
			return warifu.NotFound("sign-transaction-unknown")
		case t.State != "signed":
			return warifu.Conflict("sign-transaction-unsigned")
		case t.Login != a.Login:
			return warifu.Refused("sign-result-other")
		}
		plain, err = tx.SignOctets(t)
		return err
	})
	if err != nil {
		return nil, err
	}
	to, err := d.recipient(ctx, a.Client)
	if err != nil {
		return nil, err
	}
	return seal(plain, to)
}
