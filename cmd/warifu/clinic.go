package main

import (
	"fmt"
	"strings"
	"time"

	"warifu/sandbox/clinic"
	"warifu/sandbox/insurer"
	"warifu/sandbox/world"
	"warifu/verify"
)

type clinicCommand struct {
	Check clinicCheck `cmd:"" help:"Ask whether somebody is insured, with their card or phone, at a reader of yours or of the demo."`
}

type clinicCheck struct {
	terminal
	Consent []string `enum:"medicine,checkups,high-cost" help:"What the person lets the clinic see: medicine, checkups, high-cost; the rest is refused."`
	Offline string   `placeholder:"FILE[,FILE]" help:"There is no line: go by these files, packs that warifu offline fetch brought and revocation lists (.crl)."`
	Trust   string   `placeholder:"DIR" help:"With --offline: whom to believe, as 'warifu trust DIR' saved it; by default the running demo is asked."`
	Now     string   `placeholder:"TIME" help:"With --offline: what counts as now; by default the demo's clock, or with --trust this machine's."`
}

// Run walks through the clinic's own steps in this process.
func (c clinicCheck) Run(s *session) error {
	source, medium, pin, err := c.open(s)
	if err != nil {
		return err
	}
	rules, err := c.rules()
	if err != nil {
		return err
	}
	config := clinic.Config{Origin: "http://clinic.invalid", Scheme: rules, Reader: source}
	if err := c.line(s, &config); err != nil {
		return err
	}
	reader := clinic.New(config)
	reader.Cut(c.Offline != "")
	v, err := reader.Begin(medium)
	if err != nil {
		return err
	}
	if v, err = reader.Touch(s.ctx, v.ID, clinic.Touch{PIN: pin, LastTry: c.LastTry}); err != nil {
		return err
	}
	if v.Step == clinic.StepConsent {
		said := map[string]bool{}
		for _, what := range c.Consent {
			said[what] = true
		}
		if v, err = reader.Consent(s.ctx, v.ID, insurer.Consents{Medicine: said["medicine"], Checkups: said["checkups"], HighCost: said["high-cost"]}); err != nil {
			return err
		}
	}
	return s.tellInsured(v)
}

// line gives the clinic its way to the demo's insurers, or what it has instead of one.
func (c clinicCheck) line(s *session, config *clinic.Config) error {
	if c.Offline != "" {
		k, err := s.anchors(c.Trust, c.Now)
		if err != nil {
			return err
		}
		config.Clock, config.Trust = k.clock, k.trust
		config.Kept, err = s.readKept(c.Offline, k)
		return err
	}
	p, err := s.places()
	if err != nil {
		return err
	}
	config.Insurers = clinic.NewInsurers(p.Desk+world.InsurersPrefix, world.ClinicKey)
	config.Trust, config.Clock, err = s.trustAt(p)
	return err
}

// readKept takes packs, of phones, and revocation lists, of cards.
func (s *session) readKept(names string, k known) (verify.StatusChecker, error) {
	var kept verify.FirstOf
	var packs []string
	for name := range strings.SplitSeq(names, ",") {
		if !strings.HasSuffix(name, ".crl") {
			packs = append(packs, name)
			continue
		}
		list, err := s.readFile(name)
		if err != nil {
			return nil, err
		}
		kept = append(kept, verify.RawCRL(list))
	}
	if len(packs) > 0 {
		all, err := s.readPacks(strings.Join(packs, ","), k)
		if err != nil {
			return nil, err
		}
		kept = append(verify.FirstOf{all}, kept...)
	}
	return kept, nil
}

// tellInsured says what the clinic sees; whoever is not insured is a refusal.
func (s *session) tellInsured(v clinic.View) error {
	rows := [][]string{{s.sentence("clinic.state-"+string(v.State), nil)}, {s.sentence("clinic.next-"+string(v.State), nil)}}
	if a := v.Answer; a != nil {
		rows = append(rows, []string{s.sentence("clinic.name", nil), a.Name})
		if a.Insurer != nil {
			rows = append(rows, []string{s.sentence("clinic.insurer", nil), a.Insurer.Name}, []string{s.sentence("clinic.share", nil), fmt.Sprintf("%d%%", a.Share)})
		}
		for _, m := range a.Medicine {
			rows = append(rows, []string{s.sentence("clinic.consent-medicine", nil), m})
		}
		for _, m := range a.Checkups {
			rows = append(rows, []string{s.sentence("clinic.consent-checkups", nil), m})
		}
		if a.HighCost != "" {
			rows = append(rows, []string{s.sentence("clinic.consent-high-cost", nil), a.HighCost})
		}
	}
	if v.StatusFrom != "" {
		rows = append(rows, []string{s.sentence("clinic.status-from", nil), s.sentence("clinic.kept-"+v.Medium, nil)}, []string{s.sentence("clinic.status-age", nil), v.StatusAge.Round(time.Minute).String()})
	}
	if err := s.table(v, rows); err != nil {
		return err
	}
	if v.State == insurer.Expired || v.State == insurer.Unknown {
		return errTold
	}
	return nil
}
