package terminal

import (
	"context"
	"net/http"
	"time"

	"warifu"
	"warifu/face"
	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// stopping is how long the way out waits for a step that is under way.
const stopping = 3 * time.Second

// Own is what a terminal does in its own way; V is a visit as it keeps them.
type Own[V any] struct {
	Name  string                                                  // "kiosk", "clinic"
	Open  func(profile.Class) error                               // whether phones or cards are taken now
	Begin func(medium string) (id string, err error)              // a visit
	Touch func(ctx context.Context, id string, touch Touch) error // to the reader
	Stand func(V) Screen                                          // where a visit stands behind the tap, and whether it can go back and stop there
	Back  func(V)                                                 // a question back, behind the tap
	Left  func(V) (word string)                                   // what the first screen says after the way out, once; "" for nothing
}

// Show writes a screen of a visit; of is empty on the first one.
type Show[S any] func(w http.ResponseWriter, r *http.Request, s Screen, of S, problem error)

// Routes adds the pages that every terminal has: the first screen, the visit's screen, the
// PIN, the tap, and the ways on, back and out.
func (t *Terminal[V, S]) Routes(mux *http.ServeMux) {
	set(mux)
	mux.HandleFunc("GET /{$}", t.first)
	mux.HandleFunc("GET /visit", t.current)
	mux.HandleFunc("GET /visit/events", func(w http.ResponseWriter, r *http.Request) { t.works.Tell(w, r, t.Visiting(r)) })
	mux.HandleFunc("POST /visits", t.begin)
	mux.HandleFunc("POST /visit/leave", t.leave)
	mux.HandleFunc("POST /visit/back", t.back)
	t.Step(mux, "pin", func(r *http.Request, id string) error { return t.typed(r.Context(), id, r.FormValue("pin")) })
	t.Step(mux, "sure", func(_ *http.Request, id string) error { return t.sure(id) })
	t.Step(mux, "tap", func(r *http.Request, id string) error { return t.startTap(r.Context(), id, r.FormValue("chip")) })
	t.Step(mux, "more", func(_ *http.Request, id string) error { _, err := t.Visit(id); return err })
}

// Step adds the door of one step, POST /visit/{path}, which leads to the visit's screen.
func (t *Terminal[V, S]) Step(mux *http.ServeMux, path string, take func(r *http.Request, id string) error) {
	mux.HandleFunc("POST /visit/"+path, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
		t.onward(w, r, take(r, t.Visiting(r)))
	})
}

// Start has f do its work beside the request, while the screen what shows that it does.
func (t *Terminal[V, S]) Start(ctx context.Context, id, what string, of S, f func(context.Context) error) {
	t.works.Start(ctx, id, what, of, f)
}

// typed keeps a PIN for the tap, if it may be one at all: nothing is sent to a chip that can
// only be wrong (K7). A real reader waits for the tap from here on.
func (t *Terminal[V, S]) typed(ctx context.Context, id, pin string) error {
	v, err := t.At(id, StepTouch)
	if err != nil {
		return err
	}
	if v.Held().class == profile.ClassPhone {
		_, err = t.place.Scheme.ActivationSecret(warifu.Authentication, pin)
	} else {
		_, err = t.place.Scheme.CardPIN(warifu.Authentication, pin)
	}
	if err == nil {
		v.Held().hand.Type(pin)
	}
	v.Held().Unlock()
	if err == nil && t.place.Reader != nil {
		return t.startTap(ctx, id, "")
	}
	return err
}

// sure says that the person goes on with the last try.
func (t *Terminal[V, S]) sure(id string) error {
	v, err := t.At(id, StepTouch)
	if err != nil {
		return err
	}
	defer v.Held().Unlock()
	v.Held().hand.Sure()
	return nil
}

// startTap has the chip asked while the screen shows that it is.
func (t *Terminal[V, S]) startTap(ctx context.Context, id, chip string) error {
	v, err := t.At(id, StepTouch)
	if err != nil {
		return err
	}
	pin, sure := v.Held().hand.Touch()
	of := v.Shown()
	v.Held().touched = chip
	v.Held().Unlock()
	t.Start(ctx, id, ScreenReading, of, func(ctx context.Context) error {
		return t.own.Touch(ctx, id, Touch{Chip: chip, PIN: pin, LastTry: sure})
	})
	return nil
}

// lastWord is the kind of the cookie that keeps a word for the first screen, and staysFor is
// how long that word stays.
const (
	lastWord = "_word"
	staysFor = 20 * time.Second
)

// cookieName is a cookie's of the kind "", which names the visit of this screen, or lastWord.
// Cookies know no ports, so it is the terminal's own.
func (t *Terminal[V, S]) cookieName(kind string) string { return "warifu_" + t.own.Name + kind }

func (t *Terminal[V, S]) cookie(w http.ResponseWriter, kind, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: t.cookieName(kind), Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// Visiting is the visit of this screen, "" for none.
func (t *Terminal[V, S]) Visiting(r *http.Request) string {
	c, err := r.Cookie(t.cookieName(""))
	if err != nil {
		return ""
	}
	return c.Value
}

// onward leads to the visit's screen, which tells what was wrong.
func (t *Terminal[V, S]) onward(w http.ResponseWriter, r *http.Request, err error) {
	switch id := t.Visiting(r); {
	case err == nil:
		t.works.Forget(id)
	case !gone(err): // a visit that is over says so itself
		t.works.Fail(id, err)
	}
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

// gone reports whether a visit is over.
func gone(err error) bool { return warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) }

// first is the screen for whoever comes next; who is in the middle of a visit goes on with it.
func (t *Terminal[V, S]) first(w http.ResponseWriter, r *http.Request) {
	if id := t.Visiting(r); id != "" {
		if _, _, err := t.stands(id); err == nil {
			http.Redirect(w, r, "/visit", http.StatusSeeOther)
			return
		}
		t.cookie(w, "", "", -1)
	}
	t.welcome(w, r, nil)
}

// current is the screen that the visit stands at.
func (t *Terminal[V, S]) current(w http.ResponseWriter, r *http.Request) {
	id := t.Visiting(r)
	s, of, err := t.stands(id)
	if err != nil {
		if gone(err) {
			t.clear(w, r, over)
			return
		}
		t.welcome(w, r, err)
		return
	}
	t.screen(told{w}, r, s, of, t.works.Outcome(id))
}

// stands tells at which screen a visit stands. Looking is not touching: the time that is left
// goes on.
func (t *Terminal[V, S]) stands(id string) (s Screen, of S, err error) {
	if one := t.works.Under(id); one != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		s = Screen{Name: one.What, Waits: true, Stop: one.What == ScreenReading}
		if v, ok := t.visits[id]; ok {
			s.Medium = v.Told().Medium // which never changes
		}
		return s, one.Of, nil
	}
	v, err := t.find(id)
	if err != nil {
		return s, of, err
	}
	defer v.Held().Unlock()
	of = v.Shown()
	if told := v.Told(); told.Step == StepTouch {
		s.Name, s.Stop = v.Held().hand.Screen(told.LastTry), true
		s.Back = s.Name != ScreenStuck
	} else {
		s = t.own.Stand(v)
	}
	s.Medium, s.Touched, s.Left = v.Told().Medium, v.Held().touched, until(v.Told().Expires, t.place.Clock.Now())
	return s, of, nil
}

// over is the word of a visit that nobody touched for too long.
const over = "over"

// clear leads to the first screen, which tells the person who leaves one thing, once, and
// clears itself of that: the next person does not find it.
func (t *Terminal[V, S]) clear(w http.ResponseWriter, r *http.Request, word string) {
	t.cookie(w, "", "", -1)
	Settings{}.keep(w) // the next person has not asked for them
	if word != "" {
		t.cookie(w, lastWord, word, int(staysFor/time.Second))
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// welcome writes the first screen.
func (t *Terminal[V, S]) welcome(w http.ResponseWriter, r *http.Request, problem error) {
	s := Screen{Name: ScreenWelcome}
	if c, err := r.Cookie(t.cookieName(lastWord)); err == nil {
		t.cookie(w, lastWord, "", -1)
		if s.Word = c.Value; s.Word == over {
			title, _, next := text.Problem(warifu.ProblemOf(t.refusals.Over), doorway.Lang(r))
			s.Over = &face.Sentences{Title: title, Next: next}
		}
	}
	var none S
	t.screen(w, r, s, none, problem)
}

// screen fills in what every screen says, and has it written.
func (t *Terminal[V, S]) screen(w http.ResponseWriter, r *http.Request, s Screen, of S, problem error) {
	s.Settings, s.Accent, s.Real = SettingsOf(r), t.own.Name, t.place.Reader != nil
	if s.Name == ScreenTap && !s.Real {
		chips, err := t.place.Chips()
		if problem == nil {
			problem = err
		}
		for _, c := range chips {
			if c.Class.String() == s.Medium {
				s.Chips = append(s.Chips, c.ID)
			}
		}
	}
	if s.Name == ScreenLast {
		problem = nil // the screen itself says it
	}
	s.Whoever = problem != nil && whoever[warifu.ProblemOf(problem).Problem]
	s.Question = text.Sentence(s.heading(), doorway.Lang(r), nil)
	t.show(w, r, s, of, problem)
}

func (t *Terminal[V, S]) begin(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	_, _ = t.end(r) // one person after another: who was here is gone
	id, err := t.own.Begin(r.FormValue("medium"))
	if err != nil {
		t.cookie(w, "", "", -1)
		t.welcome(w, r, err)
		return
	}
	t.cookie(w, "", id, 0)
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

// end ends the visit of this screen, and what is under way in it.
func (t *Terminal[V, S]) end(r *http.Request) (V, error) {
	id := t.Visiting(r)
	ctx, cancel := context.WithTimeout(r.Context(), stopping)
	defer cancel()
	t.works.Stop(ctx, id)
	return t.Leave(id)
}

// leave ends the visit and clears the screen for the next person.
func (t *Terminal[V, S]) leave(w http.ResponseWriter, r *http.Request) {
	v, err := t.end(r)
	if err != nil && !gone(err) { // it goes on
		t.onward(w, r, err)
		return
	}
	word := ""
	if err == nil {
		word = t.own.Left(v)
	}
	t.clear(w, r, word)
}

// back goes to the question before; where there is none, it is the way out.
func (t *Terminal[V, S]) back(w http.ResponseWriter, r *http.Request) {
	v, err := t.At(t.Visiting(r))
	if err != nil {
		t.onward(w, r, err)
		return
	}
	out := false
	if told, hand := v.Told(), &v.Held().hand; told.Step != StepTouch {
		t.own.Back(v)
	} else if out = hand.Screen(told.LastTry) != ScreenTap; !out {
		hand.Forget()
	}
	v.Held().Unlock()
	if out {
		t.leave(w, r)
		return
	}
	t.onward(w, r, nil)
}
