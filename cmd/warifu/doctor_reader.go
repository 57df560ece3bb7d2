package main

import (
	"bytes"
	"strings"

	"warifu"
	exam "warifu/sandbox/doctor/terminal"
)

type doctorReaderCommand struct {
	Config       string `placeholder:"FILE.toml" help:"How the software is run and where its reader is (docs/doctor.md)."`
	doctorOutput `embed:""`
}

// Run touches the running demo's chips to the software under examination.
func (c doctorReaderCommand) Run(s *session) error {
	if c.List {
		x := &exam.Examination{Classes: []string{"phone", "card"}, Clock: warifu.SystemClock{}}
		return s.listCases(x.Suite(""), c.doctorOutput)
	}
	if c.Config == "" {
		return usage("--config")
	}
	file, err := s.readFile(c.Config)
	if err != nil {
		return err
	}
	config, err := exam.ReadConfig(bytes.NewReader(file))
	if err != nil {
		return err
	}
	desk, err := s.desk()
	if err != nil {
		return err
	}
	x := &exam.Examination{
		Subject: exam.Command{Args: config.Command, Phone: config.Phone, Reader: config.Reader},
		Chips:   exam.DemoChips{Desk: desk, All: config.Chips},
		Classes: config.Classes, Patience: config.Patience, Clock: warifu.SystemClock{},
	}
	suite, err := x.Suite(strings.Join(config.Command, " ")).Select(c.Only)
	if err != nil {
		return err
	}
	return s.examine(suite, c.doctorOutput)
}
