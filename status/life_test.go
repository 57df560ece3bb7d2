package status_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/postgrestest"
	"warifu/ocsp"
	"warifu/status"
	"warifu/store"
)

// office is a responder and a publisher over a real database, as the server wires
// them, and credentials in it that the test moves.
type office struct {
	*store.Store
	t       *testing.T
	present time.Time
}

func (o *office) Now() time.Time { return o.present }

// unsealed is a Sealer for a database that holds nothing worth sealing.
type unsealed struct{}

func (unsealed) Seal(plain, _ []byte) ([]byte, error)  { return plain, nil }
func (unsealed) Open(sealed, _ []byte) ([]byte, error) { return sealed, nil }
func (unsealed) Index(value []byte) ([]byte, error) {
	return hmac.New(sha256.New, value).Sum(nil), nil
}

func onBoth(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	for name, dsn := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/warifu.db" },
		"postgres": func(t *testing.T) string { return postgrestest.DSN(t) },
	} {
		t.Run(name, func(t *testing.T) {
			o := &office{t: t, present: now}
			source := dsn(t)
			o.must(store.Migrate(t.Context(), source))
			var err error
			o.Store, err = store.Open(t.Context(), source, unsealed{}, o)
			o.must(err)
			t.Cleanup(func() { o.must(o.Close()) })
			test(t, o)
		})
	}
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// issue writes a pending credential with that serial number that ends in a year.
func (o *office) issue(n byte) string { return o.issueUnder(warifu.Signature, serial(n)) }

func (o *office) issueUnder(kind warifu.Kind, number []byte) string {
	o.t.Helper()
	id := o.NewID()
	of := func(what string) warifu.Digest { return warifu.DigestOf([]byte(what + id)) }
	o.must(o.Write(context.Background(), func(tx *store.Tx) error {
		err := tx.InsertApplication(store.Application{
			ID: id, Document: of("document"), Person: of("person"), Element: warifu.ElementID{1}, Model: "m", OSBuild: "b",
			Kinds: []warifu.Kind{kind}, Scheme: "badge/1", Consent: "c", SubmittedAt: now, DueAt: now, State: warifu.ApplicationSubmitted,
		})
		if err != nil {
			return err
		}
		return tx.InsertCredential(store.Credential{
			ID: id, Application: id, Person: of("person"), Element: warifu.ElementID{1}, Kind: kind,
			Serial: number, PublicKey: of("key"), NotAfter: now.AddDate(1, 0, 0),
		}, now)
	}))
	return id
}

func (o *office) move(id string, verb warifu.Verb, reason warifu.Reason) {
	o.t.Helper()
	o.must(o.Write(context.Background(), func(tx *store.Tx) error {
		if _, err := tx.MoveCredential(id, verb, reason, o.present); err != nil {
			return err
		}
		return tx.Audit(store.Line{At: o.present, Actor: "test", Verb: verb, Subject: id})
	}))
}

// Status implements status.Source, as the server does.
func (o *office) Status(ctx context.Context, kind warifu.Kind, serial []byte) (record warifu.StatusRecord, found bool, err error) {
	err = o.Read(ctx, func(tx *store.Tx) (err error) {
		record, found, err = tx.StatusOf(kind, serial)
		return err
	})
	return record, found, err
}

func (o *office) responder() *status.Responder {
	w := world()
	return status.NewResponder(warifu.Signature, w.ca.certificate, o, func() (status.Delegate, error) {
		d := w.delegate(o.present.Add(-time.Hour), o.present.Add(time.Hour))
		return status.Delegate{Certificate: d.certificate, Key: d.key}, nil
	}, o)
}

// answer is what the responder says of a certificate now, and what caches are told.
func (o *office) answer(server string, n byte) (ocsp.Single, http.Header) {
	o.t.Helper()
	question := ask(o.t, []ocsp.CertID{certID(crypto.SHA256, n)}, nil)
	response, der := do(o.t, http.MethodGet, server+"/ocsp/signature/"+url.QueryEscape(base64.StdEncoding.EncodeToString(question)), "", nil)
	r, err := ocsp.ParseResponse(der)
	o.must(err)
	o.must(r.Verify(world().ca.certificate, o.present))
	return r.Singles[0], response.Header
}

func TestOCSPFollowsTheLifeOfACredential(t *testing.T) {
	const kept, dropped = "max-age=60, public, no-transform, must-revalidate", "max-age=0, public, no-transform, must-revalidate"
	gone := func(reason warifu.Reason, at time.Time) warifu.Status {
		return revoked(reason, at)
	}
	onBoth(t, func(t *testing.T, o *office) {
		server := server(t, o.responder()).URL
		one, two := o.issue(1), o.issue(2)
		var since time.Time // of the last move
		want := func(what string, n byte, s warifu.Status, caching string) {
			t.Helper()
			got, h := o.answer(server, n)
			if got.Status != s || !got.ThisUpdate.Equal(o.present) || h.Get("Cache-Control") != caching || (caching == kept) != (h.Get("ETag") != "") {
				t.Errorf("%s: %+v, want %+v; %v", what, got, s, h)
			}
			if past := o.present.After(now.AddDate(1, 0, 0)); past != !got.Archive.IsZero() {
				t.Errorf("%s: archive cutoff %v", what, got.Archive)
			}
		}
		step := func(id string, verb warifu.Verb, reason warifu.Reason) {
			o.present = o.present.Add(time.Minute)
			since = o.present
			o.move(id, verb, reason)
			o.present = o.present.Add(time.Second)
		}
		want("pending", 1, warifu.Status{}, dropped)
		want("never issued", 3, warifu.Status{}, dropped)
		step(one, warifu.VerbActivate, 0)
		want("in use", 1, good, kept)
		step(one, warifu.VerbSuspend, 0)
		want("on hold", 1, held(since), kept)
		step(one, warifu.VerbResume, 0)
		want("lifted", 1, good, kept)
		step(one, warifu.VerbSuspend, 0)
		want("on hold again", 1, held(since), kept)
		step(two, warifu.VerbSuspend, 0)
		want("on hold while the application is open", 2, held(since), kept)
		step(one, warifu.VerbSupersede, 0)
		want("superseded out of a hold", 1, gone(warifu.ReasonSuperseded, since), kept)
		step(two, warifu.VerbResume, 0)
		step(two, warifu.VerbSuspend, 0)
		held2 := since
		o.present = now.AddDate(1, 0, 0).Add(time.Minute)
		step(two, warifu.VerbExpire, 0)
		want("expired on hold", 2, held(held2), kept)
		three := o.issue(3)
		step(three, warifu.VerbActivate, 0)
		step(three, warifu.VerbExpire, 0)
		want("expired, never revoked", 3, good, kept)
	})
}

// TestAnAnswerAboutAHoldIsKeptNoLongerThanAnyOther: a cache that keeps a held answer
// says held for a minute too long, and asks again with the same question.
func TestAnAnswerAboutAHoldIsKeptNoLongerThanAnyOther(t *testing.T) {
	source := newRecords()
	s := server(t, newResponder(t, source))
	address := s.URL + "/ocsp/signature/" + url.QueryEscape(base64.StdEncoding.EncodeToString(ask(t, []ocsp.CertID{certID(crypto.SHA256, isHeld)}, nil)))
	first, der := do(t, http.MethodGet, address, "", nil)
	if statusOf(t, der, isHeld).Status.Reason != warifu.ReasonCertificateHold || !strings.HasPrefix(first.Header.Get("Cache-Control"), "max-age=60,") {
		t.Error(first.Header)
	}
	source.set(isHeld, good)
	second, der := do(t, http.MethodGet, address, "", nil)
	if statusOf(t, der, isHeld).Status != good || second.Header.Get("ETag") == first.Header.Get("ETag") {
		t.Error("the lift is not told")
	}
}

// ledger is a Register over the office's database, as the server's is.
type ledger struct{ *office }

func (l ledger) Number(ctx context.Context, at time.Time) (number uint64, head int64, err error) {
	err = l.Write(ctx, func(tx *store.Tx) error {
		n, feed, err := tx.NextCRLNumber(warifu.Signature, at)
		number, head = uint64(n), feed
		return err
	})
	return number, head, err
}

func (l ledger) View(ctx context.Context, f func(status.Snapshot) error) error {
	return l.Read(ctx, func(tx *store.Tx) error { return f(page{tx}) })
}

type page struct{ *store.Tx }

func (p page) Head() (int64, error) { return p.FeedHead() }

func (p page) Revoked(add func(warifu.StatusRecord) error) error {
	return p.Tx.Revoked(warifu.Signature, add)
}

func (p page) Changes(after int64, add func(status.Change) error) error {
	changes, err := p.StatusFeed(after, 1_000_000)
	for _, c := range changes {
		if err := add(status.Change{Number: c.Number, Record: c.Record}); err != nil {
			return err
		}
	}
	return err
}
