package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"warifu"
	"warifu/store"
)

// childDSN makes this test binary a writer that never stops by itself.
const childDSN = "WARIFU_STORE_TEST_WRITER"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childDSN); dsn != "" {
		fmt.Println(writeForever(dsn))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForever writes whole lives with many hands and prints the id of each that
// was acknowledged.
func writeForever(dsn string) error {
	s, err := store.Open(context.Background(), dsn, newKeyring(), warifu.SystemClock{})
	if err != nil {
		return err
	}
	w := &world{Store: s}
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				a := w.newApplication(s.NewID())
				if err := s.Write(context.Background(), func(tx *store.Tx) error { return wholeLife(tx, a) }); err != nil {
					failed <- err
					return
				}
				fmt.Println(a.ID)
			}
		}()
	}
	return <-failed
}

func wholeLife(tx *store.Tx, a store.Application) error {
	key := digest(a.ID)
	c := store.Credential{ID: a.ID + "c", Application: a.ID, Person: a.Person, Element: a.Element, Kind: warifu.Signature,
		Serial: key[:17], PublicKey: key, NotAfter: base}
	_, errJob := tx.EnqueueJob(store.Job{Kind: "notify", Application: a.ID, DueAt: base})
	_, errSeal := tx.SealBlob(a.Person, []byte(a.ID))
	if err := errors.Join(errJob, errSeal, tx.InsertApplication(a), tx.InsertCredential(c, base)); err != nil {
		return err
	}
	_, errIssue := tx.MoveApplication(a.ID, warifu.VerbIssue, base, "")
	_, errActivate := tx.MoveCredential(c.ID, warifu.VerbActivate, 0, base)
	return errors.Join(errIssue, errActivate,
		tx.Audit(store.Line{At: base, Actor: "test", Verb: warifu.VerbIssue, Subject: a.ID}),
		tx.Audit(store.Line{At: base, Actor: "test", Verb: warifu.VerbActivate, Subject: c.ID}))
}

func TestKilledWriterLosesNothingAcknowledged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var acknowledged []string
		for round := range 4 {
			acknowledged = append(acknowledged, killAfter(t, w.dsn, 20+30*round)...)
		}
		w.read(func(tx *store.Tx) error {
			for _, id := range acknowledged {
				a, err := tx.Application(id)
				must(t, err)
				equal(t, "state", a.State, warifu.ApplicationIssued)
				r, _, err := tx.StatusOf(warifu.Signature, digestBytes(id)[:17])
				must(t, err)
				equal(t, "status", r.Status.Cert, warifu.StatusGood)
			}
			states, err := tx.ApplicationsByState()
			must(t, err)
			everyone := states[warifu.ApplicationIssued]
			equal(t, "half-done lives", states[warifu.ApplicationSubmitted], 0)
			head, err := tx.FeedHead()
			must(t, err)
			equal(t, "feed", head, everyone)
			depths, err := tx.JobDepths()
			must(t, err)
			equal(t, "jobs", depths[0].Ready, everyone)
			return nil
		})
	})
}

// killAfter lets a writer acknowledge n lives, kills it, and returns every id it
// had printed by then.
func killAfter(t *testing.T, dsn string, n int) (ids []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDSN+"="+dsn)
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if len(lines.Text()) != 32 {
			break // an error's text, or a line the kill cut short
		}
		if ids = append(ids, lines.Text()); len(ids) == n {
			must(t, child.Process.Kill())
		}
	}
	_ = child.Wait()
	if len(ids) < n {
		t.Fatalf("the writer stopped by itself: %s", lines.Text())
	}
	return ids
}
