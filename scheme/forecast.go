package scheme

import "time"

// Forecast returns when a backlog of applications that belong to the present window
// (or to the next one, outside hours) will be done at the given rate, starting now or
// at the opening and resting in maintenance; and whether that is after Closes, which
// is the alarm of K1. With a backlog and no speed at all it never ends: late, and the
// zero time.
func (h Hours) Forecast(backlog int, perSecond float64, now time.Time) (finish time.Time, late bool) {
	start := h.Next(now)
	if backlog <= 0 {
		return start, false
	}
	seconds := float64(backlog) / perSecond
	if !(perSecond > 0) || seconds > longest.Seconds() {
		return time.Time{}, true
	}
	finish = h.worked(start, time.Duration(seconds*float64(time.Second)))
	return finish, !h.Always && finish.After(h.ClosesAfter(now))
}

// longest is the length from which a forecast is no forecast any more.
const longest = 10 * 365 * 24 * time.Hour

// worked returns the end of so much work begun at start, with rests in maintenance.
func (h Hours) worked(start time.Time, work time.Duration) time.Time {
	for _, m := range h.Maintenance {
		if !m.From.After(start) {
			continue // over, or start would lie in it
		}
		if before := m.From.Sub(start); work > before {
			work -= before
			start = m.To
		}
	}
	return start.Add(work)
}
