package kiosk

import (
	"context"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/person"
	"warifu/sandbox/reader"
	"warifu/sandbox/terminal"
	"warifu/scheme"
)

// The hours, as time of day in Tokyo (B.6).
const (
	opens  = 6*time.Hour + 30*time.Minute
	closes = 23 * time.Hour
)

// maintenance of the municipalities' network: from this time of day to the end, on the third
// Wednesday of every month. The real days are announced; these are the sandbox's.
const maintenance = 20 * time.Hour

// Chip is one that can be touched to the reader of the demo.
type Chip = terminal.Chip

// Config is what a kiosk needs.
type Config struct {
	Town   Town
	Clock  warifu.Clock
	Scheme *scheme.Scheme
	// Chips lists what can be touched, and Touched is the reader with one of them on it.
	Chips   func() ([]Chip, error)
	Touched func(id string) reader.Source
	// Reader, where not nil, is a real reader that stands in place of both.
	Reader reader.Source
}

// Kiosk answers at port 8404.
type Kiosk struct {
	config    Config
	terminals *terminal.Terminal[*visit, View]
}

// New makes a kiosk.
func New(c Config) *Kiosk {
	k := &Kiosk{config: c}
	k.terminals = terminal.New(terminal.Place{Clock: c.Clock, Scheme: c.Scheme, Chips: c.Chips, Touched: c.Touched, Reader: c.Reader}, terminal.Refusals{
		Malformed: warifu.Invalid("kiosk-request-malformed"), InUse: warifu.Conflict("kiosk-in-use"), Full: warifu.TooMany("kiosk-in-use"),
		Other: warifu.Conflict("kiosk-step-other"), Over: warifu.NotFound("kiosk-visit-over"),
	}, terminal.Own[*visit]{
		Name: "kiosk", Open: k.open, Stand: (*visit).stand, Back: (*visit).back, Left: (*visit).left,
		Begin: func(medium string) (string, error) { v, err := k.Begin(medium); return v.ID, err },
		Touch: func(ctx context.Context, id string, t Touch) error { _, err := k.Touch(ctx, id, t); return err },
	}, k.show)
	return k
}

// Hours refuses outside the hours of every kiosk: "kiosk-closed", "kiosk-closed-day" from 29
// December to 3 January, "kiosk-maintenance".
func Hours(now time.Time) error {
	now = now.In(person.Tokyo)
	at := now.Sub(person.DateOf(now))
	month, day := now.Month(), now.Day()
	switch {
	case month == time.December && day >= 29 || month == time.January && day <= 3:
		return warifu.Refused("kiosk-closed-day")
	case at < opens || at >= closes:
		return warifu.Refused("kiosk-closed")
	case now.Weekday() == time.Wednesday && (day-1)/7 == 2 && at >= maintenance:
		return warifu.Refused("kiosk-maintenance")
	}
	return nil
}

// open refuses outside the hours; and a phone, where the scheme's service has not begun (K6):
// "kiosk-phones-later". Cards were taken before (K17).
func (k *Kiosk) open(class profile.Class) error {
	now := k.config.Clock.Now()
	if class == profile.ClassPhone && !k.config.Scheme.ServiceOpen("kiosk", now) && Hours(now) == nil {
		return warifu.Refused("kiosk-phones-later", "date", k.config.Scheme.Services["kiosk"].In(person.Tokyo).Format(time.DateOnly))
	}
	return Hours(now)
}
