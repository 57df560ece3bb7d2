package store

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"warifu"
)

// LoginID is a login's identifier.
type LoginID [16]byte

// The states of a login's row.
const (
	LoginPushed    = "pushed"    // a pushed authorization request that no browser has brought yet
	LoginWaiting   = "waiting"   // for the claimant
	LoginApproved  = "approved"  // for the browser to go back
	LoginRefused   = "refused"   // by the claimant
	LoginCancelled = "cancelled" // in the browser
	LoginFinished  = "finished"  // there is a code
	LoginRedeemed  = "redeemed"  // there are tokens
	LoginEnded     = "ended"     // its code and tokens are good no longer
)

// Login is one login at a relying party.
type Login struct {
	ID      LoginID
	Client  string
	State   string
	Request []byte        // what the relying party asked for
	Browser warifu.Digest // SHA-256 of the cookie; zero while it is pushed
	At      time.Time
	Expires time.Time // of what the state allows; afterwards the row is purged

	// What follows is there once it is approved.
	Way, Class, Activation string
	Agreed                 string // attributes, joined by commas
	Person                 warifu.Digest
	Kind                   warifu.Kind   // of the credential that proved presence
	Serial                 []byte        // of its certificate
	Papers                 warifu.Digest // a sealed blob (SealLoginPapers): a card's certificates; zero: none
	ApprovedAt             time.Time

	RedeemedAt time.Time
	Generation int64  // of the refresh token that is good
	Told       string // attributes that the relying party has been told, joined by commas
}

const loginColumns = `id, client, state, request, browser, at, expires, way, class, activation, agreed, person, kind, serial, papers, approved_at, redeemed_at, generation, told`

func scanLogin(s scanner) (l Login, err error) {
	err = s.Scan(fixed{l.ID[:]}, &l.Client, &l.State, &l.Request, fixed{l.Browser[:]}, instant{&l.At}, instant{&l.Expires}, &l.Way, &l.Class, &l.Activation,
		&l.Agreed, fixed{l.Person[:]}, &l.Kind, &l.Serial, fixed{l.Papers[:]}, instant{&l.ApprovedAt}, instant{&l.RedeemedAt}, &l.Generation, &l.Told)
	return l, err
}

// InsertLogin writes one that is pushed, or waits where it has a browser.
func (tx *Tx) InsertLogin(l Login) error {
	state := LoginWaiting
	if l.Browser.IsZero() {
		state = LoginPushed
	}
	_, err := tx.exec(`INSERT INTO logins (`+loginColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', '', '', NULL, 0, $8, NULL, 0, 0, 0, '')`,
		l.ID[:], l.Client, state, l.Request, octets(l.Browser[:]), micros(l.At), micros(l.Expires), []byte{})
	return err
}

// Login returns one by id; NotFound "login-unknown".
func (tx *Tx) Login(id LoginID) (Login, error) {
	return only(tx.work, warifu.NotFound("login-unknown"), scanLogin, `SELECT `+loginColumns+` FROM logins WHERE id = $1`, id[:])
}

// Every step below moves a login from one state to another and reports whether it did: of two
// that race one does, and what has expired moves no more.

// BeginLogin lets a browser take up a pushed request.
func (tx *Tx) BeginLogin(id LoginID, browser warifu.Digest, now, expires time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE logins SET state = 'waiting', browser = $1, at = $2, expires = $3 WHERE id = $4 AND state = 'pushed' AND expires > $2`,
		browser[:], micros(now), micros(expires), id[:])
	return n == 1, err
}

// EndWaitingLogin ends one that waits, as LoginRefused or LoginCancelled.
func (tx *Tx) EndWaitingLogin(id LoginID, state string, now time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE logins SET state = $1 WHERE id = $2 AND state = 'waiting' AND expires > $3`, state, id[:], micros(now))
	return n == 1, err
}

// ApproveLogin writes down who approved one that waits, and how; l.Expires is until when the
// browser may go back.
func (tx *Tx) ApproveLogin(l Login) (bool, error) {
	n, err := tx.exec(`UPDATE logins SET state = 'approved', way = $1, class = $2, activation = $3, agreed = $4, person = $5, kind = $6, serial = $7, papers = $8,
		approved_at = $9, expires = $10 WHERE id = $11 AND state = 'waiting' AND expires > $9`,
		l.Way, l.Class, l.Activation, l.Agreed, l.Person[:], int64(l.Kind), l.Serial, octets(l.Papers[:]), micros(l.ApprovedAt), micros(l.Expires), l.ID[:])
	return n == 1, err
}

// FinishLogin notes that the browser goes back with a code that is good until expires.
func (tx *Tx) FinishLogin(id LoginID, now, expires time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE logins SET state = 'finished', expires = $1 WHERE id = $2 AND state = 'approved' AND expires > $3`, micros(expires), id[:], micros(now))
	return n == 1, err
}

// RedeemLogin notes that the code was exchanged for tokens, the last of which ends at expires.
func (tx *Tx) RedeemLogin(id LoginID, now, expires time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE logins SET state = 'redeemed', redeemed_at = $1, expires = $2, generation = 1 WHERE id = $3 AND state = 'finished' AND expires > $1`,
		micros(now), micros(expires), id[:])
	return n == 1, err
}

// RotateLogin makes the refresh token of that generation give way to the next.
func (tx *Tx) RotateLogin(id LoginID, generation int64, now time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE logins SET generation = generation + 1 WHERE id = $1 AND state = 'redeemed' AND generation = $2 AND expires > $3`, id[:], generation, micros(now))
	return n == 1, err
}

// EndLogin ends a code and every token that came of it.
func (tx *Tx) EndLogin(id LoginID) (bool, error) {
	n, err := tx.exec(`UPDATE logins SET state = 'ended' WHERE id = $1 AND state IN ('finished', 'redeemed')`, id[:])
	return n == 1, err
}

// SetLoginTold notes which attributes the relying party has been told by now.
func (tx *Tx) SetLoginTold(id LoginID, told string) error {
	_, err := tx.exec(`UPDATE logins SET told = $1 WHERE id = $2`, told, id[:])
	return err
}

// LoginsAsked is how many identifiers LoginsWaiting takes.
const LoginsAsked = 100

var whichLoginsWait = `SELECT id FROM logins WHERE state = 'waiting' AND id IN (` + placeholders(LoginsAsked) + `) AND expires > $` + strconv.Itoa(LoginsAsked+1)

func placeholders(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	return b.String()
}

// LoginsWaiting tells which of up to LoginsAsked logins still wait. It is one statement
// whatever their number, so that it is prepared once.
func (tx *Tx) LoginsWaiting(ids []LoginID, now time.Time) (map[LoginID]bool, error) {
	args := make([]any, LoginsAsked+1)
	args[LoginsAsked] = micros(now)
	for i := range LoginsAsked {
		args[i] = []byte{}
		if i < len(ids) {
			args[i] = ids[i][:]
		}
	}
	rows, err := list(tx.work, func(s scanner) (id LoginID, err error) { return id, s.Scan(fixed{id[:]}) }, whichLoginsWait, args...)
	waiting := make(map[LoginID]bool, len(rows))
	for _, id := range rows {
		waiting[id] = true
	}
	return waiting, err
}

// loginPapers are a card's certificates as they are sealed: with the login in them, so that no
// two logins share a blob and each takes its own away with it.
type loginPapers struct {
	Login        []byte   `json:"login"`
	Certificates [][]byte `json:"certificates"`
}

// SealLoginPapers puts a card's certificates (DER) into the sealed table for a login.
func (tx *Tx) SealLoginPapers(id LoginID, person warifu.Digest, certificates ...[]byte) (warifu.Digest, error) {
	b, err := json.Marshal(loginPapers{id[:], certificates})
	if err != nil {
		return warifu.Digest{}, err
	}
	return tx.SealBlob(person, b)
}

// LoginPapers returns what SealLoginPapers sealed; NotFound "blob-unknown" once the person is
// erased.
func (tx *Tx) LoginPapers(papers warifu.Digest) ([][]byte, error) {
	b, err := tx.UnsealBlob(papers)
	if err != nil {
		return nil, err
	}
	var p loginPapers
	err = json.Unmarshal(b, &p)
	return p.Certificates, err
}

// PurgeLogins takes away up to limit logins that expired before an instant, with their
// sealed papers, and returns how many.
func (tx *Tx) PurgeLogins(before time.Time, limit int) (int64, error) {
	const old = `SELECT id FROM logins WHERE expires < $1 ORDER BY expires, id LIMIT $2`
	if _, err := tx.exec(`DELETE FROM sealed WHERE digest IN (SELECT papers FROM logins WHERE papers IS NOT NULL AND id IN (`+old+`))`, micros(before), limit); err != nil {
		return 0, err
	}
	return tx.exec(`DELETE FROM logins WHERE id IN (`+old+`)`, micros(before), limit)
}

// CredentialActive reports whether the credential of that serial number is in use; false for one
// that is not there.
func (tx *Tx) CredentialActive(kind warifu.Kind, serial []byte) (bool, error) {
	var n int64
	return tx.one(`SELECT 1 FROM credentials WHERE kind = $1 AND serial = $2 AND state = 'active'`, []any{int64(kind), serial}, &n)
}

// ChallengeUsed reports whether UseChallenge marked it.
func (tx *Tx) ChallengeUsed(challenge warifu.Digest) (bool, error) {
	var n int64
	return tx.one(`SELECT 1 FROM challenges WHERE challenge = $1`, []any{challenge[:]}, &n)
}
