package terminal

import (
	"context"
	"errors"
	"strings"
	"time"

	"warifu"
	"warifu/iso7816"
	"warifu/sandbox/doctor"
)

// State is what a chip is needed in.
type State string

// The states.
const (
	Good    State = "good"
	Other   State = "other" // good too, of another person
	Held    State = "held"
	Revoked State = "revoked"
	Expired State = "expired"
)

// Chips puts chips at the examination's disposal. Error: NotFound where there is none in that
// state; the cases that need it are skipped.
type Chips interface {
	Chip(ctx context.Context, class string, s State) (Chip, error)
}

// Examination is what an examination is made of.
type Examination struct {
	Subject Subject
	Chips   Chips
	// Classes are what the software takes: "card", "phone" or both.
	Classes []string
	// Patience bounds one transaction, in real time; zero: DefaultPatience.
	Patience time.Duration
	// Slow is how long a slow chip takes for each answer; zero: DefaultSlow.
	Slow  time.Duration
	Clock warifu.Clock
}

// How long a person waits before a reader at most, and how long an old card takes for what
// it does slowest.
const (
	DefaultPatience = 60 * time.Second
	DefaultSlow     = 600 * time.Millisecond
)

// Suite returns the cases.
func (x *Examination) Suite(target string) doctor.Suite {
	if x.Patience == 0 {
		x.Patience = DefaultPatience
	}
	if x.Slow == 0 {
		x.Slow = DefaultSlow
	}
	return doctor.Suite{Name: "reader", Target: target, Cases: x.cases(), Clock: x.Clock}
}

// seen is how one transaction went.
type seen struct {
	*watched
	accepted, hung bool
	said           string
}

// try has the software do one transaction with a chip in the reader. A nil twist leaves the
// chip as it is; announced is the class the person says they touch, "" the chip's own.
func (x *Examination) try(ctx context.Context, chip Chip, t twist, announced string) (seen, error) {
	person := Person{PIN: chip.PIN, Class: chip.Class, ATR: chip.ATR}
	if announced != "" {
		person.Class = announced
	}
	return x.run(ctx, &watched{chip: chip, twist: t}, person)
}

// run is try with a chip that is watched already.
func (x *Examination) run(ctx context.Context, w *watched, person Person) (seen, error) {
	var put iso7816.Transmitter
	if w.chip.Transmitter != nil {
		put = w
	}
	limited, cancel := context.WithTimeout(ctx, x.Patience)
	defer cancel()
	accepted, said, err := x.Subject.Try(limited, put, person)
	s := seen{watched: w, accepted: accepted, said: said}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		s.hung, err = true, nil
	}
	return s, err
}

// check is what a case looks at after its transaction; nil where all is well.
type check func(seen) *doctor.Note

func noted(key string, pairs ...string) *doctor.Note {
	n := doctor.Seen(key, pairs...)
	return &n
}

// accepts and refuses are the verdicts a case wants.
func accepts(s seen) *doctor.Note {
	if s.accepted {
		return nil
	}
	return noted("reader-refused", "said", tail(s.said))
}

func refuses(s seen) *doctor.Note {
	if !s.accepted {
		return nil
	}
	return noted("reader-accepted", "said", tail(s.said))
}

// tail is the end of what was said: there the reason stands.
func tail(said string) string {
	const most = 300
	said = strings.TrimSpace(said)
	if r := []rune(said); len(r) > most {
		return "…" + string(r[len(r)-most:])
	}
	return said
}

// judge makes a finding of one transaction.
func judge(s seen, err error, checks []check) doctor.Finding {
	switch {
	case err != nil:
		return doctor.Unsure(doctor.Seen("reader-failed", "error", err.Error()))
	case s.hung:
		return doctor.Found(doctor.Seen("reader-hung", "said", tail(s.said)))
	}
	for _, c := range checks {
		if n := c(s); n != nil {
			return doctor.Found(*n)
		}
	}
	return doctor.Passed()
}

// touches is the case of one transaction with the chip in that state, for each class the
// software takes: all have to hold.
func (x *Examination) touches(id, theme string, level doctor.Level, clause string, state State, t func() twist, checks ...check) doctor.Case {
	return doctor.Case{ID: id, Theme: theme, Level: level, Clause: clause, Run: func(ctx context.Context) doctor.Finding {
		return x.each(ctx, state, func(chip Chip) doctor.Finding {
			var twisted twist
			if t != nil {
				twisted = t()
			}
			s, err := x.try(ctx, chip, twisted, "")
			return judge(s, err, checks)
		})
	}}
}

// each runs f with a chip of each class in the state, and returns the first finding that is no
// pass.
func (x *Examination) each(ctx context.Context, state State, f func(Chip) doctor.Finding) doctor.Finding {
	tried := false
	for _, class := range x.Classes {
		chip, err := x.Chips.Chip(ctx, class, state)
		var e *warifu.Error
		if errors.As(err, &e) && e.Code == warifu.CodeNotFound {
			continue
		}
		if err != nil {
			return doctor.Unsure(doctor.Seen("reader-failed", "error", err.Error()))
		}
		tried = true
		if found := f(chip); found.Outcome != doctor.Pass {
			found.Notes = append([]doctor.Note{doctor.Seen("reader-class-" + class)}, found.Notes...)
			return found
		}
	}
	if !tried {
		return doctor.Skip(doctor.Seen("reader-no-chip", "state", string(state)))
	}
	return doctor.Passed()
}
