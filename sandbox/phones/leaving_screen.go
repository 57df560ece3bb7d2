package phones

import (
	"net/http"
	"slices"
	"time"

	"warifu"
	"warifu/face"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/text"
)

var leavingScreen = face.Phone("leaving")

// leavingData is the screen that asks before the phone leaves its holder's hands; without an
// event it asks which.
type leavingData struct {
	mine
	Occasions       []phone.Occasion
	Event, Question string
	Back            string // the marketplace's page that the proof is for
	Choices         []leavingChoice
	Chosen          string // on the form that is shown again
	Checklist       []string
	Done            phone.Parted
	Proof           *proofShown
	Asked           bool   // a marketplace's question waits for the proof
	Today           string // the first day until which the certificates can be suspended
}

type leavingChoice struct{ Name, Says string }

// Offers reports whether a choice is among those shown.
func (d leavingData) Offers(choice string) bool {
	return slices.ContainsFunc(d.Choices, func(c leavingChoice) bool { return c.Name == choice })
}

// showLeaving asks the question of an occasion on a screen of its own.
func (p *Phones) showLeaving(w http.ResponseWriter, r *http.Request, o *owned, out phone.Parted, problem error) {
	data := leavingData{Occasions: phone.Occasions, Event: r.FormValue("event"), Back: p.back(r), Chosen: r.PostFormValue("choice"), Done: out, Today: p.today()}
	title := "phones.leaving"
	if data.Event != "" {
		asked, err := p.Leaving(r.Context(), o.handset.ID, data.Event)
		if err != nil {
			data.Event, problem = "", err
		} else {
			title = "phones.event-" + data.Event
			data.ask(asked, doorway.Lang(r))
		}
	}
	var err error
	if data.Proof, err = shownProof(out.Proof, data.Back, doorway.Lang(r)); err != nil && problem == nil {
		problem = err
	}
	p.mineScreen(w, r, o, leavingScreen, title, problem, func(m mine) any {
		data.mine, data.Asked = m, m.App.Listing != nil
		return data
	})
}

// ask puts the server's question into the reader's language.
func (d *leavingData) ask(asked phone.Leaving, lang text.Lang) {
	in := func(s phone.Sentence) string {
		if lang == text.Japanese {
			return s.Ja
		}
		return s.En
	}
	d.Question = in(asked.Question)
	for _, c := range asked.Choices {
		if d.Done.Choice == "" {
			d.Choices = append(d.Choices, leavingChoice{c.Choice, in(c.Sentence)})
		}
	}
	if d.Event == string(phone.OccasionListing) && len(d.Choices) > 0 {
		d.Choices = append(d.Choices, leavingChoice{phone.ChoiceNotMe, text.Sentence("phones.leaving-not-me", lang, nil)})
	}
	for _, item := range asked.Checklist {
		d.Checklist = append(d.Checklist, in(item.Sentence))
	}
}

// today is the day where the phone is.
func (p *Phones) today() string {
	return p.config.Clock.Now().In(p.config.Scheme.Hours.Zone).Format(time.DateOnly)
}

// leaveByForm is the screen's door to a decision.
func (p *Phones) leaveByForm(w http.ResponseWriter, r *http.Request, o *owned) {
	in := Leave{Event: r.FormValue("event"), Choice: r.FormValue("choice"), Password: r.FormValue("password"), PIN: r.FormValue("pin")}
	var out phone.Parted
	err := p.dated(&in, r.FormValue("until"))
	switch {
	case err != nil:
	case in.Event == string(phone.OccasionReset):
		out, err = p.Reset(r.Context(), o.handset.ID, in)
	default:
		out, err = p.Leave(r.Context(), o.handset.ID, in)
	}
	if err == nil && in.Event == string(phone.OccasionReset) {
		finish(w, r, o, "reset")
		return
	}
	p.showLeaving(w, r, o, out, err)
}

// dated reads the day a form names: until its end, where the phone is.
func (p *Phones) dated(in *Leave, day string) error {
	if in.Choice != phone.ChoiceHold || day == "" {
		return nil
	}
	at, err := time.ParseInLocation(time.DateOnly, day, p.config.Scheme.Hours.Zone)
	if err != nil {
		return warifu.Invalid("sandbox-request-malformed").With(err)
	}
	in.Until = at.AddDate(0, 0, 1)
	return nil
}
