package registration

import (
	"context"
	"strconv"

	"warifu"
	"warifu/events"
	"warifu/store"
)

// cursorEvents is where the number of the last event that was followed is kept.
const cursorEvents = "card-events"

// verbFollow stands in the audit line that a cascade follows from: the root of its tree.
// Its subject is the event's number, its detail names the signed event in the sealed table.
const verbFollow warifu.Verb = "follow"

// actorBureau acts through the card bureau's signed words.
const actorBureau = "card-bureau"

// followAtOnce is how many events one transaction follows: most concern nobody here.
const followAtOnce = 32

// FollowCard makes phones' credentials follow their cards (K14). It takes the card
// bureau's signed events, in any order and as often as they come, and returns the number
// of the event it waits for next: what is due is done in order, each exactly once and
// with its cascade in one transaction, what was done is dropped. An envelope that the
// bureau did not sign makes it do nothing of the batch. Errors: those of events.Open;
// Conflict "card-events-missing" naming the numbers to be pulled before the rest can be
// followed; Refused "card-event-number-reused"; TooLarge "card-events-too-many".
func (a *Authority) FollowCard(ctx context.Context, envelopes [][]byte) (next int64, err error) {
	last, err := a.Followed(ctx)
	if err != nil {
		return 0, err
	}
	if len(envelopes) > events.MaxBatch {
		return last + 1, warifu.TooLarge("card-events-too-many", "limit", strconv.Itoa(events.MaxBatch))
	}
	batch := make([]events.Event, len(envelopes))
	papers := map[int64][]byte{}
	for i, envelope := range envelopes {
		if batch[i], err = events.Open(envelope, a.StatementKey); err != nil {
			return last + 1, err
		}
		papers[batch[i].Sequence] = envelope
	}
	for {
		sorted, err := events.Inbox{Last: last}.Sort(batch)
		if err != nil {
			return last + 1, err
		}
		if len(sorted.Ready) == 0 {
			return last + 1, missing(sorted.Gap)
		}
		if last, err = a.followSome(ctx, last, sorted.Ready[:min(len(sorted.Ready), followAtOnce)], papers); err != nil {
			return last + 1, err
		}
	}
}

func missing(g *events.Gap) error {
	if g == nil {
		return nil
	}
	return warifu.Conflict("card-events-missing", "from", strconv.FormatInt(g.From, 10), "to", strconv.FormatInt(g.To, 10))
}

// Followed returns the number of the last event that was followed, 0 for none: what to
// pull after.
func (a *Authority) Followed(ctx context.Context) (last int64, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		last, err = followed(tx)
		return err
	})
	return last, err
}

func followed(tx *store.Tx) (int64, error) {
	position, err := tx.Cursor(cursorEvents)
	if err != nil || position == "" {
		return 0, err
	}
	return strconv.ParseInt(position, 10, 64)
}

// followSome follows events that come right after last, and returns how far the house
// has come then. Where another server was faster nothing is done.
func (a *Authority) followSome(ctx context.Context, last int64, due []events.Event, papers map[int64][]byte) (reached int64, err error) {
	reached = last
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		standing, err := followed(tx)
		if err != nil {
			return err
		}
		if reached = standing; standing != last {
			return nil
		}
		for _, e := range due {
			if _, err := a.comply(tx, eventWord(e, papers[e.Sequence])); err != nil {
				return err
			}
		}
		reached = due[len(due)-1].Sequence
		return tx.SetCursor(cursorEvents, strconv.FormatInt(reached, 10), a.Clock.Now())
	})
	if err != nil {
		return last, err
	}
	return reached, nil
}

// Pull asks the card bureau for its events after a number.
type Pull func(ctx context.Context, after int64) (events.Batch, error)

// CatchUp pulls and follows until nothing is left, and returns how many events that were:
// after a start, after a gap, and from a timer, since a push may be lost. Errors: those of
// pull and FollowCard; Unavailable "card-events-behind" when the bureau answers that it
// never got as far as was followed here, or does not hand out what it says is there.
func (a *Authority) CatchUp(ctx context.Context, pull Pull) (int64, error) {
	first, err := a.Followed(ctx)
	if err != nil {
		return 0, err
	}
	for last := first; ; {
		batch, err := pull(ctx, last)
		if err != nil {
			return last - first, err
		}
		next, err := a.FollowCard(ctx, batch.Events)
		if err != nil {
			return max(0, next-1-first), err
		}
		reached := next - 1
		if batch.Newest < last || batch.Newest > reached && reached == last {
			return reached - first, warifu.Unavailable("card-events-behind", "newest", strconv.FormatInt(batch.Newest, 10), "followed", strconv.FormatInt(reached, 10))
		}
		if last = reached; last >= batch.Newest {
			return last - first, nil
		}
	}
}
