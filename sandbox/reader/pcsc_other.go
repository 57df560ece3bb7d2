//go:build !linux && !freebsd && !netbsd && !openbsd && !dragonfly

package reader

import (
	"context"

	"warifu"
)

// PCSC is a card reader by its name in PC/SC. On this system there is none: the library
// speaks to pcscd alone.
func PCSC(name string) Source { return absent(name) }

type absent string

// Tap implements Source: Unavailable "reader-not-here".
func (a absent) Tap(context.Context) (Chip, error) {
	return nil, warifu.Unavailable("reader-not-here", "reader", string(a))
}

// Readers lists the names of the readers of PC/SC: Unavailable "reader-not-here".
func Readers() ([]string, error) { return nil, warifu.Unavailable("reader-not-here", "reader", "") }
