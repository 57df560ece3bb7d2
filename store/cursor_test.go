package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

func TestACursorMovesWithTheTransactionThatMovesIt(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		at := func(name string) (position string) {
			w.read(func(tx *store.Tx) (err error) {
				position, err = tx.Cursor(name)
				return err
			})
			return position
		}
		equal(t, "before anything", at("events"), "")
		w.write(func(tx *store.Tx) error { return tx.SetCursor("events", "12", base) })
		w.write(func(tx *store.Tx) error { return tx.SetCursor("sweep", "a-application", base) })
		w.write(func(tx *store.Tx) error { return tx.SetCursor("events", "13", base) })
		failed := errors.New("no")
		err := w.Write(context.Background(), func(tx *store.Tx) error {
			must(t, tx.SetCursor("events", "14", base))
			return failed
		})
		equal(t, "the failure", errors.Is(err, failed), true)
		equal(t, "events", at("events"), "13")
		equal(t, "sweep", at("sweep"), "a-application")
	})
}

func TestTheNewestWordAboutAnApplicationStays(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, other := w.insertApplication("p"), w.insertApplication("q")
		for _, step := range []struct{ put, want time.Duration }{{2, 2}, {1, 2}, {2, 2}, {5, 5}} {
			w.write(func(tx *store.Tx) error { return tx.PutCardWord(a.ID, base.Add(step.put*time.Second)) })
			w.read(func(tx *store.Tx) error {
				got, err := tx.CardWord(a.ID)
				equal(t, "newest", got, base.Add(step.want*time.Second))
				return err
			})
		}
		w.read(func(tx *store.Tx) error {
			got, err := tx.CardWord(other.ID)
			equal(t, "of another", got.IsZero(), true)
			return err
		})
	})
}

func TestASweepSeesEveryOpenApplicationAndEveryLiveCredentialOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var want []string
		for i := range 12 {
			a := w.insertApplication(fmt.Sprint("person ", i))
			c := w.insertCredential(a, warifu.Signature)
			move := func(verb warifu.Verb) {
				_, err := w.moveApplication(a.ID, verb, base, "")
				must(t, err)
			}
			moveCredential := func(verb warifu.Verb) {
				_, err := w.moveCredential(c.ID, verb, 0, base)
				must(t, err)
			}
			switch i % 6 {
			case 0: // submitted
				want = append(want, a.ID)
			case 1:
				move(warifu.VerbIssue)
				want = append(want, a.ID)
			case 2:
				move(warifu.VerbReject)
			case 3, 4, 5:
				move(warifu.VerbIssue)
				move(warifu.VerbPersonalize)
				moveCredential(warifu.VerbActivate)
				if i%6 == 5 {
					moveCredential(warifu.VerbRevoke)
					continue
				}
				if i%6 == 4 {
					moveCredential(warifu.VerbSuspend)
				}
				want = append(want, a.ID)
			}
		}
		slices.Sort(want)
		for _, portion := range []int{1, 3, 100} {
			var got []string
			for after := ""; ; after = got[len(got)-1] {
				n := len(got)
				w.read(func(tx *store.Tx) error {
					page, err := tx.CardsToSweep(after, portion)
					for _, c := range page {
						got = append(got, c.Application)
					}
					return err
				})
				if len(got) == n {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %d: %d of %d", portion, len(got), len(want))
			}
		}
	})
}

// What a sweep is told of an application is what it needs: the live kinds, or those applied
// for, and whether something waits for the card.
func TestACardToSweepSaysWhatStandsOnIt(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		hold := func(life, subject, reason string) {
			w.write(func(tx *store.Tx) error {
				_, err := tx.PutHold(store.Hold{Life: life, Subject: subject, Reason: reason, PutAt: base})
				return err
			})
		}
		live := func(person string, verbs ...[]warifu.Verb) (a store.Application, ids []string) {
			a = w.insertApplication(person)
			for i, path := range verbs {
				c := w.insertCredential(a, warifu.Kinds[i])
				for _, v := range path {
					_, err := w.moveCredential(c.ID, v, 0, base)
					must(t, err)
				}
				ids = append(ids, c.ID)
			}
			for _, v := range []warifu.Verb{warifu.VerbIssue, warifu.VerbPersonalize} {
				_, err := w.moveApplication(a.ID, v, base, "")
				must(t, err)
			}
			return a, ids
		}
		on, held, off := []warifu.Verb{warifu.VerbActivate}, []warifu.Verb{warifu.VerbActivate, warifu.VerbSuspend}, []warifu.Verb{warifu.VerbActivate, warifu.VerbRevoke}
		want := map[string]store.CardToSweep{}
		expect := func(a store.Application, open, cardHeld bool, kinds ...warifu.Kind) {
			want[a.ID] = store.CardToSweep{
				Application: a.ID, Open: open, Person: a.Person, Kinds: kinds, SignatureSerial: a.Parent.SignatureSerial,
				SignatureCertificate: a.Parent.SignatureCertificate, AuthenticationCertificate: a.Parent.AuthenticationCertificate, CardHeld: cardHeld,
			}
		}
		a, _ := live("both", on, on)
		expect(a, false, false, warifu.Signature, warifu.Authentication)
		a, _ = live("one is left", off, on)
		expect(a, false, false, warifu.Authentication)
		a, ids := live("held by the card", on, held)
		hold("credential", ids[1], "card")
		expect(a, false, true, warifu.Signature, warifu.Authentication)
		a, ids = live("lost", held, on)
		hold("credential", ids[0], "lost")
		expect(a, false, false, warifu.Signature, warifu.Authentication)
		live("nothing is left", off, off)
		a = w.insertApplication("open")
		expect(a, true, false, a.Kinds...)
		a = w.insertApplication("open and held by the card")
		hold("application", a.ID, "card")
		expect(a, true, true, a.Kinds...)
		a = w.insertApplication("open and held by an operator")
		hold("application", a.ID, "operator")
		expect(a, true, false, a.Kinds...)
		w.read(func(tx *store.Tx) error {
			cards, err := tx.CardsToSweep("", 100)
			equal(t, "cards", len(cards), len(want))
			for _, c := range cards {
				if !reflect.DeepEqual(c, want[c.Application]) {
					t.Errorf("got %+v, want %+v", c, want[c.Application])
				}
			}
			return err
		})
	})
}

func TestCredentialsPastTheirEndAreFoundWhileTheyLive(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c := w.insertCredential(w.insertApplication("p"), warifu.Signature)
		past := func(now time.Time) (n int) {
			w.read(func(tx *store.Tx) error {
				got, err := tx.CredentialsPast(now, 10)
				n = len(got)
				return err
			})
			return n
		}
		end := c.NotAfter
		equal(t, "pending", past(end.Add(time.Second)), 0)
		_, err := w.moveCredential(c.ID, warifu.VerbActivate, 0, base)
		must(t, err)
		equal(t, "in its last second", past(end), 0)
		equal(t, "afterwards", past(end.Add(time.Second)), 1)
		_, err = w.moveCredential(c.ID, warifu.VerbExpire, 0, end.Add(time.Second))
		must(t, err)
		equal(t, "expired", past(end.Add(time.Second)), 0)
	})
}
