package main

import (
	"crypto/x509"
	"os"
	"strings"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/bank"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/verify"
)

type verifyCommand struct {
	File    string `arg:"" help:"A signature: FILE.p7s (detached) or FILE.p7m."`
	Content string `help:"The document of a detached signature; the file's name without .p7s by default."`
}

// Run fetches the authorities' certificates from the running demo, as a relying party
// has them from its contract, and asks the responders named in the certificate.
func (c verifyCommand) Run(s *session) error {
	signature, err := s.readFile(c.File)
	if err != nil {
		return err
	}
	content, err := c.content(s)
	if err != nil {
		return err
	}
	trust, clock, err := s.trust()
	if err != nil {
		return err
	}
	status := verify.FirstOf{verify.OCSPClient{}, &verify.CRLClient{}}
	result, err := verify.New(trust, status, clock).Document(s.ctx, signature, content, verify.Policy{Attributes: verify.AllAttributes})
	if err != nil {
		return err
	}
	if err := s.report(bank.Judge(result)); err != nil {
		return err
	}
	if result.Verdict != verify.Good {
		return errTold
	}
	return nil
}

// content is the document of a detached signature, nil where there is none.
func (c verifyCommand) content(s *session) ([]byte, error) {
	if c.Content != "" {
		return s.readFile(c.Content)
	}
	name, detached := strings.CutSuffix(c.File, ".p7s")
	if !detached {
		return nil, nil
	}
	if _, err := os.Stat(name); err != nil {
		return nil, nil
	}
	return s.readFile(name)
}

// trust asks the demo for the authorities of phones and cards and for its time.
func (s *session) trust() (verify.Trust, warifu.Clock, error) {
	p, err := s.places()
	if err != nil {
		return verify.Trust{}, nil, err
	}
	return s.trustAt(p)
}

func (s *session) trustAt(p desk.Places) (verify.Trust, warifu.Clock, error) {
	var trust verify.Trust
	for _, kind := range warifu.Kinds {
		for class, address := range map[profile.Class]string{profile.ClassPhone: p.Server + "/ca/", profile.ClassCard: p.Desk + "/bureau/ca/"} {
			if err := s.believe(&trust, class, kind, address+kind.String()+".cer"); err != nil {
				return trust, nil, err
			}
		}
	}
	var now desk.Time
	if err := doorway.NewClient(p.Desk).Get(s.ctx, "/api/clock", &now); err != nil {
		return trust, nil, err
	}
	ahead := now.Now.Sub(warifu.SystemClock{}.Now())
	return trust, warifu.ClockFunc(func() time.Time { return warifu.SystemClock{}.Now().Add(ahead) }), nil
}

func (s *session) believe(trust *verify.Trust, class profile.Class, kind warifu.Kind, address string) error {
	var der []byte
	if err := doorway.NewClient(address).Get(s.ctx, "", &der); err != nil {
		return err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	return trust.Add(class, kind, certificate)
}

// report prints who, what, when, the verdict and why.
func (s *session) report(j bank.Judgement) error {
	rows := [][]string{{s.word("verdict"), s.word("verdict-" + j.Verdict)}}
	add := func(key, value string) {
		if value != "" {
			rows = append(rows, []string{s.word(key), value})
		}
	}
	add("name", j.Name)
	add("address", j.Address)
	add("subject", j.Subject)
	if j.Class != "" {
		add("class", s.word("class-"+j.Class))
	}
	if !j.SigningTime.IsZero() {
		add("claimed", j.SigningTime.Format(time.RFC3339))
	}
	add("status", j.Status+" "+j.StatusFrom)
	for _, r := range j.Reasons {
		add("reason", r.In(s.lang)+" ("+r.Problem+")")
	}
	return s.table(j, rows)
}
