package registration

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/queue"
	"warifu/store"
)

// Application is what the house tells of an application: nothing personal.
type Application struct {
	ID      string
	State   warifu.ApplicationState
	Kinds   []warifu.Kind
	Problem string    // slug, when rejected
	Held    bool      // personalizing waits for the hold's lift
	Due     time.Time // when issuing may begin (K1)
	Lapses  time.Time // when issued: last instant to fetch
}

// Apply accepts a submission. Sending the same again returns the same application
// (the document's identity and signer decide). The application row, its audit lines,
// the withdrawal of an older open application of the same person and the job are one
// transaction; when Apply returns, they are durable. A document that another card has
// signed as well is Conflict "application-exists".
func (a *Authority) Apply(ctx context.Context, s Submission) (Application, error) {
	message, err := parseDocument(s.Document)
	if err != nil {
		return Application{}, err
	}
	accepted, err := a.applyNew(ctx, s, message)
	if err == nil {
		return accepted, nil
	}
	// Hardly anybody sends twice, so whether this one did is asked only now.
	if known, found, again := a.known(ctx, message); again == nil && found {
		return known, nil
	}
	return Application{}, err
}

// applyNew accepts a submission that is not known; one that is it refuses, by its
// challenge at the latest.
func (a *Authority) applyNew(ctx context.Context, s Submission, message *cms.Message) (Application, error) {
	contact, err := a.contactOf(s)
	if err != nil {
		return Application{}, err
	}
	c, err := a.check(ctx, s, message)
	if err != nil {
		return Application{}, err
	}
	if err := bornAsCertified(contact, c.signer); err != nil {
		return Application{}, err
	}
	statement, envelope, err := a.cardOf(ctx, c.signer, c.identity, c.document.Kinds(), s.CardAuthentication)
	if err != nil {
		return Application{}, err
	}
	row, err := a.newRow(c, statement)
	if err != nil {
		return Application{}, err
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		if err := a.accept(tx, row, s, c, envelope); err != nil || contact == nil {
			return err
		}
		return registerContact(tx, row, *contact)
	})
	if err != nil {
		return Application{}, err
	}
	return a.view(row, false), nil
}

// known finds the application that this very document made earlier. The signature
// may be another one, of a second tap, but it must hold and be the same card's:
// whoever merely saw a document learns nothing by handing it in.
func (a *Authority) known(ctx context.Context, message *cms.Message) (Application, bool, error) {
	var row store.Application
	var held bool
	err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if row, err = tx.ApplicationByDocument(warifu.DigestOf(message.Content)); err != nil {
			return err
		}
		held, err = isHeld(tx, row.ID)
		return err
	})
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return Application{}, false, nil
	}
	if err != nil {
		return Application{}, false, err
	}
	if warifu.DigestOf(message.Signer.Raw) != row.Parent.SignatureCertificate || message.Verify(nil) != nil {
		return Application{}, false, nil // check will say what is wrong with it
	}
	return a.view(row, held), true, nil
}

func (a *Authority) newRow(c checked, statement attest.CardStatement) (store.Application, error) {
	id, err := a.newID("a")
	if err != nil {
		return store.Application{}, err
	}
	now := a.Clock.Now()
	d := c.document
	return store.Application{
		ID: id, Document: c.identity, Person: statement.Person, Element: d.Element, Model: d.Model, OSBuild: d.OSBuild,
		AppVersion: d.AppVersion, Kinds: d.Kinds(), State: warifu.ApplicationSubmitted, Scheme: d.Scheme, Consent: d.Consent,
		SubmittedAt: now, DueAt: a.Scheme.Hours.Due(now), Parent: parentOf(statement),
	}, nil
}

func parentOf(s attest.CardStatement) store.Parent {
	var p store.Parent
	if c, ok := s.Of(warifu.Signature); ok {
		p.SignatureSerial, p.SignatureCertificate, p.SignatureNotAfter = c.Serial, c.Certificate, c.NotAfter
	}
	if c, ok := s.Of(warifu.Authentication); ok {
		p.AuthenticationSerial, p.AuthenticationCertificate, p.AuthenticationNotAfter = c.Serial, c.Certificate, c.NotAfter
	}
	return p
}

// accept writes the application and everything that belongs to it.
func (a *Authority) accept(tx *store.Tx, row store.Application, s Submission, c checked, statement []byte) error {
	rivals, err := tx.Rivals(row.Document, row.Person)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(rivals, func(r store.Application) bool { return r.Document == row.Document }) {
		return warifu.Conflict("application-exists") // before the challenge is found to be used: it is, by that one
	}
	if err := tx.UseChallenge(warifu.DigestOf(c.document.Challenge), c.expires); err != nil {
		return err
	}
	cause := tx.NewID()
	if err := a.withdrawOlder(tx, rivals, cause); err != nil {
		return err
	}
	if err := seal(tx, &row, s, statement); err != nil {
		return err
	}
	if err := tx.InsertApplication(row); err != nil {
		return err
	}
	line := store.Line{ID: cause, At: row.SubmittedAt, Actor: actorElement(row.Element), Verb: verbApply, Subject: row.ID}
	if err := tx.Audit(line); err != nil {
		return err
	}
	return a.Queue.Enqueue(tx, queue.Job{Kind: jobIssue, Application: row.ID, DueAt: row.DueAt})
}

// seal puts every paper of the submission into the sealed table and its digest
// into the row.
func seal(tx *store.Tx, row *store.Application, s Submission, statement []byte) error {
	type paper struct {
		plain []byte
		at    *warifu.Digest
	}
	papers := []paper{{s.Document, &row.Signed}, {s.Attestation, &row.Attestation}, {s.SecretsSet, &row.SecretsSet}, {statement, &row.Statement}}
	row.Chain = make([]warifu.Digest, len(s.Chain))
	for i := range s.Chain {
		papers = append(papers, paper{s.Chain[i], &row.Chain[i]})
	}
	if len(s.CardAuthentication) > 0 {
		papers = append(papers, paper{s.CardAuthentication, new(warifu.Digest)}) // found by row.Parent's digest
	}
	plains := make([][]byte, len(papers))
	for i, p := range papers {
		plains[i] = p.plain
	}
	digests, err := tx.SealBlobs(row.Person, plains)
	if err != nil {
		return err
	}
	for i, p := range papers {
		*p.at = digests[i]
	}
	return nil
}

// withdrawOlder ends every open application of the same person: a newer one
// withdraws the older (design §3.3).
func (a *Authority) withdrawOlder(tx *store.Tx, open []store.Application, cause string) error {
	for _, older := range open {
		if err := a.endOpen(tx, older, warifu.VerbWithdraw, "", actorHouse, cause); err != nil {
			return err
		}
	}
	return nil
}

// verbApply, verbHold and verbLift stand in audit lines only: they begin or pause a
// life and are no arrow of it.
const (
	verbApply warifu.Verb = "apply"
	verbHold  warifu.Verb = "hold"
	verbLift  warifu.Verb = "lift"
)

const actorHouse = "registration"

func actorElement(id warifu.ElementID) string { return "element:" + id.String() }

func isHeld(tx *store.Tx, application string) (bool, error) {
	holds, err := tx.Holds(application)
	return len(holds) > 0, err
}

// Application returns what may be told of an application to whoever knows its identifier.
func (a *Authority) Application(ctx context.Context, id string) (Application, error) {
	row, held, err := a.row(ctx, id)
	if err != nil {
		return Application{}, err
	}
	return a.view(row, held), nil
}

func (a *Authority) row(ctx context.Context, id string) (row store.Application, held bool, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		if row, err = tx.Application(id); err != nil {
			return err
		}
		held, err = isHeld(tx, id)
		return err
	})
	return row, held, err
}

func (a *Authority) view(row store.Application, held bool) Application {
	v := Application{ID: row.ID, State: row.State, Kinds: row.Kinds, Problem: row.Problem, Held: held, Due: row.DueAt}
	if row.State == warifu.ApplicationIssued {
		v.Lapses = row.IssuedAt.Add(a.Scheme.ApplicationLapse)
	}
	return v
}
