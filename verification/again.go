package verification

import (
	"context"
	"crypto/x509"
	"slices"
	"time"

	"warifu"
	"warifu/ledger"
	"warifu/profile"
	"warifu/store"
	"warifu/verify"
)

// own returns a verification of the party's own: another's does not exist for it.
func (d *Desk) own(tx *store.Tx, party Party, id string) (store.Verification, error) {
	row, err := tx.Verification(id)
	if err == nil && row.Party != party.ID {
		err = warifu.NotFound("verification-unknown")
	}
	return row, err
}

// evidenceOf opens the record of a verification: NotFound "evidence-absent" where none was
// kept, or the holder was erased since.
func evidenceOf(tx *store.Tx, row store.Verification) (*verify.Evidence, error) {
	if row.Record == (warifu.Digest{}) {
		return nil, warifu.NotFound("evidence-absent")
	}
	der, err := tx.UnsealBlob(row.Record)
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return nil, warifu.NotFound("evidence-absent")
	}
	if err != nil {
		return nil, err
	}
	return verify.ParseEvidence(der)
}

// Again judges a signature once more, from the evidence that was kept of it: nobody is asked
// about then. What its certificate is now stands beside it. It counts as a question. Errors:
// as Check, NotFound "verification-unknown", "evidence-absent".
func (d *Desk) Again(ctx context.Context, key, id string) (Answer, error) {
	party, row, e, err := d.fetch(ctx, key, id)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{ID: row.ID, Form: Form(row.Form), Document: row.Document, At: d.Clock.Now(), Holder: HeardNot}
	if a.Result, err = d.Verifier.Evidence(ctx, e, verify.Policy{}); err != nil {
		return Answer{}, err
	}
	a.Warnings = a.Result.Warnings
	a.Evidence = &Kept{ID: e.ID(), Until: row.Until}
	if certificate := a.Result.Certificate; certificate != nil {
		if a.Now, err = d.Verifier.Certificate(ctx, certificate, verify.Policy{}); err != nil {
			return Answer{}, err
		}
	}
	entry := ledger.Entry{At: a.At, What: ledger.CheckedAgain, Result: a.Result.Verdict.String()}
	return a, d.tell(ctx, party, row, entry, &a)
}

func (d *Desk) fetch(ctx context.Context, key, id string) (party Party, row store.Verification, e *verify.Evidence, err error) {
	if party, err = d.admit(ctx, key); err != nil {
		return party, row, nil, err
	}
	err = d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if row, err = d.own(tx, party, id); err != nil {
			return err
		}
		e, err = evidenceOf(tx, row)
		return err
	})
	return party, row, e, err
}

// tell completes an entry about a verification and writes it into its holder's ledger.
func (d *Desk) tell(ctx context.Context, party Party, row store.Verification, e ledger.Entry, a *Answer) error {
	if row.Person == (warifu.Digest{}) {
		return nil
	}
	subject, err := d.subject(row.Person, party)
	if err != nil {
		return err
	}
	err = d.Store.Write(ctx, func(tx *store.Tx) error { return d.append(tx, party, row, e) })
	if err == nil && a != nil {
		a.Holder, a.Subject = HeardAtOnce, subject
	}
	return err
}

// append writes an entry about a verification within a transaction.
func (d *Desk) append(tx *store.Tx, party Party, row store.Verification, e ledger.Entry) error {
	if row.Person == (warifu.Digest{}) {
		return nil
	}
	e.By, e.Name, e.Class, e.Kind, e.Reference = party.ID, party.Name, row.Class, row.Kind.String(), row.ID
	return d.Ledger.Append(tx, row.Person, e)
}

// Past is when the certificate behind a verification was not good.
type Past struct {
	AsOf  time.Time
	Holds []verify.Interval
}

// History tells it. It counts as a question. Errors: as Again, and those of the history.
func (d *Desk) History(ctx context.Context, key, id string) (Past, error) {
	party, row, e, err := d.fetch(ctx, key, id)
	if err != nil {
		return Past{}, err
	}
	der, err := d.fetchHistory(ctx, e)
	if err != nil {
		return Past{}, err
	}
	entry := ledger.Entry{At: d.Clock.Now(), What: ledger.History, Result: "told"}
	return der, d.tell(ctx, party, row, entry, nil)
}

func (d *Desk) fetchHistory(ctx context.Context, e *verify.Evidence) (Past, error) {
	if d.Sources.History == nil {
		return Past{}, warifu.NotFound("status-history-absent")
	}
	r, err := d.Verifier.Evidence(ctx, e, verify.Policy{})
	if err != nil {
		return Past{}, err
	}
	if r.Authority == nil {
		return Past{}, r.Err()
	}
	now := d.Clock.Now()
	der, err := d.Sources.History.Fetch(ctx, r.Certificate, r.Authority, now)
	if err != nil {
		return Past{}, err
	}
	past, err := verify.RawHistory(der).Holds(ctx, r.Certificate, r.Authority, now)
	return Past{AsOf: past.AsOf, Holds: past.Holds}, err
}

// Export gives a holder the evidence that a relying party has of them: a personal document.
// Errors: NotFound "verification-unknown" for what is not about them, "evidence-absent".
func (d *Desk) Export(ctx context.Context, person warifu.Digest, id string) ([]byte, error) {
	var e *verify.Evidence
	err := d.Store.Read(ctx, func(tx *store.Tx) error {
		row, err := tx.Verification(id)
		if err == nil && (row.Person != person || person == warifu.Digest{}) {
			err = warifu.NotFound("verification-unknown")
		}
		if err != nil {
			return err
		}
		e, err = evidenceOf(tx, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return e.Export()
}

const (
	// renewBefore is how long before a record stops proving it is renewed.
	renewBefore = 90 * day
	renewPage   = 100
	purgePage   = 200
)

// Renew adds time-stamps to the records whose newest one is about to stop proving, and
// returns how many.
func (d *Desk) Renew(ctx context.Context) (int, error) {
	if d.Sources.Stamper == nil {
		return 0, nil
	}
	var due []store.Verification
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.VerificationsToRenew(d.Clock.Now().Add(renewBefore), renewPage)
		return err
	})
	n := 0
	for _, row := range due {
		if err != nil {
			break
		}
		if err = d.renew(ctx, row); err == nil {
			n++
		}
	}
	return n, err
}

func (d *Desk) renew(ctx context.Context, row store.Verification) error {
	var e *verify.Evidence
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		e, err = evidenceOf(tx, row)
		return err
	})
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return nil // its holder was erased
	}
	if err != nil {
		return err
	}
	if err := e.Renew(ctx, d.Sources.Stamper); err != nil {
		return err
	}
	der, until, err := closed(e)
	if err != nil || !until.After(row.Until) {
		return err // no authority is there that lasts longer
	}
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		record, err := tx.SealBlob(row.Owner, der)
		if err != nil {
			return err
		}
		return tx.ReplaceRecord(row, record, until)
	})
}

// Purge takes away what the scheme keeps no longer, and returns how many verifications.
func (d *Desk) Purge(ctx context.Context) (int, error) {
	total := 0
	for {
		n := 0
		err := d.Store.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.PurgeVerifications(d.Clock.Now().Add(-d.Scheme.EvidenceKeep), purgePage)
			return err
		})
		if total += n; err != nil || n < purgePage {
			return total, err
		}
	}
}

// only returns the attributes named.
func only(list []verify.Attribute, a profile.Attributes) profile.Attributes {
	var out profile.Attributes
	if slices.Contains(list, verify.Name) {
		out.Name, out.NameSubstitution = a.Name, a.NameSubstitution
	}
	if slices.Contains(list, verify.Address) {
		out.Address, out.AddressSubstitution = a.Address, a.AddressSubstitution
	}
	if slices.Contains(list, verify.BirthDate) {
		out.BirthDate = a.BirthDate
	}
	if slices.Contains(list, verify.Gender) {
		out.Gender = a.Gender
	}
	return out
}

// attributesOf are those in a certificate; zero where it carries none.
func attributesOf(der []byte) (profile.Attributes, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return profile.Attributes{}, err
	}
	a, _, err := profile.ParseAttributes(c)
	return a, err
}
