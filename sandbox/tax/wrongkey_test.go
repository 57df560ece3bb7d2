package tax_test

import (
	"context"
	"crypto/x509"
	"testing"

	"warifu"
	"warifu/document"
	"warifu/internal/worldtest"
	"warifu/jpki"
)

// A key for user authentication signs no return, though it is the taxpayer's own and on the
// taxpayer's phone: here an app that does what it should not.
func TestAKeyForAuthenticationSignsNoReturn(t *testing.T) {
	o := newOffice(t)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := o.w.Phones.Handset("phone-1")
	must(err)
	token, err := jpki.Select(ctx, h.Outside())
	must(err)
	must(token.VerifyPhone(ctx, warifu.Authentication, warifu.NewActivationSecret([]byte(worldtest.PIN))))
	der, err := token.Certificate(ctx, warifu.Authentication)
	must(err)
	certificate, err := x509.ParseCertificate(der)
	must(err)
	prepared, err := document.PrepareXML(xmlOf(t, o.claim()), certificate, o.w.Clock.Now())
	must(err)
	signature, err := token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(prepared.Digest()))
	must(err)
	signed, err := prepared.Finish(signature, nil)
	must(err)
	_, slug := o.upload(signed)
	o.refused(slug, "visitor-signature-refused")
}
