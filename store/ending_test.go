package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

func TestASuspensionCodeIsKeptAsAKeyedDigestOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, b := w.insertApplication("taro"), w.insertApplication("hanako")
		const first, second = "0000000000000000000001", "0000000000000000000002"
		w.write(func(tx *store.Tx) error { return tx.PutSuspensionCode(a.ID, first, base) })
		w.read(func(tx *store.Tx) error {
			got, err := tx.ApplicationOfSuspensionCode(first)
			equal(t, "the code's application", got, a.ID)
			made, err2 := tx.SuspensionCodeMade(a.ID)
			equal(t, "made at", made, base)
			none, err3 := tx.SuspensionCodeMade(b.ID)
			equal(t, "none made", none, time.Time{})
			must(t, err2)
			must(t, err3)
			return err
		})
		w.write(func(tx *store.Tx) error { return tx.PutSuspensionCode(a.ID, second, base.Add(time.Hour)) })
		w.read(func(tx *store.Tx) error {
			_, err := tx.ApplicationOfSuspensionCode(first)
			wantProblem(t, err, "suspension-code-unknown")
			got, err := tx.ApplicationOfSuspensionCode(second)
			equal(t, "the newer code's application", got, a.ID)
			return err
		})
		var kept []byte
		must(t, w.bare().QueryRow("SELECT code FROM suspension_codes").Scan(&kept))
		if len(kept) != 32 || strings.Contains(string(kept), second) {
			t.Errorf("what is kept is %x", kept)
		}
	})
}

func TestATicketIsWrittenOnlyForWhatHasEnded(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("taro")
		c := w.insertCredential(a, warifu.Signature)
		write := func() (got store.Ticket, err error) {
			err = w.Write(context.Background(), func(tx *store.Tx) error {
				got, err = tx.WriteTicket(c.ID, base)
				return err
			})
			return got, err
		}
		for _, verb := range []warifu.Verb{"", warifu.VerbActivate, warifu.VerbSuspend} {
			if verb != "" {
				_, err := w.moveCredential(c.ID, verb, warifu.ReasonCertificateHold, base)
				must(t, err)
			}
			_, err := write()
			wantProblem(t, err, "credential-not-ended")
		}
		_, err := w.moveCredential(c.ID, warifu.VerbRevoke, warifu.ReasonCessationOfOperation, base)
		must(t, err)
		first, err := write()
		must(t, err)
		again, err := write()
		must(t, err)
		equal(t, "written twice", again, first)
		equal(t, "the first number", first.Number, int64(1))

		other := w.insertCredential(w.insertApplication("hanako"), warifu.Signature)
		_, err = w.moveCredential(other.ID, warifu.VerbRevoke, warifu.ReasonCessationOfOperation, base)
		must(t, err)
		w.write(func(tx *store.Tx) error {
			next, err := tx.WriteTicket(other.ID, base)
			equal(t, "the next number", next.Number, int64(2))
			return err
		})
		w.write(func(tx *store.Tx) error { return tx.SettleTicket(c.ID, digest("receipt"), base) })
		w.write(func(tx *store.Tx) error { return tx.SettleTicket(c.ID, digest("another"), base.Add(time.Hour)) })
		w.read(func(tx *store.Tx) error {
			got, found, err := tx.Ticket(c.ID)
			equal(t, "found", found, true)
			equal(t, "receipt", got.Receipt, digest("receipt"))
			equal(t, "settled at", got.SettledAt, base)
			return err
		})
	})
}

func TestAChipRemembersWhatWasWrittenLast(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, b := w.insertApplication("taro"), w.insertApplication("hanako")
		for _, id := range []string{"", a.ID, b.ID} {
			if id != "" {
				w.write(func(tx *store.Tx) error { return tx.PutWrittenChip(a.Element, id, base) })
			}
			w.read(func(tx *store.Tx) error {
				got, err := tx.WrittenChip(a.Element)
				equal(t, "written", got, id)
				return err
			})
		}
	})
}

func TestEachReminderIsGivenOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c := w.insertCredential(w.insertApplication("taro"), warifu.Signature)
		ending := func(now time.Time) (n int) {
			w.read(func(tx *store.Tx) error {
				rows, err := tx.EndingCredentials(now, now.AddDate(0, 1, 0), "expiry:1m", 10)
				n = len(rows)
				return err
			})
			return n
		}
		near := c.NotAfter.AddDate(0, 0, -20)
		equal(t, "pending", ending(near), 0)
		_, err := w.moveCredential(c.ID, warifu.VerbActivate, 0, base)
		must(t, err)
		equal(t, "too early", ending(c.NotAfter.AddDate(0, -2, 0)), 0)
		equal(t, "near", ending(near), 1)
		equal(t, "past", ending(c.NotAfter), 0)
		for i, want := range []bool{true, false} {
			w.write(func(tx *store.Tx) error {
				first, err := tx.Remind(c.ID, "expiry:1m", near)
				if first != want {
					t.Errorf("time %d: first %v", i, first)
				}
				return err
			})
		}
		equal(t, "told", ending(near), 0)

		w.write(func(tx *store.Tx) error {
			_, err := tx.PutHold(store.Hold{Life: "credential", Subject: c.ID, Reason: "lost", PutAt: base})
			return err
		})
		w.read(func(tx *store.Tx) error {
			holds, err := tx.StandingHolds("lost", base.Add(time.Second), "", 10)
			equal(t, "standing", len(holds), 1)
			none, err2 := tx.StandingHolds("lost", base, "", 10)
			equal(t, "too young", len(none), 0)
			must(t, err2)
			after, err3 := tx.StandingHolds("lost", base.Add(time.Second), holds[0].ID, 10)
			equal(t, "after it", len(after), 0)
			must(t, err3)
			yes, err4 := tx.Reminded(c.ID, "expiry:1m")
			equal(t, "reminded", yes, true)
			must(t, err4)
			return err
		})
	})
}
