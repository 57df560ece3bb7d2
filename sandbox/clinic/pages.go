package clinic

import (
	"context"
	"net/http"
	"slices"
	"time"

	"warifu"
	"warifu/face"
	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/sandbox/insurer"
	"warifu/sandbox/terminal"
)

// visitCookie names the visit of this screen. Cookies know no ports, so its name is the clinic's own.
const visitCookie = "warifu_clinic"

// stopping is how long the way out waits for a tap that is under way.
const stopping = 3 * time.Second

var screen = face.Terminal("clinic/screen")

// The screens besides those of package terminal.
const (
	screenWelcome = "welcome"
	screenReading = "reading"
	screenConsent = "consent"
	screenAsking  = "asking"
	screenDone    = "done"
)

type screenData struct {
	terminal.Screen
	View    View
	Chips   []string
	Touched string
	Real    bool // a real reader waits, and nobody chooses what is touched
	Digits  []int
	Asked   string // which kind of data
	Step    int    // of how many questions, from 1
	Line    bool
	Age     age
}

// age is how old something is, as a text's key and the number that goes with it.
type age struct {
	Key    string
	Number int
}

func ageOf(d time.Duration) age {
	switch {
	case d >= time.Hour:
		return age{"clinic.age-hours", int(d.Hours())}
	case d >= time.Minute:
		return age{"clinic.age-minutes", int(d.Minutes())}
	}
	return age{Key: "clinic.age-none"}
}

// Fine says whether the clinic may go on.
func (d screenData) Fine() bool { return fine(d.View) }

// Clock is the time that is left, as minutes and seconds.
func (d screenData) Clock() string { return terminal.Minutes(d.Left) }

// Elsewhere are keys of where to go with a card or phone that will not do.
func (d screenData) Elsewhere() []string {
	if d.Locked {
		return []string{"clinic.elsewhere", "terminal.elsewhere-" + d.Medium}
	}
	return []string{"clinic.elsewhere"}
}

// asked are the kinds of data, each its own question.
var asked = []string{"medicine", "checkups", "high-cost"}

// asks is the kind of data that the person is asked about, "" when they have said all.
func (v *visit) asks() string {
	for _, what := range asked {
		if _, said := v.said[what]; !said {
			return what
		}
	}
	return ""
}

func (v *visit) screen() string {
	switch v.Step {
	case StepTouch:
		return v.hand.Screen(v.LastTry)
	case StepConsent:
		return screenConsent
	}
	return screenDone
}

// Routes adds the clinic's doors to mux: the screens, the staff's page, and the same steps as JSON.
func (c *Clinic) Routes(mux *http.ServeMux) {
	c.apiRoutes(mux)
	c.staffRoutes(mux)
	terminal.Set(mux)
	mux.HandleFunc("GET /{$}", c.first)
	mux.HandleFunc("GET /visit", c.current)
	mux.HandleFunc("GET /visit/events", func(w http.ResponseWriter, r *http.Request) { c.works.Tell(w, r, visiting(r)) })
	mux.HandleFunc("POST /visits", c.beginByForm)
	mux.HandleFunc("POST /visit/leave", c.leaveByForm)
	step := func(path string, take func(r *http.Request, id string) error) {
		mux.HandleFunc("POST /visit/"+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
			c.onward(w, r, take(r, visiting(r)))
		})
	}
	step("pin", func(r *http.Request, id string) error { return c.typed(r.Context(), id, r.FormValue("pin")) })
	step("sure", func(_ *http.Request, id string) error { return c.sure(id) })
	step("tap", func(r *http.Request, id string) error { return c.startTap(r.Context(), id, r.FormValue("chip")) })
	step("more", func(_ *http.Request, id string) error { _, err := c.Visit(id); return err })
	step("consent", func(r *http.Request, id string) error {
		return c.consented(r.Context(), id, r.FormValue("what"), r.FormValue("answer"))
	})
	mux.HandleFunc("POST /visit/back", func(w http.ResponseWriter, r *http.Request) {
		out, err := c.back(visiting(r))
		if out {
			c.leaveByForm(w, r)
			return
		}
		c.onward(w, r, err)
	})
}

// typed keeps a PIN for the tap, if it may be one at all (K7). A real reader waits for the
// tap from here on.
func (c *Clinic) typed(ctx context.Context, id, pin string) error {
	v, err := c.at(id, StepTouch)
	if err != nil {
		return err
	}
	if v.class == profile.ClassPhone {
		_, err = c.config.Scheme.ActivationSecret(warifu.Authentication, pin)
	} else {
		_, err = c.config.Scheme.CardPIN(warifu.Authentication, pin)
	}
	if err == nil {
		v.hand.Type(pin)
	}
	v.Unlock()
	if err == nil && c.config.Reader != nil {
		return c.startTap(ctx, id, "")
	}
	return err
}

// sure says that the person goes on with the last try.
func (c *Clinic) sure(id string) error {
	v, err := c.at(id, StepTouch)
	if err != nil {
		return err
	}
	defer v.Unlock()
	v.hand.Sure()
	return nil
}

// startTap has the chip asked while the screen shows that it is.
func (c *Clinic) startTap(ctx context.Context, id, chip string) error {
	v, err := c.at(id, StepTouch)
	if err != nil {
		return err
	}
	pin, sure := v.hand.Touch()
	of := v.View
	v.touched = chip
	v.Unlock()
	c.works.Start(ctx, id, screenReading, of, func(ctx context.Context) error {
		_, err := c.Touch(ctx, id, Touch{Chip: chip, PIN: pin, LastTry: sure})
		return err
	})
	return nil
}

// consented takes one yes or no; after the last the insurers are asked, while the screen
// shows that they are.
func (c *Clinic) consented(ctx context.Context, id, what, answer string) error {
	v, err := c.at(id, StepConsent)
	if err != nil {
		return err
	}
	err = v.says(what, answer)
	of, all := v.View, v.asks() == ""
	said := insurer.Consents{Medicine: v.said["medicine"], Checkups: v.said["checkups"], HighCost: v.said["high-cost"]}
	v.Unlock()
	if err != nil || !all {
		return err
	}
	c.works.Start(ctx, id, screenAsking, of, func(ctx context.Context) error {
		_, err := c.Consent(ctx, id, said)
		if err != nil {
			c.askAgain(id)
		}
		return err
	})
	return nil
}

// says keeps one answer, to the question that is asked now.
func (v *visit) says(what, answer string) error {
	switch {
	case !slices.Contains(asked, what) || answer != "yes" && answer != "no":
		return warifu.Invalid("clinic-consent-open")
	case what != v.asks():
		return warifu.Conflict("clinic-step-other")
	case v.said == nil:
		v.said = map[string]bool{}
	}
	v.said[what] = answer == "yes"
	return nil
}

// askAgain puts the last question once more: what the insurers refused may go through later.
func (c *Clinic) askAgain(id string) {
	if v, err := c.at(id, StepConsent); err == nil {
		delete(v.said, asked[len(asked)-1])
		v.Unlock()
	}
}

// back goes to the question before; it reports whether there was none, which is the way out.
func (c *Clinic) back(id string) (out bool, err error) {
	v, err := c.at(id)
	if err != nil {
		return false, err
	}
	defer v.Unlock()
	switch v.screen() {
	case terminal.ScreenTap:
		v.hand.Forget()
	case terminal.ScreenPIN, terminal.ScreenLast, terminal.ScreenStuck:
		return true, nil
	case screenConsent:
		if i := len(v.said) - 1; i >= 0 {
			delete(v.said, asked[i])
		}
	}
	return false, nil
}

// visiting is the visit of this screen, "" for none.
func visiting(r *http.Request) string {
	c, err := r.Cookie(visitCookie)
	if err != nil {
		return ""
	}
	return c.Value
}
