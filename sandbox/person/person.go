package person

import (
	"strings"
	"time"

	"warifu"
)

// Sex is as the residence register has it.
type Sex string

// The entries of the register. NotApplicable is an entry of its own, not a missing one.
const (
	Male          Sex = "male"
	Female        Sex = "female"
	NotApplicable Sex = "not-applicable"
)

// CertificateCode is the digit in a certificate's subjectAltName (1 男, 2 女, 3 不明:
// docs/card-facts.md §2.2).
func (s Sex) CertificateCode() string {
	switch s {
	case Male:
		return "1"
	case Female:
		return "2"
	}
	return "3"
}

// ChipCode is the digit in the card's text application (1 男, 2 女, 9 適用不能: §1.4).
func (s Sex) ChipCode() string {
	if s == NotApplicable {
		return "9"
	}
	return s.CertificateCode()
}

// PINs are the card's four secrets (R25).
type PINs struct {
	Signature      warifu.CardPIN // 署名用, 6–16 capitals and digits
	Authentication warifu.CardPIN // 利用者証明用, 4 digits
	Text           warifu.CardPIN // 券面事項入力補助用, 4 digits
	Register       warifu.CardPIN // 住民基本台帳用, 4 digits
}

// Condition is what has already befallen a person's card when a world starts.
type Condition string

// The conditions.
const (
	Sound     Condition = ""          // nothing
	Suspended Condition = "suspended" // both certificates on hold
	Revoked   Condition = "revoked"   // both certificates revoked at the holder's wish
	Locked    Condition = "locked"    // both passwords typed wrong until the card refused
)

// Person is one invented resident and the particulars of their card.
type Person struct {
	ID         string // [a-z][a-z0-9-]*, how commands and pages name the person
	Difference Text   // what this person is there to show
	// Name is written as certificate and chip have it, family and given name with an
	// ideographic space between. Registered is the register's own writing where that
	// has characters the chip cannot hold; NameSubstitution then has a 1 at the place
	// of every character put in its stead, a 0 elsewhere, one digit a character.
	Name             string
	Registered       string
	NameSubstitution string
	Kana             string // reading, katakana; empty where the register has none
	Birth            time.Time
	Sex              Sex
	// Address is at most AddressLimit characters; AddressSubstitution as NameSubstitution.
	Address             string
	AddressSubstitution string
	Municipality        Municipality
	Telephone           string
	Number              string // twelve digits in the place of a My Number, the last one wrong
	CardIssued          time.Time
	CertificatesIssued  time.Time // later than CardIssued when they were renewed on the same card
	CardLimit           time.Time // last day of the card where something shortens it (a period of stay); else zero
	PINs                PINs
	Condition           Condition
}

// Text is a sentence in both languages of the house.
type Text struct {
	Ja string `toml:"ja" json:"ja"`
	En string `toml:"en" json:"en"`
}

// AddressLimit is the largest number of characters of an address in a certificate
// (docs/card-facts.md §2.2).
const AddressLimit = 200

// MajorityAge is the age from which a card lasts ten birthdays instead of five (B.2).
const MajorityAge = 18

// SigningAge is the age below which no signing certificate is issued (B.2, K14).
const SigningAge = 15

// MaySign reports whether the person was old enough for a signing certificate at t.
func (p Person) MaySign(t time.Time) bool { return Age(p.Birth, t) >= SigningAge }

// CardExpires returns the last second of the card: the tenth birthday after issue,
// the fifth for minors, or the end of the stay where that comes first (B.2).
func (p Person) CardExpires() time.Time {
	birthdays := 10
	if Age(p.Birth, p.CardIssued) < MajorityAge {
		birthdays = 5
	}
	last := EndOfDay(Birthday(p.Birth, p.CardIssued, birthdays))
	if !p.CardLimit.IsZero() && EndOfDay(p.CardLimit).Before(last) {
		return EndOfDay(p.CardLimit)
	}
	return last
}

// BirthCode is the birth date as certificates write it: EYYYYMMDD, the digit of the
// era before the Gregorian date.
func (p Person) BirthCode() string {
	era, _ := Era(p.Birth)
	return string(era) + p.Birth.In(Tokyo).Format("20060102")
}

// Family returns what stands before the ideographic space of the name; the whole
// name where there is none.
func (p Person) Family() string {
	family, _, _ := strings.Cut(p.Name, "　")
	return family
}
