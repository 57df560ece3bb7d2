package verification

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"warifu"
	"warifu/ledger"
	"warifu/profile"
	"warifu/store"
)

// Sender posts a token to a subscriber (RFC 8935 §2). Nil means that it was taken. It must
// not let an address lead inside (design §5).
type Sender interface {
	Send(ctx context.Context, address, token string) error
}

// Hooks is how relying parties are told of changes; the zero value tells nobody.
type Hooks struct {
	Key    crypto.Signer // P-256
	Sender Sender
	Plain  bool // http addresses are let through too: for tests and the sandbox
}

// Subscription is a relying party's wish to be told when the status behind a verification
// changes.
type Subscription struct {
	ID           string
	Verification string
	Address      string
	State        string // "live", "ended" by the party, "failed": three days nobody took anything
	Told         int64  // the number of the last event there is
	At           time.Time
}

const maxAddress = 1000 // octets

// Subscribe tells a party of every change of the certificate behind a verification, in
// order. The first event says what the status is now, and that the address works. Errors: as
// Again, Unavailable "webhooks-absent", Invalid "webhook-address", Refused "webhook-card",
// TooMany "webhooks-too-many".
func (d *Desk) Subscribe(ctx context.Context, key, verification, address string) (Subscription, error) {
	party, err := d.admit(ctx, key)
	if err != nil {
		return Subscription{}, err
	}
	if d.Hooks.Key == nil || d.Hooks.Sender == nil {
		return Subscription{}, warifu.Unavailable("webhooks-absent")
	}
	if !d.reachable(address) {
		return Subscription{}, warifu.Invalid("webhook-address")
	}
	now := d.Clock.Now()
	w := store.Webhook{ID: d.Store.NewID(), Party: party.ID, Verification: verification, Address: address, State: "live", At: now}
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		v, err := d.own(tx, party, verification)
		if err != nil {
			return err
		}
		if v.Class != profile.ClassPhone.String() {
			return warifu.Refused("webhook-card")
		}
		standing, err := tx.WebhooksBy(party.ID)
		if err == nil && standing >= int64(party.Webhooks) {
			err = warifu.TooMany("webhooks-too-many")
		}
		if err != nil {
			return err
		}
		w.Kind, w.Serial = v.Kind, v.Serial
		if w.Since, err = tx.FeedHead(); err != nil {
			return err
		}
		if err := tx.InsertWebhook(w); err != nil {
			return err
		}
		record, _, err := tx.StatusOf(v.Kind, v.Serial)
		if err != nil {
			return err
		}
		if err := tx.AppendWebhookEvent(store.WebhookEvent{Webhook: w.ID, JTI: newJTI(), Sort: "verification", Status: record.Status, At: now}); err != nil {
			return err
		}
		return d.append(tx, party, v, ledger.Entry{At: now, What: ledger.Subscribed, Result: record.Status.Cert.String()})
	})
	return subscriptionOf(w), err
}

func (d *Desk) reachable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && len(address) <= maxAddress && u.Host != "" && u.User == nil && u.Fragment == "" && (u.Scheme == "https" || d.Hooks.Plain && u.Scheme == "http")
}

func newJTI() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

func subscriptionOf(w store.Webhook) Subscription {
	return Subscription{ID: w.ID, Verification: w.Verification, Address: w.Address, State: w.State, Told: w.Seq, At: w.At}
}

func (d *Desk) subscription(tx *store.Tx, party Party, id string) (store.Webhook, error) {
	w, err := tx.Webhook(id)
	if err == nil && w.Party != party.ID {
		err = warifu.NotFound("webhook-unknown")
	}
	return w, err
}

// Subscription tells how one stands. Errors: Unauthenticated "relying-party-unknown",
// NotFound "webhook-unknown".
func (d *Desk) Subscription(ctx context.Context, key, id string) (Subscription, error) {
	party, err := d.enter(key)
	if err != nil {
		return Subscription{}, err
	}
	var w store.Webhook
	err = d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		w, err = d.subscription(tx, party, id)
		return err
	})
	return subscriptionOf(w), err
}

// Unsubscribe ends one. Errors as Subscription.
func (d *Desk) Unsubscribe(ctx context.Context, key, id string) error {
	party, err := d.enter(key)
	if err != nil {
		return err
	}
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := d.subscription(tx, party, id); err != nil {
			return err
		}
		return tx.EndWebhook(id, "ended")
	})
}

const (
	cursorName = "webhooks"
	feedPage   = 500
	hookPage   = 50
	// A subscriber that does not take an event is tried again after firstPause, then twice as
	// long each time up to longestPause; after giveUp in vain the subscription has failed.
	firstPause   = 10 * time.Second
	longestPause = time.Hour
	giveUp       = 3 * day
	sendLease    = time.Minute // while one server sends, no other does
)

// FollowFeed puts what changed since the last call into the outbox: each change once, in the
// order of the status feed. It returns how many changes it saw.
func (d *Desk) FollowFeed(ctx context.Context) (int, error) {
	total := 0
	for {
		n := 0
		err := d.Store.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = d.followPage(tx)
			return err
		})
		if total += n; err != nil || n < feedPage {
			return total, err
		}
	}
}

func (d *Desk) followPage(tx *store.Tx) (int, error) {
	position, err := tx.Cursor(cursorName)
	if err != nil {
		return 0, err
	}
	after := int64(0)
	if position != "" {
		if after, err = strconv.ParseInt(position, 10, 64); err != nil {
			return 0, err
		}
	}
	changes, err := tx.StatusFeed(after, feedPage)
	if err != nil || len(changes) == 0 {
		return 0, err
	}
	for _, c := range changes {
		hooks, err := tx.WebhooksOf(c.Record.Kind, c.Record.Serial)
		if err != nil {
			return 0, err
		}
		for _, w := range hooks {
			if c.Number <= w.Since {
				continue // its first event said so
			}
			if err := tx.AppendWebhookEvent(store.WebhookEvent{Webhook: w.ID, JTI: newJTI(), Sort: "status", Status: c.Record.Status, At: c.At}); err != nil {
				return 0, err
			}
		}
		after = c.Number
	}
	return len(changes), tx.SetCursor(cursorName, strconv.FormatInt(after, 10), d.Clock.Now())
}

// Deliver sends what is due, one event of a subscription after the other, and returns how
// many were taken.
func (d *Desk) Deliver(ctx context.Context) (int, error) {
	if d.Hooks.Key == nil || d.Hooks.Sender == nil {
		return 0, nil
	}
	var due []store.Webhook
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.WebhooksDue(d.Clock.Now(), hookPage)
		return err
	})
	taken := 0
	for _, w := range due {
		if err != nil {
			break
		}
		var n int
		n, err = d.deliverTo(ctx, w)
		taken += n
	}
	return taken, err
}

// deliverTo sends to one subscriber until nothing is left or something is not taken.
func (d *Desk) deliverTo(ctx context.Context, w store.Webhook) (int, error) {
	for taken := 0; ; taken++ {
		var e store.WebhookEvent
		mine, more := false, false
		err := d.Store.Write(ctx, func(tx *store.Tx) (err error) {
			// What has nothing to tell is not claimed: the claim would hold up the next event.
			if e, more, err = tx.NextWebhookEvent(w.ID); err != nil || !more {
				return err
			}
			if mine, err = tx.ClaimWebhook(w, d.Clock.Now().Add(sendLease)); err == nil && mine {
				w, err = tx.Webhook(w.ID)
			}
			return err
		})
		if err != nil || !mine || !more {
			return taken, err
		}
		sent := d.send(ctx, w, e)
		if err := d.Store.Write(ctx, func(tx *store.Tx) (err error) {
			if err = d.sent(tx, w, e, sent); err == nil {
				w, err = tx.Webhook(w.ID)
			}
			return err
		}); err != nil || sent != nil {
			return taken, err
		}
	}
}

func (d *Desk) send(ctx context.Context, w store.Webhook, e store.WebhookEvent) error {
	id, err := KeyID(d.Hooks.Key)
	if err != nil {
		return err
	}
	token, err := tokenOf(d.Origin, w, e, d.Clock.Now())
	if err != nil {
		return err
	}
	signed, err := token.sealed(d.Hooks.Key, id)
	if err != nil {
		return err
	}
	return d.Hooks.Sender.Send(ctx, w.Address, signed)
}

// sent notes how an attempt went, and what the holder hears of it.
func (d *Desk) sent(tx *store.Tx, w store.Webhook, e store.WebhookEvent, failed error) error {
	now := d.Clock.Now()
	if failed == nil {
		if err := tx.WebhookSent(e, now); err != nil {
			return err
		}
		party, known := d.parties().named(w.Party)
		if !known || e.Sort != "status" {
			return nil
		}
		v, err := tx.Verification(w.Verification)
		if err != nil {
			return err
		}
		return d.append(tx, party, v, ledger.Entry{At: now, What: ledger.Notified, Result: e.Status.Cert.String()})
	}
	if !w.Failing.IsZero() && now.Sub(w.Failing) >= giveUp {
		return tx.EndWebhook(w.ID, "failed")
	}
	pause := longestPause
	if w.Attempts < 10 {
		pause = min(longestPause, firstPause<<w.Attempts)
	}
	return tx.WebhookFailed(w.ID, now, now.Add(pause))
}

// Configuration describes the transmitter (OpenID Shared Signals Framework 1.0 §7.1).
// Unavailable "webhooks-absent" where there is none.
func (d *Desk) Configuration() ([]byte, error) {
	if d.Hooks.Key == nil {
		return nil, warifu.Unavailable("webhooks-absent")
	}
	return json.Marshal(map[string]any{
		"spec_version": "1_0", "issuer": d.Origin, "jwks_uri": d.Origin + "/api/v1/webhook-keys",
		"delivery_methods_supported": []string{"urn:ietf:rfc:8935"},
	})
}

// Keys is the JSON Web Key Set that tokens are checked with. Unavailable "webhooks-absent".
func (d *Desk) Keys() ([]byte, error) {
	if d.Hooks.Key == nil {
		return nil, warifu.Unavailable("webhooks-absent")
	}
	return KeySet(d.Hooks.Key)
}
