package store

import (
	"time"

	"warifu"
)

// HourCount is how often something happened in the hour that begins at Hour.
type HourCount struct {
	Hour  time.Time // UTC, on the hour
	Count int64
}

// IssuedByHour counts applications issued since an instant, hour by hour; hours
// without one are left out.
func (tx *Tx) IssuedByHour(since time.Time) ([]HourCount, error) {
	return list(tx.work, func(s scanner) (HourCount, error) {
		var hour int64
		var c HourCount
		err := s.Scan(&hour, &c.Count)
		c.Hour = time.Unix(hour*3600, 0).UTC()
		return c, err
	}, `SELECT at / 3600000000, COUNT(*) FROM moves WHERE life = 'application' AND verb = 'issue' AND at >= $1
		GROUP BY at / 3600000000 ORDER BY 1`, micros(since))
}

// RejectedByProblem counts rejected applications by the slug of their problem.
func (tx *Tx) RejectedByProblem() (map[string]int64, error) {
	counts := map[string]int64{}
	err := tx.each(func(s scanner) error {
		var problem string
		var n int64
		err := s.Scan(&problem, &n)
		counts[problem] = n
		return err
	}, `SELECT problem, COUNT(*) FROM applications WHERE state = 'rejected' GROUP BY problem`)
	return counts, err
}

// ApplicationsByState counts all applications.
func (tx *Tx) ApplicationsByState() (map[warifu.ApplicationState]int64, error) {
	counts := map[warifu.ApplicationState]int64{}
	err := tx.each(func(s scanner) error {
		var state string
		var n int64
		err := s.Scan(&state, &n)
		counts[warifu.ApplicationState(state)] = n
		return err
	}, `SELECT state, COUNT(*) FROM applications GROUP BY state`)
	return counts, err
}
