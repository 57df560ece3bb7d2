package desk

import (
	"context"
	"net/http"
	"slices"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/registration"
	"warifu/sandbox/bureau"
	"warifu/sandbox/counter"
	"warifu/sandbox/doorway"
	"warifu/sandbox/fault"
	"warifu/sandbox/field"
	"warifu/sandbox/handset"
	"warifu/sandbox/moment"
	"warifu/sandbox/person"
	"warifu/sandbox/trace"
	"warifu/scheme"
)

// Places says where everything stands, by address.
type Places struct {
	Server string `json:"server"`
	Desk   string `json:"desk"`
	Phones string `json:"phones"`
	Bank   string `json:"bank"`
	// What stands further on, in the order of the ports; empty where it does not stand yet.
	Kiosk       string `json:"kiosk,omitempty"`
	Clinic      string `json:"clinic,omitempty"`
	Tax         string `json:"tax,omitempty"`
	Marketplace string `json:"marketplace,omitempty"`
	Portal      string `json:"portal,omitempty"`
	Carrier     string `json:"carrier,omitempty"`
	Cashless    string `json:"cashless,omitempty"`
	EGov        string `json:"eGov,omitempty"`
	Repair      string `json:"repair,omitempty"`
}

// Service is a sample service that stands: where, and the key of its name.
type Service struct{ Address, Title string }

// Services lists the sample services that stand, besides the bank, in the order of their ports.
func (p Places) Services() []Service {
	return slices.DeleteFunc([]Service{
		{p.Kiosk, "kiosk.title"}, {p.Clinic, "clinic.title"}, {p.Tax, "tax.title"}, {p.Marketplace, "marketplace.title"}, {p.Portal, "portal.title"},
		{p.Carrier, "carrier.title"}, {p.Cashless, "cashless.title"}, {p.EGov, "egov.title"}, {p.Repair, "repair.title"},
	}, func(s Service) bool { return s.Address == "" })
}

// Cards is what the desk needs of the card bureau.
type Cards interface {
	Persons() ([]bureau.View, error)
	Show(id string) (bureau.View, error)
	New(person.Record) (person.Person, error)
	Resident() (person.Person, error)
	Move(id string, to person.Relocation) error
	ChangeName(id string, to person.Renaming) error
	Die(id string) error
	Renew(id string, in bureau.Renewal) error
	Suspend(id string) error
	Resume(id string) error
	Revoke(id string, reason warifu.Reason) error
}

// Clock is the world's clock, which moves only forward; To returns when all that fell
// due on the way is done.
type Clock interface {
	warifu.Clock
	To(ctx context.Context, t time.Time) error
}

// Config is what a desk needs.
type Config struct {
	Places Places
	Scheme *scheme.Scheme
	Cards  Cards
	Phones func() []handset.Record
	Chips  *field.Field
	Clock  Clock
	// Where the card's own passwords are changed and unlocked (K16).
	Counter *counter.Counter
	Kiosk   *counter.Kiosk
	Proxies *counter.Proxies
	Server  *phone.Server // where orders with a card at the desk's reader go (K9)
	// Tray is where notices to registered contacts end up.
	Tray *Tray
	// Calendar lists what will fall due, in order.
	Calendar func(context.Context) ([]moment.Due, error)
	// Cascade carries out a change to a card or the clock, has the server follow it, and
	// returns what it made of it.
	Cascade func(ctx context.Context, change func() error) ([]registration.Cause, error)
	// Worlds saves, loads and resets the whole world; nil where it cannot be.
	Worlds Worlds
	// Standing is what the registration authority has of a person.
	Standing func(ctx context.Context, id string) (Standing, error)
	Walks    *Walks
	Faults   *fault.Board
	Trace    *trace.Ring
	// Persona makes a person in a state; Words are its grammar. Nil where there is no maker.
	Persona Persona
	Words   func() []Word
}

// Desk answers at port 8401.
type Desk struct {
	config Config
	lately lately
}

// New makes a desk.
func New(c Config) *Desk { return &Desk{config: c} }

// Routes adds the desk's doors to mux.
func (d *Desk) Routes(mux *http.ServeMux) {
	d.pageRoutes(mux)
	mux.Handle("GET /api/places", doorway.JSON(d.places))
	mux.Handle("GET /api/cards", doorway.JSON(d.cards))
	mux.Handle("POST /api/cards", doorway.JSON(d.newCard))
	mux.Handle("GET /api/cards/{id}", doorway.JSON(d.card))
	mux.Handle("POST /api/cards/{id}/secret", doorway.JSON(d.changePIN))
	mux.Handle("POST /api/cards/{id}/unlock", doorway.JSON(d.unlockPIN))
	mux.Handle("POST /api/cards/{id}/face-check", doorway.JSON(d.faceCheck))
	mux.Handle("POST /api/cards/{id}/letters", doorway.JSON(d.inquire))
	mux.Handle("GET /api/cards/{id}/letters", doorway.JSON(d.letters))
	mux.Handle("POST /api/cards/{id}/events", doorway.JSON(d.cardEvent))
	mux.Handle("POST /api/cards/{id}/orders", doorway.JSON(d.cardOrder))
	mux.Handle("POST /api/cards/{id}/contact", doorway.JSON(d.cardContact))
	mux.Handle("POST /api/suspensions", doorway.JSON(d.suspendByCode))
	mux.Handle("POST /api/notices", doorway.JSON(d.receive))
	mux.Handle("GET /api/notices", doorway.JSON(d.notices))
	mux.Handle("GET /api/clock", doorway.JSON(d.time))
	mux.Handle("POST /api/clock", doorway.JSON(d.moveTime))
	mux.Handle("GET /api/clock/upcoming", doorway.JSON(d.upcoming))
	mux.Handle("GET /api/world", doorway.JSON(d.turned))
	mux.Handle("POST /api/world", doorway.JSON(d.turn))
	d.approveRoutes(mux)
	mux.HandleFunc("GET /chips/{id}/atr", d.atr)
	mux.HandleFunc("POST /chips/{id}/apdu", d.apdu)
	mux.HandleFunc("POST /chips/{id}/power", d.power)
}

func (d *Desk) places(http.ResponseWriter, *http.Request) (any, error) { return d.config.Places, nil }

// Card is a card as the desk shows it, secrets and all: it protects nothing.
type Card struct {
	person.Record
	Issued       bool          `json:"issued"`
	State        string        `json:"state,omitempty"` // "good", "held", "revoked", "expired"
	CardSerial   string        `json:"cardSerial,omitempty"`
	CardExpires  time.Time     `json:"cardExpires"`
	Certificates []Certificate `json:"certificates,omitempty"`
	Tries        []Tries       `json:"tries,omitempty"` // where the card was put on the reader for it
}

// Tries says how many wrong entries a secret of the card allows before it is locked: 0 is
// locked.
type Tries struct {
	Kind warifu.Kind `json:"kind"`
	Left int         `json:"left"`
}

// Certificate is one certificate of a card.
type Certificate struct {
	Kind     warifu.Kind `json:"kind"`
	Serial   string      `json:"serial"` // hexadecimal
	NotAfter time.Time   `json:"notAfter"`
	Status   string      `json:"status"`          // "good", "revoked" or "unknown"
	State    string      `json:"state,omitempty"` // "good", "held", "revoked", "expired"; empty where nobody looked
}

// CardOf shows a card as the desk does.
func CardOf(v bureau.View) Card {
	c := Card{Record: v.Person.Record(), Issued: v.Issued, State: v.State, CardSerial: v.CardSerial, CardExpires: v.CardExpires}
	for _, x := range v.Certificates {
		c.Certificates = append(c.Certificates, Certificate{
			Kind: x.Kind, Serial: x.Certificate.SerialNumber.Text(16), NotAfter: x.Certificate.NotAfter, Status: x.Status.Cert.String(),
		})
	}
	return c
}

// cardOf is CardOf with what every certificate is at this instant.
func (d *Desk) cardOf(v bureau.View) Card {
	c, now := CardOf(v), d.now()
	for i, x := range v.Certificates {
		c.Certificates[i].State = x.State(now)
	}
	return c
}

func (d *Desk) all() ([]Card, error) {
	views, err := d.config.Cards.Persons()
	if err != nil {
		return nil, err
	}
	cards := make([]Card, 0, len(views))
	for _, v := range views {
		cards = append(cards, d.cardOf(v))
	}
	return cards, nil
}

func (d *Desk) cards(http.ResponseWriter, *http.Request) (any, error) { return d.all() }

// newCard lists a further person: of the record in the body, or a generated one for {}.
func (d *Desk) newCard(w http.ResponseWriter, r *http.Request) (any, error) {
	var in person.Record
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	var p person.Person
	var err error
	if in.ID == "" {
		p, err = d.config.Cards.Resident()
	} else {
		p, err = d.config.Cards.New(in)
	}
	if err != nil {
		return nil, err
	}
	return d.show(p.ID)
}

// card shows one card; it is issued now if nobody touched it before.
func (d *Desk) card(_ http.ResponseWriter, r *http.Request) (any, error) {
	id := r.PathValue("id")
	if _, err := d.config.Cards.Show(id); err != nil {
		return nil, err
	}
	tries, err := d.tries(r.Context(), id)
	if err != nil {
		return nil, err
	}
	v, err := d.config.Cards.Show(id)
	if err != nil {
		return nil, err
	}
	c := d.cardOf(v)
	c.Tries = tries
	return c, nil
}

func (d *Desk) show(id string) (any, error) {
	v, err := d.config.Cards.Show(id)
	if err != nil {
		return nil, err
	}
	return d.cardOf(v), nil
}
