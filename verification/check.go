package verification

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"warifu"
	"warifu/ledger"
	"warifu/profile"
	"warifu/store"
	"warifu/verify"
)

// Answer is what a relying party is told. It carries no certificate and no serial number.
type Answer struct {
	ID       string // of the verification: what the relying party keeps
	Form     Form
	Result   *verify.Result
	Subject  string   // by which this relying party, and nobody else, knows the holder; "" where not known
	Changes  []string // of a PDF file: what came after the signature
	Document warifu.Digest
	At       time.Time // when it was asked
	// Attributes are those asked for, of a good signature, as far as they may be told.
	Attributes profile.Attributes
	Warnings   []*warifu.Error // the result's, and why attributes were not told
	Evidence   *Kept           // nil: none was kept, and NoEvidence says why
	NoEvidence string          // slug
	Holder     Heard
	Now        *verify.Result // of Again: the certificate's status at present
}

// Kept is what a relying party keeps of the evidence.
type Kept struct {
	ID    warifu.Digest // the record's name: the same for good, also when it is renewed
	Until time.Time     // when its newest time-stamp stops proving; it is renewed before
}

// Heard says whether the question stands in the holder's ledger.
type Heard string

// What holders hear.
const (
	HeardAtOnce Heard = "at-once"
	HeardLate   Heard = "late"   // this node is cut off: it will stand there, marked late
	HeardNot    Heard = "nobody" // nobody with a ledger here is behind it
)

// Check answers a question and writes it into the holder's ledger. Errors: Unauthenticated
// "relying-party-unknown", TooMany "party-questions-too-many", Refused "attributes-not-yours", Invalid
// "verification-incomplete", "verification-field-wanted", TooLarge "verification-too-large".
// That something is not good is no error.
func (d *Desk) Check(ctx context.Context, key string, q Question) (Answer, error) {
	party, err := d.admit(ctx, key)
	if err != nil {
		return Answer{}, err
	}
	if err := q.check(); err != nil {
		return Answer{}, err
	}
	if !allows(party.Attributes, q.Attributes) {
		return Answer{}, warifu.Refused("attributes-not-yours")
	}
	told := q.Attributes
	if d.Scheme.AttributeConsent {
		told = nil
	}
	j, err := d.judge(ctx, q, told)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{ID: d.Store.NewID(), Form: q.Form, Result: j.Result, Changes: j.changes, Document: j.document, At: d.Clock.Now(), Warnings: j.Warnings, Holder: HeardNot}
	if j.Verdict == verify.Good {
		a.Attributes = j.Attributes
		if len(told) < len(q.Attributes) {
			a.Warnings = append(a.Warnings, warifu.Refused("attributes-need-consent"))
		}
	}
	record := d.gather(ctx, j, &a)
	err = d.Store.Write(ctx, func(tx *store.Tx) error { return d.keep(tx, party, q, record, &a) })
	if away(err) && d.Spool != nil {
		err = d.spool(party, q, &a)
	}
	return a, err
}

func allows(may, wanted []verify.Attribute) bool {
	for _, w := range wanted {
		ok := false
		for _, m := range may {
			ok = ok || m == w
		}
		if !ok {
			return false
		}
	}
	return true
}

// gather makes the evidence for a good signature; nil where there is none, and a says why.
func (d *Desk) gather(ctx context.Context, j judged, a *Answer) []byte {
	switch {
	case j.subject == nil:
		a.NoEvidence = "evidence-nothing-signed"
	case j.Verdict != verify.Good:
		a.NoEvidence = "evidence-not-good"
	case d.Sources.Stamper == nil:
		a.NoEvidence = "evidence-no-stamper"
	}
	if a.NoEvidence != "" {
		return nil
	}
	subject, err := j.subject()
	if err != nil {
		a.NoEvidence = warifu.ProblemOf(err).Problem
		return nil
	}
	e, _, err := d.Verifier.Gather(ctx, subject, d.Sources, verify.Policy{})
	if err != nil {
		a.NoEvidence = warifu.ProblemOf(err).Problem
		d.Log.ErrorContext(ctx, "evidence", "problem", a.NoEvidence, "error", err.Error())
		return nil
	}
	der, until, err := closed(e)
	if err != nil || len(der) > store.MaxBlob {
		a.NoEvidence = "evidence-too-large"
		return nil
	}
	a.Evidence = &Kept{ID: e.ID(), Until: until}
	return der
}

func closed(e *verify.Evidence) ([]byte, time.Time, error) {
	der, err := e.Marshal()
	if err != nil {
		return nil, time.Time{}, err
	}
	until, err := e.Until()
	return der, until, err
}

// keep writes the verification down, and into the holder's ledger.
func (d *Desk) keep(tx *store.Tx, party Party, q Question, record []byte, a *Answer) error {
	row := store.Verification{ID: a.ID, Party: party.ID, Form: string(q.Form), Document: a.Document, Verdict: a.Result.Verdict.String(), At: a.At}
	if !a.Attributes.IsZero() {
		row.Told = strings.Join(NamesOf(q.Attributes), ",")
	}
	known, err := d.whose(tx, a.Result, &row)
	if err != nil {
		return err
	}
	if known {
		if a.Subject, err = d.subject(row.Person, party); err != nil {
			return err
		}
	}
	if record != nil {
		if row.Record, err = tx.SealBlob(row.Owner, record); err != nil {
			return err
		}
		row.Until = a.Evidence.Until
	}
	if err := tx.InsertVerification(row); err != nil || !known {
		return err
	}
	a.Holder = HeardAtOnce
	return d.Ledger.Append(tx, row.Person, entryOf(party, q, a, row))
}

// subject is the pairwise name.
func (d *Desk) subject(person warifu.Digest, party Party) (string, error) {
	b, err := d.Store.Pairwise(person, party.ID)
	return hex.EncodeToString(b), err
}

// ownerLabel names whose key seals a record where no person is known.
const ownerLabel = "warifu-verification-owner-v1"

// whose fills in what a believed certificate says, and whose it is.
func (d *Desk) whose(tx *store.Tx, r *verify.Result, row *store.Verification) (known bool, err error) {
	if r.Authority == nil {
		return false, nil
	}
	row.Class, row.Kind, row.Serial = r.Class.String(), r.Kind, r.Certificate.SerialNumber.Bytes()
	if row.Person, known, err = personOf(tx, r.Class, r.Kind, row.Serial); err != nil {
		return false, err
	}
	if row.Owner = row.Person; !known {
		name := binary.BigEndian.AppendUint16([]byte(ownerLabel), uint16(r.Kind))
		row.Owner = warifu.DigestOf(append(name, row.Serial...))
	}
	return known, nil
}

// personOf returns whose certificate it is, as far as it is known here.
func personOf(tx *store.Tx, class profile.Class, kind warifu.Kind, serial []byte) (warifu.Digest, bool, error) {
	if class == profile.ClassCard {
		return tx.PersonOfCard(kind, serial)
	}
	c, err := tx.CredentialBySerial(kind, serial)
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return warifu.Digest{}, false, nil
	}
	return c.Person, err == nil, err
}

func entryOf(party Party, q Question, a *Answer, row store.Verification) ledger.Entry {
	e := ledger.Entry{
		At: a.At, By: party.ID, Name: party.Name, What: whatOf(q.Form), Purpose: q.Purpose, Class: row.Class, Kind: row.Kind.String(),
		Result: a.Result.Verdict.String(), Reference: a.ID,
	}
	for _, r := range a.Result.Reasons {
		e.Reasons = append(e.Reasons, r.Problem)
	}
	return e
}

func whatOf(f Form) string {
	switch f {
	case FormPresence:
		return ledger.LoggedIn
	case FormCertificate:
		return ledger.Asked
	}
	return ledger.Signed
}
