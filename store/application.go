package store

import (
	"time"

	"warifu"
)

// Application is one request for credentials (利用申請). What carries attributes
// lies sealed; the row holds digests.
type Application struct {
	ID       string
	Document warifu.Digest // SHA-256 of the application document: its identity
	Person   warifu.Digest // of the card statement's opaque handle
	Element  warifu.ElementID
	// Model, OSBuild and AppVersion are what the phone said of itself in the document.
	Model      string
	OSBuild    string
	AppVersion int
	Kinds      []warifu.Kind // applied for, one or two, in order (R34)
	State      warifu.ApplicationState
	Problem    string // slug, when rejected
	Scheme     string // "jp-mobile/1"
	Consent    string // version of the consent text (R35)
	// SubmittedAt is when it was accepted, DueAt when issuance may begin (K1),
	// IssuedAt when both certificates were there, EndedAt when no arrow was left.
	SubmittedAt, DueAt, IssuedAt, EndedAt time.Time
	// Sealed blobs: the CMS, the attestation, the paper on the phone's secrets, the
	// card statement, and the attestation's certificates, leaf first.
	Signed, Attestation, SecretsSet, Statement warifu.Digest
	Chain                                      []warifu.Digest
	Parent                                     Parent

	step int64
}

// Parent is the card behind an application: the originals its credentials follow.
// A card without a signing certificate has zero values there (R8).
type Parent struct {
	SignatureSerial, AuthenticationSerial           []byte
	SignatureCertificate, AuthenticationCertificate warifu.Digest // sealed blobs
	SignatureNotAfter, AuthenticationNotAfter       time.Time
}

const applicationColumns = `id, step, state, document, person, element, device_model, os_build, app_version, kinds, problem,
	scheme, consent, submitted_at, due_at, issued_at, ended_at, signed, attestation, secrets_set, statement, chain,
	parent_signature_serial, parent_authentication_serial, parent_signature_certificate, parent_authentication_certificate,
	parent_signature_not_after, parent_authentication_not_after`

func scanApplication(s scanner) (Application, error) {
	var a Application
	var state string
	p := &a.Parent
	err := s.Scan(&a.ID, &a.step, &state, fixed{a.Document[:]}, fixed{a.Person[:]}, fixed{a.Element[:]}, &a.Model, &a.OSBuild,
		&a.AppVersion, kinds{&a.Kinds}, &a.Problem, &a.Scheme, &a.Consent, instant{&a.SubmittedAt}, instant{&a.DueAt},
		instant{&a.IssuedAt}, instant{&a.EndedAt}, fixed{a.Signed[:]}, fixed{a.Attestation[:]}, fixed{a.SecretsSet[:]},
		fixed{a.Statement[:]}, digests{&a.Chain}, &p.SignatureSerial, &p.AuthenticationSerial,
		fixed{p.SignatureCertificate[:]}, fixed{p.AuthenticationCertificate[:]},
		instant{&p.SignatureNotAfter}, instant{&p.AuthenticationNotAfter})
	a.State = warifu.ApplicationState(state)
	return a, err
}

// InsertApplication writes a new application, which begins as submitted whatever
// a.State says; an empty ID is refused. Errors, which end the transaction: Conflict
// "application-exists" where one with the same document stands (ApplicationByDocument
// has it), Conflict "application-open" while another of the person's is open: withdraw
// that first.
func (tx *Tx) InsertApplication(a Application) error {
	if a.ID == "" || len(a.Kinds) == 0 {
		return tx.fail(errIncomplete)
	}
	initial := string(warifu.ApplicationLife.Initial)
	if err := tx.begin(warifu.ApplicationLife.Name, a.ID, initial, a.SubmittedAt); err != nil {
		return err
	}
	p := a.Parent
	n, err := tx.exec(`INSERT INTO applications (`+applicationColumns+`) VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
		$12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27) ON CONFLICT DO NOTHING`,
		a.ID, initial, a.Document[:], a.Person[:], a.Element[:], a.Model, a.OSBuild, a.AppVersion, joinKinds(a.Kinds), a.Problem,
		a.Scheme, a.Consent, micros(a.SubmittedAt), micros(a.DueAt), micros(a.IssuedAt), micros(a.EndedAt),
		octets(a.Signed[:]), octets(a.Attestation[:]), octets(a.SecretsSet[:]), octets(a.Statement[:]), joinDigests(a.Chain),
		p.SignatureSerial, p.AuthenticationSerial, octets(p.SignatureCertificate[:]), octets(p.AuthenticationCertificate[:]),
		micros(p.SignatureNotAfter), micros(p.AuthenticationNotAfter))
	if err != nil || n == 1 {
		return err
	}
	return tx.fail(tx.inTheWayOf(a)) // its first move is written: the transaction cannot stand
}

// inTheWayOf says which of the two unique indexes refused an application.
func (tx *Tx) inTheWayOf(a Application) error {
	var same bool
	found, err := tx.one(`SELECT document = $1 FROM applications
		WHERE document = $1 OR (person = $2 AND state IN ('submitted', 'issued')) ORDER BY document = $1 DESC LIMIT 1`,
		[]any{a.Document[:], a.Person[:]}, &same)
	switch {
	case err != nil:
		return err
	case !found:
		return errRaced
	case same:
		return warifu.Conflict("application-exists")
	}
	return warifu.Conflict("application-open")
}

func missingApplication() *warifu.Error { return warifu.NotFound("application-unknown") }

// Application returns one by id, or NotFound "application-unknown".
func (tx *Tx) Application(id string) (Application, error) {
	return only(tx.work, missingApplication(), scanApplication, `SELECT `+applicationColumns+` FROM applications WHERE id = $1`, id)
}

// ApplicationByDocument returns the one with that document identity, or NotFound
// "application-unknown".
func (tx *Tx) ApplicationByDocument(document warifu.Digest) (Application, error) {
	return only(tx.work, missingApplication(), scanApplication,
		`SELECT `+applicationColumns+` FROM applications WHERE document = $1`, document[:])
}

// Rivals returns the application of that document identity, if there is one, and the
// person's that is open: what a new application has to do with, in one question.
func (tx *Tx) Rivals(document, person warifu.Digest) ([]Application, error) {
	return list(tx.work, scanApplication, `SELECT `+applicationColumns+` FROM applications WHERE document = $1
		UNION ALL SELECT `+applicationColumns+` FROM applications WHERE person = $2 AND state IN ('submitted', 'issued') AND document <> $1`,
		document[:], person[:])
}

// OpenApplications returns a person's applications that are submitted or issued:
// at most one, by the rule of design §3.3.
func (tx *Tx) OpenApplications(person warifu.Digest) ([]Application, error) {
	return list(tx.work, scanApplication, `SELECT `+applicationColumns+` FROM applications
		WHERE person = $1 AND state IN ('submitted', 'issued') ORDER BY submitted_at, id`, person[:])
}

// ApplicationsOfPerson returns all of a person's applications, oldest first.
func (tx *Tx) ApplicationsOfPerson(person warifu.Digest) ([]Application, error) {
	return list(tx.work, scanApplication, `SELECT `+applicationColumns+` FROM applications WHERE person = $1 ORDER BY submitted_at, id`, person[:])
}

// ApplicationsOfElement returns all applications made from one secure element, oldest first.
func (tx *Tx) ApplicationsOfElement(element warifu.ElementID) ([]Application, error) {
	return list(tx.work, scanApplication, `SELECT `+applicationColumns+` FROM applications WHERE element = $1 ORDER BY submitted_at, id`, element[:])
}

// LapsingApplications returns up to limit applications that were issued before an
// instant and not personalized since, longest waiting first (K14).
func (tx *Tx) LapsingApplications(before time.Time, limit int) ([]Application, error) {
	return list(tx.work, scanApplication, `SELECT `+applicationColumns+` FROM applications
		WHERE state = 'issued' AND issued_at < $1 ORDER BY issued_at, id LIMIT $2`, micros(before), limit)
}

// MoveApplication takes an application along the arrow verb of the root's
// ApplicationLife and returns it as it is then. problem is the slug of a rejection,
// otherwise "". An audit line with the same subject and verb must be written in the
// same transaction. Errors: NotFound "application-unknown", Conflict
// "transition-illegal".
func (tx *Tx) MoveApplication(id string, verb warifu.Verb, at time.Time, problem string) (Application, error) {
	a, err := tx.Application(id)
	if err != nil {
		return Application{}, err
	}
	return tx.AdvanceApplication(a, verb, at, problem)
}

// AdvanceApplication is MoveApplication for a row that was read in this transaction: a
// row read earlier, and moved by somebody since, ends the transaction with an error.
func (tx *Tx) AdvanceApplication(a Application, verb warifu.Verb, at time.Time, problem string) (Application, error) {
	id, from := a.ID, a.State
	to, err := warifu.ApplicationLife.Next(from, verb)
	if err != nil {
		return Application{}, err
	}
	if err := tx.advance(warifu.ApplicationLife.Name, id, a.step, string(from), verb, string(to), at); err != nil {
		return Application{}, err
	}
	a.State, a.Problem = to, problem
	if verb == warifu.VerbIssue {
		a.IssuedAt = canonical(at)
	}
	if warifu.ApplicationLife.Final(to) {
		a.EndedAt = canonical(at)
	}
	n, err := tx.exec(`UPDATE applications SET state = $1, step = step + 1, problem = $2, issued_at = $3, ended_at = $4
		WHERE id = $5 AND state = $6 AND step = $7`,
		string(to), problem, micros(a.IssuedAt), micros(a.EndedAt), id, string(from), a.step)
	if err != nil {
		return Application{}, err
	}
	a.step++
	return a, tx.swapped(n)
}
