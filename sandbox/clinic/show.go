package clinic

import (
	"context"
	"net/http"
	"slices"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/terminal"
	"warifu/text"
)

// onward leads to the visit's screen, which tells what was wrong.
func (c *Clinic) onward(w http.ResponseWriter, r *http.Request, err error) {
	switch id := visiting(r); {
	case err == nil:
		c.works.Forget(id)
	case !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound): // a visit that is over says so itself
		c.works.Fail(id, err)
	}
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

// first is the screen for whoever comes next; who is in the middle of a visit goes on with it.
func (c *Clinic) first(w http.ResponseWriter, r *http.Request) {
	if id := visiting(r); id != "" {
		if _, err := c.stands(id); err == nil {
			http.Redirect(w, r, "/visit", http.StatusSeeOther)
			return
		}
		forget(w)
	}
	c.show(w, r, screenData{Screen: terminal.Screen{Name: screenWelcome}}, nil)
}

// current is the screen that the visit stands at.
func (c *Clinic) current(w http.ResponseWriter, r *http.Request) {
	id := visiting(r)
	d, err := c.stands(id)
	if err != nil {
		if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
			forget(w)
		}
		c.show(w, r, screenData{Screen: terminal.Screen{Name: screenWelcome}}, err)
		return
	}
	c.show(w, r, d, c.works.Outcome(id))
}

// stands tells at which screen a visit stands. Looking is not touching: the time that is left
// goes on.
func (c *Clinic) stands(id string) (d screenData, err error) {
	if one := c.works.Under(id); one != nil {
		return screenData{View: one.Of, Screen: terminal.Screen{Name: one.What, Waits: true, Stop: one.What == screenReading}}, nil
	}
	c.mu.Lock()
	c.sweep()
	v, ok := c.visits[id]
	c.mu.Unlock()
	if !ok {
		return d, warifu.NotFound("clinic-visit-over")
	}
	if !v.TryLock() { // a step by JSON
		return d, warifu.Conflict("clinic-in-use")
	}
	defer v.Unlock()
	d = screenData{View: v.View, Touched: v.touched, Asked: v.asks(), Step: slices.Index(asked, v.asks()) + 1, Age: ageOf(v.StatusAge)}
	d.Screen = terminal.Screen{Name: v.screen(), Left: terminal.Until(v.Expires, c.config.Clock.Now()), Stop: v.Step != StepDone}
	d.Back = v.Step == StepTouch && d.Name != terminal.ScreenStuck || v.Step == StepConsent && len(v.said) > 0
	return d, nil
}

// show writes a screen.
func (c *Clinic) show(w http.ResponseWriter, r *http.Request, d screenData, problem error) {
	d.Settings, d.Accent, d.Medium, d.Digits, d.Line, d.Real = terminal.SettingsOf(r), "clinic", d.View.Medium, terminal.Digits, c.line(), c.config.Reader != nil
	if d.Name == terminal.ScreenTap && !d.Real {
		chips, err := c.config.Chips()
		if problem == nil {
			problem = err
		}
		for _, chip := range chips {
			if chip.Class.String() == d.Medium {
				d.Chips = append(d.Chips, chip.ID)
			}
		}
	}
	if d.Name == terminal.ScreenLast {
		problem = nil // the screen itself says it
	}
	d.Locked = terminal.Locked(problem)
	d.Question = text.Sentence(question(d), doorway.Lang(r), nil)
	if d.View.ID != "" {
		w = terminal.Told(w)
	}
	doorway.Show(w, r, screen, "clinic.title", d, problem)
}

// question is the key of a screen's heading.
func question(d screenData) string {
	switch d.Name {
	case terminal.ScreenPIN, terminal.ScreenTap, terminal.ScreenLast, screenReading, terminal.ScreenStuck:
		return "terminal.q-" + d.Name + "-" + d.Medium
	case screenConsent:
		return "clinic.q-" + d.Asked
	case screenDone:
		return "clinic.q-" + string(d.View.State)
	}
	return "clinic.q-" + d.Name
}

func (c *Clinic) beginByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	_ = c.end(r) // one person after another: who was here is gone
	v, err := c.Begin(r.FormValue("medium"))
	if err != nil {
		forget(w)
		c.show(w, r, screenData{Screen: terminal.Screen{Name: screenWelcome}}, err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: visitCookie, Value: v.ID, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

// end ends the visit of this screen, and what is under way in it.
func (c *Clinic) end(r *http.Request) error {
	id := visiting(r)
	ctx, cancel := context.WithTimeout(r.Context(), stopping)
	defer cancel()
	c.works.Stop(ctx, id)
	return c.Leave(id)
}

func forget(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: visitCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// leaveByForm ends the visit and shows the first screen to the next person.
func (c *Clinic) leaveByForm(w http.ResponseWriter, r *http.Request) {
	if err := c.end(r); err != nil && !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) { // it goes on
		c.onward(w, r, err)
		return
	}
	forget(w)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
