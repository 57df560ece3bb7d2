package main

import (
	"warifu"
	"warifu/progress"
)

// working shows that something of which nobody knows how long it takes is under way, until what it
// returns is called. key is a sentence's.
func (s *session) working(key string) (done func()) {
	line := s.progress()
	line.Begin(s.sentence(key, nil), 0)
	return line.End
}

// progress is the line that tells how far long work has come, on standard error; none for a
// program that asked for JSON.
func (s *session) progress() *progress.Line {
	if s.json {
		return nil
	}
	return progress.New(s.std.err, s.lang, warifu.SystemClock{})
}
