package terminal

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"time"

	"github.com/BurntSushi/toml"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/sandbox/persona"
)

// maxConfig bounds a configuration file in octets.
const maxConfig = 256 << 10

// Config says how the software is run and which of the demo's chips are touched to it.
// docs/doctor.md tells of every field.
type Config struct {
	Command  []string      `toml:"command"`       // one transaction; {pin} and {class} stand for what is typed and touched
	Phone    []string      `toml:"command_phone"` // instead of it where a phone is touched
	Reader   string        `toml:"reader"`        // where the virtual reader listens, host:port
	Classes  []string      `toml:"classes"`       // what the software takes: card, phone
	Patience time.Duration `toml:"patience"`      // within which a transaction must end; 60s
	Chips    []ChipConfig  `toml:"chip"`
}

// ChipConfig is one chip of the demo in one state: a persona's, or the one with an identifier.
type ChipConfig struct {
	Class   string `toml:"class"`   // card or phone
	State   State  `toml:"state"`   // good, other, held, revoked, expired
	Persona string `toml:"persona"` // "jiro+hold" (docs/personas.md), made when it is needed
	ID      string `toml:"id"`      // or the person whose card it is, or the phone, with
	PIN     string `toml:"pin"`     // the PIN of its authentication key
}

// Usual are the chips where a configuration names none: persons who move in for the
// examination. Who is expired is named by hand, since making somebody so moves the clock.
var Usual = []ChipConfig{
	{Class: "phone", State: Good, Persona: "doctor-a+phone"},
	{Class: "phone", State: Other, Persona: "doctor-b+phone"},
	{Class: "phone", State: Held, Persona: "doctor-c+hold"},
	{Class: "phone", State: Revoked, Persona: "doctor-d+revoked"},
	{Class: "card", State: Good, Persona: "doctor-a+phone"},
	{Class: "card", State: Other, Persona: "doctor-b+phone"},
	{Class: "card", State: Held, Persona: "doctor-e+card-hold"},
	{Class: "card", State: Revoked, Persona: "doctor-f+dead"},
}

// states are all there are.
var states = []State{Good, Other, Held, Revoked, Expired}

// ReadConfig reads a configuration file. Error: Invalid "doctor-config" that names what is
// wrong, TooLarge "doctor-config-large".
func ReadConfig(r io.Reader) (Config, error) {
	var c Config
	b, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return c, err
	}
	if len(b) > maxConfig {
		return c, warifu.TooLarge("doctor-config-large")
	}
	wrong := func(what string) error { return warifu.Invalid("doctor-config", "what", what) }
	meta, err := toml.Decode(string(b), &c)
	if err != nil {
		var e toml.ParseError
		if errors.As(err, &e) {
			return c, wrong(e.Message)
		}
		return c, wrong("TOML")
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return c, wrong(unknown[0].String())
	}
	if len(c.Classes) == 0 {
		c.Classes = []string{"phone", "card"}
	}
	if len(c.Chips) == 0 {
		c.Chips = Usual
	}
	switch {
	case len(c.Command) == 0 || c.Command[0] == "":
		return c, wrong("command")
	case c.Reader == "":
		return c, wrong("reader")
	case c.Patience < 0 || c.Patience > time.Hour:
		return c, wrong("patience")
	case slices.ContainsFunc(c.Classes, func(s string) bool { return s != "card" && s != "phone" }):
		return c, wrong("classes")
	}
	for _, chip := range c.Chips {
		if !slices.Contains([]string{"card", "phone"}, chip.Class) || !slices.Contains(states, chip.State) || (chip.Persona == "") == (chip.ID == "") || (chip.ID == "") != (chip.PIN == "") {
			return c, wrong("chip " + chip.Persona + chip.ID)
		}
	}
	return c, nil
}

// DemoChips are chips of a running demo, reached through its desk.
type DemoChips struct {
	Desk doorway.Client
	All  []ChipConfig
}

// Chip implements Chips.
func (d DemoChips) Chip(ctx context.Context, class string, s State) (Chip, error) {
	i := slices.IndexFunc(d.All, func(c ChipConfig) bool { return c.Class == class && c.State == s })
	if i < 0 {
		return Chip{}, warifu.NotFound("doctor-chip-none", "class", class, "state", string(s))
	}
	one := d.All[i]
	if one.Persona != "" {
		var err error
		if one.ID, one.PIN, err = d.persona(ctx, one); err != nil {
			return Chip{}, err
		}
	}
	far := farChip{d.Desk, "/chips/" + url.PathEscape(one.ID) + "/"}
	var atr []byte
	if err := d.Desk.Get(ctx, far.path+"atr", &atr); err != nil {
		return Chip{}, err
	}
	return Chip{Transmitter: far, ATR: atr, PIN: one.PIN, Class: class}, nil
}

// persona makes a persona, or finds it made, and returns its chip and PIN.
func (d DemoChips) persona(ctx context.Context, c ChipConfig) (id, pin string, err error) {
	var made persona.Made
	if err := d.Desk.Post(ctx, "/api/personas", persona.Wish{Name: c.Persona}, &made); err != nil {
		return "", "", err
	}
	if c.Class == "phone" {
		return made.Phone, made.PIN, nil
	}
	var card desk.Card
	err = d.Desk.Get(ctx, "/api/cards/"+url.PathEscape(made.Person), &card)
	return made.Person, card.PINs.Authentication, err
}

// farChip is a chip behind the desk's door.
type farChip struct {
	desk doorway.Client
	path string
}

// Transmit implements iso7816.Transmitter.
func (c farChip) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	var response []byte
	err := c.desk.PostOctets(ctx, c.path+"apdu", command, &response)
	return response, err
}

// powerLimit bounds taking a chip's power at the desk.
const powerLimit = 5 * time.Second

// PowerOff implements iso7816.Powered.
func (c farChip) PowerOff() {
	ctx, cancel := context.WithTimeout(context.Background(), powerLimit)
	defer cancel()
	_ = c.desk.PostOctets(ctx, c.path+"power", nil, nil) // a demo that is gone has no power either
}

// Reset implements iso7816.Powered: real cards forget nothing at a warm reset (docs/card-facts.md §1.8).
func (c farChip) Reset() {}
