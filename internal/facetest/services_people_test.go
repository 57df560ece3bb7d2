package facetest

import (
	"context"
	"testing"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// leave logs out of a service.
func (c caller) leave(front string) {
	c.t.Helper()
	c.page.Go(front).Click(`form[action="/leave"] button`)
}

// Who is fifteen has a signing certificate, and is told where it does not do and who has to come
// along; a payment service takes them, and keeps the bank's door shut.
func TestTheServicesTellTheYoung(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	p := w.Places
	for _, in := range []desk.Happening{{Event: desk.EventBirthday}, {Event: desk.EventRenew, Signature: "RENREN15"}} {
		if err := doorway.NewClient(p.Desk).Post(context.Background(), "/api/cards/ren/events", in, nil); err != nil {
			t.Fatal(err)
		}
	}
	ren := made(t, w, "ren+phone")
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		c := caller{t, w, b.Page(t, size, string(lang)), lang, ren}
		c.page.Go(p.Bank + "/accounts").Click(`a[href^="/visit"]`)
		c.approves()
		c.page.Click(`form[action="/accounts"] button`)
		c.told("bank-guardian-needed", "bank-young")
		c.page.Go(p.Carrier + "/visit")
		c.approves()
		c.page.Click(`form[action="/contracts"] button`)
		c.told("carrier-guardian-needed", "carrier-young")
		c.page.Go(p.Cashless + "/visit")
		c.approves()
		if i == 0 {
			c.page.Click(`form[action="/join"] button`)
		}
		c.page.Type("#number", "1234567").Type("#holder", "森　蓮").Click(`form[action="/bank"] button`)
		c.told("cashless-too-young", "cashless-young")
	}
}

// What was done already, what is too much, and what is somebody else's: each is told at the service
// where it is tried.
func TestTheServicesTellWhatCannotBeDone(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	p := w.Places
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		id := []string{"a", "b"}[i]
		c := caller{t, w, b.Page(t, size, string(lang)), lang, made(t, w, "first"+id+"+phone")}
		stranger := caller{t, w, c.page, lang, made(t, w, "second"+id+"+phone")}
		c.bankOf(stranger, p.Bank)
		c.carrierOf(stranger, p.Carrier)
		c.cashlessOf(p.Cashless)
		c.taxOf(stranger, p.Tax)
		c.egovOf(p.EGov)
	}
}

// bankOf: another's signature, an account twice, one too many, one of somebody else.
func (c caller) bankOf(stranger caller, at string) {
	c.page.Go(at + "/accounts").Click(`a[href^="/visit"]`)
	c.approves()
	c.page.Click(`form[action="/accounts"] button`)
	account := c.page.Address()
	c.page.Click(`a[href$="/sign"]`)
	stranger.approves()
	c.told("visitor-other-person", "bank-stranger")
	c.page.Go(account).Click(`a[href$="/sign"]`)
	c.approves()
	c.page.Until(".receipt").Go(account + "/sign")
	c.told("bank-account-signed", "bank-twice")
	for range 4 {
		c.page.Go(at + "/accounts").Click(`form[action="/accounts"] button`)
	}
	c.page.Go(at + "/accounts").Click(`form[action="/accounts"] button`)
	c.told("bank-accounts-too-many", "bank-many")
	c.leave(at + "/accounts")
	c.page.Go(at + "/accounts").Click(`a[href^="/visit"]`)
	stranger.approves()
	c.page.Go(account)
	c.told("bank-account-unknown", "bank-others")
	c.leave(at + "/accounts")
}

// carrierOf: a contract twice, one too many, and an offer that is old.
func (c caller) carrierOf(stranger caller, at string) {
	c.page.Go(at + "/visit")
	c.approves()
	c.page.Click(`form[action="/contracts"] button`)
	contract := c.page.Address()
	c.page.Click(`a[href$="/sign"]`)
	stranger.approves()
	c.told("visitor-other-person", "carrier-stranger")
	c.page.Go(contract + "/sign")
	c.approves()
	c.page.Go(contract + "/sign")
	c.told("carrier-contract-signed", "carrier-twice")
	c.page.Go(at + "/").Click(`form[action="/contracts"] button`)
	for range 3 {
		c.page.Go(at + "/").Click(`form[action="/contracts"] button`)
	}
	c.page.Go(at + "/").Click(`form[action="/contracts"] button`)
	c.told("carrier-lines-too-many", "carrier-many")
}

// cashlessOf: another's account, an account of nobody's, and no numbers at all.
func (c caller) cashlessOf(at string) {
	c.page.Go(at + "/visit")
	c.approves()
	c.page.Click(`form[action="/join"] button`).Type("#number", "1234567").Type("#holder", "よその　ひと").Click(`form[action="/bank"] button`)
	c.told("cashless-holder-other", "cashless-other")
	c.page.Type("#yen", "０").Click(`form[action="/payments"] button`)
	c.told("cashless-payment-malformed", "cashless-nothing")
	c.page.Go(at + "/payments/nobodys/confirm")
	c.told("cashless-payment-unknown", "cashless-unknown")
	c.page.Type("#yen", "500").Click(`form[action="/payments"] button`).See(says(c.lang, "cashless.paid"))
}

// taxOf: a year that is not over, another's return, a return twice, and a number of nothing.
func (c caller) taxOf(stranger caller, at string) {
	v, err := c.w.Bureau.Show(c.who.Person)
	if err != nil {
		c.t.Fatal(err)
	}
	is := v.Person.Record()
	fill := func() {
		c.page.Type("#name", is.Name).Choose("#birthDate", is.Birth).Type("#address", is.Address).Type("#slips", "100234").Click(`form[action="/returns"] button`)
	}
	c.page.Go(at + "/")
	var year string
	c.page.Eval(`document.querySelector("#year").value`, &year)
	c.page.Type("#year", "2999")
	fill()
	c.told("tax-year", "tax-year")
	c.page.Type("#year", year)
	fill()
	draft := c.page.Address()
	c.page.Click(`a[href$="/sign"]`)
	stranger.approves()
	c.told("tax-other-person", "tax-stranger") // on the return's own page: it can be signed anew
	c.page.Until(`a[href$="/sign"]`)
	c.page.Go(draft + "/sign")
	c.approves()
	c.page.Until("#receipt").Go(draft + "/sign")
	c.told("tax-filed-already", "tax-twice")
	c.page.Go(at+"/").Type("[name=number]", "１２３４").Click(`form[action="/find"] button`)
	c.told("tax-number-unknown", "tax-unknown")
}

// egovOf: no company, another's company, and a mandate of nobody's.
func (c caller) egovOf(at string) {
	c.page.Go(at + "/")
	var company string
	c.page.Eval(`document.querySelector("#companies code").textContent`, &company)
	draft := func(number, mandate string) {
		c.page.Type("#company", number).Type("#employees", "3").Type("#yen", "1000").Type("#mandate", mandate).Click(`form[action="/drafts"] button`)
	}
	draft("7000012050002", "")
	c.told("egov-company-unknown", "egov-nobody")
	c.page.Go(at + "/")
	draft(company, "")
	c.page.Click(`a[href$="/sign"]`)
	c.approves()
	c.told("egov-not-representative", "egov-stranger")
	c.page.Until(`a[href$="/sign"]`)
	c.page.Go(at + "/")
	draft(company, "mandate-99999")
	if c.page.Has(`a[href$="/sign"]`) {
		c.page.Click(`a[href$="/sign"]`)
		c.approves()
	}
	c.told("egov-mandate-unknown", "egov-mandate")
	c.page.Go(at+"/").Type("[name=number]", "1").Click(`form[action="/find"] button`)
	c.told("egov-number-unknown", "egov-unknown")
}
