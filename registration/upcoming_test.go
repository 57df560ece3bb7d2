package registration_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/scheme"
)

// upcoming returns what is due, and wants it in order and ahead of now.
func upcoming(t *testing.T, h *housetest.House) []registration.Due {
	t.Helper()
	due, err := h.Registrar.Upcoming(context.Background(), 100)
	must(t, err)
	for i, d := range due {
		if !d.At.After(h.Clock.Now()) || i > 0 && d.At.Before(due[i-1].At) {
			t.Errorf("out of order: %v", due)
		}
	}
	return due
}

func at(due []registration.Due, what string) []time.Time {
	var out []time.Time
	for _, d := range due {
		if d.What == what {
			out = append(out, d.At.UTC())
		}
	}
	return out
}

func TestTheCalendarKnowsWhatTheClockAloneWillBring(t *testing.T) {
	h := housetest.New(t, housetest.Options{Alter: func(s *scheme.Scheme) { s.SupersedeCooling = 24 * time.Hour }})
	if due := upcoming(t, h); len(due) != 0 {
		t.Errorf("in an empty house %v", due)
	}
	_, a, code := coded(t, h, "taro")
	end := credentials(t, h, a.ID)[0].NotAfter.UTC()
	due := upcoming(t, h)
	for what, want := range map[string]time.Time{
		registration.DueExpiry: end, registration.DueNotice3m: end.AddDate(0, -3, 0),
		registration.DueNotice1m: end.AddDate(0, -1, 0), registration.DueNotice1w: end.AddDate(0, 0, -7),
	} {
		if !slices.ContainsFunc(at(due, what), want.Equal) {
			t.Errorf("%s at %v, want %v among them", what, at(due, what), want)
		}
	}
	until := h.Clock.Now().Add(time.Hour).Truncate(time.Second)
	suspend := suspendLost
	suspend.Reason, suspend.Until = "repair", until
	_, err := byCard(h, cardOrder(t, h, "taro", suspend))
	must(t, err)
	must(t, byCode(h, code.Reveal(), ""))
	due = upcoming(t, h)
	if got := at(due, registration.DueRepairEnd); len(got) != 2 || !got[0].Equal(until) {
		t.Errorf("repairs end at %v, want %v for both", got, until)
	}
	if got := at(due, registration.DueLostNotice); len(got) != 2 || !got[0].Equal(h.Clock.Now().Add(7*24*time.Hour)) {
		t.Errorf("losses are reminded of at %v", got)
	}
	h.Clock.To(until)
	_, err = h.Registrar.EndRepairHolds(context.Background())
	must(t, err)
	if got := at(upcoming(t, h), registration.DueRepairEnd); len(got) != 0 {
		t.Errorf("after the repair: %v", got)
	}
}

func TestTheCalendarHasOpenApplications(t *testing.T) {
	h := housetest.New(t, housetest.Options{Alter: func(s *scheme.Scheme) {
		s.SupersedeCooling = 24 * time.Hour
		s.Hours = scheme.Hours{
			Zone: housetest.Tokyo, Opens: scheme.TimeOfDay(450 * time.Minute), CutOff: scheme.TimeOfDay(1170 * time.Minute), Closes: scheme.TimeOfDay(1200 * time.Minute),
		}
	}})
	h.Phone(t).Own(t, "taro")
	h.Clock.To(housetest.Begin.Add(12 * time.Hour)) // half past ten at night
	night := h.Phone(t).Apply(t, "taro")
	due := upcoming(t, h)
	if got := at(due, registration.DueJob); len(got) != 1 || !got[0].Equal(night.Due) {
		t.Errorf("issuing is due at %v, want %v", got, night.Due)
	}
	h.Clock.To(night.Due)
	h.Drain(t)
	due = upcoming(t, h)
	if got := at(due, registration.DueTakeover); len(got) != 1 || !got[0].Equal(night.Due.Add(24*time.Hour)) {
		t.Errorf("the new phone may take over at %v", got)
	}
	if got := at(due, registration.DueLapse); len(got) != 1 || !got[0].Equal(night.Due.Add(h.Scheme.ApplicationLapse)) {
		t.Errorf("it lapses at %v", got)
	}
}
