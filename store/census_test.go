package store_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"warifu"
	"warifu/store"
)

func TestACensusTellsEveryCertificateOfAnAuthorityInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var want [][]byte
		for i := range 5 {
			a := w.insertApplication(fmt.Sprint(i))
			c := w.insertCredential(a, warifu.Signature)
			w.insertCredential(a, warifu.Authentication)
			want = append(want, c.Serial)
			if i > 0 {
				_, err := w.moveCredential(c.ID, warifu.VerbActivate, 0, base)
				must(t, err)
			}
			if i > 2 {
				_, err := w.moveCredential(c.ID, warifu.VerbRevoke, warifu.ReasonKeyCompromise, base)
				must(t, err)
			}
		}
		slices.SortFunc(want, bytes.Compare)
		var got [][]byte
		found := map[warifu.CertStatus]int{}
		w.read(func(tx *store.Tx) error {
			return tx.Known(warifu.Signature, func(r warifu.StatusRecord) error {
				got = append(got, r.Serial)
				found[r.Status.Cert]++
				return nil
			})
		})
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("told %x, want %x", got, want)
		}
		if found[warifu.StatusUnknown] != 1 || found[warifu.StatusGood] != 2 || found[warifu.StatusRevoked] != 2 {
			t.Errorf("told %v", found)
		}
	})
}

func TestALedgerTellsEverySerialNumberItGaveAway(t *testing.T) {
	onBothLedgers(t, func(t *testing.T, r *book) {
		want := map[string]int64{}
		for n := range 7 {
			in, err := r.intend(newIntent(n))
			must(t, err)
			want[string(in.Serial)] = in.CreatedAt.UnixMicro()
		}
		var last []byte
		for {
			page, err := r.Serials(context.Background(), last, 3)
			must(t, err)
			for _, in := range page {
				if bytes.Compare(in.Serial, last) <= 0 {
					t.Fatalf("%x after %x", in.Serial, last)
				}
				last = in.Serial
				if at, ours := want[string(in.Serial)]; !ours || at != in.CreatedAt.UnixMicro() {
					t.Errorf("%x at %v", in.Serial, in.CreatedAt)
				}
				delete(want, string(in.Serial))
			}
			if len(page) < 3 {
				break
			}
		}
		if len(want) > 0 {
			t.Errorf("%d were not told", len(want))
		}
	})
}
