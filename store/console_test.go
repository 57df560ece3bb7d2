package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

func consoleOperator(name string) store.ConsoleOperator {
	handle, token := digest("handle "+name), digest("token "+name)
	return store.ConsoleOperator{Name: name, Role: "hotline", Handle: handle[:], Token: token, At: base, InvitedBy: "nao"}
}

func TestAnOperatorsNameIsNeverGivenAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		aoi, ken := consoleOperator("aoi"), consoleOperator("ken")
		w.write(func(tx *store.Tx) error {
			must(t, tx.InsertConsoleOperator(ken))
			must(t, tx.InsertConsoleOperator(aoi))
			wantProblem(t, tx.InsertConsoleOperator(aoi), "console-name-taken")
			must(t, tx.InsertConsolePasskey(store.ConsolePasskey{ID: []byte("key"), Operator: "aoi", Record: []byte(`{}`), At: base}))
			wantProblem(t, tx.InsertConsolePasskey(store.ConsolePasskey{ID: []byte("key"), Operator: "ken", Record: []byte(`{}`), At: base}), "passkey-known")
			must(t, tx.UseConsolePasskey([]byte("key"), []byte(`{"n":1}`), base.Add(time.Second)))
			must(t, tx.InsertConsoleSession(store.ConsoleSession{Secret: digest("s"), Operator: "aoi", Browser: digest("b"), At: base, SeenAt: base, Ends: base.Add(time.Hour)}))
			return tx.PutConsoleInvitation(store.ConsoleInvitation{Link: digest("l"), Operator: "aoi", Role: "hotline", By: "nao", At: base, Expires: base.Add(time.Hour)})
		})
		w.read(func(tx *store.Tx) error {
			all, err := tx.ConsoleOperators()
			must(t, err)
			equal(t, "by name", fmt.Sprint(all), fmt.Sprint([]store.ConsoleOperator{aoi, ken}))
			got, err := tx.ConsoleOperatorOfHandle(aoi.Handle)
			must(t, err)
			equal(t, "by handle", fmt.Sprint(got), fmt.Sprint(aoi))
			keys, err := tx.ConsolePasskeys("aoi")
			must(t, err)
			equal(t, "passkeys", fmt.Sprint(keys), fmt.Sprint([]store.ConsolePasskey{{ID: []byte("key"), Operator: "aoi", Record: []byte(`{"n":1}`), At: base, UsedAt: base.Add(time.Second)}}))
			return nil
		})
		w.write(func(tx *store.Tx) error {
			must(t, tx.EnrolConsoleOperator("aoi", digest("another")))
			must(t, tx.ConsoleOperatorSeen("aoi", base.Add(time.Minute)))
			return tx.RemoveConsoleOperator("aoi", "nao", base.Add(time.Hour))
		})
		w.write(func(tx *store.Tx) error {
			got, err := tx.ConsoleOperator("aoi")
			must(t, err)
			equal(t, "who left", got.RemovedBy+" "+got.RemovedAt.String()+" "+got.SeenAt.String(), "nao "+base.Add(time.Hour).String()+" "+base.Add(time.Minute).String())
			equal(t, "the enrolment's token", got.Token, digest("another"))
			keys, err := tx.ConsolePasskeys("aoi")
			must(t, err)
			equal(t, "passkeys left", len(keys), 0)
			_, err = tx.ConsoleSession(digest("s"))
			wantProblem(t, err, "console-session-unknown")
			_, err = tx.ConsoleInvitation(digest("l"))
			wantProblem(t, err, "invitation-unknown")
			wantProblem(t, tx.InsertConsoleOperator(aoi), "console-name-taken")
			wantProblem(t, tx.RemoveConsoleOperator("aoi", "nao", base), "console-operator-unknown")
			wantProblem(t, tx.EnrolConsoleOperator("aoi", digest("third")), "console-operator-unknown")
			return nil
		})
	})
}

func TestLinksAndSessionsOfTheConsoleEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := store.ConsoleInvitation{Link: digest("first"), Operator: "aoi", Role: "hotline", By: "nao", At: base, Expires: base.Add(time.Hour)}
		newer := link
		newer.Link = digest("second")
		session := store.ConsoleSession{Secret: digest("s"), Operator: "ken", Browser: digest("b"), WithoutKey: true, At: base, SeenAt: base, VerifiedAt: base, Ends: base.Add(8 * time.Hour)}
		w.write(func(tx *store.Tx) error {
			must(t, tx.InsertConsoleOperator(consoleOperator("ken")))
			must(t, tx.PutConsoleInvitation(link))
			must(t, tx.PutConsoleInvitation(newer))
			return tx.InsertConsoleSession(session)
		})
		w.write(func(tx *store.Tx) error {
			_, err := tx.ConsoleInvitation(link.Link)
			wantProblem(t, err, "invitation-unknown") // the newer one took its place
			open, err := tx.ConsoleInvitations()
			must(t, err)
			equal(t, "open links", fmt.Sprint(open), fmt.Sprint([]store.ConsoleInvitation{newer}))
			got, err := tx.ConsoleSession(session.Secret)
			must(t, err)
			equal(t, "session", fmt.Sprint(got), fmt.Sprint(session))
			must(t, tx.TouchConsoleSession(session.Secret, base.Add(time.Minute)))
			must(t, tx.VerifyConsoleSession(session.Secret, base.Add(2*time.Minute)))
			got, err = tx.ConsoleSession(session.Secret)
			must(t, err)
			equal(t, "verified", got.VerifiedAt, base.Add(2*time.Minute))
			must(t, tx.EndConsoleInvitation(newer.Link))
			wantProblem(t, tx.EndConsoleInvitation(newer.Link), "invitation-unknown")
			must(t, tx.PutConsoleInvitation(link))
			n, err := tx.PurgeConsole(base.Add(2 * time.Hour))
			must(t, err)
			equal(t, "links over", n, int64(1))
			must(t, tx.EndConsoleSession(session.Secret))
			return tx.EndConsoleSession(session.Secret)
		})
	})
}

func TestTheAuditTrailIsSearchedFromTheNewest(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, l := range []store.Line{
			{Actor: "holder", Verb: "suspend", Subject: "one"}, {Actor: "operator:aoi", Verb: "look-up", Subject: "two"},
			{Actor: "operator:aoi", Verb: "suspend", Subject: "one", Cause: "rule"}, {Actor: "operator:ken", Verb: "suspend", Subject: "three"},
		} {
			l.At = base.Add(time.Duration(i) * time.Hour)
			w.write(func(tx *store.Tx) error { return tx.Audit(l) })
		}
		w.read(func(tx *store.Tx) error {
			find := func(q store.AuditQuestion, limit int) (out string) {
				t.Helper()
				lines, err := tx.SearchAudit(q, limit)
				must(t, err)
				for _, l := range lines {
					out += l.Actor + " " + string(l.Verb) + " " + l.Subject + "; "
				}
				return out
			}
			equal(t, "all", find(store.AuditQuestion{}, 2), "operator:ken suspend three; operator:aoi suspend one; ")
			equal(t, "by actor and verb", find(store.AuditQuestion{Actor: "operator:aoi", Verb: "suspend"}, 9), "operator:aoi suspend one; ")
			equal(t, "by subjects", find(store.AuditQuestion{Subjects: []string{"one", "two"}}, 9), "operator:aoi suspend one; operator:aoi look-up two; holder suspend one; ")
			equal(t, "by cause", find(store.AuditQuestion{Cause: "rule"}, 9), "operator:aoi suspend one; ")
			equal(t, "by time", find(store.AuditQuestion{From: base.Add(time.Hour), Until: base.Add(2 * time.Hour)}, 9), "operator:aoi look-up two; ")
			first, err := tx.SearchAudit(store.AuditQuestion{}, 3)
			must(t, err)
			equal(t, "the page before", find(store.AuditQuestion{Before: first[2].ID}, 9), "holder suspend one; ")
			return nil
		})
	})
}

func TestAnAuditLineThatWasTakenAwayIsMissed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("p").ID
		w.write(func(tx *store.Tx) error {
			if _, err := tx.MoveApplication(a, warifu.VerbWithdraw, base.Add(time.Minute), ""); err != nil {
				return err
			}
			return tx.Audit(store.Line{At: base.Add(time.Minute), Actor: "holder", Verb: warifu.VerbWithdraw, Subject: a})
		})
		count := func() string {
			var all, lacking int64
			w.read(func(tx *store.Tx) (err error) {
				all, lacking, err = tx.UnauditedMoves()
				return err
			})
			return fmt.Sprint(all, lacking)
		}
		equal(t, "whole", count(), "1 0")
		db := w.bare()
		_, err := db.ExecContext(context.Background(), `DELETE FROM audit WHERE verb = 'withdraw'`)
		must(t, err)
		equal(t, "one line taken away", count(), "1 1")
	})
}
