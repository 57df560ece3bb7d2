package tax_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"warifu/internal/worldtest"
	"warifu/sandbox/tax"
)

func (o office) draft(c tax.Claim) tax.Draft {
	o.Helper()
	var d tax.Draft
	if slug := o.b.JSON(o.at+"/api/returns", c, &d); slug != "" {
		o.Fatal(slug)
	}
	return d
}

// tap signs and files a draft with the phone.
func (o office) tap(d tax.Draft, on string) (page, at, slug string) {
	o.Helper()
	var to struct{ Address string }
	if slug := o.b.JSON(o.at+"/api/returns/"+d.ID+"/sign", struct{}{}, &to); slug != "" {
		return "", "", slug
	}
	_, page, at, slug = o.b.Approve(o.T, o.w, on, to.Address)
	return page, at, slug
}

// R65: one tap logs in and signs and files; a second return of the year amends the first, and
// the receipt tells where it stands, later too.
func TestOneTapLogsInSignsAndFiles(t *testing.T) {
	o := newOffice(t)
	d := o.draft(o.claim())
	page, at, slug := o.tap(d, "phone-1")
	number := regexp.MustCompile(`/filings/(\d{20})$`).FindStringSubmatch(at)
	if slug != "" || number == nil {
		t.Fatalf("it led to %s (%s): %s", at, slug, said(page))
	}
	var first tax.Receipt
	o.refused(o.b.JSON(o.at+"/api/filings/"+number[1], nil, &first), "")
	if first.State != tax.Received || first.Amends != "" || len(first.SHA256) != 64 || first.Year != o.claim().Year {
		t.Errorf("%+v", first)
	}
	_, _, slug = o.tap(d, "phone-1")
	o.refused(slug, "tax-filed-already")

	more := o.claim()
	more.Medical = 400_000
	if page, at, slug = o.tap(o.draft(more), "phone-1"); slug != "" {
		t.Fatalf("%s %s: %s", slug, at, page)
	}
	o.b.Wants(page, first.Number)
	o.refused(o.b.JSON(o.at+"/api/filings/"+first.Number, nil, &first), "")
	if first.State != tax.Amended {
		t.Errorf("the first is %s", first.State)
	}
	worldtest.Forward(t, o.w, "+528h")
	var second tax.Receipt
	o.refused(o.b.JSON(at[:strings.Index(at, "/filings")]+"/api"+at[strings.Index(at, "/filings"):], nil, &second), "")
	if second.State != tax.Settled || second.Amends != first.Number {
		t.Errorf("three weeks later: %+v", second)
	}
	o.refused(o.b.JSON(o.at+"/api/filings/12345", nil, nil), "tax-number-unknown")

	o.refused(o.b.JSON(o.at+"/api/filings", nil, nil), "visitor-absent")
	if _, page, at, slug := o.b.Approve(t, o.w, "phone-1", o.at+"/visit"); slug != "" || !strings.HasPrefix(at, o.at) {
		t.Fatalf("%s %s: %s", slug, at, page)
	}
	var mine []tax.Receipt
	o.refused(o.b.JSON(o.at+"/api/filings", nil, &mine), "")
	if len(mine) != 2 {
		t.Errorf("of my own: %+v", mine)
	}
}

// Another person's phone does not file for the taxpayer, and a phone on hold files nothing.
func TestATapByAnotherFilesNothing(t *testing.T) {
	o := newOffice(t)
	other := worldtest.Buy(t, o.w)
	worldtest.Own(t, o.w, other, "hanako")
	worldtest.Forward(t, o.w, "+1m")
	d := o.draft(o.claim())
	page, at, slug := o.tap(d, other)
	if slug != "" || strings.Contains(at, "/filings/") {
		t.Errorf("%s led to %s", slug, at)
	}
	o.b.Wants(page, "Somebody other than the taxpayer has signed")
	var now tax.Draft
	o.refused(o.b.JSON(o.at+"/api/returns/"+d.ID, nil, &now), "")
	if now.Number != "" {
		t.Errorf("it was filed as %s", now.Number)
	}
	worldtest.Forward(t, o.w, "+25h")
	_, _, slug = o.tap(d, "phone-1")
	o.refused(slug, "tax-draft-old")
}

func TestAReturnByFormPages(t *testing.T) {
	o := newOffice(t)
	c := o.claim()
	fields := []string{"year", "2024", "name", c.Name, "birthDate", c.BirthDate, "address", c.Address, "slips", "100234 100235", "medical", "180000"}
	status, page := o.b.Fill(o.at+"/returns", append(fields[:2:2], "name", "x", "slips", "12")...)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	o.b.Wants(page, `value="x"`)
	status, page = o.b.Fill(o.at+"/returns", fields...)
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, page)
	}
	link := regexp.MustCompile(`href="(/returns/[a-z0-9]+)/sign"`).FindStringSubmatch(page)
	if link == nil {
		t.Fatal(page)
	}
	file := o.b.Get(o.at + link[1] + "/return.xml")
	if _, err := tax.Read([]byte(file)); err != nil {
		t.Error(err)
	}
	_, page, _, slug := o.b.Approve(t, o.w, "phone-1", o.at+link[1]+"/sign")
	o.refused(slug, "")
	o.b.Wants(page, "Number of the receipt")
	o.b.Wants(o.b.Get(o.at+link[1]), "Filed; receipt")
}

// said is the refusal on a page.
func said(page string) string {
	_, after, _ := strings.Cut(page, `role="alert"`)
	return after[:min(len(after), 500)]
}
