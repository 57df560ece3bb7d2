package store_test

import (
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

// appended writes n entries of a person, an hour apart.
func (w *world) appended(person warifu.Digest, n int) {
	w.t.Helper()
	for range n {
		w.write(func(tx *store.Tx) error {
			head, err := tx.CheckedHead(person)
			if err != nil {
				return err
			}
			seq := head.Seq + 1
			commitment, err := tx.SealBlob(person, []byte{byte(seq), person[0]})
			if err != nil {
				return err
			}
			return tx.AppendChecked(store.Checked{Person: person, Seq: seq, Commitment: commitment, Chain: warifu.DigestOf(append(head.Chain[:], byte(seq))), At: base.Add(time.Duration(seq) * time.Hour)})
		})
	}
}

func TestCheckedEntriesFollowOneAnother(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		person, other := digest("hanako"), digest("taro")
		w.appended(person, 3)
		w.appended(other, 1)
		w.read(func(tx *store.Tx) error {
			all, err := tx.CheckedAfter(person, 1, 10)
			if err != nil {
				return err
			}
			if len(all) != 2 || all[0].Seq != 2 || all[1].Seq != 3 || !all[1].At.Equal(base.Add(3*time.Hour)) {
				t.Errorf("%+v", all)
			}
			head, err := tx.CheckedHead(person)
			equal(t, "head", head.Chain, all[1].Chain)
			return err
		})
		err := w.Write(t.Context(), func(tx *store.Tx) error {
			return tx.AppendChecked(store.Checked{Person: person, Seq: 3, At: base})
		})
		if warifu.ProblemOf(err).Problem != "ledger-moved" {
			t.Errorf("a fork of the chain: %v", err)
		}
	})
}

func TestPurgingCheckedEntriesKeepsTheChainsPlace(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		person := digest("hanako")
		w.appended(person, 4)
		var second store.Checked
		w.read(func(tx *store.Tx) error {
			all, err := tx.CheckedAfter(person, 1, 1)
			second = all[0]
			return err
		})
		w.write(func(tx *store.Tx) error {
			old, err := tx.CheckedBefore(base.Add(150*time.Minute), 10)
			if err != nil || len(old) != 1 || old[0] != person {
				t.Errorf("%v %v", old, err)
			}
			n, err := tx.PurgeChecked(person, base.Add(150*time.Minute))
			equal(t, "purged", n, int64(2))
			return err
		})
		w.read(func(tx *store.Tx) error {
			head, err := tx.CheckedHead(person)
			equal(t, "base", head.Base, int64(2))
			equal(t, "chain", head.BaseChain, second.Chain)
			if _, err := tx.UnsealBlob(second.Commitment); !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
				t.Errorf("what was purged can be read: %v", err)
			}
			return err
		})
		w.appended(person, 1)
	})
}

func TestEachPartyKnowsAPersonByAnotherName(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		names := map[string]bool{}
		for _, party := range []string{"bank", "shop"} {
			for _, person := range []string{"hanako", "taro"} {
				b, err := w.Pairwise(digest(person), party)
				must(t, err)
				names[string(b)] = true
			}
		}
		equal(t, "names", len(names), 4)
	})
}
