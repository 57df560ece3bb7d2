package tax_test

import (
	"bytes"
	"strings"
	"testing"

	"warifu/internal/worldtest"
	"warifu/sandbox/tax"
)

var claim = tax.Claim{Year: 2024, Name: "割符　太郎", BirthDate: "1980-02-17", Address: "東京都清瀬市中里五丁目842番地", Slips: []string{"100234", "100235"}, Medical: 180_000}

// A return is written in one way, and read back as what it was.
func TestAReturnIsWrittenInOneWay(t *testing.T) {
	r, err := tax.Fill(claim)
	if err != nil {
		t.Fatal(err)
	}
	one, err := r.XML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := tax.Read(one)
	if err != nil {
		t.Fatal(err)
	}
	two, err := again.XML()
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("written again (%v):\n%s\n%s", err, one, two)
	}
	if r.Result.Income <= 0 || r.Result.Balance != r.Result.Tax-r.Result.Withheld || r.Result.Taxable%1000 != 0 || r.Result.Tax%100 != 0 {
		t.Errorf("%+v", r.Result)
	}
}

// The figures of a plain example worked by hand: 5,000,000 yen of wages are 3,560,000 of income.
func TestTheTaxOfPlainWages(t *testing.T) {
	r := tax.Return{Slips: []tax.Slip{{Paid: 5_000_000, Social: 750_000, Withheld: 150_000}}, Medical: 150_000}
	got := tax.Compute(r)
	want := tax.Result{Income: 3_560_000, Deduction: 480_000 + 750_000 + 50_000, Taxable: 2_280_000, Tax: 133_200, Withheld: 150_000, Balance: -16_800}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestAClaimIsRefusedByItsField(t *testing.T) {
	for field, change := range map[string]func(*tax.Claim){
		"year":      func(c *tax.Claim) { c.Year = 1999 },
		"name":      func(c *tax.Claim) { c.Name = "<割符>" },
		"address":   func(c *tax.Claim) { c.Address = "" },
		"birthDate": func(c *tax.Claim) { c.BirthDate = "1980-02-31" },
		"slips":     func(c *tax.Claim) { c.Slips = []string{"100234", "100234"} },
		"medical":   func(c *tax.Claim) { c.Medical = -1 },
	} {
		c := claim
		change(&c)
		if _, err := tax.Fill(c); worldtest.Slug(err) != "tax-malformed" {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Whatever is read can be written, and read as the same again.
func FuzzRead(f *testing.F) {
	r, err := tax.Fill(claim)
	if err != nil {
		f.Fatal(err)
	}
	file, err := r.XML()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte(strings.ReplaceAll(string(file), "100234", "999999")))
	f.Add([]byte("<Return/>"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := tax.Read(file)
		if err != nil {
			if !strings.HasPrefix(worldtest.Slug(err), "tax-") {
				t.Errorf("%v", err)
			}
			return
		}
		written, err := r.XML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := tax.Read(written)
		if err != nil {
			t.Fatalf("%v: %s", err, written)
		}
		if twice, err := again.XML(); err != nil || !bytes.Equal(twice, written) {
			t.Errorf("%s\n%s", written, twice)
		}
	})
}
