package verify

import (
	"encoding/asn1"
	"slices"
	"time"

	"warifu"
	"warifu/profile"
)

// Policy is what one question asks for. The zero value is the strict everyday one:
// card or phone, judged now, status required, no attribute told.
type Policy struct {
	// Classes lists what may stand behind the signature; empty: card and phone.
	Classes []profile.Class
	// Kind is the kind wanted by Certificate; zero: either. Document and Presence want
	// their own, whatever stands here.
	Kind warifu.Kind
	// At is an instant at which the signature is known to have existed, from a source
	// the caller trusts, such as a timestamp; never the signer's own claim. Zero: now.
	// The status must then speak of that instant: one fetched much later cannot tell
	// of a suspension lifted in between, and leaves the verdict unknown. A History can.
	At time.Time
	// History, when not nil, is asked about At instead of the verifier's own.
	History History
	// MaxStatusAge bounds the age of the status answer at that instant; zero: as long
	// as the answer itself says.
	MaxStatusAge time.Duration
	// MaxAnswerTime bounds the time from a Presence's question to now; zero: ten minutes.
	MaxAnswerTime time.Duration
	// Status, when not nil, is asked instead of the verifier's own checker.
	Status StatusChecker
	// Attributes lists the attributes the Result shall tell; the others stay empty.
	Attributes []Attribute
	// ContentType is the CMS content type wanted; nil: id-data. Only the registration
	// authority and the certification authorities ask for an application document's.
	ContentType asn1.ObjectIdentifier
	// MaxMessage bounds a document with its signature, in octets; zero: cms.MaxMessage.
	MaxMessage int
}

// Attribute names one of the four attributes (基本4情報).
type Attribute uint8

// The attributes.
const (
	Name Attribute = iota + 1 // with the string that marks substituted characters
	Address
	BirthDate
	Gender
)

// AllAttributes asks for the four.
var AllAttributes = []Attribute{Name, Address, BirthDate, Gender}

func (p Policy) accepts(class profile.Class) bool {
	return len(p.Classes) == 0 || slices.Contains(p.Classes, class)
}

// only returns of a the attributes asked for.
func only(asked []Attribute, a profile.Attributes) profile.Attributes {
	var out profile.Attributes
	for _, name := range asked {
		switch name {
		case Name:
			out.Name, out.NameSubstitution = a.Name, a.NameSubstitution
		case Address:
			out.Address, out.AddressSubstitution = a.Address, a.AddressSubstitution
		case BirthDate:
			out.BirthDate = a.BirthDate
		case Gender:
			out.Gender = a.Gender
		}
	}
	return out
}
