package phone_test

import (
	"testing"

	"warifu/phone"
)

// What cannot be signed in the form asked for is refused before a try is spent.
func TestWhatCannotBeSignedIsRefusedBeforeTheChipIsAsked(t *testing.T) {
	f := newFixture(t)
	f.app.Element = untouched(t)
	for _, c := range []struct {
		what, slug string
		content    string
		signing    phone.Signing
	}{
		{"text as PDF", "pdf-malformed", "Dear bank,", phone.Signing{Form: phone.FormPDF}},
		{"nothing as PDF", "pdf-malformed", "", phone.Signing{Form: phone.FormPDF}},
		{"text as XML", "xml-malformed", "Dear bank,", phone.Signing{Form: phone.FormXML}},
		{"XML with a document type", "xml-malformed", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", phone.Signing{Form: phone.FormXML}},
		{"a form there is not", "signature-form-unknown", "x", phone.Signing{Form: "jades"}},
		{"status inside a message", "signature-form-unknown", "x", phone.Signing{LongTerm: true}},
		{"status inside XML", "signature-form-unknown", "<a/>", phone.Signing{Form: phone.FormXML, LongTerm: true}},
	} {
		_, err := f.app.SignDocument(ctx, []byte(c.content), c.signing, phone.Unlock{Typed: phonePass})
		wantProblem(t, c.what, c.slug, err)
	}
}

func TestSignedFilesAreNamedByTheirForm(t *testing.T) {
	for form, want := range map[phone.SignatureForm]string{
		"": "a/letter.pdf.p7s", phone.FormDetached: "a/letter.pdf.p7s", phone.FormAttached: "a/letter.pdf.p7m",
		phone.FormPDF: "a/letter-signed.pdf", phone.FormXML: "a/letter-signed.pdf",
	} {
		if got := form.FileName("a/letter.pdf"); got != want || form.MediaType() == "" {
			t.Errorf("%s: %s, want %s", form, got, want)
		}
	}
}
