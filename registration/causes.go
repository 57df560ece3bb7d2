package registration

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/store"
)

// Bounds of a question for causes.
const (
	maxCauses    = 200    // trees in one answer, the newest ones
	maxCauseSize = 10_000 // lines of one tree
	maxClimb     = 32     // from a line up to its root
)

// Cause is one line of the audit trail with what followed from it: a cascade is one tree.
// Nothing personal is in it.
type Cause struct {
	ID      string            `json:"id"`
	At      time.Time         `json:"at"`
	Actor   string            `json:"actor"`
	Verb    warifu.Verb       `json:"verb"`
	Subject string            `json:"subject"`
	Rule    string            `json:"rule,omitempty"` // "K5": the rule it follows, where no line is its cause
	Detail  map[string]string `json:"detail,omitempty"`
	Effects []Cause           `json:"effects,omitempty"`
}

// Causes answers why something is as it is: the trees of causes in which the subject
// stands, oldest first, each from its root. The subject is an application, a credential, a
// card event ("card-event-7"), a call's receipt number, or an audit line's own identifier.
// NotFound "audit-nothing" where the trail has nothing about it.
func Causes(ctx context.Context, s *store.Store, subject string) (out []Cause, err error) {
	err = s.Read(ctx, func(tx *store.Tx) error {
		roots, err := rootsOf(tx, subject)
		if err != nil {
			return err
		}
		out = nil
		for _, root := range roots {
			lines, err := tx.AuditTree(root, maxCauseSize)
			if err != nil {
				return err
			}
			out = append(out, treeOf(lines, root))
		}
		return nil
	})
	return out, err
}

// rootsOf finds where the causes of everything about a subject begin.
func rootsOf(tx *store.Tx, subject string) ([]string, error) {
	lines, err := tx.AuditOf(subject)
	if err == nil && len(lines) == 0 {
		var line store.Line
		if line, err = tx.AuditLine(subject); err == nil {
			lines = []store.Line{line}
		}
	}
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return nil, warifu.NotFound("audit-nothing")
	}
	var roots []string
	for _, line := range lines {
		root, err := climb(tx, line)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	return roots[max(0, len(roots)-maxCauses):], err
}

// climb goes from a line to the one from which everything follows. A cause that is no line
// is a rule.
func climb(tx *store.Tx, line store.Line) (string, error) {
	for range maxClimb {
		if line.Cause == "" {
			break
		}
		above, err := tx.AuditLine(line.Cause)
		if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
			break
		}
		if err != nil {
			return "", err
		}
		line = above
	}
	return line.ID, nil
}

// treeOf hangs each line under its cause.
func treeOf(lines []store.Line, root string) Cause {
	effects := map[string][]store.Line{}
	var top store.Line
	for _, l := range lines {
		if l.ID == root {
			top = l
			continue
		}
		effects[l.Cause] = append(effects[l.Cause], l)
	}
	var hang func(l store.Line) Cause
	hang = func(l store.Line) Cause {
		c := Cause{ID: l.ID, At: l.At, Actor: l.Actor, Verb: l.Verb, Subject: l.Subject, Detail: l.Detail}
		for _, e := range effects[l.ID] {
			c.Effects = append(c.Effects, hang(e))
		}
		return c
	}
	out := hang(top)
	out.Rule = top.Cause
	return out
}
