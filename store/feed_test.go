package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

func TestStatusFollowsTheLife(t *testing.T) {
	hold := warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: base}
	good := warifu.Status{Cert: warifu.StatusGood}
	dead := warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise, RevokedAt: base}
	gone := warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonSuperseded, RevokedAt: base}
	lives := map[string]warifu.Status{
		"":                        {},
		"activate":                good,
		"suspend":                 hold,
		"activate suspend":        hold,
		"activate suspend resume": good,
		"activate suspend expire": hold,
		"activate expire":         good,
		"revoke":                  dead,
		"activate suspend revoke": dead,
		"activate supersede":      gone,
	}
	onBoth(t, func(t *testing.T, w *world) {
		for life, want := range lives {
			c := w.insertCredential(w.insertApplication(life), warifu.Signature)
			for _, v := range strings.Fields(life) {
				_, err := w.moveCredential(c.ID, warifu.Verb(v), warifu.ReasonKeyCompromise, base)
				must(t, err)
			}
			w.read(func(tx *store.Tx) error {
				r, known, err := tx.StatusOf(c.Kind, c.Serial)
				equal(t, "known", known, true)
				equal(t, life, r.Status, want)
				return err
			})
		}
		w.read(func(tx *store.Tx) error {
			_, known, err := tx.StatusOf(warifu.Signature, []byte("never issued"))
			equal(t, "a stranger's serial known", known, false)
			return err
		})
	})
}

func TestFeedHasNoGapsAndOrderOfCommits(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const lives = 20
		var credentials []store.Credential
		for i := range lives {
			credentials = append(credentials, w.insertCredential(w.insertApplication(fmt.Sprint(i)), warifu.Signature))
		}
		var all sync.WaitGroup
		for i, c := range credentials {
			all.Go(func() {
				for _, v := range []warifu.Verb{"activate", "suspend", "resume"} {
					if _, err := w.moveCredential(c.ID, v, 0, base); err != nil {
						t.Error(err)
					}
				}
				_ = w.Write(context.Background(), func(tx *store.Tx) error { // numbers taken here must come back
					_, err := tx.MoveCredential(c.ID, "revoke", 0, base)
					if err != nil {
						return err
					}
					return errors.New("no: " + fmt.Sprint(i))
				})
			})
		}
		follow(t, w)
		all.Wait()
		w.read(func(tx *store.Tx) error {
			feed, err := tx.StatusFeed(0, 1000)
			must(t, err)
			equal(t, "entries", len(feed), 3*lives)
			head, err := tx.FeedHead()
			equal(t, "head", head, int64(3*lives))
			return err
		})
	})
}

// follow reads the feed while it grows, as a responder does: it must never see a
// number before the one that precedes it.
func follow(t *testing.T, w *world) {
	t.Helper()
	last := int64(0)
	for range 50 {
		w.read(func(tx *store.Tx) error {
			page, err := tx.StatusFeed(last, 7)
			for _, c := range page {
				equal(t, "number", c.Number, last+1)
				last = c.Number
			}
			return err
		})
	}
}

func TestRevokedStreamsInOrderAcrossPages(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const n = 1203 // more than a page
		w.write(func(tx *store.Tx) error {
			for i := range n {
				a := w.newApplication(fmt.Sprint(i))
				c := store.Credential{ID: tx.NewID(), Application: a.ID, Person: a.Person, Element: a.Element, Kind: warifu.Signature,
					Serial: []byte{1, byte(i >> 8), byte(i)}, PublicKey: digest(fmt.Sprint("k", i)), NotAfter: base.AddDate(1, 0, 0)}
				if err := errors.Join(tx.InsertApplication(a), tx.InsertCredential(c, base)); err != nil {
					return err
				}
				if _, err := tx.MoveCredential(c.ID, warifu.VerbRevoke, warifu.ReasonSuperseded, base); err != nil {
					return err
				}
				if err := tx.Audit(store.Line{At: base, Verb: warifu.VerbRevoke, Subject: c.ID}); err != nil {
					return err
				}
			}
			return nil
		})
		seen := 0
		w.read(func(tx *store.Tx) error {
			must(t, tx.Revoked(warifu.Authentication, func(warifu.StatusRecord) error { t.Error("the other authority's"); return nil }))
			return tx.Revoked(warifu.Signature, func(r warifu.StatusRecord) error {
				equal(t, "serial", string(r.Serial), string([]byte{1, byte(seen >> 8), byte(seen)}))
				seen++
				return nil
			})
		})
		equal(t, "seen", seen, n)
		stop := errors.New("enough")
		w.read(func(tx *store.Tx) error {
			if err := tx.Revoked(warifu.Signature, func(warifu.StatusRecord) error { return stop }); !errors.Is(err, stop) {
				t.Errorf("got %v", err)
			}
			return nil
		})
	})
}

func TestInstantsKeepMicroseconds(t *testing.T) {
	at := time.Date(2026, 4, 1, 9, 0, 0, 123456789, time.FixedZone("JST", 9*3600))
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("p")
		moved, err := w.moveApplication(a.ID, warifu.VerbIssue, at, "")
		must(t, err)
		w.read(func(tx *store.Tx) error {
			read, err := tx.Application(a.ID)
			equal(t, "issued", read.IssuedAt, time.Date(2026, 4, 1, 0, 0, 0, 123456000, time.UTC))
			equal(t, "as returned by the move", moved.IssuedAt, read.IssuedAt)
			return err
		})
	})
}
