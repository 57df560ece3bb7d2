package store_test

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

func TestArrowsInTheDatabaseAreTheRootsTables(t *testing.T) {
	type arrow struct{ life, from, verb, to string }
	want := map[arrow]bool{
		{"application", "", "begin", string(warifu.ApplicationLife.Initial)}: true,
		{"credential", "", "begin", string(warifu.CredentialLife.Initial)}:   true,
	}
	for _, a := range warifu.ApplicationLife.Arrows {
		want[arrow{"application", string(a.From), string(a.Verb), string(a.To)}] = true
	}
	for _, a := range warifu.CredentialLife.Arrows {
		want[arrow{"credential", string(a.From), string(a.Verb), string(a.To)}] = true
	}
	onBoth(t, func(t *testing.T, w *world) {
		rows, err := w.bare().Query("SELECT life, from_state, verb, to_state FROM life_arrows")
		must(t, err)
		defer rows.Close()
		got := map[arrow]bool{}
		for rows.Next() {
			var a arrow
			must(t, rows.Scan(&a.life, &a.from, &a.verb, &a.to))
			got[a] = true
		}
		must(t, rows.Err())
		if !reflect.DeepEqual(got, want) {
			t.Errorf("life_arrows %v\nroot %v", got, want)
		}
	})
}

// verbs is every verb of either life.
func verbs() []warifu.Verb {
	var out []warifu.Verb
	for _, a := range warifu.ApplicationLife.Arrows {
		out = append(out, a.Verb)
	}
	for _, a := range warifu.CredentialLife.Arrows {
		out = append(out, a.Verb)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pathTo is a way from the beginning of a life to a state.
func pathTo[S ~string](l warifu.Life[S], goal S) []warifu.Verb {
	ways := map[S][]warifu.Verb{l.Initial: {}}
	for range l.Arrows {
		for _, a := range l.Arrows {
			if way, ok := ways[a.From]; ok && ways[a.To] == nil && a.To != l.Initial {
				ways[a.To] = append(slices.Clone(way), a.Verb)
			}
		}
	}
	return ways[goal]
}

func TestCredentialTakesItsArrowsAndNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, from := range warifu.CredentialLife.States() {
			for _, verb := range verbs() {
				a := w.insertApplication(w.NewID())
				c := w.insertCredential(a, warifu.Signature)
				for _, v := range pathTo(warifu.CredentialLife, from) {
					_, err := w.moveCredential(c.ID, v, warifu.ReasonUnspecified, base)
					must(t, err)
				}
				want, legal := warifu.CredentialLife.Next(from, verb)
				got, err := w.moveCredential(c.ID, verb, warifu.ReasonUnspecified, base)
				if legal != nil {
					wantProblem(t, err, "transition-illegal")
					continue
				}
				must(t, err)
				equal(t, string(from)+" "+string(verb), got.State, want)
			}
		}
	})
}

func TestApplicationTakesItsArrowsAndNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, from := range warifu.ApplicationLife.States() {
			for _, verb := range verbs() {
				a := w.insertApplication(w.NewID())
				for _, v := range pathTo(warifu.ApplicationLife, from) {
					_, err := w.moveApplication(a.ID, v, base, "")
					must(t, err)
				}
				want, legal := warifu.ApplicationLife.Next(from, verb)
				got, err := w.moveApplication(a.ID, verb, base, "")
				if legal != nil {
					wantProblem(t, err, "transition-illegal")
					continue
				}
				must(t, err)
				equal(t, string(from)+" "+string(verb), got.State, want)
				equal(t, "ended", got.EndedAt.IsZero(), !warifu.ApplicationLife.Final(want))
			}
		}
	})
}

func TestDatabaseItselfRefusesIllegalStates(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("p")
		c := w.insertCredential(a, warifu.Signature)
		_, err := w.moveCredential(c.ID, warifu.VerbRevoke, warifu.ReasonKeyCompromise, base)
		must(t, err)
		db := w.bare()
		const move = "INSERT INTO moves (life, subject, seq, previous, from_state, verb, to_state, at) VALUES "
		for what, statement := range map[string]string{
			"a revoked credential made active":      "UPDATE credentials SET state = 'active'",
			"a revoked credential stepped back":     "UPDATE credentials SET state = 'pending', step = 5",
			"a state that does not exist":           "UPDATE applications SET state = 'approved'",
			"an application issued without a move":  "UPDATE applications SET state = 'issued', step = 1",
			"an arrow that is not there":            move + "('credential', '" + c.ID + "', 2, 1, 'revoked', 'resume', 'active', 0)",
			"an arrow from a state it is not in":    move + "('credential', '" + c.ID + "', 2, 1, 'held', 'resume', 'active', 0)",
			"a fork of a life":                      move + "('credential', '" + c.ID + "', 1, 0, 'pending', 'activate', 'active', 0)",
			"a life begun twice":                    move + "('credential', '" + c.ID + "', 0, NULL, '', 'begin', 'pending', 0)",
			"a life begun in the middle":            move + "('credential', 'x', 3, NULL, '', 'begin', 'pending', 0)",
			"a jump over a step":                    move + "('credential', '" + c.ID + "', 3, 2, 'revoked', 'revoke', 'revoked', 0)",
			"a history rewritten":                   "UPDATE moves SET to_state = 'active' WHERE seq = 1",
			"a history deleted":                     "DELETE FROM moves WHERE subject = '" + c.ID + "'",
			"a new arrow's state without the arrow": "INSERT INTO moves (life, subject, seq, previous, from_state, verb, to_state, at) VALUES ('credential', 'y', 0, NULL, '', 'begin', 'active', 0)",
			"an application that is a credential":   "UPDATE applications SET life = 'credential'",
			"a credential of no application":        "UPDATE credentials SET application = 'nobody'",
			"a status that is none":                 "UPDATE credentials SET cert_status = 3",
			"a revoked certificate called good":     "UPDATE credentials SET cert_status = 1",
			"a revoked certificate called unknown":  "UPDATE credentials SET cert_status = 0",
		} {
			if _, err := db.Exec(statement); err == nil {
				t.Errorf("the database accepted %s", what)
			}
		}
	})
}

func TestMoveNeedsItsAuditLine(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("p")
		ctx := context.Background()
		for what, line := range map[string]*store.Line{
			"none":          nil,
			"other subject": {Verb: warifu.VerbIssue, Subject: "x"},
			"other verb":    {Verb: warifu.VerbReject, Subject: a.ID},
		} {
			err := w.Write(ctx, func(tx *store.Tx) error {
				if _, err := tx.MoveApplication(a.ID, warifu.VerbIssue, base, ""); err != nil {
					return err
				}
				if line == nil {
					return nil
				}
				return tx.Audit(*line)
			})
			wantProblem(t, err, "audit-missing")
			w.read(func(tx *store.Tx) error {
				got, err := tx.Application(a.ID)
				equal(t, what, got.State, warifu.ApplicationSubmitted)
				return err
			})
		}
	})
}

func TestMovesTellTheWholeLife(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("p")
		c := w.insertCredential(a, warifu.Authentication)
		for i, v := range []warifu.Verb{warifu.VerbActivate, warifu.VerbSuspend, warifu.VerbResume, warifu.VerbRevoke} {
			_, err := w.moveCredential(c.ID, v, warifu.ReasonUnspecified, base.Add(time.Duration(i+1)*time.Minute))
			must(t, err)
		}
		w.read(func(tx *store.Tx) error {
			moves, err := tx.Moves(c.ID)
			var states []string
			for i, m := range moves {
				states = append(states, m.To)
				equal(t, "at", m.At, base.Add(time.Duration(i)*time.Minute))
			}
			if want := []string{"pending", "active", "held", "active", "revoked"}; !slices.Equal(states, want) {
				t.Errorf("got %v, want %v", states, want)
			}
			lines, err2 := tx.AuditOf(c.ID)
			equal(t, "audit lines", len(lines), 4)
			equal(t, "last verb", lines[3].Verb, warifu.VerbRevoke)
			if err == nil {
				err = err2
			}
			return err
		})
	})
}
