package facetest

import (
	"testing"

	"warifu/internal/browsertest"
	"warifu/sandbox/person"
	"warifu/sandbox/persona"
	"warifu/text"
)

// customer is somebody at the services, with a phone and a page in front of them.
type customer struct {
	t    *testing.T
	page *browsertest.Page
	who  persona.Made
	is   person.Record
	lang text.Lang
}

func (c customer) says(key string) string { return text.Sentence(key, c.lang, nil) }

// answers goes the way to the provider that a click begins, and comes back.
func (c customer) answers(selector string) {
	c.t.Helper()
	goesOn(c.t, c.page.Click(selector), c.who)
}

// refused holds a page to what a refusal has to be: told, with the field that it is about
// and what was typed still there.
func (c customer) refused(field, typed string) {
	c.t.Helper()
	c.page.Until(".problem[role=alert]")
	if field == "" {
		return
	}
	var value, wrong string
	c.page.Eval(`document.getElementById("`+field+`")?.value ?? ""`, &value)
	c.page.Eval(`document.getElementById("`+field+`")?.getAttribute("aria-invalid") ?? ""`, &wrong)
	if !c.page.Has(`.problem a[href="#`+field+`"]`) || value != typed || wrong != "true" {
		c.t.Errorf("%s: the problem leads to %s, which has %q and is %q", c.page.Address(), field, value, wrong)
	}
}

// flows are one way through each service with its main refusal.
var flows = []struct {
	name string
	walk func(c customer)
}{
	{"bank", func(c customer) {
		at := World(c.t).Places.Bank
		c.page.Go(at + "/").Whole(c.t).Go(at + "/accounts").Shot("bank-accounts").Whole(c.t)
		c.answers(`a[href^="/visit"]`)
		c.page.Whole(c.t).Click(`form[action="/accounts"] button`).Shot("bank-account").Whole(c.t)
		c.answers(`a[href$="/sign"]`)
		c.page.Until(".receipt").Shot("bank-opened").Whole(c.t)
		c.page.Go(at + "/accounts/nobodys")
		c.refused("", "")
		c.page.Whole(c.t)
	}},
	{"carrier", func(c customer) {
		at := World(c.t).Places.Carrier
		c.page.Go(at + "/").Whole(c.t)
		c.answers(`a[href="/visit"]`)
		c.page.Whole(c.t).Click(`form[action="/contracts"] button`).Shot("carrier-contract").Whole(c.t)
		c.answers(`a[href$="/sign"]`)
		c.page.See(c.says("carrier.signed")).Shot("carrier-signed").Whole(c.t)
	}},
	{"cashless", func(c customer) {
		at := World(c.t).Places.Cashless
		c.page.Go(at + "/").Whole(c.t)
		c.answers(`a[href="/visit"]`)
		c.page.Click(`form[action="/join"] button`).Type("#yen", "800").Click(`form[action="/payments"] button`).See(c.says("cashless.paid")).Shot("cashless").Whole(c.t)
		c.page.Type("#yen", "12000").Click(`form[action="/payments"] button`)
		c.refused("yen", "12000")
		c.page.Shot("cashless-limit").Whole(c.t).Type("#number", "12").Type("#holder", "だれか").Click(`form[action="/bank"] button`)
		c.refused("number", "12")
	}},
	{"tax", func(c customer) {
		at := World(c.t).Places.Tax
		fill := func(slips string) {
			c.page.Type("#name", c.is.Name).Choose("#birthDate", c.is.Birth).Type("#address", c.is.Address).Type("#slips", slips).Click(`form[action="/returns"] button`)
		}
		c.page.Go(at + "/").Whole(c.t)
		fill("1")
		c.refused("slips", "1")
		c.page.Shot("tax-refused").Whole(c.t)
		fill("100234 100235")
		c.page.Shot("tax-return").Whole(c.t)
		c.answers(`a[href$="/sign"]`)
		c.page.Until("#receipt").Shot("tax-receipt").Whole(c.t)
	}},
	{"egov", func(c customer) {
		at := World(c.t).Places.EGov
		c.page.Go(at + "/").Shot("egov").Whole(c.t)
		c.page.Type("#company", "123").Type("#employees", "3").Type("#yen", "1000").Click(`form[action="/drafts"] button`)
		c.refused("company", "123")
		c.page.Whole(c.t)
		var company string
		c.page.Eval(`document.querySelector("#companies code").textContent`, &company)
		c.page.Type("#company", company).Click(`form[action="/drafts"] button`).Shot("egov-draft").Whole(c.t)
	}},
	{"marketplace", func(c customer) {
		at := World(c.t).Places.Marketplace
		c.page.Go(at + "/").Whole(c.t)
		offer := func(imei string) {
			c.page.Type("#title", "Pixel 10").Type("#price", "52000").Type("#imei", imei)
			c.page.Click(`form[action="/offers"] button`)
		}
		offer("1")
		c.refused("imei", "1")
		c.page.Shot("marketplace-refused").Whole(c.t)
		c.page.Go(at + "/check").Whole(c.t).Go(at + "/trade-in").Whole(c.t).Go(at + "/staff").Whole(c.t)
	}},
	{"repair", func(c customer) {
		at := World(c.t).Places.Repair
		c.page.Go(at+"/").Whole(c.t).Type("#title", "画面").Type("#imei", "1").Choose("#ready", "2030-01-01").Click(`form[action="/repairs"] button`)
		c.refused("imei", "1")
		c.page.Whole(c.t)
	}},
	{"portal", func(c customer) {
		at := World(c.t).Places.Portal
		c.page.Go(at + "/").Whole(c.t)
		c.answers(`a[href="/visit"]`)
		c.page.Shot("portal").Whole(c.t).Go(at + "/records").Shot("portal-records").Whole(c.t)
		c.page.Go(at + "/procedures").Whole(c.t).Click(`main ul.ways a`).Shot("portal-form").Whole(c.t)
		c.page.Go(at + "/applications").Whole(c.t)
	}},
}

// Each service is walked through as a customer would, with its main refusal; every page on
// the way is whole. Sizes, languages and light change from service to service.
func TestTheServicesAreWalkedThrough(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	for i, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			lang := text.Languages[i%len(text.Languages)]
			who := Persona(t, "")
			v, err := World(t).Bureau.Show(who.Person)
			if err != nil {
				t.Fatal(err)
			}
			page := b.Page(t, browsertest.Sizes[(i/2)%len(browsertest.Sizes)], string(lang))
			if i%3 == 2 {
				page.Dark()
			}
			f.walk(customer{t, page, who, v.Person.Record(), lang})
		})
	}
}
