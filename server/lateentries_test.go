package server_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"warifu/keystore"
	"warifu/server"
)

// What is laid by is sealed, comes back in order, and goes only when it was taken; a line
// that a power cut left is passed over.
func TestLateEntriesWaitSealedUntilTheyAreTaken(t *testing.T) {
	keys, err := keystore.Memory()
	must(t, err)
	key, err := keys.GenerateSymmetric("seal", 256)
	must(t, err)
	file := filepath.Join(t.TempDir(), "late")
	s := server.NewLateEntries(file, key)
	for _, entry := range []string{"one", "two", "three"} {
		must(t, s.Put([]byte(entry)))
	}
	b, err := os.ReadFile(file)
	must(t, err)
	if strings.Contains(string(b), "one") {
		t.Error("it lies open")
	}
	must(t, os.WriteFile(file, append(b, "AAAA"...), 0o600))
	var got []string
	away := errors.New("away")
	err = s.Take(func(entry []byte) error {
		if len(got) == 1 {
			return away
		}
		got = append(got, string(entry))
		return nil
	})
	if !errors.Is(err, away) || !slices.Equal(got, []string{"one"}) {
		t.Fatalf("%v %v", got, err)
	}
	again := server.NewLateEntries(file, key) // as after a restart
	must(t, again.Take(func(entry []byte) error { got = append(got, string(entry)); return nil }))
	if !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("%v", got)
	}
	must(t, again.Take(func([]byte) error { t.Error("taken twice"); return nil }))
}
