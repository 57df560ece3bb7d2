package profile

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// Attributes are the four attributes (基本4情報) and the two strings that tell which
// of their characters are substitutes for ones outside the character set
// (card-facts §2.2). They are personal: never log, count or queue them.
type Attributes struct {
	Name                string // 氏名, family and given name parted by U+3000
	NameSubstitution    string // 氏名代替文字: one '0' or '1' a character of Name
	Gender              string // 性別: "1" 男, "2" 女, "3" 不明
	BirthDate           string // 生年月日: EYYYYMMDD, E the era 0–5, the year Gregorian
	Address             string // 住所
	AddressSubstitution string // 住所代替文字: one '0' or '1' a character of Address
}

// Bounds, in characters.
const (
	MaxName    = 100
	MaxAddress = 200
)

// Japan is the zone in which dates of the profiles begin and end.
var Japan = time.FixedZone("JST", 9*60*60)

// field is one otherName: its type and where its value stands in Attributes.
type field struct {
	oid   asn1.ObjectIdentifier
	value func(*Attributes) *string
}

// order is the order of the card: .1 .4 .3 .5 .2 .6.
var order = [...]field{
	{OIDName, func(a *Attributes) *string { return &a.Name }},
	{OIDBirthDate, func(a *Attributes) *string { return &a.BirthDate }},
	{OIDGender, func(a *Attributes) *string { return &a.Gender }},
	{OIDAddress, func(a *Attributes) *string { return &a.Address }},
	{OIDNameSubstitution, func(a *Attributes) *string { return &a.NameSubstitution }},
	{OIDAddressSubstitution, func(a *Attributes) *string { return &a.AddressSubstitution }},
}

// IsZero reports whether no attribute is set.
func (a Attributes) IsZero() bool { return a == Attributes{} }

// String never shows an attribute.
func (a Attributes) String() string { return "[attributes]" }

// GoString never shows an attribute.
func (a Attributes) GoString() string { return "[attributes]" }

// Complete fills substitution strings that were left empty with zeros: no character replaced.
func (a Attributes) Complete() Attributes {
	if a.NameSubstitution == "" {
		a.NameSubstitution = strings.Repeat("0", utf8.RuneCountInString(a.Name))
	}
	if a.AddressSubstitution == "" {
		a.AddressSubstitution = strings.Repeat("0", utf8.RuneCountInString(a.Address))
	}
	return a
}

// Check refuses attributes that no certificate may carry: Invalid
// "attributes-malformed" naming the attribute, never its value.
func (a Attributes) Check() error {
	malformed := func(part string) error { return warifu.Invalid("attributes-malformed", "part", part) }
	switch {
	case !text(a.Name, MaxName):
		return malformed("name")
	case !text(a.Address, MaxAddress):
		return malformed("address")
	case len(a.Gender) != 1 || a.Gender < "1" || a.Gender > "3":
		return malformed("gender")
	case !substitution(a.NameSubstitution, a.Name):
		return malformed("name-substitution")
	case !substitution(a.AddressSubstitution, a.Address):
		return malformed("address-substitution")
	}
	_, err := a.Birth()
	return err
}

// text reports whether s is 1 to limit characters of valid UTF-8 without controls.
func text(s string, limit int) bool {
	n := utf8.RuneCountInString(s)
	if n == 0 || n > limit || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 })
}

func substitution(positions, of string) bool {
	return len(positions) == utf8.RuneCountInString(of) && strings.Trim(positions, "01") == ""
}

// Birth returns the first instant in Japan of the day of birth. Where the month or
// the day is unknown (00) it is the last that the date allows, so that nobody is
// taken for older than they may be.
func (a Attributes) Birth() (time.Time, error) {
	malformed := warifu.Invalid("attributes-malformed", "part", "birth-date")
	b := a.BirthDate
	if len(b) != 9 || strings.Trim(b, "0123456789") != "" || b[0] > '5' {
		return time.Time{}, malformed
	}
	number := func(s string) (n int) {
		for _, d := range s {
			n = n*10 + int(d-'0')
		}
		return n
	}
	year, month, day := number(b[1:5]), number(b[5:7]), number(b[7:9])
	if year == 0 || month > 12 || month == 0 && day != 0 {
		return time.Time{}, malformed
	}
	if month == 0 {
		month = 12
	}
	last := time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, Japan)
	if day == 0 {
		return last, nil
	}
	if day > last.Day() {
		return time.Time{}, malformed
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, Japan), nil
}

// Age returns the full years lived at the instant t, counted by the calendar of
// Japan; someone born on 29 February grows older on 1 March of other years.
func (a Attributes) Age(t time.Time) (int, error) {
	birth, err := a.Birth()
	if err != nil {
		return 0, err
	}
	t = t.In(Japan)
	years := t.Year() - birth.Year()
	if t.Before(birth.AddDate(years, 0, 0)) {
		years--
	}
	return years, nil
}

// Extension encodes the attributes as a non-critical subjectAltName of six
// otherNames, each a UTF8String, in the card's order.
func (a Attributes) Extension() (pkix.Extension, error) {
	if err := a.Check(); err != nil {
		return pkix.Extension{}, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, f := range order {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(f.oid)
				b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(*f.value(&a))) })
				})
			})
		}
	})
	value, err := b.Bytes()
	return pkix.Extension{Id: oidSubjectAltName, Value: value}, err
}

// ParseAttributes reads the attributes of a certificate. The flag is false where
// there is no subjectAltName; one of any other shape than Extension's is Invalid
// "attributes-malformed".
func ParseAttributes(c *x509.Certificate) (Attributes, bool, error) {
	value := extension(c, oidSubjectAltName)
	if value == nil {
		return Attributes{}, false, nil
	}
	a, err := parseAttributes(value)
	return a, err == nil, err
}

func parseAttributes(value []byte) (Attributes, error) {
	malformed := warifu.Invalid("attributes-malformed", "part", "subject-alternative-name")
	input := cryptobyte.String(value)
	var names cryptobyte.String
	if len(value) > 8<<10 || !input.ReadASN1(&names, cbasn1.SEQUENCE) || !input.Empty() {
		return Attributes{}, malformed
	}
	var a Attributes
	explicit := cbasn1.Tag(0).ContextSpecific().Constructed()
	for _, f := range order {
		var other, wrapped, text cryptobyte.String
		var oid asn1.ObjectIdentifier
		ok := names.ReadASN1(&other, explicit) && other.ReadASN1ObjectIdentifier(&oid) && oid.Equal(f.oid) &&
			other.ReadASN1(&wrapped, explicit) && other.Empty() && wrapped.ReadASN1(&text, cbasn1.UTF8String) && wrapped.Empty()
		if !ok {
			return Attributes{}, malformed
		}
		*f.value(&a) = string(text)
	}
	if !names.Empty() {
		return Attributes{}, malformed
	}
	return a, a.Check()
}
