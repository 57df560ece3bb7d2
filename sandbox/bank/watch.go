package bank

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
)

// Told is what the bank heard of a certificate behind an account.
type Told struct {
	ID       string    `json:"id,omitempty"` // of the event: a second attempt has the same
	Sequence int64     `json:"sequence,omitempty"`
	At       time.Time `json:"at"`
	Status   string    `json:"status"` // "good", "revoked", "unknown"
	Reason   string    `json:"reason,omitempty"`
	By       string    `json:"by"` // "told", or "asked"
}

const (
	maxToken = 16 << 10
	maxTold  = 200 // of one account; the oldest go
	// event is the verification service's own event, which knows suspensions.
	event = "urn:warifu:event:certificate-status"
)

// watch asks the verification service to tell what becomes of the certificate. For cards it
// has no such service (B.10): those are asked about at every check. Where the service cannot be
// reached, the next look at the account asks again.
func (b *Bank) watch(ctx context.Context, a Account) (Account, error) {
	if a.Watched || a.Record == nil || a.Record.CertificateOn != "phone" {
		return a, nil
	}
	if err := b.checks().TellMe(ctx, a.Record.Verification, b.config.Origin+"/api/told/"+a.ID); err != nil {
		return a, err
	}
	return b.accounts.Change(a.ID, func(a *Account) error {
		a.Watched = true
		return nil
	})
}

// told takes a Security Event Token (RFC 8417, RFC 8935): signed with the service's key, for
// us, about this account's verification, and newer than what was heard before.
func (b *Bank) told(w http.ResponseWriter, r *http.Request) {
	token, err := doorway.Octets(w, r, maxToken)
	if err == nil {
		err = b.hear(r.Context(), r.PathValue("id"), string(token))
	}
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// hear notes a token. Errors: Invalid "bank-token-refused", NotFound "bank-account-unknown".
func (b *Bank) hear(ctx context.Context, id, token string) error {
	a, err := b.accounts.Get(id)
	if err != nil || a.Record == nil {
		return warifu.NotFound("bank-account-unknown")
	}
	refused := warifu.Invalid("bank-token-refused")
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return refused.With(err)
	}
	raw, err := b.checks().Keys(ctx)
	if err != nil {
		return err
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &keys); err != nil {
		return refused.With(err)
	}
	found := keys.Key(signed.Signatures[0].Header.KeyID)
	if len(found) != 1 {
		return refused
	}
	payload, err := signed.Verify(found[0])
	if err != nil {
		return refused.With(err)
	}
	var t struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
		ID       string `json:"jti"`
		Subject  struct {
			ID string `json:"id"`
		} `json:"sub_id"`
		Events map[string]struct {
			Sequence int64  `json:"sequence"`
			Status   string `json:"status"`
			Reason   string `json:"reason"`
			At       int64  `json:"at"`
		} `json:"events"`
	}
	if err := json.Unmarshal(payload, &t); err != nil {
		return refused.With(err)
	}
	e, there := t.Events[event]
	if !there || t.Audience != ClientID || t.Issuer != b.config.Service.Address || t.Subject.ID != a.Record.Verification {
		return refused
	}
	return b.note(a.ID, Told{ID: t.ID, Sequence: e.Sequence, At: time.Unix(e.At, 0).UTC(), Status: e.Status, Reason: e.Reason, By: "told"})
}

// note writes down what was heard and freezes or thaws the account. An event heard before, or
// older than one heard before, changes nothing.
func (b *Bank) note(id string, t Told) error {
	_, err := b.accounts.Change(id, func(a *Account) error {
		for _, before := range a.Told {
			if t.By == "told" && (before.ID == t.ID || before.Sequence >= t.Sequence) {
				return nil
			}
		}
		a.Told = append(a.Told, t)
		if extra := len(a.Told) - maxTold; extra > 0 {
			a.Told = slices.Delete(a.Told, 0, extra)
		}
		switch {
		case t.Status == "revoked" && a.State == opened && t.At.After(a.Record.ConfirmedAt):
			a.State = frozen
		case t.Status == "good" && a.State == frozen:
			a.State = opened // a suspension was lifted
		}
		return nil
	})
	return err
}

// check asks how the certificate behind an account stands at present (現況確認). Errors:
// Conflict "bank-record-absent" for an account without an identity-verification record.
func (b *Bank) check(ctx context.Context, id string) (Account, error) {
	a, err := b.accounts.Get(id)
	if err != nil {
		return a, warifu.NotFound("bank-account-unknown")
	}
	if a.Record == nil {
		return a, warifu.Conflict("bank-record-absent")
	}
	again, err := b.checks().Again(ctx, a.Record.Verification)
	if err != nil {
		return a, err
	}
	now, at := again.Now, b.config.Clock.Now()
	if now == nil {
		now = &again.Status
	}
	if now.Since != nil {
		at = *now.Since
	}
	if err := b.note(id, Told{At: at.UTC(), Status: now.Status, Reason: now.Reason, By: "asked"}); err != nil {
		return a, err
	}
	return b.accounts.Get(id)
}

// askLatest asks the holder for name and address as they are now (最新の4情報).
func (b *Bank) askLatest(ctx context.Context, id string) (Account, error) {
	a, err := b.accounts.Get(id)
	if err != nil {
		return a, warifu.NotFound("bank-account-unknown")
	}
	if a.Record == nil {
		return a, warifu.Conflict("bank-record-absent")
	}
	asked, err := b.checks().Latest(ctx, a.Record.Verification, "お届けの氏名・住所の確認 / your name and address as they are now", "name", "address")
	if err != nil {
		return a, err
	}
	return b.accounts.Change(id, func(a *Account) error {
		a.Latest = &asked
		return nil
	})
}

// latest looks whether the holder has answered, and takes over what has changed: the record
// keeps what stood there before.
func (b *Bank) latest(ctx context.Context, a Account) (Account, error) {
	a, err := b.watch(ctx, a)
	if err != nil {
		return a, err
	}
	if a.Latest == nil || a.Latest.State != "waiting" {
		return a, nil
	}
	answered, err := b.checks().Answered(ctx, a.Latest.ID)
	if err != nil || answered.State == "waiting" {
		return a, err
	}
	return b.accounts.Change(a.ID, func(a *Account) error {
		a.Latest = &visitor.Asked{ID: answered.ID, State: answered.State, Changed: answered.Changed}
		if answered.State == "granted" {
			a.confirm(b.config.Clock.Now())
		}
		if new := answered.Attributes; answered.State == "granted" && answered.Changed && new != nil {
			former := a.Record.Customer
			a.Record.Former = &former
			if new.Name != "" {
				a.Record.Customer.Name, a.Record.Customer.NameSubstitution = new.Name, new.NameSubstitution
			}
			if new.Address != "" {
				a.Record.Customer.Address, a.Record.Customer.AddressSubstitution = new.Address, new.AddressSubstitution
			}
		}
		return nil
	})
}

// confirm notes that the holder has stood by the record since: a certificate that died before,
// as by a move, freezes nothing any more. A suspension that stands does.
func (a *Account) confirm(now time.Time) {
	a.Record.ConfirmedAt = now.UTC()
	if last := a.Told; a.State == frozen && len(last) > 0 && last[len(last)-1].Reason != "certificateHold" {
		a.State = opened
	}
}
