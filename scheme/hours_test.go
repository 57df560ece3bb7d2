package scheme_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/scheme"
)

var tokyo = func() *time.Location {
	z, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		panic(err)
	}
	return z
}()

const micro = "2006-01-02 15:04:05.999999"

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation(micro, s, tokyo)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// holidays closes every 31 December to 3 January and one Wednesday, with two stretches of maintenance.
func holidays(t testing.TB) scheme.Hours {
	h := shipped(t, "jp-mobile").Hours
	h.ClosedDays = []scheme.Day{
		{Month: 1, Day: 1}, {Month: 1, Day: 2}, {Month: 1, Day: 3}, {Month: 12, Day: 31}, {Year: 2026, Month: 6, Day: 10},
	}
	h.Maintenance = []scheme.Closure{
		{From: at(t, "2026-06-15 19:10:00"), To: at(t, "2026-06-15 19:45:00")},
		{From: at(t, "2026-06-20 12:00:00"), To: at(t, "2026-06-21 09:00:00")},
		{From: at(t, "2026-06-21 09:00:00"), To: at(t, "2026-06-21 10:00:00")},
	}
	return h
}

func TestK1DueAtEveryBorder(t *testing.T) {
	h := holidays(t)
	for _, c := range []struct{ name, complete, due string }{
		{"the last microsecond before the cut-off is the same day's", "2026-06-01 19:29:59.999999", "2026-06-01 19:29:59.999999"},
		{"the cut-off itself is the next day's", "2026-06-01 19:30:00", "2026-06-02 07:30:00"},
		{"between cut-off and closing", "2026-06-01 19:59:59.999999", "2026-06-02 07:30:00"},
		{"at closing", "2026-06-01 20:00:00", "2026-06-02 07:30:00"},
		{"the last microsecond of the day", "2026-06-01 23:59:59.999999", "2026-06-02 07:30:00"},
		{"midnight waits for that day's opening", "2026-06-02 00:00:00", "2026-06-02 07:30:00"},
		{"the last microsecond before opening", "2026-06-02 07:29:59.999999", "2026-06-02 07:30:00"},
		{"opening", "2026-06-02 07:30:00", "2026-06-02 07:30:00"},
		{"noon", "2026-06-02 12:00:00", "2026-06-02 12:00:00"},
		{"after the cut-off before a closed day", "2026-06-09 19:30:00", "2026-06-11 07:30:00"},
		{"on a closed day before opening", "2026-06-10 03:00:00", "2026-06-11 07:30:00"},
		{"on a closed day inside hours", "2026-06-10 12:00:00", "2026-06-11 07:30:00"},
		{"on a closed day after the cut-off", "2026-06-10 19:30:00", "2026-06-11 07:30:00"},
		{"over the year's end, four closed days in a row", "2026-12-30 19:30:00", "2027-01-04 07:30:00"},
		{"the last one before the year's end", "2026-12-30 19:29:59.999999", "2026-12-30 19:29:59.999999"},
		{"on new year's eve", "2026-12-31 23:59:59.999999", "2027-01-04 07:30:00"},
		{"in maintenance before the cut-off: after it, past the cut-off", "2026-06-15 19:10:00", "2026-06-15 19:45:00"},
		{"in maintenance at the cut-off", "2026-06-15 19:30:00", "2026-06-16 07:30:00"},
		{"in maintenance over the night", "2026-06-20 12:00:00", "2026-06-21 10:00:00"},
		{"in the second of two that touch", "2026-06-21 09:30:00", "2026-06-21 10:00:00"},
		{"29 February", "2028-02-28 19:30:00", "2028-02-29 07:30:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := h.Due(at(t, c.complete)); !got.Equal(at(t, c.due)) {
				t.Errorf("Due(%s) = %s, want %s", c.complete, got.In(tokyo).Format(micro), c.due)
			}
		})
	}
}

func TestR41StrictDueAtEveryBorder(t *testing.T) {
	h := shipped(t, "jp-mobile-strict").Hours
	for complete, due := range map[string]string{
		"2026-06-01 08:59:59.999999": "2026-06-01 09:00:00",
		"2026-06-01 09:00:00":        "2026-06-01 09:00:00",
		"2026-06-01 19:29:59.999999": "2026-06-01 19:29:59.999999",
		"2026-06-01 19:30:00":        "2026-06-02 09:00:00",
	} {
		if got := h.Due(at(t, complete)); !got.Equal(at(t, due)) {
			t.Errorf("Due(%s) = %s, want %s", complete, got.In(tokyo).Format(micro), due)
		}
	}
}

func TestK1OpenAtEveryBorder(t *testing.T) {
	h := holidays(t)
	for instant, want := range map[string]bool{
		"2026-06-01 07:29:59.999999": false, "2026-06-01 07:30:00": true, "2026-06-01 19:30:00": true,
		"2026-06-01 19:59:59.999999": true, "2026-06-01 20:00:00": false, "2026-06-10 12:00:00": false,
		"2026-06-15 19:09:59.999999": true, "2026-06-15 19:10:00": false, "2026-06-15 19:45:00": true,
	} {
		if got := h.Open(at(t, instant)); got != want {
			t.Errorf("Open(%s) = %v", instant, got)
		}
	}
}

func TestK1WhatWasDueIsFinishedAfterClosing(t *testing.T) {
	h := holidays(t)
	due := at(t, "2026-06-14 19:29:59")
	for now, want := range map[string]bool{
		"2026-06-14 19:29:58": false, "2026-06-14 19:29:59": true, "2026-06-14 20:00:00": true,
		"2026-06-15 02:00:00": true, "2026-06-15 19:15:00": false, "2026-06-15 19:45:00": true,
	} {
		if got := h.MayIssue(due, at(t, now)); got != want {
			t.Errorf("MayIssue at %s = %v", now, got)
		}
	}
}

// anyHours draws hours with random closed days, maintenance and zone.
func anyHours(rt *rapid.T) (scheme.Hours, time.Time) {
	zone, err := time.LoadLocation(rapid.SampledFrom([]string{"Asia/Tokyo", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"}).Draw(rt, "zone"))
	if err != nil {
		rt.Fatal(err)
	}
	opens := rapid.IntRange(0, 12*3600).Draw(rt, "opens")
	cut := rapid.IntRange(opens+1, 23*3600).Draw(rt, "cut")
	closes := rapid.IntRange(cut, 24*3600-1).Draw(rt, "closes")
	second := func(n int) scheme.TimeOfDay { return scheme.TimeOfDay(time.Duration(n) * time.Second) }
	h := scheme.Hours{Zone: zone, Opens: second(opens), CutOff: second(cut), Closes: second(closes)}
	for range rapid.IntRange(0, 20).Draw(rt, "closed") {
		h.ClosedDays = append(h.ClosedDays, scheme.Day{Month: time.Month(rapid.IntRange(1, 12).Draw(rt, "m")), Day: rapid.IntRange(1, 31).Draw(rt, "d")})
	}
	start := time.Date(rapid.IntRange(2005, 2035).Draw(rt, "year"), 1, 1, 0, 0, 0, 0, zone)
	t := start.Add(time.Duration(rapid.Int64Range(0, int64(365*24*time.Hour)/1000).Draw(rt, "t")) * 1000)
	from := t
	for range rapid.IntRange(0, 3).Draw(rt, "maintenance") {
		from = from.Add(time.Duration(rapid.IntRange(-300, 600).Draw(rt, "gap")) * time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(1, 2000).Draw(rt, "length")) * time.Minute)
		if n := len(h.Maintenance); n > 0 && from.Before(h.Maintenance[n-1].To) {
			break
		}
		h.Maintenance = append(h.Maintenance, scheme.Closure{From: from, To: to})
		from = to
	}
	return h, t
}

func TestK1DueProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h, complete := anyHours(rt)
		due := h.Due(complete)
		switch {
		case due.Before(complete):
			rt.Fatalf("due %s before complete %s", due, complete)
		case !h.Open(due):
			rt.Fatalf("due %s is not inside the window", due)
		case !h.MayIssue(due, due):
			rt.Fatal("due, and may not be issued")
		case !h.Next(due).Equal(due) || h.Next(complete).After(due):
			rt.Fatalf("Next is not consistent: %s, %s", h.Next(complete), due)
		}
		later := complete.Add(time.Duration(rapid.Int64Range(0, int64(100*time.Hour)/1000).Draw(rt, "later")) * 1000)
		if h.Due(later).Before(due) {
			rt.Fatalf("arrival order is not kept: %s→%s but %s→%s", complete, due, later, h.Due(later))
		}
	})
}

func TestK1JPMobileDueProperties(t *testing.T) {
	h := shipped(t, "jp-mobile").Hours
	rapid.Check(t, func(rt *rapid.T) {
		us := rapid.Int64Range(0, int64(20*365*24*time.Hour/time.Microsecond)).Draw(rt, "µs")
		complete := time.Date(2023, 5, 11, 0, 0, 0, 0, tokyo).Add(time.Duration(us) * time.Microsecond)
		due := h.Due(complete).In(tokyo)
		clock := complete.In(tokyo).Sub(time.Date(complete.In(tokyo).Year(), complete.In(tokyo).Month(), complete.In(tokyo).Day(), 0, 0, 0, 0, tokyo))
		sameDay := due.YearDay() == complete.In(tokyo).YearDay() && due.Year() == complete.In(tokyo).Year()
		switch {
		case clock < 7*time.Hour+30*time.Minute && !(sameDay && due.Format(time.TimeOnly) == "07:30:00"):
			rt.Fatalf("%s → %s", complete, due)
		case clock >= 7*time.Hour+30*time.Minute && clock < 19*time.Hour+30*time.Minute && !due.Equal(complete):
			rt.Fatalf("%s → %s", complete, due)
		case clock >= 19*time.Hour+30*time.Minute && (sameDay || due.Sub(complete) > 12*time.Hour || due.Format(time.TimeOnly) != "07:30:00"):
			rt.Fatalf("%s → %s", complete, due)
		}
	})
}

func TestNextWhereMidnightDoesNotExist(t *testing.T) {
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	h := shipped(t, "jp-mobile").Hours
	h.Zone = zone
	got := h.Due(time.Date(2018, 11, 3, 21, 0, 0, 0, zone)) // summer time began at 00:00 of the 4th
	if want := time.Date(2018, 11, 4, 7, 30, 0, 0, zone); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestK1ForecastRaisesTheAlarm(t *testing.T) {
	h := holidays(t)
	for _, c := range []struct {
		name    string
		backlog int
		rate    float64
		now     string
		finish  string
		late    bool
	}{
		{"nothing to do", 0, 0, "2026-06-01 19:59:59", "2026-06-01 19:59:59", false},
		{"exactly at closing is in time", 3600, 1, "2026-06-01 19:00:00", "2026-06-01 20:00:00", false},
		{"one more is late", 3601, 1, "2026-06-01 19:00:00", "2026-06-01 20:00:01", true},
		{"before opening it starts at the opening", 600, 1, "2026-06-01 03:00:00", "2026-06-01 07:40:00", false},
		{"at night it is the next day's", 600, 1, "2026-06-01 22:00:00", "2026-06-02 07:40:00", false},
		{"maintenance rests", 3600, 1, "2026-06-15 18:40:00", "2026-06-15 20:15:00", true},
		{"work that ends as maintenance begins", 1800, 1, "2026-06-15 18:40:00", "2026-06-15 19:10:00", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			finish, late := h.Forecast(c.backlog, c.rate, at(t, c.now))
			if !finish.Equal(at(t, c.finish)) || late != c.late {
				t.Errorf("got %s %v, want %s %v", finish.In(tokyo).Format(micro), late, c.finish, c.late)
			}
		})
	}
	for _, rate := range []float64{0, -1, 1e-300} {
		if finish, late := h.Forecast(1, rate, at(t, "2026-06-01 12:00:00")); !finish.IsZero() || !late {
			t.Errorf("rate %g: %s %v", rate, finish, late)
		}
	}
	if _, late := shipped(t, "badge").Hours.Forecast(1e9, 100, at(t, "2026-06-01 12:00:00")); late {
		t.Error("hours that never close are never late")
	}
}

func TestK1ClosuresAreAnnounced(t *testing.T) {
	h := holidays(t)
	got := h.Closures(at(t, "2026-06-10 12:00:00"), at(t, "2026-06-21 00:00:00"))
	want := []string{"2026-06-10 00:00:00", "2026-06-15 19:10:00", "2026-06-20 12:00:00"}
	if len(got) != len(want) {
		t.Fatalf("%d closures: %v", len(got), got)
	}
	for i := range want {
		if !got[i].From.Equal(at(t, want[i])) {
			t.Errorf("closure %d from %s, want %s", i, got[i].From, want[i])
		}
	}
}
