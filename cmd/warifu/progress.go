package main

import (
	"warifu"
	"warifu/progress"
)

// progress is the line that tells how far long work has come, on standard error; none for a
// program that asked for JSON.
func (s *session) progress() *progress.Line {
	if s.json {
		return nil
	}
	return progress.New(s.std.err, s.lang, warifu.SystemClock{})
}
