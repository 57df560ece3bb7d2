package phones

import (
	"cmp"
	"context"
	"crypto/x509"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"warifu"
	"warifu/catalogue"
	"warifu/phone"
	"warifu/sandbox/field"
	"warifu/sandbox/handset"
	"warifu/scheme"
	"warifu/text"
)

// Config is what the place needs.
type Config struct {
	Server *phone.Server
	Scheme *scheme.Scheme
	Clock  warifu.Clock
	Chips  *field.Field // cards to tap; it knows the phones' chips too
	// Parties are the origins of the relying parties whose questions the login page fetches.
	Parties []string
	// Makers are the makers' attestation roots, for who checks a clean-phone proof without
	// asking anybody.
	Makers func() []*x509.Certificate
	// Models are what the shop sells, the usual one first; Model finds one by its identifier.
	Models func() []catalogue.Model
	Model  func(id string) (catalogue.Model, error)
	// Cards are the cards within reach, to be held to a phone.
	Cards func() ([]Card, error)
	// Handset makes the handset with the identifier, as wished for.
	Handset func(id string, wish Buy) (*handset.Handset, error)
}

// Card is a card within reach: what the field calls it, and whose it is.
type Card struct{ ID, Name string }

// Lang is the language that the name is written in.
func (c Card) Lang() text.Lang { return writtenIn(c.Name) }

// writtenIn tells a name in Latin letters from one in Japanese ones.
func writtenIn(name string) text.Lang {
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxLatin1 && r != '\u3000' }) {
		return text.Japanese
	}
	return text.English
}

// Phones are all the phones of a world.
type Phones struct {
	config  Config
	prompts prompts

	mu   sync.Mutex
	all  map[string]*owned
	next int
}

// owned is a phone with its app; mu lets one step at a time happen on it.
type owned struct {
	mu      sync.Mutex
	handset *handset.Handset
	app     *phone.App
	element *watched // what app reaches the chip through

	hub  hub  // the screens that are open
	hand hand // what the screens remember
}

// New makes the place with the phones that exist already.
func New(c Config, existing []*handset.Handset) *Phones {
	p := &Phones{config: c, all: map[string]*owned{}, next: 1}
	for _, h := range existing {
		p.add(h)
	}
	return p
}

func (p *Phones) add(h *handset.Handset) *owned {
	o := &owned{handset: h, app: h.App(p.config.Server, p.config.Scheme, p.config.Clock)}
	o.element = &watched{Transmitter: o.app.Element}
	o.app.Element = o.element
	p.all[h.ID] = o
	if n := number(h.ID); n >= p.next {
		p.next = n + 1
	}
	return o
}

// idPrefix begins every phone's identifier; a number follows.
const idPrefix = "phone-"

func number(id string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(id, idPrefix))
	if err != nil {
		return 0
	}
	return n
}

// Buy says what phone is wanted; the zero value is the usual one.
type Buy struct {
	Model      string `json:"model,omitempty"` // catalogue identifier
	OSBuild    string `json:"osBuild,omitempty"`
	AppVersion int    `json:"appVersion,omitempty"`
}

// Buy makes a new phone.
func (p *Phones) Buy(wish Buy) (handset.Record, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, err := p.config.Handset(idPrefix+strconv.Itoa(p.next), wish)
	if err != nil {
		return handset.Record{}, err
	}
	return p.add(h).handset.Record, nil
}

// List tells of every phone, in the order they were bought.
func (p *Phones) List() []handset.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	records := make([]handset.Record, 0, len(p.all))
	for _, o := range p.all {
		records = append(records, o.handset.Record)
	}
	slices.SortFunc(records, func(a, b handset.Record) int { return cmp.Compare(number(a.ID), number(b.ID)) })
	return records
}

// Handset returns the phone with the identifier, or NotFound "phone-unknown".
func (p *Phones) Handset(id string) (*handset.Handset, error) {
	o, err := p.find(id)
	if err != nil {
		return nil, err
	}
	return o.handset, nil
}

func (p *Phones) find(id string) (*owned, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o, ok := p.all[id]; ok {
		return o, nil
	}
	return nil, warifu.NotFound("phone-unknown", "phone", id)
}

// with takes the phone and its chip in hand for one step.
func (p *Phones) with(ctx context.Context, id string, step func(*owned) error) error {
	o, err := p.find(id)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	held, err := p.config.Chips.Hold(ctx, id)
	if err != nil {
		return err
	}
	defer held.PutAway()
	return step(o)
}

// tap holds the card to the phone while f runs.
func (p *Phones) tap(ctx context.Context, card string, f func(*field.Held) error) error {
	held, err := p.config.Chips.Hold(ctx, card)
	if err != nil {
		return err
	}
	defer held.PutAway()
	return f(held)
}

// Routes adds the place's doors to mux.
func (p *Phones) Routes(mux *http.ServeMux) {
	p.apiRoutes(mux)
	p.lifeRoutes(mux)
	p.checkedRoutes(mux)
	p.leavingRoutes(mux)
	p.approveRoutes(mux)
	p.screenRoutes(mux)
	p.mineRoutes(mux)
	p.applyScreenRoutes(mux)
	p.registerRoutes(mux)
	p.loginRoutes(mux)
}
