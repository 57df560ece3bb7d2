package oidc_test

import (
	"context"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/ledger"
	"warifu/oidc"
	"warifu/store"
)

// plainSeal seals nothing: no row here is sealed.
type plainSeal struct{}

func (plainSeal) Seal(plain, _ []byte) ([]byte, error)  { return plain, nil }
func (plainSeal) Open(sealed, _ []byte) ([]byte, error) { return sealed, nil }
func (plainSeal) Index(value []byte) ([]byte, error)    { return value, nil }

func openStore(t *testing.T, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dsn, plainSeal{}, warifu.SystemClock{})
	ok(t, err)
	t.Cleanup(func() { ok(t, s.Close()) })
	return s
}

func newStore(t *testing.T) (*store.Store, string) {
	t.Helper()
	dsn := "sqlite:" + t.TempDir() + "/warifu.db"
	ok(t, store.Migrate(t.Context(), dsn))
	return openStore(t, dsn), dsn
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refuses(t *testing.T, err error, slug string) {
	t.Helper()
	if err == nil || warifu.ProblemOf(err).Problem != slug {
		t.Errorf("%v, wanted %s", err, slug)
	}
}

func publicKeys(t *testing.T) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: clientKey(t, elliptic.P256()).Public(), KeyID: "k", Use: "sig"}}})
	ok(t, err)
	return b
}

func entry(t *testing.T) oidc.Entry {
	return oidc.Entry{Name: ledger.Name{English: "My App"}, RedirectURIs: []string{"http://127.0.0.1:3000/callback"}, JWKS: publicKeys(t), Scopes: []string{"name"}}
}

func TestADeveloperRegistersChangesRotatesAndRemoves(t *testing.T) {
	s, _ := newStore(t)
	d := oidc.NewDirectory(s, warifu.SystemClock{}, true)
	told := 0
	d.OnChange(func() { told++ })
	r, err := d.Enrol(t.Context(), "192.0.2.1", entry(t))
	ok(t, err)
	c, err := d.Client(t.Context(), r.ID)
	ok(t, err)
	if r.ID != "RP00000001" || len(r.Token) != 43 || len(r.Key) != 43 || r.Key == r.Token || c.Name.Japanese != "My App" || len(c.JWKS.Keys) != 1 || c.Sector != "" {
		t.Errorf("%+v %+v", r, c)
	}
	if asking := d.Asking(); len(asking) != 1 || asking[0].Key != warifu.DigestOf([]byte(r.Key)) {
		t.Errorf("%+v", asking)
	}
	other := entry(t)
	other.Scopes = []string{"name", "sign"}
	_, err = d.Change(t.Context(), r.ID, r.Token, other)
	ok(t, err)
	if c, err = d.Client(t.Context(), r.ID); err != nil || len(c.Scopes) != 2 {
		t.Errorf("%+v %v", c, err)
	}
	next, err := d.Rotate(t.Context(), r.ID, r.Token, publicKeys(t))
	ok(t, err)
	if fresh, err := d.Client(t.Context(), r.ID); err != nil || next.Token == r.Token || next.Key == r.Key || fresh.JWKS.Keys[0].Key == c.JWKS.Keys[0].Key {
		t.Errorf("%+v %v", fresh, err)
	}
	_, err = d.Registration(t.Context(), r.ID, r.Token)
	refuses(t, err, "client-unknown")
	shown, err := d.Registration(t.Context(), r.ID, next.Token)
	ok(t, err)
	if shown.Token != "" || shown.Key != "" || shown.Entry.Name.English != "My App" {
		t.Errorf("%+v", shown)
	}
	refuses(t, d.Remove(t.Context(), r.ID, r.Token), "client-unknown")
	ok(t, d.Remove(t.Context(), r.ID, next.Token))
	_, err = d.Client(t.Context(), r.ID)
	refuses(t, err, "client-unknown")
	if told != 4 || len(d.Asking()) != 0 {
		t.Errorf("told %d times", told)
	}
	var lines []store.Line
	ok(t, s.Read(t.Context(), func(tx *store.Tx) (err error) {
		lines, err = tx.AuditOf(r.ID)
		return err
	}))
	var verbs []warifu.Verb
	for _, l := range lines {
		verbs = append(verbs, l.Verb)
	}
	if fmt.Sprint(verbs) != "[register-client change-client rotate-client remove-client]" {
		t.Errorf("audit: %v", verbs)
	}
}

func TestStrangersRegisterOnlyWhereTheOperatorLetsThem(t *testing.T) {
	s, _ := newStore(t)
	_, err := oidc.NewDirectory(s, warifu.SystemClock{}, false).Enrol(t.Context(), "", entry(t))
	refuses(t, err, "client-registration-closed")
}

func TestABadEntryIsRefusedAndLeavesNothing(t *testing.T) {
	s, _ := newStore(t)
	d := oidc.NewDirectory(s, warifu.SystemClock{}, true)
	bad := entry(t)
	bad.RedirectURIs = []string{"http://example.com/"}
	_, err := d.Enrol(t.Context(), "", bad)
	refuses(t, err, "client-invalid")
	bad = entry(t)
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: clientKey(t, elliptic.P256())}}})
	ok(t, err)
	bad.JWKS = private
	_, err = d.Enrol(t.Context(), "", bad)
	refuses(t, err, "client-keys-invalid")
	r, err := d.Enrol(t.Context(), "", entry(t))
	ok(t, err)
	_, err = d.Change(t.Context(), r.ID, r.Token, bad)
	refuses(t, err, "client-keys-invalid")
	_, err = d.Rotate(t.Context(), r.ID, r.Token, private)
	refuses(t, err, "client-keys-invalid")
	if r.ID != "RP00000001" {
		t.Errorf("a refused one took a number: %s", r.ID)
	}
}

func TestOneSourceDoesNotFillTheTable(t *testing.T) {
	s, _ := newStore(t)
	now := warifu.SystemClock{}.Now()
	d := oidc.NewDirectory(s, warifu.ClockFunc(func() time.Time { return now }), true)
	e := entry(t)
	for range 30 {
		_, err := d.Enrol(t.Context(), "192.0.2.1", e)
		ok(t, err)
	}
	_, err := d.Enrol(t.Context(), "192.0.2.1", e)
	refuses(t, err, "client-registrations-too-many")
	_, err = d.Enrol(t.Context(), "192.0.2.2", e)
	ok(t, err)
	now = now.Add(time.Hour)
	_, err = d.Enrol(t.Context(), "192.0.2.1", e)
	ok(t, err)
}

// Two servers share a table: what one takes up the other knows at once, and what it changes
// or removes within a Reload.
func TestServersOfOneDatabaseKnowTheSameClients(t *testing.T) {
	s, dsn := newStore(t)
	one, other := oidc.NewDirectory(s, warifu.SystemClock{}, true), oidc.NewDirectory(openStore(t, dsn), warifu.SystemClock{}, true)
	r, err := one.Enrol(t.Context(), "", entry(t))
	ok(t, err)
	_, err = other.Client(t.Context(), r.ID)
	ok(t, err)
	if len(other.Asking()) != 1 {
		t.Error("the other's verification service does not know it")
	}
	ok(t, one.Remove(t.Context(), r.ID, r.Token))
	ok(t, other.Reload(t.Context()))
	_, err = other.Client(t.Context(), r.ID)
	refuses(t, err, "client-unknown")
	again, err := one.Enrol(t.Context(), "", entry(t))
	ok(t, err)
	if again.ID == r.ID {
		t.Error("an identifier was given twice")
	}
}

func TestTheOperatorsClientsStandBesideTheDevelopers(t *testing.T) {
	s, _ := newStore(t)
	d := oidc.NewDirectory(s, warifu.SystemClock{}, true)
	given := goodClient(t)
	given.ID, given.Sector = "bank", "mall"
	d.SetGiven(map[string]oidc.Client{"bank": given})
	c, err := d.Client(context.Background(), "bank")
	ok(t, err)
	if c.Sector != "mall" || len(d.Asking()) != 0 {
		t.Errorf("%+v", c)
	}
	for _, id := range []string{"", "shop", "RP99999999", "RP1", "RP0000000x"} {
		_, err := d.Client(context.Background(), id)
		refuses(t, err, "client-unknown")
	}
}
