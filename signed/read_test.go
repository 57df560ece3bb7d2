package signed_test

import (
	"errors"
	"testing"

	"warifu/signed"
)

func TestOctetsAreReadOnceAndOnlyWhatCouldBeReadIsKept(t *testing.T) {
	asked := map[byte]int{}
	r := signed.NewRead(func(der []byte) (string, error) {
		asked[der[0]]++
		if der[0] == 0 {
			return "", errors.New("no")
		}
		return string(der), nil
	})
	for range 3 {
		if v, err := r.Of([]byte{7, 8}); v != "\x07\x08" || err != nil {
			t.Errorf("%q, %v", v, err)
		}
		if _, err := r.Of([]byte{0}); err == nil {
			t.Error("what cannot be read was")
		}
	}
	if asked[7] != 1 || asked[0] != 3 {
		t.Errorf("asked %v", asked)
	}
	for i := range 2000 { // others, until it is forgotten
		_, _ = r.Of([]byte{9, byte(i), byte(i >> 8)})
	}
	if _, err := r.Of([]byte{7, 8}); err != nil || asked[7] != 2 {
		t.Errorf("the memory has no bound: asked %d times, %v", asked[7], err)
	}
}
