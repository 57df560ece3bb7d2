package store_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

var hanako = store.Contact{Reading: "ハナコ", BirthDate: "19850403", Telephone: "09011112222"}

func (w *world) found(c store.Contact) (persons []warifu.Digest) {
	w.t.Helper()
	w.read(func(tx *store.Tx) (err error) {
		persons, err = tx.PersonsOfContact(c)
		return err
	})
	return persons
}

func TestAContactIsFoundByAllThreePartsOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		person := digest("hanako")
		w.write(func(tx *store.Tx) error { return tx.PutContact(person, hanako, base) })
		if got := w.found(hanako); len(got) != 1 || got[0] != person {
			t.Fatalf("found %v", got)
		}
		for _, other := range []store.Contact{
			{Reading: "ハナ", BirthDate: hanako.BirthDate, Telephone: hanako.Telephone},
			{Reading: hanako.Reading, BirthDate: "19850404", Telephone: hanako.Telephone},
			{Reading: hanako.Reading, BirthDate: hanako.BirthDate, Telephone: "09011112223"},
			{Reading: hanako.Telephone, BirthDate: hanako.Reading, Telephone: hanako.BirthDate}, {},
		} {
			if got := w.found(other); len(got) != 0 {
				t.Errorf("%+v finds somebody", other)
			}
		}
	})
}

func TestANewerContactReplacesTheOlder(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		person, moved := digest("hanako"), hanako
		moved.Telephone = "08099998888"
		w.write(func(tx *store.Tx) error { return tx.PutContact(person, hanako, base) })
		w.write(func(tx *store.Tx) error { return tx.PutContact(person, moved, base) })
		if len(w.found(hanako)) != 0 || len(w.found(moved)) != 1 {
			t.Error("the older one is found")
		}
		w.read(func(tx *store.Tx) error {
			got, err := tx.Contact(person)
			equal(t, "contact", got, moved)
			return err
		})
		var blobs int
		must(t, w.bare().QueryRow(`SELECT COUNT(*) FROM sealed`).Scan(&blobs))
		equal(t, "sealed blobs", blobs, 1)
	})
}

func TestAnErasedPersonsContactIsGone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		person := digest("hanako")
		w.write(func(tx *store.Tx) error { return tx.PutContact(person, hanako, base) })
		w.write(func(tx *store.Tx) error { return tx.ErasePerson(person) })
		if len(w.found(hanako)) != 0 {
			t.Error("an erased person is found")
		}
		wantProblem(t, w.Read(context.Background(), func(tx *store.Tx) error { _, err := tx.Contact(person); return err }), "contact-unknown")
		w.write(func(tx *store.Tx) error {
			told, err := tx.PutContactNotice(store.ContactNotice{Person: person, Occasion: "x", At: base})
			equal(t, "told", told, false)
			return err
		})
	})
}

func TestNoRowShowsAContact(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.write(func(tx *store.Tx) error { return tx.PutContact(digest("hanako"), hanako, base) })
		for _, q := range []string{`SELECT sealed, reading, birth_date, telephone FROM contacts`, `SELECT digest, owner, octets, octets FROM sealed`} {
			var c [4][]byte
			must(t, w.bare().QueryRow(q).Scan(&c[0], &c[1], &c[2], &c[3]))
			for _, octets := range c {
				for _, part := range []string{hanako.Reading, hanako.BirthDate, hanako.Telephone} {
					bare := digest(part)
					if bytes.Contains(octets, []byte(part)) || bytes.Equal(octets, bare[:]) {
						t.Errorf("%s shows a part", q)
					}
				}
			}
		}
	})
}

func TestAProposalIsConfirmedOnceAndNotByItsMaker(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		call := store.Call{Receipt: "1", Operator: "aoi", Matched: 1, Person: digest("hanako"), Handle: digest("handle"), Expires: base.Add(time.Minute), At: base}
		p := store.Proposal{ID: "p", Receipt: "1", Verb: warifu.VerbResume, Cause: "found", Person: call.Person, Proposer: "aoi", Token: digest("t"), At: base, Expires: base.Add(time.Hour)}
		w.write(func(tx *store.Tx) error {
			if err := tx.InsertCall(call); err != nil {
				return err
			}
			return tx.InsertProposal(p)
		})
		wantProblem(t, w.Write(context.Background(), func(tx *store.Tx) error { return tx.InsertCall(call) }), "receipt-exists")
		confirm := func(who string) error {
			return w.Write(context.Background(), func(tx *store.Tx) error { return tx.ConfirmProposal("p", who, base.Add(time.Second)) })
		}
		wantProblem(t, confirm("aoi"), "proposal-closed")
		must(t, confirm("ken"))
		wantProblem(t, confirm("mio"), "proposal-closed")
		decline := func(id string) error {
			return w.Write(context.Background(), func(tx *store.Tx) error { return tx.DeclineProposal(id, base.Add(time.Minute)) })
		}
		wantProblem(t, decline("p"), "proposal-closed")
		q := p
		q.ID = "q"
		w.write(func(tx *store.Tx) error { return tx.InsertProposal(q) })
		must(t, decline("q"))
		wantProblem(t, decline("q"), "proposal-closed")
		w.read(func(tx *store.Tx) error {
			open, err := tx.OpenProposals(base.Add(time.Minute), 10)
			equal(t, "open", len(open), 0)
			return err
		})
		w.read(func(tx *store.Tx) error {
			got, err := tx.Proposal("p")
			p.Confirmer, p.ConfirmedAt = "ken", base.Add(time.Second)
			equal(t, "proposal", got, p)
			if err != nil {
				return err
			}
			c, err := tx.CallOfHandle(digest("handle"))
			equal(t, "call", c, call)
			if _, other := tx.CallOfHandle(digest("other")); other != nil {
				wantProblem(t, other, "match-unknown")
			}
			return err
		})
	})
}

func TestReportsAndNoticesStayOpenUntilHandedOn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		person := digest("hanako")
		w.write(func(tx *store.Tx) error {
			if err := tx.PutContact(person, hanako, base); err != nil {
				return err
			}
			for i := range 2 {
				receipt := fmt.Sprint(i)
				if err := tx.InsertCall(store.Call{Receipt: receipt, Operator: "aoi", At: base}); err != nil {
					return err
				}
				if err := tx.PutCardReport(store.CardReport{Receipt: receipt, Person: person, At: base}); err != nil {
					return err
				}
				if _, err := tx.PutContactNotice(store.ContactNotice{ID: receipt, Person: person, Application: "a", Occasion: "new-phone", At: base}); err != nil {
					return err
				}
			}
			return nil
		})
		w.write(func(tx *store.Tx) error {
			for _, first := range []bool{true, false} {
				if told, err := tx.CardReportTold("0", base); err != nil || told != first {
					t.Errorf("told for the first time: %t (%v)", told, err)
				}
			}
			return tx.ContactNoticeSent("0", base)
		})
		w.read(func(tx *store.Tx) error {
			reports, err := tx.OpenCardReports(10)
			if err != nil {
				return err
			}
			notices, err := tx.OpenContactNotices("", 10)
			if err != nil {
				return err
			}
			if len(reports) != 1 || reports[0].Receipt != "1" || len(notices) != 1 || notices[0].ID != "1" || notices[0].Person != person {
				t.Errorf("open: %v, %v", reports, notices)
			}
			told, found, err := tx.CardReport("0")
			if err != nil || !found || !told.ToldAt.Equal(base) {
				t.Errorf("the report that was told: %+v %t (%v)", told, found, err)
			}
			if _, found, err = tx.CardReport("2"); err != nil || found {
				t.Errorf("a report that nobody made: %t (%v)", found, err)
			}
			for after, want := range map[time.Time]int{base: 0, base.Add(-time.Second): 2} {
				n, err := tx.CallsBy("aoi", after, 10)
				if err != nil || n != want {
					t.Errorf("%d calls after %s, want %d (%v)", n, after, want, err)
				}
			}
			if call, err := tx.CallOfReceipt("1"); err != nil || call.Operator != "aoi" {
				t.Errorf("call 1: %+v (%v)", call, err)
			}
			_, err = tx.CallOfReceipt("2")
			wantProblem(t, err, "receipt-unknown")
			calls, err := tx.CallsAfter(base, 10)
			equal(t, "calls", len(calls), 2)
			return err
		})
	})
}

func TestANoticeGoesToTheContactThatStoodAndTakesItAlong(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		person := digest("hanako")
		thiefs := hanako
		thiefs.Telephone = "08000000000"
		w.write(func(tx *store.Tx) error {
			must(t, tx.PutContact(person, hanako, base))
			for _, id := range []string{"1", "2"} {
				_, err := tx.PutContactNotice(store.ContactNotice{ID: id, Person: person, Application: "a", Occasion: "contact-changed", At: base})
				must(t, err)
			}
			return tx.PutContact(person, thiefs, base)
		})
		blobs := func() (n int) {
			must(t, w.bare().QueryRow(`SELECT COUNT(*) FROM sealed`).Scan(&n))
			return n
		}
		for i, id := range []string{"1", "2"} {
			w.write(func(tx *store.Tx) error {
				open, err := tx.OpenContactNotices("", 10)
				must(t, err)
				if len(open) != 2-i || open[0].ID != id {
					t.Fatalf("open: %+v", open)
				}
				c, err := tx.ContactOfNotice(open[0])
				must(t, err)
				equal(t, "telephone", c.Telephone, hanako.Telephone)
				return tx.ContactNoticeSent(id, base)
			})
			equal(t, "sealed contacts", blobs(), 2-i)
		}
		w.read(func(tx *store.Tx) error {
			c, err := tx.Contact(person)
			equal(t, "telephone", c.Telephone, thiefs.Telephone)
			return err
		})
		w.write(func(tx *store.Tx) error {
			_, err := tx.PutContactNotice(store.ContactNotice{ID: "3", Person: person, Application: "a", Occasion: "new-phone", At: base})
			must(t, err)
			return tx.ErasePerson(person)
		})
		w.read(func(tx *store.Tx) error {
			open, err := tx.OpenContactNotices("", 10)
			must(t, err)
			_, err = tx.ContactOfNotice(open[0])
			wantProblem(t, err, "contact-unknown")
			return nil
		})
	})
}
