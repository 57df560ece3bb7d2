package store_test

import (
	"slices"
	"testing"

	"warifu/store"
)

func TestATreeOfCausesIsReadWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.write(func(tx *store.Tx) error {
			for _, l := range []store.Line{{ID: "1"}, {ID: "2", Cause: "1"}, {ID: "3", Cause: "2"}, {ID: "4"}, {ID: "5", Cause: "1"}, {ID: "6", Cause: "3"}, {ID: "7", Cause: "K5"}} {
				l.At, l.Actor, l.Verb, l.Subject = base, "test", "hold", "s"
				if err := tx.Audit(l); err != nil {
					return err
				}
			}
			return nil
		})
		w.read(func(tx *store.Tx) error {
			for root, want := range map[string][]string{"1": {"1", "2", "3", "5", "6"}, "2": {"2", "3", "6"}, "4": {"4"}, "7": {"7"}, "9": nil} {
				lines, err := tx.AuditTree(root, 100)
				must(t, err)
				var got []string
				for _, l := range lines {
					got = append(got, l.ID)
				}
				if !slices.Equal(got, want) {
					t.Errorf("from %s: %v, want %v", root, got, want)
				}
			}
			some, err := tx.AuditTree("1", 2)
			equal(t, "no more than asked for", len(some), 2)
			must(t, err)
			line, err := tx.AuditLine("7")
			equal(t, "cause", line.Cause, "K5")
			must(t, err)
			_, err = tx.AuditLine("9")
			wantProblem(t, err, "audit-line-unknown")
			return nil
		})
	})
}
