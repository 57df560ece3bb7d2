package registration

import (
	"context"
	"errors"
	"time"

	"warifu"
	"warifu/store"
)

// CardReporter tells a card's bureau that a card was reported lost or stolen together with
// the phone, so that one call is enough for the holder. The person is named by the handle
// of the bureau's own statements. Telling of the same receipt twice must do no harm. An
// error whose code is Unavailable ends a round of retrying; any other is of this report.
type CardReporter interface {
	ReportCard(ctx context.Context, person warifu.Digest, receipt string) error
}

// CardTold says whether the card's bureau knows of a card that is gone.
type CardTold string

// What became of the bureau's being told.
const (
	CardNotMeant CardTold = ""         // the card was not reported
	CardTellNow  CardTold = "told"     // the bureau has been told
	CardRecorded CardTold = "recorded" // it will be: the report is kept and tried again
)

// verbReportCard stands in the audit line of a report that was handed on; its subject is
// the receipt number.
const verbReportCard warifu.Verb = "report-card"

// cardGone reports whether the caller said that the card is not with them.
func cardGone(r CallRecord) bool { return r.Card == "lost" || r.Card == "stolen" }

// toldOf says what a report's row means.
func toldOf(r store.CardReport, found bool) (CardTold, time.Time) {
	switch {
	case !found:
		return CardNotMeant, time.Time{}
	case r.ToldAt.IsZero():
		return CardRecorded, time.Time{}
	}
	return CardTellNow, r.ToldAt
}

// cardReported tells the bureau of a call's card if it does not know yet, and says whether
// it knows now. That it cannot be told is no error: the report stays.
func (a *Authority) cardReported(ctx context.Context, receipt string) (CardTold, time.Time, error) {
	var r store.CardReport
	var found bool
	read := func(tx *store.Tx) (err error) {
		r, found, err = tx.CardReport(receipt)
		return err
	}
	if err := a.Store.Read(ctx, read); err != nil {
		return CardNotMeant, time.Time{}, err
	}
	if found && r.ToldAt.IsZero() && a.reportCard(ctx, r) == nil {
		if err := a.Store.Read(ctx, read); err != nil {
			return CardNotMeant, time.Time{}, err
		}
	}
	told, at := toldOf(r, found)
	return told, at, nil
}

// reportCard tells the bureau of one card and notes that it did.
func (a *Authority) reportCard(ctx context.Context, r store.CardReport) error {
	if a.CardReports == nil {
		return warifu.Unavailable("card-reports-nowhere")
	}
	err := a.CardReports.ReportCard(ctx, r.Person, r.Receipt)
	if err == nil {
		err = a.Store.Write(ctx, func(tx *store.Tx) error {
			now := a.Clock.Now()
			first, err := tx.CardReportTold(r.Receipt, now)
			if err != nil || !first { // another server told it meanwhile
				return err
			}
			return tx.Audit(store.Line{At: now, Actor: actorHouse, Verb: verbReportCard, Subject: r.Receipt})
		})
	}
	if err != nil {
		a.Log.WarnContext(ctx, "hotline: the card's bureau was not told", "receipt", r.Receipt, "problem", warifu.ProblemOf(err).Problem)
		if noted := a.Store.Write(ctx, func(tx *store.Tx) error { return tx.CardReportTried(r.Receipt, a.Clock.Now()) }); noted != nil {
			return errors.Join(err, noted)
		}
	}
	return err
}

// RetryCardReports tells the bureau of the cards it could not be told of at once, and returns
// how many; it is called from a timer. Those that were not tried for the longest have their
// turn first, so that a report which the bureau refuses for good, or answers with its being
// away, keeps no other waiting. A bureau that is away is asked once a round.
func (a *Authority) RetryCardReports(ctx context.Context) (int, error) {
	var open []store.CardReport
	err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		open, err = tx.OpenCardReports(portion)
		return err
	})
	told := 0
	for _, r := range open {
		switch err := a.reportCard(ctx, r); {
		case err == nil:
			told++
		case warifu.ProblemOf(err).IsCode(warifu.CodeUnavailable):
			return told, nil
		}
	}
	return told, err
}

// OpenCardReports counts the cards of which the bureau has not been told, and since when
// the oldest waits; 0 and the zero instant when there is none.
func (a *Authority) OpenCardReports(ctx context.Context) (n int, oldest time.Time, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		n, oldest, err = tx.CountCardReports()
		return err
	})
	return n, oldest, err
}
