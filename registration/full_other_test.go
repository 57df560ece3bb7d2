//go:build !linux

package registration_test

import "testing"

// full skips: only Linux lets a test have a disk without room.
func full(t *testing.T, _ func()) {
	t.Helper()
	t.Skip("a full disk is simulated on Linux only")
}
