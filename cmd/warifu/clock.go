package main

import (
	"strings"
	"time"

	"warifu/sandbox/desk"
)

type clockCommand struct {
	Show clockShow `cmd:"" default:"1" help:"Show the world's time."`
	Set  clockTo   `cmd:"" help:"The same as to."`
	To   clockTo   `cmd:"" help:"Move the world's clock forward."`
}

type clockShow struct{}

func (clockShow) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var t desk.Time
	if err := d.Get(s.ctx, "/api/clock", &t); err != nil {
		return err
	}
	return s.say(t, "cli.clock", map[string]string{"now": t.Now.Format(time.RFC3339)})
}

type clockTo struct {
	Instant string `arg:"" help:"An instant (2026-05-12T07:30:00+09:00), the next time of day (07:30, or \"07:30 today\", \"07:30 tomorrow\"), or +DURATION (+2h30m)."`
}

func (c clockTo) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var now desk.Time
	if err := d.Get(s.ctx, "/api/clock", &now); err != nil {
		return err
	}
	to, err := instant(c.Instant, now.Now)
	if err != nil {
		return err
	}
	if err := d.Post(s.ctx, "/api/clock", desk.Time{To: to}, &now); err != nil {
		return err
	}
	return s.say(now, "cli.clock", map[string]string{"now": now.Now.Format(time.RFC3339)})
}

// instant reads what a person may write for a moment, in the zone of now.
func instant(s string, now time.Time) (time.Time, error) {
	if by, ok := strings.CutPrefix(s, "+"); ok {
		d, err := time.ParseDuration(by)
		if err != nil {
			return time.Time{}, usage(s)
		}
		return now.Add(d), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04", s, now.Location()); err == nil {
		return t, nil
	}
	s, day, named := strings.Cut(s, " ")
	t, err := time.Parse("15:04", s)
	if err != nil || named && day != "today" && day != "tomorrow" {
		return time.Time{}, usage(s)
	}
	next := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
	if day == "tomorrow" || !named && next.Before(now) {
		next = next.AddDate(0, 0, 1)
	}
	return next, nil
}
