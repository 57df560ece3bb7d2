package registration

import (
	"context"
	"time"

	"warifu"
	"warifu/attest"
)

// Enquiry is what a phone says of itself before it applies. Nothing is decided on
// it but whether to go on; what counts is attested later.
type Enquiry struct {
	Element    warifu.ElementID
	Model      string
	OSBuild    string
	AppVersion int
}

// Challenge opens an application: fresh octets bound to one secure element.
type Challenge struct {
	Octets    []byte
	ExpiresAt time.Time
}

// Challenge is the first step (K2: before the card is tapped). It refuses a device
// that could not end well, with the catalogue's reason (R14–R24, K4), and leaves
// nothing behind.
func (a *Authority) Challenge(_ context.Context, e Enquiry) (Challenge, error) {
	if err := a.Models.Eligible(e.Model, e.OSBuild, e.AppVersion); err != nil {
		return Challenge{}, err
	}
	if e.Element.IsZero() {
		return Challenge{}, warifu.Invalid("element-id-malformed")
	}
	now := a.Clock.Now()
	octets, err := attest.NewChallenge(a.ChallengeMAC, a.Random, e.Element, now)
	if err != nil {
		return Challenge{}, err
	}
	return Challenge{Octets: octets, ExpiresAt: now.Add(a.Scheme.ChallengeLife)}, nil
}

// challengeKept is how much longer a used challenge is remembered than one is accepted: the
// time between the check and the commit, in which others are asked, and the difference
// between two servers' clocks.
const challengeKept = time.Hour

// freshChallenge checks that c was made here for the element and is not older than
// the scheme allows. It returns until when its use is to be remembered.
func (a *Authority) freshChallenge(c []byte, element warifu.ElementID) (kept time.Time, err error) {
	made, err := attest.CheckChallenge(a.ChallengeMAC, c, element)
	if err != nil {
		return time.Time{}, err
	}
	expires := made.Add(a.Scheme.ChallengeLife)
	now := a.Clock.Now()
	if now.After(expires) || made.After(now.Add(time.Second)) {
		return time.Time{}, warifu.Refused("challenge-expired")
	}
	return expires.Add(challengeKept), nil
}
