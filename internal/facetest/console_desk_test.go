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
	return consoleOf(World(t).Places.Server)
}

func consoleOf(server string) string {
	return strings.Replace(server, "127.0.0.1", "localhost", 1) + "/console"
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

// walks are a phone in Japanese and a desk in English: what answers a form is seen in both
// languages so, and Whole looks at everything else at both sizes and in both by itself.
var walks = []struct {
	size browsertest.Size
	lang text.Lang
}{{browsertest.Phone, text.Japanese}, {browsertest.Desktop, text.English}}

// asked types the three questions' answers and looks up.
func asked(page *browsertest.Page, reading, birth, telephone string) *browsertest.Page {
	return page.Type("#reading", reading).Type("#birth", birth).Type("#telephone", telephone).Click(`form[action="/console/hotline"] button`)
}

// The hotline as it is worked: a call that suspends a phone and a stolen card, four eyes that turn
// down and resume, and what is refused on the way.
func TestTheHotlinesCallAndFourEyes(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	for i, walk := range walks {
		telephone := "0901234567" + string(rune('0'+i))
		birth := called(t, telephone)
		page := as(t, b.Page(t, walk.size, string(walk.lang)), []string{"aoi", "ken"}[i])
		page.Shot("console-home").Whole(t).Go(console(t) + "/hotline").Shot("console-hotline").Whole(t).Zoomed(t)
		wide := strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９", "-", "ー")
		asked(page, "テスト", wide.Replace(birth), wide.Replace(telephone)).Until(".call-clock").Until(`[data-call-left]:not(:empty)`)
		call := page.Shot("console-call").Whole(t).Address()
		page.Click(`input[name="phone"][value="stolen"]`).Click(`input[name="card"][value="stolen"]`).Click(`form[action$="/suspend"] button`).Until(".done")
		page.Until("details.later[open]").Shot("console-suspended").Whole(t)
		page.Click(`form[action$="/propose"] button`).Until(".problem").Alone(t) // nobody rang back yet
		page.Go(call).Click(`input[value="answered"]`).Click(`form[action$="/call-back"] button`).Until(".done")
		fourEyes(t, b, page, walk.size, walk.lang, call)
		page.Go(call).Shot("console-call-after").Whole(t).Click(`form[action$="/over"] button`).Until("#reading")
		page.Go(call).Whole(t) // the match is no longer at hand
		page.Go(console(t) + "/hotline")
		asked(page, "だれか", "1900-01-01", "0311112222").Until(".call-clock").Shot("console-call-nobody").Whole(t)
		page.Go(console(t) + "/hotline")
		asked(page, "漢字", "1900-01-01", "0311112222").Until(".problem").Shot("console-hotline-wrong").Alone(t)
		page.Go(console(t) + "/hotline/find?receipt=1").Until(".problem").Whole(t)
		page.Go(console(t) + "/audit").Until(".problem").Shot("console-refused").Whole(t)
		page.Go(console(t)+"/hotline").Type("#receipt", wide.Replace(strings.TrimPrefix(call, console(t)+"/hotline/"))).Click(`form[action$="/find"] button`).Until(".call-clock")
	}
}

// fourEyes goes from a call whose holder answered to a proposal that is taken back, one that is
// turned down, one of one's own, and one that another operator confirms.
func fourEyes(t *testing.T, b *browsertest.Browser, page *browsertest.Page, size browsertest.Size, lang text.Lang, call string) {
	t.Helper()
	propose := func() {
		page.Go(call).Click(`form[action$="/propose"] button`).Until(".done")
		page.Go(console(t) + "/queue").Until(`form[action$="/decline"]`)
	}
	propose()
	page.Shot("console-queue").Whole(t).Click(`form[action$="/decline"] button`).Until(".done").Shot("console-queue-empty").Whole(t)
	propose()
	other := as(t, b.Page(t, size, string(lang)), "rin").Go(console(t) + "/queue").Shot("console-queue-other").Whole(t).Zoomed(t)
	stale := b.Page(t, size, string(lang))
	as(t, stale, "sei").Go(console(t) + "/queue").Until(`form[action$="/decline"]`)
	other.Click(`form[action$="/decline"] button`).Until(".done").Alone(t)
	stale.Click(`form[action^="/console/queue/"]:not([action$="/decline"]) button`).Until(".problem").Alone(t) // it is over
	propose()
	page.Eval(`(() => { const f = document.querySelector('form[action$="/decline"]'); f.setAttribute("action", f.getAttribute("action").replace("/decline", "")); f.insertAdjacentHTML("beforeend", '<input type="hidden" name="verb" value="resume">'); return 0; })()`, nil)
	page.Click(`form[action^="/console/queue/"] button`).Until(".problem").Alone(t) // one's own
	other.Go(console(t) + "/queue").Click(`form[action^="/console/queue/"]:not([action$="/decline"]) button`).Until(".done").Shot("console-queue-confirmed").Whole(t)
	if other.Back().Has(`form[action^="/console/queue/"]:not([action$="/decline"])`) { // the page before, as it was kept
		other.Click(`form[action^="/console/queue/"]:not([action$="/decline"]) button`).Until(".problem").Alone(t)
	}
}

// The call and the four eyes' decision with the keyboard alone.
func TestTheHotlineByKeyboard(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	birth := called(t, "09076543210")
	page := as(t, b.Page(t, browsertest.Desktop, "en"), "aoi").Go(console(t) + "/hotline").Keyboard(t)
	page.Eval(`document.activeElement.blur(); 0`, nil)
	for _, words := range []string{"てすと", birth, "09076543210"} {
		tabTo(t, page, `document.activeElement.matches("#reading, #birth, #telephone") && document.activeElement.value === ""`)
		var id string
		page.Eval(`document.activeElement.id`, &id)
		page.Type("#"+id, words)
	}
	page.Press("Enter").Until(".call-clock")
	tabTo(t, page, `document.activeElement.closest('form[action$="/suspend"]') && document.activeElement.name === "phone"`)
	page.Press("ArrowRight")
	tabTo(t, page, `document.activeElement.matches('form[action$="/suspend"] button')`)
	page.Press("Enter").Until(".done").Keyboard(t)
	page.Eval(`document.activeElement.blur(); 0`, nil)
	tabTo(t, page, `document.activeElement.name === "outcome"`)
	page.Press("Space")
	tabTo(t, page, `document.activeElement.matches('form[action$="/call-back"] button')`)
	page.Press("Enter").Until(".done")
	tabTo(t, page, `document.activeElement.matches('form[action$="/propose"] button')`)
	page.Press("Enter").Until(".done")
	other := as(t, b.Page(t, browsertest.Desktop, "en"), "rin").Go(console(t) + "/queue").Keyboard(t)
	other.Eval(`document.activeElement.blur(); 0`, nil)
	tabTo(t, other, `document.activeElement.matches('form[action^="/console/queue/"]:not([action$="/decline"]) button')`)
	other.Press("Enter").Until(".done").See(text.Sentence("console.queue.done.resume", text.English, nil))
}

// tabTo presses Tab until an expression holds.
func tabTo(t *testing.T, page *browsertest.Page, holds string) {
	t.Helper()
	for range 80 {
		var there bool
		if page.Eval("!!("+holds+")", &there); there {
			return
		}
		page.Press("Tab")
	}
	t.Fatalf("never reached: %s at %s", holds, page.Address())
}

// The auditor's pages: calls, a search by each field, one without a result, one with a mistake, a
// page further, the export and the chains.
func TestTheAuditorsPages(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	Persona(t, "+hold@signature")
	for i, walk := range walks {
		page := as(t, b.Page(t, walk.size, string(walk.lang)), "mio")
		page.Go(console(t) + "/calls").Shot("console-calls").Whole(t)
		page.Go(console(t) + "/calls?from=yesterday").Until(".problem").Whole(t)
		page.Go(console(t) + "/audit").Shot("console-audit").Whole(t).Zoomed(t)
		if i == 0 {
			page.Keyboard(t)
		}
		page.Go(console(t) + "/audit?verb=never").Shot("console-audit-none").Whole(t)
		page.Go(console(t) + "/audit?subject=" + strings.Repeat("x", 200)).Until(".problem").Whole(t)
		page.Go(console(t)+"/audit").Type(`input[name="actor"]`, "operator:mio").Type(`input[name="from"]`, "yesterday").Click(`form[method="get"] button`).Until(".problem").Shot("console-audit-wrong").Whole(t)
		page.Go(console(t) + "/audit?verb=hold").Until("td").Whole(t).Click(`form[action$="/export"] button`)
		page.Click(`form[action$="/wholeness"] button`).Until("section.done").Shot("console-wholeness").Alone(t) // its page stayed, and its forms work
		page.Go(console(t) + "/hotline").Until(".problem").Whole(t)
	}
}

// Somebody is invited, makes a passkey, signs out and in again with it, adds a second one; then
// the passkey is lost, and they leave.
func TestPasskeysInABrowser(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	for i, walk := range walks {
		name := "emi" + string(rune('0'+i))
		t.Run(walk.size.Name+" "+string(walk.lang), func(t *testing.T) { passkeys(t, b, walk.size, string(walk.lang), name) })
	}
}

func passkeys(t *testing.T, b *browsertest.Browser, size browsertest.Size, lang, name string) {
	admin := as(t, b.Page(t, size, lang), "nao")
	admin.Go(console(t) + "/staff").Shot("console-staff").Whole(t).Zoomed(t)
	admin.Type(`input[name="name"]`, name).Choose(`select[name="role"]`, "administrator").Click(`form[action$="/invitations"] button`).Until(".one-time").Shot("console-link").Alone(t)
	link := strings.TrimSpace(admin.Text(".one-time"))
	admin.Go(console(t) + "/staff").Until(`form[action$="/withdrawal"]`).Whole(t)
	page := b.Page(t, size, lang).Passkeys()
	page.Go(link).Until("[data-passkey-go]").Shot("console-enrol").Whole(t)
	page.Click("[data-passkey-go]").Until(".desk-who").Whole(t)
	page.Go(link).Until(".problem").Shot("console-link-used").Whole(t)
	page.Go(console(t) + "/passkeys").Shot("console-passkeys").Whole(t).Click(`a[href="/console/passkeys/new"]`).Until("[data-passkey-go]").Shot("console-passkey-new").Whole(t)
	page.Click("[data-passkey-go]").Until(`[data-passkey-said]:not(:empty)`).Alone(t) // this authenticator has one already
	page.SecurityKey().Click("[data-passkey-go]").Until(".done").Shot("console-passkeys-two").Whole(t)
	page.Click(`form[action$="/removal"] button`).Until(".done").Until(".care").Whole(t)
	page.Click(".desk-who button").Until("[data-passkey-go]").Shot("console-sign-in").Whole(t)
	page.Click("[data-passkey-go]").Until(".desk-who")
	page.Go(console(t) + "/step-up?back=/console/staff").Until("[data-passkey-go]").Shot("console-step-up").Whole(t)
	page.Click("[data-passkey-go]").Until("table.dense").Whole(t)
	admin.Go(console(t) + "/staff/" + name + "/lost").Shot("console-lost").Whole(t).Click("button.bad").Until(".one-time")
	page.Go(console(t)).Until("[data-passkey-go]")
	page.Click("[data-passkey-go]").Until(".problem").Shot("console-unknown-passkey").Alone(t)
	admin.Go(console(t) + "/staff/" + name + "/removal").Shot("console-removal").Whole(t).Click("button.bad").Until(".done").Whole(t)
	admin.Type(`input[name="name"]`, name).Click(`form[action$="/invitations"] button`).Until(".problem").Alone(t) // the name is given to nobody again
}
