package console

import (
	"context"
	"encoding/json"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"warifu"
	"warifu/store"
)

// maxPasskeys bounds how many passkeys one operator has.
const maxPasskeys = 10

// purposeAdd is the purpose of the challenge with which a further passkey is made.
const purposeAdd = "add"

// Passkey is one of an operator's own, as a list shows it.
type Passkey struct {
	Mark    string // by which a form names it: of its identifier, and no secret
	At      time.Time
	UsedAt  time.Time // zero: not since it was made
	BuiltIn bool      // into a device, as its maker says; else on a key that is carried about, or not known
}

func markOf(id []byte) string { return warifu.DigestOf(id).String()[:16] }

// Passkeys lists an operator's own, the oldest first.
func (d *Desk) Passkeys(ctx context.Context, o Operator) ([]Passkey, error) {
	var out []Passkey
	err := d.Store.Read(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := tx.ConsolePasskeys(o.Name)
		if err != nil {
			return err
		}
		for _, row := range rows {
			var c webauthn.Credential
			if err := json.Unmarshal(row.Record, &c); err != nil {
				return err
			}
			out = append(out, Passkey{markOf(row.ID), row.At, row.UsedAt, c.Authenticator.Attachment == protocol.Platform})
		}
		return nil
	})
	return out, err
}

// AddOptions is what the browser makes a further passkey with, on another authenticator than
// those that have one. The passkey at hand was proved a moment ago. Errors: Refused
// "step-up-needed", Conflict "passkeys-full", Unavailable "passkey-origin".
func (d *Desk) AddOptions(ctx context.Context, o Operator) ([]byte, error) {
	if d.passkeys == nil {
		return nil, errNoPasskeys
	}
	if err := d.Verified(o); err != nil {
		return nil, err
	}
	var a account
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		a, _, err = roomFor(tx, o.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	challenge, err := d.newToken(purposeAdd, string(o.Secret))
	if err != nil {
		return nil, err
	}
	options, _, err := d.passkeys.BeginRegistration(a, func(c *protocol.PublicKeyCredentialCreationOptions) error {
		c.Challenge = challenge
		return nil
	}, webauthn.WithConveyancePreference(protocol.PreferNoAttestation), webauthn.WithExclusions(webauthn.Credentials(a.credentials).CredentialDescriptors()))
	if err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// roomFor is the account of a working operator who may have one passkey more.
func roomFor(tx *store.Tx, name string) (account, store.ConsoleOperator, error) {
	row, err := working(tx, name)
	if err != nil {
		return account{}, row, err
	}
	a, err := accountOf(tx, row)
	if err == nil && len(a.credentials) >= maxPasskeys {
		err = warifu.Conflict("passkeys-full")
	}
	return a, row, err
}

// FinishAdd takes the answer to AddOptions: the operator has one passkey more. Errors: those of
// AddOptions and of a challenge, Refused "passkey-refused", Conflict "passkey-known".
func (d *Desk) FinishAdd(ctx context.Context, o Operator, answer []byte) error {
	if d.passkeys == nil {
		return errNoPasskeys
	}
	if err := d.Verified(o); err != nil {
		return err
	}
	p, err := parseCreation(answer)
	if err != nil {
		return err
	}
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		if err := d.answered(tx, p.Response.CollectedClientData.Challenge, purposeAdd, string(o.Secret)); err != nil {
			return err
		}
		a, row, err := roomFor(tx, o.Name)
		if err != nil {
			return err
		}
		c, err := d.create(a, string(o.Secret), p)
		if err != nil {
			return err
		}
		record, err := recordOf(c)
		if err != nil {
			return err
		}
		if err := tx.InsertConsolePasskey(store.ConsolePasskey{ID: c.ID, Operator: row.Name, Record: record, At: d.Clock.Now()}); err != nil {
			return err
		}
		return d.line(tx, o.actor(), verbAdd, o.Name, map[string]string{"passkey": markOf(c.ID)})
	})
}

// Drop ends one of the operator's own passkeys, but never the last. Errors: Refused
// "step-up-needed" and "passkey-last", NotFound "passkey-gone".
func (d *Desk) Drop(ctx context.Context, o Operator, mark string) error {
	if err := d.Verified(o); err != nil {
		return err
	}
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		rows, err := tx.ConsolePasskeys(o.Name)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if markOf(row.ID) != mark {
				continue
			}
			if len(rows) == 1 {
				return warifu.Refused("passkey-last")
			}
			if err := tx.DropConsolePasskey(row.Operator, row.ID); err != nil {
				return err
			}
			return d.line(tx, o.actor(), verbDrop, o.Name, map[string]string{"passkey": mark})
		}
		return warifu.NotFound("passkey-gone")
	})
}
