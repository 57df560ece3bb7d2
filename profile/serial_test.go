package profile_test

import (
	"crypto/aes"
	"testing"

	"pgregory.net/rapid"

	"warifu/profile"
)

func serials(t testing.TB, id, key byte) profile.SerialCipher {
	t.Helper()
	block, err := aes.NewCipher([]byte{key, 15: 0})
	if err != nil {
		t.Fatal(err)
	}
	c, err := profile.NewSerialCipher(id, block)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestASerialNumberTellsItsIndexToItsOwnKeyAlone(t *testing.T) {
	own, other, next := serials(t, 1, 1), serials(t, 1, 2), serials(t, 2, 1)
	rapid.Check(t, func(t *rapid.T) {
		index := rapid.Uint64().Draw(t, "index")
		serial := own.Serial(index)
		if got, ok := own.Index(serial); !ok || got != index || len(serial) != profile.SerialLength || serial[0] != 1 {
			t.Fatalf("%x: index %d %v", serial, got, ok)
		}
		if other.Check(serial) || next.Check(serial) {
			t.Fatal("another key takes it for its own")
		}
		serial[1+rapid.IntRange(0, 15).Draw(t, "octet")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if own.Check(serial) {
			t.Fatal("a serial number made up passes")
		}
	})
}

func TestASerialKeyHasANumberThatKeepsIntegersPositive(t *testing.T) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	for id, ok := range map[byte]bool{0: false, 1: true, 0x7f: true, 0x80: false, 0xff: false} {
		if _, err := profile.NewSerialCipher(id, block); (err == nil) != ok {
			t.Errorf("key number %d: %v", id, err)
		}
	}
	if _, err := profile.NewSerialCipher(1, nil); err == nil {
		t.Error("no key accepted")
	}
	for _, serial := range [][]byte{nil, {1}, make([]byte, 17), make([]byte, 18)} {
		if serials(t, 1, 1).Check(serial) {
			t.Errorf("%x passes", serial)
		}
	}
}
