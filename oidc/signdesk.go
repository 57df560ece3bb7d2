package oidc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/store"
	"warifu/verify"
)

// How long a document that is to be signed is kept, and what came of it.
const (
	// SignLife is from the relying party's wish to the signature.
	SignLife = 15 * time.Minute
	// ResultLife is from the signature to the end of its result. In between whoever may fetch
	// it may fetch it again: an answer that was lost on the line is no reason to ask a person
	// twice. An access token ends sooner.
	ResultLife = 15 * time.Minute
)

// What one client may have lying here.
const (
	maxSignOpen   = 1000
	maxSignOctets = 256 << 20
)

// SignPurpose is the purpose of a chip's word that stands in for a presence (Signed.Request).
const SignPurpose = "sign"

// Chips open what a secure element says in its own name (registration.Authority).
type Chips interface {
	// Gave tells for which kinds the activation secret was given to the chip when it signed a
	// request of that purpose and subject over that nonce. Refused "device-request-other" for
	// another request, NotFound "element-unknown".
	Gave(ctx context.Context, element warifu.ElementID, envelope []byte, purpose, subject string, nonce []byte) ([]warifu.Kind, error)
}

// SignConfig is what a SignDesk is made of. Fields are required unless it says otherwise.
type SignConfig struct {
	Store    Store
	Ledger   Ledger
	Verifier *verify.Verifier // believes cards and phones, asks for status in this process
	Chips    Chips            // nil: presence is the authentication key's alone
	Cards    Cards            // nil: cards sign nothing here
	// Keys are a client's public keys, fetched where it named an address (Provider.ClientKeys).
	Keys  func(ctx context.Context, c Client) ([]jose.JSONWebKey, error)
	Clock warifu.Clock
}

// SignDesk takes documents that relying parties want signed, has them signed with a login,
// and gives the result to the client that asked, sealed to its key. A document is here until it is
// signed, refused or too old; a result a quarter of an hour. Both lie in the sealed table
// under a key of their own, which is destroyed with them.
type SignDesk struct{ SignConfig }

// NewSignDesk makes one.
func NewSignDesk(c SignConfig) *SignDesk { return &SignDesk{c} }

// SignBegun is what the relying party gets.
type SignBegun struct {
	ID      string // a UUID: sign_transaction_id of the authorization request
	Expires time.Time
}

// Begin takes a document. Errors: Refused "sign-not-allowed", "sign-key-absent",
// "sign-document-reserved", "xml-signed-already"; Invalid "sign-mode-unknown", "sign-name-malformed",
// "sign-digest-malformed", "sign-algorithm-unsupported", "sign-document-absent", "sign-digest-mismatch",
// "pdf-malformed", "xml-malformed"; TooLarge "sign-document-too-large"; TooMany
// "sign-transactions-too-many"; those of fetching the client's keys.
func (d *SignDesk) Begin(ctx context.Context, client Client, w SignWish) (SignBegun, error) {
	if !client.may(ScopeSign) {
		return SignBegun{}, warifu.Refused("sign-not-allowed")
	}
	if err := w.check(); err != nil {
		return SignBegun{}, err
	}
	// A result that nobody could be given is not worth anybody's signature.
	if _, err := d.recipient(ctx, client); err != nil {
		return SignBegun{}, err
	}
	now := d.Clock.Now()
	begun := SignBegun{ID: newUUID(), Expires: now.Add(SignLife)}
	return begun, d.Store.Write(ctx, func(tx *store.Tx) error {
		n, size, err := tx.SignTransactionsBy(client.ID)
		if err != nil {
			return err
		}
		if n >= maxSignOpen || size+int64(len(w.Document)) > maxSignOctets {
			return warifu.TooMany("sign-transactions-too-many", "limit", strconv.Itoa(maxSignOpen))
		}
		return tx.InsertSignTransaction(store.SignTransaction{ID: begun.ID, Client: client.ID, Mode: w.Mode, At: now, Expires: begun.Expires}, w.Name, w.Document)
	})
}

// newUUID draws a random one (RFC 9562 §5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func (d *SignDesk) recipient(ctx context.Context, client Client) (jose.Recipient, error) {
	if client.EncryptionKey != nil {
		return recipientOf(*client.EncryptionKey)
	}
	keys, err := d.Keys(ctx, client)
	if err != nil {
		return jose.Recipient{}, err
	}
	return sealingKey(keys)
}

// ClientKeys returns a client's public keys, as they are or from where it publishes them.
// Error: "client-keys-away" where there are none to be had.
func (p *Provider) ClientKeys(ctx context.Context, c Client) ([]jose.JSONWebKey, error) {
	return p.keysFor(ctx, c, "")
}

// open returns a transaction that is still to be signed. Another client's does not exist.
func (d *SignDesk) open(tx *store.Tx, client Client, id string) (store.SignTransaction, error) {
	t, err := d.of(tx, client, id)
	if err == nil && (t.State != "open" || !d.Clock.Now().Before(t.Expires)) {
		err = warifu.Conflict("sign-transaction-over")
	}
	return t, err
}

func (d *SignDesk) of(tx *store.Tx, client Client, id string) (store.SignTransaction, error) {
	t, err := tx.SignTransaction(id)
	if err == nil && t.Client != client.ID {
		return store.SignTransaction{}, warifu.NotFound("sign-transaction-unknown")
	}
	return t, err
}

// Bind implements Signing.
func (d *SignDesk) Bind(tx *store.Tx, client Client, transaction, login string) error {
	if _, err := d.open(tx, client, transaction); err != nil {
		return err
	}
	bound, err := tx.BindSignTransaction(transaction, client.ID, login, d.Clock.Now())
	if err == nil && !bound {
		err = warifu.Conflict("sign-transaction-over")
	}
	return err
}

// View implements Signing.
func (d *SignDesk) View(ctx context.Context, client Client, transaction string) (view SignView, err error) {
	err = d.Store.Read(ctx, func(tx *store.Tx) error {
		t, err := d.open(tx, client, transaction)
		if err != nil {
			return err
		}
		view = SignView{ID: t.ID, Mode: t.Mode, Digest: t.Digest.String(), Size: int(t.Size)}
		view.Name, err = tx.SignName(t)
		return err
	})
	return view, err
}

// Document implements Signing.
func (d *SignDesk) Document(ctx context.Context, client Client, transaction string) (octets []byte, err error) {
	err = d.Store.Read(ctx, func(tx *store.Tx) error {
		t, err := d.open(tx, client, transaction)
		if err == nil {
			octets, err = tx.SignOctets(t)
		}
		return err
	})
	return octets, err
}

// Ended implements Signing.
func (d *SignDesk) Ended(tx *store.Tx, login string) error { return tx.EndSignTransactionOf(login) }

// purgedTogether is how many transactions one database transaction takes away.
const purgedTogether = 100

// Purge takes away what is too old, and returns how many.
func (d *SignDesk) Purge(ctx context.Context) (total int, err error) {
	for {
		n := 0
		err := d.Store.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.PurgeSignTransactions(d.Clock.Now(), purgedTogether)
			return err
		})
		if total += n; err != nil || n < purgedTogether {
			return total, err
		}
	}
}
