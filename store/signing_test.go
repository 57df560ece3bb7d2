package store_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"warifu/store"
)

// wanted writes a transaction of the bank's, open for ten minutes.
func (w *world) wanted(id string, document []byte) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		return tx.InsertSignTransaction(store.SignTransaction{ID: id, Client: "bank", Mode: "pdf", At: base, Expires: base.Add(10 * time.Minute)}, "口座開設の申込書", document)
	})
}

func (w *world) binds(id, client, login string, at time.Time) (done bool) {
	w.t.Helper()
	w.write(func(tx *store.Tx) (err error) {
		done, err = tx.BindSignTransaction(id, client, login, at)
		return err
	})
	return done
}

func (w *world) finishes(id, login string, at time.Time) (done bool) {
	w.t.Helper()
	w.write(func(tx *store.Tx) (err error) {
		done, err = tx.FinishSignTransaction(id, login, []byte("the result"), at, at.Add(15*time.Minute))
		return err
	})
	return done
}

// sealedRows counts what lies in the sealed table.
func (w *world) sealedRows() (blobs, keys int) {
	w.t.Helper()
	db := w.bare()
	must(w.t, db.QueryRow(`SELECT COUNT(*) FROM sealed`).Scan(&blobs))
	must(w.t, db.QueryRow(`SELECT COUNT(*) FROM data_keys`).Scan(&keys))
	return blobs, keys
}

func TestASignTransactionComesBackAsItWasAsked(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		large := bytes.Repeat([]byte("割符"), store.MaxBlob/3) // two pieces and a little, the same octets again and again
		for id, document := range map[string][]byte{"t1": []byte("a contract"), "t2": large, "t3": {}} {
			w.wanted(id, document)
			w.read(func(tx *store.Tx) error {
				got, err := tx.SignTransaction(id)
				must(t, err)
				equal(t, "digest", got.Digest, digest(string(document)))
				equal(t, "size", got.Size, int64(len(document)))
				equal(t, "state", got.Client+" "+got.Mode+" "+got.State+got.Login, "bank pdf open")
				equal(t, "expires", got.Expires, base.Add(10*time.Minute))
				name, err := tx.SignName(got)
				must(t, err)
				equal(t, "name", name, "口座開設の申込書")
				octets, err := tx.SignOctets(got)
				if !bytes.Equal(octets, document) {
					t.Errorf("%s: %d octets, want %d", id, len(octets), len(document))
				}
				return err
			})
		}
		w.read(func(tx *store.Tx) error {
			_, err := tx.SignTransaction("t9")
			wantProblem(t, err, "sign-transaction-unknown")
			n, size, err := tx.SignTransactionsBy("bank")
			equal(t, "lying here", n, int64(3))
			equal(t, "octets", size, int64(len(large)+10))
			return err
		})
		err := w.Write(context.Background(), func(tx *store.Tx) error {
			return tx.InsertSignTransaction(store.SignTransaction{ID: "t4"}, "", make([]byte, store.MaxSigning+1))
		})
		wantProblem(t, err, "blob-too-large")
	})
}

func TestASignTransactionServesOneLoginOfItsClientAndInTime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.wanted("t1", []byte("a contract"))
		w.wanted("t2", []byte("another"))
		equal(t, "another client", w.binds("t1", "shop", "l1", base), false)
		equal(t, "after its end", w.binds("t1", "bank", "l1", base.Add(10*time.Minute)), false)
		equal(t, "before it is bound", w.finishes("t1", "", base), false)
		equal(t, "bound", w.binds("t1", "bank", "l1", base), true)
		equal(t, "bound twice", w.binds("t1", "bank", "l2", base), false)
		err := w.Write(context.Background(), func(tx *store.Tx) error {
			_, err := tx.BindSignTransaction("t2", "bank", "l1", base)
			return err
		})
		if err == nil {
			t.Error("one login signs two documents")
		}
		equal(t, "with another login", w.finishes("t1", "l2", base), false)
		equal(t, "too late", w.finishes("t1", "l1", base.Add(10*time.Minute)), false)
		equal(t, "signed", w.finishes("t1", "l1", base.Add(time.Minute)), true)
		equal(t, "signed twice", w.finishes("t1", "l1", base.Add(time.Minute)), false)
		equal(t, "bound again", w.binds("t1", "bank", "l3", base), false)
	})
}

// Of a signed transaction the document is gone, and of a past one everything: keys too.
func TestWhatWasSignedOrHasExpiredIsErased(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.wanted("t1", bytes.Repeat([]byte("x"), store.MaxBlob+1))
		w.wanted("t2", []byte("another"))
		blobs, keys := w.sealedRows()
		equal(t, "blobs before", blobs, 5)
		equal(t, "keys before", keys, 2)
		equal(t, "bound", w.binds("t1", "bank", "l1", base), true)
		equal(t, "signed", w.finishes("t1", "l1", base), true)
		w.read(func(tx *store.Tx) error {
			got, err := tx.SignTransaction("t1")
			must(t, err)
			equal(t, "state", got.State+" "+got.Login, "signed l1")
			equal(t, "expires", got.Expires, base.Add(15*time.Minute))
			result, err := tx.SignOctets(got)
			must(t, err)
			equal(t, "result", string(result), "the result")
			_, err = tx.SignName(got)
			wantProblem(t, err, "blob-unknown")
			return nil
		})
		blobs, _ = w.sealedRows()
		equal(t, "blobs once signed", blobs, 3)
		for _, round := range []struct {
			at   time.Time
			gone int
		}{{base.Add(10*time.Minute - time.Microsecond), 0}, {base.Add(10 * time.Minute), 1}, {base.Add(15 * time.Minute), 1}} {
			w.write(func(tx *store.Tx) error {
				n, err := tx.PurgeSignTransactions(round.at, 10)
				equal(t, "purged", n, round.gone)
				return err
			})
		}
		blobs, keys = w.sealedRows()
		equal(t, "left", blobs+keys, 0)
	})
}

func TestALoginThatEndsTakesItsDocumentWithIt(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, id := range strings.Fields("t1 t2 t3") {
			w.wanted(id, []byte(id))
		}
		equal(t, "bound", w.binds("t1", "bank", "l1", base) && w.binds("t2", "bank", "l2", base), true)
		equal(t, "signed", w.finishes("t2", "l2", base), true)
		w.write(func(tx *store.Tx) error {
			for _, login := range []string{"l1", "l2", "l9", ""} {
				must(t, tx.EndSignTransactionOf(login))
			}
			_, err := tx.SignTransaction("t1")
			wantProblem(t, err, "sign-transaction-unknown")
			for _, kept := range []string{"t2", "t3"} {
				_, err := tx.SignTransaction(kept)
				must(t, err)
			}
			return nil
		})
	})
}
