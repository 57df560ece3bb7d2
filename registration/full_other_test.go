//go:build !linux

package registration_test

import "testing"

// alone skips: only Linux lets a test have a disk without room.
func alone(t *testing.T) bool {
	t.Helper()
	t.Skip("a full disk is simulated on Linux only")
	return true
}

func full(_ *testing.T, f func()) { f() }
