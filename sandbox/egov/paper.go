package egov

import (
	"bytes"
	"encoding/xml"
	"strings"
	"time"

	"warifu"
)

// Filing is what is filed as XML: written in one way only.
type Filing struct {
	XMLName   xml.Name `xml:"urn:warifu:sandbox:egov:filing:1 Filing" json:"-"`
	Procedure string   `xml:"procedure,attr" json:"procedure"`
	Year      int      `xml:"fiscalYear,attr" json:"year"` // from April
	Company   string   `xml:"Company>Number" json:"company"`
	Name      string   `xml:"Company>Name" json:"name,omitempty"` // as the register has it
	Employees int      `xml:"Employees" json:"employees"`
	Yen       int      `xml:"Wages" json:"yen"`                           // a year's wages
	Mandate   string   `xml:"Mandate,omitempty" json:"mandate,omitempty"` // of a delegate
}

// Mandate lets somebody file for a company; its representative signs it.
type Mandate struct {
	XMLName        xml.Name `xml:"urn:warifu:sandbox:egov:mandate:1 Mandate" json:"-"`
	Company        string   `xml:"Company>Number" json:"company"`
	Name           string   `xml:"Company>Name" json:"name,omitempty"`
	Representative string   `xml:"Representative" json:"representative,omitempty"`
	Delegate       string   `xml:"Delegate>Name" json:"delegate"`
	BirthDate      string   `xml:"Delegate>BirthDate" json:"birthDate"`
	Procedure      string   `xml:"Procedure" json:"procedure"` // one, or "any"
	Until          string   `xml:"Until" json:"until"`         // the last day
}

// Bounds.
const (
	MaxFile   = 16 << 20 // of a signed file
	maxText   = 200
	maxPeople = 1_000_000
	maxYen    = 1_000_000_000_000
)

// fill completes a filing by the register. Errors: those of CompanyOf, Invalid
// "egov-malformed" with the field.
func (f Filing) fill() (Filing, error) {
	f.XMLName = xml.Name{}
	c, err := CompanyOf(f.Company)
	if err != nil {
		return f, err
	}
	if _, err := procedureOf(f.Procedure); err != nil {
		return f, err
	}
	f.Name = c.Name
	for _, fault := range []struct {
		field string
		is    bool
	}{{"year", f.Year < 2000 || f.Year > 9999}, {"employees", f.Employees < 0 || f.Employees > maxPeople}, {"yen", f.Yen < 0 || f.Yen > maxYen}, {"mandate", f.Mandate != "" && !plain(f.Mandate)}} {
		if fault.is {
			return f, warifu.Invalid("egov-malformed", "field", fault.field)
		}
	}
	return f, nil
}

// fill completes a mandate by the register.
func (m Mandate) fill() (Mandate, error) {
	m.XMLName = xml.Name{}
	c, err := CompanyOf(m.Company)
	if err != nil {
		return m, err
	}
	if m.Procedure != AnyProcedure {
		if _, err := procedureOf(m.Procedure); err != nil {
			return m, err
		}
	}
	m.Name, m.Representative, m.Delegate = c.Name, c.Representative, strings.TrimSpace(m.Delegate)
	_, until := time.Parse(time.DateOnly, m.Until)
	_, born := time.Parse(time.DateOnly, m.BirthDate)
	switch {
	case !plain(m.Delegate):
		return m, warifu.Invalid("egov-malformed", "field", "delegate")
	case until != nil:
		return m, warifu.Invalid("egov-malformed", "field", "until")
	case born != nil:
		return m, warifu.Invalid("egov-malformed", "field", "birthDate")
	}
	return m, nil
}

// plain reports whether a text is one that XML writes in one way.
func plain(s string) bool {
	return s != "" && len(s) <= maxText && strings.ToValidUTF8(s, "") == s && !strings.ContainsAny(s, "<>&\"'") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0xFFFD || r == 0xFFFE || r == 0xFFFF })
}

// paperOf writes a filing or a mandate, to be signed.
func paperOf(v any) ([]byte, error) {
	body, err := xml.MarshalIndent(v, "", " ")
	return append([]byte(xml.Header), append(body, '\n')...), err
}

// ReadFiling reads a filing out of a file, signed or not; whoever wants to know that there is
// nothing else in it writes it again and compares. Errors: Invalid "egov-file-malformed",
// those of fill.
func ReadFiling(file []byte) (Filing, error) {
	var f Filing
	if err := read(file, &f); err != nil {
		return f, err
	}
	return f.fill()
}

// ReadMandate reads a mandate, as ReadFiling.
func ReadMandate(file []byte) (Mandate, error) {
	var m Mandate
	if err := read(file, &m); err != nil {
		return m, err
	}
	return m.fill()
}

func read(file []byte, out any) error {
	if len(file) > MaxFile {
		return warifu.TooLarge("sandbox-request-too-large")
	}
	if err := xml.NewDecoder(bytes.NewReader(file)).Decode(out); err != nil {
		return warifu.Invalid("egov-file-malformed").With(err)
	}
	return nil
}
