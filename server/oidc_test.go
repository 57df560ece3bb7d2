package server_test

import (
	"sync"
	"testing"
	"time"

	"warifu/keystore"
	"warifu/server"
)

// Whoever finds that the next key of ID tokens is due makes it; of several at once one does,
// and the others take it for done.
func TestTheNextSigningKeyIsMadeOnce(t *testing.T) {
	keys, err := keystore.Memory()
	must(t, err)
	from := time.Date(2031, 1, 18, 14, 59, 59, 0, time.UTC)
	var wait sync.WaitGroup
	failed := make([]error, 8)
	for i := range failed {
		wait.Go(func() { failed[i] = server.NewSigningKey(keys, from) })
	}
	wait.Wait()
	for _, err := range failed {
		must(t, err)
	}
	names, err := keys.Names()
	must(t, err)
	if len(names) != 1 {
		t.Errorf("keys: %v", names)
	}
}
