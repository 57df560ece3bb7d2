package main

import (
	"errors"
	"slices"
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
	Password string   `aliases:"signature-password" help:"The *phone's* signing password; asked for if neither is given."`
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
		word := s.word("hold-" + string(h))
		if h == warifu.HoldRepair && !c.Until.IsZero() {
			word = s.sentence("cli.word-hold-repair-until", map[string]string{"until": s.local(c.Until)})
		}
		holds = append(holds, word)
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
	Reason string `enum:",own-wish,repair" default:"" help:"Lift this one of your own holds alone: own-wish or repair. By default both."`
}

// Run lifts the holds that are the holder's own, one order for each, and says of those that stay
// who lifts them.
func (c phoneResume) Run(s *session) error {
	in, err := c.order(s)
	if err != nil {
		return err
	}
	in.Reason = warifu.HoldReason(c.Reason)
	var out phones.Ordered
	if err := c.do(s, "resume", in, &out); err != nil {
		return err
	}
	if in.Reason == "" && held(out.Credentials, warifu.HoldRepair) {
		in.Reason = warifu.HoldRepair
		if err := c.do(s, "resume", in, &out); err != nil {
			return err
		}
	}
	if err := s.standing(out, out.Credentials); err != nil || s.json {
		return err
	}
	for _, reason := range []warifu.HoldReason{warifu.HoldLost, warifu.HoldCard, warifu.HoldOperator} {
		if held(out.Credentials, reason) {
			if err := s.say(out, "cli.still-held-"+string(reason), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// held reports whether one of them is on hold for that reason.
func held(all []phone.Standing, reason warifu.HoldReason) bool {
	return slices.ContainsFunc(all, func(c phone.Standing) bool { return slices.Contains(c.Holds, reason) })
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

// local writes an instant as clocks in the world show it; without a desk, in UTC.
func (s *session) local(at time.Time) string {
	zone := time.UTC
	if now, err := s.now(); err == nil {
		zone = now.Location()
	}
	return at.In(zone).Format("2006-01-02 15:04")
}

// instant reads what a person wrote for the end of a hold: a moment of the world's time, or a
// day, to its end.
func (s *session) instant(written string) (time.Time, error) {
	now, err := s.now()
	if err != nil {
		return now, err
	}
	if day, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(written), now.Location()); err == nil {
		written = day.AddDate(0, 0, 1).Format(time.RFC3339)
	}
	at, err := instant(written, now)
	if errors.Is(err, &warifu.Error{Problem: "clock-backward"}) {
		err = warifu.Refused("hold-until-past") // no clock is to be moved
	}
	return at, err
}
