package store

import (
	"fmt"
	"time"

	"warifu"
)

// Client is a relying party that its developer registered.
type Client struct {
	ID        string // "RP" and the number in eight digits
	Number    int64
	Entry     []byte        // JSON of package oidc; empty once it is removed
	Key       warifu.Digest // SHA-256 of its key at the verification service; zero: none
	Token     warifu.Digest // SHA-256 of the token that changes the registration
	At        time.Time
	ChangedAt time.Time
	EndedAt   time.Time // zero while it is registered
}

const clientColumns = `id, number, entry, api_key, token, at, changed_at, ended_at`

func scanClient(s scanner) (c Client, err error) {
	err = s.Scan(&c.ID, &c.Number, &c.Entry, fixed{c.Key[:]}, fixed{c.Token[:]}, instant{&c.At}, instant{&c.ChangedAt}, instant{&c.EndedAt})
	return c, err
}

var clientUnknown = warifu.NotFound("client-unknown")

// InsertClient writes a client under the next number and returns it with that.
func (tx *Tx) InsertClient(c Client) (Client, error) {
	if _, err := tx.one(`SELECT COALESCE(MAX(number), 0) + 1 FROM clients`, nil, &c.Number); err != nil {
		return c, err
	}
	c.ID = fmt.Sprintf("RP%08d", c.Number)
	c.ChangedAt = c.At
	_, err := tx.exec(`INSERT INTO clients (`+clientColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $6, 0)`,
		c.ID, c.Number, c.Entry, octets(c.Key[:]), octets(c.Token[:]), micros(c.At))
	return c, err
}

// Client returns one that is registered; NotFound "client-unknown", also of one that was.
func (tx *Tx) Client(id string) (Client, error) {
	return only(tx.work, clientUnknown, scanClient, `SELECT `+clientColumns+` FROM clients WHERE id = $1 AND ended_at = 0`, id)
}

// Clients returns up to limit registered ones with numbers beyond after, in that order.
func (tx *Tx) Clients(after int64, limit int) ([]Client, error) {
	return list(tx.work, scanClient, `SELECT `+clientColumns+` FROM clients WHERE number > $1 AND ended_at = 0 ORDER BY number LIMIT $2`, after, limit)
}

// CountClients counts those that are registered.
func (tx *Tx) CountClients() (n int64, err error) {
	_, err = tx.one(`SELECT COUNT(*) FROM clients WHERE ended_at = 0`, nil, &n)
	return n, err
}

// ChangeClient writes a registered client's entry, key and token; NotFound "client-unknown".
func (tx *Tx) ChangeClient(c Client) error {
	n, err := tx.exec(`UPDATE clients SET entry = $1, api_key = $2, token = $3, changed_at = $4 WHERE id = $5 AND ended_at = 0`,
		c.Entry, octets(c.Key[:]), octets(c.Token[:]), micros(c.ChangedAt), c.ID)
	if err == nil && n == 0 {
		err = clientUnknown
	}
	return err
}

// EndClient removes a client; its number is not given again. NotFound "client-unknown".
func (tx *Tx) EndClient(id string, at time.Time) error {
	n, err := tx.exec(`UPDATE clients SET entry = $1, api_key = NULL, token = NULL, ended_at = $2 WHERE id = $3 AND ended_at = 0`, []byte{}, micros(at), id)
	if err == nil && n == 0 {
		err = clientUnknown
	}
	return err
}
