package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"warifu"
	"warifu/progress"
	"warifu/text"
)

// options are the command line.
type options struct {
	out          string
	only         string
	applications int
	backlog      int
	sweep        int
	listed       int
	certificates int
	questions    int
	profile      string
	set          int
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		exit(serveProfiled(os.Args[2:]))
	}
	if len(os.Args) > 2 && os.Args[1] == "documents" {
		exit(makePapers(os.Args[2]))
	}
	if len(os.Args) > 1 && os.Args[1] == "sweep" {
		exit(sweepOnce(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "ocsp" {
		exit(serveOCSP(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "cfssl-ocsp" {
		exit(serveCFSSL(os.Args[2:]))
	}
	if len(os.Args) > 1 && (os.Args[1] == "set-build" || os.Args[1] == "set-read") {
		exit(setOnce(os.Args[1:]))
	}
	var o options
	flag.StringVar(&o.out, "out", "out/latest.json", "file to write the rows to")
	flag.StringVar(&o.only, "only", "", "measures to take, separated by commas; empty for all")
	flag.IntVar(&o.applications, "applications", 1000, "applications a round of issuance, two certificates each")
	flag.IntVar(&o.backlog, "backlog", 5000, "applications that wait when the hour strikes")
	flag.IntVar(&o.sweep, "sweep", 1_000_000, "credentials, two a card, that a card sweep goes through")
	flag.IntVar(&o.listed, "listed", 1_000_000, "revoked certificates of an authority, for its lists")
	flag.IntVar(&o.certificates, "certificates", 1_000_000, "certificates whose OCSP answers are kept")
	flag.IntVar(&o.questions, "questions", 500_000, "OCSP questions a round")
	flag.IntVar(&o.set, "set", 100_000_000, "live certificates in a status set, and a hundredth as many revoked ones beside them")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the server during issuance to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := o.run(ctx)
	if err != nil && ctx.Err() != nil { // whatever it says, this is why
		err = errInterrupted
	}
	exit(err)
}

// errInterrupted is Ctrl-C: shells know it by 128 and the signal's number.
var errInterrupted = errors.New("interrupted; what was measured until then is written down")

func exit(err error) {
	if errors.Is(err, errInterrupted) {
		fmt.Fprintln(os.Stderr, "bench:", errInterrupted)
		os.Exit(130)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// measure is one thing to find out.
type measure struct {
	name string
	take func(context.Context, *bench) ([]Row, error)
}

// measures in the order in which they are taken.
var measures = []measure{
	{"demo", demo},
	{"idle", idle},
	{"cryptography", cryptography},
	{"issuance", issuance},
	{"mobile", mobile},
	{"phones", phones},
	{"backlog", backlog},
	{"life", life},
	{"sweep", sweep},
	{"lists", lists},
	{"offline", packs},
	{"ocsp", ocspAnswers},
	{"set", statusSet},
	{"verification", verification},
	{"logins", logins},
	{"waiting", waiting},
	{"face", faces},
	{"profile", profileOnly},
}

// bench is one run: its options, its folders, its binaries.
type bench struct {
	options
	bin, dir, fast string
	stepCA         string // its binary, once built
	line           *progress.Line
	bare           float64 // µs of bare cryptography a certificate, once measured
}

// peer builds step-ca, once.
func (b *bench) peer(ctx context.Context) (err error) {
	if b.stepCA == "" {
		b.say("  building step-ca (two minutes the first time)")
		b.stepCA, err = build(ctx, b.bin, "stepca", "github.com/smallstep/certificates/cmd/step-ca")
	}
	return err
}

func (o options) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "warifu-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, bin: filepath.Join(dir, "bin"), dir: dir, fast: dir, line: progress.New(os.Stderr, language(), warifu.SystemClock{})}
	if fast, err := os.MkdirTemp("/dev/shm", "warifu-bench-"); err == nil {
		b.fast = fast
		defer os.RemoveAll(fast)
	}
	b.say("building warifud and warifu")
	for _, command := range []string{"./cmd/warifud", "./cmd/warifu"} {
		if _, err := build(ctx, b.bin, "..", command); err != nil {
			return err
		}
	}
	var rows []Row
	var failed []error
	wanted := o.wanted()
	b.line.Begin(text.Sentence("progress.bench", language(), nil), len(wanted))
	defer b.line.End()
	for done, m := range wanted {
		b.line.Done(done)
		began := time.Now()
		b.say("measuring %s", m.name)
		found, err := m.take(ctx, b)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", m.name, err))
			b.say("  %v", err)
		}
		b.say("  took %.0f s", time.Since(began).Seconds())
		rows = append(rows, found...)
		if err := write(o.out, rows); err != nil {
			return err
		}
	}
	b.line.End()
	return errors.Join(append(failed, table(os.Stdout, rows))...)
}

// wanted are the measures to take, in order.
func (o options) wanted() (out []measure) {
	for _, m := range measures {
		if (o.only == "" && m.name != "profile") || o.only != "" && strings.Contains(","+o.only+",", ","+m.name+",") {
			out = append(out, m)
		}
	}
	return out
}

// language is that of whoever watches.
func language() text.Lang {
	if strings.HasPrefix(os.Getenv("LANG"), "ja") {
		return text.Japanese
	}
	return text.English
}

// say tells on standard error what is being done.
func (b *bench) say(format string, args ...any) {
	b.line.Aside(func() { fmt.Fprintf(os.Stderr, format+"\n", args...) })
}

// site is a new house's place; durable folders are on the disk of the temporary
// directory, the chips' and cards' in memory.
func (b *bench) site(name, scheme string) site {
	s := site{bin: b.bin, dir: filepath.Join(b.dir, name), chips: filepath.Join(b.fast, name+"-chips"), scheme: scheme}
	if b.profile != "" {
		s.serve = func(config string) (*process, error) {
			self, err := os.Executable()
			if err != nil {
				return nil, err
			}
			return start(self, "serve", config, b.profile)
		}
	}
	return s
}
