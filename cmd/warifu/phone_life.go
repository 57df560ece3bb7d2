package main

import (
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/sandbox/phones"
)

// secretOf is which of the phone's two secrets an order is made with.
type secretOf struct {
	Kinds    []string `help:"Which certificates: signature, authentication; by default all that are on the phone."`
	Password string   `help:"The *phone's* signing password; asked for if neither is given."`
	PIN      string   `name:"pin" help:"The *phone's* PIN instead: enough to suspend, and to do anything where there is no signing certificate."`
}

func (c secretOf) order(s *session) (phones.Order, error) {
	in := phones.Order{Password: c.Password, PIN: c.PIN}
	var err error
	if in.Kinds, err = kindsNamed(c.Kinds); err != nil {
		return in, err
	}
	if in.PIN == "" {
		in.Password, err = s.ask(c.Password, "cli.ask-phone-signature")
	}
	return in, err
}

func kindsNamed(names []string) ([]warifu.Kind, error) {
	var kinds []warifu.Kind
	for _, name := range names {
		kind, err := warifu.ParseKind(name)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// standing prints where certificates stand after an order.
func (s *session) standing(v any, all []phone.Standing) error {
	var rows [][]string
	for _, c := range all {
		rows = append(rows, []string{s.kind(c.Kind), s.standingWord(c)})
	}
	return s.table(v, rows)
}

func (s *session) standingWord(c phone.Standing) string {
	out := s.word("credential-" + string(c.State))
	var holds []string
	for _, h := range c.Holds {
		holds = append(holds, string(h))
	}
	if len(holds) > 0 {
		out += " (" + strings.Join(holds, ", ") + ")"
	}
	return out
}

type phoneSuspend struct {
	onPhone
	secretOf
	Until string `placeholder:"INSTANT" help:"For a repair: the hold ends by itself then. Without it, at your own wish."`
}

func (c phoneSuspend) Run(s *session) error {
	in, err := c.order(s)
	if err != nil {
		return err
	}
	if c.Until != "" {
		if in.Until, err = s.instant(c.Until); err != nil {
			return err
		}
	}
	return c.carryOut(s, "suspend", in)
}

// carryOut posts an order and prints what stands.
func (c onPhone) carryOut(s *session, verb string, in phones.Order) error {
	var out phones.Ordered
	if err := c.do(s, verb, in, &out); err != nil {
		return err
	}
	return s.standing(out, out.Credentials)
}

type phoneResume struct {
	onPhone
	secretOf
	Reason string `enum:"own-wish,repair" default:"own-wish" help:"Which of your own holds to lift: own-wish or repair."`
}

func (c phoneResume) Run(s *session) error {
	in, err := c.order(s)
	if err != nil {
		return err
	}
	in.Reason = warifu.HoldReason(c.Reason)
	return c.carryOut(s, "resume", in)
}

type phoneRevoke struct {
	onPhone
	secretOf
}

func (c phoneRevoke) Run(s *session) error {
	in, err := c.order(s)
	if err != nil {
		return err
	}
	return c.carryOut(s, "revoke", in)
}

type phoneCode struct {
	onPhone
	secretOf
}

func (c phoneCode) Run(s *session) error {
	in, err := c.order(s)
	if err != nil {
		return err
	}
	var out phones.Coded
	if err := c.do(s, "code", in, &out); err != nil {
		return err
	}
	return s.say(out, "cli.suspension-code", map[string]string{"code": out.SuspensionCode})
}

type phoneWipe struct{ onPhone }

func (c phoneWipe) Run(s *session) error {
	var out phones.Wiped
	if err := c.do(s, "wipe", struct{}{}, &out); err != nil {
		return err
	}
	return s.say(out, "cli.phone-wiped", map[string]string{"destroyed": strconv.Itoa(out.Destroyed)})
}

// now asks the world's clock.
func (s *session) now() (time.Time, error) {
	d, err := s.desk()
	if err != nil {
		return time.Time{}, err
	}
	var t desk.Time
	err = d.Get(s.ctx, "/api/clock", &t)
	return t.Now, err
}

// instant reads what a person wrote for a moment of the world's time.
func (s *session) instant(written string) (time.Time, error) {
	now, err := s.now()
	if err != nil {
		return now, err
	}
	return instant(written, now)
}
