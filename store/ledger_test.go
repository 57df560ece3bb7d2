package store_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

// book is a ledger under test.
type book struct {
	*store.Ledger
	t   *testing.T
	dsn string
}

func onBothLedgers(t *testing.T, test func(t *testing.T, r *book)) {
	t.Helper()
	for name, dsn := range dialects {
		t.Run(name, func(t *testing.T) { test(t, openBook(t, dsn(t))) })
	}
}

func openBook(t *testing.T, dsn string) *book {
	t.Helper()
	must(t, store.MigrateLedger(context.Background(), dsn))
	l, err := store.OpenLedger(context.Background(), dsn, newKeyring())
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	return &book{Ledger: l, t: t, dsn: dsn}
}

func newIntent(n int) warifu.Intent {
	name := fmt.Sprint(n)
	return warifu.Intent{
		Kind: warifu.Signature, Document: digest("document " + name), PublicKey: digest("key " + name), Index: uint64(n) + 1<<63,
		Serial: append([]byte{1}, digestBytes(name)[:16]...), TBS: []byte("to be signed " + name), CreatedAt: base.Add(time.Duration(n) * time.Second),
	}
}

// intend writes one intent.
func (r *book) intend(in warifu.Intent) (warifu.Intent, error) {
	r.t.Helper()
	out, err := r.Intend(context.Background(), []warifu.Intent{in})
	must(r.t, err)
	return out[0].Intent, out[0].Err
}

func (r *book) record(in warifu.Intent, certificate string) error {
	return r.Record(context.Background(), []warifu.IssuedCertificate{{Serial: in.Serial, Certificate: []byte(certificate)}})
}

func TestIntentIsAnsweredWithTheOneThatStands(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, r *book) {
		first := newIntent(1)
		_, err := r.intend(first)
		must(t, err)
		retry := newIntent(2)
		retry.Document, retry.PublicKey = first.Document, first.PublicKey
		got, err := r.intend(retry)
		must(t, err)
		equal(t, "serial", string(got.Serial), string(first.Serial))
		equal(t, "octets", string(got.TBS), string(first.TBS))
		equal(t, "index", got.Index, first.Index)
		must(t, r.record(first, "certificate"))
		got, err = r.intend(retry)
		must(t, err)
		equal(t, "certificate", string(got.Certificate), "certificate")
	})
}

func TestNothingIsIntendedTwice(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, r *book) {
		first := newIntent(1)
		_, err := r.intend(first)
		must(t, err)
		for slug, change := range map[string]func(*warifu.Intent){
			"document-seen": func(in *warifu.Intent) { in.Document = first.Document },
			"key-seen":      func(in *warifu.Intent) { in.PublicKey = first.PublicKey },
			"serial-seen":   func(in *warifu.Intent) { in.Serial = first.Serial },
		} {
			in := newIntent(2)
			change(&in)
			_, err := r.intend(in)
			wantProblem(t, err, slug)
		}
		in := newIntent(2)
		in.Index = first.Index
		_, err = r.intend(in)
		wantProblem(t, err, "serial-seen")
		other := newIntent(3)
		other.Document, other.Kind = first.Document, warifu.Authentication // one document, the other kind
		_, err = r.intend(other)
		must(t, err)
	})
}

func TestOneBatchAnswersEach(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, r *book) {
		twin := newIntent(9)
		twin.Document = newIntent(1).Document // conflicts with its neighbour in the same batch
		out, err := r.Intend(context.Background(), []warifu.Intent{newIntent(1), twin, newIntent(2)})
		must(t, err)
		must(t, out[0].Err)
		wantProblem(t, out[1].Err, "document-seen")
		must(t, out[2].Err)
		left, err := r.Unfinished(context.Background(), base.Add(time.Hour), warifu.Intent{})
		must(t, err)
		equal(t, "written", len(left), 2)
	})
}

func TestCertificateIsRecordedOnce(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, r *book) {
		in := newIntent(1)
		wantProblem(t, r.record(in, "x"), "serial-unknown")
		_, err := r.intend(in)
		must(t, err)
		must(t, r.record(in, "certificate"))
		must(t, r.record(in, "certificate"))
		wantProblem(t, r.record(in, "another"), "certificate-recorded")
		got, err := r.Lookup(context.Background(), in.Serial)
		must(t, err)
		equal(t, "certificate", string(got.Certificate), "certificate")
		_, err = r.Lookup(context.Background(), []byte{9})
		wantProblem(t, err, "serial-unknown")
	})
}

func TestUnfinishedAreOldIntentsWithoutACertificate(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, r *book) {
		for i := range 3 {
			_, err := r.intend(newIntent(i))
			must(t, err)
		}
		must(t, r.record(newIntent(0), "certificate"))
		got, err := r.Unfinished(context.Background(), base.Add(2*time.Second), warifu.Intent{})
		must(t, err)
		equal(t, "how many", len(got), 1)
		equal(t, "octets", string(got[0].TBS), "to be signed 1")
		behind, err := r.Unfinished(context.Background(), base.Add(time.Hour), got[0])
		must(t, err)
		equal(t, "how many behind it", len(behind), 1)
		equal(t, "octets", string(behind[0].TBS), "to be signed 2")
		none, err := r.Unfinished(context.Background(), base.Add(time.Hour), behind[0])
		must(t, err)
		equal(t, "behind the last", len(none), 0)
	})
}

func TestChainSurvivesErasing(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, r *book) {
		fill(r)
		before, err := r.VerifyChain(context.Background())
		must(t, err)
		must(t, r.Erase(context.Background(), newIntent(0).Document))
		got, err := r.Lookup(context.Background(), newIntent(0).Serial)
		must(t, err)
		equal(t, "octets left", len(got.TBS)+len(got.Certificate), 0)
		after, err := r.VerifyChain(context.Background())
		must(t, err)
		equal(t, "head", after, before)
	})
}

// fill writes four intents and two certificates.
func fill(r *book) {
	r.t.Helper()
	for i := range 4 {
		_, err := r.intend(newIntent(i))
		must(r.t, err)
	}
	must(r.t, r.record(newIntent(0), "certificate 0"))
	must(r.t, r.record(newIntent(2), "certificate 2"))
}

func TestEveryChangeBreaksTheChain(t *testing.T) {
	changes := map[string][]string{
		"a field of an intent": {"UPDATE intents SET place = place + 100 WHERE created_at = (SELECT MIN(created_at) FROM intents)"},
		"its age":              {"UPDATE intents SET created_at = created_at - 1"},
		"its kind":             {"UPDATE intents SET kind = 3 - kind"},
		"a digest":             {"UPDATE intents SET tbs = document"},
		"a certificate":        {"UPDATE certificates SET certificate = (SELECT tbs FROM intents LIMIT 1)"},
		"a hash":               {"UPDATE entries SET hash = (SELECT hash FROM head) WHERE seq = 2"},
		"the order":            {"UPDATE entries SET seq = -1 WHERE seq = 2", "UPDATE entries SET seq = 2 WHERE seq = 3", "UPDATE entries SET seq = 3 WHERE seq = -1"},
		"an entry taken out":   {"DELETE FROM entries WHERE seq = 3"},
		"the end cut off":      {"DELETE FROM entries WHERE seq = 6", "DELETE FROM certificates WHERE serial NOT IN (SELECT serial FROM entries WHERE what = 'certificate')"},
		"the end cut off with its head": {
			"DELETE FROM entries WHERE seq = 6", "UPDATE head SET seq = 5, hash = (SELECT hash FROM entries WHERE seq = 5)"},
		"a row outside the chain": {"INSERT INTO certificates (serial, certificate) SELECT serial, tbs FROM intents WHERE serial NOT IN (SELECT serial FROM certificates)"},
	}
	onBothLedgers(t, func(t *testing.T, r *book) {
		fill(r)
		head, err := r.VerifyChain(context.Background())
		must(t, err)
		equal(t, "entries", head.Seq, 6)
		db := bare(t, r.dsn)
		for what, statements := range changes {
			restore := dump(t, r)
			for _, s := range statements {
				_, err := db.Exec(s)
				must(t, err)
			}
			_, err := r.VerifyChain(context.Background())
			if err == nil {
				t.Errorf("nobody noticed: %s", what)
			} else {
				wantProblem(t, err, "ledger-broken")
			}
			restore()
		}
		_, err = r.VerifyChain(context.Background())
		must(t, err)
	})
}

// dump copies the tables aside and returns what puts them back.
func dump(t *testing.T, r *book) func() {
	t.Helper()
	db := bare(t, r.dsn)
	tables := []string{"certificates", "intents", "entries", "head"}
	run := func(format string, args ...any) {
		_, err := db.Exec(fmt.Sprintf(format, args...))
		must(t, err)
	}
	for _, name := range tables {
		run("CREATE TABLE copy_%s AS SELECT * FROM %s", name, name)
	}
	return func() {
		for _, name := range tables {
			run("DELETE FROM %s", name)
		}
		for _, name := range []string{"intents", "certificates", "entries", "head"} {
			run("INSERT INTO %s SELECT * FROM copy_%s", name, name)
			run("DROP TABLE copy_%s", name)
		}
	}
}

func TestLedgerHoldsNoPlainOctets(t *testing.T) {
	dir := t.TempDir()
	r := openBook(t, "sqlite:"+filepath.Join(dir, "l.db"))
	in := newIntent(1)
	in.TBS = []byte("canary 山田花子")
	_, err := r.intend(in)
	must(t, err)
	must(t, r.record(in, "certificate of canary"))
	eachFile(t, dir, func(name string, octets []byte) {
		if bytes.Contains(octets, []byte("canary")) {
			t.Errorf("%s holds what was sealed", name)
		}
	})
}
