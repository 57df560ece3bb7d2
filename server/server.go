package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"warifu"
	"warifu/catalogue"
	"warifu/console"
	"warifu/face"
	"warifu/keystore"
	"warifu/ledger"
	"warifu/notify"
	"warifu/oidc"
	"warifu/queue"
	"warifu/registration"
	"warifu/scheme"
	"warifu/status"
	"warifu/store"
	"warifu/verification"
	"warifu/web"
)

// Options are what the sandbox and the tests replace; the zero value is production.
type Options struct {
	Clock      warifu.Clock   // SystemClock
	Outside    warifu.Clock   // what relying parties' clocks say; nil: Clock
	Log        *slog.Logger   // text on standard error, at the configured level
	Bureau     *http.Client   // for the card bureau
	Listener   net.Listener   // instead of listening on Config.Listen
	Passphrase []byte         // instead of the configured file
	OnServing  func(net.Addr) // told once the listener is open
	// OnBootstrap is told the one-time link for the console's first administrator, where nobody
	// works there yet. Nil: no such link is made.
	OnBootstrap func(link string)
	// StatusListener is listened on instead of Config.Status.Listen.
	StatusListener net.Listener
	// Faults makes things go wrong on purpose, for the sandbox; nil: nothing does.
	Faults Faults
}

// Server is a whole server: everything below the roof, wired.
type Server struct {
	config       Config
	options      Options
	clock        warifu.Clock
	log          *slog.Logger
	scheme       *scheme.Scheme
	keys         *keystore.Store
	store        *store.Store
	queue        *queue.Queue
	authorities  map[warifu.Kind]*authority
	catalogue    *catalogue.Catalogue
	hub          *notify.Hub
	notifier     *notify.Notifier
	bureau       *bureauClient
	contacts     *gateway // nil: contacts are not told
	registration *registration.Authority
	ledger       *ledger.Ledger
	desk         *verification.Desk
	directory    *oidc.Directory
	provider     *oidc.Provider // nil in Examine
	documents    *oidc.SignDesk // nil in Examine
	asking       sync.Mutex     // while the desk is told who may ask
	ended        chan struct{}  // closed when no more is answered: pages that wait are let go
	metrics      *metrics
	statuses     *statuses    // nil in Examine
	timestamps   *timestamper // nil: there are none
	handler      http.Handler
	publications http.Handler  // what the status listener serves beside OCSP
	answers      *status.Cache // signed OCSP answers
	console      *console.Desk // nil: there is none
}

// New opens everything the configuration names, in the order of the floors, and
// serves nothing yet. An error closes what was opened.
func New(ctx context.Context, c Config, o Options) (*Server, error) {
	s := newServer(c, o)
	err := s.open(ctx, s.openGround, s.openStatuses, s.openAuthorities, s.openTimestamps, s.appointResponders, s.appointTimestamper, s.openDevices, s.fillDevices, s.openRegistration, s.openDirectory, s.openVerification, s.openProvider, s.openConsole, s.openSite)
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory() // hashing the key store's passphrase took 64 MiB, once
	return s, nil
}

// Examine opens everything the configuration names, as New does, and changes nothing:
// it fills no catalogue and has nothing signed. It returns the first thing that does
// not fit.
func Examine(ctx context.Context, c Config, o Options) error {
	s := newServer(c, o)
	parse := func(context.Context) error { _, err := s.firstDevices(); return err }
	if err := s.open(ctx, s.openGround, s.openAuthorities, s.openTimestamps, s.openDevices, parse, s.openRegistration, s.openDirectory, s.openVerification); err != nil {
		return err
	}
	return s.Close()
}

func newServer(c Config, o Options) *Server {
	s := &Server{config: c, options: o, clock: o.Clock, log: o.Log, authorities: map[warifu.Kind]*authority{}, ended: make(chan struct{})}
	if s.clock == nil {
		s.clock = warifu.SystemClock{}
	}
	if s.log == nil {
		s.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: c.level()}))
	}
	return s
}

// open opens floor after floor; an error closes what was opened.
func (s *Server) open(ctx context.Context, floors ...func(context.Context) error) error {
	for _, floor := range floors {
		if err := floor(ctx); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	return nil
}

// Migrate brings all three databases to this program's schema.
func Migrate(ctx context.Context, c Config, tell func(string, ...any)) error {
	if err := store.Migrate(ctx, c.dsn(c.Store.DSN)); err != nil {
		return err
	}
	tell("database of the registration authority: ready")
	for _, kind := range warifu.Kinds {
		if err := store.MigrateLedger(ctx, c.dsn(c.Authority[kind.String()].Ledger)); err != nil {
			return err
		}
		tell("ledger of the %s authority: ready", kind)
	}
	return nil
}

func loadScheme(c Config) (*scheme.Scheme, error) {
	if s, err := scheme.Shipped(c.Scheme); err == nil {
		return s, nil
	}
	b, err := os.ReadFile(c.path(c.Scheme))
	if err != nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", "scheme "+c.Scheme+" is neither a shipped scheme nor a readable file")
	}
	return scheme.Parse(b)
}

// openGround opens scheme, keys, store and queue.
func (s *Server) openGround(ctx context.Context) (err error) {
	if s.scheme, err = loadScheme(s.config); err != nil {
		return err
	}
	passphrase := s.options.Passphrase
	if passphrase == nil {
		if passphrase, err = s.config.Passphrase(); err != nil {
			return err
		}
	}
	if s.keys, err = keystore.Open(s.config.path(s.config.Keys.Dir), passphrase); err != nil {
		return err
	}
	seal, err := s.keys.Symmetric(keySeal)
	if err != nil {
		return err
	}
	if s.store, err = store.Open(ctx, s.config.dsn(s.config.Store.DSN), seal, s.clock); err != nil {
		return err
	}
	s.answers = s.config.Status.newCache()
	rate := newRate()
	s.queue = queue.New(queue.Config{Store: s.store, Clock: s.clock, Log: s.log, Lease: s.config.Queue.Lease, Worked: s.worked(rate)})
	s.metrics = newMetrics(s.store, s.queue, s.clock, rate, s.log)
	return nil
}

// openDevices opens the catalogue.
func (s *Server) openDevices(ctx context.Context) (err error) {
	s.catalogue, err = catalogue.New(ctx, catalogue.InStore(s.store), s.clock, s.scheme.MinimumAppVersion)
	return err
}

// fillDevices fills an empty catalogue.
func (s *Server) fillDevices(ctx context.Context) error {
	if s.catalogue.Len() > 0 {
		return nil
	}
	models, err := s.firstDevices()
	if err != nil {
		return err
	}
	actor := "server:import"
	if s.config.Devices == "" {
		actor = "server:samples"
	}
	return s.catalogue.Replace(ctx, models, actor)
}

// firstDevices are the models of the configured file, or the shipped samples.
func (s *Server) firstDevices() ([]catalogue.Model, error) {
	if s.config.Devices == "" {
		return catalogue.Samples()
	}
	file, err := os.Open(s.config.path(s.config.Devices))
	if err != nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", err.Error())
	}
	defer file.Close()
	models, problems, err := catalogue.ParseCSV(file)
	if err == nil && len(problems) > 0 {
		err = warifu.Invalid("configuration-invalid", "faults", fmt.Sprintf("%s: %v", s.config.Devices, problems[0]))
	}
	return models, err
}

// openRegistration opens the registration authority over what stands below it.
func (s *Server) openRegistration(context.Context) error {
	challenge, err := s.keys.Symmetric(keyChallenge)
	if err != nil {
		return err
	}
	trust, err := s.readTrust()
	if err != nil {
		return err
	}
	cards, err := trust.verifier(s.clock)
	if err != nil {
		return err
	}
	domain, err := s.domainKeys()
	if err != nil {
		return err
	}
	tickets, papers, err := s.ticketKeys()
	if err != nil {
		return err
	}
	if err = s.openNotices(); err != nil {
		return err
	}
	issuers, certificates := map[warifu.Kind]registration.Issuer{}, map[warifu.Kind][]byte{}
	for kind, a := range s.authorities {
		issuers[kind], certificates[kind] = s.issuerOf(kind, a), a.certificate.Raw
	}
	operators, err := s.config.operators()
	if err != nil {
		return err
	}
	s.bureau = newBureauClient(s.config.Cards.Bureau, s.options.Bureau, trust.newest())
	if err = s.openContacts(); err != nil {
		return err
	}
	reports, err := s.openReports()
	if err != nil {
		return err
	}
	s.registration, err = registration.New(registration.Config{
		Store: s.store, Queue: s.queue, Scheme: s.scheme, Origin: s.config.Origin, Clock: s.clock, Random: rand.Reader,
		Models: s.catalogue, Cards: cards, Bureau: s.bureau,
		StatementKey: trust.statement, MakerAnchors: trust.makers, ChallengeMAC: challenge.HMAC, Issuers: issuers, Authorities: certificates,
		Pusher: pusher(s.push), Keys: domain, TicketKeys: tickets, TicketPapers: papers, Operators: operators, CardReports: reports, Log: s.log,
	})
	return err
}

func (s *Server) openSite(context.Context) error {
	published := map[warifu.Kind]web.Authority{}
	for kind, a := range s.authorities {
		published[kind] = web.Authority{Certificate: a.certificate.Raw, OCSP: a.responder, CRL: a.publisher, Delta: a.publisher.Deltas(), Parts: parts(a.publisher), History: a.historian, Offline: a.packs}
	}
	var timestamps *web.Timestamps
	if t := s.timestamps; t != nil {
		timestamps = &web.Timestamps{Certificate: t.root.Raw, Authority: t}
	}
	site := web.Config{
		Origin: s.config.Origin, Hosts: s.config.hosts(), Proxies: s.config.Proxies.networks(), Scheme: s.scheme, Registration: s.registration, Follow: s.FollowCard, Catalogue: s.catalogue,
		Clients: s.directory, Verification: s.desk, Checked: s.ledger, Holders: s.registration,
		Authorities: published, Timestamps: timestamps, Overseen: overseen{s}, Notices: s.notifier, Metrics: s.metrics.handler(), Refused: s.metrics.refused,
		Forecast: s.metrics.forecast(s.scheme), Ready: s.ready, NewID: func() (string, error) { return s.store.NewID(), nil },
		Login: s.loginSite(s.provider), Signing: signingSite{s.documents, s.provider}, Clock: s.clock, Log: s.log, Console: s.console,
	}
	s.handler, s.publications = s.around(face.Owned(web.New(site), s.config.Face.own())), web.Publications(site)
	return nil
}

// Handler is the server's site.
func (s *Server) Handler() http.Handler { return s.handler }

// Registration is the registration authority, for the sandbox's life events.
func (s *Server) Registration() *registration.Authority { return s.registration }

// Queue is the job queue, for whoever moves the clock.
func (s *Server) Queue() *queue.Queue { return s.queue }

func (s *Server) ready(ctx context.Context) error { return s.store.Ready(ctx) }

// Run serves until ctx ends, then stops gracefully: it takes no more requests,
// finishes those under way and the batch a worker holds, and closes everything.
func (s *Server) Run(ctx context.Context) error {
	listener, second, questions, err := s.listen(ctx)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	site := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	worked := make(chan error, 2)
	go func() { worked <- s.queue.Run(work) }()
	go func() { worked <- s.keepHouse(work) }()
	served := make(chan error, 1)
	go func() { served <- s.serveOn(site, listener) }()
	ctx, stopAnswering := context.WithCancel(ctx)
	defer stopAnswering()
	answered := s.answerOn(ctx, second, questions, stopAnswering)
	s.log.Info("serving", "origin", s.config.Origin, "listen", listener.Addr().String(), "scheme", s.scheme.ID())
	if s.options.OnServing != nil {
		s.options.OnServing(listener.Addr())
	}
	var failed error
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		s.hub.Close()
		close(s.ended)
		failed = site.Shutdown(grace)
	case failed = <-served:
	}
	stopAnswering()
	stopWork()
	failed = errors.Join(failed, <-answered, <-worked, <-worked)
	return errors.Join(failed, s.Close())
}

func (s *Server) serveOn(site *http.Server, l net.Listener) error {
	var err error
	if t := s.config.TLS; t.Certificate != "" {
		err = site.ServeTLS(l, s.config.path(t.Certificate), s.config.path(t.Key))
	} else {
		err = site.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close closes what is open; Run does it by itself.
func (s *Server) Close() error {
	var failed []error
	if s.hub != nil {
		s.hub.Close()
	}
	for _, a := range s.authorities {
		failed = append(failed, a.ledger.Close())
	}
	if s.store != nil {
		failed = append(failed, s.store.Close())
		s.store = nil
	}
	s.authorities = map[warifu.Kind]*authority{}
	return errors.Join(failed...)
}
