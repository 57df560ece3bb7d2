package store

import (
	"time"

	"warifu"
)

// PutSubscription keeps how to reach a phone (a push subscription's JSON) under its
// secure element, sealed; a newer one replaces the older.
func (tx *Tx) PutSubscription(element warifu.ElementID, subscription []byte, at time.Time) error {
	sealed, err := tx.store.seal.Seal(subscription, subscriptionName(element))
	if err != nil {
		return tx.fail(err)
	}
	_, err = tx.exec(`INSERT INTO subscriptions (element, sealed, at) VALUES ($1, $2, $3)
		ON CONFLICT (element) DO UPDATE SET sealed = excluded.sealed, at = excluded.at`, element[:], sealed, micros(at))
	return err
}

// Subscription returns what PutSubscription was given, or NotFound
// "subscription-unknown".
func (tx *Tx) Subscription(element warifu.ElementID) ([]byte, error) {
	var sealed []byte
	found, err := tx.one(`SELECT sealed FROM subscriptions WHERE element = $1`, []any{element[:]}, &sealed)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, warifu.NotFound("subscription-unknown")
	}
	return tx.store.seal.Open(sealed, subscriptionName(element))
}

// DropSubscription forgets an element's subscription, if there is one.
func (tx *Tx) DropSubscription(element warifu.ElementID) error {
	_, err := tx.exec(`DELETE FROM subscriptions WHERE element = $1`, element[:])
	return err
}

func subscriptionName(element warifu.ElementID) []byte {
	return append([]byte("warifu-subscription-v1"), element[:]...)
}
