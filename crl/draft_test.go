package crl_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	"warifu"
	"warifu/crl"
)

// TestAListIsMadeInConstantMemory makes one of 200,000 entries, some ten million octets, and
// counts what was ever allocated.
func TestAListIsMadeInConstantMemory(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/list.crl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a := p256Authority()
	const entries, most = 200_000, 1 << 20
	record := revoked(warifu.ReasonKeyCompromise, make([]byte, 17)...)
	record.Status.RevokedAt = now
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	list := crl.NewDraft(f, head)
	for n := range uint64(entries) {
		binary.BigEndian.PutUint64(record.Serial[1:], n+1)
		if err := list.Add(record); err != nil {
			t.Fatal(err)
		}
	}
	if err := list.Sign(a.certificate, a.key); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > most {
		t.Errorf("%d octets allocated", took)
	}
	l := parse(t, must(io.ReadAll(list.Reader())))
	if err := l.Verify(a.certificate, now); err != nil || l.Len() != entries {
		t.Error(err, l.Len())
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestADraftIsSignedOnceAndReadAtOnce(t *testing.T) {
	a := p256Authority()
	list := crl.NewDraft(new(crl.Memory), head)
	if list.Reader().Size() != 0 {
		t.Error("something to read before it is signed")
	}
	if err := errors.Join(list.Add(revoked(warifu.ReasonSuperseded, 5)), list.Sign(a.certificate, a.key)); err != nil {
		t.Fatal(err)
	}
	if list.Add(revoked(warifu.ReasonSuperseded, 6)) == nil || list.Sign(a.certificate, a.key) == nil {
		t.Error("changed after it was signed")
	}
	one, two := must(io.ReadAll(list.Reader())), must(io.ReadAll(list.Reader()))
	if !bytes.Equal(one, two) || list.Head() != head {
		t.Error("two readings")
	}
	other := crl.NewDraft(new(crl.Memory), head)
	if err := other.Sign(a.certificate, a.key); err != nil || other.Digest() == list.Digest() {
		t.Error("two lists of one digest", err)
	}
}

// full is a spool that has no more room after some octets.
type full struct {
	crl.Memory
	room int64
}

var errFull = errors.New("full")

func (f *full) WriteAt(b []byte, at int64) (int, error) {
	if at+int64(len(b)) > f.room {
		return 0, errFull
	}
	return f.Memory.WriteAt(b, at)
}

func TestASpoolThatIsFullMakesNoList(t *testing.T) {
	a := p256Authority()
	for _, room := range []int64{0, 4 << 10, 50 << 10, 70 << 10} {
		list := crl.NewDraft(&full{room: room}, head)
		var err error
		for n := uint16(1); n < 2000 && err == nil; n++ {
			err = list.Add(revoked(warifu.ReasonSuperseded, binary.BigEndian.AppendUint16(nil, n)...))
		}
		if err == nil {
			err = list.Sign(a.certificate, a.key)
		}
		if !errors.Is(err, errFull) || list.Reader().Size() != 0 {
			t.Errorf("%d: %v, %d octets to read", room, err, list.Reader().Size())
		}
	}
}
