package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"warifu"
	"warifu/store"
)

// begun is a subject whose life has come to a state, in a database that is spoken to past
// the store.
type begun struct {
	life, table, id, state string
	step                   int64
}

// tries are the statements by which somebody past the store would take a subject to a state.
func (b begun) tries(to string, verb warifu.Verb) map[string][]string {
	move := fmt.Sprintf(`INSERT INTO moves (life, subject, seq, previous, from_state, verb, to_state, at) VALUES ('%s', '%s', %d, %d, '%s', '%s', '%s', 0)`,
		b.life, b.id, b.step+1, b.step, b.state, verb, to)
	status := "" // as the state has it, so that nothing is refused for the status alone
	if of, settled := statusOf[warifu.CredentialState(to)]; settled && b.table == "credentials" {
		status = fmt.Sprintf(", cert_status = %d", of)
	}
	row := func(step int64) string {
		return fmt.Sprintf(`UPDATE %s SET state = '%s', step = %d%s WHERE id = '%s'`, b.table, to, step, status, b.id)
	}
	out := map[string][]string{"the row alone": {row(b.step)}, "the row a step on": {row(b.step + 1)}, "a move and the row": {move, row(b.step + 1)}}
	for back := range b.step {
		out[fmt.Sprint("the row back to step ", back)] = []string{row(back)}
	}
	return out
}

// statusOf is what responders say of a certificate in a state; expiry leaves it as it was.
var statusOf = map[warifu.CredentialState]warifu.CertStatus{
	warifu.CredentialPending: warifu.StatusUnknown, warifu.CredentialActive: warifu.StatusGood, warifu.CredentialHeld: warifu.StatusRevoked,
	warifu.CredentialRevoked: warifu.StatusRevoked, warifu.CredentialSuperseded: warifu.StatusRevoked,
}

// accepted runs statements in a transaction that is taken back, and reports whether the
// database took them.
func accepted(t *testing.T, db *sql.DB, statements []string) bool {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	must(t, err)
	defer func() { _ = tx.Rollback() }()
	for _, s := range statements {
		if _, err := tx.Exec(s); err != nil {
			return false
		}
	}
	return true
}

// checkLife tries every pair of states of a life, by every verb, and wants the database to
// take the arrows of the table and nothing else.
func checkLife[S ~string](t *testing.T, w *world, l warifu.Life[S], begin func(path []warifu.Verb) begun) {
	t.Helper()
	db := w.bare()
	for _, from := range l.States() {
		at := begin(pathTo(l, from))
		for _, to := range append(l.States(), "", "nonsense") {
			for _, verb := range append(verbs(), "begin", "nonsense") {
				legal := slices.ContainsFunc(l.Arrows, func(a warifu.Transition[S]) bool { return a.From == from && a.Verb == verb && a.To == to })
				for what, statements := range at.tries(string(to), verb) {
					if to == from && what == "the row alone" {
						continue // it changes nothing
					}
					if got := accepted(t, db, statements); got != (legal && what == "a move and the row") {
						t.Errorf("%s: from %s by %s to %q, %s: accepted %v", l.Name, from, verb, to, what, got)
					}
				}
			}
		}
	}
}

func TestDatabaseTakesEveryArrowOfCredentialsAndNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		checkLife(t, w, warifu.CredentialLife, func(path []warifu.Verb) begun {
			c := w.insertCredential(w.insertApplication(w.NewID()), warifu.Signature)
			for _, v := range path {
				var err error
				c, err = w.moveCredential(c.ID, v, warifu.ReasonUnspecified, base)
				must(t, err)
			}
			return begun{"credential", "credentials", c.ID, string(c.State), int64(len(path))}
		})
	})
}

func TestDatabaseTakesEveryArrowOfApplicationsAndNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		checkLife(t, w, warifu.ApplicationLife, func(path []warifu.Verb) begun {
			a := w.insertApplication(w.NewID())
			for _, v := range path {
				var err error
				a, err = w.moveApplication(a.ID, v, base, "")
				must(t, err)
			}
			return begun{"application", "applications", a.ID, string(a.State), int64(len(path))}
		})
	})
}

func TestNoLifeIsTakenAwayOrLivedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("p")
		c := w.insertCredential(a, warifu.Signature)
		for _, v := range []warifu.Verb{warifu.VerbActivate, warifu.VerbRevoke} {
			_, err := w.moveCredential(c.ID, v, warifu.ReasonUnspecified, base)
			must(t, err)
		}
		db := w.bare()
		const move = "INSERT INTO moves (life, subject, seq, previous, from_state, verb, to_state, at) VALUES ('credential', 'z', "
		born := func(step int, state string, status warifu.CertStatus) string {
			return fmt.Sprintf(`INSERT INTO credentials (id, step, state, application, person, element, kind, serial, public_key, reason, cert_status, status_reason, status_at,
				not_after, begun_at, activated_at, ended_at) SELECT 'z', %d, '%s', application, person, element, 2, serial, element, 0, %d, 0, 0, not_after, 0, 0, 0 FROM credentials`, step, state, status)
		}
		begin, activate := move+"0, NULL, '', 'begin', 'pending', 0)", move+"1, 0, 'pending', 'activate', 'active', 0)"
		if !accepted(t, db, []string{begin, born(0, "pending", warifu.StatusUnknown), activate}) {
			t.Error("the database refuses a credential that is born as it should be")
		}
		for what, statements := range map[string][]string{
			"a credential taken away":       {"DELETE FROM credentials"},
			"an application taken away":     {"DELETE FROM applications"},
			"a move taken away":             {"DELETE FROM moves WHERE seq = 2"},
			"a move's time changed":         {"UPDATE moves SET at = 1"},
			"a credential under a new name": {"UPDATE credentials SET id = 'x'"},
			"a credential born active":      {begin, activate, born(1, "active", warifu.StatusGood)},
			"a credential born good":        {begin, born(0, "pending", warifu.StatusGood), activate},
		} {
			if accepted(t, db, statements) {
				t.Errorf("the database accepted %s", what)
			}
		}
		w.read(func(tx *store.Tx) error {
			got, err := tx.Credential(c.ID)
			equal(t, "state", got.State, warifu.CredentialRevoked)
			return err
		})
	})
}
