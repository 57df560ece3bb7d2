package face

import (
	"net/http"
	"net/url"

	"warifu/text"
)

// Cookies in which a reader's choices are kept. They say nothing about who reads, and all
// places of one host share them: who chose English at the bank has it at the kiosk too.
const (
	langCookie = "warifu-lang"
	eraCookie  = "warifu-era"
	// kept is for how long, in seconds: half a year.
	kept = 182 * 24 * 60 * 60
)

// Chosen returns the language that the reader chose: here (?lang=) or earlier (the cookie).
func Chosen(r *http.Request) (text.Lang, bool) {
	if l, ok := text.Parse(r.URL.Query().Get("lang")); ok {
		return l, true
	}
	c, err := r.Cookie(langCookie)
	if err != nil {
		return "", false
	}
	return text.Parse(c.Value)
}

// Lang returns the reader's language: the chosen one, else the browser's wish.
func Lang(r *http.Request) text.Lang {
	if l, ok := Chosen(r); ok {
		return l
	}
	return text.Match(r.Header.Get("Accept-Language"))
}

// Era reports whether the reader wants years by Japan's eras (和暦), as ?era=on or the cookie
// say; other values and none mean the Western calendar.
func Era(r *http.Request) bool {
	if v := r.URL.Query().Get("era"); v != "" {
		return v == "on"
	}
	c, err := r.Cookie(eraCookie)
	return err == nil && c.Value == "on"
}

// Remember keeps what the reader chose on this request, so that it holds on the next page.
func Remember(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery == "" {
		return
	}
	q := r.URL.Query()
	keep := func(name, value string) {
		http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: kept, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil})
	}
	if l, ok := text.Parse(q.Get("lang")); ok {
		keep(langCookie, string(l))
	}
	if v := q.Get("era"); v == "on" || v == "off" {
		keep(eraCookie, v)
	}
}

// Switches are the addresses of the page at hand in each language and calendar.
type Switches struct{ Japanese, English, Eras, Western string }

// SwitchesOf makes them for the page that answers r: the rest of the question is kept. What
// a form was answered with has no address of its own: there they lead to where it is kept
// (Draw), and where it is not, to the form.
func SwitchesOf(r *http.Request) Switches {
	at, path := *r.URL, ""
	if sends(r) {
		at = url.URL{Path: "/"}
		if kept := addressOf(r); kept != "" {
			at.Path = kept
		} else if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host && from.Path != "" {
			at = *from
		}
		path = at.EscapedPath()
	}
	to := func(name, value string) string {
		q := at.Query()
		q.Del("lang")
		q.Del("era")
		q.Set(name, value)
		return path + "?" + q.Encode()
	}
	return Switches{Japanese: to("lang", "ja"), English: to("lang", "en"), Eras: to("era", "on"), Western: to("era", "off")}
}
