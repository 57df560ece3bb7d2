package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

func TestCRLNumbersGrowForEachAuthority(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		take := func(kind warifu.Kind, now time.Time) (number, feed int64) {
			w.write(func(tx *store.Tx) (err error) {
				number, feed, err = tx.NextCRLNumber(kind, now)
				return err
			})
			return number, feed
		}
		first, feed := take(warifu.Signature, base)
		equal(t, "first", first, base.UnixMicro())
		equal(t, "feed", feed, int64(0))
		second, _ := take(warifu.Signature, base)
		equal(t, "in the same microsecond", second, first+1)
		back, _ := take(warifu.Signature, base.Add(-time.Hour))
		equal(t, "by a clock that went back", back, first+2)
		later, _ := take(warifu.Signature, base.Add(time.Second))
		equal(t, "later", later, base.Add(time.Second).UnixMicro())
		other, _ := take(warifu.Authentication, base)
		equal(t, "the other authority's", other, base.UnixMicro())
		must(t, w.Close())
		w.open()
		after, _ := take(warifu.Signature, base)
		equal(t, "after a restart", after, later+1)
		c := w.insertCredential(w.insertApplication("p"), warifu.Signature)
		_, err := w.moveCredential(c.ID, warifu.VerbActivate, 0, base)
		must(t, err)
		_, feed = take(warifu.Signature, base)
		equal(t, "feed after a change", feed, int64(1))
	})
}

func TestAGreaterCRLNumberComesWithNoLesserFeed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		var mu sync.Mutex
		feedOf := map[int64]int64{}
		for i := range 4 {
			c := w.insertCredential(w.insertApplication(fmt.Sprint(i)), warifu.Signature)
			all.Go(func() {
				for j := range 10 {
					verb := warifu.VerbActivate
					if j > 0 {
						verb = []warifu.Verb{warifu.VerbResume, warifu.VerbSuspend}[j%2]
					}
					if _, err := w.moveCredential(c.ID, verb, 0, base); err != nil {
						t.Error(err)
					}
					var number, feed int64
					if err := w.Write(context.Background(), func(tx *store.Tx) (err error) {
						number, feed, err = tx.NextCRLNumber(warifu.Signature, base)
						return err
					}); err != nil {
						t.Error(err)
					}
					mu.Lock()
					feedOf[number] = feed
					mu.Unlock()
				}
			})
		}
		all.Wait()
		equal(t, "numbers taken", len(feedOf), 40)
		last := int64(0)
		for n := base.UnixMicro(); n < base.UnixMicro()+40; n++ {
			feed, ok := feedOf[n]
			if !ok || feed < last {
				t.Fatalf("%d came with %d (%v) after %d", n, feed, ok, last)
			}
			last = feed
		}
	})
}

func TestTheHistoryTellsEveryStatusThereWas(t *testing.T) {
	lives := map[string]string{
		"":                                       "",
		"activate":                               "1 good",
		"suspend":                                "1 certificateHold",
		"revoke":                                 "1 keyCompromise",
		"activate suspend resume":                "1 good,2 certificateHold,3 good",
		"activate suspend resume suspend expire": "1 good,2 certificateHold,3 good,4 certificateHold",
		"activate suspend revoke":                "1 good,2 certificateHold,3 keyCompromise",
		"activate suspend supersede":             "1 good,2 certificateHold,3 superseded",
		"activate expire":                        "1 good",
		"suspend resume suspend resume supersede": "1 certificateHold,2 good,3 certificateHold,4 good,5 superseded",
	}
	onBoth(t, func(t *testing.T, w *world) {
		for life, want := range lives {
			c := w.insertCredential(w.insertApplication(life), warifu.Authentication)
			for i, v := range strings.Fields(life) {
				_, err := w.moveCredential(c.ID, warifu.Verb(v), warifu.ReasonKeyCompromise, base.Add(time.Duration(i+1)*time.Minute))
				must(t, err)
			}
			w.read(func(tx *store.Tx) error {
				history, known, err := tx.StatusHistory(c.Kind, c.Serial)
				must(t, err)
				equal(t, "known", known, true)
				var told []string
				for _, h := range history {
					word := h.Record.Status.Cert.String()
					if h.Record.Status.Cert == warifu.StatusRevoked {
						word = h.Record.Status.Reason.String()
						equal(t, life+": since", h.Record.Status.RevokedAt, h.At)
					}
					equal(t, life+": at", h.At, base.Add(time.Duration(h.Number)*time.Minute))
					equal(t, life+": serial", string(h.Record.Serial), string(c.Serial))
					told = append(told, fmt.Sprint(h.Number, " ", word))
				}
				equal(t, life, strings.Join(told, ","), want)
				last, _, err := tx.StatusOf(c.Kind, c.Serial)
				if len(history) > 0 {
					equal(t, life+": last is the present", history[len(history)-1].Record.Status, last.Status)
				}
				return err
			})
		}
		w.read(func(tx *store.Tx) error {
			_, known, err := tx.StatusHistory(warifu.Signature, []byte("never issued"))
			equal(t, "a stranger's serial known", known, false)
			return err
		})
	})
}
