package browsertest

import (
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tapped watches a page from the moment of the next click: it tells by the binding when the click
// was, and when something was to be seen of it first. Milliseconds since 1970.
const tapped = `(() => {
	const now = () => performance.timeOrigin + performance.now();
	addEventListener("click", (event) => {
		warifuTapped("at " + (performance.timeOrigin + event.timeStamp));
		let changed = false;
		const watch = new MutationObserver((all) => { // what is said to those who listen alone is not seen
			changed = changed || all.some((one) => one.type !== "childList" || [...one.addedNodes, ...one.removedNodes].some((node) => node.nodeType === 1 && !node.matches(".away")));
		});
		for (const kind of ["input", "change", "toggle"]) addEventListener(kind, () => { changed = true; }, {capture: true, once: true});
		watch.observe(document, {subtree: true, childList: true, attributeFilter: ["hidden", "open", "class"]});
		const look = () => {
			const bar = (e, part) => e && getComputedStyle(e, part).opacity > 0 && getComputedStyle(e, part).content !== "none";
			if (changed || bar(document.documentElement, "::before") || bar(document.querySelector(".handset[data-busy] .appbar"), "::after") || document.querySelector(".screen [aria-busy=true]")) {
				watch.disconnect();
				warifuTapped("seen " + now());
				return;
			}
			requestAnimationFrame(look);
		};
		requestAnimationFrame(look);
	}, {capture: true, once: true});
})()`

// Answered clicks as Click does, and tells how long it took until something was to be seen of it:
// the sign that what was asked for is on its way, a change of the page, or the next page's first
// paint.
func (p *Page) Answered(selector string) time.Duration {
	p.t.Helper()
	p.watch()
	p.Click(selector)
	return p.seen(selector, func() (painted float64) {
		_ = p.try(firstPaint, &painted) // a page that is leaving is asked again
		return painted
	})
}

// AnsweredBefore clicks while whatever is asked for is on its way for ever, as on a line that hardly
// carries, and fails the test where nothing is to be seen of it on the page that stays meanwhile.
// Go opens another.
func (p *Page) AnsweredBefore(selector string) *Page {
	p.t.Helper()
	p.watch()
	p.line(aLongWay)
	defer p.line(0)
	p.tap(selector)
	p.seen(selector, func() float64 { return 0 }) // a tab whose page is on its way answers no questions
	return p
}

// aLongWay is longer than any test looks at a page.
const aLongWay = 10 * time.Minute

// line sets how long an answer is on its way at least.
func (p *Page) line(latency time.Duration) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: float64(latency / time.Millisecond), DownloadThroughput: -1, UploadThroughput: -1}},
	})
	p.must("the line", err)
}

// watch has the page tell of the next click.
func (p *Page) watch() {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, runtime.AddBinding, runtime.AddBindingParams{Name: "warifuTapped", ExecutionContextName: isolated})
	p.must("watching", err)
	p.wire.forgetTap()
	p.Eval(tapped, nil)
}

// seen waits until something was seen of the click, on the page itself or on one that followed,
// and tells how long it took.
func (p *Page) seen(selector string, painted func() float64) time.Duration {
	p.t.Helper()
	tick, late := time.NewTicker(20*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		followed := painted() // earlier than the click where no page followed
		at, seen := p.wire.tap()
		if followed > at && (seen == 0 || followed < seen) {
			seen = followed
		}
		if at > 0 && seen > 0 {
			return time.Duration((seen - at) * float64(time.Millisecond))
		}
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatalf("%s at %s: nothing was to be seen of the click", selector, p.wire.address())
		}
	}
}

// firstPaint is when the page first showed something, in milliseconds since 1970; 0: not yet.
const firstPaint = `(() => {
	const [first] = performance.getEntriesByName("first-contentful-paint");
	return first ? performance.timeOrigin + first.startTime : 0;
})()`
