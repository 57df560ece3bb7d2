package chip

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"

	"warifu"
	"warifu/attest"
	"warifu/iso7816"
	"warifu/jpki"
)

// maxGuesses is how many wrong device identifiers readers may name, one after the other,
// before the contactless interface proves nothing more until the app made a proof.
const maxGuesses = 10

// cleanProof answers to a marketplace's question what the chip still carries (R81–R84). The
// app may ask for any phone it is on; a reader must name the phone, since the answer names
// the chip, and may not go on guessing.
func (a *elementApplication) cleanProof(c iso7816.Command) ([]byte, error) {
	if c.P1 != 0 || c.P2 != 0 {
		return nil, iso7816.SWWrongParameters
	}
	question, err := jpki.ParseCleanQuestion(c.Data)
	if err != nil {
		return nil, err
	}
	e := a.element
	if !a.internal && len(question.Identifiers) == 0 {
		return nil, iso7816.SWConditions
	}
	if !a.internal && e.state.Guesses >= maxGuesses {
		return nil, iso7816.SWMethodBlocked
	}
	known := e.personality.knows(question.Identifiers)
	if err := e.countGuess(known, a.internal); err != nil {
		return nil, err
	}
	if !known {
		return nil, iso7816.SWReferenceNotFound
	}
	proof := attest.CleanProof{
		Element: e.ID(), Marketplace: question.Marketplace, Nonce: question.Nonce, Identifiers: question.Identifiers,
		Counter: e.state.Counter, Time: question.Time,
	}
	for _, kind := range warifu.Kinds {
		proof.Slots = append(proof.Slots, attest.CleanSlot{Kind: kind, Live: e.state.Live.of(kind) != nil})
	}
	a.proved = true
	return finish(proof.Seal(e.attestation))
}

// countGuess saves that a reader guessed wrong, or forgets the guesses of the past once
// somebody knew.
func (e *Element) countGuess(known, internal bool) error {
	switch {
	case known && e.state.Guesses > 0:
		return e.change(func(s *elementState) error { s.Guesses = 0; return nil })
	case !known && !internal:
		return e.change(func(s *elementState) error { s.Guesses++; return nil })
	}
	return nil
}

// knows reports whether the maker attested every identifier, each "name:value". All are
// looked at, whatever the first says.
func (p *ElementPersonality) knows(identifiers []string) bool {
	known := 1
	for _, identifier := range identifiers {
		name, value, _ := strings.Cut(identifier, ":")
		found := 0
		for _, i := range p.Identifiers {
			digest := sha256.Sum256(append(append([]byte(nil), i.Salt...), value...))
			if i.Name == name {
				found |= subtle.ConstantTimeCompare(digest[:], i.Digest)
			}
		}
		known &= found
	}
	return known == 1
}

// isProblem reports whether err is the problem with this slug.
func isProblem(err error, problem string) bool {
	return errors.Is(err, &warifu.Error{Problem: problem})
}
