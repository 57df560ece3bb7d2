package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/phone"
)

// A buyer without a terminal pastes what the seller's app shows and types the number on the
// phone in their hands: three answers, and none of them without that number (R82).
func TestABuyerAsksByAPage(t *testing.T) {
	h, site := site(t)
	p := h.Phone(t)
	p.Own(t, "taro")
	h.Clock.Forward(time.Minute)
	var imei string
	for _, made := range h.Maker.Phones() {
		if made.Element == p.Record.Element {
			imei = made.IMEI
		}
	}
	code := func() string {
		t.Helper()
		proof, err := p.App.CleanProof(t.Context(), phone.CleanQuestion{Marketplace: "<flea> market", Nonce: make([]byte, 16), Identifiers: []string{"imei:" + imei}, Time: h.Clock.Now()})
		must(t, err)
		written, err := attest.CleanCode{Proof: proof.Proof, Chain: proof.Chain}.Text()
		must(t, err)
		return written
	}
	answers := func(what string, status int, sentence, code, number string) {
		t.Helper()
		form := url.Values{"code": {code}, "identifier": {number}}
		r := ask(site, http.MethodPost, "/clean-proofs", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept-Language", "en")
		page := text(t, r)
		if r.StatusCode != status || !strings.Contains(page, sentence) || strings.Contains(page, "<flea>") {
			t.Errorf("%s: %d, want %d and %q:\n%s", what, r.StatusCode, status, sentence, page)
		}
	}
	if page := text(t, ask(site, http.MethodGet, "/clean-proofs", "", "Accept-Language", "en")); !strings.Contains(page, "<textarea") {
		t.Errorf("no form: %s", page)
	}
	live := code()
	answers("while it is live", 200, "Not clean", live, imei)
	_, err := p.App.Revoke(t.Context(), nil, phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
	must(t, err)
	h.Clock.Forward(time.Minute)
	clean := code()
	answers("once it is revoked", 200, "Still clean", clean, imei)
	answers("with spaces in the number", 200, "Still clean", strings.ToLower(clean)+"\n", imei[:6]+" "+imei[6:])
	answers("without a number", 200, "Nobody can say", clean, "")
	answers("with another's number", 403, "does not answer", clean, "000000000000000")
	answers("with nothing", 422, "not the QR code", "", imei)
	answers("with a torn code", 422, "not the QR code", clean[:len(clean)/2], imei)
	answers("with a flood", 413, "does not fit", strings.Repeat("A", 9000), imei)
	p.Own(t, "hanako")
	answers("replayed after a new registration", 200, "Not clean", clean, imei)
	_, err = p.App.Revoke(t.Context(), nil, phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
	must(t, err)
	answers("replayed after that has ended", 200, "Nobody can say", clean, imei)
	h.Check(t)
}
