package doctor

import (
	"context"
	"path"
	"slices"
	"time"

	"warifu"
)

// Level is how much a clause asks for.
type Level string

// The levels. What a clause leaves to choice (SHOULD, MAY), and what only the other side itself
// could do wrong, is advice and no fault.
const (
	Must   Level = "must"
	Should Level = "should"
)

// Outcome is how a case ended.
type Outcome string

// The outcomes. Unclear is no pass: the case could not be tried to its end, and whoever
// relies on it has to look.
const (
	Pass    Outcome = "pass"
	Fault   Outcome = "fault"   // a clause that must be kept is broken
	Advice  Outcome = "advice"  // one that should be kept
	Skipped Outcome = "skipped" // does not apply, or the configuration does not name what it needs
	Unclear Outcome = "unclear"
)

// Case is one thing that is tried.
type Case struct {
	ID     string // lower-case words with hyphens; a promise: CI names it
	Theme  string // the part of the suite, of the same form
	Level  Level
	Clause string // "OIDC Core §3.1.3.7 (9)"
	// Run tries it. It leaves nothing behind that another case would see.
	Run func(ctx context.Context) Finding
}

// Note is one thing seen: "doctor.seen.<Key>" filled with Params.
type Note struct {
	Key    string            `json:"key"`
	Params map[string]string `json:"params,omitempty"`
}

// Seen makes a note; pairs are names and values of its parameters.
func Seen(key string, pairs ...string) Note {
	n := Note{Key: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		if n.Params == nil {
			n.Params = map[string]string{}
		}
		n.Params[pairs[i]] = pairs[i+1]
	}
	return n
}

// Finding is what a case found.
type Finding struct {
	Outcome Outcome
	Notes   []Note
}

// Passed is the finding of a case that held.
func Passed(notes ...Note) Finding { return Finding{Pass, notes} }

// Found is the finding of a case that did not hold; the case's level says how bad it is.
func Found(notes ...Note) Finding { return Finding{Fault, notes} }

// Skip is the finding of a case that does not apply.
func Skip(notes ...Note) Finding { return Finding{Skipped, notes} }

// Unsure is the finding of a case that could not be tried to its end.
func Unsure(notes ...Note) Finding { return Finding{Unclear, notes} }

// Suite is an examination: its cases in the order they are tried in.
type Suite struct {
	Name   string // "rp", "reader"
	Target string // what is examined, for people
	Cases  []Case
	Clock  warifu.Clock
}

// Select keeps the cases that a pattern names: a case, a theme, or either with * and ?
// (path.Match). No pattern keeps all. Error: Invalid "doctor-case-unknown" with "case".
func (s Suite) Select(patterns []string) (Suite, error) {
	if len(patterns) == 0 {
		return s, nil
	}
	named := func(pattern string, c Case) bool {
		id, err := path.Match(pattern, c.ID)
		theme, _ := path.Match(pattern, c.Theme)
		return err == nil && (id || theme)
	}
	for _, p := range patterns {
		if !slices.ContainsFunc(s.Cases, func(c Case) bool { return named(p, c) }) {
			return s, warifu.Invalid("doctor-case-unknown", "case", p)
		}
	}
	s.Cases = slices.DeleteFunc(slices.Clone(s.Cases), func(c Case) bool {
		return !slices.ContainsFunc(patterns, func(p string) bool { return named(p, c) })
	})
	return s, nil
}

// Run tries the cases one after the other and hands each result to tell as it comes; tell
// may be nil. When the context ends, what was not tried is Unclear.
func (s Suite) Run(ctx context.Context, tell func(Result)) Report {
	report := Report{Suite: s.Name, Target: s.Target, Began: s.Clock.Now()}
	for _, c := range s.Cases {
		began := s.Clock.Now()
		found := Unsure(Seen("stopped"))
		if ctx.Err() == nil {
			found = c.Run(ctx)
		}
		if found.Outcome == Fault && c.Level == Should {
			found.Outcome = Advice
		}
		r := Result{Case: c, Finding: found, Took: s.Clock.Now().Sub(began)}
		report.Results = append(report.Results, r)
		if tell != nil {
			tell(r)
		}
	}
	report.Took = s.Clock.Now().Sub(report.Began)
	return report
}

// Result is a case with what it found.
type Result struct {
	Case
	Finding
	Took time.Duration
}

// Report is the result of an examination.
type Report struct {
	Suite, Target string
	Began         time.Time
	Took          time.Duration
	Results       []Result
}

// Count returns how many cases ended so.
func (r Report) Count(o Outcome) (n int) {
	for _, c := range r.Results {
		if c.Outcome == o {
			n++
		}
	}
	return n
}

// Clean reports whether nothing must be mended: no fault, nothing unclear, and where strict
// is set no advice either.
func (r Report) Clean(strict bool) bool {
	return r.Count(Fault)+r.Count(Unclear) == 0 && !(strict && r.Count(Advice) > 0)
}
