package persona_test

import (
	"testing"
	"time"

	"warifu/sandbox/persona"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

var signing = phones.Sign{Document: []byte("x"), Password: persona.Password}

// night begins a world of the default scheme at ten in the evening.
func night(t *testing.T) func(*world.Config) {
	return func(c *world.Config) {
		at, err := time.Parse(time.RFC3339, "2026-06-01T22:00:00+09:00")
		if err != nil {
			t.Fatal(err)
		}
		c.Scheme, c.Begin = "jp-mobile", at
	}
}
