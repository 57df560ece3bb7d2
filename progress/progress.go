// Package progress tells a person at a terminal how far long work has come: one line that is
// written over, with what is done, how much there is and about how long it will still take. Where
// the output is no terminal (a file, a pipe, a log) it writes a whole line now and then instead,
// and for work that is soon done nothing at all. It is for standard error: what a program answers
// stays what it was.
package progress

import (
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"warifu"
	"warifu/text"
)

// How often something is written.
const (
	redrawn = 100 * time.Millisecond
	plainly = 10 * time.Second // a line where there is no terminal
	sure    = time.Second      // after which an estimate is worth something
)

// Line is the line. A nil one does nothing: for who asked for JSON.
type Line struct {
	out      io.Writer
	lang     text.Lang
	clock    warifu.Clock
	terminal bool

	mu          sync.Mutex
	what        string
	done, all   int
	began, last time.Time
	shown       bool
	stop        chan struct{} // ends the redrawing of work that cannot be counted
}

// New makes a line on out. It is a terminal's where out is one.
func New(out io.Writer, lang text.Lang, clock warifu.Clock) *Line {
	return &Line{out: out, lang: lang, clock: clock, terminal: Terminal(out)}
}

// Terminal reports whether out is a character device, as a terminal is.
func Terminal(out io.Writer) bool {
	f, ok := out.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}

// Begin begins work of so many parts; nought where nobody knows how many. What it is called is
// a sentence in the reader's language. Work that was under way ends.
func (l *Line) Begin(what string, all int) {
	if l == nil {
		return
	}
	l.End()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.what, l.done, l.all = what, 0, all
	l.began = l.clock.Now()
	l.last = l.began
	if l.terminal {
		l.draw()
		l.stop = make(chan struct{})
		go l.keepDrawing(l.stop)
	}
}

// keepDrawing shows that time passes also where no part is done for long.
func (l *Line) keepDrawing(stop chan struct{}) {
	ticker := time.NewTicker(10 * redrawn)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			l.mu.Lock()
			if l.what != "" && l.stop == stop {
				l.draw()
			}
			l.mu.Unlock()
		}
	}
}

// Done says how many parts are done by now.
func (l *Line) Done(n int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.what == "" {
		return
	}
	l.done = n
	every := plainly
	if l.terminal {
		every = redrawn
	}
	if now := l.clock.Now(); now.Sub(l.last) >= every || l.terminal && n == l.all {
		l.last = now
		l.draw()
	}
}

// Aside takes the line away, has something else written, and shows it again.
func (l *Line) Aside(write func()) {
	if l == nil {
		write()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wipe()
	write()
	if l.terminal && l.what != "" {
		l.draw()
	}
}

// End takes the line away: the work is done, or was given up.
func (l *Line) End() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wipe()
	l.what = ""
	if l.stop != nil {
		close(l.stop)
		l.stop = nil
	}
}

// wipe clears the terminal's line (ECMA-48 EL).
func (l *Line) wipe() {
	if l.shown {
		_, _ = io.WriteString(l.out, "\r\x1b[K")
		l.shown = false
	}
}

func (l *Line) draw() {
	line := l.sentence()
	if !l.terminal {
		_, _ = fmt.Fprintln(l.out, line)
		return
	}
	_, _ = io.WriteString(l.out, "\r\x1b[K"+line)
	l.shown = true
}

func (l *Line) sentence() string {
	passed := l.clock.Now().Sub(l.began)
	params := map[string]string{"what": l.what, "done": strconv.Itoa(l.done), "all": strconv.Itoa(l.all), "passed": span(passed, l.lang)}
	if l.all <= 0 {
		return text.Sentence("progress.passed", l.lang, params)
	}
	params["percent"] = strconv.Itoa(min(l.done, l.all) * 100 / l.all)
	if l.done <= 0 || l.done >= l.all || passed < sure {
		return text.Sentence("progress.counted", l.lang, params)
	}
	params["left"] = span(left(passed, l.done, l.all), l.lang)
	return text.Sentence("progress.estimated", l.lang, params)
}

// span is a length of time in words, to the second or the minute.
func span(d time.Duration, lang text.Lang) string {
	s := int(d.Round(time.Second) / time.Second)
	params := map[string]string{"s": strconv.Itoa(s % 60), "m": strconv.Itoa(s / 60 % 60), "h": strconv.Itoa(s / 3600)}
	switch {
	case s < 60:
		return text.Sentence("progress.seconds", lang, params)
	case s < 3600:
		return text.Sentence("progress.minutes", lang, params)
	}
	return text.Sentence("progress.hours", lang, params)
}
