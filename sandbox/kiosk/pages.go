package kiosk

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"warifu"
	"warifu/face"
	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/sandbox/municipality"
	"warifu/sandbox/terminal"
	"warifu/text"
)

// visitCookie names the visit of this screen. Cookies know no ports, so its name is the kiosk's own.
const visitCookie = "warifu_kiosk"

// stopping is how long the way out waits for a tap that is under way.
const stopping = 3 * time.Second

var screen = face.Terminal("kiosk/screen")

// screenData is what a screen shows.
type screenData struct {
	terminal.Screen
	View     View
	Closed   *face.Sentences
	Chips    []string
	Touched  string
	Real     bool // a real reader waits, and nobody chooses what is touched
	Coins    []int
	Copies   []int
	Digits   []int
	Open     int // yen that are still to be paid
	Refunded int
}

// Short tells that the fee is not paid yet.
func (d screenData) Short() bool { return d.Open > 0 }

// Clock is the time that is left, as minutes and seconds.
func (d screenData) Clock() string { return terminal.Minutes(d.Left) }

// Elsewhere are keys of where to go with a card or phone that will not do.
func (d screenData) Elsewhere() []string {
	if d.Locked {
		return []string{"terminal.elsewhere-" + d.Medium, "kiosk.elsewhere"}
	}
	return []string{"kiosk.elsewhere"}
}

func (k *Kiosk) pageRoutes(mux *http.ServeMux) {
	terminal.Set(mux)
	mux.HandleFunc("GET /{$}", k.first)
	mux.HandleFunc("GET /visit", k.current)
	mux.HandleFunc("GET /visit/events", func(w http.ResponseWriter, r *http.Request) { k.works.Tell(w, r, visiting(r)) })
	mux.HandleFunc("GET /visit/paper", func(w http.ResponseWriter, r *http.Request) { k.handOut(w, visiting(r)) })
	mux.HandleFunc("POST /visits", k.beginByForm)
	mux.HandleFunc("POST /visit/leave", k.leaveByForm)
	step := func(path string, take func(r *http.Request, id string) error) {
		mux.HandleFunc("POST /visit/"+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
			k.onward(w, r, take(r, visiting(r)))
		})
	}
	step("pin", func(r *http.Request, id string) error { return k.typed(r.Context(), id, r.FormValue("pin")) })
	step("sure", func(_ *http.Request, id string) error { return k.sure(id) })
	step("tap", func(r *http.Request, id string) error { return k.startTap(r.Context(), id, r.FormValue("chip")) })
	step("more", func(_ *http.Request, id string) error { _, err := k.Visit(id); return err })
	step("answer", func(r *http.Request, id string) error {
		copies, _ := strconv.Atoi(r.FormValue("copies")) // zero is refused
		return k.answered(id, answer{r.FormValue("document"), r.FormValue("household") == "yes", r.FormValue("relation") == "yes", copies})
	})
	step("coins", func(r *http.Request, id string) error {
		yen, _ := strconv.Atoi(r.FormValue("yen")) // no coin is worth zero
		_, err := k.Insert(id, yen)
		return err
	})
	step("print", func(r *http.Request, id string) error { return k.startPrint(r.Context(), id) })
	mux.HandleFunc("POST /visit/back", func(w http.ResponseWriter, r *http.Request) {
		out, err := k.back(visiting(r))
		if out {
			k.leaveByForm(w, r)
			return
		}
		k.onward(w, r, err)
	})
}

// typed keeps a PIN for the tap, if it may be one at all: nothing is sent to a chip that can
// only be wrong (K7). A real reader waits for the tap from here on.
func (k *Kiosk) typed(ctx context.Context, id, pin string) error {
	v, err := k.at(id, StepTouch)
	if err != nil {
		return err
	}
	if v.class == profile.ClassPhone {
		_, err = k.config.Scheme.ActivationSecret(warifu.Authentication, pin)
	} else {
		_, err = k.config.Scheme.CardPIN(warifu.Authentication, pin)
	}
	if err == nil {
		v.hand.Type(pin)
	}
	v.Unlock()
	if err == nil && k.config.Reader != nil {
		return k.startTap(ctx, id, "")
	}
	return err
}

// sure says that the person goes on with the last try.
func (k *Kiosk) sure(id string) error {
	v, err := k.at(id, StepTouch)
	if err != nil {
		return err
	}
	defer v.Unlock()
	v.hand.Sure()
	return nil
}

// startTap has the chip asked while the screen shows that it is.
func (k *Kiosk) startTap(ctx context.Context, id, chip string) error {
	v, err := k.at(id, StepTouch)
	if err != nil {
		return err
	}
	pin, sure := v.hand.Touch()
	of := v.View
	v.touched = chip
	v.Unlock()
	k.works.Start(ctx, id, screenReading, of, func(ctx context.Context) error {
		_, err := k.Touch(ctx, id, Touch{Chip: chip, PIN: pin, LastTry: sure})
		return err
	})
	return nil
}

// startPrint has the paper made while the screen shows that it is.
func (k *Kiosk) startPrint(ctx context.Context, id string) error {
	v, err := k.at(id, StepPay)
	if err != nil {
		return err
	}
	of := v.View
	v.Unlock()
	if of.Paid < of.Fee {
		return warifu.Refused("kiosk-fee-short")
	}
	k.works.Start(ctx, id, screenPrinting, of, func(ctx context.Context) error {
		_, err := k.Print(ctx, id)
		return err
	})
	return nil
}

// visiting is the visit of this screen, "" for none.
func visiting(r *http.Request) string {
	c, err := r.Cookie(visitCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// onward leads to the visit's screen, which tells what was wrong.
func (k *Kiosk) onward(w http.ResponseWriter, r *http.Request, err error) {
	switch id := visiting(r); {
	case err == nil:
		k.works.Forget(id)
	case !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound): // a visit that is over says so itself
		k.works.Fail(id, err)
	}
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

// first is the screen for whoever comes next; who is in the middle of a visit goes on with it.
func (k *Kiosk) first(w http.ResponseWriter, r *http.Request) {
	if id := visiting(r); id != "" {
		if _, _, err := k.stands(id); err == nil {
			http.Redirect(w, r, "/visit", http.StatusSeeOther)
			return
		}
		forget(w)
	}
	k.welcome(w, r, 0, nil)
}

// current is the screen that the visit stands at.
func (k *Kiosk) current(w http.ResponseWriter, r *http.Request) {
	id := visiting(r)
	d, touched, err := k.stands(id)
	if err != nil {
		if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
			forget(w)
		}
		k.welcome(w, r, 0, err)
		return
	}
	k.show(w, r, d, touched, k.works.Outcome(id))
}

// stands tells at which screen a visit stands, and what was touched last. Looking is not
// touching: the time that is left goes on.
func (k *Kiosk) stands(id string) (d screenData, touched string, err error) {
	if one := k.works.Under(id); one != nil {
		return screenData{View: one.Of, Screen: terminal.Screen{Name: one.What, Waits: true, Stop: one.What == screenReading}}, "", nil
	}
	k.mu.Lock()
	k.sweep()
	v, ok := k.visits[id]
	k.mu.Unlock()
	if !ok {
		return d, "", warifu.NotFound("kiosk-visit-over")
	}
	if !v.TryLock() { // a step by JSON
		return d, "", warifu.Conflict("kiosk-in-use")
	}
	defer v.Unlock()
	d = screenData{View: v.View, Screen: terminal.Screen{Name: v.screen(), Left: terminal.Until(v.Expires, k.config.Clock.Now())}}
	d.Back, d.Stop = v.backFrom(d.Name), v.Step != StepDone
	return d, v.touched, nil
}

// show writes the screen of a visit.
func (k *Kiosk) show(w http.ResponseWriter, r *http.Request, d screenData, touched string, problem error) {
	v := d.View
	d.Settings, d.Accent, d.Medium, d.Touched, d.Coins, d.Open = terminal.SettingsOf(r), "kiosk", v.Medium, touched, Coins, v.Fee-v.Paid
	d.Digits, d.Real = terminal.Digits, k.config.Reader != nil
	for n := range municipality.MaxCopies {
		d.Copies = append(d.Copies, n+1)
	}
	if problem != nil && v.Step == StepChoose {
		d.Refunded = v.Refund
	}
	if d.Name == terminal.ScreenTap && k.config.Reader == nil {
		chips, err := k.config.Chips()
		if problem == nil {
			problem = err
		}
		for _, c := range chips {
			if c.Class.String() == v.Medium {
				d.Chips = append(d.Chips, c.ID)
			}
		}
	}
	if d.Name == terminal.ScreenLast {
		problem = nil // the screen itself says it
	}
	d.Locked = terminal.Locked(problem)
	d.Question = text.Sentence(question(d), doorway.Lang(r), nil)
	doorway.Show(terminal.Told(w), r, screen, "kiosk.title", d, problem)
}

// question is the key of a screen's heading.
func question(d screenData) string {
	switch d.Name {
	case terminal.ScreenPIN, terminal.ScreenTap, terminal.ScreenLast, screenReading, terminal.ScreenStuck:
		return "terminal.q-" + d.Name + "-" + d.View.Medium
	case screenPay:
		if !d.Short() {
			return "kiosk.q-paid"
		}
	}
	return "kiosk.q-" + d.Name
}

// welcome writes the first screen, or that the kiosk is closed.
func (k *Kiosk) welcome(w http.ResponseWriter, r *http.Request, refunded int, problem error) {
	d := screenData{Screen: terminal.Screen{Name: screenWelcome, Settings: terminal.SettingsOf(r), Accent: "kiosk"}, Refunded: refunded}
	lang := doorway.Lang(r)
	if err := k.open(profile.ClassCard); err != nil {
		d.Name = screenClosed
		title, detail, next := text.Problem(warifu.ProblemOf(err), lang)
		d.Closed = &face.Sentences{Title: title, Detail: detail, Next: next}
		if problem != nil && warifu.ProblemOf(problem).Problem == warifu.ProblemOf(err).Problem {
			problem = nil // it is said already
		}
	}
	d.Question = text.Sentence("kiosk.q-"+d.Name, lang, nil)
	doorway.Show(w, r, screen, "kiosk.title", d, problem)
}

func (k *Kiosk) beginByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	_, _ = k.end(r) // one person after another: who was here is gone
	v, err := k.Begin(r.FormValue("medium"))
	if err != nil {
		forget(w)
		k.welcome(w, r, 0, err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: visitCookie, Value: v.ID, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

// end ends the visit of this screen, and what is under way in it.
func (k *Kiosk) end(r *http.Request) (refund int, err error) {
	id := visiting(r)
	ctx, cancel := context.WithTimeout(r.Context(), stopping)
	defer cancel()
	k.works.Stop(ctx, id)
	return k.Leave(id)
}

func forget(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: visitCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// leaveByForm ends the visit and shows the first screen to the next person.
func (k *Kiosk) leaveByForm(w http.ResponseWriter, r *http.Request) {
	refund, err := k.end(r)
	if err != nil && !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) { // it goes on
		k.onward(w, r, err)
		return
	}
	forget(w)
	k.welcome(w, r, refund, nil)
}
