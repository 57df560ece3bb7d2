package progress

import (
	"io"

	"warifu"
	"warifu/text"
)

// NewTerminal is a line on what is taken for a terminal.
func NewTerminal(out io.Writer, lang text.Lang, clock warifu.Clock) *Line {
	l := New(out, lang, clock)
	l.terminal = true
	return l
}
