package server

import (
	"context"
	"crypto/rand"
	"net"
	"net/url"

	"warifu"
	"warifu/console"
)

// ConsoleConfig is the operators' console, below /console.
type ConsoleConfig struct {
	// Off leaves the console out.
	Off bool `toml:"off"`
	// Sandbox lets whoever sits at this machine sign in as one of seven operators without a
	// passkey. For trying things out: it is refused where the server listens beyond loopback.
	Sandbox bool `toml:"sandbox"`
}

func (c ConsoleConfig) faults(must func(bool, string, ...any), listen, origin string) {
	if !c.Sandbox {
		return
	}
	host, _, err := net.SplitHostPort(listen)
	must(err == nil && isLoopback(host), "[console] sandbox = true lets anybody in, so listen %q must be a loopback address", listen)
	u, err := url.Parse(origin)
	must(err == nil && isLoopback(u.Hostname()), "[console] sandbox = true lets anybody in, so origin %q must be on this machine", origin)
}

// consoleHost is the Host of the console where it is another than the origin's: a passkey belongs
// to a name, and this machine's is localhost.
func (c Config) consoleHost() []string {
	u, err := url.Parse(c.Origin)
	if err != nil || c.Console.Off {
		return nil
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() || u.Port() == "" {
		return nil
	}
	return []string{"localhost:" + u.Port()}
}

// openConsole opens the operators' entrance. Where nobody works there yet, a one-time link for the
// first administrator is made and told to whoever starts the server.
func (s *Server) openConsole(ctx context.Context) error {
	if s.config.Console.Off {
		return nil
	}
	var err error
	if s.console, err = s.newConsole(); err != nil {
		return err
	}
	if err := s.console.Settle(ctx); err != nil || s.options.OnBootstrap == nil {
		return err
	}
	return tellBootstrap(ctx, s.console, false, s.options.OnBootstrap)
}

func (s *Server) newConsole() (*console.Desk, error) {
	key, err := s.keys.Symmetric(keyChallenge)
	if err != nil {
		return nil, err
	}
	return console.New(console.Config{
		Store: s.store, Clock: s.clock, Random: rand.Reader, MAC: key.HMAC, Origin: s.config.Origin, Sandbox: s.config.Console.Sandbox, Ledgers: s.ledgerChains,
	})
}

func tellBootstrap(ctx context.Context, d *console.Desk, again bool, tell func(string)) error {
	link, err := d.Bootstrap(ctx, again)
	if err == nil && link != "" {
		tell(d.Origin() + console.Path(link))
	}
	return err
}

// ConsoleBootstrap makes a new one-time link for an administrator, for who stands at the machine
// and has its key store: when every passkey is lost. Every older such link ends.
func ConsoleBootstrap(ctx context.Context, c Config, o Options, tell func(link string)) error {
	s := newServer(c, o)
	again := func(ctx context.Context) error {
		d, err := s.newConsole()
		if err != nil {
			return err
		}
		return tellBootstrap(ctx, d, true, tell)
	}
	if err := s.open(ctx, s.openGround, again); err != nil {
		return err
	}
	return s.Close()
}

// ledgerChains goes through each authority's ledger from its beginning.
func (s *Server) ledgerChains(ctx context.Context) ([]console.Chain, error) {
	var out []console.Chain
	for _, kind := range warifu.Kinds {
		a, there := s.authorities[kind]
		if !there {
			continue // only the machine's own command is without
		}
		head, err := a.ledger.VerifyChain(ctx)
		if p := warifu.ProblemOf(err); err != nil && p.Problem != "ledger-broken" {
			return nil, err
		}
		out = append(out, console.Chain{Kind: kind, Whole: err == nil, Rows: head.Seq, Hash: head.Hash})
	}
	return out, nil
}
