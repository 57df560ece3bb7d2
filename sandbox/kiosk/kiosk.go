package kiosk

import (
	"sync"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/person"
	"warifu/sandbox/reader"
	"warifu/sandbox/terminal"
	"warifu/scheme"
)

// The hours, as time of day in Tokyo (B.6), and how long a visit waits for the person.
const (
	opens  = 6*time.Hour + 30*time.Minute
	closes = 23 * time.Hour
	// idle is how long nobody may touch the kiosk before a visit is over and its money given back.
	idle      = 2 * time.Minute
	maxVisits = 1000
)

// maintenance of the municipalities' network: from this time of day to the end, on the third
// Wednesday of every month. The real days are announced; these are the sandbox's.
const maintenance = 20 * time.Hour

// Chip is one that can be touched to the reader of the demo.
type Chip struct {
	ID    string
	Class profile.Class
}

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
	config Config
	using  sync.Mutex // of the real reader

	works terminal.Works[View]

	mu     sync.Mutex
	visits map[string]*visit
}

// New makes a kiosk.
func New(c Config) *Kiosk { return &Kiosk{config: c, visits: map[string]*visit{}} }

// open refuses outside the hours: "kiosk-closed", "kiosk-closed-day" from 29 December to 3
// January, "kiosk-maintenance"; and a phone, where the scheme's service has not begun (K6):
// "kiosk-phones-later". Cards were taken before (K17).
func (k *Kiosk) open(class profile.Class) error {
	now := k.config.Clock.Now().In(person.Tokyo)
	at := now.Sub(person.DateOf(now))
	month, day := now.Month(), now.Day()
	switch {
	case month == time.December && day >= 29 || month == time.January && day <= 3:
		return warifu.Refused("kiosk-closed-day")
	case at < opens || at >= closes:
		return warifu.Refused("kiosk-closed")
	case now.Weekday() == time.Wednesday && (day-1)/7 == 2 && at >= maintenance:
		return warifu.Refused("kiosk-maintenance")
	case class == profile.ClassPhone && !k.config.Scheme.ServiceOpen("kiosk", now):
		return warifu.Refused("kiosk-phones-later", "date", k.config.Scheme.Services["kiosk"].In(person.Tokyo).Format(time.DateOnly))
	}
	return nil
}

// source is the reader with what the person touches to it.
func (k *Kiosk) source(chip string) (reader.Source, error) {
	if k.config.Reader != nil {
		return k.config.Reader, nil
	}
	if chip == "" {
		return nil, warifu.Unavailable("reader-no-card")
	}
	return k.config.Touched(chip), nil
}
