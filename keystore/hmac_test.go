package keystore_test

import (
	"bytes"
	"sync"
	"testing"

	"warifu/keystore"
)

// What one message left behind is in no other's MAC, and neither is what others ask for
// meanwhile.
func TestAMACIsOfItsMessageAlone(t *testing.T) {
	fresh := func() *keystore.SymmetricKey {
		k, err := keystore.NewSymmetricKey(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	message := func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, n) }
	var want [][]byte
	for n := range 100 {
		mac, err := fresh().HMAC(message(n))
		if err != nil || len(mac) != 32 {
			t.Fatal(len(mac), err)
		}
		want = append(want, mac)
	}
	k := fresh()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n, w := range want {
				if mac, err := k.HMAC(message(n)); err != nil || !bytes.Equal(mac, w) {
					t.Errorf("message %d: another MAC, %v", n, err)
				}
			}
		})
	}
	all.Wait()
}
