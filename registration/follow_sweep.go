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

// sweeping is how many cards a sweep asks about by themselves at a time.
const sweeping = 16

// Swept is what one call of SweepCards did.
type Swept struct {
	Asked   int  // cards asked about
	Changed int  // cards on which something had been missed
	Failed  int  // cards the bureau did not answer for: they have their turn in the next round
	Round   bool // the end was reached; the next call begins a new round
}

// swept is one application whose card is not as it was, on its way through a sweep.
type swept struct {
	row    store.Application
	signer *x509.Certificate // the card's signing certificate
	word   word
	err    error
}

// SweepCards asks the card bureau for a fresh word about the card behind each of the next
// open applications and live credentials, at most limit of them and at most
// attest.MaxStatements, and does what an event would have done had it not been lost (K14).
// One signed paper speaks of them all; a card that is not as it was is asked about once
// more by itself, since that statement is the evidence of what then follows. Where it
// stopped is kept, so that calls from a timer go round and round; whoever calls bounds the
// rate by limit and interval. When the bureau does not answer the call fails, and the next
// one begins at the same place.
func (a *Authority) SweepCards(ctx context.Context, limit int) (Swept, error) {
	limit = min(limit, attest.MaxStatements)
	cards, err := a.nextCards(ctx, limit)
	if err != nil {
		return Swept{}, err
	}
	changed, err := a.notAsTheyWere(ctx, cards)
	if err != nil {
		return Swept{}, err
	}
	a.askAll(ctx, changed)
	out := Swept{Asked: len(cards), Round: len(cards) < limit}
	unanswered := 0
	for _, s := range changed {
		did, err := a.sweepOne(ctx, s)
		switch {
		case err != nil:
			out.Failed++
			if retryable(err) {
				unanswered++
			}
			a.Log.Warn("card not swept", "application", s.row.ID, "problem", warifu.ProblemOf(err).Problem, "error", err.Error())
		case did:
			out.Changed++
			a.Log.Info("card swept: a message had been missed", "application", s.row.ID)
		}
	}
	if unanswered > 0 && unanswered == len(changed) {
		return out, warifu.Unavailable("card-sweep-unanswered")
	}
	position := ""
	if !out.Round {
		position = cards[len(cards)-1].Application
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error { return tx.SetCursor(cursorSweep, position, a.Clock.Now()) })
	return out, err
}

// nextCards reads the next portion behind the cursor.
func (a *Authority) nextCards(ctx context.Context, limit int) (cards []store.CardToSweep, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		position, err := tx.Cursor(cursorSweep)
		if err != nil {
			return err
		}
		cards, err = tx.CardsToSweep(position, limit)
		return err
	})
	return cards, err
}

// notAsTheyWere asks about all the cards at once and returns those that have to be looked at.
func (a *Authority) notAsTheyWere(ctx context.Context, cards []store.CardToSweep) ([]*swept, error) {
	if len(cards) == 0 {
		return nil, nil
	}
	said, err := a.statedCards(ctx, cards)
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		said, err = make([]attest.StatedCard, len(cards)), nil // the bureau has no such paper: each is asked about by itself
	}
	if err != nil {
		return nil, warifu.Unavailable("card-sweep-unanswered").With(err)
	}
	now := a.Clock.Now()
	var out []*swept
	for i, c := range cards {
		if !asItWas(c, said[i], now) {
			out = append(out, a.loadSwept(ctx, c.Application))
		}
	}
	return out, nil
}

// statedCards fetches and checks one paper about all the cards.
func (a *Authority) statedCards(ctx context.Context, cards []store.CardToSweep) ([]attest.StatedCard, error) {
	var nonce warifu.Digest
	if _, err := io.ReadFull(a.Random, nonce[:]); err != nil {
		return nil, err
	}
	serials := make([][]byte, len(cards))
	for i, c := range cards {
		serials[i] = c.SignatureSerial
	}
	envelope, err := a.Bureau.Statements(ctx, serials, nonce)
	if err != nil {
		return nil, err
	}
	paper, err := attest.OpenCardStatements(envelope, a.StatementKey)
	if err != nil {
		return nil, warifu.Unavailable("bureau-answer-unreadable").With(err)
	}
	if paper.Nonce != nonce || len(paper.Cards) != len(cards) {
		return nil, warifu.Refused("card-statement-other-card")
	}
	return paper.Cards, nil
}

// asItWas reports whether nothing follows from what the bureau says of a card: it is the
// card that was, every certificate of it that something here derives from is good, and
// nothing waits for the end of its suspension. A certificate that is suspended is looked
// at in each round: what the card's hold was put on may have changed since.
func asItWas(c store.CardToSweep, said attest.StatedCard, now time.Time) bool {
	if signing, known := said.Of(warifu.Signature); !known || signing.Certificate != c.SignatureCertificate || said.Person != c.Person {
		return false // an unknown card or another: asked by itself, the bureau will say
	}
	asks := func(kind warifu.Kind, parent warifu.Digest) bool {
		f := fateOf(said, kind, parent, now)
		return f.action > lift || f.action == lift && c.CardHeld
	}
	if (c.Open || slices.Contains(c.Kinds, warifu.Signature)) && asks(warifu.Signature, c.SignatureCertificate) {
		return false // it signed the application
	}
	return !slices.Contains(c.Kinds, warifu.Authentication) || !asks(warifu.Authentication, c.AuthenticationCertificate)
}

// loadSwept reads what a question about one card needs.
func (a *Authority) loadSwept(ctx context.Context, application string) *swept {
	s := &swept{}
	s.err = a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if s.row, err = tx.Application(application); err != nil {
			return err
		}
		document, err := tx.UnsealBlob(s.row.Signed)
		if err != nil {
			return err
		}
		s.signer, err = signerOf(document)
		return err
	})
	return s
}

// askAll asks the bureau about cards one by one, some at a time.
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
	return nil
}

// sweepOne does what the statement asks for.
func (a *Authority) sweepOne(ctx context.Context, s *swept) (changed bool, err error) {
	if s.err != nil {
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
			return fateOf(statement, kind, parentCertificate(other.Parent, kind), now)
		},
	}
}

// fateOf is what becomes of what derives from a card's certificate of the kind, by the
// bureau's word about that card.
func fateOf(card interface {
	Of(kind warifu.Kind) (attest.CardCertificate, bool)
}, kind warifu.Kind, parent warifu.Digest, now time.Time) fate {
	c, there := card.Of(kind)
	if !there || c.Certificate != parent {
		return fate{action: end, reason: warifu.ReasonCessationOfOperation, problem: problemRenewed}
	}
	return stated(c, now)
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
