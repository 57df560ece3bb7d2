package terminal

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu/face"
)

// settingsCookie keeps how the person wants the screen. It says nothing about who they are,
// and both terminals share it.
const settingsCookie = "warifu_terminal"

// Settings are how a person wants the screen to be. Nothing of it is on unless they say so.
type Settings struct{ Contrast, Large, Sound bool }

// keep has the browser keep them; those of nobody are forgotten.
func (s Settings) keep(w http.ResponseWriter) {
	age := 0
	if s == (Settings{}) {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{Name: settingsCookie, Value: strings.Join(s.words(), "-"), Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// SettingsOf reads them.
func SettingsOf(r *http.Request) (s Settings) {
	c, err := r.Cookie(settingsCookie)
	if err != nil {
		return s
	}
	for word := range strings.SplitSeq(c.Value, "-") {
		switch word {
		case "contrast":
			s.Contrast = true
		case "large":
			s.Large = true
		case "sound":
			s.Sound = true
		}
	}
	return s
}

func (s Settings) words() (out []string) {
	for _, one := range []struct {
		name string
		on   bool
	}{{"contrast", s.Contrast}, {"large", s.Large}, {"sound", s.Sound}} {
		if one.on {
			out = append(out, one.name)
		}
	}
	return out
}

// set adds the door by which settings are switched, POST /settings with "switch" one of
// contrast, large and sound, and leads back to where the person was.
func set(mux *http.ServeMux) {
	mux.HandleFunc("POST /settings", func(w http.ResponseWriter, r *http.Request) {
		s := SettingsOf(r)
		switch r.FormValue("switch") {
		case "contrast":
			s.Contrast = !s.Contrast
		case "large":
			s.Large = !s.Large
		case "sound":
			s.Sound = !s.Sound
		}
		s.keep(w)
		back := "/"
		if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host && from.Path == "/visit" {
			back = from.Path
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
	})
}

// Screen is what every screen of a terminal says of itself, besides what is asked on it.
type Screen struct {
	Name     string // of the screen: "pin", "tap", …
	Ask      string // key of the heading, where its name does not say it
	Question string // in the person's language: the heading
	Accent   string // "kiosk", "clinic"
	Medium   string // "phone", "card", or empty
	Settings Settings
	// Left is how many seconds the visit has left if nobody does anything; zero: none is under way.
	Left int
	// Waits tells that a step is under way, and the screen changes when it has ended.
	Waits bool
	// Back, Stop are whether the person can go a question back, and can give up here.
	Back, Stop bool
	// Word is what the first screen tells whoever left, Over that a visit ended for want of a touch.
	Word string
	Over *face.Sentences
	// Whoever tells that it is the person who was refused: another card or phone will not do either.
	Whoever bool
	// Chips are what can be touched in the demo, Touched what was last. Real tells that a real
	// reader waits, and nobody chooses.
	Chips   []string
	Touched string
	Real    bool
}

// heading is the key of the question.
func (s Screen) heading() string {
	if s.Whoever && s.Name == ScreenStuck {
		return "terminal.q-stuck-whoever"
	}
	switch s.Name {
	case ScreenPIN, ScreenTap, ScreenLast, ScreenReading, ScreenStuck:
		return "terminal.q-" + s.Name + "-" + s.Medium
	}
	return cmp.Or(s.Ask, s.Accent+".q-"+s.Name)
}

// Digits are the keys of the pad on the screen, but for 0.
func (Screen) Digits() []int { return []int{1, 2, 3, 4, 5, 6, 7, 8, 9} }

// Clock is the time that is left, as a clock writes it: "1:45".
func (s Screen) Clock() string { return fmt.Sprintf("%d:%02d", s.Left/60, s.Left%60) }

// Stays is how many seconds the word for whoever left stays.
func (Screen) Stays() int { return int(staysFor / time.Second) }

// Elsewhere is the key of where to go with a card or phone that will not do.
func (s Screen) Elsewhere() string { return s.Accent + ".elsewhere" }

// until says how many seconds are left until a time.
func until(expires, now time.Time) int {
	return max(1, int(expires.Sub(now).Round(time.Second)/time.Second))
}

// Dress implements face.Dressed: the question is the heading, and a browser without script
// asks again when the step may have ended, or the visit has.
func (s Screen) Dress(f *face.Frame) {
	f.Foot = ""
	f.Accent = strings.Join(append([]string{s.Accent, "terminal"}, s.looks()...), " ")
	if s.Question != "" {
		f.Title = s.Question
	}
	switch {
	case s.Waits:
		f.Refresh = 1
	case s.Left > 0:
		f.Refresh = s.Left + 1
	case s.Word != "":
		f.Refresh = s.Stays()
	}
}

// looks are the classes of how the person wants the screen.
func (s Screen) looks() (out []string) {
	for _, w := range s.Settings.words() {
		out = append(out, "set-"+w)
	}
	return out
}

// told is a writer for a screen that tells how the step before it ended: that was refused, the
// screen that was asked for was not, and browsers report no failure.
type told struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (t told) WriteHeader(int) { t.ResponseWriter.WriteHeader(http.StatusOK) }
