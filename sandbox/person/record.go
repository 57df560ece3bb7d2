package person

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"warifu"
)

//go:embed persons.toml
var shipped []byte

// Record is a person as a file has them: strings only, the secrets in the open, dates
// absolute or relative. It is what worlds store and what `warifu card show` prints;
// nothing outside the sandbox ever sees one.
type Record struct {
	ID                  string `toml:"id" json:"id"`
	Difference          Text   `toml:"difference" json:"difference"`
	Name                string `toml:"name" json:"name"`
	Registered          string `toml:"registered" json:"registered,omitempty"`
	NameSubstitution    string `toml:"name_substitution" json:"name_substitution,omitempty"`
	Kana                string `toml:"kana" json:"kana,omitempty"`
	Birth               string `toml:"birth" json:"birth"`
	Sex                 Sex    `toml:"sex" json:"sex"`
	Address             string `toml:"address" json:"address"`
	AddressSubstitution string `toml:"address_substitution" json:"address_substitution,omitempty"`
	Municipality        string `toml:"municipality" json:"municipality"`
	Telephone           string `toml:"telephone" json:"telephone"`
	Number              string `toml:"number" json:"number"`
	CardIssued          string `toml:"card_issued" json:"card_issued"`
	CertificatesIssued  string `toml:"certificates_issued" json:"certificates_issued,omitempty"`
	CardLimit           string `toml:"card_limit" json:"card_limit,omitempty"`
	PINs                struct {
		Signature      string `toml:"signature" json:"signature,omitempty"`
		Authentication string `toml:"authentication" json:"authentication"`
		Text           string `toml:"text" json:"text"`
		Register       string `toml:"register" json:"register"`
	} `toml:"pins" json:"pins"`
	Condition Condition `toml:"condition" json:"condition,omitempty"`
}

// Shipped returns the persons that come with the sandbox, in a world that starts at
// start.
func Shipped(start time.Time) ([]Person, error) { return Load(shipped, start) }

// Load reads a TOML file of [[person]] tables. Unknown fields, repeated identifiers
// and whatever Record.Person refuses are errors that name the person.
func Load(file []byte, start time.Time) ([]Person, error) {
	var in struct {
		Person []Record `toml:"person"`
	}
	meta, err := toml.Decode(string(file), &in)
	if err != nil {
		return nil, invalid("file").With(err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, invalid(unknown[0].String())
	}
	seen := map[string]bool{}
	persons := make([]Person, 0, len(in.Person))
	for _, r := range in.Person {
		p, err := r.Person(start)
		if err == nil && seen[r.ID] {
			err = invalid("id")
		}
		if err != nil {
			return nil, fmt.Errorf("person %q: %w", r.ID, err)
		}
		seen[r.ID] = true
		persons = append(persons, p)
	}
	return persons, nil
}

// Person checks the record and resolves its relative dates against start. Errors:
// Invalid "person-invalid" naming the field, Refused "person-number-real".
func (r Record) Person(start time.Time) (Person, error) {
	p := Person{
		ID: r.ID, Difference: r.Difference, Name: r.Name, Registered: or(r.Registered, r.Name),
		NameSubstitution: or(r.NameSubstitution, zeros(r.Name)), Kana: r.Kana, Sex: r.Sex,
		Address: r.Address, AddressSubstitution: or(r.AddressSubstitution, zeros(r.Address)),
		Telephone: r.Telephone, Number: r.Number, Condition: r.Condition,
		PINs: PINs{
			Signature: pin(r.PINs.Signature), Authentication: pin(r.PINs.Authentication),
			Text: pin(r.PINs.Text), Register: pin(r.PINs.Register),
		},
	}
	town, known := municipality(r.Municipality)
	if !known {
		return Person{}, invalid("municipality")
	}
	p.Municipality = town
	if err := r.dates(&p, start); err != nil {
		return Person{}, err
	}
	if err := r.check(p); err != nil {
		return Person{}, err
	}
	return p, checkNumber(r.Number)
}

func (r Record) dates(p *Person, start time.Time) error {
	for _, d := range []struct {
		field, value string
		to           *time.Time
	}{
		{"birth", r.Birth, &p.Birth},
		{"card_issued", r.CardIssued, &p.CardIssued},
		{"certificates_issued", or(r.CertificatesIssued, r.CardIssued), &p.CertificatesIssued},
		{"card_limit", r.CardLimit, &p.CardLimit},
	} {
		if d.value == "" && d.field == "card_limit" {
			continue
		}
		t, err := parseDate(d.value, start)
		if err != nil {
			return invalid(d.field).With(err)
		}
		*d.to = t
	}
	return nil
}

var (
	idForm        = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	telephoneForm = regexp.MustCompile(`^0[789]0-0[0-9]{3}-[0-9]{4}$`) // 0x0-0… is never assigned
	passwordForm  = regexp.MustCompile(`^[0-9A-Z]{6,16}$`)             // R25, docs/card-facts.md §1.7
)

// check looks at every field whose form can be wrong.
func (r Record) check(p Person) error {
	rules := []struct {
		field string
		holds bool
	}{
		{"id", idForm.MatchString(r.ID)},
		{"difference", optional(r.Difference.Ja, 200) && optional(r.Difference.En, 200)},
		{"name", plain(r.Name, 100)},
		{"registered", optional(r.Registered, 100)},
		{"name_substitution", positions(p.NameSubstitution, p.Name)},
		{"kana", optional(r.Kana, 100)},
		{"sex", r.Sex == Male || r.Sex == Female || r.Sex == NotApplicable},
		{"address", plain(r.Address, AddressLimit)},
		{"address_substitution", positions(p.AddressSubstitution, p.Address)},
		{"telephone", telephoneForm.MatchString(r.Telephone)},
		{"card_issued", !p.CardIssued.Before(p.Birth)},
		{"certificates_issued", !p.CertificatesIssued.Before(p.CardIssued)},
		{"pins.signature", signaturePIN(r.PINs.Signature, p)},
		{"pins.authentication", allDigits(r.PINs.Authentication, 4)},
		{"pins.text", allDigits(r.PINs.Text, 4)},
		{"pins.register", allDigits(r.PINs.Register, 4)},
		{"condition", r.Condition == Sound || r.Condition == Suspended || r.Condition == Revoked || r.Condition == Locked},
	}
	for _, rule := range rules {
		if !rule.holds {
			return invalid(rule.field)
		}
	}
	return nil
}

// signaturePIN: who may sign has a password, who may not has none.
func signaturePIN(s string, p Person) bool {
	if !p.MaySign(p.CertificatesIssued) {
		return s == ""
	}
	return passwordForm.MatchString(s)
}

// plain: some text, within the limit, without control characters.
func plain(s string, limit int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= limit &&
		!strings.ContainsFunc(s, unicode.IsControl)
}

func optional(s string, limit int) bool { return s == "" || plain(s, limit) }

func positions(s, of string) bool {
	return len(s) == utf8.RuneCountInString(of) && strings.Trim(s, "01") == ""
}

func zeros(s string) string { return strings.Repeat("0", utf8.RuneCountInString(s)) }

func pin(s string) warifu.CardPIN { return warifu.NewCardPIN([]byte(s)) }

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// Record is the inverse of Record.Person, with every date absolute.
func (p Person) Record() Record {
	r := Record{
		ID: p.ID, Difference: p.Difference, Name: p.Name, Registered: p.Registered, NameSubstitution: p.NameSubstitution,
		Kana: p.Kana, Birth: dateText(p.Birth), Sex: p.Sex, Address: p.Address, AddressSubstitution: p.AddressSubstitution,
		Municipality: p.Municipality.Code, Telephone: p.Telephone, Number: p.Number, CardIssued: dateText(p.CardIssued),
		CertificatesIssued: dateText(p.CertificatesIssued), CardLimit: dateText(p.CardLimit), Condition: p.Condition,
	}
	r.PINs.Signature = string(p.PINs.Signature.Reveal())
	r.PINs.Authentication = string(p.PINs.Authentication.Reveal())
	r.PINs.Text = string(p.PINs.Text.Reveal())
	r.PINs.Register = string(p.PINs.Register.Reveal())
	return r
}

func dateText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(Tokyo).Format(time.DateOnly)
}
