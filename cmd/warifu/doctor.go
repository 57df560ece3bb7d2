package main

import (
	"bytes"
	"io"
	"os"

	"warifu"
	"warifu/sandbox/doctor"
	"warifu/sandbox/doctor/party"
)

type doctorCommand struct {
	RP     doctorRPCommand     `cmd:"" name:"rp" help:"Play the provider against a relying party: more than a hundred cases, honest and hostile."`
	Reader doctorReaderCommand `cmd:"" help:"Touch chips to a reader's or kiosk's software: torn away, slow, silent, lying, on hold, somebody else's."`
}

// doctorOutput is what every examination has in common.
type doctorOutput struct {
	Only   []string `placeholder:"CASE" help:"Only these cases or themes; * and ? stand for anything."`
	List   bool     `help:"List the cases and try none."`
	JUnit  string   `name:"junit" placeholder:"FILE" help:"Write a JUnit report for CI."`
	HTML   string   `name:"html" placeholder:"FILE" help:"Write a page that needs nothing else."`
	Strict bool     `help:"Count advice as faults."`
}

type doctorRPCommand struct {
	URL          string `arg:"" optional:"" help:"The relying party; addresses in the configuration may be relative to it."`
	ClientConfig string `name:"client-config" placeholder:"FILE.toml" help:"How to log in there and what it demands (docs/doctor.md)."`
	Verbose      bool   `help:"Show what the relying party prints, where the configuration says how to start it."`
	doctorOutput `embed:""`
}

// Run listens, waits for the relying party and tries the cases.
func (c doctorRPCommand) Run(s *session) error {
	if c.List {
		return s.listCases(doctor.Suite{Name: "rp", Cases: party.Cases(), Clock: warifu.SystemClock{}}, c.doctorOutput)
	}
	if c.URL == "" || c.ClientConfig == "" {
		return usage("URL, --client-config")
	}
	file, err := s.readFile(c.ClientConfig)
	if err != nil {
		return err
	}
	config, err := party.ReadConfig(bytes.NewReader(file), c.URL)
	if err != nil {
		return err
	}
	x, err := party.Open(s.ctx, config, nil, warifu.SystemClock{})
	if err != nil {
		return err
	}
	defer x.Close()
	out := io.Discard
	if c.Verbose {
		out = s.std.err
	}
	if err := x.Start(s.ctx, out); err != nil {
		return err
	}
	suite, err := x.Suite(c.URL).Select(c.Only)
	if err != nil {
		return err
	}
	if err := x.Reach(s.ctx); err != nil {
		return err
	}
	return s.examine(suite, c.doctorOutput)
}

// doctorUsage are the problems of an examination that only whoever called it can mend.
var doctorUsage = []string{"doctor-config", "doctor-config-large", "doctor-case-unknown", "doctor-run", "doctor-listen"}

// examine tries a suite's cases, tells each as it ends and writes the reports.
func (s *session) examine(suite doctor.Suite, o doctorOutput) error {
	report := suite.Run(s.ctx, func(r doctor.Result) {
		if !s.json {
			_ = r.WriteLine(s.std.out, s.lang) // a reader who has gone does not end the examination
		}
	})
	if s.json {
		if err := s.print(report); err != nil {
			return err
		}
	} else if _, err := io.WriteString(s.std.out, report.Summary(s.lang)+"\n"); err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer) error{
		o.JUnit: func(w io.Writer) error { return report.WriteJUnit(w, s.lang, o.Strict) },
		o.HTML:  func(w io.Writer) error { return report.WriteHTML(w, s.lang) },
	} {
		if name == "" {
			continue
		}
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			return warifu.Refused("cli-file", "file", name).With(err)
		}
	}
	if !report.Clean(o.Strict) {
		return errTold
	}
	return nil
}

// listCases lists a suite's cases with their clauses.
func (s *session) listCases(suite doctor.Suite, o doctorOutput) error {
	suite, err := suite.Select(o.Only)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, c := range suite.Cases {
		rows = append(rows, []string{c.Theme, c.ID, string(c.Level), c.Title(s.lang), c.Clause})
	}
	return s.table(suite.Cases, rows)
}
