// Command warifud is a Warifu server with a configuration file: it migrates its
// databases, makes its keys, checks its configuration, serves, and reads its audit trail. It holds no
// emulated card or phone. The manual of the file is server.Config; a complete
// example stands in deploy/warifud.toml.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"warifu"
	"warifu/server"
	"warifu/text"
)

// Exit codes: 0 ok, 1 refused, 2 usage.
const (
	exitOK      = 0
	exitRefused = 1
	exitUsage   = 2
)

type commands struct {
	Serve   serve        `cmd:"" help:"Run the server until SIGINT or SIGTERM."`
	Migrate migrate      `cmd:"" help:"Bring the databases to this program's schema."`
	Keys    keys         `cmd:"" help:"The key ceremony: make the keys and the authorities' certificates that do not exist yet."`
	Check   check        `cmd:"" help:"Say everything that is wrong with the configuration, and whether keys and databases fit it."`
	Party   relyingParty `cmd:"" name:"relying-party" help:"Who may have signatures checked at the verification service."`
	Console consoles     `cmd:"" help:"The operators' console."`
	Causes  causes       `cmd:"" help:"Print from the audit trail why something is as it is: each cascade as one tree."`
}

type configured struct {
	Config string `required:"" type:"path" placeholder:"FILE" help:"Configuration file (TOML)."`
}

type (
	serve   struct{ configured }
	migrate struct{ configured }
	keys    struct {
		configured
		NextTicketKey string `enum:",signature,authentication" default:"" placeholder:"KIND" help:"Instead, replace the ticket key of the signature or the authentication authority by a new one."`
	}
	check struct{ configured }
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("warifud"), kong.Description("A Warifu server: certificates from a card onto a phone."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(stdout, (*io.Writer)(nil)))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		fmt.Fprintln(stderr, "warifud:", err)
		return exitUsage
	}
	if err := command.Run(); err != nil {
		explain(stderr, err)
		return exitRefused
	}
	return exitOK
}

// explain writes an error for the person at the terminal: what is wrong, what to do.
func explain(w io.Writer, err error) {
	lang := text.English
	if l := os.Getenv("LANG"); len(l) >= 2 && l[:2] == "ja" {
		lang = text.Japanese
	}
	var e *warifu.Error
	if !errors.As(err, &e) {
		fmt.Fprintln(w, "warifud:", err)
		return
	}
	title, detail, next := text.Problem(e, lang)
	fmt.Fprintf(w, "warifud: %s\n", title)
	if faults := e.Params["faults"]; faults != "" { // all of them, however long the list
		detail = strings.ReplaceAll(faults, "; ", "\n  ")
	}
	for _, s := range []string{detail, next} {
		if s != "" {
			fmt.Fprintf(w, "  %s\n", s)
		}
	}
	if e.Err != nil {
		fmt.Fprintf(w, "  (%v)\n", e.Err)
	}
}

// ballast is never touched, so that it takes no memory of the machine; it makes the
// garbage collector see a heap of 32 MiB before the first object, and let garbage grow
// to that size and the live heap's before it collects. A server with a small heap
// would else collect many times a second under load.
var ballast = make([]byte, 32<<20)

func (c serve) Run(ctx context.Context, out io.Writer) error {
	defer runtime.KeepAlive(ballast)
	config, err := server.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	s, err := server.New(ctx, config, server.Options{OnBootstrap: bootstrapTeller(out)})
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

func (c migrate) Run(ctx context.Context, out io.Writer) error {
	config, err := server.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	return server.Migrate(ctx, config, teller(out))
}

func (c keys) Run(out io.Writer) error {
	config, err := server.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	if c.NextTicketKey == "" {
		return server.Ceremony(config, warifu.SystemClock{}, teller(out))
	}
	kind, err := warifu.ParseKind(c.NextTicketKey)
	if err != nil {
		return err
	}
	return server.NextTicketKey(config, kind, teller(out))
}

func (c check) Run(ctx context.Context, out io.Writer) error {
	config, err := server.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	if err := server.Examine(ctx, config, server.Options{}); err != nil {
		return err
	}
	fmt.Fprintln(out, "configuration, keys and databases fit together")
	return nil
}

func teller(out io.Writer) func(string, ...any) {
	return func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
}
