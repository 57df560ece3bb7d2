package facetest

import (
	"os"
	"testing"
)

// Long leaves a test to `make face` and to soaks: all of the proof in chromium takes longer
// than `make test` may.
func Long(t testing.TB) {
	t.Helper()
	if os.Getenv("WARIFU_FACE") == "" && os.Getenv("WARIFU_SOAK") == "" {
		t.Skip("looked at in chromium by make face")
	}
}
