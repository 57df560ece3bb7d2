package server

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/registration"
	"warifu/store"
	"warifu/web"
)

// overseen answers the console: the figures and the causes.
type overseen struct{ *Server }

// figuresKept is for how long the same figures answer everybody who looks.
const figuresKept = 2 * time.Second

// japan is the zone of the days that are counted, where the scheme names none.
var japan = time.FixedZone("JST", 9*60*60)

// Figures implements web.Overseen.
func (s overseen) Figures(ctx context.Context) (web.Figures, error) {
	o, now := s.metrics.observed, s.clock.Now()
	o.mu.Lock()
	kept, at := o.drawn, o.drawnAt
	o.mu.Unlock()
	if !at.IsZero() && now.Sub(at) >= 0 && now.Sub(at) < figuresKept {
		return kept, nil
	}
	f := web.Figures{At: now}
	if err := s.store.Read(ctx, func(tx *store.Tx) error { return s.readFigures(tx, &f) }); err != nil {
		return web.Figures{}, err
	}
	f.Answers = o.answered(now, totals(s.metrics.counters, "warifu_status_answers_total", "answer"))
	f.Refusals = byCount(totals(s.metrics.counters, "warifu_refusals_total", "problem"))
	o.observe(&f)
	s.packed(&f)
	o.mu.Lock()
	o.drawn, o.drawnAt = f, now
	o.mu.Unlock()
	return f, nil
}

// Causes implements web.Overseen. Besides what the trail names it takes a serial number of a
// certificate and the card bureau's handle of a person, both in hexadecimal digits.
func (s overseen) Causes(ctx context.Context, subject string) ([]registration.Cause, error) {
	found, err := registration.Causes(ctx, s.store, subject)
	if !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return found, err
	}
	octets, malformed := hex.DecodeString(strings.ReplaceAll(subject, ":", ""))
	if malformed != nil || len(octets) == 0 || len(octets) > len(warifu.Digest{}) {
		return nil, err
	}
	subjects, fault := s.subjectsOf(ctx, octets)
	if fault != nil {
		return nil, fault
	}
	var trees []registration.Cause
	for _, one := range subjects {
		more, fault := registration.Causes(ctx, s.store, one)
		if fault != nil && !warifu.ProblemOf(fault).IsCode(warifu.CodeNotFound) {
			return nil, fault
		}
		for _, tree := range more {
			if !slices.ContainsFunc(trees, func(c registration.Cause) bool { return c.ID == tree.ID }) {
				trees = append(trees, tree)
			}
		}
	}
	if len(trees) == 0 {
		return nil, err
	}
	slices.SortStableFunc(trees, func(a, b registration.Cause) int { return a.At.Compare(b.At) })
	return trees, nil
}

// subjectsOf are the credentials of a serial number, or the applications and credentials of a
// person by their handle.
func (s overseen) subjectsOf(ctx context.Context, octets []byte) (out []string, err error) {
	err = s.store.Read(ctx, func(tx *store.Tx) error {
		out = nil
		if len(octets) == len(warifu.Digest{}) {
			rows, err := tx.ApplicationsOfPerson(warifu.Digest(octets))
			if err != nil {
				return err
			}
			for _, row := range rows {
				out = append(out, row.ID)
				credentials, err := tx.CredentialsOfApplication(row.ID)
				if err != nil {
					return err
				}
				for _, c := range credentials {
					out = append(out, c.ID)
				}
			}
			return nil
		}
		for _, kind := range warifu.Kinds {
			c, err := tx.CredentialBySerial(kind, octets)
			if err == nil {
				out = append(out, c.ID)
			} else if !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (s overseen) readFigures(tx *store.Tx, f *web.Figures) error {
	if err := s.promise(tx, f.At, &f.Promise); err != nil {
		return err
	}
	hours, err := hoursOf(tx, f.At)
	if err != nil {
		return err
	}
	f.Hours = hours
	if f.Days, err = s.daysOf(tx, f.At); err != nil {
		return err
	}
	rejected, err := tx.RejectedByProblem()
	f.Rejected = byCount(rejected)
	return err
}

// promiseStep is how finely the day's applications are drawn.
const promiseStep = 15 * time.Minute

// promise is today's: from midnight, what was complete and what was issued, and what the
// forecast says of the rest.
func (s overseen) promise(tx *store.Tx, now time.Time, p *web.Promise) error {
	h := s.scheme.Hours
	zone := h.Zone
	if zone == nil {
		zone = japan
	}
	y, m, d := now.In(zone).Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if !h.Always {
		at := func(t time.Duration) time.Time { return midnight.Add(t) }
		p.Opens, p.CutOff, p.Closes = at(time.Duration(h.Opens)), at(time.Duration(h.CutOff)), at(time.Duration(h.Closes))
	}
	for _, one := range []struct {
		verb string
		to   *[]web.Count
	}{{"begin", &p.Complete}, {string(warifu.VerbIssue), &p.Issued}} {
		spans, err := tx.MovesBy("application", one.verb, midnight, promiseStep)
		if err != nil {
			return err
		}
		for _, s := range spans {
			*one.to = append(*one.to, web.Count(s))
		}
	}
	waiting, err := tx.JobsDueBy("issue", now)
	if err != nil {
		return err
	}
	p.Waiting, p.Rate = waiting, s.metrics.rate.perSecond()
	p.Finish, p.Late = h.Forecast(int(waiting), p.Rate, now)
	return nil
}

func hoursOf(tx *store.Tx, now time.Time) ([]web.Hour, error) {
	first := now.UTC().Truncate(time.Hour).Add(-23 * time.Hour)
	out := make([]web.Hour, 24)
	for i := range out {
		out[i].From = first.Add(time.Duration(i) * time.Hour)
	}
	begun, err := tx.MovesBy("application", "begin", first, time.Hour)
	if err != nil {
		return nil, err
	}
	for _, b := range begun {
		if i := int(b.From.Sub(first) / time.Hour); i >= 0 && i < len(out) {
			out[i].Complete = b.Count
		}
	}
	waits, err := tx.WaitsByHour(first)
	if err != nil {
		return nil, err
	}
	for _, w := range waits {
		if i := int(w.Hour.Sub(first) / time.Hour); i >= 0 && i < len(out) {
			out[i].Issued, out[i].Mean, out[i].Longest = w.Count, w.Mean, w.Longest
		}
	}
	return out, nil
}

// daysOf counts what was issued by the days of Japan, which begin at a whole hour of UTC.
func (s overseen) daysOf(tx *store.Tx, now time.Time) ([]web.Count, error) {
	const days = 14
	y, m, d := now.In(japan).Date()
	first := time.Date(y, m, d-days+1, 0, 0, 0, 0, japan)
	out := make([]web.Count, days)
	for i := range out {
		out[i].From = first.AddDate(0, 0, i)
	}
	hours, err := tx.IssuedByHour(first)
	for _, h := range hours {
		if i := int(h.Hour.Sub(first) / (24 * time.Hour)); i >= 0 && i < days {
			out[i].Count += h.Count
		}
	}
	return out, err
}

func byCount(counts map[string]int64) []web.Named {
	var out []web.Named
	for name, n := range counts {
		if n > 0 {
			out = append(out, web.Named{Name: name, Count: n})
		}
	}
	slices.SortFunc(out, func(a, b web.Named) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return out
}

// observe adds what was measured of stops and of what is being built.
func (o *observed) observe(f *web.Figures) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range o.stopped {
		f.Visible = append(f.Visible, web.Visibility{At: one.at, Answer: one.answer, List: one.list})
	}
	for _, what := range []string{"list", "pack"} {
		for _, kind := range warifu.Kinds {
			key := what + "/" + kind.String()
			if _, known := o.building[key]; known {
				one := web.Packing{Authority: kind.String(), What: what, Made: o.made[key], Building: o.building[key]}
				if s, ok := o.underWay.Now(key); ok && s.All > 0 {
					one.Percent, one.Left = s.Percent(), max(0, s.Left)
				}
				f.Packing = append(f.Packing, one)
			}
		}
	}
}

// packed puts in the place of a round's end when the newest pack was made.
func (s overseen) packed(f *web.Figures) {
	for i := range f.Packing {
		one := &f.Packing[i]
		for kind, a := range s.authorities {
			if one.What == "pack" && strings.EqualFold(one.Authority, kind.String()) && a.packs != nil && a.packs.Current() != nil {
				one.Made = a.packs.Current().Newest().ProducedAt
			}
		}
	}
}
