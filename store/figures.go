package store

import "time"

// Span is how often something happened in a stretch of time that begins at From.
type Span struct {
	From  time.Time // UTC, a multiple of the stretch since 1970
	Count int64
}

func scanSpan(stretch time.Duration) func(scanner) (Span, error) {
	return func(s scanner) (Span, error) {
		var at int64
		var c Span
		err := s.Scan(&at, &c.Count)
		c.From = time.UnixMicro(at * stretch.Microseconds()).UTC()
		return c, err
	}
}

// MovesBy counts the moves of a life by a verb since an instant, stretch by stretch, in order;
// stretches without one are left out. It names nobody.
func (tx *Tx) MovesBy(life, verb string, since time.Time, stretch time.Duration) ([]Span, error) {
	return list(tx.work, scanSpan(stretch), `SELECT at / $1, COUNT(*) FROM moves WHERE life = $2 AND verb = $3 AND at >= $4
		GROUP BY 1 ORDER BY 1`, stretch.Microseconds(), life, verb, micros(since))
}

// Wait is how long the applications that were issued in an hour had waited since they were due.
type Wait struct {
	Hour          time.Time
	Count         int64
	Mean, Longest time.Duration
}

// WaitsByHour measures the queue: from when an application was due to when it was issued, by the
// hour of issue since an instant.
func (tx *Tx) WaitsByHour(since time.Time) ([]Wait, error) {
	return list(tx.work, func(s scanner) (Wait, error) {
		var hour, mean, longest int64
		var w Wait
		err := s.Scan(&hour, &w.Count, &mean, &longest)
		w.Hour = time.Unix(hour*3600, 0).UTC()
		w.Mean, w.Longest = time.Duration(mean)*time.Microsecond, time.Duration(longest)*time.Microsecond
		return w, err
	}, `SELECT m.at / 3600000000, COUNT(*), CAST(AVG(m.at - a.due_at) AS BIGINT), MAX(m.at - a.due_at)
		FROM moves m JOIN applications a ON a.id = m.subject
		WHERE m.life = 'application' AND m.verb = 'issue' AND m.at >= $1 GROUP BY m.at / 3600000000 ORDER BY 1`, micros(since))
}
