package persona

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/book"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
	"warifu/sandbox/handset"
	"warifu/sandbox/person"
	"warifu/sandbox/phones"
)

// The phone's own secrets of every persona: they protect nothing.
const (
	Password = "PERSONA1"
	PIN      = "2580"
)

// Made is a persona that stands in the world.
type Made struct {
	Name     string           `json:"name"` // as Persona.String writes it
	Person   string           `json:"person"`
	Phone    string           `json:"phone,omitempty"`    // where the certificates are
	NewPhone string           `json:"newPhone,omitempty"` // of superseded: where they went
	Password string           `json:"password,omitempty"` // the phone's
	PIN      string           `json:"pin,omitempty"`
	Done     int              `json:"done"` // steps carried out
	Kinds    []phone.Validity `json:"kinds,omitempty"`
	// Tries are left on the phone's secrets.
	Tries map[warifu.Kind]int `json:"tries,omitempty"`
}

// Maker brings persons of one running world into states, by its public doors.
type Maker struct {
	desk, phones doorway.Client
	consent      string
	book         *book.Book[Made]
	turn         chan struct{} // one at a time: the world's clock and its phones are everybody's
}

// maxPersonas bounds the book: one a person.
const maxPersonas = 10_000

// New opens a maker over the world's desk and phones; consent is the version of the notes
// that applying agrees to, and f keeps what was made.
func New(desk, phones doorway.Client, consent string, f folder.Folder) *Maker {
	return &Maker{desk, phones, consent, book.Open[Made](f, maxPersonas), make(chan struct{}, 1)}
}

// Make brings the person into the state, on the phone with that identifier where one is named
// and else on a new one. Made again, the same persona is only looked at; one that was cut off
// goes on. A person is one persona: another name for them is Conflict "persona-taken".
// Errors are also those of the doors: an application of a child, for instance.
func (m *Maker) Make(ctx context.Context, name, on string) (Made, error) {
	p, err := Parse(name)
	if err != nil {
		return Made{}, err
	}
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return Made{}, ctx.Err()
	}
	made, err := m.book.Get(p.Person)
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		made, err = m.begin(ctx, p, on)
	}
	switch {
	case err != nil:
		return made, err
	case made.Name != p.String():
		return made, warifu.Conflict("persona-taken", "person", p.Person, "name", made.Name)
	case on != "" && on != made.Phone:
		return made, warifu.Conflict("persona-taken", "person", p.Person, "name", made.Name+" on "+made.Phone)
	}
	for made.Done < p.steps() {
		if err := m.step(ctx, p, &made); err != nil {
			return made, err
		}
		made.Done++
		if _, err := m.book.Change(p.Person, func(kept *Made) error { *kept = made; return nil }); err != nil {
			return made, err
		}
	}
	return made, m.look(ctx, &made)
}

// begin looks the person up and buys a phone where none is named.
func (m *Maker) begin(ctx context.Context, p Persona, on string) (Made, error) {
	if err := m.resident(ctx, p.Person); err != nil {
		return Made{}, err
	}
	var card desk.Card
	if err := m.desk.Get(ctx, "/api/cards/"+p.Person, &card); err != nil {
		return Made{}, err
	}
	if len(p.Kinds) > 0 && card.PINs.Signature == "" {
		return Made{}, warifu.Refused("persona-cannot-apply", "person", p.Person)
	}
	made := Made{Name: p.String(), Person: p.Person}
	if len(p.Kinds) > 0 {
		var err error
		if made.Phone, err = m.phone(ctx, on); err != nil {
			return made, err
		}
		made.PIN = PIN
		if slices.Contains(p.Kinds, warifu.Signature) {
			made.Password = Password
		}
	}
	return m.book.Add(func(int) (string, Made, error) { return p.Person, made, nil })
}

// resident sees to it that there is a person of that name: one that the world does not have
// moves in, an ordinary adult, the same for the same name.
func (m *Maker) resident(ctx context.Context, id string) error {
	err := m.desk.Get(ctx, "/api/cards/"+id, nil)
	if !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return err
	}
	now, err := m.now(ctx)
	if err != nil {
		return err
	}
	name := warifu.DigestOf([]byte(id))
	made := person.Generator{Seed: binary.BigEndian.Uint64(name[:8]), Start: now}.Person(0)
	made.ID = id
	return m.desk.Post(ctx, "/api/cards", made.Record(), nil)
}

// phone is the phone with the identifier, which must be there, or a new one.
func (m *Maker) phone(ctx context.Context, id string) (string, error) {
	var box handset.Record
	if id != "" {
		return id, m.phones.Get(ctx, "/api/phones/"+id, &box)
	}
	err := m.phones.Post(ctx, "/api/phones", phones.Buy{}, &box)
	return box.ID, err
}

// steps is how many there are: applying, registering, and each word.
func (p Persona) steps() int {
	if len(p.Kinds) == 0 {
		return 0
	}
	return 2 + len(p.Steps)
}

func (p Persona) has(word string) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Word == word })
}

// step carries the next step out.
func (m *Maker) step(ctx context.Context, p Persona, made *Made) error {
	switch made.Done {
	case 0:
		return m.apply(ctx, p, made.Phone)
	case 1:
		if p.has(Pending) {
			return nil
		}
		return m.phones.Post(ctx, "/api/phones/"+made.Phone+"/personalize", phones.Personalize{}, nil)
	}
	return m.word(ctx, p, made, p.Steps[made.Done-2])
}

// patience bounds, by real time, how long an application may take once its hour has come.
const patience = time.Minute

// apply applies, and waits until the certificates are issued; out of hours the world's clock
// goes to the hour at which they are.
func (m *Maker) apply(ctx context.Context, p Persona, on string) error {
	var card desk.Card
	if err := m.desk.Get(ctx, "/api/cards/"+p.Person, &card); err != nil {
		return err
	}
	in := phones.Apply{Card: p.Person, CardPassword: card.PINs.Signature, Kinds: p.Kinds, Consent: m.consent, Discard: true}
	if slices.Contains(p.Kinds, warifu.Signature) {
		in.Signature = Password
	}
	if slices.Contains(p.Kinds, warifu.Authentication) {
		in.PIN = PIN
	}
	if err := m.phones.Post(ctx, "/api/phones/"+on+"/apply", in, nil); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var now phones.Status
		if err := m.phones.Get(ctx, "/api/phones/"+on+"/status", &now); err != nil {
			return err
		}
		switch {
		case now.State == warifu.ApplicationIssued:
			return nil
		case now.State != warifu.ApplicationSubmitted:
			return warifu.Refused("persona-not-issued", "state", string(now.State))
		case now.DueAt != nil:
			if err := m.until(ctx, *now.DueAt); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return warifu.Unavailable("persona-late").With(ctx.Err())
		}
	}
}

// until moves the world's clock to an instant that is still to come.
func (m *Maker) until(ctx context.Context, at time.Time) error {
	now, err := m.now(ctx)
	if err != nil || !at.After(now) {
		return err
	}
	return m.desk.Post(ctx, "/api/clock", desk.Time{To: at}, nil)
}

func (m *Maker) now(ctx context.Context) (time.Time, error) {
	var t desk.Time
	err := m.desk.Get(ctx, "/api/clock", &t)
	return t.Now, err
}

// look adds how the persona stands now.
func (m *Maker) look(ctx context.Context, made *Made) error {
	if made.Phone == "" {
		return nil
	}
	var v phones.View
	if err := m.phones.Get(ctx, "/api/phones/"+made.Phone, &v); err != nil {
		return err
	}
	made.Kinds, made.Tries = v.Kinds, v.Tries
	return nil
}
