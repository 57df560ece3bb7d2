package tax_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"warifu/internal/worldtest"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
	"warifu/sandbox/tax"
	"warifu/sandbox/world"
)

// office is a world with a tax office, and taro's phone.
type office struct {
	*testing.T
	w  *world.World
	b  *worldtest.Browser
	at string
}

func newOffice(t *testing.T) office {
	w := worldtest.Stand(t)
	worldtest.Own(t, w, "phone-1", "taro")
	worldtest.Forward(t, w, "+1m") // a stamped signature of the second of a registration is of unknown status
	return office{t, w, worldtest.NewBrowser(t), w.Places.Tax}
}

func (o office) refused(got, want string) {
	o.Helper()
	if got != want {
		o.Errorf("got %q, want %q", got, want)
	}
}

// claim is taro's, for the last year that is over.
func (o office) claim() tax.Claim {
	c := claim
	c.Year = o.w.Clock.Now().In(o.w.Scheme.Hours.Zone).Year() - 1
	return c
}

// signed has a phone sign a file.
func (o office) signed(on string, file []byte) []byte {
	o.Helper()
	s, err := o.w.Phones.Sign(context.Background(), on, phones.Sign{Document: file, Form: phone.FormXML, Password: worldtest.Password})
	if err != nil {
		o.Fatal(err)
	}
	return s.Signature
}

func (o office) upload(file []byte) (tax.Receipt, string) {
	var r tax.Receipt
	err := doorway.NewClient(o.at).PostOctets(context.Background(), "/api/filings", file, &r)
	return r, worldtest.Slug(err)
}

func xmlOf(t testing.TB, c tax.Claim) []byte {
	t.Helper()
	r, err := tax.Fill(c)
	if err != nil {
		t.Fatal(err)
	}
	file, err := r.XML()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// A signed file takes no login; what is not the taxpayer's own return, signed as it is written,
// is refused.
func TestASignedFileIsTheTaxpayersReturnAndNothingElse(t *testing.T) {
	o := newOffice(t)
	other := worldtest.Buy(t, o.w)
	worldtest.Own(t, o.w, other, "hanako")
	plain := xmlOf(t, o.claim())
	good := o.signed("phone-1", plain)
	changed := bytes.Replace(good, []byte("<MedicalExpenses>180000"), []byte("<MedicalExpenses>980000"), 1)
	richer := bytes.Replace(plain, []byte("<Balance>"), []byte("<Balance>-9"), 1)
	wrapped := bytes.Replace(good, []byte("</Return>"), []byte("<Other>"+string(xmlBody(plain))+"</Other></Return>"), 1)
	future := o.claim()
	future.Year++
	for what, c := range map[string]struct {
		file []byte
		slug string
	}{
		"another's signature":      {o.signed(other, plain), "tax-other-person"},
		"changed after signing":    {changed, "visitor-signature-refused"},
		"a return inside a return": {wrapped, "visitor-signature-refused"},
		"amounts of one's own":     {o.signed("phone-1", richer), "tax-return-other"},
		"not signed":               {plain, "visitor-signature-refused"},
		"a year that is not over":  {o.signed("phone-1", xmlOf(t, future)), "tax-year"},
		"something else":           {[]byte("hello"), "tax-return-malformed"},
		"too much":                 {bytes.Repeat([]byte(" "), tax.MaxFile+1), "sandbox-request-too-large"},
	} {
		if _, slug := o.upload(c.file); slug != c.slug {
			t.Errorf("%s: %q, want %q", what, slug, c.slug)
		}
	}
	first, slug := o.upload(good)
	if slug != "" || first.State != tax.Received {
		t.Fatalf("%q %+v", slug, first)
	}
	_, slug = o.upload(good)
	o.refused(slug, "tax-filed-already")
	more := o.claim()
	more.Medical = 0
	second, slug := o.upload(o.signed("phone-1", xmlOf(t, more)))
	if slug != "" || second.Amends != first.Number {
		t.Errorf("%q %+v", slug, second)
	}
	if _, err := o.w.Phones.Suspend(context.Background(), "phone-1", phones.Order{Password: worldtest.Password}); err != nil {
		t.Fatal(err)
	}
	more.Medical = 1
	_, slug = o.upload(o.signed("phone-1", xmlOf(t, more)))
	o.refused(slug, "visitor-certificate-dead")
}

// xmlBody is a document without its declaration.
func xmlBody(file []byte) []byte { return file[bytes.Index(file, []byte("<Return")):] }

// K6: not before the first of January 2025.
func TestTheOfficeOpensOnItsDay(t *testing.T) {
	begin := time.Date(2024, time.December, 31, 14, 0, 0, 0, time.UTC)
	w := worldtest.Stand(t, func(c *world.Config) { c.Scheme, c.Begin = "jp-mobile-2023", begin })
	at := doorway.NewClient(w.Places.Tax)
	if err := at.Get(context.Background(), "/api/slips/2023/100234", nil); worldtest.Slug(err) != "service-not-yet" {
		t.Errorf("an hour before: %v", err)
	}
	worldtest.Forward(t, w, "2025-01-01T00:00:00+09:00")
	var s tax.Slip
	if err := at.Get(context.Background(), "/api/slips/2023/100234", &s); err != nil || s.Paid == 0 {
		t.Errorf("%+v, %v", s, err)
	}
}
