package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warifu"
	"warifu/store"
)

func (w *world) seals(person, plain string) warifu.Digest {
	w.t.Helper()
	var d warifu.Digest
	w.write(func(tx *store.Tx) (err error) {
		d, err = tx.SealBlob(digest(person), []byte(plain))
		return err
	})
	return d
}

func (w *world) unseals(d warifu.Digest) (plain []byte, err error) {
	w.t.Helper()
	w.read(func(tx *store.Tx) error {
		plain, err = tx.UnsealBlob(d)
		return nil
	})
	return plain, err
}

func TestSealedBlobComesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, plain := range []string{"", "one", strings.Repeat("割符", 50_000)} {
			d := w.seals("p", plain)
			equal(t, "digest", d, warifu.DigestOf([]byte(plain)))
			equal(t, "again", w.seals("p", plain), d)
			got, err := w.unseals(d)
			must(t, err)
			equal(t, "plain", string(got), plain)
		}
		_, err := w.unseals(digest("never sealed"))
		wantProblem(t, err, "blob-unknown")
		err = w.Write(context.Background(), func(tx *store.Tx) error {
			_, err := tx.SealBlob(digest("p"), make([]byte, store.MaxBlob+1))
			return err
		})
		wantProblem(t, err, "blob-too-large")
	})
}

func TestErasingAPersonErasesNobodyElse(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		mine, shared := w.seals("p", "only mine"), w.seals("p", "the maker's certificate")
		w.seals("q", "the maker's certificate")
		w.write(func(tx *store.Tx) error { return tx.ErasePerson(digest("p")) })
		_, err := w.unseals(mine)
		wantProblem(t, err, "blob-unknown")
		_, err = w.unseals(shared)
		must(t, err)
		var keys int
		must(t, w.bare().QueryRow("SELECT COUNT(*) FROM data_keys").Scan(&keys))
		equal(t, "keys left", keys, 1)
		again := w.seals("p", "come back") // whoever was erased may apply anew
		_, err = w.unseals(again)
		must(t, err)
	})
}

func TestChangedOrMovedSealDoesNotOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		db := w.bare()
		for what, change := range map[string]func(d warifu.Digest) error{
			"octets changed": func(d warifu.Digest) error {
				var o []byte
				must(t, db.QueryRow("SELECT octets FROM sealed WHERE digest = $1", d[:]).Scan(&o))
				o[len(o)/2] ^= 1
				_, err := db.Exec("UPDATE sealed SET octets = $1 WHERE digest = $2", o, d[:])
				return err
			},
			"cut short": func(d warifu.Digest) error {
				_, err := db.Exec("UPDATE sealed SET octets = $1 WHERE digest = $2", []byte{1}, d[:])
				return err
			},
			"under another name": func(d warifu.Digest) error {
				other := digest(d.String())
				_, err := db.Exec("UPDATE sealed SET digest = $1 WHERE digest = $2", other[:], d[:])
				return err
			},
			"under another owner": func(d warifu.Digest) error {
				other := w.seals("q "+d.String(), "theirs")
				_ = other
				owner := digest("q " + d.String())
				_, err := db.Exec("UPDATE sealed SET owner = $1 WHERE digest = $2", owner[:], d[:])
				return err
			},
			"the key of another": func(d warifu.Digest) error {
				w.seals("r", "theirs")
				p, r := digest("p "+d.String()), digest("r")
				_, err := db.Exec("UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE owner = $1) WHERE owner = $2", r[:], p[:])
				return err
			},
		} {
			plain := "plain " + what
			d := w.seals("p "+warifu.DigestOf([]byte(plain)).String(), plain)
			must(t, change(d))
			if what == "under another name" {
				d = digest(d.String())
			}
			_, err := w.unseals(d)
			if err == nil {
				t.Errorf("%s: it opened", what)
				continue
			}
			wantProblem(t, err, "blob-damaged")
		}
	})
}

func TestSubscriptionIsSealedAndBoundToItsElement(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		one, two := warifu.ElementID{1}, warifu.ElementID{2}
		for _, s := range []string{`{"endpoint":"first"}`, `{"endpoint":"second"}`} {
			w.write(func(tx *store.Tx) error { return tx.PutSubscription(one, []byte(s), base) })
		}
		w.read(func(tx *store.Tx) error {
			got, err := tx.Subscription(one)
			equal(t, "newest", string(got), `{"endpoint":"second"}`)
			_, missing := tx.Subscription(two)
			wantProblem(t, missing, "subscription-unknown")
			return err
		})
		_, err := w.bare().Exec("UPDATE subscriptions SET element = $1", two[:])
		must(t, err)
		w.read(func(tx *store.Tx) error {
			if _, err := tx.Subscription(two); err == nil {
				t.Error("opened for another element")
			}
			return nil
		})
		w.write(func(tx *store.Tx) error { return tx.DropSubscription(two) })
	})
}

// No page of the file, nor of its log, may hold what was sealed; nor, after
// erasing, the key that would open it.
func TestFileHoldsNoPlainOctetsAndNoErasedKey(t *testing.T) {
	dir := t.TempDir()
	w := openWorld(t, "sqlite:"+filepath.Join(dir, "w.db"))
	const canary = "山田花子 canary 東京都"
	for i := range 20 {
		w.seals(fmt.Sprint(i), canary+fmt.Sprint(i))
	}
	w.write(func(tx *store.Tx) error { return tx.PutSubscription(warifu.ElementID{1}, []byte(canary), base) })
	var wrapped []byte
	must(t, w.bare().QueryRow("SELECT wrapped FROM data_keys WHERE owner = $1", digestBytes("7")).Scan(&wrapped))
	w.write(func(tx *store.Tx) error { return tx.ErasePerson(digest("7")) })
	_, err := w.bare().Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	must(t, err)
	eachFile(t, dir, func(name string, octets []byte) {
		if bytes.Contains(octets, []byte("canary")) {
			t.Errorf("%s holds what was sealed", name)
		}
		if bytes.Contains(octets, wrapped) {
			t.Errorf("%s holds an erased key", name)
		}
	})
}

// eachFile hands over the content of every file in a folder.
func eachFile(t *testing.T, dir string, look func(name string, octets []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(files) == 0 {
		t.Error("no files to look at")
	}
	for _, f := range files {
		octets, err := os.ReadFile(f)
		must(t, err)
		look(f, octets)
	}
}

func TestSeveralPapersOfOnePersonComeBackInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		papers := [][]byte{[]byte("one"), {}, []byte("the maker's certificate"), []byte("one")}
		var names []warifu.Digest
		for range 2 { // twice is as good as once
			w.write(func(tx *store.Tx) (err error) {
				names, err = tx.SealBlobs(digest("p"), papers)
				return err
			})
		}
		w.seals("q", "the maker's certificate")
		w.write(func(tx *store.Tx) error {
			got, err := tx.UnsealBlobs(digest("p"), []warifu.Digest{names[2], names[0], names[1], names[3]})
			must(t, err)
			equal(t, "papers", fmt.Sprintf("%q", got), fmt.Sprintf("%q", [][]byte{papers[2], papers[0], papers[1], papers[3]}))
			none, err := tx.UnsealBlobs(digest("p"), nil)
			must(t, err)
			equal(t, "none", len(none), 0)
			_, err = tx.UnsealBlobs(digest("q"), names[:1])
			wantProblem(t, err, "blob-unknown") // sealed, but for another
			return nil
		})
		one, err := w.unseals(names[0])
		must(t, err)
		equal(t, "alone", string(one), "one")
		err = w.Write(context.Background(), func(tx *store.Tx) error {
			_, err := tx.SealBlobs(digest("p"), [][]byte{make([]byte, store.MaxBlob+1)})
			return err
		})
		wantProblem(t, err, "blob-too-large")
	})
}
