package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// chunk is how many applications are prepared at a time: their challenges live ten minutes.
const chunk = 500

// backlog fills the queue while the hour has not struck and lets it drain: the last
// tenth must cost what the first does, and nobody may lose their place.
func backlog(ctx context.Context, b *bench) ([]Row, error) {
	scheme, err := b.closedUntil(time.Now().Add(24 * time.Hour))
	if err != nil {
		return nil, err
	}
	at := b.site("backlog", scheme)
	h, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer h.close()
	opening, err := b.fill(ctx, h, at)
	if err != nil {
		return nil, err
	}
	b.say("  %d wait; the hour strikes in %.0f s", h.made, time.Until(opening).Seconds())
	select {
	case <-time.After(time.Until(opening)):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return h.drain(ctx, b.backlog)
}

// fill makes everybody apply before the hour strikes. When it does is decided after
// the first have been prepared, by how long that took, and before the server starts.
func (b *bench) fill(ctx context.Context, h *house, at site) (opening time.Time, err error) {
	for h.made < b.backlog {
		n, began := min(chunk, b.backlog-h.made), time.Now()
		applicants, err := h.prepare(ctx, h.made, n)
		if err != nil {
			return opening, err
		}
		if h.server == nil {
			each := time.Since(began) / time.Duration(n) // applying takes less than preparing
			opening = time.Now().Add(15*time.Second + time.Duration(b.backlog)*each*5/2).Truncate(time.Second)
			if _, err := b.closedUntil(opening); err != nil {
				return opening, err
			}
			if err := h.begin(ctx, at); err != nil {
				return opening, err
			}
		}
		if err := each(n, func(i int) error { return h.submit(ctx, applicants[i]) }); err != nil {
			return opening, err
		}
		h.made += n
	}
	if late := time.Since(opening); late > 0 {
		return opening, fmt.Errorf("the hour struck %.0f s before all %d had applied", late.Seconds(), b.backlog)
	}
	return opening, nil
}

// closedUntil writes scheme badge so that it issues nothing before the opening, and
// returns the file's name, which is always the same.
func (b *bench) closedUntil(opening time.Time) (string, error) {
	return b.withHours("badge", fmt.Sprintf("always = true\n\n[[hours.maintenance]]\nfrom = %s\nto = %s\nnote = { ja = \"計測\", en = \"bench\" }\n",
		time.Now().Add(-time.Hour).Format(time.RFC3339), opening.Format(time.RFC3339)))
}

// mark is how far the drain had come at an instant.
type mark struct {
	issued int
	cpu    time.Duration
	at     time.Time
}

// drain watches the queue empty itself.
func (h *house) drain(ctx context.Context, n int) ([]Row, error) {
	records, err := h.books()
	if err != nil {
		return nil, err
	}
	defer records.db.Close()
	var marks []mark
	for len(marks) == 0 || marks[len(marks)-1].issued < n {
		m := mark{at: time.Now()}
		if m.cpu, err = h.server.cpu(); err != nil {
			return nil, err
		}
		if err := records.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM applications WHERE state = 'issued'`).Scan(&m.issued); err != nil {
			return nil, err
		}
		marks = append(marks, m)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	places, err := records.places(ctx)
	if err != nil {
		return nil, err
	}
	first := costBetween(marks, 0, n/10)
	last := costBetween(marks, n-n/10, n)
	whole := marks[len(marks)-1].at.Sub(marks[0].at)
	return []Row{
		plain(fmt.Sprintf("backlog of %d: CPU of a certificate in the last tenth", n), last, "µs").against("in the first tenth", first).ratioAtMost(1.15),
		plain(fmt.Sprintf("backlog of %d: drained", n), 2*float64(n)/whole.Seconds(), "certificates/s"),
		plain(fmt.Sprintf("backlog of %d: most places lost in the order", n), float64(places), "places").below(places64),
	}, nil
}

// places64 is two batches: those who apply at the same instant, and those issued in
// one commit, have no order among themselves.
const places64 = 2*64 + 1

// costBetween is CPU for each certificate while the count went from one to the other,
// in microseconds.
func costBetween(marks []mark, from, to int) float64 {
	a, z := at(marks, from), at(marks, to)
	return float64((z - a).Microseconds()) / float64(2*(to-from))
}

// at is the CPU time when n had been issued, between the two marks around it.
func at(marks []mark, n int) time.Duration {
	i, _ := slices.BinarySearchFunc(marks, n, func(m mark, n int) int { return m.issued - n })
	if i == 0 || i == len(marks) {
		return marks[min(i, len(marks)-1)].cpu
	}
	a, z := marks[i-1], marks[i]
	share := float64(n-a.issued) / float64(z.issued-a.issued)
	return a.cpu + time.Duration(share*float64(z.cpu-a.cpu))
}

// places is by how many places the worst-treated application fell behind its arrival.
func (b books) places(ctx context.Context) (int, error) {
	rows, err := b.db.QueryContext(ctx, `SELECT issued_at FROM applications ORDER BY submitted_at, id`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var issued []int64
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return 0, err
		}
		issued = append(issued, at)
	}
	sorted := slices.Clone(issued)
	slices.Sort(sorted)
	worst := 0
	for arrival, at := range issued {
		turn, _ := slices.BinarySearch(sorted, at) // the first place of its commit
		worst = max(worst, turn-arrival)
	}
	return worst, rows.Err()
}
