package facetest

import (
	"context"
	"strings"
	"testing"

	"warifu/internal/browsertest"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// console is where passkeys work: this machine's name is localhost.
func console(t testing.TB) string {
	t.Helper()
	return strings.Replace(World(t).Places.Server, "127.0.0.1", "localhost", 1) + "/console"
}

// as signs a tab in as one of the sandbox's operators.
func as(t testing.TB, page *browsertest.Page, name string) *browsertest.Page {
	t.Helper()
	return page.Go(console(t) + "/sign-in").Click(`form:has(input[name="name"][value="` + name + `"]) button`)
}

// called has somebody own a phone and register a contact: a telephone number that nobody else has.
func called(t testing.TB, telephone string) (birth string) {
	t.Helper()
	w := World(t)
	of := Person(t)
	made := Persona(t, of.ID+"+phone")
	err := doorway.NewClient(w.Places.Phones).Post(context.Background(), "/api/phones/"+made.Phone+"/contact",
		map[string]any{"contact": map[string]string{"reading": "てすと", "telephone": telephone}, "password": made.Password}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return of.Birth
}

// The hotline as it is worked: a call that suspends, four eyes that resume, and the auditor
// who reads of it afterwards.
func TestTheHotlinesCallAndFourEyes(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	n := 0
	for _, size := range browsertest.Sizes {
		for _, lang := range text.Languages {
			n++
			telephone := "0901234567" + string(rune('0'+n))
			birth := called(t, telephone)
			page := as(t, b.Page(t, size, string(lang)), []string{"aoi", "ken"}[n%2])
			page.Whole(t).Go(console(t) + "/hotline").Shot("console-hotline").Whole(t)
			page.Type("#reading", "てすと").Type("#birth", birth).Type("#telephone", telephone).Click("button.wide").Until(".call-clock")
			page.Shot("console-call").Whole(t)
			page.Click(`form[action$="/suspend"] button`).Until(".done").Whole(t)
			call := page.Address()
			page.Click(`input[value="answered"]`).Click(`form[action$="/call-back"] button`).Until(".done")
			page.Click(`form[action$="/propose"] button`).Until(".done").Whole(t)
			page.Go(console(t) + "/queue").Shot("console-queue").Whole(t)
			other := as(t, b.Page(t, size, string(lang)), "rin")
			other.Go(console(t) + "/queue").Shot("console-queue-other").Whole(t).Zoomed(t)
			other.Click(`form[action^="/console/queue/"] button`).Until(".done").Whole(t)
			page.Go(call).Whole(t).Zoomed(t)
			page.Go(console(t)+"/hotline").Type("#reading", "だれか").Type("#birth", "1900-01-01").Type("#telephone", "0311112222").Click("button.wide").Until(".call-clock").Whole(t)
			page.Go(console(t)+"/hotline").Type("#reading", "漢字").Type("#birth", "1900-01-01").Type("#telephone", "0311112222").Click("button.wide").Until(".problem").Whole(t)
			page.Go(console(t) + "/audit").Until(".problem").Whole(t)
		}
	}
	for _, size := range browsertest.Sizes {
		for _, lang := range text.Languages {
			page := as(t, b.Page(t, size, string(lang)), "mio")
			page.Go(console(t) + "/calls").Shot("console-calls").Whole(t)
			page.Go(console(t) + "/audit").Shot("console-audit").Whole(t).Zoomed(t)
			page.Go(console(t) + "/audit?verb=never").Whole(t)
			page.Click(`form[action$="/wholeness"] button`).Whole(t)
		}
	}
}

// Somebody is invited, makes a passkey, signs out and in again with it; then the passkey is lost,
// and they leave.
func TestPasskeysInABrowser(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	n := 0
	for _, size := range browsertest.Sizes {
		for _, lang := range text.Languages {
			n++
			name := "emi" + string(rune('0'+n))
			t.Run(size.Name+" "+string(lang), func(t *testing.T) { passkeys(t, b, size, string(lang), name) })
		}
	}
}

func passkeys(t *testing.T, b *browsertest.Browser, size browsertest.Size, lang, name string) {
	admin := as(t, b.Page(t, size, lang), "nao")
	admin.Go(console(t) + "/staff").Shot("console-staff").Whole(t).Zoomed(t)
	admin.Type(`input[name="name"]`, name).Choose(`select[name="role"]`, "administrator").Click(`form[action$="/invitations"] button`).Until(".one-time").Whole(t)
	link := admin.Text(".one-time")
	page := b.Page(t, size, lang).Passkeys()
	page.Go(strings.TrimSpace(link)).Until("[data-passkey-go]").Shot("console-enrol").Whole(t)
	page.Click("[data-passkey-go]").Until(".desk-who").Whole(t)
	page.Click(".desk-who button").Until("[data-passkey-go]").Shot("console-sign-in").Whole(t)
	page.Click("[data-passkey-go]").Until(".desk-who")
	page.Go(console(t) + "/step-up?back=/console/staff").Until("[data-passkey-go]").Whole(t)
	page.Click("[data-passkey-go]").Until("table.dense").Whole(t)
	admin.Go(console(t) + "/staff/" + name + "/lost").Whole(t).Click("button.bad").Until(".one-time")
	page.Go(console(t)).Until("[data-passkey-go]")
	page.Click("[data-passkey-go]").Until(".problem").Whole(t)
	page.Go(strings.TrimSpace(link)).Until(".problem").Whole(t)
	admin.Go(console(t) + "/staff/" + name + "/removal").Whole(t).Click("button.bad").Until(".done").Whole(t)
}
