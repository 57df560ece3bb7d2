package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Size is a screen in CSS pixels.
type Size struct {
	Name          string
	Width, Height int64
	Touch         bool
}

// The sizes at which every screen is looked at.
var (
	Phone   = Size{"phone", 390, 844, true}
	Desktop = Size{"desktop", 1280, 900, false}
	Sizes   = [...]Size{Phone, Desktop}
)

// Page is a tab with cookies of its own. Its methods fail the test where a step cannot be
// done, and return the page so that steps read as a sentence.
type Page struct {
	t       testing.TB
	browser *Browser
	ctx     context.Context
	frame   cdp.FrameID
	size    Size
	lang    string
	wire    *wire
}

// Page opens a tab whose browser asks for one language. It closes with the test.
func (b *Browser) Page(t testing.TB, size Size, lang string) *Page {
	t.Helper()
	p := tab(t, b.ctx, b, size, lang, chromedp.WithNewBrowserContext())
	t.Cleanup(p.wire.stop)
	return p
}

// tab opens a tab with the cookies of the one that ctx is of, or as the options have it.
func tab(t testing.TB, ctx context.Context, b *Browser, size Size, lang string, options ...chromedp.ContextOption) *Page {
	t.Helper()
	w := &wire{changed: make(chan struct{}), media: map[string]string{}}
	ctx, stop := chromedp.NewContext(ctx, append(options, chromedp.WithListener(w.hear))...)
	w.stop = stop
	p := &Page{t: t, browser: b, ctx: ctx, size: size, lang: lang, wire: w}
	tree, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
	p.must("a tab", err)
	p.frame = tree.FrameTree.Frame.ID
	w.main(p.frame)
	_, err = chromedp.Call(ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: b.agent, AcceptLanguage: lang})
	p.must("the language", err)
	p.resize(size.Width, size.Height, 1)
	return p
}

// On is the same tab for another test, which its steps then fail: a subtest's.
func (p *Page) On(t testing.TB) *Page {
	q := *p
	q.t = t
	return &q
}

func (p *Page) resize(width, height int64, scale float64) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale, Mobile: p.size.Touch})
	p.must("the size", err)
}

func (p *Page) must(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s at %s: %v\n%s", what, p.wire.address(), err, p.excerpt())
	}
}

// excerpt is what the page says, for a failing test's report.
func (p *Page) excerpt() string {
	var said string
	if p.try(`document.body ? document.body.innerText.slice(0, 1500) : ""`, &said) != nil {
		return ""
	}
	return "the page says:\n" + said
}

// try evaluates an expression in a world beside the page's own scripts, which the page's
// policy does not touch and in which the page's scripts cannot meddle. A page that went on to
// another by itself in that moment is asked again.
func (p *Page) try(expression string, out any) error {
	err := p.evaluate(expression, out)
	for range 3 {
		if err == nil || !strings.Contains(err.Error(), "Cannot find context") {
			break
		}
		err = p.evaluate(expression, out)
	}
	return err
}

// isolated is the name of that world.
const isolated = "warifu"

func (p *Page) evaluate(expression string, out any) error {
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	world, err := chromedp.Call(ctx, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: p.frame, WorldName: isolated})
	if err != nil {
		return err
	}
	yes := true
	answer, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ContextID: world.ExecutionContextID, ReturnByValue: &yes, AwaitPromise: &yes})
	if err != nil {
		return err
	}
	if e := answer.ExceptionDetails; e != nil {
		if e.Exception != nil {
			return fmt.Errorf("%s %s", e.Text, e.Exception.Description)
		}
		return fmt.Errorf("%s", e.Text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal([]byte(answer.Result.Value), out)
}

// Eval evaluates an expression beside the page's own scripts, and reads its value as JSON
// into out, which may be nil.
func (p *Page) Eval(expression string, out any) *Page {
	p.t.Helper()
	p.must("evaluating", p.try(expression, out))
	return p
}

// Go opens an address and waits until the page has loaded.
func (p *Page) Go(address string) *Page {
	p.t.Helper()
	p.wire.begin()
	answer, err := chromedp.Call(p.ctx, page.Navigate, page.NavigateParams{URL: address})
	if err == nil && answer.ErrorText != "" && answer.ErrorText != "net::ERR_ABORTED" {
		err = fmt.Errorf("%s", answer.ErrorText)
	}
	p.must("opening "+address, err)
	p.must("opening "+address, p.wire.loaded())
	return p
}

// Bear says that a complaint of the browser's own with these words is no fault of this page: a
// world that turns refuses connections meanwhile, and the page that waits for it must ask.
func (p *Page) Bear(words string) *Page {
	p.t.Helper()
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	p.wire.borne = append(p.wire.borne, words)
	return p
}

// Back goes to the page before, as the browser's own button does.
func (p *Page) Back() *Page {
	p.t.Helper()
	history, err := chromedp.Call(p.ctx, page.GetNavigationHistory, cdp.Empty{})
	p.must("going back", err)
	if history.CurrentIndex < 1 {
		p.t.Fatal("there is no page before this one")
	}
	p.wire.begin()
	_, err = chromedp.Call(p.ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[history.CurrentIndex-1].ID})
	p.must("going back", err)
	p.must("going back", p.wire.loaded())
	return p
}

// Address is where the page is now.
func (p *Page) Address() string {
	p.t.Helper()
	var out string
	p.Eval(`location.href`, &out)
	return out
}

// find is how a step names an element: a CSS selector, or "text=…" for the first link, button,
// label or summary to be seen that says it.
const find = `(function (how) {
	if (!how.startsWith("text=")) return document.querySelector(how);
	const want = how.slice(5);
	const all = [...document.querySelectorAll("a[href], button, summary, label, input[type=submit], [role=button]")].filter((e) => e.getClientRects().length > 0 && e.checkVisibility({visibilityProperty: true}));
	const said = (e) => (e.value && e.tagName === "INPUT" ? e.value : e.innerText).replace(/\s+/g, " ").trim();
	return all.find((e) => said(e) === want) || all.find((e) => said(e).includes(want));
})`

func quote(s string) string {
	b, _ := json.Marshal(s) // a string always encodes
	return string(b)
}

// Click clicks an element by a CSS selector or "text=…": it must be in sight and not lie under
// another. Where a page follows, it has loaded.
func (p *Page) Click(selector string) *Page {
	p.t.Helper()
	p.tap(selector)
	return p.settle("clicking " + selector)
}

// tap is Click that waits for nothing.
func (p *Page) tap(selector string) {
	p.t.Helper()
	var at struct {
		Fault string
		X, Y  float64
	}
	p.Eval(`(() => {
		const e = `+find+`(`+quote(selector)+`);
		if (!e) return {Fault: "is not there"};
		if (e.disabled) return {Fault: "is disabled"};
		e.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
		const r = [...e.getClientRects()].find((r) => r.width > 0 && r.height > 0);
		if (!r) return {Fault: "is not in sight"};
		const x = r.x + r.width / 2, y = r.y + r.height / 2, top = document.elementFromPoint(x, y);
		if (!top || !(e.contains(top) || top.contains(e) || (top.closest("label") && top.closest("label").control === e))) return {Fault: "lies under " + (top ? top.outerHTML.slice(0, 80) : "nothing")};
		return {X: x, Y: y};
	})()`, &at)
	if at.Fault != "" {
		p.t.Fatalf("%s %s at %s\n%s", selector, at.Fault, p.wire.address(), p.excerpt())
	}
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		_, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y, Button: input.MouseButtonLeft, ClickCount: 1})
		p.must("clicking "+selector, err)
	}
}

// settle waits for the page that a step brought about, if it did.
func (p *Page) settle(what string) *Page {
	p.t.Helper()
	// Two turns of the page's loop: a form that is sent has asked for its page by then. The page
	// may go while it is asked, which is no fault.
	turns := `new Promise((done) => setTimeout(() => setTimeout(done, 0), 0))`
	if p.wire.scriptless {
		turns = `0`
		_ = p.try(turns, nil)
	}
	_ = p.try(turns, nil)
	p.must(what, p.wire.loaded())
	return p
}

// Follow clicks the link or button that says the words.
func (p *Page) Follow(words string) *Page { p.t.Helper(); return p.Click("text=" + words) }

// Type puts the words into a field in place of what was there, as from a keyboard.
func (p *Page) Type(selector, words string) *Page {
	p.t.Helper()
	var there bool
	p.Eval(`(() => { const e = `+find+`(`+quote(selector)+`); const f = e && e.control || e; if (!f) return false; f.scrollIntoView({block: "center"}); f.focus(); if (f.select) f.select(); return document.activeElement === f; })()`, &there)
	if !there {
		p.t.Fatalf("no field %s at %s\n%s", selector, p.wire.address(), p.excerpt())
	}
	if words == "" {
		return p.Press("Delete")
	}
	_, err := chromedp.Call(p.ctx, input.InsertText, input.InsertTextParams{Text: words})
	p.must("typing", err)
	return p
}

// Choose sets a list or a date to a value.
func (p *Page) Choose(selector, value string) *Page {
	p.t.Helper()
	var there bool
	p.Eval(`(() => { const e = `+find+`(`+quote(selector)+`); const f = e && e.control || e; if (!f) return false; f.value = `+quote(value)+`; f.dispatchEvent(new Event("input", {bubbles: true})); f.dispatchEvent(new Event("change", {bubbles: true})); return f.value === `+quote(value)+`; })()`, &there)
	if !there {
		p.t.Fatalf("%s cannot be set to %q at %s\n%s", selector, value, p.wire.address(), p.excerpt())
	}
	return p.settle("choosing")
}

// Text is what an element says; the test fails where it is not there.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	var out *string
	p.Eval(`(() => { const e = `+find+`(`+quote(selector)+`); return e ? e.innerText : null; })()`, &out)
	if out == nil {
		p.t.Fatalf("no %s at %s\n%s", selector, p.wire.address(), p.excerpt())
	}
	return *out
}

// Has reports whether an element is there.
func (p *Page) Has(selector string) bool {
	p.t.Helper()
	var out bool
	p.Eval(`!!`+find+`(`+quote(selector)+`)`, &out)
	return out
}

// See waits until the page says the words, in what is to be seen of it.
func (p *Page) See(words string) *Page {
	p.t.Helper()
	p.await(`document.body && document.body.innerText.replace(/\s+/g, " ").includes(`+quote(strings.Join(strings.Fields(words), " "))+`)`, "the page to say "+words)
	return p
}

// Sees reports whether the page says the words now.
func (p *Page) Sees(words string) bool {
	p.t.Helper()
	var out bool
	p.Eval(`document.body.innerText.replace(/\s+/g, " ").includes(`+quote(strings.Join(strings.Fields(words), " "))+`)`, &out)
	return out
}

// Until waits until an element is there.
func (p *Page) Until(selector string) *Page {
	p.t.Helper()
	p.await(`!!`+find+`(`+quote(selector)+`)`, selector+" to be there")
	return p
}

// await waits until an expression holds. The page may be another meanwhile.
func (p *Page) await(expression, what string) {
	p.t.Helper()
	tick, late := time.NewTicker(20*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		var holds bool
		if p.try(expression, &holds) == nil && holds {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatalf("waited in vain for %s at %s\n%s", what, p.wire.address(), p.excerpt())
		}
	}
}

// keys are names of keys and what the protocol calls them.
var keys = map[string]struct {
	code string
	text string
	at   int64
}{
	"Tab": {"Tab", "", 9}, "Enter": {"Enter", "\r", 13}, "Escape": {"Escape", "", 27}, "Space": {"Space", " ", 32}, "Delete": {"Delete", "", 46},
	"ArrowUp": {"ArrowUp", "", 38}, "ArrowDown": {"ArrowDown", "", 40}, "ArrowLeft": {"ArrowLeft", "", 37}, "ArrowRight": {"ArrowRight", "", 39},
}

// Press presses a key: Tab, Enter, Escape, Space, Delete, ArrowUp, ArrowDown, ArrowLeft,
// ArrowRight. Where a page follows, it has loaded.
func (p *Page) Press(key string) *Page {
	p.t.Helper()
	p.key(key)
	if key == "Enter" || key == "Space" {
		return p.settle("pressing " + key)
	}
	return p
}

func (p *Page) key(key string) {
	p.t.Helper()
	k, known := keys[key]
	if !known {
		p.t.Fatalf("no key %q", key)
	}
	name := key
	if key == "Space" {
		name = " "
	}
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		e := input.DispatchKeyEventParams{Type: kind, Key: name, Code: k.code, WindowsVirtualKeyCode: k.at, NativeVirtualKeyCode: k.at}
		if kind == input.DispatchKeyEventTypeKeyDown {
			e.Text = k.text
		}
		_, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, e)
		p.must("pressing "+key, err)
	}
}
