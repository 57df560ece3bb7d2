package status_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/status"
)

// book is a feed and what it amounts to, in memory.
type book struct {
	mu      sync.Mutex
	changes []status.Change
	now     map[string]warifu.StatusRecord
	away    error
	asked   int
	page    int
}

func newBook() *book { return &book{now: map[string]warifu.StatusRecord{}, page: 3} }

// add writes a change down and returns it with its number.
func (b *book) add(r warifu.StatusRecord) status.Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := status.Change{Number: int64(len(b.changes)) + 1, At: setBegin.Add(time.Duration(len(b.changes))), Record: r}
	b.changes = append(b.changes, c)
	b.now[r.Kind.String()+string(r.Serial)] = r
	return c
}

func (b *book) feed(_ context.Context, after int64) ([]status.Change, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.away != nil {
		return nil, b.away
	}
	after = min(after, int64(len(b.changes)))
	return b.changes[after:min(int64(len(b.changes)), after+int64(b.page))], nil
}

func (b *book) census(_ context.Context, add func(warifu.StatusRecord) error) (status.Change, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away != nil {
		return status.Change{}, b.away
	}
	for _, r := range b.now {
		if err := add(r); err != nil {
			return status.Change{}, err
		}
	}
	if len(b.changes) == 0 {
		return status.Change{}, nil
	}
	return b.changes[len(b.changes)-1], nil
}

func (b *book) cut(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = err
}

// follower has a set for each authority, and the two share index 7 and no certificate.
func follower(b *book) (*status.Follower, *setTime) {
	c := &setTime{setBegin}
	var sets []*status.Set
	for _, kind := range warifu.Kinds {
		s := status.NewSet(kind, plainSerials{}, c)
		s.Limit = time.Minute
		sets = append(sets, s)
	}
	return status.NewFollower(b.feed, b.census, c, sets...), c
}

func asked(t *testing.T, f *status.Follower, kind warifu.Kind, index uint64) (warifu.Status, error) {
	t.Helper()
	r, known, err := f.Status(t.Context(), kind, serialOf(index))
	if !known && err == nil {
		return warifu.Status{}, nil
	}
	return r.Status, err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAFollowerReadsPageAfterPage(t *testing.T) {
	b := newBook()
	f, _ := follower(b)
	for i := range uint64(20) {
		b.add(record(warifu.Kinds[i%2], i, goodStatus))
	}
	must(t, f.CatchUp(t.Context()))
	for i := range uint64(20) {
		if got, err := asked(t, f, warifu.Kinds[i%2], i); got != goodStatus || err != nil {
			t.Errorf("%d: %v %v", i, got, err)
		}
	}
	if f.Head() != 20 || f.Age() != 0 {
		t.Errorf("at %d, age %v", f.Head(), f.Age())
	}
}

func TestCutOffTheSetsSayTheirAgeAndRefusePastTheirLimit(t *testing.T) {
	b := newBook()
	f, clock := follower(b)
	b.add(record(warifu.Signature, 7, goodStatus))
	must(t, f.CatchUp(t.Context()))
	b.cut(errors.New("away"))
	b.add(record(warifu.Signature, 7, heldStatus))
	clock.now = clock.now.Add(time.Minute)
	if got, err := asked(t, f, warifu.Signature, 7); got != goodStatus || err != nil || f.Age() != time.Minute {
		t.Errorf("%v %v, age %v", got, err, f.Age())
	}
	before := b.asked
	for range 10 {
		_, _ = asked(t, f, warifu.Signature, 7)
	}
	if b.asked != before {
		t.Errorf("cut off, each question asks the feed: %d times", b.asked-before)
	}
	clock.now = clock.now.Add(time.Second)
	if _, err := asked(t, f, warifu.Signature, 7); err == nil {
		t.Error("they answer past their limit")
	}
	b.cut(nil)
	must(t, f.CatchUp(t.Context()))
	if got, err := asked(t, f, warifu.Signature, 7); got != heldStatus || err != nil || f.Age() != 0 {
		t.Errorf("back again: %v %v, age %v", got, err, f.Age())
	}
}

func TestAQuestionAfterTheClockJumpedIsAnsweredAsOfThen(t *testing.T) {
	b := newBook()
	f, clock := follower(b)
	b.add(record(warifu.Signature, 7, goodStatus))
	must(t, f.CatchUp(t.Context()))
	clock.now = clock.now.AddDate(1, 0, 0)
	b.add(record(warifu.Signature, 7, heldStatus))
	if got, err := asked(t, f, warifu.Signature, 7); got != heldStatus || err != nil || f.Age() != 0 {
		t.Errorf("%v %v, age %v", got, err, f.Age())
	}
}

func TestAGapStopsTheSetsAndACensusMendsThem(t *testing.T) {
	b := newBook()
	f, _ := follower(b)
	b.add(record(warifu.Signature, 7, goodStatus))
	must(t, f.CatchUp(t.Context()))
	b.add(record(warifu.Signature, 7, heldStatus))
	b.add(record(warifu.Authentication, 7, goodStatus))
	held := b.changes
	b.changes = append(append([]status.Change{}, held[0]), held[2]) // the hold is gone from the feed
	var gap status.GapError
	if err := f.CatchUp(t.Context()); !errors.As(err, &gap) || gap != (status.GapError{Want: 2, Got: 3}) {
		t.Fatalf("a change is missing: %v", err)
	}
	b.changes = held
	if err := f.CatchUp(t.Context()); !errors.As(err, &gap) || f.Head() != 1 {
		t.Fatalf("it goes on after a gap: %v, at %d", err, f.Head())
	}
	b.cut(errors.New("away"))
	if broken, err := f.Round(t.Context()); !status.IsBroken(broken) || err == nil {
		t.Errorf("no census can be had: %v, %v", broken, err)
	}
	b.cut(nil)
	broken, err := f.Round(t.Context())
	if !status.IsBroken(broken) || err != nil || f.Broken() != nil {
		t.Fatalf("broken by %v, mended %v", broken, err)
	}
	if got, err := asked(t, f, warifu.Signature, 7); got != heldStatus || err != nil {
		t.Errorf("%v %v", got, err)
	}
}

func TestADatabaseThatForgotIsFoundOut(t *testing.T) {
	for what, then := range map[string]func(b *book){
		"it ends before":     func(*book) {},
		"another came after": func(b *book) { b.add(record(warifu.Signature, 9, goodStatus)) },
		"it went on beyond": func(b *book) {
			b.add(record(warifu.Signature, 9, goodStatus))
			b.add(record(warifu.Signature, 10, goodStatus))
		},
	} {
		b := newBook()
		f, _ := follower(b)
		b.add(record(warifu.Signature, 7, goodStatus))
		b.add(record(warifu.Signature, 7, heldStatus))
		must(t, f.CatchUp(t.Context()))
		b.changes = b.changes[:1]
		b.now[warifu.Signature.String()+string(serialOf(7))] = record(warifu.Signature, 7, goodStatus)
		then(b)
		if err := f.CatchUp(t.Context()); !errors.As(err, new(status.DivergedError)) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := f.Round(t.Context()); err != nil || f.Head() != int64(len(b.changes)) {
			t.Errorf("%s: after a census %v, at %d", what, err, f.Head())
		}
		if got, err := asked(t, f, warifu.Signature, 7); got != goodStatus || err != nil {
			t.Errorf("%s: %v %v", what, got, err)
		}
	}
}

// What this process did itself is in the sets before anybody learns of it; where that cannot be,
// nothing is answered until it is.
func TestWhatWasToldIsAnsweredOrNothingIs(t *testing.T) {
	b := newBook()
	f, _ := follower(b)
	first := b.add(record(warifu.Signature, 7, goodStatus))
	f.Told([]status.Change{first})
	if got, err := asked(t, f, warifu.Signature, 7); got != goodStatus || err != nil || b.asked > 1 {
		t.Errorf("%v %v, the feed was asked %d times", got, err, b.asked)
	}
	b.add(record(warifu.Authentication, 1, goodStatus)) // another server's
	third := b.add(record(warifu.Signature, 7, heldStatus))
	f.Told([]status.Change{third})
	if got, err := asked(t, f, warifu.Signature, 7); got != heldStatus || err != nil {
		t.Errorf("behind another's: %v %v", got, err)
	}
	b.cut(errors.New("away"))
	b.add(record(warifu.Authentication, 2, goodStatus))
	fifth := b.add(record(warifu.Signature, 8, heldStatus))
	f.Told([]status.Change{fifth})
	if got, err := asked(t, f, warifu.Signature, 8); err == nil {
		t.Errorf("what was acknowledged is not in the set, and it answers %v", got)
	}
	b.cut(nil)
	must(t, f.CatchUp(t.Context()))
	if got, err := asked(t, f, warifu.Signature, 8); got != heldStatus || err != nil {
		t.Errorf("%v %v", got, err)
	}
}

func TestWhoRemembersAnswersHearsOfEachChange(t *testing.T) {
	b := newBook()
	f, _ := follower(b)
	must(t, f.CatchUp(t.Context()))
	var heard []string
	for _, kind := range warifu.Kinds {
		s := f.Set(kind)
		s.OnChange(func(kind warifu.Kind, serial []byte) {
			if serial == nil {
				heard = append(heard, kind.String()+" all")
				return
			}
			got, known, err := s.Status(t.Context(), kind, serial) // already the new one, and nothing is locked
			if err != nil || !known {
				t.Errorf("%v %v", known, err)
			}
			heard = append(heard, kind.String()+" "+got.Status.Cert.String())
		})
	}
	b.add(record(warifu.Signature, 7, goodStatus))
	b.add(record(warifu.Authentication, 7, heldStatus))
	must(t, f.CatchUp(t.Context()))
	must(t, f.CatchUp(t.Context()))
	must(t, f.Load(t.Context()))
	want := []string{"signature good", "authentication revoked", "signature all", "authentication all"}
	if len(heard) != len(want) {
		t.Fatalf("heard %q", heard)
	}
	for i := range want {
		if heard[i] != want[i] {
			t.Errorf("heard %q, want %q", heard, want)
		}
	}
}

// A question that saw one half of a change sees the other.
func TestBothAuthoritiesChangeAtOneInstant(t *testing.T) {
	b := newBook()
	b.page = 2
	f, _ := follower(b)
	must(t, f.CatchUp(t.Context()))
	for range 200 {
		b.add(record(warifu.Signature, 7, goodStatus))
		b.add(record(warifu.Authentication, 7, goodStatus))
		b.add(record(warifu.Signature, 7, heldStatus))
		b.add(record(warifu.Authentication, 7, heldStatus))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; n < 800; n += 2 {
			f.Told(b.changes[n : n+2])
		}
	}()
	for {
		select {
		case <-done:
			return
		default:
		}
		before := f.Head()
		one, err := asked(t, f, warifu.Signature, 7)
		must(t, err)
		other, err := asked(t, f, warifu.Authentication, 7)
		must(t, err)
		if before == f.Head() && one != other {
			t.Fatalf("at %d %v and %v", before, one, other)
		}
	}
}
