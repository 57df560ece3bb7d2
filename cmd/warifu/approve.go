package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"warifu/phone"
	"warifu/sandbox/handset"
	"warifu/sandbox/phones"
)

// approval is what a person decides about a login, with the phone or with the card.
type approval struct {
	Link    string   `arg:"" help:"The login's link, as its page shows it or its QR code holds it."`
	Only    []string `placeholder:"ATTRIBUTE" help:"Tell only these: name, address, birthdate, gender; or none. By default all that are asked for."`
	Number  string   `placeholder:"NN" help:"The number that the login page shows, where the link came from another device; asked for if not given."`
	Decline bool     `help:"Do not approve: the service is told so, and nothing is signed."`
}

// attributes are those left ticked: null for all.
func (c approval) attributes() []string {
	if len(c.Only) == 1 && c.Only[0] == "none" {
		return []string{}
	}
	return c.Only
}

// show tells who asks and what, and asks for the number where one is to be picked.
func (c *approval) show(s *session, q phone.LoginQuestion) (err error) {
	if !s.json {
		fmt.Fprintln(s.std.err, s.sentence("cli.login-asked", map[string]string{"name": s.in(q.Client.Name.Ja, q.Client.Name.En), "origin": q.Client.Origin}))
		if told := c.words(s, q); told != "" {
			fmt.Fprintln(s.std.err, s.sentence("cli.login-attributes", map[string]string{"attributes": told}))
		}
		if q.Sign != nil {
			fmt.Fprintln(s.std.err, s.sentence("cli.login-sign", map[string]string{"name": q.Sign.Name, "mode": s.sentence("login.sign."+q.Sign.Mode, nil), "size": strconv.FormatInt(q.Sign.Size, 10), "digest": q.Sign.Digest}))
		}
	}
	if len(q.Numbers) == 0 || c.Decline {
		return nil
	}
	if c.Number == "" {
		fmt.Fprintln(s.std.err, strings.Join(q.Numbers, "  "))
	}
	c.Number, err = s.ask(c.Number, "cli.ask-login-number")
	return err
}

// told are the attributes that the service will be told.
func (c approval) told(q phone.LoginQuestion) []string {
	if c.Only == nil {
		return q.Attributes
	}
	return c.attributes()
}

func (c approval) words(s *session, q phone.LoginQuestion) string {
	var words []string
	for _, name := range c.told(q) {
		word := name
		if slices.Contains(q.Attributes, name) {
			word = s.sentence("login.attribute."+name, nil)
		}
		words = append(words, word)
	}
	return strings.Join(words, s.sentence("login.page.and", nil))
}

// tell says what came of it.
func (c approval) tell(s *session, q phone.LoginQuestion, out phones.Decided) error {
	params := map[string]string{"name": s.in(q.Client.Name.Ja, q.Client.Name.En), "return": out.Return}
	switch {
	case out.Declined:
		return s.say(out, "cli.login-declined", params)
	case out.Return != "":
		return s.say(out, "cli.login-approved-here", params)
	}
	return s.say(out, "cli.login-approved", params)
}

type phoneApprove struct {
	approval
	opening
	Phone    string `help:"The phone's identifier; the only one there is if not given."`
	Password string `help:"The *phone's* signing password, where a document is to be signed; asked for if not given."`
}

func (c phoneApprove) Run(s *session) error {
	p, err := s.phones()
	if err != nil {
		return err
	}
	if c.Phone == "" {
		if c.Phone, err = c.only(s); err != nil {
			return err
		}
	}
	var asked phones.LoginAsked
	if err := p.Post(s.ctx, "/api/phones/"+c.Phone+"/asked", phones.Link{Link: c.Link}, &asked); err != nil {
		return err
	}
	if err := c.show(s, asked.LoginQuestion); err != nil {
		return err
	}
	in := phones.Approve{Link: phones.Link{Link: c.Link}, Attributes: c.attributes(), Number: c.Number, Decline: c.Decline, Seen: asked.Seen}
	switch {
	case c.Decline:
	case asked.Sign != nil:
		in.Password, err = s.ask(c.Password, "cli.ask-phone-signature")
	default:
		in.Unlock, err = c.unlock(s)
	}
	if err != nil {
		return err
	}
	var out phones.Decided
	if err := p.Post(s.ctx, "/api/phones/"+c.Phone+"/approve", in, &out); err != nil {
		return err
	}
	return c.tell(s, asked.LoginQuestion, out)
}

// only is the one phone that there is.
func (phoneApprove) only(s *session) (string, error) {
	p, err := s.phones()
	if err != nil {
		return "", err
	}
	var all []handset.Record
	if err := p.Get(s.ctx, "/api/phones", &all); err != nil {
		return "", err
	}
	if len(all) != 1 {
		return "", usage("--phone")
	}
	return all[0].ID, nil
}
