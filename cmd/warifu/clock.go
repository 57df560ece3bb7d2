package main

import (
	"strconv"
	"strings"
	"time"

	"warifu/sandbox/desk"
	"warifu/sandbox/moment"
)

type clockCommand struct {
	Show     clockShow     `cmd:"" default:"withargs" help:"Show the world's time."`
	Set      clockTo       `cmd:"" help:"The same as to."`
	To       clockTo       `cmd:"" help:"Move the world's clock forward, stopping wherever something falls due."`
	Upcoming clockUpcoming `cmd:"" help:"List what will fall due, in order."`
}

type clockShow struct {
	Unix bool `help:"Print seconds since 1970 alone, as openssl's -attime wants them."`
}

func (c clockShow) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var t desk.Time
	if err := d.Get(s.ctx, "/api/clock", &t); err != nil {
		return err
	}
	if c.Unix {
		return s.print(t.Now.Unix())
	}
	return s.tellTime(t)
}

func (s *session) tellTime(t desk.Time) error {
	return s.say(t, "cli.clock", map[string]string{"now": t.Now.Format(time.RFC3339)})
}

type clockTo struct {
	Instant []string `arg:"" help:"An instant, an event, or a distance from one: 19:31 today, 今日の19:31, tomorrow 07:30, the day after expiry, 有効期限の1週間前, my 15th birthday, end of the repair hold, closing time, +2h30m, in 3 days, 2026-05-12T07:30:00+09:00."`
	Card    string   `help:"Whose events are meant, as card list has it; by default whoever comes first."`
}

func (c clockTo) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var now desk.Time
	end := s.working("progress.clock")
	err = d.Post(s.ctx, "/api/clock", desk.Time{Words: strings.Join(c.Instant, " "), Card: c.Card}, &now)
	end()
	if err != nil {
		return err
	}
	return s.tellTime(now)
}

type clockUpcoming struct {
	Limit int `default:"50" help:"How many at most; 0 for all."`
}

func (c clockUpcoming) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var out desk.Upcoming
	if err := d.Get(s.ctx, "/api/clock/upcoming", &out); err != nil {
		return err
	}
	if c.Limit > 0 && len(out.Upcoming) > c.Limit {
		out.Upcoming = out.Upcoming[:c.Limit]
	}
	rows := [][]string{s.heads("when", "what", "card", "about")}
	for _, u := range out.Upcoming {
		about := u.Application
		if u.Kind.Valid() {
			about = strings.TrimSpace(s.kind(u.Kind) + " " + about)
		}
		rows = append(rows, []string{u.At.Format("2006-01-02 15:04:05"), s.due(u.What), u.Card, about})
	}
	return s.table(out, rows)
}

// due is what falls due, in words.
func (s *session) due(what moment.What) string { return s.word("due-" + string(what)) }

// instant reads what a person may write for a moment without a world's calendar, in the
// zone of now.
func instant(s string, now time.Time) (time.Time, error) {
	wish, err := moment.Parse(s)
	if err != nil {
		return time.Time{}, usage(strconv.Quote(s))
	}
	return wish.In(moment.World{Now: now})
}
