package registration

import (
	"context"
	"crypto/x509"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"warifu"
	"warifu/queue"
	"warifu/store"
)

// The jobs and how many of them one commit takes.
const (
	jobIssue    = "issue"
	jobNotify   = "notify"
	jobSettle   = "settle"
	issueBatch  = 64
	notifyBatch = 64
	settleBatch = 64
)

// gathering is how many applications of a batch have their evidence fetched at a
// time: each asks the card bureau two or three questions, and waits.
const gathering = 16

// attempt is one application on its way through the certification authorities.
type attempt struct {
	row      store.Application
	evidence Evidence
	issued   map[warifu.Kind][]byte
	final    error // refused for good
	again    error // to be tried again
	skip     bool  // nothing left to do
	loaded   bool  // row is there, and the papers unless skip
}

// issue is the job that turns submitted applications into issued ones. It fetches
// a fresh card statement and fresh status answers, hands the evidence to each
// authority, and records what came back, all results of a batch in one commit.
func (a *Authority) issue(ctx context.Context, jobs []queue.Job) []queue.Result {
	attempts := a.gatherAll(ctx, jobs)
	for _, kind := range warifu.Kinds {
		a.askIssuer(ctx, kind, attempts)
	}
	results := make([]queue.Result, len(jobs))
	for i, t := range attempts {
		results[i] = a.conclude(t, jobs[i])
	}
	return results
}

// gatherAll gathers the evidence of a whole batch, some at a time, in order.
func (a *Authority) gatherAll(ctx context.Context, jobs []queue.Job) []*attempt {
	attempts := a.load(ctx, jobs)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(gathering, len(jobs)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(jobs)); i = next.Add(1) - 1 {
				a.gather(ctx, jobs[i].Application, attempts[i])
			}
		})
	}
	all.Wait()
	return attempts
}

// load reads a batch of applications and their papers in one transaction. Where one
// cannot be read nobody's papers are there, and gather reads each by itself, so that
// it does not take the others with it.
func (a *Authority) load(ctx context.Context, jobs []queue.Job) (attempts []*attempt) {
	attempts = make([]*attempt, len(jobs))
	fresh := func() {
		for i := range attempts {
			attempts[i] = &attempt{issued: map[warifu.Kind][]byte{}}
		}
	}
	defer func() {
		if recover() != nil { // gather will find out at whose papers, and tell
			fresh()
		}
	}()
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		fresh()
		for i, t := range attempts {
			if err := t.read(tx, jobs[i].Application); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		fresh()
	}
	return attempts
}

// read loads an application and its papers.
func (t *attempt) read(tx *store.Tx, id string) (err error) {
	if t.row, err = tx.Application(id); err != nil {
		return err
	}
	t.loaded = true
	if t.row.State != warifu.ApplicationSubmitted {
		t.skip = true // withdrawn meanwhile, or issued by a worker that died afterwards
		return nil
	}
	return t.unseal(tx)
}

// gather loads an application that load could not, and the evidence for it. It runs
// beside others, so a panic here would end the process and not only the batch.
func (a *Authority) gather(ctx context.Context, id string, t *attempt) {
	defer func() {
		if recover() != nil { // what it choked on may be personal: only the place is told
			a.Log.Error("evidence: panic", "application", id, "stack", string(debug.Stack()))
			t.again = &warifu.Error{Code: warifu.CodeInternal, Problem: "internal"}
		}
	}()
	var err error
	if !t.loaded {
		err = a.Store.Read(ctx, func(tx *store.Tx) error { return t.read(tx, id) })
	}
	if err == nil && !t.skip {
		err = a.freshEvidence(ctx, t)
	}
	t.failed(err)
}

func (t *attempt) failed(err error) {
	switch {
	case err == nil:
	case retryable(err), waitsForLift(err):
		t.again = err
	default:
		t.final = err
	}
}

// waitsForLift reports whether the card's suspension is all that stands in the way: it
// puts an application off and ends nothing (K14); what outlasts it revokes or expires the card.
func waitsForLift(err error) bool { return errors.Is(err, &warifu.Error{Problem: "card-held"}) }

func (t *attempt) open() bool { return !t.skip && t.final == nil && t.again == nil }

func (t *attempt) unseal(tx *store.Tx) error {
	e, row := &t.evidence, t.row
	digests := []warifu.Digest{row.Signed, row.Attestation, row.SecretsSet}
	digests = append(digests, row.Chain...)
	if slices.Contains(row.Kinds, warifu.Authentication) {
		digests = append(digests, row.Parent.AuthenticationCertificate)
	}
	plains, err := tx.UnsealBlobs(row.Person, digests)
	if err != nil {
		return err
	}
	e.Document, e.Attestation, e.SecretsSet, e.Chain = plains[0], plains[1], plains[2], plains[3:3+len(row.Chain)]
	if len(plains) > 3+len(row.Chain) {
		e.CardAuthentication = plains[3+len(row.Chain)]
	}
	return nil
}

// freshEvidence fetches the card statement and the status answers now, when the
// job runs: an application may have waited overnight (K1).
func (a *Authority) freshEvidence(ctx context.Context, t *attempt) error {
	signer, err := signerOf(t.evidence.Document)
	if err != nil {
		return err
	}
	statement, envelope, err := a.cardOf(ctx, signer, t.row.Document, t.row.Kinds, t.evidence.CardAuthentication)
	if err != nil {
		return err
	}
	if statement.Person != t.row.Person {
		return warifu.Refused("card-statement-other-card")
	}
	t.evidence.Statement = envelope
	t.evidence.CardStatus = map[warifu.Kind][]byte{}
	for _, c := range statement.Certificates {
		// The signing certificate always: it signed the application.
		if c.Kind != warifu.Signature && !slices.Contains(t.row.Kinds, c.Kind) {
			continue
		}
		answer, err := a.Bureau.Status(ctx, c.Kind, c.Serial)
		if err != nil {
			return err
		}
		if err := a.checkStatus(ctx, c.Kind, t.parent(c.Kind, signer), answer); err != nil {
			return err
		}
		t.evidence.CardStatus[c.Kind] = answer
	}
	return nil
}

// parent is the card's certificate of the kind, DER.
func (t *attempt) parent(kind warifu.Kind, signer *x509.Certificate) []byte {
	if kind == warifu.Signature {
		return signer.Raw
	}
	return t.evidence.CardAuthentication
}

func signerOf(document []byte) (*x509.Certificate, error) {
	message, err := parseDocument(document)
	if err != nil {
		return nil, err
	}
	return message.Signer, nil
}

// askIssuer hands every open attempt that asked for the kind to its authority.
func (a *Authority) askIssuer(ctx context.Context, kind warifu.Kind, attempts []*attempt) {
	var asking []*attempt
	var requests []Evidence
	for _, t := range attempts {
		if t.open() && slices.Contains(t.row.Kinds, kind) {
			asking = append(asking, t)
			requests = append(requests, t.evidence)
		}
	}
	if len(requests) == 0 {
		return
	}
	for i, o := range a.Issuers[kind].Issue(ctx, requests) {
		if o.Err == nil {
			asking[i].issued[kind] = o.Certificate
		}
		asking[i].failed(o.Err)
	}
}

// conclude says how the job ends. A refusal by one authority after the other has
// issued revokes what was issued (design §3.5).
func (a *Authority) conclude(t *attempt, j queue.Job) queue.Result {
	switch {
	case t.skip:
		return queue.Result{Outcome: queue.Done}
	case t.again != nil:
		a.Log.Warn("issue put off", "application", t.row.ID, "attempt", j.Attempt, "problem", warifu.ProblemOf(t.again).Problem, "error", t.again.Error())
		return queue.Result{Outcome: queue.Retry, Err: t.again}
	case t.final != nil:
		problem := warifu.ProblemOf(t.final).Problem
		a.Log.Info("application rejected", "application", t.row.ID, "problem", problem)
		return queue.Result{Outcome: queue.Done, Write: func(tx *store.Tx) error { return a.reject(tx, t, problem) }}
	}
	return queue.Result{Outcome: queue.Done, Write: func(tx *store.Tx) error { return a.record(tx, t) }}
}

// record writes the credentials, pending until the chip has them, and the notice.
func (a *Authority) record(tx *store.Tx, t *attempt) error {
	row, err := tx.Application(t.row.ID)
	if err != nil {
		return err
	}
	if row.State != warifu.ApplicationSubmitted {
		return a.listAsRevoked(tx, t, "") // withdrawn while the authorities signed
	}
	// Credentials are written with the move away from submitted, and so are none yet.
	if err := a.writeCredentials(tx, t, nil); err != nil {
		return err
	}
	now := a.Clock.Now()
	if _, err := tx.AdvanceApplication(row, warifu.VerbIssue, now, ""); err != nil {
		return err
	}
	if err := tx.Audit(store.Line{At: now, Actor: actorHouse, Verb: warifu.VerbIssue, Subject: t.row.ID}); err != nil {
		return err
	}
	replaced, err := tx.LiveCredentials(t.row.Person)
	if err == nil {
		err = a.tellOlder(tx, t.row, replaced)
	}
	if err != nil {
		return err
	}
	return a.Queue.Enqueue(tx, queue.Job{Kind: jobNotify, Application: t.row.ID, DueAt: now})
}

func (a *Authority) reject(tx *store.Tx, t *attempt, problem string) error {
	still, err := stillSubmitted(tx, t.row.ID)
	if err != nil {
		return err
	}
	if !still {
		return a.listAsRevoked(tx, t, "")
	}
	if err := a.insertCredentials(tx, t); err != nil { // what the other authority signed is listed with it
		return err
	}
	if err := a.endOpen(tx, t.row, warifu.VerbReject, problem, actorHouse, ""); err != nil {
		return err
	}
	return a.Queue.Enqueue(tx, queue.Job{Kind: jobNotify, Application: t.row.ID, DueAt: a.Clock.Now()})
}

func stillSubmitted(tx *store.Tx, id string) (bool, error) {
	row, err := tx.Application(id)
	return row.State == warifu.ApplicationSubmitted, err
}

// listAsRevoked records what was signed for an application that ends, as revoked:
// a signed certificate that never becomes active stays listed.
func (a *Authority) listAsRevoked(tx *store.Tx, t *attempt, cause string) error {
	if err := a.insertCredentials(tx, t); err != nil {
		return err
	}
	return a.revokeAll(tx, t.row.ID, cause)
}

// insertCredentials seals each certificate and writes its pending credential,
// unless an earlier run of the job has.
func (a *Authority) insertCredentials(tx *store.Tx, t *attempt) error {
	written, err := tx.CredentialsOfApplication(t.row.ID)
	if err != nil {
		return err
	}
	return a.writeCredentials(tx, t, written)
}

// writeCredentials seals the certificates, all in one statement, and writes the
// credentials of those kinds that are not written yet.
func (a *Authority) writeCredentials(tx *store.Tx, t *attempt, written []store.Credential) error {
	var kinds []warifu.Kind
	var certificates [][]byte
	for _, kind := range warifu.Kinds {
		der, ok := t.issued[kind]
		there := slices.ContainsFunc(written, func(c store.Credential) bool { return c.Kind == kind })
		if ok && !there {
			kinds, certificates = append(kinds, kind), append(certificates, der)
		}
	}
	sealed, err := tx.SealBlobs(t.row.Person, certificates)
	if err != nil {
		return err
	}
	for i, kind := range kinds {
		if err := a.insertCredential(tx, t.row, kind, certificates[i], sealed[i]); err != nil {
			return err
		}
	}
	return nil
}

func (a *Authority) insertCredential(tx *store.Tx, row store.Application, kind warifu.Kind, der []byte, sealed warifu.Digest) error {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	return tx.InsertCredential(store.Credential{
		ID: credentialID(row.ID, kind), Application: row.ID, Person: row.Person, Element: row.Element, Kind: kind,
		Serial: certificate.SerialNumber.Bytes(), PublicKey: warifu.DigestOf(certificate.RawSubjectPublicKeyInfo),
		Certificate: sealed, NotAfter: certificate.NotAfter,
	}, a.Clock.Now())
}

// credentialID names a credential after its application, so that a job that runs
// twice cannot write two.
func credentialID(application string, kind warifu.Kind) string {
	return "c" + application[1:] + "-" + kind.String()
}

// notify is the job that tells the phone (R42). Whoever forbade notices asks for
// the status instead (R43), so a phone that cannot be reached is not an error.
func (a *Authority) notify(ctx context.Context, jobs []queue.Job) []queue.Result {
	results, elements := make([]queue.Result, len(jobs)), make([]warifu.ElementID, len(jobs))
	missing := make([]error, len(jobs))
	broken := a.Store.Read(ctx, func(tx *store.Tx) error {
		for i, j := range jobs {
			row, err := tx.Application(j.Application)
			elements[i], missing[i] = row.Element, err
		}
		return nil
	})
	for i, j := range jobs {
		err := errors.Join(broken, missing[i])
		if err == nil {
			err = a.Pusher.Push(ctx, elements[i], j.Application)
		}
		results[i] = queue.Result{Outcome: queue.Done}
		if err != nil {
			results[i] = queue.Result{Outcome: queue.Retry, Err: err}
		}
	}
	return results
}
