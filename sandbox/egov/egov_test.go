package egov_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"warifu/internal/worldtest"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/egov"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

const (
	taros   = "7999901000001" // whose representative is taro
	hanakos = "6999901000002"
)

// window is a world with e-Gov in it: taro's phone-1 and hanako's phone-2.
type window struct {
	*testing.T
	w  *world.World
	b  *worldtest.Browser
	at string
}

func newWindow(t *testing.T) window {
	w := worldtest.Stand(t)
	worldtest.Own(t, w, "phone-1", "taro")
	worldtest.Own(t, w, worldtest.Buy(t, w), "hanako")
	worldtest.Forward(t, w, "+1m") // a stamped signature of the second of a registration is of unknown status
	return window{t, w, worldtest.NewBrowser(t), w.Places.EGov}
}

func (w window) refused(got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("got %q, want %q", got, want)
	}
}

func (w window) signed(on string, form phone.SignatureForm, file []byte) []byte {
	w.Helper()
	s, err := w.w.Phones.Sign(context.Background(), on, phones.Sign{Document: file, Form: form, Password: worldtest.Password})
	if err != nil {
		w.Fatal(err)
	}
	return s.Signature
}

func (w window) post(path string, file []byte, out any) string {
	return worldtest.Slug(doorway.NewClient(w.at).PostOctets(context.Background(), path, file, out))
}

// paper is a filing's XML, by the pages' door.
func (w window) paper(f egov.Filing) []byte {
	w.Helper()
	var d egov.Draft
	if slug := w.b.JSON(w.at+"/api/drafts", f, &d); slug != "" {
		w.Fatal(slug)
	}
	return []byte(w.b.Get(w.at + "/drafts/" + d.ID + "/filing.xml"))
}

func (w window) mandate(m egov.Mandate) []byte {
	w.Helper()
	var out struct{ XML string }
	if slug := w.b.JSON(w.at+"/api/mandates/draft", m, &out); slug != "" {
		w.Fatal(slug)
	}
	return []byte(out.XML)
}

var yearly = egov.Filing{Procedure: "labor-insurance", Year: 2025, Company: taros, Employees: 12, Yen: 48_000_000}

func TestTheCheckDigitOfACompanysNumber(t *testing.T) {
	// The National Tax Agency's number: 000012050002 has 7.
	if got := egov.CheckDigit("000012050002"); got != 7 {
		t.Errorf("got %d", got)
	}
	for number, slug := range map[string]string{
		taros: "", "5999901000001": "egov-company-number", "799990100001": "egov-company-number", "79999010000x1": "egov-company-number",
		"7000012050002": "egov-company-unknown",
	} {
		if _, err := egov.CompanyOf(number); worldtest.Slug(err) != slug {
			t.Errorf("%s: %v, want %q", number, err, slug)
		}
	}
}

// R64: the representative files, by XML or PDF; nobody else does.
func TestTheRepresentativeFilesForTheCompany(t *testing.T) {
	w := newWindow(t)
	plain := w.paper(yearly)
	var r egov.Receipt
	w.refused(w.post("/api/filings", w.signed("phone-1", phone.FormXML, plain), &r), "")
	if r.By != "representative" || len(r.Number) != 20 || r.Company != taros {
		t.Errorf("%+v", r)
	}
	var again egov.Receipt
	w.refused(w.b.JSON(w.at+"/api/filings/"+r.Number, nil, &again), "")
	if again != r {
		t.Errorf("%+v, then %+v", r, again)
	}
	contract, err := os.ReadFile("../../document/testdata/contract.pdf")
	if err != nil {
		t.Fatal(err)
	}
	pdf := w.signed("phone-1", phone.FormPDF, contract)
	w.refused(w.post("/api/filings?procedure=overtime-agreement&company="+taros, pdf, &r), "")
	good := w.signed("phone-1", phone.FormXML, plain)
	for what, c := range map[string]struct {
		path string
		file []byte
		slug string
	}{
		"another signs":               {"/api/filings", w.signed("phone-2", phone.FormXML, plain), "egov-not-representative"},
		"a PDF for another company":   {"/api/filings?procedure=overtime-agreement&company=" + hanakos, pdf, "egov-not-representative"},
		"a PDF without its procedure": {"/api/filings?company=" + taros, pdf, "egov-malformed"},
		"changed after signing":       {"/api/filings", bytes.Replace(good, []byte("<Employees>12"), []byte("<Employees>2"), 1), "visitor-signature-refused"},
		"another name of the company": {"/api/filings", w.signed("phone-1", phone.FormXML, bytes.Replace(plain, []byte("割符製作所"), []byte("割符製作社"), 1)), "egov-filing-other"},
		"not signed":                  {"/api/filings", plain, "visitor-signature-refused"},
		"a changed PDF":               {"/api/filings?procedure=overtime-agreement&company=" + taros, append(bytes.Clone(pdf), "\n% more\n"...), "egov-filing-other"},
		"nothing":                     {"/api/filings", []byte("x"), "egov-file-malformed"},
		"a return of the tax office":  {"/api/filings", []byte(`<Return xmlns="urn:warifu:sandbox:tax:return:1"/>`), "egov-file-malformed"},
	} {
		if slug := w.post(c.path, c.file, nil); slug != c.slug {
			t.Errorf("%s: %q, want %q", what, slug, c.slug)
		}
	}
	w.refused(w.b.JSON(w.at+"/api/filings/1", nil, nil), "egov-number-unknown")
}

// A delegate files by a mandate that the representative has signed: for that company, that
// procedure, until that day.
func TestADelegateFilesByASignedMandate(t *testing.T) {
	w := newWindow(t)
	until := w.w.Clock.Now().In(w.w.Scheme.Hours.Zone).AddDate(0, 0, 10).Format(time.DateOnly)
	m := egov.Mandate{Company: taros, Delegate: "割符　花子", BirthDate: "1985-11-03", Procedure: "labor-insurance", Until: until}
	w.refused(w.post("/api/mandates", w.signed("phone-2", phone.FormXML, w.mandate(m)), nil), "egov-not-representative")
	w.refused(w.post("/api/mandates", w.mandate(m), nil), "visitor-signature-refused")
	var held egov.Held
	w.refused(w.post("/api/mandates", w.signed("phone-1", phone.FormXML, w.mandate(m)), &held), "")

	by := yearly
	by.Mandate = held.ID
	var r egov.Receipt
	w.refused(w.post("/api/filings", w.signed("phone-2", phone.FormXML, w.paper(by)), &r), "")
	if r.By != "delegate" {
		t.Errorf("%+v", r)
	}
	other := by
	other.Procedure = "pension-basis"
	w.refused(w.post("/api/filings", w.signed("phone-2", phone.FormXML, w.paper(other)), nil), "egov-mandate-other")
	other = by
	other.Company = hanakos
	w.refused(w.post("/api/filings", w.signed("phone-2", phone.FormXML, w.paper(other)), nil), "egov-mandate-other")
	w.refused(w.post("/api/filings", w.signed("phone-1", phone.FormXML, w.paper(by)), nil), "egov-mandate-other")
	other = by
	other.Mandate = "mandate-99999"
	w.refused(w.post("/api/filings", w.signed("phone-2", phone.FormXML, w.paper(other)), nil), "egov-mandate-unknown")
	worldtest.Forward(t, w.w, "+264h")
	w.refused(w.post("/api/filings", w.signed("phone-2", phone.FormXML, w.paper(by)), nil), "egov-mandate-over")
}

func TestAFilingByFormPages(t *testing.T) {
	w := newWindow(t)
	w.b.Wants(w.b.Get(w.at+"/"), taros)
	status, page := w.b.Fill(w.at+"/drafts", "company", "5999901000001", "procedure", "labor-insurance", "year", "2025", "employees", "3", "yen", "1")
	if status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	w.b.Wants(page, "This is not a company&#39;s number")
	w.b.Wants(page, `value="5999901000001"`)
	_, page = w.b.Fill(w.at+"/drafts", "company", taros, "procedure", "labor-insurance", "year", "2025", "employees", "3", "yen", "1")
	w.b.Wants(page, "株式会社割符製作所")
	w.b.Wants(page, "Sign and file")
	_, page = w.b.Fill(w.at+"/mandates/mandate.xml", "company", taros, "delegate", "割符　花子", "birthDate", "1985-11-03", "until", "2030-01-01", "procedure", "any")
	if !strings.Contains(page, "urn:warifu:sandbox:egov:mandate:1") {
		t.Error(page)
	}
}

// K6: not before the fiscal year 2024.
func TestEGovOpensOnItsDay(t *testing.T) {
	begin := time.Date(2024, time.March, 31, 14, 0, 0, 0, time.UTC)
	w := worldtest.Stand(t, func(c *world.Config) { c.Scheme, c.Begin = "jp-mobile-2023", begin })
	at := doorway.NewClient(w.Places.EGov)
	if err := at.Get(context.Background(), "/api/procedures", nil); worldtest.Slug(err) != "service-not-yet" {
		t.Errorf("an hour before: %v", err)
	}
	worldtest.Forward(t, w, "2024-04-01T00:00:00+09:00")
	if err := at.Get(context.Background(), "/api/procedures", nil); err != nil {
		t.Error(err)
	}
}

// Whatever is read as a filing or a mandate is complete, and names a company that there is.
func FuzzReadFiling(f *testing.F) {
	f.Add([]byte(`<Filing xmlns="urn:warifu:sandbox:egov:filing:1" procedure="labor-insurance" fiscalYear="2025"><Company><Number>` + taros + `</Number></Company><Employees>1</Employees><Wages>2</Wages></Filing>`))
	f.Add([]byte(`<Mandate xmlns="urn:warifu:sandbox:egov:mandate:1"><Company><Number>` + taros + `</Number></Company><Delegate><Name>x</Name><BirthDate>1985-11-03</BirthDate></Delegate><Procedure>any</Procedure><Until>2030-01-01</Until></Mandate>`))
	f.Add([]byte("<"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if got, err := egov.ReadFiling(file); err == nil && got.Name == "" {
			t.Errorf("%+v", got)
		} else if err != nil && !strings.HasPrefix(worldtest.Slug(err), "egov-") {
			t.Error(err)
		}
		if got, err := egov.ReadMandate(file); err == nil && got.Representative == "" {
			t.Errorf("%+v", got)
		} else if err != nil && !strings.HasPrefix(worldtest.Slug(err), "egov-") {
			t.Error(err)
		}
	})
}

// One tap logs in, signs and files.
func TestAFilingIsSignedWithOneTap(t *testing.T) {
	w := newWindow(t)
	var d egov.Draft
	w.refused(w.b.JSON(w.at+"/api/drafts", yearly, &d), "")
	_, page, _, slug := w.b.Approve(t, w.w, "phone-2", w.at+"/drafts/"+d.ID+"/sign")
	w.refused(slug, "")
	w.b.Wants(page, "not the company&#39;s representative")
	_, page, at, slug := w.b.Approve(t, w.w, "phone-1", w.at+"/drafts/"+d.ID+"/sign")
	w.refused(slug, "")
	if !strings.HasPrefix(at, w.at+"/filings/") {
		t.Fatalf("it led to %s: %s", at, page)
	}
	w.b.Wants(page, "the representative")
	w.refused(w.b.JSON(w.at+"/api/drafts/"+d.ID+"/sign", struct{}{}, nil), "egov-filed-already")
}
