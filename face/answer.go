package face

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/text"
)

// What a form was answered with has no address: asking for it again would send the form again,
// and a language's link on it would lead away from what happened. So a place keeps such a page
// for a while, as it would be in each language and calendar, at an address of its own, for the
// browser that sent the form and no other.

const (
	answersPath = "/answers/"
	// answerLife is how long a page is kept.
	answerLife = 10 * time.Minute
	// maxAnswers bounds what a place keeps, in octets; the oldest goes first.
	maxAnswers = 8 << 20
)

// Answers are the pages that a place's forms were answered with.
type Answers struct {
	clock warifu.Clock
	gone  http.HandlerFunc

	mu     sync.Mutex
	kept   []answer // oldest first
	octets int
}

// answer is one page in each way it can be read.
type answer struct {
	token  string
	whose  [sha256.Size]byte // of the browser's cookie
	at     time.Time
	status int
	pages  map[reading][]byte
}

func (a answer) octets() (n int) {
	for _, page := range a.pages {
		n += len(page)
	}
	return n
}

// reading is how a person reads: in which language, and whether years are told by eras.
type reading struct {
	lang text.Lang
	eras bool
}

// NewAnswers makes a place's. gone answers whoever asks for a page that is not kept, or not
// for them.
func NewAnswers(clock warifu.Clock, gone http.HandlerFunc) *Answers {
	return &Answers{clock: clock, gone: gone}
}

type answersKey struct{}

// Within serves what is kept, and lets the pages of next be kept (Draw).
func (a *Answers) Within(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token, is := strings.CutPrefix(r.URL.Path, answersPath); is && !sends(r) {
			a.serve(w, r, token)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), answersKey{}, a)))
	})
}

// Unkept is r answered with a page that is for whoever is signed in alone, and is not to be
// read when they have left: in other languages it leads to the form.
func Unkept(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), answersKey{}, (*Answers)(nil)))
}

func (a *Answers) serve(w http.ResponseWriter, r *http.Request, token string) {
	found, there := a.find(token, cookieOf(r))
	if !there {
		a.gone(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	_ = Write(w, r, found.status, found.pages[readingOf(r)])
}

func (a *Answers) find(token, cookie string) (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget()
	whose := sha256.Sum256([]byte(cookie))
	i := slices.IndexFunc(a.kept, func(k answer) bool { return k.token == token && k.whose == whose })
	if i < 0 || cookie == "" {
		return answer{}, false
	}
	return a.kept[i], true
}

// forget drops what is too old, and the oldest until the rest is not too much.
func (a *Answers) forget() {
	now := a.clock.Now()
	for len(a.kept) > 0 && (a.octets > maxAnswers || now.Sub(a.kept[0].at) > answerLife) {
		a.octets -= a.kept[0].octets()
		a.kept = a.kept[1:]
	}
}

func (a *Answers) keep(k answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k.at = a.clock.Now()
	a.kept = append(a.kept, k)
	a.octets += k.octets()
	a.forget()
}

type onceKey struct{}

// Once marks a request that is answered but once although it sends nothing, as the way back from
// an OpenID provider: what it is answered with is kept as a form's answer is.
func Once(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), onceKey{}, true))
}

// sends reports whether a request sends something: its answer cannot be asked for again.
func sends(r *http.Request) bool {
	once, _ := r.Context().Value(onceKey{}).(bool)
	return once || r.Method != http.MethodGet && r.Method != http.MethodHead
}

func readingOf(r *http.Request) reading {
	lang := Lang(r)
	return reading{lang, lang == text.Japanese && Era(r)}
}

// read is r as somebody asks for it who reads so.
func (as reading) read(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	q := r.URL.Query()
	q.Set("lang", string(as.lang))
	q.Set("era", map[bool]string{true: "on", false: "off"}[as.eras])
	r.URL.RawQuery = q.Encode()
	return r
}

// answersCookie names the cookie of a browser's answers. It carries the port, since browsers
// keep cookies by host alone.
func answersCookie(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return "warifu-answers-" + port
	}
	return "warifu-answers"
}

func cookieOf(r *http.Request) string {
	if c, err := r.Cookie(answersCookie(r)); err == nil {
		return c.Value
	}
	return ""
}

type addressKey struct{}

// addressOf is where the page that answers r is kept; empty: nowhere.
func addressOf(r *http.Request) string {
	address, _ := r.Context().Value(addressKey{}).(string)
	return address
}

// Draw writes the page that draw makes of a request: the page in the request's language, whose
// addresses in others are SwitchesOf it. What a form is answered with is kept (Answers), so that
// they lead to the same page. Nothing was written where draw fails, and the caller may answer
// otherwise.
func Draw(w http.ResponseWriter, r *http.Request, status int, draw func(*http.Request) ([]byte, error)) (written bool, err error) {
	a, _ := r.Context().Value(answersKey{}).(*Answers)
	if a == nil || !sends(r) {
		page, err := draw(r)
		if err != nil {
			return false, err
		}
		return true, Write(w, r, status, page)
	}
	k := answer{token: rand.Text(), status: status, pages: map[reading][]byte{}}
	r = r.WithContext(context.WithValue(r.Context(), addressKey{}, answersPath+k.token))
	for _, as := range []reading{{text.Japanese, false}, {text.Japanese, true}, {text.English, false}} {
		if k.pages[as], err = draw(as.read(r)); err != nil {
			return false, err
		}
	}
	cookie := cookieOf(r)
	if cookie == "" {
		cookie = rand.Text()
		http.SetCookie(w, &http.Cookie{Name: answersCookie(r), Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil})
	}
	k.whose = sha256.Sum256([]byte(cookie))
	a.keep(k)
	return true, Write(w, r, status, k.pages[readingOf(r)])
}
