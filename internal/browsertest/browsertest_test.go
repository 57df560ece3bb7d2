package browsertest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"warifu/internal/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// sound is a page at which nothing is wrong, around a body and a head.
func sound(lang, head, body string) string {
	return `<!doctype html><html lang="` + lang + `"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A page</title><link rel="icon" href="data:,">` + head + `</head><body><main><h1>` + map[string]string{"en": "A page", "ja": "ページ", "LANG": "OK"}[lang] + `</h1>` + body + `</main></body></html>`
}

// stand serves pages by path, under the policy of the house's pages.
func stand(t *testing.T, pages map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if strings.HasSuffix(r.URL.Path, ".js") {
			w.Header().Set("Content-Type", "text/javascript")
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; form-action 'self'; img-src * data:")
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
		fmt.Fprint(w, strings.ReplaceAll(body, "LANG", r.Header.Get("Accept-Language")))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// What Whole is for is found, each by a page that has that fault alone; a page without any has
// none, a refusal (status 422) too.
func TestWholeFindsWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ lang, head, body, want string }{
		"nothing":             {"en", "", `<p>Well, this is a page like any other.</p>`, ""},
		"nothing, Japanese":   {"ja", "", `<p>これは<span lang="en">a page like any other</span>です。OpenSSL 3.5 で確かめる。<code>a b c d e f</code></p>`, ""},
		"contrast":            {"en", "", `<p style="color:#ccc;background:#fff">Hard to read.</p>`, "axe color-contrast"},
		"a field without one": {"en", "", `<p><input name="x"></p>`, "axe label"},
		"a thing too small":   {"en", "", `<p><button style="width:12px;height:12px;padding:0;border:0">a</button><button style="width:12px;height:12px;padding:0;border:0">b</button></p>`, "axe target-size"},
		"console":             {"en", `<script src="/wrong.js" defer></script>`, `<p>x</p>`, "the console says: Uncaught Error: planted"},
		"policy":              {"en", ``, `<p onclick="x()">x</p><script src="data:text/javascript,1"></script>`, "the console says:"},
		"a file that is not":  {"en", `<script src="/none.js" defer></script>`, `<p>x</p>`, "the console says: Failed to load"},
		"another machine":     {"en", ``, `<p><img alt="x" src="http://192.0.2.1/x.png"></p>`, "a request left the machine: http://192.0.2.1/x.png"},
		"a key":               {"en", ``, `<p>desk.no-such-sentence</p>`, "a key of the catalogue shows: desk.no-such-sentence"},
		"a parameter":         {"en", ``, `<p>Until {day}.</p>`, "a parameter shows"},
		"Japanese":            {"en", ``, `<p>Apply 申請</p>`, "Japanese in what is English"},
		"Japanese, unseen":    {"en", ``, `<p><button aria-label="申請">Apply</button></p>`, "Japanese in what is English"},
		"English":             {"ja", ``, `<p>Your phone was not found.</p>`, "English in what is Japanese"},
		"not the language":    {"de", ``, ``, "the page says that it is in de"},
	} {
		t.Run(name, func(t *testing.T) {
			at := stand(t, map[string]string{"/refused": sound(c.lang, c.head, c.body), "/wrong.js": `throw new Error("planted")`})
			lang := c.lang
			if lang == "de" {
				lang = "en"
			}
			faults := browsertest.Open(t).Page(t, browsertest.Phone, lang).Go(at + "/refused").Faults()
			if c.want == "" && len(faults) > 0 {
				t.Errorf("found where there is nothing: %q", faults)
			}
			if c.want != "" && !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, c.want) }) {
				t.Errorf("not found: %s among %q", c.want, faults)
			}
		})
	}
}

// Steps lead where they say: links, forms, scripts, keys, and back again; each page asks for
// its own language and keeps its own cookies.
func TestStepsLeadOn(t *testing.T) {
	at := stand(t, map[string]string{
		"/":         sound("en", `<script src="/later.js" defer></script>`, `<p>LANG</p><p><a href="/second">Go on</a></p><p id="later"></p>`),
		"/second":   sound("en", "", `<form action="/third"><p><label>Name <input name="n"></label></p><p><label>Colour <select name="c"><option>red<option>blue</select></label></p><p><button>Send it</button></p></form>`),
		"/third":    sound("en", "", `<p>Thank you.</p>`),
		"/later.js": `fetch("/third").then(() => { document.getElementById("later").textContent = "came later"; })`,
	})
	page := browsertest.Open(t).Page(t, browsertest.Desktop, "en")
	page.Go(at+"/").See("came later").See("en").Follow("Go on").Type("input", "Ko").Choose("select", "blue").Follow("Send it").See("Thank you.")
	if got := page.Address(); got != at+"/third?n=Ko&c=blue" {
		t.Errorf("at %s", got)
	}
	page.Back().Type("input", "Mi").Press("Enter")
	if got := page.Address(); got != at+"/third?n=Mi&c=blue" && got != at+"/third?n=Mi&c=red" {
		t.Errorf("at %s", got)
	}
	if cost := page.Cost(); cost.Octets < 200 || cost.Octets > 5000 || cost.Loaded <= 0 || cost.Status != 200 {
		t.Errorf("cost %+v", cost)
	}
}

// The other ways of trying a page find what is wrong, and only that.
func TestOtherWaysFindWhatIsWrong(t *testing.T) {
	at := stand(t, map[string]string{
		"/well":  sound("en", `<style>:focus-visible{outline:2px solid}</style>`, `<p><a href="/x">One</a> <button>Two</button> <label><input type="radio" name="r">a</label><label><input type="radio" name="r">b</label> <label>Day <input type="date"></label> <button>Three</button></p>`),
		"/badly": sound("en", `<style>a:focus{outline:none} @keyframes m{to{opacity:0}} .m{animation:m 1s infinite} @media (prefers-reduced-motion:reduce){.s{animation:none}}</style>`, `<p><a href="/x">One</a> <a href="/y"></a></p><div style="width:900px">wide</div><div style="width:4em;overflow:hidden;white-space:nowrap">cut off at the edge</div><p class="m">moves</p>`),
		"/still": sound("en", `<style>@keyframes m{to{opacity:0}} .m{animation:m 1s infinite} @media (prefers-reduced-motion:reduce){.m{animation:none}} @media (prefers-color-scheme:dark){body{background:#000;color:#fff}}</style>`, `<p class="m">moves</p>`),
	})
	page := browsertest.Open(t).Page(t, browsertest.Desktop, "en")
	page.Go(at + "/well")
	if faults := append(page.KeyboardFaults(), page.ZoomFaults()...); len(faults) > 0 {
		t.Errorf("found where there is nothing: %q", faults)
	}
	page.Go(at + "/badly").Still()
	all := strings.Join(append(append(page.KeyboardFaults(), page.ZoomFaults()...), page.Moving()...), "\n")
	for _, want := range []string{"does not show that it has the focus", "has no name", "it scrolls sideways", "words are cut off", "\nm"} {
		if !strings.Contains(all, want) {
			t.Errorf("not found: %s in\n%s", want, all)
		}
	}
	if page.Go(at + "/still").Light(); len(page.Moving()) == 0 {
		t.Error("motion is not seen")
	}
	if page.Still(); len(page.Moving()) > 0 {
		t.Error("motion where none was wished for")
	}
	var colour string
	if page.Dark().Eval(`getComputedStyle(document.body).backgroundColor`, &colour); colour != "rgb(0, 0, 0)" {
		t.Errorf("in the dark the page is %s", colour)
	}
}

// The HTML is judged by what the server sent: what a browser mends by itself is found.
func TestHTMLIsJudged(t *testing.T) {
	b := browsertest.Open(t)
	if faults := browsertest.JudgeHTML(b, sound("en", "", "<p><b>x</p>")); len(faults) == 0 || !strings.Contains(faults[0], "page line 1") {
		t.Errorf("an unclosed element: %q", faults)
	}
	if faults := browsertest.JudgeHTML(b, sound("en", "", "<p>x</p>")); len(faults) > 0 {
		t.Errorf("a sound page: %q", faults)
	}
}

// Whole looks where the test itself is not: at the other size, in the dark, at 200 %, in the
// other language; an answer to a form is not asked for again.
func TestWholeLooksAtEverySizeColourAndLanguage(t *testing.T) {
	body := func(style, more string) string { return sound("LANG", "<style>"+style+"</style>", more) }
	at := stand(t, map[string]string{
		"/well":   body("", `<p>OK</p>`),
		"/narrow": body(`@media (max-width: 500px){.wide{width:900px}}`, `<p class="wide">OK</p>`),
		"/small":  body(`@media (max-width: 500px){p{color:#ccc;background:#fff}}`, `<p>OK</p>`),
		"/night":  body(`@media (prefers-color-scheme:dark){p{color:#222;background:#000}}`, `<p>OK</p>`),
		"/words":  body("", `<p>This is what every page says.</p>`),
		"/asking": body("", `<form action="/words" method="post"><p><label>A <input name="x"></label> <button>OK</button></p></form>`),
	})
	page := browsertest.Open(t).Page(t, browsertest.Desktop, "en")
	for path, want := range map[string]string{
		"/well": "", "/narrow": "as a phone: it scrolls sideways", "/small": "as a phone: axe color-contrast", "/night": "in the dark: axe color-contrast", "/words": "ja: English in what is Japanese",
	} {
		said := &heard{TB: t}
		page.Go(at + path).On(t).Whole(said)
		if all := strings.Join(said.faults, "\n"); (want == "") != (all == "") || !strings.Contains(all, want) {
			t.Errorf("%s: %q, not %q", path, all, want)
		}
	}
	said := &heard{TB: t}
	if page.Go(at + "/asking").Click("button").Whole(said); len(said.faults) > 0 {
		t.Errorf("an answer to a form was asked for again: %q", said.faults)
	}
}

// heard keeps what a test would have complained of.
type heard struct {
	testing.TB
	faults []string
}

func (h *heard) Errorf(format string, args ...any) {
	h.faults = append(h.faults, fmt.Sprintf(format, args...))
}
func (h *heard) Failed() bool { return len(h.faults) > 0 }
