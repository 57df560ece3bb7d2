package status_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/status"
)

// plainSerials has the index stand in the serial number as it is.
type plainSerials struct{}

func (plainSerials) Index(serial []byte) (uint64, bool) {
	if len(serial) != 9 || serial[0] != 0x42 {
		return 0, false
	}
	return binary.BigEndian.Uint64(serial[1:]), true
}

func serialOf(index uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{0x42}, index)
}

// setTime is a clock that is moved.
type setTime struct{ now time.Time }

func (c *setTime) Now() time.Time { return c.now }

var setBegin = time.Date(2026, 6, 10, 1, 0, 0, 0, time.UTC)

func newSet() (*status.Set, *setTime) {
	c := &setTime{setBegin}
	return status.NewSet(warifu.Signature, plainSerials{}, c), c
}

func record(kind warifu.Kind, index uint64, s warifu.Status) warifu.StatusRecord {
	return warifu.StatusRecord{Kind: kind, Serial: serialOf(index), Status: s}
}

var (
	goodStatus = warifu.Status{Cert: warifu.StatusGood}
	heldStatus = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: setBegin}
)

func told(t interface{ Fatal(...any) }, s *status.Set, index uint64) warifu.Status {
	r, known, err := s.Status(context.Background(), warifu.Signature, serialOf(index))
	if err != nil {
		t.Fatal(err)
	}
	if !known {
		return warifu.Status{}
	}
	return r.Status
}

// TestTheSetIsWhatTheFeedSays holds a set against a map over random feeds: dense and
// sparse indices, all statuses back and forth, snapshots in between.
func TestTheSetIsWhatTheFeedSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set, _ := newSet()
		model := map[uint64]warifu.Status{}
		spread := rapid.SampledFrom([]uint64{1 << 14, 1 << 18, 1<<32 - 1}).Draw(t, "spread")
		var number int64
		for range rapid.IntRange(1, 400).Draw(t, "pages") {
			var changes []status.Change
			for range rapid.IntRange(1, 40).Draw(t, "changes") {
				index := rapid.Uint64Range(0, spread).Draw(t, "index")
				kind := rapid.SampledFrom(warifu.Kinds[:]).Draw(t, "kind")
				to := rapid.SampledFrom([]warifu.Status{{}, goodStatus, goodStatus, heldStatus,
					{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise, RevokedAt: setBegin.Add(time.Duration(index%9000) * time.Second)}}).Draw(t, "status")
				number++
				changes = append(changes, status.Change{Number: number, Record: record(kind, index, to)})
				if kind == warifu.Signature {
					model[index] = to
				}
			}
			if err := set.Apply(changes...); err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 30).Draw(t, "snapshot") == 0 {
				var b bytes.Buffer
				before := set
				if err := set.WriteSnapshot(&b); err != nil {
					t.Fatal(err)
				}
				number++ // what comes after it is not in it, though the pages were the same
				next := status.Change{Number: number, Record: record(warifu.Signature, spread, goodStatus)}
				if err := before.Apply(next); err != nil {
					t.Fatal(err)
				}
				number--
				set, _ = newSet()
				if err := set.ReadSnapshot(&b); err != nil {
					t.Fatal(err)
				}
			}
		}
		good, ended := 0, 0
		for index, want := range model {
			if got := told(t, set, index); got != want {
				t.Fatalf("%d: %+v, want %+v", index, got, want)
			}
			switch want.Cert {
			case warifu.StatusGood:
				good++
			case warifu.StatusRevoked:
				ended++
			}
		}
		if g, e := set.Count(); g != good || e != ended || set.Head() != number {
			t.Fatalf("%d good and %d ended at %d, want %d and %d at %d", g, e, set.Head(), good, ended, number)
		}
	})
}

func TestAPageThatFillsUpIsStillTheSame(t *testing.T) {
	set, _ := newSet()
	var number int64
	for index := uint64(0); index < 3*4096+5; index++ {
		number++
		if err := set.Apply(status.Change{Number: number, Record: record(warifu.Signature, index*5, goodStatus)}); err != nil {
			t.Fatal(err)
		}
	}
	for index := range uint64(5 * (3*4096 + 5)) {
		want := warifu.StatusUnknown
		if index%5 == 0 {
			want = warifu.StatusGood
		}
		if got := told(t, set, index).Cert; got != want {
			t.Fatalf("%d is %v", index, got)
		}
	}
}

func TestTheSetStopsAtAGap(t *testing.T) {
	set, _ := newSet()
	first := status.Change{Number: 1, Record: record(warifu.Signature, 7, goodStatus)}
	if err := set.Apply(first, first); err != nil { // told twice
		t.Fatal(err)
	}
	var gap status.GapError
	third := status.Change{Number: 3, Record: record(warifu.Signature, 7, heldStatus)}
	if err := set.Apply(third); !errors.As(err, &gap) || gap != (status.GapError{Want: 2, Got: 3}) {
		t.Fatalf("a change is missing: %v", err)
	}
	second := status.Change{Number: 2, Record: record(warifu.Authentication, 1, goodStatus)}
	if err := set.Apply(second); !errors.As(err, &gap) {
		t.Fatalf("it goes on after a gap: %v", err)
	}
	if set.Head() != 1 {
		t.Errorf("head %d", set.Head())
	}
}

func TestAnotherAuthoritysSerialIsUnknown(t *testing.T) {
	set, _ := newSet()
	if err := set.Apply(status.Change{Number: 1, Record: record(warifu.Signature, 7, goodStatus)}); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		kind   warifu.Kind
		serial []byte
	}{"the other kind": {warifu.Authentication, serialOf(7)}, "another form": {warifu.Signature, serialOf(7)[1:]}, "a far index": {warifu.Signature, serialOf(1 << 40)}} {
		if _, known, err := set.Status(t.Context(), c.kind, c.serial); known || err != nil {
			t.Errorf("%s: known %v, %v", what, known, err)
		}
	}
}

func TestATornSnapshotIsRefusedAndChangesNothing(t *testing.T) {
	set, _ := newSet()
	for i := range int64(5000) {
		to := goodStatus
		if i%3 == 0 {
			to = heldStatus
		}
		if err := set.Apply(status.Change{Number: i + 1, Record: record(warifu.Signature, uint64(i*i), to)}); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := set.WriteSnapshot(&b); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	other, _ := newSet()
	for n := 0; n < len(whole); n += 997 {
		if err := other.ReadSnapshot(bytes.NewReader(whole[:n])); err == nil {
			t.Fatalf("cut to %d octets of %d it is read", n, len(whole))
		}
		broken := bytes.Clone(whole)
		broken[n] ^= 4
		if err := other.ReadSnapshot(bytes.NewReader(broken)); err == nil {
			t.Fatalf("with octet %d changed it is read", n)
		}
	}
	if other.Head() != 0 {
		t.Error("a torn snapshot left something behind")
	}
}

func FuzzReadSnapshot(f *testing.F) {
	set, _ := newSet()
	if err := set.Apply(status.Change{Number: 1, Record: record(warifu.Signature, 7, goodStatus)}, status.Change{Number: 2, Record: record(warifu.Signature, 9, heldStatus)}); err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := set.WriteSnapshot(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(_ *testing.T, in []byte) {
		read, _ := newSet()
		_ = read.ReadSnapshot(bytes.NewReader(in))
	})
}
