package server

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/events"
)

// The rounds in which the server follows the cards.
const (
	pullRound  = 10 * time.Second     // how late a push that was lost is noticed
	sweepCards = attest.MaxStatements // cards asked about in one sweepRound, in one paper
)

// Events asks the bureau for its events after a number.
func (b *bureauClient) Events(ctx context.Context, after int64) (events.Batch, error) {
	answer, err := b.get(ctx, "/events?after="+strconv.FormatInt(after, 10)+"&limit="+strconv.Itoa(events.MaxBatch), maxEvents)
	if err != nil {
		return events.Batch{}, err
	}
	var batch events.Batch
	if err := json.Unmarshal(answer, &batch); err != nil {
		return events.Batch{}, warifu.Unavailable("bureau-unreachable").With(err)
	}
	return batch, nil
}

// FollowCard takes events that the bureau pushed; when some before them are missing,
// they are pulled at once. It returns the number waited for next.
func (s *Server) FollowCard(ctx context.Context, envelopes [][]byte) (int64, error) {
	next, err := s.registration.FollowCard(ctx, envelopes)
	if warifu.ProblemOf(err).IsCode(warifu.CodeConflict) {
		if _, err = s.registration.CatchUp(ctx, s.bureau.Events); err != nil {
			return next, err
		}
		next, err = s.registration.FollowCard(ctx, nil)
	}
	return next, err
}

// followCards pulls what no push brought, and asks for fresh statements about some
// cards, which finds what no event told.
func (s *Server) followCards(ctx context.Context) {
	if n, err := s.registration.CatchUp(ctx, s.bureau.Events); err != nil {
		s.complain("card events", err)
	} else if n > 0 {
		s.log.Info("followed the cards", "events", n)
	}
}

func (s *Server) sweepCards(ctx context.Context) {
	done, err := s.registration.SweepCards(ctx, sweepCards)
	s.complain("card sweep", err)
	if done.Changed > 0 {
		s.log.Warn("a card sweep found what no event had told", "cards", done.Changed)
	}
	expired, err := s.registration.Expire(ctx)
	s.complain("expiry", err)
	if expired > 0 {
		s.log.Info("expired with their cards", "credentials", expired)
	}
}
