package main

import (
	"context"
	"time"
)

// spent is what some certificates cost a process.
type spent struct {
	certificates int
	cpu, wall    time.Duration
}

// perSecond is certificates for each second of CPU.
func (s spent) perSecond() float64 { return float64(s.certificates) / s.cpu.Seconds() }

// each is CPU microseconds for each certificate.
func (s spent) each() float64 { return float64(s.cpu.Microseconds()) / float64(s.certificates) }

// issue sends the applications and waits until every certificate is recorded: from
// the first octet of the first POST to the last commit, everything the process did.
func (h *house) issue(ctx context.Context, b books, applicants []*applicant, already int) (spent, error) {
	before, err := h.server.cpu()
	if err != nil {
		return spent{}, err
	}
	began := time.Now()
	if err := each(len(applicants), func(i int) error { return h.submit(ctx, applicants[i]) }); err != nil {
		return spent{}, err
	}
	n := 2 * len(applicants)
	if err := b.settled(ctx, already+n); err != nil {
		return spent{}, err
	}
	after, err := h.server.cpu()
	return spent{n, after - before, time.Since(began)}, err
}

// issuance is the main figure: certificates for each second of CPU, beside step-ca.
func issuance(ctx context.Context, b *bench) ([]Row, error) {
	at := b.site("badge", "badge")
	h, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer h.close()
	began := time.Now()
	applicants, err := h.prepare(ctx, 0, b.applications)
	if err != nil {
		return nil, err
	}
	b.say("  prepared %d applications in %.1f s", len(applicants), time.Since(began).Seconds())
	if err := h.begin(ctx, at); err != nil {
		return nil, err
	}
	records, err := h.books()
	if err != nil {
		return nil, err
	}
	s, err := h.issue(ctx, records, applicants, 0)
	if err != nil {
		return nil, err
	}
	b.say("  %.0f µs CPU each, wall %.1f s", s.each(), s.wall.Seconds())
	return []Row{plain("issuance, badge", s.perSecond(), "certificates/CPU s")}, nil
}
