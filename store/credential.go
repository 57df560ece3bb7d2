package store

import (
	"time"

	"warifu"
)

// Credential is one certificate on a phone.
type Credential struct {
	ID          string
	Application string
	Person      warifu.Digest
	Element     warifu.ElementID
	Kind        warifu.Kind
	Serial      []byte        // big-endian, without sign octet
	PublicKey   warifu.Digest // of the SubjectPublicKeyInfo
	Certificate warifu.Digest // a sealed blob; zero where an unfinished intent counts as issued
	State       warifu.CredentialState
	Reason      warifu.Reason // of the last move
	// Status is what may be said of the certificate, kept beside the state because
	// expiry changes nothing in it: what was on hold when it expired stays so.
	Status   warifu.Status
	NotAfter time.Time
	// BegunAt is when it was written, ActivatedAt when it first became active, EndedAt
	// when no arrow was left.
	BegunAt, ActivatedAt, EndedAt time.Time

	step int64
}

const credentialColumns = `id, step, state, application, person, element, kind, serial, public_key, certificate, reason,
	cert_status, status_reason, status_at, not_after, begun_at, activated_at, ended_at`

func scanCredential(s scanner) (Credential, error) {
	var c Credential
	var state string
	err := s.Scan(&c.ID, &c.step, &state, &c.Application, fixed{c.Person[:]}, fixed{c.Element[:]}, &c.Kind, &c.Serial,
		fixed{c.PublicKey[:]}, fixed{c.Certificate[:]}, &c.Reason, &c.Status.Cert, &c.Status.Reason, instant{&c.Status.RevokedAt},
		instant{&c.NotAfter}, instant{&c.BegunAt}, instant{&c.ActivatedAt}, instant{&c.EndedAt})
	c.State = warifu.CredentialState(state)
	return c, err
}

// InsertCredential writes a new credential, which begins as pending with the status
// unknown whatever c.State says; at becomes its BegunAt. The database refuses a second
// one of the same kind for the application, the same serial or the same key.
func (tx *Tx) InsertCredential(c Credential, at time.Time) error {
	if c.ID == "" || !c.Kind.Valid() || len(c.Serial) == 0 {
		return tx.fail(errIncomplete)
	}
	initial := string(warifu.CredentialLife.Initial)
	if err := tx.begin(warifu.CredentialLife.Name, c.ID, initial, at); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO credentials (`+credentialColumns+`)
		VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, 0, $10, $11, 0, 0)`,
		c.ID, initial, c.Application, c.Person[:], c.Element[:], int64(c.Kind), c.Serial, c.PublicKey[:], octets(c.Certificate[:]),
		micros(c.NotAfter), micros(at))
	return err
}

func missingCredential() *warifu.Error { return warifu.NotFound("credential-unknown") }

// Credential returns one by id, or NotFound "credential-unknown".
func (tx *Tx) Credential(id string) (Credential, error) {
	return only(tx.work, missingCredential(), scanCredential, `SELECT `+credentialColumns+` FROM credentials WHERE id = $1`, id)
}

// CredentialBySerial returns the one its authority gave that serial, or NotFound
// "credential-unknown".
func (tx *Tx) CredentialBySerial(kind warifu.Kind, serial []byte) (Credential, error) {
	return only(tx.work, missingCredential(), scanCredential,
		`SELECT `+credentialColumns+` FROM credentials WHERE kind = $1 AND serial = $2`, int64(kind), serial)
}

// CredentialsOfApplication returns an application's credentials in order of kind.
func (tx *Tx) CredentialsOfApplication(application string) ([]Credential, error) {
	return list(tx.work, scanCredential,
		`SELECT `+credentialColumns+` FROM credentials WHERE application = $1 ORDER BY kind`, application)
}

// CredentialsOfElement returns every credential ever made for a secure element, oldest first.
func (tx *Tx) CredentialsOfElement(element warifu.ElementID) ([]Credential, error) {
	return list(tx.work, scanCredential, `SELECT `+credentialColumns+` FROM credentials WHERE element = $1 ORDER BY begun_at, kind`, element[:])
}

// LiveCredentials returns a person's active and held credentials, oldest first.
func (tx *Tx) LiveCredentials(person warifu.Digest) ([]Credential, error) {
	return list(tx.work, scanCredential, `SELECT `+credentialColumns+` FROM credentials
		WHERE person = $1 AND state IN ('active', 'held') ORDER BY begun_at, kind`, person[:])
}

// MoveCredential takes a credential along the arrow verb of the root's
// CredentialLife, appends the change of its status to the feed in the same
// transaction, and returns it as it is then. Supersede a person's old credential
// before the new one is activated: the database allows one active of a kind. An
// audit line with the same subject and verb must be written in the same transaction.
// Errors: NotFound "credential-unknown", Conflict "transition-illegal".
func (tx *Tx) MoveCredential(id string, verb warifu.Verb, reason warifu.Reason, at time.Time) (Credential, error) {
	c, err := tx.Credential(id)
	if err != nil {
		return Credential{}, err
	}
	from := c.State
	to, err := warifu.CredentialLife.Next(from, verb)
	if err != nil {
		return Credential{}, err
	}
	if err := tx.advance(warifu.CredentialLife.Name, id, c.step, string(from), verb, string(to), at); err != nil {
		return Credential{}, err
	}
	at = canonical(at)
	status := statusAfter(c.Status, verb, reason, at)
	if status != c.Status {
		c.Status = status
		tx.announce(c.record(), at)
	}
	c.State, c.Reason = to, reason
	if to == warifu.CredentialActive && c.ActivatedAt.IsZero() {
		c.ActivatedAt = at
	}
	if warifu.CredentialLife.Final(to) {
		c.EndedAt = at
	}
	return tx.saveMove(c, from)
}

func (tx *Tx) saveMove(c Credential, from warifu.CredentialState) (Credential, error) {
	n, err := tx.exec(`UPDATE credentials SET state = $1, step = step + 1, reason = $2, cert_status = $3, status_reason = $4,
		status_at = $5, activated_at = $6, ended_at = $7 WHERE id = $8 AND state = $9 AND step = $10`,
		string(c.State), int64(c.Reason), int64(c.Status.Cert), int64(c.Status.Reason), micros(c.Status.RevokedAt),
		micros(c.ActivatedAt), micros(c.EndedAt), c.ID, string(from), c.step)
	if err != nil {
		return Credential{}, err
	}
	c.step++
	return c, tx.swapped(n)
}

// statusAfter says what a move makes of a certificate's status. Only a move makes
// anything good, and only from pending or from a hold.
func statusAfter(old warifu.Status, verb warifu.Verb, reason warifu.Reason, at time.Time) warifu.Status {
	switch verb {
	case warifu.VerbActivate, warifu.VerbResume:
		return warifu.Status{Cert: warifu.StatusGood}
	case warifu.VerbSuspend:
		return warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: at}
	case warifu.VerbSupersede:
		return warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonSuperseded, RevokedAt: at}
	case warifu.VerbRevoke:
		return warifu.Status{Cert: warifu.StatusRevoked, Reason: reason, RevokedAt: at}
	}
	return old // expiry
}

func (c Credential) record() warifu.StatusRecord {
	return warifu.StatusRecord{Kind: c.Kind, Serial: c.Serial, Status: c.Status, NotAfter: c.NotAfter}
}
