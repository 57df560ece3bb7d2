package crashtest_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/store"
)

// books are a server's databases, opened after it has stopped.
type books struct {
	store   *store.Store
	bare    *sql.DB
	ledgers map[warifu.Kind]*store.Ledger
	intents []intent // of both ledgers
}

// intent is one row of a ledger.
type intent struct {
	kind                warifu.Kind
	serial              []byte
	document, publicKey warifu.Digest
	certificate         warifu.Digest // zero: none recorded
}

func (tn *town) openBooks(t *testing.T) *books {
	t.Helper()
	seal, err := tn.keys.Symmetric("seal")
	must(t, err)
	b := &books{bare: bare(t, tn.db.registration), ledgers: map[warifu.Kind]*store.Ledger{}}
	b.store, err = store.Open(t.Context(), tn.db.registration, seal, clock)
	must(t, err)
	t.Cleanup(func() { must(t, b.store.Close()) })
	for kind, dsn := range tn.db.ledgers {
		ledger, err := store.OpenLedger(t.Context(), dsn, seal)
		must(t, err)
		t.Cleanup(func() { must(t, ledger.Close()) })
		b.ledgers[kind] = ledger
		b.readLedger(t, kind, bare(t, dsn))
	}
	return b
}

// bare opens a database past the store, as an operator with a shell would.
func bare(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver, name := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, name)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	if driver == "sqlite" {
		var sound string
		must(t, db.QueryRow("PRAGMA integrity_check").Scan(&sound))
		want(t, "integrity of "+dsn, sound, "ok")
	}
	return db
}

// count is the single number that a query answers.
func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	must(t, db.QueryRowContext(context.Background(), query).Scan(&n))
	return n
}

// readLedger reads every intent, and walks the chain.
func (b *books) readLedger(t *testing.T, kind warifu.Kind, db *sql.DB) {
	t.Helper()
	_, err := b.ledgers[kind].VerifyChain(t.Context())
	must(t, err)
	want(t, "certificates without an intent", count(t, db, `SELECT COUNT(*) FROM certificates WHERE serial NOT IN (SELECT serial FROM intents)`), 0)
	rows, err := db.Query(`SELECT i.serial, i.kind, i.document, i.public_key, c.certificate FROM intents i LEFT JOIN certificates c ON c.serial = i.serial`)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var i intent
		var document, key, certificate []byte
		must(t, rows.Scan(&i.serial, &i.kind, &document, &key, &certificate))
		copy(i.document[:], document)
		copy(i.publicKey[:], key)
		copy(i.certificate[:], certificate)
		want(t, "kind of an intent in the ledger of "+kind.String(), i.kind, kind)
		b.intents = append(b.intents, i)
	}
	must(t, rows.Err())
}

// settleUp does what a server does by itself in the minutes after: expired leases are
// rescued, what waits is run, what was signed for ended applications is listed.
func (tn *town) settleUp(t *testing.T) {
	t.Helper()
	s := tn.later(t, 10*time.Minute)
	defer func() { must(t, s.Close()) }()
	_, err := s.Queue().Drain(t.Context())
	must(t, err)
	s.Sweep(t.Context())
}

// audit goes through the books once the server has stopped.
func (tn *town) audit(t *testing.T, f *fleet) {
	t.Helper()
	tn.settleUp(t)
	b := tn.openBooks(t)
	b.auditAccepted(t, tn, f)
	b.auditApplications(t)
	b.auditIntents(t, tn)
	b.auditChips(t, f)
	b.auditTrail(t)
}

// applications returns every row.
func (b *books) applications(t *testing.T) []store.Application {
	t.Helper()
	rows, err := b.bare.Query(`SELECT id FROM applications ORDER BY submitted_at, id`)
	must(t, err)
	var ids []string
	for rows.Next() {
		var id string
		must(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	must(t, rows.Err())
	must(t, rows.Close())
	out := make([]store.Application, len(ids))
	must(t, b.store.Read(t.Context(), func(tx *store.Tx) (err error) {
		for i, id := range ids {
			if out[i], err = tx.Application(id); err != nil {
				return err
			}
		}
		return nil
	}))
	return out
}

// auditAccepted: every id that left with a 202 is there, in a state no earlier than the
// one its phone was told, and nothing else is.
func (b *books) auditAccepted(t *testing.T, tn *town, f *fleet) {
	t.Helper()
	rows := map[string]store.Application{}
	for _, a := range b.applications(t) {
		rows[a.ID] = a
		if !tn.accepted[a.ID] {
			t.Errorf("application %s was never acknowledged to anybody", a.ID)
		}
	}
	for id := range tn.accepted {
		if _, there := rows[id]; !there {
			t.Errorf("application %s was accepted and is lost", id)
		}
	}
	for _, h := range f.list() {
		if a := rows[h.id]; rank(a.State) < rank(h.seen) || a.Element != h.element.ID() {
			t.Errorf("%s was told that %s is %s, and it is %s", h.name, h.id, h.seen, a.State)
		}
	}
}

// auditApplications: an issued application has exactly one certificate of each kind,
// recorded by its authority; an ended one has none that is not revoked.
func (b *books) auditApplications(t *testing.T) {
	t.Helper()
	allowed := map[warifu.ApplicationState][]warifu.CredentialState{
		warifu.ApplicationIssued:       {warifu.CredentialPending},
		warifu.ApplicationPersonalized: {warifu.CredentialActive, warifu.CredentialSuperseded},
		warifu.ApplicationWithdrawn:    {warifu.CredentialRevoked},
	}
	for _, a := range b.applications(t) {
		states, ended := allowed[a.State]
		if !ended {
			t.Errorf("application %s is left as %s (%s)", a.ID, a.State, a.Problem)
			continue
		}
		var credentials []store.Credential
		must(t, b.store.Read(t.Context(), func(tx *store.Tx) (err error) {
			credentials, err = tx.CredentialsOfApplication(a.ID)
			return err
		}))
		if a.State != warifu.ApplicationWithdrawn && len(credentials) != len(warifu.Kinds) {
			t.Errorf("application %s (%s) has %d credentials", a.ID, a.State, len(credentials))
		}
		for i, c := range credentials {
			if !slices.Contains(states, c.State) || i > 0 && c.State != credentials[0].State {
				t.Errorf("credential %s of an application that is %s is %s", c.ID, a.State, c.State)
			}
			b.auditCredential(t, a, c)
		}
	}
}

// auditCredential: its authority has exactly this intent for it.
func (b *books) auditCredential(t *testing.T, a store.Application, c store.Credential) {
	t.Helper()
	n := 0
	for _, i := range b.intents {
		if i.kind != c.Kind || i.document != a.Document {
			continue
		}
		n++
		if !bytes.Equal(i.serial, c.Serial) || i.publicKey != c.PublicKey || i.certificate != c.Certificate {
			t.Errorf("credential %s is not what its authority wrote down", c.ID)
		}
	}
	if n != 1 {
		t.Errorf("credential %s (%s) has %d intents", c.ID, c.State, n)
	}
}

// auditIntents: whatever an authority wrote down belongs to an application, which lists
// it as a credential, or is a responder's certificate; and whatever was seen outside
// stands in a ledger.
func (b *books) auditIntents(t *testing.T, tn *town) {
	t.Helper()
	documents := map[warifu.Digest]store.Application{}
	for _, a := range b.applications(t) {
		documents[a.Document] = a
	}
	recorded := map[warifu.Digest]bool{}
	for _, i := range b.intents {
		if !i.certificate.IsZero() {
			recorded[i.certificate] = true
			b.auditCertificate(t, tn, i)
		}
		a, applied := documents[i.document]
		if !applied {
			b.auditResponder(t, i)
			continue
		}
		must(t, b.store.Read(t.Context(), func(tx *store.Tx) error {
			c, err := tx.CredentialBySerial(i.kind, i.serial)
			if err != nil || c.Application != a.ID {
				t.Errorf("the %s authority wrote down %x (signed: %v) for application %s (%s), which lists no such certificate: %v",
					i.kind, i.serial, !i.certificate.IsZero(), a.ID, a.State, err)
			}
			return nil
		}))
	}
	for der := range tn.left {
		if !recorded[warifu.DigestOf([]byte(der))] {
			t.Error("a certificate was seen outside that no ledger has recorded")
		}
	}
}

// auditCertificate: what is recorded is the authority's signature over the intent.
func (b *books) auditCertificate(t *testing.T, tn *town, i intent) {
	t.Helper()
	whole, err := b.ledgers[i.kind].Lookup(t.Context(), i.serial)
	must(t, err)
	c, err := x509.ParseCertificate(whole.Certificate)
	must(t, err)
	if warifu.DigestOf(whole.Certificate) != i.certificate || !bytes.Equal(c.RawTBSCertificate, whole.TBS) || !bytes.Equal(c.SerialNumber.Bytes(), i.serial) {
		t.Errorf("certificate %x is not the intent that was signed", i.serial)
	}
	if err := c.CheckSignatureFrom(tn.authority(t, i.kind)); err != nil {
		t.Errorf("certificate %x: %v", i.serial, err)
	}
}

// auditResponder: an intent that no application asked for is a responder's.
func (b *books) auditResponder(t *testing.T, i intent) {
	t.Helper()
	whole, err := b.ledgers[i.kind].Lookup(t.Context(), i.serial)
	must(t, err)
	if whole.Certificate == nil {
		return // a server died over it; nothing was signed that anybody has
	}
	c, err := x509.ParseCertificate(whole.Certificate)
	must(t, err)
	if _, _, phones := profile.ClassOf(c); phones || !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		t.Errorf("certificate %x belongs to no application", i.serial)
	}
}

// auditChips: what the server calls active is live in the chip, and nothing else is.
func (b *books) auditChips(t *testing.T, f *fleet) {
	t.Helper()
	for _, h := range f.list() {
		slots, err := h.slots(t.Context())
		must(t, err)
		var credentials []store.Credential
		must(t, b.store.Read(t.Context(), func(tx *store.Tx) (err error) {
			credentials, err = tx.CredentialsOfElement(h.element.ID())
			return err
		}))
		known := map[warifu.Digest]store.Credential{}
		for _, c := range credentials {
			known[c.Certificate] = c
			slot, live := slots.Live.Of(c.Kind)
			if c.State == warifu.CredentialActive && (!live || slot.Certificate != c.Certificate || slot.PublicKey != c.PublicKey) {
				t.Errorf("%s: the %s credential is active and not live in the chip", h.name, c.Kind)
			}
		}
		for _, slot := range slots.Live.Slots {
			if c := known[slot.Certificate]; c.ActivatedAt.IsZero() {
				t.Errorf("%s: a certificate is live in the chip that the server never activated (%s)", h.name, c.State)
			}
		}
	}
}

// auditTrail: every move has its line and every line of a move its move, the status feed
// has no gap, and no job is left.
func (b *books) auditTrail(t *testing.T) {
	t.Helper()
	moves := count(t, b.bare, `SELECT COUNT(*) FROM moves WHERE verb <> 'begin'`)
	lines := count(t, b.bare, `SELECT COUNT(*) FROM audit WHERE verb IN (SELECT verb FROM life_arrows)`)
	bare := count(t, b.bare, `SELECT COUNT(*) FROM moves m WHERE verb <> 'begin' AND NOT EXISTS
		(SELECT 1 FROM audit a WHERE a.subject = m.subject AND a.verb = m.verb)`)
	want(t, "moves without an audit line", bare, 0)
	want(t, "audit lines of moves", lines, moves)
	want(t, "applications without a line of their own", count(t, b.bare, `SELECT COUNT(*) FROM applications p WHERE NOT EXISTS
		(SELECT 1 FROM audit a WHERE a.subject = p.id AND a.verb = 'apply')`), 0)
	feed := count(t, b.bare, `SELECT COUNT(*) FROM status_feed`)
	want(t, "newest number of the status feed", count(t, b.bare, `SELECT value FROM counters WHERE name = 'status_feed'`), feed)
	want(t, "greatest number in the status feed", count(t, b.bare, `SELECT COALESCE(MAX(number), 0) FROM status_feed`), feed)
	must(t, b.store.Read(t.Context(), func(tx *store.Tx) error {
		depths, err := tx.JobDepths()
		for _, d := range depths {
			t.Errorf("jobs are left: %+v", d)
		}
		return err
	}))
	want(t, "persons with two active credentials of a kind", count(t, b.bare, `SELECT COUNT(*) FROM
		(SELECT person FROM credentials WHERE state = 'active' GROUP BY person, kind HAVING COUNT(*) > 1) AS twice`), 0)
}
