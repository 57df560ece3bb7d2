package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"warifu"
	"warifu/store"
)

// The rounds of housekeeping.
const (
	listRound  = time.Second // how soon a revocation is on the list
	sweepRound = time.Minute
)

// keepHouse makes new lists when a status changed, ends what was not fetched, lists
// what was signed and never recorded, forgets used challenges, and raises the alarm
// when what waits will not be done by closing time (K1). It ends with ctx.
func (s *Server) keepHouse(ctx context.Context) error {
	var rounds sync.WaitGroup
	rounds.Go(func() { s.keepLists(ctx) })
	rounds.Go(func() { s.keepStatuses(ctx) })
	rounds.Go(func() { s.keepSweeping(ctx) })
	rounds.Go(func() { s.keepPacking(ctx) })
	rounds.Go(func() { s.keepTelling(ctx) })
	rounds.Go(func() { s.keepHooks(ctx) })
	rounds.Wait()
	return nil
}

// keepLists goes by itself: a card bureau that hangs must not keep a revocation from
// the list.
func (s *Server) keepLists(ctx context.Context) {
	var head int64 = -1
	every(ctx, listRound, func() { head = s.refreshLists(ctx, head) })
}

func (s *Server) keepSweeping(ctx context.Context) {
	var swept, pulled time.Time
	every(ctx, listRound, func() {
		now := s.clock.Now()
		if now.Sub(pulled) >= pullRound {
			pulled = now
			s.followCards(ctx)
		}
		if now.Sub(swept) >= sweepRound {
			swept = now
			s.sweep(ctx)
		}
	})
}

// every does the round again and again until ctx ends.
func every(ctx context.Context, interval time.Duration, round func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			round()
		}
	}
}

// refreshLists makes new lists when the status feed has grown beyond head.
func (s *Server) refreshLists(ctx context.Context, head int64) int64 {
	var newest int64
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		newest, err = tx.FeedHead()
		return err
	})
	if err != nil || newest == head {
		s.complain("status feed", err)
		return head
	}
	for _, a := range s.authorities {
		what := "list/" + a.kind.String()
		s.metrics.observed.begun(what)
		err := a.publisher.Refresh(ctx)
		s.metrics.observed.finished(what, s.clock.Now())
		if err != nil {
			s.complain("revocation list", err)
			return head // tried again next round
		}
	}
	s.metrics.observed.listed(s.clock.Now(), newest)
	return newest
}

// Sweep does one round of what is due, for whoever moved the clock.
func (s *Server) Sweep(ctx context.Context) {
	s.followCards(ctx)
	s.sweep(ctx)
	s.pack(ctx)
	s.tellBureau(ctx)
	s.tellContacts(ctx)
	s.tellParties(ctx)
}

func (s *Server) sweep(ctx context.Context) {
	s.followOperators()
	s.followParties(ctx)
	s.sweepCards(ctx)
	ended, err := s.registration.EndRepairHolds(ctx)
	s.complain("repair holds", err)
	s.remind(ctx)
	lapsed, err := s.registration.Lapse(ctx)
	s.complain("lapse", err)
	listed, err := s.registration.Reconcile(ctx)
	s.complain("reconcile", err)
	if lapsed+listed+ended > 0 {
		s.log.Info("swept", "lapsed", lapsed, "listed", listed, "repair holds ended", ended)
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.PurgeChallenges(s.clock.Now())
		return err
	})
	s.complain("challenges", err)
	if s.console != nil {
		s.complain("console", s.console.Forget(ctx))
	}
	s.sweepVerifications(ctx)
	s.rotateSigningKeys()
	s.sweepLogins(ctx)
	s.purgeDocuments(ctx)
	s.watchForecast(ctx)
	s.metrics.observed.take(s.clock.Now(), totals(s.metrics.counters, "warifu_status_answers_total", "answer"))
}

// remind writes the notices that fall due: before an expiry, and while a phone is lost.
func (s *Server) remind(ctx context.Context) {
	expiring, err := s.registration.RemindExpiry(ctx)
	s.complain("reminders of expiry", err)
	lost, err := s.registration.RemindLost(ctx)
	s.complain("reminders of loss", err)
	listings, err := s.registration.TellListings(ctx)
	s.complain("questions of marketplaces", err)
	if expiring+lost+listings > 0 {
		s.log.Info("reminded", "expiring", expiring, "lost", lost, "listings", listings)
	}
}

// watchForecast raises the alarm of K1: what was complete in time and still waits
// will be finished after closing.
func (s *Server) watchForecast(ctx context.Context) {
	now := s.clock.Now()
	var waiting int64
	err := s.store.Read(ctx, func(tx *store.Tx) (err error) {
		waiting, err = tx.JobsDueBy("issue", now)
		return err
	})
	if err != nil {
		s.complain("forecast", err)
		return
	}
	finish, late := s.scheme.Hours.Forecast(int(waiting), s.metrics.rate.perSecond(), now)
	s.metrics.late(late)
	if late {
		s.log.Warn("forecast passes closing time", "waiting", waiting, "finish", finish.Format(time.RFC3339))
	}
}

// complain logs what is wrong and will not pass by itself: a database that is away
// does, and a round that a stop cuts short is gone through at the next start.
func (s *Server) complain(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !warifu.ProblemOf(err).IsCode(warifu.CodeUnavailable) {
		s.log.Error("housekeeping", "what", what, "error", err.Error())
	}
}
