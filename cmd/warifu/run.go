package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"warifu"
)

// The exit codes (design §4).
const (
	exitDone = iota
	exitRefused
	exitUsage
	exitUnreachable
	// exitInterrupted is what shells know for "ended by Ctrl-C": 128 and the signal's number.
	exitInterrupted = 130
)

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// commands is the command line; its tags are its manual.
type commands struct {
	Server string `default:"http://127.0.0.1:8400" env:"WARIFU_SERVER" placeholder:"URL" help:"The running demo's server."`
	Desk   string `env:"WARIFU_DESK" placeholder:"URL" help:"The demo's desk; by default one port above the server."`
	JSON   bool   `help:"Answer in JSON; a refusal is an RFC 9457 problem on standard error."`
	Lang   string `enum:"ja,en,auto" default:"auto" env:"WARIFU_LANG" help:"Language of the sentences: ja or en; by default that of the locale."`

	Demo        demoCommand        `cmd:"" help:"Run a whole world on loopback: start here."`
	Tour        tourCommand        `cmd:"" help:"Walk the whole walk in a fresh world, checking every stop."`
	Card        cardCommand        `cmd:"" help:"Cards: make, list, show, change a password, put in a reader."`
	Phone       phoneCommand       `cmd:"" help:"Phones: make, apply, register, sign, log in, put on a reader."`
	Persona     personaCommand     `cmd:"" help:"Persons in a state, by one word: taro+hold@signature."`
	Event       eventCommand       `cmd:"" help:"An event in a person's life; the certificates on their phone follow it at once."`
	SuspendCode suspendCodeCommand `cmd:"" help:"Suspend with the suspension code, from anywhere; the code can do nothing else."`
	Hotline     hotlineCommand     `cmd:"" help:"For operators of the authority: a call of somebody whose phone is lost."`
	Notices     noticesCommand     `cmd:"" help:"What this world sent to the telephones that holders registered."`
	Verify      verifyCommand      `cmd:"" help:"Say who signed a file, what, when, and whether to believe it."`
	Offline     offlineCommand     `cmd:"" help:"Packs by which certificates are checked where there is no line."`
	Trust       trustCommand       `cmd:"" help:"Save whom to believe, for verify --trust: the authorities' certificates, as a relying party has them from its contract."`
	Proof       proofCommand       `cmd:"" help:"Check a clean-phone proof that somebody shows."`
	RP          rpCommand          `cmd:"" name:"rp" help:"Your own service: register it, see a first login."`
	Doctor      doctorCommand      `cmd:"" help:"Examine your own software: what to mend, by which clause."`
	Kiosk       kioskCommand       `cmd:"" help:"The sample kiosk: a paper of the town hall, at a card reader."`
	Clinic      clinicCommand      `cmd:"" help:"The sample clinic: who is insured, at a card reader."`
	Clock       clockCommand       `cmd:"" help:"Show the world's clock or move it forward."`
	Fault       faultCommand       `cmd:"" help:"Make things go wrong on purpose."`
	Trace       traceCommand       `cmd:"" help:"What passed lately: APDUs and requests, by step, without a secret."`
	World       worldCommand       `cmd:"" help:"The world: where it is, save, load, reset."`
	Chip        chipCommand        `cmd:"" hidden:"" help:"Run one chip over standard input and output."`
}

// run parses args, runs the command and returns the exit code. It is all of the
// program but the process, so that tests run it too.
func run(ctx context.Context, args []string, std streams) int {
	var c commands
	left := -1
	parser, err := kong.New(&c, kong.Name("warifu"), kong.Writers(std.out, std.err), kong.UsageOnError(),
		kong.Description("割符: certificates on a phone by the strength of a card; a sandbox, not the government's service."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Exit(func(code int) { left = code }))
	if err != nil {
		fmt.Fprintln(std.err, "warifu:", err)
		return exitUsage
	}
	parsed, err := parser.Parse(args)
	if left >= 0 { // --help was answered
		return left
	}
	s := newSession(ctx, c, std)
	if err != nil {
		fmt.Fprintln(std.err, "warifu:", err)
		return exitUsage
	}
	return s.exit(parsed.Run(s))
}

// exitCode says which of the four an error is.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	switch e := warifu.ProblemOf(err); {
	case e.Problem == "server-unreachable", e.Problem == "doctor-unreachable":
		return exitUnreachable
	case e.Problem == usageProblem, slices.Contains(doctorUsage, e.Problem):
		return exitUsage
	}
	return exitRefused
}

// usageProblem is the slug of what only the command line can have wrong.
const usageProblem = "cli-usage"

// usage makes a usage error; what names the option or argument.
func usage(what string) error { return warifu.Invalid("cli-usage", "what", what) }

// readFile reads a file a person named, "-" for standard input.
func (s *session) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(s.std.in)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, warifu.NotFound("cli-file", "file", name).With(err)
	}
	return b, nil
}

// writeFile writes a result beside what it was made of: whole or not at all, but to what is no
// file (a terminal, a pipe) as it goes.
func writeFile(name string, b []byte) error {
	if info, err := os.Stat(name); err != nil || info.Mode().IsRegular() {
		return replaceFile(name, b)
	}
	if err := os.WriteFile(name, b, 0o644); err != nil {
		return warifu.Refused("cli-file", "file", name).With(err)
	}
	return nil
}
