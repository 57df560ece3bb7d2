package scheme

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"
)

func (s *Scheme) readHours(f *file) error {
	zone, err := time.LoadLocation(f.Hours.Zone)
	if err != nil || f.Hours.Zone == "" || f.Hours.Zone == "Local" {
		return invalid("hours.zone", errors.Join(errors.New("not a zone of the IANA data base"), err))
	}
	s.Hours = Hours{Zone: zone, Always: f.Hours.Always}
	if err := s.Hours.readDay(f.Hours); err != nil {
		return err
	}
	if err := s.Hours.readClosed(f.Hours.Closed); err != nil {
		return err
	}
	return s.Hours.readMaintenance(f.Hours.Maintenance)
}

func (h *Hours) readDay(f fileHours) error {
	if h.Always {
		if f.Opens+f.CutOff+f.Closes != "" || len(f.Closed) > 0 {
			return invalid("hours.always", errors.New("leaves no room for opens, cut_off, closes or closed"))
		}
		return nil
	}
	for _, c := range []struct {
		field, written string
		into           *TimeOfDay
	}{{"opens", f.Opens, &h.Opens}, {"cut_off", f.CutOff, &h.CutOff}, {"closes", f.Closes, &h.Closes}} {
		t, err := parseTimeOfDay(c.written)
		if err != nil {
			return invalid("hours."+c.field, err)
		}
		*c.into = t
	}
	if !(h.Opens < h.CutOff && h.CutOff <= h.Closes) {
		return invalid("hours.cut_off", errors.New("wants opens < cut_off ≤ closes"))
	}
	return nil
}

func parseTimeOfDay(s string) (TimeOfDay, error) {
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if len(s) != len(layout) {
			continue
		}
		t, err := time.Parse(layout, s)
		if err != nil {
			return 0, err
		}
		return TimeOfDay(t.Sub(t.Truncate(24 * time.Hour))), nil
	}
	return 0, fmt.Errorf("%q is not hh:mm or hh:mm:ss", s)
}

// The bounds keep Next's search short: no set of closed days can fill a year twice.
const (
	maxClosedEveryYear = 60
	maxClosed          = 366
	maxMaintenance     = 64
	longestMaintenance = 7 * 24 * time.Hour
)

func (h *Hours) readClosed(days []string) error {
	yearly := 0
	for _, written := range days {
		d, err := parseDay(written)
		if err != nil {
			return invalid("hours.closed", err)
		}
		if d.Year == 0 {
			yearly++
		}
		h.ClosedDays = append(h.ClosedDays, d)
	}
	sort.Slice(h.ClosedDays, func(i, j int) bool { return h.ClosedDays[i].String() < h.ClosedDays[j].String() })
	if len(slices.Compact(slices.Clone(h.ClosedDays))) != len(days) {
		return invalid("hours.closed", errors.New("a day twice"))
	}
	if yearly > maxClosedEveryYear || len(days) > maxClosed {
		return invalid("hours.closed", errors.New("too many days"))
	}
	return nil
}

func parseDay(s string) (Day, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil && t.Year() > 0 {
		return Day{t.Year(), t.Month(), t.Day()}, nil
	}
	t, err := time.Parse(time.DateOnly, "2000-"+s) // a leap year, so that 02-29 is a day
	if err != nil {
		return Day{}, fmt.Errorf("%q is not yyyy-mm-dd or mm-dd", s)
	}
	return Day{0, t.Month(), t.Day()}, nil
}

func (h *Hours) readMaintenance(windows []fileMaintenance) error {
	if len(windows) > maxMaintenance {
		return invalid("hours.maintenance", errors.New("too many windows"))
	}
	for _, w := range windows {
		if !w.From.Before(w.To) || w.To.Sub(w.From) > longestMaintenance {
			return invalid("hours.maintenance", errors.New("wants from < to, at most seven days apart"))
		}
		h.Maintenance = append(h.Maintenance, Closure{w.From, w.To, Title(w.Note)})
	}
	sort.Slice(h.Maintenance, func(i, j int) bool { return h.Maintenance[i].From.Before(h.Maintenance[j].From) })
	for i := 1; i < len(h.Maintenance); i++ {
		if h.Maintenance[i].From.Before(h.Maintenance[i-1].To) {
			return invalid("hours.maintenance", errors.New("windows overlap"))
		}
	}
	return nil
}
