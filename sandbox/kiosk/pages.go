package kiosk

import (
	"context"
	"net/http"
	"strconv"

	"warifu"
	"warifu/face"
	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/sandbox/municipality"
	"warifu/sandbox/terminal"
	"warifu/text"
)

var screen = face.Terminal("kiosk/screen")

// screenData is what a screen shows.
type screenData struct {
	terminal.Screen
	View     View
	Closed   *face.Sentences
	Coins    []int
	Copies   []int
	Open     int // yen that are still to be paid
	Refunded int
}

// Change is what comes back when the paper is printed, in yen.
func (d screenData) Change() int { return max(0, -d.Open) }

// Short tells that the fee is not paid yet.
func (d screenData) Short() bool { return d.Open > 0 }

func (k *Kiosk) pageRoutes(mux *http.ServeMux) {
	k.terminals.Routes(mux)
	mux.HandleFunc("GET /visit/paper", func(w http.ResponseWriter, r *http.Request) { k.handOut(w, k.terminals.Visiting(r)) })
	k.terminals.Step(mux, "answer", func(r *http.Request, id string) error {
		copies, _ := strconv.Atoi(r.FormValue("copies")) // zero is refused
		return k.answered(id, answer{r.FormValue("document"), r.FormValue("household") == "yes", r.FormValue("relation") == "yes", copies})
	})
	k.terminals.Step(mux, "coins", func(r *http.Request, id string) error {
		yen, _ := strconv.Atoi(r.FormValue("yen")) // no coin is worth zero
		_, err := k.Insert(id, yen)
		return err
	})
	k.terminals.Step(mux, "print", func(r *http.Request, id string) error { return k.startPrint(r.Context(), id) })
}

// startPrint has the paper made while the screen shows that it is.
func (k *Kiosk) startPrint(ctx context.Context, id string) error {
	v, err := k.terminals.At(id, StepPay)
	if err != nil {
		return err
	}
	of := v.Shown()
	v.Unlock()
	if of.Paid < of.Fee {
		return warifu.Refused("kiosk-fee-short")
	}
	k.terminals.Start(ctx, id, screenPrinting, of, func(ctx context.Context) error {
		_, err := k.Print(ctx, id)
		return err
	})
	return nil
}

// show writes a screen; the first one says whether the kiosk is closed.
func (k *Kiosk) show(w http.ResponseWriter, r *http.Request, s terminal.Screen, v View, problem error) {
	d := screenData{Screen: s, View: v, Coins: Coins, Open: v.Fee - v.Paid}
	for n := range municipality.MaxCopies {
		d.Copies = append(d.Copies, n+1)
	}
	if problem != nil && v.Step == StepChoose {
		d.Refunded = v.Refund
	}
	if yen, err := strconv.Atoi(s.Word); err == nil && yen > 0 {
		d.Refunded = yen
	}
	lang := doorway.Lang(r)
	if err := k.open(profile.ClassCard); err != nil && s.Name == terminal.ScreenWelcome {
		d.Name, d.Question = screenClosed, text.Sentence("kiosk.q-closed", lang, nil)
		title, detail, next := text.Problem(warifu.ProblemOf(err), lang)
		d.Closed = &face.Sentences{Title: title, Detail: detail, Next: next}
		if problem != nil && warifu.ProblemOf(problem).Problem == warifu.ProblemOf(err).Problem {
			problem = nil // it is said already
		}
	}
	doorway.Show(w, r, screen, "kiosk.title", d, problem)
}

// left is what is given back to a person who leaves, in yen.
func (v *visit) left() string {
	if yen := v.coins(); yen > 0 {
		return strconv.Itoa(yen)
	}
	return ""
}
