package main

import (
	"fmt"
	"slices"
	"strconv"

	"warifu/sandbox/doorway"
	"warifu/sandbox/trace"
)

// traceCommand shows what passed between chips, phones, services and the server lately.
type traceCommand struct {
	Follow bool `help:"Go on with what comes, until Ctrl-C."`
	Looks  bool `help:"Show what merely looked at a page too."`
}

// Run prints the steps, the oldest first, each with what passed in it.
func (c traceCommand) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	after, printed := int64(0), int64(0)
	for {
		told, err := c.ask(s, d, after)
		if err != nil {
			if c.Follow && s.ctx.Err() != nil {
				return nil // Ctrl-C
			}
			return err
		}
		if !c.Follow && s.json {
			return s.print(told.Steps)
		}
		after = told.Last
		for _, step := range slices.Backward(told.Steps) {
			if !step.Acts() && !c.Looks {
				continue
			}
			if err := c.tell(s, step, step.Number != printed); err != nil {
				return err
			}
			printed = step.Number
		}
		if !c.Follow {
			return nil
		}
	}
}

func (c traceCommand) ask(s *session, d doorway.Client, after int64) (trace.Told, error) {
	path := "/api/trace?after=" + strconv.FormatInt(after, 10)
	if c.Follow {
		path += "&wait=1"
	}
	var out trace.Told
	err := d.Get(s.ctx, path, &out)
	return out, err
}

// tell prints a step; its heading once, however often more of it comes.
func (c traceCommand) tell(s *session, step trace.Step, heading bool) error {
	if s.json {
		return s.print(step)
	}
	if heading {
		if _, err := fmt.Fprintf(s.std.out, "%s %s %s %s\n", step.At.Format("15:04:05"), step.Place, step.Subject, s.sentence(step.Means, nil)); err != nil {
			return err
		}
	}
	for _, e := range step.Entries {
		line := e.Chip + " " + e.Line
		if e.Kind == trace.HTTP {
			line = fmt.Sprintf("%s %s → %d %s", e.Method, e.Path, e.Status, e.Slug)
		}
		if _, err := fmt.Fprintf(s.std.out, "  %-46s %s\n", line, s.sentence(e.Means, e.Params)); err != nil {
			return err
		}
	}
	return nil
}
