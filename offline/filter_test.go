package offline_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"math"
	"testing"

	"warifu/offline"
)

func key(n uint64) offline.Key {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return sha256.Sum256(b[:])
}

func keys(from, to uint64) iter.Seq[offline.Key] {
	return func(yield func(offline.Key) bool) {
		for n := from; n < to; n++ {
			if !yield(key(n)) {
				return
			}
		}
	}
}

func collect(s iter.Seq[offline.Key]) (out []offline.Key) {
	for k := range s {
		out = append(out, k)
	}
	return out
}

func TestFilterIsExactOverWhatItWasMadeOf(t *testing.T) {
	for _, c := range []struct{ revoked, others uint64 }{{0, 0}, {0, 10}, {1, 0}, {1, 1}, {5, 2}, {200, 100}, {100, 9_900}, {3_000, 97_000}, {1, 100_000}} {
		f, ok := offline.Build(collect(keys(0, c.revoked)), keys(c.revoked, c.revoked+c.others))
		if !ok {
			t.Fatalf("%v: no filter", c)
		}
		for n := range c.revoked {
			if !f.Revoked(key(n)) {
				t.Fatalf("%v: revoked certificate %d passes for good", c, n)
			}
		}
		for n := c.revoked; n < c.revoked+c.others; n++ {
			if f.Revoked(key(n)) {
				t.Fatalf("%v: good certificate %d is called revoked", c, n)
			}
		}
	}
}

func TestFilterIsNearTheSmallestThereCanBe(t *testing.T) {
	for _, c := range []struct{ revoked, issued uint64 }{{10_000, 1_000_000}, {50_000, 1_000_000}} {
		f, ok := offline.Build(collect(keys(0, c.revoked)), keys(c.revoked, c.issued))
		if !ok {
			t.Fatal("no filter")
		}
		p := float64(c.revoked) / float64(c.issued)
		bound := float64(c.issued) * (-p*math.Log2(p) - (1-p)*math.Log2(1-p)) / 8
		ratio := float64(len(f.Marshal())) / bound
		t.Logf("%d of %d revoked: %.3f times the bound", c.revoked, c.issued, ratio)
		if ratio > 1.15 {
			t.Errorf("%d of %d revoked: %.3f times the bound, over 1.15", c.revoked, c.issued, ratio)
		}
	}
}

func TestTheSameKeyCannotBeBoth(t *testing.T) {
	if _, ok := offline.Build([]offline.Key{key(1), key(2)}, keys(2, 50)); ok {
		t.Fatal("a filter in which one certificate is revoked and is not")
	}
}

func TestFilterIsReadAsItWasWritten(t *testing.T) {
	f, _ := offline.Build(collect(keys(0, 300)), keys(300, 20_000))
	again, err := offline.ParseFilter(f.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(20_000) {
		if again.Revoked(key(n)) != (n < 300) {
			t.Fatalf("certificate %d", n)
		}
	}
	written := f.Marshal()
	for cut := range len(written) {
		if _, err := offline.ParseFilter(written[:cut]); err == nil {
			t.Fatalf("a filter of %d octets cut to %d was read", len(written), cut)
		}
	}
	if _, err := offline.ParseFilter(append(written, 0)); err == nil {
		t.Fatal("a filter with an octet behind it was read")
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, n := range []uint64{0, 1, 40} {
		made, _ := offline.Build(collect(keys(0, n)), keys(n, 400))
		f.Add(made.Marshal())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		read, err := offline.ParseFilter(in)
		if err != nil {
			return
		}
		if !bytes.Equal(read.Marshal(), in) {
			t.Fatal("read is not what was written")
		}
		read.Revoked(key(7))
	})
}
