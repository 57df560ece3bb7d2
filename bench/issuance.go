package main

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
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

// rounds of issuance, each beside a round of the peer; the medians count.
const rounds = 3

// issuance is the main figure: certificates for each second of CPU, beside step-ca.
func issuance(ctx context.Context, b *bench) ([]Row, error) {
	at := b.site("badge", "badge")
	h, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer h.close()
	if err := h.begin(ctx, at); err != nil {
		return nil, err
	}
	if err := b.peer(ctx); err != nil {
		return nil, err
	}
	peer, err := openStepCA(ctx, b.stepCA, filepath.Join(b.dir, "step-ca"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = peer.process.stop() }()
	var ours, theirs []spent
	for round := range rounds + 1 {
		n := b.applications
		if round == 0 {
			n = warmUp // connections are made, files have their first pages
		}
		s, t, err := b.round(ctx, h, peer, n)
		if err != nil {
			return nil, err
		}
		if round == 0 {
			continue
		}
		b.say("  round %d: warifud %.0f µs, step-ca %.0f µs of CPU each; %.0f and %.0f certificates a second of real time",
			round, s.each(), t.each(), float64(s.certificates)/s.wall.Seconds(), float64(t.certificates)/t.wall.Seconds())
		ours, theirs = append(ours, s), append(theirs, t)
	}
	s, t := middle(ours), middle(theirs)
	rows := []Row{
		plain("issuance, badge", s.perSecond(), "certificates/CPU s").against("step-ca v0.30.2", t.perSecond()).ratioAtLeast(1.4),
		plain("issuance, badge: CPU of a certificate", s.each(), "µs").against("step-ca v0.30.2", t.each()),
		plain("issuance, badge: real time", float64(s.certificates)/s.wall.Seconds(), "certificates/s").against("step-ca v0.30.2", float64(t.certificates)/t.wall.Seconds()),
	}
	if b.bare > 0 {
		rows = append(rows, plain("issuance, badge: CPU of a certificate", s.each(), "µs").against("bare cryptography", b.bare))
	}
	return rows, nil
}

const warmUp = 100

// round issues n applications here and as many certificates there.
func (b *bench) round(ctx context.Context, h *house, peer *stepCA, n int) (ours, theirs spent, err error) {
	applicants, err := h.prepare(ctx, h.made, n)
	if err != nil {
		return ours, theirs, err
	}
	requests, err := peer.prepare(h.made, 2*n)
	if err != nil {
		return ours, theirs, err
	}
	records, err := h.books()
	if err != nil {
		return ours, theirs, err
	}
	defer records.db.Close()
	if ours, err = h.issue(ctx, records, applicants, 2*h.made); err != nil {
		return ours, theirs, err
	}
	h.made += n
	theirs, err = peer.issue(ctx, requests)
	return ours, theirs, err
}

// middle is the one whose cost is the median.
func middle(all []spent) spent {
	slices.SortFunc(all, func(a, b spent) int { return cmp.Compare(a.each(), b.each()) })
	return all[len(all)/2]
}

// profileOnly issues without a peer, for -profile.
func profileOnly(ctx context.Context, b *bench) ([]Row, error) {
	at := b.site("badge", "badge")
	h, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer h.close()
	applicants, err := h.prepare(ctx, 0, b.applications)
	if err != nil {
		return nil, err
	}
	if err := h.begin(ctx, at); err != nil {
		return nil, err
	}
	records, err := h.books()
	if err != nil {
		return nil, err
	}
	defer records.db.Close()
	s, err := h.issue(ctx, records, applicants, 0)
	return []Row{plain("issuance, badge: CPU of a certificate", s.each(), "µs")}, err
}
