package desk

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/ledger"
	"warifu/registration"
	"warifu/sandbox/bureau"
	"warifu/sandbox/counter"
	"warifu/sandbox/doorway"
	"warifu/sandbox/person"
	"warifu/text"
)

var (
	personsPage = page("persons")
	personPage  = page("person")
)

// Word is a word of the personas' grammar with its sentence in both languages.
type Word struct{ Word, En, Ja string }

// personsData is the list of persons.
type personsData struct {
	view
	Persons []Card
	Words   []Word
	Made    string // the persona that was made last
}

func (d *Desk) personsList(w http.ResponseWriter, r *http.Request, problem error) {
	data := personsData{view: d.view(r, "/persons"), Made: r.URL.Query().Get("made")}
	var err error
	if data.Persons, err = d.all(); problem == nil {
		problem = err
	}
	if d.config.Words != nil {
		data.Words = d.config.Words()
	}
	doorway.Show(w, r, personsPage, "desk.persons-title", data, problem)
}

// personData is the page of one person.
type personData struct {
	view
	Card
	Standing Standing
	Events   []string
	Visits   []string
	Letters  []counter.Letter
	Happened *happening // what the last event brought about
	Tree     []branch   // the same, drawn
	Recent   []ledger.Entry
	// SignatureTries and AuthenticationTries are sentences on how often each of the card's
	// secrets may still be mistaken; Left is the number for the signing password.
	SignatureTries, AuthenticationTries string
	Left                                int
	Births                              string
	Unprinted                           bool
	Died                                time.Time
}

// happening is what the person's last event brought about, kept to be shown after the page
// went on.
type happening struct {
	Event   string
	At      time.Time
	Cascade []registration.Cause
	Order   bool // it was an order with the card, which nothing follows from
}

// personOf shows one person; the card is put on the desk's reader for it.
func (d *Desk) personOf(w http.ResponseWriter, r *http.Request, problem error) {
	id := r.PathValue("id")
	view, err := d.config.Cards.Show(id)
	if err != nil {
		d.personsList(w, r, err)
		return
	}
	data := personData{view: d.view(r, "/persons"), Events: eventsFor(view), Visits: visits, Unprinted: view.Unprinted, Died: view.Died}
	first := func(err error) {
		if problem == nil {
			problem = err
		}
	}
	tries, err := d.tries(r.Context(), id)
	first(err)
	if after, err := d.config.Cards.Show(id); err == nil {
		view = after // it may have been made only now
	}
	data.Card = d.cardOf(view)
	data.Tries = tries
	data.Births = view.Person.Birth.Format(time.DateOnly)
	data.Standing, err = d.config.Standing(r.Context(), id)
	first(err)
	data.Recent = data.Standing.Checked[:min(len(data.Standing.Checked), recent)]
	data.Left = data.TriesOf(warifu.Signature)
	data.SignatureTries, data.AuthenticationTries = triesLeft(data.Left, doorway.Lang(r)), triesLeft(data.TriesOf(warifu.Authentication), doorway.Lang(r))
	data.Letters, err = d.config.Proxies.Letters(id)
	first(err)
	if r.Context().Err() != nil {
		return // the browser has gone on
	}
	if h, ok := d.lately.of(id); ok {
		data.Happened = &h
		data.Tree = branches(h.Cascade, namesOf(data.Standing, doorway.Lang(r)), d.config.Scheme.Hours.Zone, doorway.Lang(r))
	}
	doorway.Show(w, r, personPage, "desk.person-title", data, problem)
}

// recent is how many lines of a ledger the page shows.
const recent = 12

// triesLeft is a sentence on how often a secret may still be mistaken; empty where nobody
// knows.
func triesLeft(n int, lang text.Lang) string {
	switch {
	case n < 0:
		return ""
	case n == 0:
		return text.Sentence("part.state.locked", lang, nil)
	case n == 1:
		return text.Sentence("part.tries.one", lang, nil)
	}
	return text.Sentence("part.tries", lang, map[string]string{"n": strconv.Itoa(n)})
}

// TriesOf is how many wrong entries a secret of the card allows; -1 where nobody asked.
func (c Card) TriesOf(kind warifu.Kind) int {
	for _, t := range c.Tries {
		if t.Kind == kind {
			return t.Left
		}
	}
	return -1
}

// eventsFor are the events that the page offers: nothing happens to the dead.
func eventsFor(v bureau.View) []string {
	if !v.Died.IsZero() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(Events), func(e string) bool {
		return e == EventFindCard && v.State != bureau.StateHeld || e == EventLoseCard && v.State != bureau.StateGood
	})
}

// eventByForm is the page's door to the same as the API's: the person's page shows what
// followed.
func (d *Desk) eventByForm(w http.ResponseWriter, r *http.Request) {
	id := d.named(r)
	d.form(w, r, "/persons/"+id+"#happened", d.againAt(w, r, id), func() error {
		event := r.FormValue("event")
		happened, err := d.happen(r.Context(), id, Happening{event, r.FormValue("signature")})
		if err == nil {
			d.lately.put(id, happening{Event: event, At: happened.Now, Cascade: happened.Cascade})
		}
		return err
	})
}

// named is the person whom a form is about: by its address, or by its field "card".
func (d *Desk) named(r *http.Request) string {
	if id := r.PathValue("id"); id != "" {
		return id
	}
	return strings.TrimSpace(r.FormValue("card"))
}

// againAt shows the person's page again with the problem.
func (d *Desk) againAt(w http.ResponseWriter, r *http.Request, id string) func(error) {
	return func(err error) {
		r.SetPathValue("id", id)
		d.personOf(w, r, err)
	}
}

// newPersonByForm lists a further person, as the form says or a generated one.
func (d *Desk) newPersonByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	p, err := d.newPerson(r)
	if err != nil {
		d.personsList(w, r, err)
		return
	}
	http.Redirect(w, r, "/persons/"+p.ID, http.StatusSeeOther)
}

func (d *Desk) newPerson(r *http.Request) (person.Person, error) {
	id := strings.ToLower(strings.TrimSpace(r.FormValue("id")))
	if id == "" {
		return d.config.Cards.Resident()
	}
	in := person.Record{
		ID: id, Name: r.FormValue("name"), Kana: r.FormValue("kana"), Birth: r.FormValue("birth"), Sex: person.Sex(r.FormValue("sex")),
		Address: r.FormValue("address"), Municipality: r.FormValue("municipality"),
	}
	p, err := d.config.Cards.Resident()
	if err != nil {
		return p, err
	}
	return d.config.Cards.New(filled(in, p.Record()))
}

// filled is a record with everything that the form left empty taken from a generated person.
func filled(in, made person.Record) person.Record {
	out := made
	out.ID = in.ID
	for _, f := range []struct {
		to   *string
		from string
	}{{&out.Name, in.Name}, {&out.Kana, in.Kana}, {&out.Birth, in.Birth}, {&out.Address, in.Address}, {&out.Municipality, in.Municipality}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if in.Sex != "" {
		out.Sex = in.Sex
	}
	return out
}

// personaByForm makes a person in a state by one word.
func (d *Desk) personaByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	if d.config.Persona == nil {
		d.personsList(w, r, warifu.Refused("world-fixed"))
		return
	}
	name := r.FormValue("name") + strings.Join(r.Form["word"], "")
	id, err := d.config.Persona(r.Context(), name)
	if err != nil {
		d.personsList(w, r, err)
		return
	}
	http.Redirect(w, r, "/persons/"+id, http.StatusSeeOther)
}

// Persona makes a persona by its name and returns whom it is.
type Persona func(ctx context.Context, name string) (id string, err error)
