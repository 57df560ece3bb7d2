package store

import (
	"time"

	"warifu"
)

// Webhook is a relying party's wish to be told when the status behind a verification changes.
type Webhook struct {
	ID           string
	Party        string
	Verification string
	Kind         warifu.Kind
	Serial       []byte
	Address      string
	State        string // "live", "ended", "failed"
	Seq          int64  // of the last event
	Attempts     int64  // in a row that failed
	NextAt       time.Time
	Failing      time.Time // since when; zero: the last attempt went
	Since        int64     // the newest number of the status feed when it was made
	At           time.Time
}

// WebhookEvent is one thing to tell, in the order of Seq.
type WebhookEvent struct {
	Webhook string
	Seq     int64
	JTI     string // the same at every attempt
	Sort    string // "verification" or "status"
	Status  warifu.Status
	At      time.Time
	SentAt  time.Time
}

const webhookColumns = `id, party, verification, kind, serial, address, state, seq, attempts, next_at, failing, since, at`

func scanWebhook(s scanner) (w Webhook, err error) {
	err = s.Scan(&w.ID, &w.Party, &w.Verification, &w.Kind, &w.Serial, &w.Address, &w.State, &w.Seq, &w.Attempts, instant{&w.NextAt}, instant{&w.Failing}, &w.Since, instant{&w.At})
	return w, err
}

// InsertWebhook writes a live subscription with no event yet.
func (tx *Tx) InsertWebhook(w Webhook) error {
	_, err := tx.exec(`INSERT INTO webhooks (`+webhookColumns+`) VALUES ($1, $2, $3, $4, $5, $6, 'live', 0, 0, $7, 0, $8, $7)`,
		w.ID, w.Party, w.Verification, int64(w.Kind), w.Serial, w.Address, micros(w.At), w.Since)
	return err
}

// Webhook returns one by id; NotFound "webhook-unknown".
func (tx *Tx) Webhook(id string) (Webhook, error) {
	return only(tx.work, warifu.NotFound("webhook-unknown"), scanWebhook, `SELECT `+webhookColumns+` FROM webhooks WHERE id = $1`, id)
}

// WebhooksBy counts a party's live subscriptions.
func (tx *Tx) WebhooksBy(party string) (n int64, err error) {
	_, err = tx.one(`SELECT COUNT(*) FROM webhooks WHERE party = $1 AND state = 'live'`, []any{party}, &n)
	return n, err
}

// WebhooksOf returns the live subscriptions to a certificate.
func (tx *Tx) WebhooksOf(kind warifu.Kind, serial []byte) ([]Webhook, error) {
	return list(tx.work, scanWebhook, `SELECT `+webhookColumns+` FROM webhooks WHERE kind = $1 AND serial = $2 AND state = 'live' ORDER BY id`, int64(kind), serial)
}

// EndWebhook ends a subscription; what was not told yet is told no more.
func (tx *Tx) EndWebhook(id, state string) error {
	if _, err := tx.exec(`UPDATE webhooks SET state = $1 WHERE id = $2 AND state = 'live'`, state, id); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM webhook_events WHERE webhook = $1 AND sent_at = 0`, id)
	return err
}

// AppendWebhookEvent puts an event behind those of its subscription and numbers it.
func (tx *Tx) AppendWebhookEvent(e WebhookEvent) error {
	found, err := tx.one(`UPDATE webhooks SET seq = seq + 1 WHERE id = $1 AND state = 'live' RETURNING seq`, []any{e.Webhook}, &e.Seq)
	if err != nil || !found {
		return err
	}
	_, err = tx.exec(`INSERT INTO webhook_events (webhook, seq, jti, sort, cert_status, status_reason, status_at, at, sent_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		e.Webhook, e.Seq, e.JTI, e.Sort, int64(e.Status.Cert), int64(e.Status.Reason), micros(e.Status.RevokedAt), micros(e.At))
	return err
}

// WebhooksDue returns up to limit live subscriptions that have something to tell and whose
// next attempt is due, the longest due first.
func (tx *Tx) WebhooksDue(now time.Time, limit int) ([]Webhook, error) {
	return list(tx.work, scanWebhook, `SELECT `+webhookColumns+` FROM webhooks WHERE state = 'live' AND next_at <= $1
		AND EXISTS (SELECT 1 FROM webhook_events e WHERE e.webhook = webhooks.id AND e.sent_at = 0) ORDER BY next_at, id LIMIT $2`, micros(now), limit)
}

// ClaimWebhook puts off a subscription's next attempt, so that no other server makes it, and
// reports whether it was still as w says.
func (tx *Tx) ClaimWebhook(w Webhook, until time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE webhooks SET next_at = $1 WHERE id = $2 AND next_at = $3 AND state = 'live'`, micros(until), w.ID, micros(w.NextAt))
	return n == 1, err
}

// NextWebhookEvent returns the first event of a subscription that was not told; false for none.
func (tx *Tx) NextWebhookEvent(webhook string) (WebhookEvent, bool, error) {
	rows, err := list(tx.work, func(s scanner) (e WebhookEvent, err error) {
		err = s.Scan(&e.Webhook, &e.Seq, &e.JTI, &e.Sort, &e.Status.Cert, &e.Status.Reason, instant{&e.Status.RevokedAt}, instant{&e.At}, instant{&e.SentAt})
		return e, err
	}, `SELECT webhook, seq, jti, sort, cert_status, status_reason, status_at, at, sent_at FROM webhook_events
		WHERE webhook = $1 AND sent_at = 0 ORDER BY seq LIMIT 1`, webhook)
	if err != nil || len(rows) == 0 {
		return WebhookEvent{}, false, err
	}
	return rows[0], true, nil
}

// WebhookSent notes that an event was taken; the next one may go at once.
func (tx *Tx) WebhookSent(e WebhookEvent, at time.Time) error {
	if _, err := tx.exec(`UPDATE webhook_events SET sent_at = $1 WHERE webhook = $2 AND seq = $3`, micros(at), e.Webhook, e.Seq); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE webhooks SET attempts = 0, failing = 0, next_at = $1 WHERE id = $2`, micros(at), e.Webhook)
	return err
}

// WebhookFailed notes an attempt in vain and when the next one is due.
func (tx *Tx) WebhookFailed(webhook string, at, next time.Time) error {
	_, err := tx.exec(`UPDATE webhooks SET attempts = attempts + 1, failing = CASE WHEN failing = 0 THEN $1 ELSE failing END, next_at = $2 WHERE id = $3`,
		micros(at), micros(next), webhook)
	return err
}
