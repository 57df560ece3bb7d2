//go:build !linux

package crashtest_test

// launched reports whether this process is a launcher and not the test; there are none here.
func launched() bool { return false }
