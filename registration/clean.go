package registration

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// Clean is the answer to whether a phone may change hands (手放し証明, R81–R84).
type Clean string

// The answers. Unknown is never clean.
const (
	CleanYes     Clean = "clean"
	CleanNo      Clean = "not-clean"
	CleanUnknown Clean = "unknown"
)

// The reasons why a phone is not clean, or why nobody can say: slugs of problems.
const (
	CleanKeyLeft         = "clean-key-left"         // the chip still carries a key; its kill ticket is there to be had
	CleanCredentialLive  = "clean-credential-live"  // a credential of this chip is active or on hold
	CleanApplicationOpen = "clean-application-open" // one is on its way to this chip
	CleanProofOld        = "clean-proof-old"        // the chip was personalized after the proof
	CleanUnnamed         = "clean-proof-unnamed"    // no identifier ties the chip to the phone in hand
)

// cleanAhead is how far a question's time may lie ahead of this server's clock.
const cleanAhead = attest.CleanAhead

// CleanQuestion is what a marketplace asked the phone: its own name, its nonce, which it
// never uses twice, and the identifiers it read off the phone in hand.
type CleanQuestion struct {
	Marketplace string
	Nonce       []byte
	Identifiers []string
}

// CleanAnswer is the chip's word with what the authority adds to it.
type CleanAnswer struct {
	Answer    Clean
	Reasons   []string // slugs; empty when clean
	Element   warifu.ElementID
	Counter   int       // personalizations when the chip spoke
	ProvedAt  time.Time // when the marketplace asked the chip
	CheckedAt time.Time // when this was answered: what holds from then on only asking again tells
}

// Clean checks a proof against the question of whoever asks and adds what the chip cannot
// know: that no credential of it is live, and that it was not personalized since. A proof
// made for another marketplace, nonce or identifiers is Refused "clean-proof-other", one
// whose time lies ahead "clean-proof-time"; a forged one fails as paper or chain. Asking
// again with the same proof tells whether the phone is *still* clean.
func (a *Authority) Clean(ctx context.Context, proof []byte, chain [][]byte, question CleanQuestion) (CleanAnswer, error) {
	now := a.Clock.Now()
	pub, element, err := attest.VerifyChain(chain, a.MakerAnchors, now)
	if err != nil {
		return CleanAnswer{}, err
	}
	said, err := attest.OpenCleanProof(proof, pub)
	if err != nil {
		return CleanAnswer{}, err
	}
	if said.Element != element || said.Marketplace != question.Marketplace || !bytes.Equal(said.Nonce, question.Nonce) ||
		!slices.Equal(said.Identifiers, question.Identifiers) {
		return CleanAnswer{}, warifu.Refused("clean-proof-other")
	}
	if said.Time.Sub(now) > cleanAhead {
		return CleanAnswer{}, warifu.Refused("clean-proof-time")
	}
	answer := CleanAnswer{Element: element, Counter: said.Counter, ProvedAt: said.Time, CheckedAt: now}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		no, unknown, err := cleanReasons(tx, said, pub)
		if err != nil {
			return err
		}
		answer.Answer, answer.Reasons = CleanYes, append(no, unknown...)
		if len(no) > 0 {
			answer.Answer = CleanNo
		} else if len(unknown) > 0 {
			answer.Answer = CleanUnknown
		}
		return nil
	})
	return answer, err
}

// cleanReasons lists why the phone is not clean, and why that cannot be said.
func cleanReasons(tx *store.Tx, said attest.CleanProof, pub *ecdsa.PublicKey) (no, unknown []string, err error) {
	credentials, err := tx.CredentialsOfElement(said.Element)
	if err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(credentials, live) {
		no = append(no, CleanCredentialLive)
	}
	rows, err := tx.ApplicationsOfElement(said.Element)
	if err != nil {
		return nil, nil, err
	}
	if openOf(rows) != nil {
		no = append(no, CleanApplicationOpen)
	}
	old, err := proofIsOld(tx, rows, said, pub)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case old:
		unknown = append(unknown, CleanProofOld) // what it said of the slots is of the past
	case !said.Clean():
		no = append(no, CleanKeyLeft)
	}
	if len(said.Identifiers) == 0 {
		unknown = append(unknown, CleanUnnamed)
	}
	return no, unknown, nil
}

// proofIsOld reports whether the chip was personalized after it spoke: by the receipt's
// counter where the chip was heard to have made the keys live, else by the clock of the
// marketplace, since a personalization that was cut off counts in the chip only if its
// last command arrived.
func proofIsOld(tx *store.Tx, rows []store.Application, said attest.CleanProof, pub *ecdsa.PublicKey) (bool, error) {
	var last store.Application
	for _, row := range rows {
		if row.State == warifu.ApplicationPersonalized && !row.EndedAt.Before(last.EndedAt) {
			last = row
		}
	}
	if last.ID == "" {
		return false, nil
	}
	if !said.Time.After(last.EndedAt.Truncate(time.Second)) {
		return true, nil
	}
	written, err := tx.WrittenChip(said.Element)
	if err != nil || written != last.ID {
		return false, err
	}
	counter, known, err := receiptCounter(tx, last, pub)
	return known && said.Counter < counter, err
}

// receiptCounter is the counter in the receipt of a personalization; not known once the
// person's papers are erased.
func receiptCounter(tx *store.Tx, row store.Application, pub *ecdsa.PublicKey) (int, bool, error) {
	lines, err := tx.AuditOf(row.ID)
	if err != nil {
		return 0, false, err
	}
	for _, l := range lines {
		var digest warifu.Digest
		if l.Verb != warifu.VerbPersonalize || digest.UnmarshalText([]byte(l.Detail["receipt"])) != nil {
			continue
		}
		envelope, err := tx.UnsealBlob(digest)
		if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
			return 0, false, nil
		}
		if err != nil {
			return 0, false, err
		}
		receipt, err := attest.OpenReceipt(envelope, pub)
		return receipt.Counter, err == nil, nil
	}
	return 0, false, nil
}
