package facetest

import (
	"strings"
	"testing"
	"time"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/text"
)

// imei is what is printed on a person's phone.
func (c caller) imei() string {
	c.t.Helper()
	h, err := c.w.Phones.Handset(c.who.Phone)
	if err != nil {
		c.t.Fatal(err)
	}
	return h.IMEI
}

// day is so many days from now in the world, as a date field has it.
func (c caller) day(n int) string {
	return c.w.Clock.Now().In(c.w.Scheme.Hours.Zone).AddDate(0, 0, n).Format(time.DateOnly)
}

// A phone is sold on real screens: refused while a box is open and while its certificates live,
// shown with the chip's own proof, bought once; the check page and the trade-in table tell what
// cannot be believed, and staff is told what staff cannot do.
func TestAPhoneIsSoldOnRealScreens(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	at := w.Places.Marketplace
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		c := caller{t, w, b.Page(t, size, string(lang)), lang, made(t, w, "seller"+[]string{"a", "b"}[i]+"+phone")}
		c.page.Go(at+"/").Type("#title", "ピクセル　Pixel 10").Type("#price", "52000").Type("#imei", c.imei()).Click("[name=initialised]").Click("[name=activation-lock]").Click(`form[action="/offers"] button`)
		c.told("marketplace-checklist-open", "sale-open")
		c.page.Click("[name=certificates]").Click(`form[action="/offers"] button`).Until("#code")
		offer := c.page.Address()
		c.page.Shot("sale-blocked").Whole(t)
		c.page.Type("#code", "これは証明ではない").Click(`form[action$="/proof"] button`).Until(".problem").Shot("sale-no-proof").Whole(t)
		c.page.Go(offer).Click(`ol a`).Choose("[name=phone]", c.who.Phone).Click("form button").Shot("sale-at-phone").Whole(t)
		c.page.Click(`[name=choice][value=revoke]`).Type("[name=password]", c.who.Password).Click(`form button.wide`).Until("#back").Shot("sale-proof").Whole(t)
		c.page.Click("#back").Until("#code")
		var code string
		c.page.Eval(`document.querySelector("#code").value`, &code)
		c.page.Click(`form[action$="/proof"] button`).Until(".done").Shot("sale-listed").Whole(t)
		second := b.Page(t, size, string(lang)).Go(offer) // a rival
		c.page.Click(`form[action$="/sale"] button`).Until(".done").Shot("sale-sold").Whole(t)
		rival := caller{t, w, second, lang, c.who}
		rival.page.Click(`form[action$="/sale"] button`)
		rival.told("marketplace-sold", "sale-rival")

		c.page.Go(at+"/check").Type("#code", code).Type("[name=imei]", "490154203237518").Click(`form[action="/check"] button`).Until("[role=status], .problem").Shot("check-other").Whole(t)
		c.page.Go(at+"/check").Type("#code", "x").Click(`form[action="/check"] button`).Until(".problem").Shot("check-none").Whole(t)
		c.page.Go(at+"/trade-in").Type("#table", "imei\n").Click(`form[action="/trade-in"] button`)
		c.told("marketplace-table-malformed", "lot-malformed")
		c.page.Go(at+"/trade-in").Type("#table", "imei,proof,element\n"+c.imei()+","+code+",\n490154203237518,x,\n").Click(`form[action="/trade-in"] button`).Until("#lot").Shot("lot").Whole(t)
		c.page.Go(at + "/staff").Click(`form[action="/staff"] button`)
		c.told("marketplace-staff-cannot-revoke", "sale-staff")
		c.page.Go(at + "/offers/offer-99999").Until(".problem").Shot("sale-unknown").Whole(t)
	}
}

// A phone is repaired on real screens: not taken unseen, not taken while its certificates live past
// the day, and given back to nobody without the number that was told once.
func TestAPhoneIsRepairedOnRealScreens(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	at := w.Places.Repair
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		c := caller{t, w, b.Page(t, size, string(lang)), lang, made(t, w, "broken"+[]string{"a", "b"}[i]+"+phone")}
		c.page.Go(at+"/").Type("#title", "画面").Type("#imei", c.imei()).Choose("#ready", c.day(-1)).Click(`form[action="/repairs"] button`)
		c.told("repair-malformed", "repair-yesterday")
		c.page.Choose("#ready", c.day(2)).Click(`form[action="/repairs"] button`)
		claim := strings.TrimSpace(c.page.Until("#claim").Shot("repair-claim").Whole(t).Text("#claim"))
		job := at + "/repairs/" + c.page.Text("table code")
		c.page.Click(`form[action$="/intake"] button`)
		c.told("repair-unseen", "repair-unseen")
		c.page.Go(job).Type("[name=chip]", c.who.Phone).Click(`form[action$="/tap"] button`)
		c.told("repair-show-status", "repair-seen")
		show := func() *browsertest.Page { // whether it is on hold only the holder can show
			c.page.Go(job).Click(`a[href*="/login?at="]`).Click(`a[href$="phone=` + c.who.Phone + `"]`)
			return c.page.Type("[name=pin]", c.who.PIN).Follow(says(lang, "login.approve.do")).See(says(lang, "my.login.back"))
		}
		show().Go(job).Click(`form[action$="/intake"] button`)
		c.told("repair-live", "repair-live")
		held(t, w, c.who)
		show().Go(job).Shot("repair-held").Whole(t)
		c.page.Click(`form[action$="/intake"] button`)
		c.told("repair-malformed", "repair-no-day")
		c.page.Go(job).Click("[name=endless]").Click(`form[action$="/intake"] button`).Shot("repair-taken").Whole(t)
		if !c.page.Has(`form[action$="/return"]`) {
			t.Fatalf("not taken: %s", c.page.Text("main"))
		}
		c.page.Click(`form[action$="/orders"] button`)
		c.told("repair-staff-cannot", "repair-staff")
		for range 5 {
			c.page.Go(job).Type("[name=claim]", "00000000").Click(`form[action$="/return"] button`)
			c.told("repair-claim-wrong", "repair-wrong")
		}
		c.page.Go(job).Type("[name=claim]", claim).Click(`form[action$="/return"] button`)
		c.told("repair-claim-locked", "repair-locked")
		c.page.Go(at+"/").Type("[name=id]", "repair-9999").Click(`form[action="/find"] button`).Until(".problem").Shot("repair-unknown").Whole(t)
	}
}
