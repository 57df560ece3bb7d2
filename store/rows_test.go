package store_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

func TestApplicationComesBackAsItWent(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		full := w.insertApplication("full")
		bare := store.Application{ID: w.NewID(), Document: digest("bare"), Person: digest("q"), Element: warifu.ElementID{9},
			Kinds: []warifu.Kind{warifu.Authentication}, State: warifu.ApplicationSubmitted}
		w.write(func(tx *store.Tx) error { return tx.InsertApplication(bare) })
		w.read(func(tx *store.Tx) error {
			for _, want := range []store.Application{full, bare} {
				got, err := tx.Application(want.ID)
				must(t, err)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
				byDocument, err := tx.ApplicationByDocument(want.Document)
				must(t, err)
				equal(t, "by document", byDocument.ID, want.ID)
			}
			_, err := tx.ApplicationByDocument(digest("another"))
			wantProblem(t, err, "application-unknown")
			return nil
		})
	})
}

func TestOneDocumentAndOneOpenApplicationAPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.insertApplication("p")
		again := w.newApplication("somebody else")
		again.Document = first.Document
		insert := func(a store.Application) error {
			return w.Write(context.Background(), func(tx *store.Tx) error { return tx.InsertApplication(a) })
		}
		wantProblem(t, insert(again), "application-exists")
		second := w.newApplication("p")
		wantProblem(t, insert(second), "application-open")
		_, err := w.moveApplication(first.ID, warifu.VerbWithdraw, base, "")
		must(t, err)
		must(t, insert(second))
		again = w.newApplication("p")
		again.Document = first.Document // ended long ago, and still the same document
		wantProblem(t, insert(again), "application-exists")
		w.read(func(tx *store.Tx) error {
			open, err := tx.OpenApplications(digest("p"))
			must(t, err)
			equal(t, "open", len(open), 1)
			all, err := tx.ApplicationsOfPerson(digest("p"))
			equal(t, "all", len(all), 2)
			return err
		})
	})
}

func TestLapsingApplicationsAreThoseLongIssued(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var ids []string
		for i := range 4 {
			a := w.insertApplication(fmt.Sprint(i))
			if i < 3 {
				_, err := w.moveApplication(a.ID, warifu.VerbIssue, base.Add(-time.Duration(i)*time.Hour), "")
				must(t, err)
			}
			ids = append(ids, a.ID)
		}
		w.read(func(tx *store.Tx) error {
			got, err := tx.LapsingApplications(base, 10)
			must(t, err)
			equal(t, "how many", len(got), 2)
			equal(t, "longest first", got[0].ID, ids[2])
			return nil
		})
	})
}

func TestCredentialComesBackAsItWent(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("p")
		c := w.insertCredential(a, warifu.Signature)
		c.BegunAt = base
		w.read(func(tx *store.Tx) error {
			got, err := tx.CredentialBySerial(c.Kind, c.Serial)
			must(t, err)
			if !reflect.DeepEqual(got, c) {
				t.Errorf("got  %+v\nwant %+v", got, c)
			}
			_, err = tx.CredentialBySerial(warifu.Authentication, c.Serial) // the other authority's serials are other ones
			wantProblem(t, err, "credential-unknown")
			ofApplication, err := tx.CredentialsOfApplication(a.ID)
			equal(t, "of application", len(ofApplication), 1)
			return err
		})
	})
}

func TestOneCredentialOfEachKindAnApplication(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c := w.insertCredential(w.insertApplication("p"), warifu.Signature)
		other := w.insertApplication("q")
		for what, change := range map[string]func(*store.Credential){
			"second of the kind": func(d *store.Credential) { d.Serial = []byte{7}; d.PublicKey = digest("7") },
			"same serial":        func(d *store.Credential) { d.Application = other.ID; d.PublicKey = digest("8") },
			"same key":           func(d *store.Credential) { d.Kind = warifu.Authentication; d.Serial = []byte{9} },
		} {
			d := c
			d.ID = w.NewID()
			change(&d)
			if err := w.Write(context.Background(), func(tx *store.Tx) error { return tx.InsertCredential(d, base) }); err == nil {
				t.Errorf("%s was accepted", what)
			}
		}
	})
}

func TestNeverTwoActiveCredentialsOfAKindForOnePerson(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		old := w.insertCredential(w.insertApplicationDone("p"), warifu.Signature)
		_, err := w.moveCredential(old.ID, warifu.VerbActivate, 0, base)
		must(t, err)
		fresh := w.insertCredential(w.insertApplication("p"), warifu.Signature)
		if _, err := w.moveCredential(fresh.ID, warifu.VerbActivate, 0, base); err == nil {
			t.Error("two active credentials of one kind")
		}
		_, err = w.moveCredential(old.ID, warifu.VerbSupersede, warifu.ReasonSuperseded, base)
		must(t, err)
		_, err = w.moveCredential(fresh.ID, warifu.VerbActivate, 0, base)
		must(t, err)
		w.read(func(tx *store.Tx) error {
			live, err := tx.LiveCredentials(digest("p"))
			must(t, err)
			equal(t, "live", len(live), 1)
			equal(t, "which", live[0].ID, fresh.ID)
			return nil
		})
	})
}

// insertApplicationDone is an application that is open no more.
func (w *world) insertApplicationDone(person string) store.Application {
	w.t.Helper()
	a := w.insertApplication(person)
	_, err := w.moveApplication(a.ID, warifu.VerbIssue, base, "")
	must(w.t, err)
	a, err = w.moveApplication(a.ID, warifu.VerbPersonalize, base, "")
	must(w.t, err)
	return a
}

func TestHoldsLiftOnlyThemselves(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("p")
		hold := func(reason string, until time.Time) (h store.Hold, err error) {
			w.write(func(tx *store.Tx) error {
				h, err = tx.PutHold(store.Hold{Life: "application", Subject: a.ID, Reason: reason, Until: until, PutAt: base})
				return nil
			})
			return h, err
		}
		lost, err := hold("lost", time.Time{})
		must(t, err)
		repair, err := hold("repair", base.Add(time.Hour))
		must(t, err)
		again, err := hold("lost", time.Time{})
		wantProblem(t, err, "hold-exists")
		equal(t, "the one that stands", again.ID, lost.ID)
		w.write(func(tx *store.Tx) error { return tx.LiftHold(lost.ID, base) })
		w.read(func(tx *store.Tx) error {
			standing, err := tx.Holds(a.ID)
			must(t, err)
			equal(t, "standing", len(standing), 1)
			equal(t, "which", standing[0].ID, repair.ID)
			early, err := tx.EndingHolds(base, 10)
			must(t, err)
			equal(t, "ending now", len(early), 0)
			due, err := tx.EndingHolds(base.Add(time.Hour), 10)
			equal(t, "ending in an hour", len(due), 1)
			return err
		})
		err = w.Write(context.Background(), func(tx *store.Tx) error { return tx.LiftHold(lost.ID, base) })
		wantProblem(t, err, "hold-unknown")
		_, err = hold("lost", time.Time{})
		must(t, err)
	})
}

func TestChallengeIsUsedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		use := func(name string, expires time.Time) error {
			return w.Write(context.Background(), func(tx *store.Tx) error { return tx.UseChallenge(digest(name), expires) })
		}
		must(t, use("a", base.Add(time.Minute)))
		must(t, use("b", base.Add(time.Hour)))
		wantProblem(t, use("a", base.Add(time.Minute)), "challenge-used")
		w.write(func(tx *store.Tx) error {
			n, err := tx.PurgeChallenges(base.Add(30 * time.Minute))
			equal(t, "purged", n, 1)
			return err
		})
		wantProblem(t, use("b", base.Add(time.Hour)), "challenge-used")
	})
}

func TestModelsAreReplacedWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		one := []store.Model{{ID: "a", Data: []byte(`{"n":1}`), Revision: base}, {ID: "b", Data: []byte(`{}`), Revision: base}}
		w.write(func(tx *store.Tx) error { return tx.ReplaceModels(one) })
		two := []store.Model{{ID: "b", Data: []byte(`{"n":2}`), Revision: base.Add(time.Second)}}
		w.write(func(tx *store.Tx) error { return tx.ReplaceModels(two) })
		w.read(func(tx *store.Tx) error {
			got, err := tx.Models()
			if !reflect.DeepEqual(got, two) {
				t.Errorf("got %v, want %v", got, two)
			}
			_, missing := tx.Model("a")
			wantProblem(t, missing, "model-unknown")
			return err
		})
	})
}

func TestSubmissionIsDecidedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.write(func(tx *store.Tx) error {
			return tx.InsertSubmission(store.Submission{ID: "s", Data: []byte(`{}`), SubmittedAt: base})
		})
		decide := func() error {
			return w.Write(context.Background(), func(tx *store.Tx) error {
				return tx.DecideSubmission("s", store.SubmissionRefused, "no-felica", base)
			})
		}
		must(t, decide())
		wantProblem(t, decide(), "submission-decided")
		w.read(func(tx *store.Tx) error {
			open, err := tx.Submissions(store.SubmissionOpen)
			must(t, err)
			equal(t, "open", len(open), 0)
			s, err := tx.Submission("s")
			equal(t, "reason", s.Reason, "no-felica")
			return err
		})
	})
}

func TestMetricsCountWhatHappened(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, at := range []time.Duration{0, 10 * time.Minute, 59 * time.Minute, 60 * time.Minute} {
			a := w.insertApplication(fmt.Sprint("issued ", i))
			_, err := w.moveApplication(a.ID, warifu.VerbIssue, base.Add(at), "")
			must(t, err)
		}
		for i, problem := range []string{"card-expired", "card-expired", "model-unsupported"} {
			a := w.insertApplication(fmt.Sprint("rejected ", i))
			_, err := w.moveApplication(a.ID, warifu.VerbReject, base, problem)
			must(t, err)
		}
		w.read(func(tx *store.Tx) error {
			hours, err := tx.IssuedByHour(base)
			must(t, err)
			want := []store.HourCount{{Hour: base, Count: 3}, {Hour: base.Add(time.Hour), Count: 1}}
			if !reflect.DeepEqual(hours, want) {
				t.Errorf("got %v, want %v", hours, want)
			}
			rejected, err := tx.RejectedByProblem()
			must(t, err)
			equal(t, "card-expired", rejected["card-expired"], 2)
			states, err := tx.ApplicationsByState()
			equal(t, "issued", states[warifu.ApplicationIssued], 4)
			return err
		})
	})
}

func TestAuditIsReadInOrderOfWriting(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i := range 5 {
			w.write(func(tx *store.Tx) error {
				return tx.Audit(store.Line{At: base, Actor: "test", Verb: "look", Subject: fmt.Sprint(i), Detail: map[string]string{"n": fmt.Sprint(i)}})
			})
		}
		w.read(func(tx *store.Tx) error {
			first, err := tx.AuditAfter("", 2)
			must(t, err)
			rest, err := tx.AuditAfter(first[1].ID, 10)
			must(t, err)
			equal(t, "rest", len(rest), 3)
			equal(t, "detail", rest[2].Detail["n"], "4")
			return nil
		})
	})
}
