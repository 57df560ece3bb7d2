package tour

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/bank"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/verify"
)

// named wants the bank to believe the last signature and to read that name in it.
func (w *walker) named(ctx context.Context, name string) error {
	var j bank.Judgement
	if err := w.bank.Post(ctx, "/api/documents", bank.Document{Signature: w.signature, Document: w.document}, &j); err != nil {
		return err
	}
	if j.Verdict != verify.Good.String() || j.Name != name {
		return fmt.Errorf("the bank says %s of %q (%v), want good of %q", j.Verdict, j.Name, j.Reasons, name)
	}
	return nil
}

// marry: the signing certificate carries the name and ends with it, the other stays (K14).
func (w *walker) marry(ctx context.Context) (said, error) {
	before, maiden := w.certificates[warifu.Signature], w.Holder.Name
	if err := w.happen(ctx, desk.EventMarry); err != nil {
		return nil, err
	}
	if w.Holder.Name == maiden {
		return nil, errors.New("the name did not change")
	}
	if err := w.stand(ctx, w.App, "married", warifu.CredentialRevoked, warifu.CredentialActive); err != nil {
		return nil, err
	}
	if err := w.told(ctx, before, warifu.Signature, warifu.StatusRevoked, warifu.ReasonAffiliationChanged); err != nil {
		return nil, err
	}
	if err := w.judged(ctx, "signed before the marriage", verify.Bad); err != nil {
		return nil, err
	}
	if err := w.login(ctx, phone.Unlock{Typed: secrets.Authentication}); err != nil {
		return nil, err
	}
	if err := wiped(ctx, w.App, 1); err != nil {
		return nil, err
	}
	if err := w.happen(ctx, desk.EventRenew); err != nil {
		return nil, err
	}
	if err := w.register(ctx); err != nil {
		return nil, err
	}
	if err := w.signAgain(ctx); err != nil {
		return nil, err
	}
	return said{}, w.named(ctx, w.Holder.Name)
}

// minorPassword is the first signing password of a card, chosen at the counter at fifteen.
const minorPassword = "FIFTEEN15"

// turnFifteen is B.2 and K14 on the first phone, which has a new owner by now: no signing
// certificate under fifteen, and both from that day on.
func (w *walker) turnFifteen(ctx context.Context) (said, error) {
	adult := *w
	defer func() {
		w.App, w.Card, w.Holder, w.certificates = adult.App, adult.Card, adult.Holder, adult.certificates
	}()
	w.App, w.Card, w.Holder, w.certificates = w.first, w.MinorCard, w.Minor, map[warifu.Kind]*x509.Certificate{}
	w.Holder.PINs.Signature = minorPassword
	if err := expect("an application at fourteen", "card-signature-absent", w.register(ctx)); err != nil {
		return nil, err
	}
	if err := w.App.Abandon(ctx); err != nil {
		return nil, err
	}
	if err := w.clockBy(ctx, w.Holder.ID+"'s 15th birthday"); err != nil {
		return nil, err
	}
	err := doorway.NewClient(w.Places.Desk).Post(ctx, "/api/cards/"+w.Holder.ID+"/events", desk.Happening{Event: desk.EventRenew, Signature: minorPassword}, nil)
	if err != nil {
		return nil, err
	}
	if err := w.refresh(ctx); err != nil {
		return nil, err
	}
	if err := w.register(ctx); err != nil {
		return nil, err
	}
	if err := w.signAgain(ctx); err != nil {
		return nil, err
	}
	return said{"card": w.Holder.ID}, w.named(ctx, w.Holder.Name)
}

// expire is R56: three notices, the last second, and what is said from then on.
func (w *walker) expire(ctx context.Context) (said, error) {
	if err := w.register(ctx); err != nil {
		return nil, err
	}
	if err := w.signAgain(ctx); err != nil {
		return nil, err
	}
	if err := w.login(ctx, phone.Unlock{Typed: secrets.Authentication}); err != nil {
		return nil, err
	}
	w.stopListening()
	w.forgetNotices()
	if err := w.listen(ctx); err != nil {
		return nil, err
	}
	expiry := w.Holder.ID + "'s expiry"
	for _, before := range []string{"3 months", "one month", "one week"} {
		if err := w.clockBy(ctx, before+" before "+expiry); err != nil {
			return nil, err
		}
		if _, err := w.notice(ctx); err != nil {
			return nil, fmt.Errorf("%s before the end: %w", before, err)
		}
		w.forgetNotices()
	}
	if err := w.login(ctx, phone.Unlock{Typed: secrets.Authentication}); err != nil {
		return nil, fmt.Errorf("a week before the end: %w", err)
	}
	return said{}, w.expired(ctx, expiry)
}

// expired goes past the end of both kinds, which need not be one day, and wants everybody
// to say so.
func (w *walker) expired(ctx context.Context, expiry string) error {
	for range warifu.Kinds {
		err := w.clockBy(ctx, "the day after "+expiry)
		if err != nil && warifu.ProblemOf(err).Problem != "clock-event-none" { // both ended on one day
			return err
		}
	}
	if err := w.stand(ctx, w.App, "expired", warifu.CredentialExpired, warifu.CredentialExpired); err != nil {
		return err
	}
	if err := w.judged(ctx, "by an expired certificate", verify.Bad); err != nil {
		return err
	}
	return expect("a login after the end", "certificate-expired", w.login(ctx, phone.Unlock{Typed: secrets.Authentication}))
}

// forgetNotices takes what has arrived so far.
func (w *walker) forgetNotices() {
	for {
		select {
		case <-w.notices:
		default:
			return
		}
	}
}

// renewed is R57: an expired card opens nothing; the renewed one does, on the same phone,
// and what it opens ends with it (R56).
func (w *walker) renewed(ctx context.Context) (said, error) {
	if err := refused("an application with an expired card", w.register(ctx)); err != nil {
		return nil, err
	}
	if err := w.App.Abandon(ctx); err != nil {
		return nil, err
	}
	if err := w.happen(ctx, desk.EventRenew); err != nil {
		return nil, err
	}
	if err := w.register(ctx); err != nil {
		return nil, err
	}
	if err := w.signAgain(ctx); err != nil {
		return nil, err
	}
	if err := w.named(ctx, w.Holder.Name); err != nil {
		return nil, err
	}
	if err := w.login(ctx, phone.Unlock{Typed: secrets.Authentication}); err != nil {
		return nil, err
	}
	end := w.certificates[warifu.Signature].NotAfter
	for _, c := range w.Holder.Certificates {
		if c.Kind == warifu.Signature && end.After(c.NotAfter) {
			return nil, fmt.Errorf("the phone's certificate ends at %s, after the card's at %s", end, c.NotAfter)
		}
	}
	return said{"until": end.In(w.App.Scheme.Hours.Zone).Format(time.DateOnly)}, nil
}
