//go:build unix

package status

import (
	"errors"
	"syscall"
)

// isExhausted reports whether accepting failed for want of file descriptors or memory,
// which passes, or because the other side had gone.
func isExhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.ECONNABORTED)
}
