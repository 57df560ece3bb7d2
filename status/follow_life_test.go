package status_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/status"
	"warifu/store"
)

// pages are small, so that following turns them.
const livesPage = 3

// following is a follower of an office's database, as the server wires it.
func (o *office) following() *status.Follower {
	since := func(ctx context.Context, after int64) ([]status.Change, error) {
		changes, err := o.StatusSince(ctx, after, livesPage)
		out := make([]status.Change, len(changes))
		for i, c := range changes {
			out[i] = status.Change(c)
		}
		return out, err
	}
	census := func(ctx context.Context, add func(warifu.StatusRecord) error) (status.Change, error) {
		newest, err := o.StatusCensus(ctx, add)
		return status.Change(newest), err
	}
	var sets []*status.Set
	for _, kind := range warifu.Kinds {
		sets = append(sets, status.NewSet(kind, plainSerials{}, o))
	}
	return status.NewFollower(since, census, o, sets...)
}

// lived is one certificate of a random life.
type lived struct {
	kind   warifu.Kind
	serial []byte
	id     string
}

// agrees holds a follower against the database, to the second, of which a set knows.
func (o *office) agrees(t *rapid.T, what string, f *status.Follower, all []lived) {
	t.Helper()
	for _, c := range all {
		want, _, err := o.Status(t.Context(), c.kind, c.serial)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := f.Status(t.Context(), c.kind, c.serial)
		want.Status.RevokedAt = want.Status.RevokedAt.Truncate(time.Second)
		if err != nil || got.Status != want.Status {
			t.Fatalf("%s: %+v %v, the database says %+v", what, got.Status, err, want.Status)
		}
	}
}

var lifeVerbs = []warifu.Verb{warifu.VerbActivate, warifu.VerbActivate, warifu.VerbSuspend, warifu.VerbResume, warifu.VerbRevoke, warifu.VerbExpire, warifu.VerbSupersede}

// TestTheSetIsTheDatabaseAfterEveryStep lives random lives: one follower is told by the
// store, one follows the feed alone, and now and then one begins from a snapshot that is older
// than the feed, or from a census.
func TestTheSetIsTheDatabaseAfterEveryStep(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		var drawn uint64
		told, behind := o.following(), o.following()
		o.FollowStatus(func(changes []store.Change) {
			out := make([]status.Change, len(changes))
			for i, c := range changes {
				out[i] = status.Change(c)
			}
			told.Told(out)
		})
		rapid.Check(t, func(r *rapid.T) {
			var all []lived
			for range rapid.IntRange(1, 3).Draw(r, "certificates") {
				c := lived{kind: rapid.SampledFrom(warifu.Kinds[:]).Draw(r, "kind"), serial: serialOf(drawn * 4097)}
				drawn++
				c.id = o.issueUnder(c.kind, c.serial)
				all = append(all, c)
			}
			var snapshots [2]bytes.Buffer
			for range rapid.IntRange(1, 8).Draw(r, "steps") {
				o.present = o.present.Add(time.Duration(rapid.IntRange(0, 5000).Draw(r, "ms")) * time.Millisecond)
				one, verb := rapid.SampledFrom(all).Draw(r, "one"), rapid.SampledFrom(lifeVerbs).Draw(r, "verb")
				_ = o.Write(r.Context(), func(tx *store.Tx) error { // most lives refuse some verb
					if _, err := tx.MoveCredential(one.id, verb, warifu.ReasonKeyCompromise, o.present); err != nil {
						return err
					}
					return tx.Audit(store.Line{At: o.present, Actor: "test", Verb: verb, Subject: one.id})
				})
				o.agrees(r, "told", told, all)
				if rapid.IntRange(0, 5).Draw(r, "write a snapshot") == 0 {
					for i, kind := range warifu.Kinds {
						snapshots[i].Reset()
						o.must(told.Set(kind).WriteSnapshot(&snapshots[i]))
					}
				}
			}
			o.must(behind.CatchUp(r.Context()))
			o.agrees(r, "by the feed alone", behind, all)
			begun := o.following()
			if snapshots[0].Len() > 0 {
				for i, kind := range warifu.Kinds {
					o.must(begun.Set(kind).ReadSnapshot(&snapshots[i]))
				}
			} else {
				o.must(begun.Load(r.Context()))
			}
			o.must(begun.CatchUp(r.Context()))
			o.agrees(r, "begun anew", begun, all)
			if begun.Head() != told.Head() || behind.Head() != told.Head() {
				r.Fatalf("at %d, %d and %d", told.Head(), behind.Head(), begun.Head())
			}
		})
	})
}
