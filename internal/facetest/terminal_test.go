package facetest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"warifu"
	"warifu/internal/browsertest"
	"warifu/internal/towntest"
	"warifu/jpki"
	"warifu/profile"
	"warifu/sandbox/clinic"
	"warifu/sandbox/doorway"
	"warifu/sandbox/kiosk"
	"warifu/sandbox/person"
	"warifu/sandbox/reader"
	"warifu/sandbox/terminal"
	"warifu/text"
)

// The screens' own sizes.
var (
	upright = browsertest.Size{Name: "kiosk", Width: 1080, Height: 1920, Touch: true}
	lying   = browsertest.Size{Name: "clinic", Width: 800, Height: 480, Touch: true}
)

// terminals are a kiosk and a clinic in a town whose clock stands until it is moved. What is
// touched is a person's card; "phone-ID" is the same card under a phone's label.
type terminals struct {
	*towntest.Town
	kiosk, clinic string // addresses
	torn          atomic.Bool
	label         atomic.Value // of whatever is touched, where it is not its own
}

// people are persons whose cards, or phones, are touched.
var people = []string{"taro", "sakura", "kyoko", "uruu", "hanako", "kenji", "maria", "nagai", "kaoru", "mika", "shin", "goro"}

func chips() (out []terminal.Chip, err error) {
	for _, id := range people {
		out = append(out, terminal.Chip{ID: id, Class: profile.ClassCard}, terminal.Chip{ID: "phone-" + id, Class: profile.ClassPhone})
	}
	return out, nil
}

func openTerminals(t *testing.T) *terminals {
	t.Helper()
	s := &terminals{Town: towntest.New(t)}
	touched := func(id string) reader.Source {
		name, isPhone := strings.CutPrefix(id, "phone-")
		o := s.Put(name)
		if isPhone {
			o.Label = jpki.LabelPhone
		}
		if label, _ := s.label.Load().(string); label != "" {
			o.Label = label
		}
		if s.torn.Load() {
			o.Fault, o.At = towntest.Torn, 4
		}
		return o
	}
	k := kiosk.New(kiosk.Config{Town: kiosk.NewTown(s.Origin+"/municipality", towntest.KioskKey), Clock: s.Clock, Scheme: s.Scheme, Touched: touched,
		Chips: chips})
	kept := &clinic.Kept{List: s.Origin + "/bureau/crl/authentication.crl", Pack: s.Origin + "/none", Phones: s.Bureau.Authority(warifu.Authentication), Clock: s.Clock}
	c := clinic.New(clinic.Config{Origin: "http://clinic.test", Insurers: clinic.NewInsurers(s.Origin+"/insurers", towntest.ClinicKey), Clock: s.Clock, Scheme: s.Scheme,
		Trust: s.Trust, Kept: kept, Refresh: kept.Refresh, Touched: touched,
		Chips: chips})
	s.kiosk, s.clinic = serve(t, k.Routes), serve(t, c.Routes)
	return s
}

// serve has a place answer as it does in the sandbox, with its guard and its assets.
func serve(t *testing.T, routes func(*http.ServeMux)) string {
	t.Helper()
	mux := http.NewServeMux()
	routes(mux)
	site := httptest.NewUnstartedServer(nil)
	site.Config.Handler = doorway.Guard(mux, doorway.LoopbackHosts(site.Listener.Addr())...)
	doorway.Endable(site.Config)
	site.Start()
	t.Cleanup(site.Close)
	return site.URL
}

// visitor is a person before a terminal's screen.
type visitor struct {
	*browsertest.Page
	t      *testing.T
	lang   text.Lang
	prefix string // of the pictures' names
}

func (v visitor) sees(key string, pairs ...string) visitor {
	v.t.Helper()
	params := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
	}
	v.See(text.Sentence(key, v.lang, params))
	return v
}

// refused sees the title of a problem.
func (v visitor) refused(slug string) visitor {
	v.t.Helper()
	title, _, _ := text.Problem(refusal(slug), v.lang)
	v.See(title)
	return v
}

// refusal is a problem with what its title asks for.
func refusal(slug string) *warifu.Error {
	return warifu.Refused(slug, "kind", warifu.Authentication.String())
}

// looked holds the screen at hand to what every page must be, and keeps its picture.
func (v visitor) looked(name string) visitor {
	v.t.Helper()
	v.Whole(v.t)
	v.Shot(v.prefix + "-" + name)
	return v
}

// types presses a PIN's keys on the screen's pad.
func (v visitor) types(pin string) visitor {
	v.t.Helper()
	for _, digit := range pin {
		v.Click(`[data-digit="` + string(digit) + `"]`)
	}
	return v
}

// touches types a PIN, goes on, and touches what the tray offers.
func (v visitor) touches(pin string) visitor {
	v.t.Helper()
	v.types(pin).Click(".pin .go")
	v.Click(".tray button")
	return v
}

// targets are the buttons and links of the device that are too small for a finger.
func (v visitor) targets() {
	v.t.Helper()
	var small []string
	v.Eval(`[...document.querySelectorAll(".device button, .device a.button, .masthead nav a")].filter((e) => { const r = e.getBoundingClientRect(); return r.width && (r.width < 44 || r.height < 44); }).map((e) => e.innerText)`, &small)
	if len(small) > 0 {
		v.t.Errorf("%s: smaller than 44 pixels: %q", v.Address(), small)
	}
}

// each runs a walk in Japanese at the device's size and in English on a phone's screen, where
// room is scarce.
func each(t *testing.T, own browsertest.Size, prefix string, walk func(visitor)) {
	b := browsertest.Open(t)
	for lang, size := range map[text.Lang]browsertest.Size{text.Japanese: own, text.English: browsertest.Phone} {
		t.Run(string(lang)+" "+size.Name, func(t *testing.T) {
			walk(visitor{Page: b.Page(t, size, string(lang)), t: t, lang: lang, prefix: prefix})
		})
	}
}

func TestAKioskPrintsWithPhoneAndWithCard(t *testing.T) {
	Long(t)
	s := openTerminals(t)
	each(t, upright, "kiosk", func(v visitor) {
		v.Go(s.kiosk)
		v.sees("kiosk.q-welcome").looked("welcome").targets()
		v.Click(`[value=phone]`)
		v.sees("terminal.q-pin-phone").looked("pin-phone").targets()
		v.types("1217").Click(".pin .go")
		v.sees("terminal.q-tap-phone").looked("tap-phone").targets()
		v.Click(".tray button")
		v.sees("kiosk.q-document").looked("document")
		v.Click(`[value=residence]`)
		v.sees("kiosk.q-whom").looked("whom")
		v.Click(`[value=yes]`)
		v.sees("kiosk.q-relation").looked("relation")
		v.Click(`[value=no]`)
		v.sees("kiosk.q-copies").looked("copies").targets()
		v.Click(`[value="2"]`)
		v.sees("kiosk.q-pay").looked("pay").targets()
		v.Click(`[value="500"]`)
		v.sees("kiosk.q-paid").looked("paid")
		v.Click(".go")
		v.sees("kiosk.take-phone").looked("done").targets()
		v.Click(".go")
		v.sees("kiosk.q-welcome")
		v.Click(`[value=card]`)
		v.sees("terminal.q-pin-card").looked("pin-card")
		v.touches("1217")
		v.sees("kiosk.q-document")
		v.Click(`[value=seal]`)
		v.Click(`[value="1"]`)
		v.Click(`[value="100"]`)
		v.Click(`form[action$=leave] button`)
		v.See("100")
		v.sees("kiosk.q-welcome").looked("given-back")
	})
}

func TestAKioskRefusesInItsScreens(t *testing.T) {
	Long(t)
	each(t, upright, "kiosk", func(v visitor) {
		s := openTerminals(v.t)
		v.Go(s.kiosk)
		v.Click(`[value=card]`)
		v.touches("0000").sees("terminal.q-pin-card")
		v.See("2")
		v.looked("wrong")
		s.torn.Store(true)
		v.touches("1217").refused("chip-removed").looked("torn")
		s.torn.Store(false)
		v.Click(`form[action$=back] button`)
		v.touches("0000").sees("terminal.q-pin-card")
		v.touches("1217").sees("terminal.q-last-card").looked("last-try").targets()
		v.Click(`form[action$=sure] button`)
		v.touches("0000").sees("terminal.q-stuck-card").looked("locked").targets()
		v.Click(`[value=phone]`)
		v.sees("terminal.q-pin-phone")
		s.Clock.Add(95 * time.Second)
		v.Go(s.kiosk + "/visit")
		v.sees("terminal.soon").looked("soon")
		v.Click(".more button")
		v.sees("terminal.q-pin-phone")
		s.Clock.Add(121 * time.Second)
		v.Go(s.kiosk + "/visit")
		v.refused("kiosk-visit-over").looked("abandoned")
		s.Away = func() bool { return true }
		v.Click(`[value=card]`)
		v.touches("1217").refused("kiosk-town-away").looked("town-away")
		v.Click(`form[action$=leave] button`)
		s.Clock.Set(time.Date(2026, time.June, 10, 23, 0, 0, 0, person.Tokyo))
		v.Go(s.kiosk)
		v.sees("kiosk.q-closed").refused("kiosk-closed").looked("closed")
		s.Clock.Set(time.Date(2026, time.June, 17, 20, 0, 0, 0, person.Tokyo))
		v.Go(s.kiosk)
		v.refused("kiosk-maintenance")
	})
}

// How a person wants the screen stays theirs from screen to screen; sound is off until then.
func TestScreensAsAPersonWantsThem(t *testing.T) {
	Long(t)
	s := openTerminals(t)
	v := visitor{Page: browsertest.Open(t).Page(t, upright, "ja"), t: t, lang: text.Japanese, prefix: "kiosk"}
	v.Go(s.kiosk)
	if v.Has("[data-sound]") {
		t.Error("sound is on before anybody wished for it")
	}
	v.Click(`[value=contrast]`).Click(`[value=large]`).Click(`[value=sound]`).Click(`[value=card]`)
	if !v.Has("body.set-contrast.set-large [data-sound]") {
		t.Error("the screen forgot how it was wanted")
	}
	v.looked("contrast").Keyboard(t)
	v.Zoomed(t)
	v.Still().Go(s.kiosk + "/visit")
	v.types("1217").Click(".pin .go")
	if moving := v.Moving(); len(moving) > 0 {
		t.Errorf("who asked for none is shown motion: %q", moving)
	}
	wide := visitor{Page: browsertest.Open(t).Page(t, browsertest.Desktop, "ja"), t: t, lang: text.Japanese, prefix: "kiosk-window"}
	wide.Go(s.kiosk)
	wide.looked("welcome").targets()
	wide.Click(`[value=card]`)
	wide.looked("pin").targets()
	wide.Dark().Shot("kiosk-window-dark")
	wide.Whole(t)
	wide.Light().Go(s.clinic)
	wide.prefix = "clinic-window"
	wide.looked("welcome")
}

func TestAClinicAsksForEachConsent(t *testing.T) {
	Long(t)
	s := openTerminals(t)
	each(t, lying, "clinic", func(v visitor) {
		v.Go(s.clinic)
		v.sees("clinic.q-welcome").looked("welcome").targets()
		v.Click(`[value=iphone]`)
		v.refused("clinic-iphone").looked("iphone")
		v.Click(`[value=phone]`)
		v.sees("terminal.q-pin-phone").looked("pin-phone").targets()
		v.types("1217").Click(".pin .go")
		v.sees("terminal.q-tap-phone").looked("tap-phone").targets()
		v.Click(".tray button")
		v.sees("clinic.q-medicine").looked("medicine").targets()
		v.Click(`[value=yes]`)
		v.sees("clinic.q-checkups")
		v.Click(`[value=no]`)
		v.sees("clinic.q-high-cost")
		v.Click(`[value=no]`)
		v.sees("clinic.q-insured").looked("insured").targets()
		v.Click(".go")
		v.sees("clinic.q-welcome")
		v.Go(s.clinic + "/staff")
		v.sees("clinic.state-insured").sees("clinic.staff-withheld").looked("staff")
		v.Click(`[name=number]`)
		v.sees("clinic.staff-empty")
	})
}

func TestAClinicWithoutALine(t *testing.T) {
	Long(t)
	each(t, lying, "clinic", func(v visitor) {
		s := openTerminals(v.t)
		v.Go(s.clinic)
		v.Click(`[value=card]`)
		v.touches("1217").sees("clinic.q-medicine") // while there is a line, what is kept is fetched
		v.Click(`form[action$=leave] button`)
		v.Go(s.clinic + "/staff")
		v.Click("[name=line]")
		s.Clock.Add(3 * time.Hour)
		v.Go(s.clinic)
		v.sees("clinic.no-line").looked("no-line")
		v.Click(`[value=card]`)
		v.touches("1217").sees("clinic.q-provisional").sees("clinic.age-hours", "n", "3").looked("provisional")
		v.Click(".go")
		v.Go(s.clinic + "/staff")
		v.sees("clinic.state-provisional").looked("staff-provisional")
		s.Clock.Add(24 * time.Hour)
		v.Go(s.clinic)
		v.Click(`[value=card]`)
		v.touches("1217").sees("terminal.q-stuck-card").sees("clinic.elsewhere").looked("fallback")
		v.Click(`form[action$=leave] button`)
		v.sees("clinic.q-welcome")
	})
}
