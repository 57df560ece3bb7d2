package scheme

import (
	"fmt"
	"time"

	"warifu"
)

// The algorithms of end-entity keys and of the authorities that certify them.
const (
	RSA2048 = "rsa-2048" // as on the card
	P256    = "p-256"    // badge only: our own token label, docs/secure-element.md
)

// Scheme is one policy, whole and in range. It is read-only.
type Scheme struct {
	Name      string // "jp-mobile"
	Version   int    // counted up with every change that an applicant could notice
	Title     Title
	Algorithm string // RSA2048 or P256
	Hours     Hours
	Tries     Tries
	Secrets   Secrets
	Lifetimes

	CardFirst         bool   // K2: the screens ask for the tap before the password (R33); the protocol is the same
	AttributeConsent  bool   // a relying party is told attributes only after the holder said so on the phone
	ScreenLockSigning bool   // K3: the screen lock may stand in for the signing password too (R53)
	MinimumAge        int    // K14: full years below which no signing credential is issued; 0: none
	MinimumAppVersion int    // R20
	Consent           string // R35: version of the notes that are consented to; their text is "consent.<version>"
	Hotline           string // R76: the number shown for loss and theft; empty where the organisation has none

	// Services maps a service's name to its opening (K6); a zero time has always been open.
	Services map[string]time.Time
}

// Title is the scheme's name as people read it.
type Title struct{ Japanese, English string }

// Lifetimes says how long things live and how old evidence may be.
type Lifetimes struct {
	ChallengeLife    time.Duration // design §3.1: from asking for a challenge to submitting the document
	ChallengeMaxWait time.Duration // how old a challenge may be when the authority signs: closed days are in it
	StatementMaxAge  time.Duration // of a card statement when an authority signs on it
	StatusMaxAge     time.Duration // of a card's status answers when an authority signs on them
	ApplicationLapse time.Duration // K14: from issue until an application not fetched lapses
	CardAgain        time.Duration // R45: age of an application from which personalizing asks for the card again
	SupersedeCooling time.Duration // waiting time before a new device supersedes an older one; 0: none
	NoticeWithin     time.Duration // R42, K11: the promise of the notice inside hours
	WriteWithin      time.Duration // R44, K11: the promise of the write to the phone
	LedgerKeep       time.Duration // how long a line of who checked me is kept
	EvidenceKeep     time.Duration // how long the evidence of a verification is kept for its relying party
}

// Tries says how many consecutive wrong entries lock each secret (K14).
type Tries struct{ Signature, Authentication int }

// Of returns the tries of the kind's secret; 0 for what is no kind.
func (t Tries) Of(k warifu.Kind) int {
	switch k {
	case warifu.Signature:
		return t.Signature
	case warifu.Authentication:
		return t.Authentication
	}
	return 0
}

// ID returns name and version as documents and consents carry them: "jp-mobile/1".
func (s *Scheme) ID() string { return fmt.Sprintf("%s/%d", s.Name, s.Version) }

// ServiceOpen reports whether the service is known to the scheme and open at t.
func (s *Scheme) ServiceOpen(service string, t time.Time) bool {
	opening, ok := s.Services[service]
	return ok && !t.Before(opening)
}
