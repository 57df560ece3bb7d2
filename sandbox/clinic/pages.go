package clinic

import (
	"context"
	"net/http"
	"slices"
	"time"

	"warifu"
	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/sandbox/insurer"
	"warifu/sandbox/terminal"
)

var screen = face.Terminal("clinic/screen")

// The screens besides those of package terminal.
const (
	screenConsent = "consent"
	screenAsking  = "asking"
	screenDone    = "done"
)

type screenData struct {
	terminal.Screen
	View View
	Step int // of how many questions, from 1
	Line bool
	Age  age
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

// stand tells at which screen the visit stands, once the chip has answered.
func (v *visit) stand() terminal.Screen {
	if v.Step == StepConsent {
		return terminal.Screen{Name: screenConsent, Ask: "clinic.q-" + v.asks(), Back: len(v.said) > 0, Stop: true}
	}
	return terminal.Screen{Name: screenDone, Ask: "clinic.q-" + string(v.State)}
}

// back takes the last answer back.
func (v *visit) back() {
	if i := len(v.said) - 1; i >= 0 && v.Step == StepConsent {
		delete(v.said, asked[i])
	}
}

// Routes adds the clinic's doors to mux: the screens, the staff's page, and the same steps as JSON.
func (c *Clinic) Routes(mux *http.ServeMux) {
	c.apiRoutes(mux)
	c.staffRoutes(mux)
	c.terminals.Routes(mux)
	c.terminals.Step(mux, "consent", func(r *http.Request, id string) error {
		return c.consented(r.Context(), id, r.FormValue("what"), r.FormValue("answer"))
	})
}

// show writes a screen.
func (c *Clinic) show(w http.ResponseWriter, r *http.Request, s terminal.Screen, v View, problem error) {
	d := screenData{Screen: s, View: v, Step: slices.Index(asked, v.Asked) + 1, Line: c.line(), Age: ageOf(v.StatusAge)}
	doorway.Show(w, r, screen, "clinic.title", d, problem)
}

// consented takes one yes or no; after the last the insurers are asked, while the screen
// shows that they are.
func (c *Clinic) consented(ctx context.Context, id, what, answer string) error {
	v, err := c.terminals.At(id, StepConsent)
	if err != nil {
		return err
	}
	err = v.says(what, answer)
	of, all := v.Shown(), v.asks() == ""
	said := insurer.Consents{Medicine: v.said["medicine"], Checkups: v.said["checkups"], HighCost: v.said["high-cost"]}
	v.Unlock()
	if err != nil || !all {
		return err
	}
	c.terminals.Start(ctx, id, screenAsking, of, func(ctx context.Context) error {
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
	if v, err := c.terminals.At(id, StepConsent); err == nil {
		delete(v.said, asked[len(asked)-1])
		v.Unlock()
	}
}
