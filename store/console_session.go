package store

import (
	"time"

	"warifu"
)

// ConsoleInvitation is a one-time link by which a passkey is enrolled.
type ConsoleInvitation struct {
	Link     warifu.Digest // of the link's secret
	Operator string        // "" for the first person, who chooses a name
	Role     string
	By       string // "" where the machine's own command made it
	At       time.Time
	Expires  time.Time
}

const invitationColumns = `link, operator, role, by_whom, at, expires`

func scanInvitation(s scanner) (i ConsoleInvitation, err error) {
	err = s.Scan(fixed{i.Link[:]}, &i.Operator, &i.Role, &i.By, instant{&i.At}, instant{&i.Expires})
	return i, err
}

var invitationUnknown = warifu.NotFound("invitation-unknown")

// PutConsoleInvitation writes a link; every older one for the same operator ends.
func (tx *Tx) PutConsoleInvitation(i ConsoleInvitation) error {
	if _, err := tx.exec(`DELETE FROM console_invitations WHERE operator = $1`, i.Operator); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO console_invitations (`+invitationColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		i.Link[:], i.Operator, i.Role, i.By, micros(i.At), micros(i.Expires))
	return err
}

// ConsoleInvitation returns a link by the digest of its secret; NotFound "invitation-unknown",
// also of one that was used.
func (tx *Tx) ConsoleInvitation(link warifu.Digest) (ConsoleInvitation, error) {
	return only(tx.work, invitationUnknown, scanInvitation, `SELECT `+invitationColumns+` FROM console_invitations WHERE link = $1`, link[:])
}

// ConsoleInvitations returns all links that are open.
func (tx *Tx) ConsoleInvitations() ([]ConsoleInvitation, error) {
	return list(tx.work, scanInvitation, `SELECT `+invitationColumns+` FROM console_invitations ORDER BY operator, link`)
}

// EndConsoleInvitation takes a link: the first who does is told nil, everybody else NotFound
// "invitation-unknown".
func (tx *Tx) EndConsoleInvitation(link warifu.Digest) error {
	n, err := tx.exec(`DELETE FROM console_invitations WHERE link = $1`, link[:])
	if err == nil && n == 0 {
		err = invitationUnknown
	}
	return err
}

// ConsoleSession is one browser in which an operator is signed in.
type ConsoleSession struct {
	Secret     warifu.Digest // of the cookie's secret
	Operator   string
	Browser    warifu.Digest // of what the browser says of itself
	WithoutKey bool          // a sandbox's sign-in
	At         time.Time
	SeenAt     time.Time
	VerifiedAt time.Time // when the person was last verified
	Ends       time.Time
}

const consoleSessionColumns = `secret, operator, browser, without_key, at, seen_at, verified_at, ends`

func scanConsoleSession(s scanner) (c ConsoleSession, err error) {
	var without int64
	err = s.Scan(fixed{c.Secret[:]}, &c.Operator, fixed{c.Browser[:]}, &without, instant{&c.At}, instant{&c.SeenAt}, instant{&c.VerifiedAt}, instant{&c.Ends})
	c.WithoutKey = without != 0
	return c, err
}

// InsertConsoleSession writes a session.
func (tx *Tx) InsertConsoleSession(c ConsoleSession) error {
	without := int64(0)
	if c.WithoutKey {
		without = 1
	}
	_, err := tx.exec(`INSERT INTO console_sessions (`+consoleSessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.Secret[:], c.Operator, c.Browser[:], without, micros(c.At), micros(c.SeenAt), micros(c.VerifiedAt), micros(c.Ends))
	return err
}

// ConsoleSession returns one by the digest of its secret; NotFound "console-session-unknown". Whether it
// still holds is the caller's to see.
func (tx *Tx) ConsoleSession(secret warifu.Digest) (ConsoleSession, error) {
	return only(tx.work, warifu.NotFound("console-session-unknown"), scanConsoleSession, `SELECT `+consoleSessionColumns+` FROM console_sessions WHERE secret = $1`, secret[:])
}

// TouchConsoleSession notes that a session was used.
func (tx *Tx) TouchConsoleSession(secret warifu.Digest, at time.Time) error {
	_, err := tx.exec(`UPDATE console_sessions SET seen_at = $1 WHERE secret = $2`, micros(at), secret[:])
	return err
}

// VerifyConsoleSession notes that the person at a session was verified again.
func (tx *Tx) VerifyConsoleSession(secret warifu.Digest, at time.Time) error {
	_, err := tx.exec(`UPDATE console_sessions SET verified_at = $1, seen_at = $1 WHERE secret = $2`, micros(at), secret[:])
	return err
}

// EndConsoleSession ends a session; one that has ended stays so.
func (tx *Tx) EndConsoleSession(secret warifu.Digest) error {
	_, err := tx.exec(`DELETE FROM console_sessions WHERE secret = $1`, secret[:])
	return err
}

// PurgeConsole forgets sessions and links that ended before now and returns how many.
func (tx *Tx) PurgeConsole(now time.Time) (int64, error) {
	sessions, err := tx.exec(`DELETE FROM console_sessions WHERE ends < $1`, micros(now))
	if err != nil {
		return 0, err
	}
	links, err := tx.exec(`DELETE FROM console_invitations WHERE expires < $1`, micros(now))
	return sessions + links, err
}

// OpenProposals returns up to limit proposals that wait for a second operator and are not
// over, the oldest first.
func (tx *Tx) OpenProposals(now time.Time, limit int) ([]Proposal, error) {
	return list(tx.work, scanProposal, `SELECT `+proposalColumns+` FROM hotline_proposals WHERE confirmer = '' AND expires > $1 ORDER BY at, id LIMIT $2`, micros(now), limit)
}
