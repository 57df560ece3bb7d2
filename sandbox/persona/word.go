package persona

import (
	"regexp"

	"warifu"
)

// The words. Each has a sentence "persona.word-…" in the catalogue.
const (
	Phone      = "phone"   // certificates of both kinds on a phone; implied by every other word
	NoSig      = "nosig"   // without the certificate for signatures
	NoAuth     = "noauth"  // without that for user authentication
	Pending    = "pending" // issued, and not registered on the phone yet
	ScreenLock = "screenlock"
	Hold       = "hold"       // suspended by the holder's own wish
	Repair     = "repair"     // suspended for a repair, for a week
	Revoked    = "revoked"    // by the holder, on the phone
	CardHold   = "card-hold"  // the card is reported lost: held with it
	Moved      = "moved"      // the certificate for signatures ended with the address
	Married    = "married"    // … or with the name
	Renewed    = "renewed"    // the card was renewed: both ended with the old one
	Dead       = "dead"       // both ended with their holder
	Superseded = "superseded" // another phone has them now
	Expired    = "expired"    // past their end; moves the world's clock
	Locked     = "locked"     // no tries left
	pinLeft    = "pin"        // "pin2left"
	passLeft   = "password"   // "password4left"
)

// sort is what a word does, for the rules of combining.
type sort int

const (
	shapes sort = iota // what is registered
	waits              // nothing is registered yet
	adds               // adds to what is there
	holds              // suspends
	ends               // ends for good
	locks              // uses tries up
)

// rule is one word's. kinds are those it can speak of; none: it speaks of no kind.
type rule struct {
	word  string
	sort  sort
	kinds []warifu.Kind
	// choose lets a kind be named behind an @.
	choose bool
}

var (
	both = warifu.Kinds[:]
	sig  = []warifu.Kind{warifu.Signature}
	auth = []warifu.Kind{warifu.Authentication}
)

// rules are in the order in which words are carried out, whatever order they are written in:
// a suspension takes a secret, so tries are used up later; the card's life follows the
// phone's; what ends everything comes last.
var rules = []rule{
	{Phone, shapes, nil, false},
	{NoSig, shapes, sig, false},
	{NoAuth, shapes, auth, false},
	{Pending, waits, nil, false},
	{ScreenLock, adds, auth, false},
	{Hold, holds, both, true},
	{Repair, holds, both, false},
	{Revoked, ends, both, true},
	{Moved, ends, sig, false},
	{Married, ends, sig, false},
	{CardHold, holds, both, false},
	{pinLeft, locks, auth, false},
	{passLeft, locks, sig, false},
	{Locked, locks, both, true},
	{Renewed, ends, both, false},
	{Superseded, ends, both, false},
	{Expired, ends, both, false},
	{Dead, ends, both, false},
}

// Words lists the words as people write them, in the order in which they are carried out.
func Words() []string {
	var out []string
	for _, r := range rules {
		switch {
		case r.word == pinLeft || r.word == passLeft:
			out = append(out, r.word+"Nleft")
		case r.choose:
			out = append(out, r.word+"[@signature|@authentication]")
		default:
			out = append(out, r.word)
		}
	}
	return out
}

// Key is the key of the sentence that tells of a word as Words writes it.
func Key(word string) string {
	return "persona.word-" + plain.FindString(word)
}

var plain = regexp.MustCompile(`^[a-z-]+`)
