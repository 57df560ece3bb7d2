package store

import (
	"time"

	"warifu"
)

// Call is one look-up at the hotline. Nothing personal is in it.
type Call struct {
	Receipt  string // 受付番号
	Operator string
	Matched  int64         // how many persons the look-up found
	Person   warifu.Digest // the one it found; zero: none, or more than one
	Handle   warifu.Digest // of the handle given out for that person; zero: none
	Expires  time.Time     // of the handle
	At       time.Time
}

const callColumns = `receipt, operator, matched, person, handle, expires, at`

func scanCall(s scanner) (Call, error) {
	var c Call
	err := s.Scan(&c.Receipt, &c.Operator, &c.Matched, fixed{c.Person[:]}, fixed{c.Handle[:]}, instant{&c.Expires}, instant{&c.At})
	return c, err
}

// InsertCall writes a call; Conflict "receipt-exists" where the number was given before.
func (tx *Tx) InsertCall(c Call) error {
	n, err := tx.exec(`INSERT INTO hotline_calls (`+callColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		c.Receipt, c.Operator, c.Matched, octets(c.Person[:]), octets(c.Handle[:]), micros(c.Expires), micros(c.At))
	if err == nil && n == 0 {
		err = warifu.Conflict("receipt-exists")
	}
	return err
}

// CallOfHandle returns the call for which a handle was given out, by the handle's digest;
// NotFound "match-unknown". Whether it still holds is the caller's to see.
func (tx *Tx) CallOfHandle(handle warifu.Digest) (Call, error) {
	return only(tx.work, warifu.NotFound("match-unknown"), scanCall, `SELECT `+callColumns+` FROM hotline_calls WHERE handle = $1`, handle[:])
}

// CallsAfter returns up to limit calls from an instant on, oldest first, for auditors.
func (tx *Tx) CallsAfter(from time.Time, limit int) ([]Call, error) {
	return list(tx.work, scanCall, `SELECT `+callColumns+` FROM hotline_calls WHERE at >= $1 ORDER BY at, receipt LIMIT $2`, micros(from), limit)
}

// CallOfReceipt returns the call of a receipt number; NotFound "receipt-unknown".
func (tx *Tx) CallOfReceipt(receipt string) (Call, error) {
	return only(tx.work, warifu.NotFound("receipt-unknown"), scanCall, `SELECT `+callColumns+` FROM hotline_calls WHERE receipt = $1`, receipt)
}

// CallsBy counts an operator's look-ups after an instant, at most limit of them.
func (tx *Tx) CallsBy(operator string, after time.Time, limit int) (n int, err error) {
	_, err = tx.one(`SELECT count(*) FROM (SELECT 1 FROM hotline_calls WHERE operator = $1 AND at > $2 LIMIT $3) AS mine`,
		[]any{operator, micros(after), limit}, &n)
	return n, err
}

// Proposal is what one operator wants done and another has to confirm.
type Proposal struct {
	ID          string
	Receipt     string
	Verb        warifu.Verb // resume or revoke
	Cause       string
	Person      warifu.Digest
	Proposer    string
	Token       warifu.Digest // of the token it was proposed with
	At, Expires time.Time
	Confirmer   string // "" while it is open
	ConfirmedAt time.Time
}

const proposalColumns = `id, receipt, verb, cause, person, proposer, token, at, expires, confirmer, confirmed_at`

func scanProposal(s scanner) (Proposal, error) {
	var p Proposal
	var verb string
	err := s.Scan(&p.ID, &p.Receipt, &verb, &p.Cause, fixed{p.Person[:]}, &p.Proposer, fixed{p.Token[:]},
		instant{&p.At}, instant{&p.Expires}, &p.Confirmer, instant{&p.ConfirmedAt})
	p.Verb = warifu.Verb(verb)
	return p, err
}

// InsertProposal writes an open proposal.
func (tx *Tx) InsertProposal(p Proposal) error {
	_, err := tx.exec(`INSERT INTO hotline_proposals (`+proposalColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0)`,
		p.ID, p.Receipt, string(p.Verb), p.Cause, p.Person[:], p.Proposer, p.Token[:], micros(p.At), micros(p.Expires))
	return err
}

// Proposal returns the proposal, or NotFound "proposal-unknown".
func (tx *Tx) Proposal(id string) (Proposal, error) {
	return only(tx.work, warifu.NotFound("proposal-unknown"), scanProposal, `SELECT `+proposalColumns+` FROM hotline_proposals WHERE id = $1`, id)
}

// ConfirmProposal closes an open proposal: once, and never by who made it; Conflict
// "proposal-closed" otherwise.
func (tx *Tx) ConfirmProposal(id, confirmer string, at time.Time) error {
	n, err := tx.exec(`UPDATE hotline_proposals SET confirmer = $1, confirmed_at = $2 WHERE id = $3 AND confirmer = '' AND proposer <> $1`,
		confirmer, micros(at), id)
	if err == nil && n == 0 {
		err = warifu.Conflict("proposal-closed")
	}
	return err
}

// DeclineProposal ends an open proposal at an instant, with nothing done; Conflict
// "proposal-closed" of one that was confirmed or is over.
func (tx *Tx) DeclineProposal(id string, at time.Time) error {
	n, err := tx.exec(`UPDATE hotline_proposals SET expires = $1 WHERE id = $2 AND confirmer = '' AND expires > $1`, micros(at), id)
	if err == nil && n == 0 {
		err = warifu.Conflict("proposal-closed")
	}
	return err
}

// CardReport is a card that was reported lost or stolen in a call about a phone.
type CardReport struct {
	Receipt string
	Person  warifu.Digest
	At      time.Time
	ToldAt  time.Time // when the card's bureau was told; zero: not yet
}

const reportColumns = `receipt, person, at, told_at`

func scanReport(s scanner) (r CardReport, err error) {
	err = s.Scan(&r.Receipt, fixed{r.Person[:]}, instant{&r.At}, instant{&r.ToldAt})
	return r, err
}

// PutCardReport keeps a report until the card's bureau has been told; twice is once.
func (tx *Tx) PutCardReport(r CardReport) error {
	_, err := tx.exec(`INSERT INTO card_reports (receipt, person, at, told_at) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING`,
		r.Receipt, r.Person[:], micros(r.At))
	return err
}

// OpenCardReports returns up to limit reports of which the bureau has not been told: those
// first that it was asked about the longest ago, or never, and of them the oldest.
func (tx *Tx) OpenCardReports(limit int) ([]CardReport, error) {
	return list(tx.work, scanReport, `SELECT `+reportColumns+` FROM card_reports WHERE told_at = 0 ORDER BY tried_at, at, receipt LIMIT $1`, limit)
}

// CountCardReports counts the reports of which the bureau has not been told, and says since
// when the oldest waits; 0 and the zero instant when there is none.
func (tx *Tx) CountCardReports() (n int, oldest time.Time, err error) {
	_, err = tx.one(`SELECT COUNT(*), COALESCE(MIN(at), 0) FROM card_reports WHERE told_at = 0`, nil, &n, instant{&oldest})
	return n, oldest, err
}

// CardReportTried notes that the bureau was asked to take a report, and did not.
func (tx *Tx) CardReportTried(receipt string, at time.Time) error {
	_, err := tx.exec(`UPDATE card_reports SET tried_at = $1 WHERE receipt = $2 AND told_at = 0`, micros(at), receipt)
	return err
}

// CardReport returns the report of a call; false where no card was reported in it.
func (tx *Tx) CardReport(receipt string) (CardReport, bool, error) {
	all, err := list(tx.work, scanReport, `SELECT `+reportColumns+` FROM card_reports WHERE receipt = $1`, receipt)
	if err != nil || len(all) == 0 {
		return CardReport{}, false, err
	}
	return all[0], true, nil
}

// CardReportTold notes that the bureau has been told, and reports whether it had not been
// noted before.
func (tx *Tx) CardReportTold(receipt string, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE card_reports SET told_at = $1 WHERE receipt = $2 AND told_at = 0`, micros(at), receipt)
	return n == 1, err
}
