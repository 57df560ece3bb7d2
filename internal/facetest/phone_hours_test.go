package facetest

import (
	"testing"
	"time"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/fault"
	"warifu/sandbox/person"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
	"warifu/text"
)

// When the certificates will be there is told by the hours (R38–R41, K1), before one applies, after
// it and where the application stands; the next morning the notice comes.
func TestTheHoursAreTold(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	w := worldtest.Stand(t, func(c *world.Config) { c.Scheme = "jp-mobile" })
	page := b.Page(t, browsertest.Phone, "ja")
	at := walker{page, t, bought(t, w, phones.Buy{}), resident(t, w, "taro"), true}
	for _, c := range []struct{ name, time, says string }{
		{"early", "06:00", "から発行されます"}, {"in-hours", "19:20", "10分以内に発行されます"}, {"after-hours", "19:30", "から申し込みの順に発行されます"},
	} {
		worldtest.Forward(t, w, c.time)
		at.Go(at.phone + "/apply").See(c.says)
		at.screen("hours-" + c.name)
	}
	at.shots = false
	at.toCard(at.who.PINs.Signature).toSent()
	at.shots = true
	at.Until(`a[href$="/application"].button`).See("受付時間")
	at.screen("done-after-hours").Go(at.phone + "/application").See(text.Sentence("app.application.due", text.Japanese, nil))
	at.screen("application-waits").Go(at.phone).See(text.Sentence("app.home.submitted", text.Japanese, nil))
	at.screen("home-waits").Go(at.phone + "/notices")
	worldtest.Forward(t, w, "07:31")
	at.Until(`#bubble:not([hidden]) a[href$="/register"]`)
	at.screen("notice-in-the-morning").Click("#bubble a")
	at.shots = false
	at.press("/register").Until("#code")
}

// resident is a person of the sandbox's own world.
func resident(t *testing.T, w *world.World, id string) person.Record {
	t.Helper()
	v, err := w.Bureau.Show(id)
	if err != nil {
		t.Fatal(err)
	}
	return v.Person.Record()
}

// Who does not go on is met where they come back: what was typed is cleared, the card is asked
// again (R45), an application that nobody fetched has lapsed (K14). Without notices the menu tells.
func TestWhoComesBackLater(t *testing.T) {
	Long(t)
	w := worldtest.Stand(t, func(c *world.Config) { c.Begin = morning(time.Now()) })
	people := []string{"taro", "hanako"}
	inBoth(t, func(t *testing.T, page *browsertest.Page, lang text.Lang) {
		who := resident(t, w, people[0])
		people = people[1:]
		at := walker{page, t, bought(t, w, phones.Buy{}), who, false}
		at.Go(at.phone + "/apply")
		at.press("/apply/begin").Until(`input[name="card-password"]`)
		at.Go(at.phone)
		at.shots = true
		at.screen("home-under-way").Go(at.phone + "/apply").Until(`input[name="card-password"]`)
		worldtest.Forward(t, w, "+1h")
		at.Type(`input[name="card-password"]`, "ABCD1234").Press("Enter").See(told("app-draft-expired", lang))
		at.screen("left-lying").Go(at.phone + "/notices").Click(`form[action$="/notices"] button`).See(text.Sentence("app.notices.off", lang, nil))
		at.screen("notices-off")
		at.shots = false
		at.toCard(who.PINs.Signature).toSent()
		at.Until(`a[href$="/application"].button`).See(text.Sentence("app.done.look", lang, nil))
		at.shots = true
		at.screen("done-quiet").Until(`a[href$="/application"].button`).Click(`a[href$="/application"].button`)
		for !at.Has(`a.button[href$="/register"]`) { // the holder looks again, as the screen says
			at.Go(at.phone + "/application").Until(`.way`)
		}
		if at.Has("#bubble:not([hidden])") {
			t.Error("a notice is shown to who does not want any")
		}
		at.screen("application-issued").Go(at.phone).Until(`a.button[href$="/register"]`)
		at.screen("home-issued")
		worldtest.Forward(t, w, "+25h")
		at.Go(at.phone + "/register")
		at.press("/register").refused("card-again", "card-proof-required")
		at.Type(`input[name="card-pin"]`, "12").Choose(`select[name="card"]`, who.ID).Click("button.hold")
		at.refused("card-again-impossible", "card-pin-format")
		at.Type(`input[name="card-pin"]`, "0000").Choose(`select[name="card"]`, who.ID).Click("button.hold")
		at.refused("card-again-wrong", "card-pin-wrong")
		at.Type(`input[name="card-pin"]`, "1217").Choose(`select[name="card"]`, "kenji").Click("button.hold").Until("#problem")
		at.screen("card-again-other")
		worldtest.Forward(t, w, "+744h")
		at.Go(at.phone + "/application").See(text.Sentence("app.application.lapsed", lang, nil))
		at.screen("application-lapsed").Go(at.phone)
		at.screen("home-lapsed")
	})
}

// A registration whose line breaks goes on where it stopped; what is sent twice is one.
func TestARegistrationIsCutAndGoesOn(t *testing.T) {
	Long(t)
	w := worldtest.Stand(t, func(c *world.Config) { c.Begin = morning(time.Now()) })
	people := []string{"taro", "hanako"}
	inBoth(t, func(t *testing.T, page *browsertest.Page, lang text.Lang) {
		who := resident(t, w, people[0])
		people = people[1:]
		at := walker{page, t, bought(t, w, phones.Buy{}), who, false}
		set := func(s fault.Setting) {
			t.Helper()
			if err := w.Faults.On(s); err != nil {
				t.Fatal(err)
			}
		}
		at.toCard(who.PINs.Signature).toSent()
		at.Until(`#bubble:not([hidden]) a[href$="/register"]`).Click("#bubble a")
		set(fault.Setting{Name: fault.AppSlow, Length: time.Minute})
		at.twice("/register").Go(at.phone + "/register").Until("#progress")
		at.shots = true
		at.screen("writing-begins").Go(at.phone).Until("#progress") // wherever one looks, the phone is busy
		set(fault.Setting{Name: fault.AppOffline})
		if err := w.Faults.Off(fault.AppSlow); err != nil {
			t.Fatal(err)
		}
		at.Go(at.phone + "/register")
		at.refused("cut", "server-unreachable").See(text.Sentence("app.register.resume", lang, nil))
		if err := w.Faults.Off(fault.AppOffline); err != nil {
			t.Fatal(err)
		}
		at.shots = false
		at.press("/register").Until("#code").Go(at.phone).See(text.Sentence("app.code.unnoted", lang, nil))
		at.shots = true
		at.screen("code-unnoted").Click(`a[href$="/registered"]`).Until("#code")
		at.Click(`input[name="noted"]`).Click(`button[value="screenlock"]`).Until(`input[name="pin"]`)
		at.screen("screenlock").Type(`input[name="pin"]`, "0000").Click(`.screen form button`)
		at.refused("screenlock-wrong", "secret-wrong").Type(`input[name="pin"]`, "2468").Click(`input[value="fingerprint:stranger"]`).Click(`.screen form button`)
		at.refused("screenlock-stranger", "screen-lock-refused").Type(`input[name="pin"]`, "2468").Click(`input[value="fingerprint:thumb"]`).Click(`.screen form button`)
		at.See(text.Sentence("my.done.screenlock", lang, nil))
		at.screen("screenlock-done").Go(at.phone + "/screenlock")
		at.screen("screenlock-on")
	})
}

// twice sends the form at hand three times at once, as an impatient person's browser might.
func (w walker) twice(form string) walker {
	w.t.Helper()
	w.Eval(`(() => { const f = document.querySelector('form[action$="`+form+`"]'); return Promise.all([1, 2, 3].map(() => fetch(f.action, {method: "POST", body: new URLSearchParams(new FormData(f)), redirect: "manual"}))).then(() => 0); })()`, nil)
	return w
}

// Every form of the way that is sent three times at once has been sent once.
func TestWhatIsSentTwiceIsOne(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	at := walker{b.Page(t, browsertest.Desktop, "en"), t, bought(t, w, phones.Buy{}), Person(t), false}
	again := func(step string) {
		t.Helper()
		at.twice(step).Go(at.phone + "/apply")
	}
	at.Go(at.phone + "/apply")
	again("/apply/begin")
	at.Until(`input[name="card-password"]`).Type(`input[name="card-password"]`, at.who.PINs.Signature)
	again("/password")
	at.Until(`form[action$="/choose"]`)
	again("/choose")
	at.Until(`input[name="consent"]`).Click(`input[name="consent"]`)
	again("/notes")
	at.Until(`form[action$="/apply/prepare"] button`)
	again("/apply/prepare")
	at.Until("button.hold").Choose(`select[name="card"]`, at.who.ID)
	again("/apply/card")
	at.Until(`form[action$="/apply/lift"] button`)
	again("/lift")
	at.Until(`form[action$="/signature"]`).Type(`input[name="next"]`, "PHONE123").Type(`input[name="again"]`, "PHONE123")
	again("/signature")
	at.Until(`form[action$="/pin"]`).Type(`input[name="next"]`, "2468").Type(`input[name="again"]`, "2468")
	at.twice("/pin").Go(at.phone + "/apply/done").Until(`a[href$="/application"].button`)
	at.Until(`#bubble:not([hidden]) a[href$="/register"]`).Click("#bubble a")
	at.twice("/register").Go(at.phone + "/register").Until("#code")
}
