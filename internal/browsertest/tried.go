package browsertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// maxStops bounds a walk by keyboard.
const maxStops = 300

// Keyboard walks the page with Tab alone: every thing that can be used is reached, has a name,
// and shows that it is the one (WCAG 2.1.1, 2.4.7, 4.1.2).
func (p *Page) Keyboard(t testing.TB) *Page {
	t.Helper()
	q := p.On(t)
	for _, fault := range q.keyboard() {
		t.Errorf("%s by keyboard: %s", q.Address(), fault)
	}
	return p
}

// usable marks what a keyboard must reach; what is folded away it need not. Of radio buttons of one name one is enough.
const usable = `(() => {
	const groups = new Set(), out = [];
	for (const e of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")) {
		if (e.disabled || e.tabIndex < 0 || e.getClientRects().length === 0 || !e.checkVisibility({visibilityProperty: true}) || e.closest("[inert]")) continue;
		if (e.type === "radio") { const g = (e.form ? [...document.forms].indexOf(e.form) : "") + e.name; if (groups.has(g)) continue; groups.add(g); e.dataset.stopGroup = g; }
		e.dataset.stop = out.length; out.push(e.outerHTML.slice(0, 120));
	}
	document.activeElement.blur();
	return out;
})()`

const focused = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body || e === document.documentElement) return {End: true};
	let stop = e.dataset.stop;
	if (stop === undefined && e.type === "radio") { const one = [...document.querySelectorAll("[data-stop-group]")].find((r) => r.name === e.name && r.form === e.form); stop = one && one.dataset.stop; }
	const s = getComputedStyle(e), ring = (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none";
	const r = e.getBoundingClientRect();
	const named = e.getAttribute("aria-labelledby") || e.getAttribute("aria-label") || e.innerText || (e.labels && [...e.labels].map((l) => l.innerText).join("")) || e.title || (e.type === "submit" && e.value) || e.querySelector && e.querySelector("[aria-label],[alt]");
	return {Stop: stop === undefined ? -1 : Number(stop), Ring: ring, Seen: r.bottom > 0 && r.right > 0 && r.top < innerHeight && r.left < innerWidth, Named: !!named, HTML: e.outerHTML.slice(0, 120)};
})()`

func (p *Page) keyboard() (out []string) {
	p.t.Helper()
	var all []string
	p.Eval(usable, &all)
	reached, before := map[int]bool{}, -2
	for range min(6*len(all)+3, maxStops) { // a date's day, month and year are a stop each
		p.key("Tab")
		var at struct {
			End, Ring, Seen, Named bool
			Stop                   int
			HTML                   string
		}
		p.Eval(focused, &at)
		if !at.End && at.Stop == before {
			continue
		}
		if at.End || (at.Stop >= 0 && reached[at.Stop]) {
			break
		}
		reached[at.Stop], before = true, at.Stop
		for fault, holds := range map[string]bool{"does not show that it has the focus": at.Ring, "has the focus out of sight": at.Seen, "has no name": at.Named} {
			if !holds {
				out = append(out, at.HTML+" "+fault)
			}
		}
	}
	for i, html := range all {
		if !reached[i] && i < maxStops {
			out = append(out, html+" is not reached")
		}
	}
	return out
}

// least is the width, in CSS pixels, below which nobody asks that a page need no sideways
// scrolling (WCAG 1.4.10).
const least = 320

// Zoomed tries the page at 200 %: it need not be scrolled sideways and no words are cut off
// (WCAG 1.4.4, 1.4.10). What scrolls by itself (a table, code) may.
func (p *Page) Zoomed(t testing.TB) *Page {
	t.Helper()
	q := p.On(t)
	for _, fault := range q.zoomed() {
		t.Errorf("%s at 200 %%: %s", q.Address(), fault)
	}
	return p
}

func (p *Page) zoomed() (out []string) {
	p.t.Helper()
	p.resize(max(least, p.size.Width/2), p.size.Height/2, 2)
	defer p.resize(p.size.Width, p.size.Height, 1)
	p.Eval(`(() => {
		const out = [], root = document.scrollingElement, wide = root.clientWidth;
		const unseen = (e) => { for (let a = e; a && a !== document.body; a = a.parentElement) { const r = a.getBoundingClientRect(); if (getComputedStyle(a).position === "absolute" && r.width <= 1 && r.height <= 1) return true; } return false; };
		const inScroller = (e) => { for (let a = e.parentElement; a && a !== document.body; a = a.parentElement) { const o = getComputedStyle(a).overflowX; if (o === "auto" || o === "scroll") return true; } return false; };
		if (root.scrollWidth > wide + 1) {
			const over = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > wide + 1 && !inScroller(e));
			out.push("it scrolls sideways: " + root.scrollWidth + " of " + wide + "; " + over.slice(-3).map((e) => e.outerHTML.slice(0, 100)).join(" | "));
		}
		for (const e of document.body.querySelectorAll("*")) {
			const s = getComputedStyle(e);
			if (e.closest(".away, .skip, svg") || !e.innerText || e.getClientRects().length === 0 || s.display === "inline" || unseen(e)) continue;
			if ((s.overflowX === "hidden" || s.overflowX === "clip") && e.scrollWidth > e.clientWidth + 1) out.push("words are cut off: " + e.outerHTML.slice(0, 120));
			if ((s.overflowY === "hidden" || s.overflowY === "clip") && e.scrollHeight > e.clientHeight + 1) out.push("lines are cut off: " + e.outerHTML.slice(0, 120));
		}
		return out;
	})()`, &out)
	return out
}

// Dark has the person's machine ask for dark colours.
func (p *Page) Dark() *Page { p.t.Helper(); return p.prefers("prefers-color-scheme", "dark") }

// Light takes Dark and Still back.
func (p *Page) Light() *Page {
	p.t.Helper()
	clear(p.wire.media)
	return p.prefers("prefers-color-scheme", "light")
}

// Still asks for reduced motion.
func (p *Page) Still() *Page { p.t.Helper(); return p.prefers("prefers-reduced-motion", "reduce") }

func (p *Page) prefers(name, value string) *Page {
	p.t.Helper()
	p.wire.media[name] = value
	return p.setMedia(p.wire.media)
}

func (p *Page) setMedia(features map[string]string) *Page {
	p.t.Helper()
	all := []*emulation.MediaFeature{}
	for name, value := range features {
		all = append(all, &emulation.MediaFeature{Name: name, Value: value})
	}
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: all})
	p.must("preferences", err)
	return p
}

// Scriptless has the browser run no script of any page that is opened from now on.
func (p *Page) Scriptless() *Page {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.must("a browser without script", err)
	p.wire.scriptless = true
	return p
}

// Moving names what moves on the page without end or for long, for who asked for none.
func (p *Page) Moving() (out []string) {
	p.t.Helper()
	p.Eval(`document.getAnimations().filter((a) => a.playState === "running").map((a) => a.animationName || a.transitionProperty || "motion")`, &out)
	return out
}

// Cost is what the page took to come.
type Cost struct {
	Octets      int     // over the wire, headers included
	Interactive float64 // milliseconds until it could be used
	Loaded      float64 // milliseconds until all of it was there
	Status      int
}

// Cost tells what the page at hand took.
func (p *Page) Cost() Cost {
	p.t.Helper()
	var c Cost
	p.Eval(`(() => { const n = performance.getEntriesByType("navigation")[0]; return {Interactive: n.domInteractive, Loaded: n.loadEventEnd}; })()`, &c)
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	c.Octets, c.Status = int(p.wire.octets), int(p.wire.status)
	return c
}

// Shot keeps a picture of the page as NAME.LANGUAGE.SIZE.png in the folder that WARIFU_SCREENS
// names; without one it does nothing. The whole page is in it, up to three screens.
func (p *Page) Shot(name string) *Page {
	p.t.Helper()
	dir := os.Getenv("WARIFU_SCREENS")
	if dir == "" {
		return p
	}
	metrics, err := chromedp.Call(p.ctx, page.GetLayoutMetrics, cdp.Empty{})
	p.must("measuring", err)
	beyond := true
	height := min(max(float64(p.size.Height), metrics.CSSContentSize.Height), 3*float64(p.size.Height))
	shot, err := chromedp.Call(p.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: float64(p.size.Width), Height: height, Scale: 1},
	})
	p.must("a picture", err)
	p.must("keeping a picture", os.MkdirAll(dir, 0o755))
	p.must("keeping a picture", os.WriteFile(filepath.Join(dir, strings.Join([]string{name, p.lang, p.size.Name, "png"}, ".")), shot.Data, 0o644))
	return p
}
