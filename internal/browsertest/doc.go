// Package browsertest drives the pages with Debian's chromium, as a person at a phone
// (390×844) or a desk (1280×900) who reads Japanese or English would.
//
//	b := browsertest.Open(t)
//	page := b.Page(t, browsertest.Phone, "ja")
//	page.Go(address).Follow("申請する").Type("#pin", "2468").Click("button").See("できました")
//	page.Whole(t)
//
// Whole holds a page to what every page must be: axe-core finds nothing against WCAG 2.2 AA,
// the console is silent, nothing was asked of another machine, no key of the catalogue and no
// second language shows, and the HTML is valid (checked for all pages at once by Main, since
// the judge is a Java program that starts slowly). Keyboard, Zoomed, Dark and Still try the
// page in other ways; Shot keeps a picture where WARIFU_SCREENS names a folder.
//
// One chromium serves a test binary, in a tab and a set of cookies for each Page. Tests with
// it may take two and a half minutes in all: one Page for many steps is cheaper than many,
// Whole once a state is enough, and nothing waits by the clock: Click and Go return when
// the page that follows has loaded, See when the words are there.
//
// Where there is no chromium (or node, or java) the tests say so and are skipped;
// `make prepare` installs them.
package browsertest
