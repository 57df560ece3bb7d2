package tax

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"time"

	"warifu"
)

// Return is a return as it is filed. Amounts are whole yen. The tax is that of ordinary wages,
// made simple: income, basic and social insurance deductions, medical expenses, the brackets,
// and the surtax for reconstruction.
type Return struct {
	XMLName   xml.Name `xml:"urn:warifu:sandbox:tax:return:1 Return" json:"-"`
	Year      int      `xml:"year,attr" json:"year"` // in which it was earned
	Name      string   `xml:"Taxpayer>Name" json:"name"`
	BirthDate string   `xml:"Taxpayer>BirthDate" json:"birthDate"` // 1980-02-17
	Address   string   `xml:"Taxpayer>Address" json:"address"`
	Slips     []Slip   `xml:"WageSlips>WageSlip" json:"slips"`
	Medical   int      `xml:"MedicalExpenses" json:"medical"`
	Result    Result   `xml:"Result" json:"result"`
}

// Slip is a wage slip (源泉徴収票).
type Slip struct {
	Number   string `xml:"number,attr" json:"number"`
	Employer string `xml:"Employer" json:"employer"`
	Paid     int    `xml:"Paid" json:"paid"`
	Social   int    `xml:"SocialInsurance" json:"social"`
	Withheld int    `xml:"Withheld" json:"withheld"`
}

// Result is what is computed from the rest; Balance is to be paid, or paid back where it is
// below zero.
type Result struct {
	Income    int `xml:"Income" json:"income"`
	Deduction int `xml:"Deduction" json:"deduction"`
	Taxable   int `xml:"Taxable" json:"taxable"`
	Tax       int `xml:"Tax" json:"tax"`
	Withheld  int `xml:"Withheld" json:"withheld"`
	Balance   int `xml:"Balance" json:"balance"`
}

// Bounds.
const (
	maxSlips  = 10
	maxYen    = 1_000_000_000
	maxText   = 200 // octets of a name or an address
	firstYear = 2023
)

var slipForm = regexp.MustCompile(`^[0-9]{6,12}$`)

// Claim is what a taxpayer fills in; the slips are fetched by their numbers.
type Claim struct {
	Year      int      `json:"year"`
	Name      string   `json:"name"`
	BirthDate string   `json:"birthDate"`
	Address   string   `json:"address"`
	Slips     []string `json:"slips"`
	Medical   int      `json:"medical"`
}

// Fill makes the return of a claim. Errors: Invalid "tax-malformed" with the field.
func Fill(c Claim) (Return, error) {
	r := Return{Year: c.Year, Name: strings.TrimSpace(c.Name), BirthDate: c.BirthDate, Address: strings.TrimSpace(c.Address), Medical: c.Medical}
	_, born := time.Parse(time.DateOnly, c.BirthDate)
	for _, fault := range []struct {
		field string
		is    bool
	}{
		{"year", c.Year < firstYear || c.Year > 9999}, {"name", !plain(r.Name)}, {"address", !plain(r.Address)}, {"birthDate", born != nil},
		{"medical", c.Medical < 0 || c.Medical > maxYen}, {"slips", len(c.Slips) == 0 || len(c.Slips) > maxSlips},
	} {
		if fault.is {
			return Return{}, warifu.Invalid("tax-malformed", "field", fault.field)
		}
	}
	seen := map[string]bool{}
	for _, number := range c.Slips {
		s, err := SlipOf(c.Year, number)
		if err != nil || seen[number] {
			return Return{}, warifu.Invalid("tax-malformed", "field", "slips")
		}
		seen[number] = true
		r.Slips = append(r.Slips, s)
	}
	r.Result = r.compute()
	return r, nil
}

// plain reports whether a text is one that XML writes in one way.
func plain(s string) bool {
	return s != "" && len(s) <= maxText && !strings.ContainsAny(s, "<>&\"'\t\r\n") && strings.ToValidUTF8(s, "") == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0xFFFD || r >= 0xFFFE && r <= 0xFFFF })
}

// employers of invented slips.
var employers = []string{"見本商事株式会社", "割符工業株式会社", "例示鉄道株式会社", "雛形大学", "架空市役所"}

// SlipOf is the wage slip with a number: invented, the same for the same number and year.
// Error: NotFound "tax-slip-unknown" for what is no number of a slip.
func SlipOf(year int, number string) (Slip, error) {
	if !slipForm.MatchString(number) {
		return Slip{}, warifu.NotFound("tax-slip-unknown", "number", number)
	}
	draw := warifu.DigestOf(fmt.Appendf(nil, "wage slip %s of %d", number, year))
	paid := 2_400_000 + int(binary.BigEndian.Uint32(draw[:4])%6_600)*1_000
	s := Slip{Number: number, Employer: employers[int(draw[4])%len(employers)], Paid: paid, Social: paid * 15 / 100}
	// Withheld month by month, it is never quite right: a little too much.
	owed := Return{Slips: []Slip{s}}.compute().Tax
	s.Withheld = owed + int(draw[5])*100
	return s, nil
}

// step is one step of a ladder: rate in hundredths, less so much.
type step struct{ upTo, rate, less int }

var (
	wages    = []step{{1_625_000, 0, -550_000}, {1_800_000, 40, 100_000}, {3_600_000, 30, -80_000}, {6_600_000, 20, -440_000}, {8_500_000, 10, -1_100_000}, {maxYen * maxSlips, 0, -1_950_000}}
	brackets = []step{{1_949_000, 5, 0}, {3_299_000, 10, 97_500}, {6_949_000, 20, 427_500}, {8_999_000, 23, 636_000}, {17_999_000, 33, 1_536_000}, {39_999_000, 40, 2_796_000}, {maxYen * maxSlips, 45, 4_796_000}}
)

func on(ladder []step, amount int) int {
	for _, s := range ladder {
		if amount <= s.upTo {
			return amount*s.rate/100 - s.less
		}
	}
	return 0
}

const (
	basic       = 480_000 // 基礎控除
	medicalFrom = 100_000 // or a twentieth of the income, if that is less
	medicalMost = 2_000_000
)

// compute works the result out.
func (r Return) compute() Result {
	var paid, social, withheld int
	for _, s := range r.Slips {
		paid, social, withheld = paid+s.Paid, social+s.Social, withheld+s.Withheld
	}
	out := Result{Withheld: withheld}
	out.Income = max(0, paid-on(wages, paid))
	medical := min(medicalMost, max(0, r.Medical-min(medicalFrom, out.Income/20)))
	out.Deduction = basic + social + medical
	out.Taxable = max(0, out.Income-out.Deduction) / 1_000 * 1_000
	out.Tax = max(0, on(brackets, out.Taxable)) * 1021 / 1000 / 100 * 100
	out.Balance = out.Tax - withheld
	return out
}

// XML writes the return: in one way, to be signed.
func (r Return) XML() ([]byte, error) {
	body, err := xml.MarshalIndent(r, "", " ")
	return append([]byte(xml.Header), append(body, '\n')...), err
}

// Read reads a return out of a file, signed or not. It says nothing of what else the file
// holds: whoever wants to know writes the return again and compares. Errors: Invalid
// "tax-return-malformed", TooLarge "tax-return-too-large"; those of Fill.
func Read(file []byte) (Return, error) {
	if len(file) > MaxFile {
		return Return{}, warifu.TooLarge("tax-return-too-large")
	}
	var said Return
	d := xml.NewDecoder(bytes.NewReader(file))
	d.Strict, d.Entity = true, nil
	if err := d.Decode(&said); err != nil {
		return Return{}, warifu.Invalid("tax-return-malformed").With(err)
	}
	c := Claim{Year: said.Year, Name: said.Name, BirthDate: said.BirthDate, Address: said.Address, Medical: said.Medical}
	for _, s := range said.Slips {
		c.Slips = append(c.Slips, s.Number)
	}
	return Fill(c)
}

// MaxFile bounds a signed return.
const MaxFile = 1 << 20
