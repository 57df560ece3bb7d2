package facetest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/doorway"
	"warifu/sandbox/persona"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
	"warifu/text"
)

// caller is a customer in a world of the test's own.
type caller struct {
	t    testing.TB
	w    *world.World
	page *browsertest.Page
	lang text.Lang
	who  persona.Made
}

// approves has the phone answer the login that the page waits for, and goes on where it leads. A
// phone that cannot answer is returned as its problem's slug.
func (c caller) approves(attributes ...string) string {
	c.t.Helper()
	id, is := strings.CutPrefix(c.page.Address(), c.w.Places.Server+"/login/")
	if !is {
		c.t.Fatalf("no login waits at %s", c.page.Address())
	}
	how := phones.Approve{Link: phones.Link{Link: c.w.Places.Server + "/login/" + id + "/app"}, Password: c.who.Password, Unlock: phones.Unlock{PIN: c.who.PIN}}
	if len(attributes) > 0 {
		how.Attributes = attributes
		if attributes[0] == "none" {
			how.Attributes = []string{}
		}
	}
	decided, err := c.w.Phones.Approve(context.Background(), c.who.Phone, how)
	if err != nil {
		return worldtest.Slug(err)
	}
	c.page.Go(decided.Return)
	return ""
}

// told holds a refusal's page to what it has to be, keeps its picture, and changes its language
// where it was the answer to a form: what happened is told in the other one too.
func (c caller) told(slug, shot string) {
	c.t.Helper()
	c.page.Until(".problem")
	if !c.sees(asProblem(c.lang, slug)) {
		c.t.Errorf("%s: %q is not told, but %q", shot, asProblem(c.lang, slug), c.page.Text(".problem"))
	}
	c.page.Shot("refused-" + shot).Whole(c.t)
	other := text.English
	if c.lang == other {
		other = text.Japanese
	}
	c.page.Click(`nav a[hreflang="` + string(other) + `"]`).Until(`html[lang="` + string(other) + `"]`)
	if strings.Contains(c.page.Address(), "/answers/") && !c.sees(asProblem(other, slug)) {
		c.t.Errorf("%s: the other language has lost it", shot)
	}
	c.page.Click(`nav a[hreflang="` + string(c.lang) + `"]`).Until(`html[lang="` + string(c.lang) + `"]`)
}

// sees reports whether a problem's title is told, whatever stands in it for what it names.
func (c caller) sees(title string) bool {
	c.t.Helper()
	return !slices.ContainsFunc(strings.Split(title, "—"), func(part string) bool { return !c.page.Sees(strings.TrimSpace(part)) })
}

// Each service refuses whom it cannot serve, in words and with what to do next, in both languages
// and at both sizes: certificates on hold or over, who has moved, who tells nothing, who is
// too young, a form that was sent twice, and one that has run out of time.
func TestTheServicesRefuseInWords(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	p := w.Places
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		at := func(words string) caller {
			return caller{t, w, b.Page(t, size, string(lang)), lang, made(t, w, words)}
		}
		id := []string{"a", "b"}[i]
		t.Run("held "+size.Name, func(t *testing.T) {
			c := at("held" + id + "+phone")
			c.t = t
			c.page.Go(p.Carrier + "/").Click(`a[href="/visit"]`)
			c.approves()
			c.page.Click(`form[action="/contracts"] button`)
			contract := c.page.Address()
			c.page.Click(`a[href$="/sign"]`)
			held(t, w, c.who)
			if got := c.approves(); got == "" {
				t.Error("what is on hold signs")
			}
			c.page.Click(`form[action$="/cancel"] button`)
			c.told("visitor-declined", "carrier-declined")
			c.page.Go(contract).Shot("carrier-waits").Whole(t)
		})
		t.Run("withheld "+size.Name, func(t *testing.T) {
			c := at("shy" + id + "+phone")
			c.t = t
			c.page.Go(p.Cashless + "/").Click(`a[href="/visit"]`)
			c.approves("none")
			c.page.Shot("cashless-nameless").Whole(t).Click(`form[action="/join"] button`)
			c.told("visitor-attributes-withheld", "cashless-withheld")
			c.page.Go(p.Bank + "/accounts").Click(`a[href^="/visit"]`)
			c.approves("none")
			c.page.Shot("bank-nameless").Click(`form[action="/accounts"] button`)
			c.told("visitor-attributes-withheld", "bank-withheld")
		})
		t.Run("moved "+size.Name, func(t *testing.T) {
			c := at("moved" + id + "+moved")
			c.t = t
			c.page.Go(p.Portal + "/").Click(`a[href="/visit"]`)
			c.approves()
			c.page.Shot("portal-moved").Whole(t).Go(p.Portal + "/records").Shot("portal-records-moved").Whole(t)
		})
		t.Run("twice and late "+size.Name, func(t *testing.T) {
			c := at("late" + id + "+phone")
			c.t = t
			c.page.Go(p.Portal + "/visit")
			c.approves()
			c.page.Go(p.Portal + "/procedures/moving-out").Shot("portal-moving").Whole(t)
			c.page.Go(p.Portal+"/procedures/child-allowance").Choose("[name=town]", "13101").Type("[name=answer-child]", "　").Type("[name=answer-account]", "1").Choose("[name=answer-born]", "2025-04-01").Click("main form button")
			c.told("portal-answer-missing", "portal-missing")
			c.page.Type("[name=answer-child]", "見本 花子").Choose("[name=answer-born]", "2025-04-01").Type("[name=answer-account]", "見本銀行 0000001").Click("main form button")
			draft := c.page.Address()
			c.page.Shot("portal-draft").Whole(t).Click(`a[href$="/sign"]`)
			c.approves()
			c.page.Until(".receipt").Shot("portal-receipt").Whole(t)
			c.page.Go(draft + "/sign")
			c.told("portal-application-submitted", "portal-twice")
			c.page.Go(p.Portal + "/applications").Shot("portal-applications").Whole(t)
			c.page.Go(p.Portal + "/applications/000000-nobody")
			c.told("portal-application-unknown", "portal-unknown")
		})
	}
}

// held suspends what is on a person's phone.
func held(t testing.TB, w *world.World, who persona.Made) {
	t.Helper()
	if err := doorway.NewClient(w.Places.Phones).Post(context.Background(), "/api/phones/"+who.Phone+"/suspend", phones.Order{Password: who.Password}, nil); err != nil {
		t.Fatal(err)
	}
}

// Names that are long, rare or in other letters lay out wherever a service shows them.
func TestNamesOfEveryKindLayOut(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	p := w.Places
	for i, name := range []string{"nagai", "maria", "kaoru"} {
		t.Run(name, func(t *testing.T) {
			lang := text.Languages[i%2]
			c := caller{t, w, b.Page(t, browsertest.Phone, string(lang)), lang, made(t, w, name+"+phone")}
			c.page.Go(p.Portal + "/visit")
			c.approves()
			c.page.Shot("portal-name-" + name).Whole(t).Go(p.Portal + "/records").Whole(t)
			c.page.Go(p.Bank + "/accounts").Click(`a[href^="/visit"]`)
			c.approves()
			c.page.Whole(t).Click(`form[action="/accounts"] button`).Click(`a[href$="/sign"]`)
			c.approves()
			c.page.Until(".receipt").Shot("bank-name-" + name).Whole(t)
			c.page.Go(p.Carrier + "/visit")
			c.approves()
			c.page.Whole(t).Click(`form[action="/contracts"] button`).Shot("carrier-name-" + name).Whole(t)
			c.page.Go(p.Cashless + "/visit")
			c.approves()
			c.page.Click(`form[action="/join"] button`).Type("#yen", "５００").Click(`form[action="/payments"] button`).See(says(lang, "cashless.paid")).Shot("cashless-name-" + name).Whole(t)
		})
	}
}
