package offline

import (
	"time"

	"warifu"
	"warifu/profile"
)

// Settled is how long after its end a day's certificates are taken to be on record. An
// authority writes an intent down moments after it looked at the clock, and one batch is
// bounded by the queue's lease, an hour at the most.
const Settled = 2 * time.Hour

// MaxRecent bounds the certificates of a day that is not over in one pack: 64 KiB. Where
// there are more, none is told of.
const MaxRecent = 1 << 12

// coveredTo is the last second of the newest day in Japan that is over and settled.
func coveredTo(now time.Time) time.Time {
	return startOfDay(now.Add(-Settled)).Add(-time.Second).UTC()
}

func startOfDay(t time.Time) time.Time {
	y, m, d := t.In(profile.Japan).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, profile.Japan)
}

// gathering is what one pass through the census finds.
type gathering struct {
	revoked              []Key
	others               int
	held, unused, recent []Key
	lists                *statusLists
}

// gather fills a pack from the census, for which it goes through it twice: memory is for
// the revoked certificates and what is in the pack's lists, and not for the good ones.
func (p *Publisher) gather(census Census, pack, base *Pack) (*gathering, error) {
	g := &gathering{lists: p.newStatusLists()}
	expected := 2 * p.counted
	p.counted = 0
	err := census(func(e Entry) error {
		p.counted++
		p.passed(p.counted, expected)
		k, of, err := p.place(e, pack, base)
		if err != nil || of == expired {
			return err
		}
		if index, ours := p.indexer.Index(e.Serial); ours {
			g.lists.set(index, e.Status)
		}
		g.add(k, e, of, pack)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(g.recent) > MaxRecent {
		g.recent = nil
	}
	pack.Held, pack.Unused, pack.Recent = ListOf(g.held), ListOf(g.unused), ListOf(g.recent)
	pack.Filter, err = p.filter(census, g, pack, base)
	return g, err
}

// progressEvery is how many certificates are gone through between two reports.
const progressEvery = 1 << 12

// passed tells how many certificates were gone through; an estimate that was passed is none.
func (p *Publisher) passed(done, all int) {
	if p.Progress == nil || done%progressEvery != 0 {
		return
	}
	if all < done {
		all = 0
	}
	p.Progress(done, all)
}

// group is where a certificate belongs in a pack's filter.
type group int

const (
	expired  group = iota // nowhere: no verifier asks for it
	known                 // nowhere: the base tells that it is revoked
	newlyBad              // among the revoked
	other
)

// place tells where a certificate belongs.
func (p *Publisher) place(e Entry, pack, base *Pack) (Key, group, error) {
	if !e.NotAfter.IsZero() && e.NotAfter.Before(pack.ProducedAt) {
		return Key{}, expired, nil
	}
	k := p.keyer.Key(e.Serial)
	bad := e.Status.Cert == warifu.StatusRevoked && e.Status.Reason != warifu.ReasonCertificateHold
	// Where the day is not known a reader may ask the base or not, so the delta tells itself.
	inBase := base != nil && !e.Issued.IsZero() && base.covers(k, startOfDay(e.Issued)) && base.Filter.Revoked(k)
	switch {
	case inBase && !bad:
		return k, other, errBase
	case inBase:
		return k, known, nil
	case bad:
		return k, newlyBad, nil
	}
	return k, other, nil
}

func (g *gathering) add(k Key, e Entry, of group, pack *Pack) {
	if startOfDay(e.Issued).After(pack.CoveredTo) && len(g.recent) <= MaxRecent {
		g.recent = append(g.recent, k)
	}
	switch {
	case of == newlyBad:
		g.revoked = append(g.revoked, k)
		return
	case of == known:
		return
	case e.Status.Cert == warifu.StatusRevoked:
		g.held = append(g.held, k)
	case e.Status.Cert == warifu.StatusUnknown:
		g.unused = append(g.unused, k)
	}
	g.others++
}

// filter goes through the census once more for those that are not revoked.
func (p *Publisher) filter(census Census, g *gathering, pack, base *Pack) (*Filter, error) {
	var broken error
	f, ok := build(g.revoked, g.others, func(yield func(Key) bool) {
		again := 0
		broken = census(func(e Entry) error {
			again++
			p.passed(p.counted+again, 2*p.counted)
			k, of, err := p.place(e, pack, base)
			if err == nil && of == other && !yield(k) {
				err = errStopped
			}
			return err
		})
	})
	if broken != nil {
		return nil, broken
	}
	if !ok {
		return nil, errCensus
	}
	return f, nil
}
