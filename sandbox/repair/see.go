package repair

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"slices"

	"warifu"
	"warifu/phone"
	"warifu/verify"
)

// Tap says which chip lies on the shop's reader.
type Tap struct {
	Chip string `json:"chip"` // "phone-1"
}

// tap reads the chip at the shop's own reader: over the contactless interface it proves what
// it still carries, and takes no secret. A chip that is not the one with the IMEI refuses.
// Conflict "repair-show-status" where something is live: whether it is on hold, only the
// holder can show.
func (s *Shop) tap(ctx context.Context, id, chip string) (Job, error) {
	w, err := s.jobs.Get(id)
	if err != nil {
		return w.Job, err
	}
	held, err := s.config.Reader(chip).Tap(ctx)
	if err != nil {
		return w.Job, err
	}
	defer held.Close()
	q := phone.CleanQuestion{Marketplace: ClientID, Nonce: make([]byte, 32), Identifiers: []string{"imei:" + w.IMEI}, Time: s.now()}
	_, _ = rand.Read(q.Nonce) // never fails (crypto/rand)
	proof, err := phone.ProveClean(ctx, held, q)
	if err != nil {
		return w.Job, err
	}
	issuer, err := phone.NewServer(s.config.Issuer, nil)
	if err != nil {
		return w.Job, err
	}
	answer, err := issuer.Clean(ctx, proof, q)
	if err != nil {
		return w.Job, err
	}
	switch {
	case answer.Answer == "clean":
		return s.see(id, Clean, nil)
	case slices.Contains(answer.Reasons, "clean-application-open"):
		return w.Job, warifu.Conflict("clean-application-open")
	case slices.Contains(answer.Reasons, "clean-credential-live"):
		return w.Job, warifu.Conflict("repair-show-status")
	case answer.Answer == "not-clean":
		return s.see(id, Ended, nil) // a key is left whose certificate is over
	}
	return s.see(id, Silent, nil)
}

// asked is the question to the phone at the address where its page fetches it.
func (s *Shop) asked(id string) (any, error) {
	w, err := s.jobs.Change(id, func(w *written) error {
		w.Asked.Time = s.now()
		return nil
	})
	q := w.Asked
	return struct {
		Question phone.Question `json:"question"`
		Answer   string         `json:"answer"`
	}{phone.Question{Purpose: q.Purpose, ClientID: q.ClientID, Origin: q.Origin, Nonce: q.Nonce, Transaction: q.Transaction, Time: q.Time}, "/api/repairs/" + w.ID + "/presence"}, err
}

// Answer is what the phone hands back.
type Answer struct {
	Certificate []byte `json:"certificate"`
	Signature   []byte `json:"signature"`
	Question    any    `json:"question,omitempty"` // for people; the shop rebuilds its own
}

// shown takes the holder's answer: that they hold the phone, and which certificate the
// responder is to be asked about. A chip signs while its certificate is on hold, so what is
// bad about the answer may be the status alone, and that is what the shop wants to see.
func (s *Shop) shown(ctx context.Context, id string, a Answer) (Job, error) {
	w, err := s.jobs.Get(id)
	if err != nil {
		return w.Job, err
	}
	if w.State != AtCounter {
		return w.Job, warifu.Conflict("repair-over")
	}
	certificate, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return w.Job, warifu.Invalid("repair-malformed", "field", "certificate").With(err)
	}
	r, err := s.config.Verifier.Presence(ctx, w.Asked, certificate, a.Signature, verify.Policy{})
	if err != nil {
		return w.Job, err
	}
	if seen := seenOf(r); seen != "" {
		return s.see(id, seen, certificate.Raw)
	}
	return w.Job, r.Err()
}

// seenOf puts a verification into the shop's words; "" where more than the status is bad.
func seenOf(r *verify.Result) string {
	status := 0
	for _, problem := range []string{"certificate-suspended", "certificate-revoked", "certificate-expired", "status-unknown", "status-unavailable"} {
		if r.Has(problem) {
			status++
		}
	}
	switch {
	case r.Verdict == verify.Good:
		return Live
	case status == 0 || status < len(r.Reasons):
		return ""
	case r.Has("certificate-expired"), r.Status.Cert == warifu.StatusRevoked && r.Status.Reason != warifu.ReasonCertificateHold:
		return Ended
	case r.Status.Cert == warifu.StatusRevoked:
		return Held
	}
	return Silent
}

// see writes down what was seen.
func (s *Shop) see(id, seen string, certificate []byte) (Job, error) {
	w, err := s.jobs.Change(id, func(w *written) error {
		w.Seen, w.SeenAt = seen, s.now()
		if certificate != nil {
			w.Certificate = certificate
		}
		return nil
	})
	return s.told(w), err
}

// look is a job as it stands: while the phone is here the responder is asked again.
func (s *Shop) look(ctx context.Context, id string) (Job, error) {
	w, err := s.jobs.Get(id)
	if err != nil {
		return w.Job, err
	}
	return s.fresh(ctx, w)
}

func (s *Shop) fresh(ctx context.Context, w written) (Job, error) {
	if w.Certificate == nil || w.State != Taken && w.State != AtCounter {
		return s.told(w), nil
	}
	certificate, err := x509.ParseCertificate(w.Certificate)
	if err != nil {
		return w.Job, err
	}
	r, err := s.config.Verifier.Certificate(ctx, certificate, verify.Policy{Kind: warifu.Authentication})
	if err != nil {
		return w.Job, err
	}
	seen := seenOf(r)
	if seen == "" {
		return w.Job, r.Err()
	}
	return s.see(w.ID, seen, nil)
}

// told adds what the customer has to be told. The shop can change none of it.
func (s *Shop) told(w written) Job {
	j := w.Job
	switch {
	case j.State != Returned || j.Seen != Held:
	case j.Endless:
		j.Notes = append(j.Notes, note(warifu.Conflict("repair-held-endless")))
	default:
		j.Notes = append(j.Notes, note(warifu.Conflict("repair-held-still", "until", j.Until)))
	}
	if j.State == Exchanged {
		j.Notes = append(j.Notes, note(warifu.Conflict("repair-apply-anew")))
	}
	if j.State != Taken {
		return j
	}
	switch {
	case j.Seen == Live:
		j.Notes = append(j.Notes, note(warifu.Conflict("repair-live-here", "hotline", s.config.Hotline)))
	case j.Seen == Held && !j.Endless && j.Until < j.Ready:
		j.Notes = append(j.Notes, note(warifu.Conflict("repair-hold-short", "until", j.Until, "ready", j.Ready)))
	case j.Seen == Unseen || j.Seen == Silent:
		j.Notes = append(j.Notes, note(warifu.Conflict("repair-unseen", "hotline", s.config.Hotline)))
	}
	return j
}

// Intake is what is said when the phone goes over the counter.
type Intake struct {
	Until   string `json:"until,omitempty"`   // last day of the hold, as the app's screen says it
	Endless bool   `json:"endless,omitempty"` // … or that it has none
	Unseen  bool   `json:"unseen,omitempty"`  // the phone is broken and shows nothing
}

// intake takes the phone in. Refused "repair-live" while it can be used, "repair-hold-short"
// for a hold that ends before the repair, "repair-unseen" for a phone nobody has looked at
// unless that is said. Conflict "repair-over".
func (s *Shop) intake(ctx context.Context, id string, in Intake) (Job, error) {
	if _, err := s.look(ctx, id); err != nil {
		return Job{}, err
	}
	w, err := s.jobs.Change(id, func(w *written) error {
		if w.State != AtCounter {
			return warifu.Conflict("repair-over")
		}
		switch w.Seen {
		case Live:
			return warifu.Refused("repair-live")
		case Held:
			if err := s.lasts(in, w.Ready); err != nil {
				return err
			}
			w.Until, w.Endless = in.Until, in.Endless
		case Unseen, Silent:
			if !in.Unseen {
				return warifu.Refused("repair-unseen", "hotline", s.config.Hotline)
			}
		}
		w.State = Taken
		return nil
	})
	return s.told(w), err
}

// lasts refuses a hold that ends before the repair does, and one of which neither a day was said nor
// that it has none.
func (s *Shop) lasts(in Intake, ready string) error {
	if in.Endless && in.Until == "" {
		return nil
	}
	if _, err := s.day(in.Until, "until"); err != nil || in.Endless {
		return warifu.Invalid("repair-malformed", "field", "until")
	}
	if in.Until < ready {
		return warifu.Refused("repair-hold-short", "until", in.Until, "ready", ready)
	}
	return nil
}

// Delay is a repair that takes longer.
type Delay struct {
	Ready string `json:"ready"`
	Until string `json:"until,omitempty"` // where the holder has put the hold off, with the card
}

// delay moves the day. Nothing here makes the hold longer: where it ends too early the job
// says what its holder can do, with the card and any other device.
func (s *Shop) delay(ctx context.Context, id string, in Delay) (Job, error) {
	for _, d := range []struct{ day, field string }{{in.Ready, "ready"}, {in.Until, "until"}} {
		if _, err := s.day(d.day, d.field); err != nil && (d.field == "ready" || d.day != "") {
			return Job{}, err
		}
	}
	w, err := s.jobs.Change(id, func(w *written) error {
		if w.State != Taken {
			return warifu.Conflict("repair-over")
		}
		w.Ready = in.Ready
		if in.Until != "" {
			w.Until, w.Endless = in.Until, false
		}
		return nil
	})
	if err != nil {
		return w.Job, err
	}
	return s.fresh(ctx, w)
}

// giveBack hands a phone out for the customer's number: their own, or another one in its
// place. Their own may still be on hold; that ends by itself. Another one leaves the shop
// only when nothing on the old one can be used any more: "repair-exchange-live".
// Errors: "repair-claim-wrong", "repair-claim-locked", "repair-over".
func (s *Shop) giveBack(ctx context.Context, id string, in Claimed) (Job, error) {
	now, err := s.look(ctx, id)
	if err != nil {
		return now, err
	}
	var refused error
	w, err := s.jobs.Change(id, func(w *written) error {
		if w.State != Taken {
			return warifu.Conflict("repair-over")
		}
		if refused = w.claimed(in.Claim); refused != nil {
			return nil // the count is kept
		}
		w.State = Returned
		if in.IMEI != "" && in.IMEI != w.IMEI {
			if w.Seen != Clean && w.Seen != Ended {
				return warifu.Refused("repair-exchange-live")
			}
			w.State, w.Other = Exchanged, in.IMEI
		}
		w.Certificate = nil
		return nil
	})
	if refused != nil {
		err = refused
	}
	return s.told(w), err
}
