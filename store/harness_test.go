package store_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/postgrestest"
	"warifu/store"
)

// base is the instant at which every test's clock stands.
var base = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

var still = warifu.ClockFunc(func() time.Time { return base })

// keyring is a Sealer with a key in memory.
type keyring struct{ key [32]byte }

func newKeyring() *keyring {
	k := &keyring{}
	_, _ = rand.Read(k.key[:])
	return k
}

func (k *keyring) aead() cipher.AEAD {
	block, err := aes.NewCipher(k.key[:])
	if err != nil {
		panic(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return a
}

func (k *keyring) Seal(plain, aad []byte) ([]byte, error) {
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce)
	return k.aead().Seal(nonce, nonce, plain, aad), nil
}

func (k *keyring) Open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < 12 {
		return nil, errors.New("short")
	}
	return k.aead().Open(nil, sealed[:12], sealed[12:], aad)
}

func (k *keyring) Index(value []byte) ([]byte, error) {
	m := hmac.New(sha256.New, k.key[:])
	m.Write(value)
	return m.Sum(nil), nil
}

// world is a store under test, with a way round it to the bare database.
type world struct {
	*store.Store
	t    *testing.T
	dsn  string
	seal *keyring
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	for name, dsn := range dialects {
		t.Run(name, func(t *testing.T) { test(t, openWorld(t, dsn(t))) })
	}
}

var dialects = map[string]func(*testing.T) string{
	"sqlite": func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/warifu.db" },
	// As through pgbouncer; package queue's tests use the driver's default mode.
	"postgres": func(t *testing.T) string { return postgrestest.DSN(t) + "&default_query_exec_mode=exec" },
}

func openWorld(t *testing.T, dsn string) *world {
	t.Helper()
	ctx := context.Background()
	must(t, store.Migrate(ctx, dsn))
	w := &world{t: t, dsn: dsn, seal: newKeyring()}
	w.open()
	t.Cleanup(func() { must(t, w.Close()) })
	return w
}

func (w *world) open() {
	w.t.Helper()
	s, err := store.Open(context.Background(), w.dsn, w.seal, still)
	must(w.t, err)
	w.Store = s
}

// write is Store.Write that must succeed.
func (w *world) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	must(w.t, w.Write(context.Background(), fn))
}

func (w *world) read(fn func(tx *store.Tx) error) {
	w.t.Helper()
	must(w.t, w.Read(context.Background(), fn))
}

// bare opens the database past the store, as an operator with a shell would.
func (w *world) bare() *sql.DB { return bare(w.t, w.dsn) }

func bare(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver, name := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, name)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantProblem checks the slug of an error.
func wantProblem(t testing.TB, err error, slug string) {
	t.Helper()
	if err == nil || warifu.ProblemOf(err).Problem != slug {
		t.Errorf("got %v, want problem %q", err, slug)
	}
}

// equal compares two comparable values.
func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func digest(s string) warifu.Digest { return warifu.DigestOf([]byte(s)) }

// newApplication is a filled-in application of the person named.
func (w *world) newApplication(person string) store.Application {
	id := w.NewID()
	return store.Application{
		ID: id, Document: digest("document " + id), Person: digest(person), Element: warifu.ElementID{1, 2, 3},
		Model: "pixel-10", OSBuild: "BP2A", AppVersion: 7, Kinds: []warifu.Kind{warifu.Signature, warifu.Authentication},
		Scheme: "jp-mobile/1", Consent: "2026-04", SubmittedAt: base, DueAt: base.Add(time.Hour),
		State: warifu.ApplicationSubmitted, Signed: digest("signed"), Attestation: digest("attestation"),
		Chain: []warifu.Digest{digest("leaf"), digest("root")},
		Parent: store.Parent{
			SignatureSerial: []byte{1}, AuthenticationSerial: []byte{2}, SignatureCertificate: digest("card signature"),
			SignatureNotAfter: base.AddDate(5, 0, 0), AuthenticationNotAfter: base.AddDate(5, 0, 1),
		},
	}
}

func (w *world) insertApplication(person string) store.Application {
	w.t.Helper()
	a := w.newApplication(person)
	w.write(func(tx *store.Tx) error { return tx.InsertApplication(a) })
	return a
}

// insertCredential writes a pending credential for an application.
func (w *world) insertCredential(a store.Application, kind warifu.Kind) store.Credential {
	w.t.Helper()
	id := w.NewID()
	key := digest("key " + id)
	c := store.Credential{
		ID: id, Application: a.ID, Person: a.Person, Element: a.Element, Kind: kind, Serial: key[:17], PublicKey: key,
		Certificate: digest("certificate " + id), NotAfter: base.AddDate(5, 0, 0), State: warifu.CredentialPending,
	}
	w.write(func(tx *store.Tx) error { return tx.InsertCredential(c, base) })
	return c
}

// moveCredential moves with its audit line.
func (w *world) moveCredential(id string, verb warifu.Verb, reason warifu.Reason, at time.Time) (c store.Credential, err error) {
	err = w.Write(context.Background(), func(tx *store.Tx) error {
		if c, err = tx.MoveCredential(id, verb, reason, at); err != nil {
			return err
		}
		return tx.Audit(store.Line{At: at, Actor: "test", Verb: verb, Subject: id})
	})
	return c, err
}

func (w *world) moveApplication(id string, verb warifu.Verb, at time.Time, problem string) (a store.Application, err error) {
	err = w.Write(context.Background(), func(tx *store.Tx) error {
		if a, err = tx.MoveApplication(id, verb, at, problem); err != nil {
			return err
		}
		return tx.Audit(store.Line{At: at, Actor: "test", Verb: verb, Subject: id})
	})
	return a, err
}
