package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"

	"warifu"
	"warifu/ledger"
	"warifu/store"
)

// Entry is what a developer says of a service. It has no sector: who shares subjects with
// whom is the operator's to say, and so is an entry in the file.
type Entry struct {
	Name            ledger.Name     `json:"name"` // one language may be missing: the other stands in
	RedirectURIs    []string        `json:"redirectUris"`
	LoopbackPort    bool            `json:"loopbackPort,omitempty"`
	JWKS            json.RawMessage `json:"jwks,omitempty"` // public keys, or
	JWKSURI         string          `json:"jwksUri,omitempty"`
	Scopes          []string        `json:"scopes"`
	BirthdateFormat string          `json:"birthdateFormat,omitempty"`
	GenderFormat    string          `json:"genderFormat,omitempty"`
}

// client is the entry as the provider knows it. Errors: Invalid "client-invalid",
// "client-keys-invalid".
func (e Entry) client(id string) (Client, error) {
	c := Client{
		ID: id, Name: e.Name, RedirectURIs: e.RedirectURIs, LoopbackPort: e.LoopbackPort, JWKSURI: e.JWKSURI, Scopes: e.Scopes,
		BirthdateFormat: e.BirthdateFormat, GenderFormat: e.GenderFormat,
	}
	if c.Name.Japanese == "" {
		c.Name.Japanese = c.Name.English
	}
	if c.Name.English == "" {
		c.Name.English = c.Name.Japanese
	}
	if len(e.JWKS) > 0 {
		var err error
		if c.JWKS, err = ParseJWKS(e.JWKS); err != nil {
			return c, err
		}
	}
	return c, c.Check()
}

// Registered is a developer's client as its registration stands.
type Registered struct {
	ID    string
	Entry Entry
	// Token changes the registration, and Key opens the verification service. Both are told
	// once, when they are made, and kept nowhere.
	Token, Key string
}

// The bounds of what strangers may register.
const (
	maxRegistered    = 1000 // clients at one time
	maxRegisteredBy  = 30   // by one source within registeredWithin
	anyID            = "RP00000000"
	verbEnrol        = warifu.Verb("register-client")
	verbChangeClient = warifu.Verb("change-client")
	verbRotateClient = warifu.Verb("rotate-client")
	verbRemoveClient = warifu.Verb("remove-client")
	actorDeveloper   = "developer"
)

// Enrol takes a developer's service up, where the directory is open to strangers; source is
// who asks, "" for somebody on this machine, who is held to the bound for all alone. Errors:
// Refused "client-registration-closed"; TooMany "clients-too-many",
// "client-registrations-too-many"; Invalid as Client.Check.
func (d *Directory) Enrol(ctx context.Context, source string, e Entry) (Registered, error) {
	if !d.open {
		return Registered{}, warifu.Refused("client-registration-closed")
	}
	if _, err := e.client(anyID); err != nil {
		return Registered{}, err
	}
	if !d.sources.allow(source, d.clock.Now()) {
		return Registered{}, warifu.TooMany("client-registrations-too-many")
	}
	body, err := json.Marshal(e)
	if err != nil {
		return Registered{}, err
	}
	out := Registered{Entry: e, Token: newSecret(), Key: newSecret()}
	row := store.Client{Entry: body, Key: warifu.DigestOf([]byte(out.Key)), Token: warifu.DigestOf([]byte(out.Token)), At: d.clock.Now()}
	var written store.Client
	err = d.store.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.CountClients()
		if err != nil {
			return err
		}
		if n >= maxRegistered {
			return warifu.TooMany("clients-too-many")
		}
		if written, err = tx.InsertClient(row); err != nil {
			return err
		}
		return d.audit(tx, verbEnrol, written.ID)
	})
	if err != nil {
		return Registered{}, err
	}
	out.ID = written.ID
	return out, d.take(written)
}

// Registration returns a registration to who has its token. NotFound "client-unknown", for a
// wrong token too.
func (d *Directory) Registration(ctx context.Context, id, token string) (out Registered, err error) {
	err = d.store.Read(ctx, func(tx *store.Tx) error {
		row, err := ofToken(tx, id, token)
		if err != nil {
			return err
		}
		out.ID = row.ID
		return json.Unmarshal(row.Entry, &out.Entry)
	})
	return out, err
}

// Change puts another entry in the place of a registration's. Errors as Registration and
// Client.Check.
func (d *Directory) Change(ctx context.Context, id, token string, e Entry) (Registered, error) {
	if _, err := e.client(anyID); err != nil {
		return Registered{}, err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return Registered{}, err
	}
	return Registered{ID: id, Entry: e}, d.edit(ctx, id, token, verbChangeClient, func(row *store.Client) error {
		row.Entry = body
		return nil
	})
}

// Rotate gives a registration a new token and a new key for the verification service, and,
// where keys is not empty, other public keys; the old ones open nothing any more. Errors as
// Registration, and Invalid "client-keys-invalid".
func (d *Directory) Rotate(ctx context.Context, id, token string, keys json.RawMessage) (Registered, error) {
	if len(keys) > 0 {
		if _, err := ParseJWKS(keys); err != nil {
			return Registered{}, err
		}
	}
	out := Registered{ID: id, Token: newSecret(), Key: newSecret()}
	err := d.edit(ctx, id, token, verbRotateClient, func(row *store.Client) error {
		if err := json.Unmarshal(row.Entry, &out.Entry); err != nil {
			return err
		}
		if len(keys) > 0 {
			out.Entry.JWKS, out.Entry.JWKSURI = keys, ""
		}
		row.Key, row.Token = warifu.DigestOf([]byte(out.Key)), warifu.DigestOf([]byte(out.Token))
		body, err := json.Marshal(out.Entry)
		row.Entry = body
		return err
	})
	if err != nil {
		return Registered{}, err
	}
	return out, nil
}

// Remove ends a registration; its identifier is never given again. Errors as Registration.
func (d *Directory) Remove(ctx context.Context, id, token string) error {
	err := d.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := ofToken(tx, id, token); err != nil {
			return err
		}
		if err := tx.EndClient(id, d.clock.Now()); err != nil {
			return err
		}
		return d.audit(tx, verbRemoveClient, id)
	})
	if err == nil {
		d.drop(id)
	}
	return err
}

// edit changes a registration's row in one transaction with its audit line.
func (d *Directory) edit(ctx context.Context, id, token string, verb warifu.Verb, change func(*store.Client) error) error {
	var row store.Client
	err := d.store.Write(ctx, func(tx *store.Tx) (err error) {
		if row, err = ofToken(tx, id, token); err != nil {
			return err
		}
		if err = change(&row); err != nil {
			return err
		}
		row.ChangedAt = d.clock.Now()
		if err = tx.ChangeClient(row); err != nil {
			return err
		}
		return d.audit(tx, verb, id)
	})
	if err != nil {
		return err
	}
	return d.take(row)
}

func (d *Directory) audit(tx *store.Tx, verb warifu.Verb, id string) error {
	return tx.Audit(store.Line{At: d.clock.Now(), Actor: actorDeveloper, Verb: verb, Subject: id})
}

// ofToken returns the row to who has its token, and to nobody else so much as that it exists.
func ofToken(tx *store.Tx, id, token string) (store.Client, error) {
	row, err := tx.Client(id)
	if err != nil {
		return row, err
	}
	given := warifu.DigestOf([]byte(token))
	if subtle.ConstantTimeCompare(given[:], row.Token[:]) != 1 {
		return store.Client{}, warifu.NotFound("client-unknown")
	}
	return row, nil
}

// newSecret is 256 bits in 43 letters.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// IssuerPath is the issuer's address below the origin.
func IssuerPath() string { return realm }
