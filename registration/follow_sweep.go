package registration

import (
	"context"
	"crypto/x509"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// cursorSweep is where a sweep keeps the application it has come to.
const cursorSweep = "card-sweep"

// verbSweep stands in the audit line that the cascade of a card statement follows from.
const verbSweep warifu.Verb = "sweep"

// sweeping is how many cards a sweep asks about at a time.
const sweeping = 16

// Swept is what one call of SweepCards did.
type Swept struct {
	Asked   int  // cards asked about
	Changed int  // cards on which something had been missed
	Failed  int  // cards the bureau did not answer for: they have their turn in the next round
	Round   bool // the end was reached; the next call begins a new round
}

// swept is one application on its way through a sweep.
type swept struct {
	row    store.Application
	signer *x509.Certificate // the card's signing certificate
	held   bool              // a hold stands on it or on a credential of it
	kinds  []warifu.Kind     // of the card's certificates on which something still stands
	word   word
	quiet  bool // the statement asks for nothing
	err    error
}

// SweepCards asks the card bureau for a fresh statement about the card behind each of the
// next open applications and live credentials, at most limit of them, and does what an
// event would have done had it not been lost (K14). Where it stopped is kept, so that
// calls from a timer go round and round; whoever calls bounds the rate by limit and
// interval. When the bureau answers for nobody the call fails, and the next one begins at
// the same place.
func (a *Authority) SweepCards(ctx context.Context, limit int) (Swept, error) {
	cards, err := a.nextCards(ctx, limit)
	if err != nil {
		return Swept{}, err
	}
	a.askAll(ctx, cards)
	out := Swept{Asked: len(cards), Round: len(cards) < limit}
	for _, s := range cards {
		changed, err := a.sweepOne(ctx, s)
		switch {
		case err != nil:
			out.Failed++
			a.Log.Warn("card not swept", "application", s.row.ID, "problem", warifu.ProblemOf(err).Problem, "error", err.Error())
		case changed:
			out.Changed++
			a.Log.Info("card swept: a message had been missed", "application", s.row.ID)
		}
	}
	if out.Failed > 0 && out.Failed == out.Asked {
		return out, warifu.Unavailable("card-sweep-unanswered")
	}
	position := ""
	if !out.Round {
		position = cards[len(cards)-1].row.ID
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error { return tx.SetCursor(cursorSweep, position, a.Clock.Now()) })
	return out, err
}

// nextCards reads the next portion behind the cursor.
func (a *Authority) nextCards(ctx context.Context, limit int) (cards []*swept, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		cards = nil
		position, err := tx.Cursor(cursorSweep)
		if err != nil {
			return err
		}
		rows, err := tx.ApplicationsToSweep(position, limit)
		if err != nil {
			return err
		}
		for _, row := range rows {
			s := &swept{row: row}
			s.err = s.load(tx)
			cards = append(cards, s)
		}
		return nil
	})
	return cards, err
}

func (s *swept) load(tx *store.Tx) error {
	document, err := tx.UnsealBlob(s.row.Signed)
	if err != nil {
		return err
	}
	if s.signer, err = signerOf(document); err != nil {
		return err
	}
	credentials, err := tx.CredentialsOfApplication(s.row.ID)
	if err != nil {
		return err
	}
	for _, c := range credentials {
		s.held = s.held || c.State == warifu.CredentialHeld
		if !warifu.CredentialLife.Final(c.State) {
			s.kinds = append(s.kinds, c.Kind)
		}
	}
	if warifu.ApplicationLife.Final(s.row.State) {
		return nil
	}
	s.kinds = append(s.kinds, warifu.Signature) // which signed it
	s.kinds = append(s.kinds, s.row.Kinds...)
	s.held, err = isHeld(tx, s.row.ID)
	return err
}

// askAll asks the bureau about the cards, some at a time.
func (a *Authority) askAll(ctx context.Context, cards []*swept) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(sweeping, len(cards)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(cards)); i = next.Add(1) - 1 {
				if s := cards[i]; s.err == nil {
					s.err = a.ask(ctx, s)
				}
			}
		})
	}
	all.Wait()
}

// ask fetches a statement for a nonce of its own and reads what it asks for.
func (a *Authority) ask(ctx context.Context, s *swept) error {
	var nonce warifu.Digest
	if _, err := io.ReadFull(a.Random, nonce[:]); err != nil {
		return err
	}
	envelope, err := a.Bureau.Statement(ctx, s.signer.Raw, nonce)
	if err != nil {
		return err
	}
	statement, err := attest.OpenCardStatement(envelope, a.StatementKey)
	if err != nil {
		return warifu.Unavailable("bureau-answer-unreadable").With(err)
	}
	signing, ok := statement.Of(warifu.Signature)
	if statement.Nonce != nonce || statement.Person != s.row.Person || !ok || signing.Certificate != s.row.Parent.SignatureCertificate {
		return warifu.Refused("card-statement-other-card")
	}
	s.word = a.statementWord(s.row, statement, envelope)
	s.quiet = !s.held && !slices.ContainsFunc(s.kinds, func(k warifu.Kind) bool { return s.word.of(s.row, k).action > lift })
	return nil
}

// sweepOne does what the statement asks for. Most ask for nothing, and cost no write.
func (a *Authority) sweepOne(ctx context.Context, s *swept) (changed bool, err error) {
	if s.err != nil || s.quiet {
		return false, s.err
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		changed, err = a.comply(tx, s.word)
		return err
	})
	return changed, err
}

// statementWord is a statement about the card behind an application as a word: each of
// the card's certificates that the application stands on is good, held, ended or replaced.
// It is as good a word about what else of the person's stands on the same certificate.
func (a *Authority) statementWord(row store.Application, statement attest.CardStatement, envelope []byte) word {
	now := a.Clock.Now()
	return word{
		person: row.Person, at: statement.ProducedAt, paper: envelope,
		line: store.Line{Actor: actorBureau, Verb: verbSweep, Subject: row.ID, Detail: map[string]string{}},
		// In one second the bureau may have spoken of a change and before it; the next round will tell.
		fresh: func(newest time.Time) bool { return statement.ProducedAt.After(newest) },
		of: func(other store.Application, kind warifu.Kind) fate {
			if other.Parent.SignatureCertificate != row.Parent.SignatureCertificate {
				return fate{} // made with another certificate: it has a statement of its own
			}
			c, there := statement.Of(kind)
			if !there || c.Certificate != parentCertificate(other.Parent, kind) {
				return fate{action: end, reason: warifu.ReasonCessationOfOperation, problem: problemRenewed}
			}
			return stated(c, now)
		},
	}
}

// stated is what becomes of what derives from a certificate in that state.
func stated(c attest.CardCertificate, now time.Time) fate {
	switch {
	case c.Held:
		return fate{action: suspend}
	case c.State == warifu.StatusRevoked:
		return fate{action: end, reason: warifu.ReasonPrivilegeWithdrawn, problem: problemEnded}
	case c.NotAfter.Before(now):
		return fate{action: end, reason: warifu.ReasonCessationOfOperation, problem: problemEnded, past: true}
	case c.State == warifu.StatusGood:
		return fate{action: lift}
	}
	return fate{} // the bureau does not know: nothing follows from that
}

func parentCertificate(p store.Parent, kind warifu.Kind) warifu.Digest {
	if kind == warifu.Signature {
		return p.SignatureCertificate
	}
	return p.AuthenticationCertificate
}
