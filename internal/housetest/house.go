package housetest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"warifu"
	"warifu/catalogue"
	"warifu/console"
	"warifu/crl"
	"warifu/keystore"
	"warifu/phone"
	"warifu/queue"
	"warifu/registration"
	"warifu/sandbox/bureau"
	"warifu/sandbox/maker"
	"warifu/scheme"
	"warifu/server"
	"warifu/status"
	"warifu/store"
	"warifu/verification"
)

// Origin is where the house's site stands.
const Origin = "http://warifu.test"

// bureauURL is where cards say their bureau stands.
const bureauURL = "http://bureau.test/bureau"

// Options are what a test wants otherwise; the zero value is a house of scheme badge
// at Begin.
type Options struct {
	Scheme string               // name of a shipped scheme; "" for badge
	Alter  func(*scheme.Scheme) // changes a copy of it
	Begin  time.Time
	DSN    string // of an empty database for the registration authority; "": SQLite in the house's folder
}

// TB is what TB and *rapid.T have in common.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(func())
}

// House is a whole house.
type House struct {
	Dir        string
	DSN        string // of the registration authority's database
	Clock      *Clock
	Scheme     *scheme.Scheme
	Log        *Log
	Store      *store.Store
	Queue      *queue.Queue
	Bureau     *bureau.Bureau
	Cards      *Cards
	Maker      *maker.Factory
	Catalogue  *catalogue.Catalogue
	Issuers    map[warifu.Kind]*Issuer
	CAs        map[warifu.Kind]*x509.Certificate
	Pushed     *Pushed
	Reports    *Reports
	Wire       *Wire
	Registrar  *registration.Authority
	Site       http.Handler
	Server     *phone.Server
	Desk       *verification.Desk // keeps evidence, stamped by Stamps
	Stamps     *Stamps
	Subscriber *Subscriber
	Console    *console.Desk // at "warifu.test", without a sandbox

	keys       *keystore.Store
	source     *keySource
	responders map[warifu.Kind]*status.Responder
	publishers map[warifu.Kind]*status.Publisher
	historians map[warifu.Kind]*status.Historian
	phones     int
	memory     *memory
}

// Log collects what is logged, at level debug.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns everything so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// New stands a house up.
func New(t TB, o Options) *House {
	t.Helper()
	h := &House{
		Dir: tempDir(t), Clock: &Clock{now: o.Begin}, Log: &Log{}, source: &keySource{}, Pushed: &Pushed{},
		Issuers: map[warifu.Kind]*Issuer{}, CAs: map[warifu.Kind]*x509.Certificate{},
		responders: map[warifu.Kind]*status.Responder{}, publishers: map[warifu.Kind]*status.Publisher{}, historians: map[warifu.Kind]*status.Historian{}, memory: newMemory(),
	}
	h.Wire, h.Reports = &Wire{house: h}, &Reports{house: h}
	if o.Begin.IsZero() {
		h.Clock.now = Begin
	}
	h.DSN = cmp.Or(o.DSN, "sqlite:"+filepath.Join(h.Dir, "registration.db"))
	shipped, err := scheme.Shipped(cmp.Or(o.Scheme, "badge"))
	check(t, err)
	own := *shipped
	h.Scheme = &own
	if o.Alter != nil {
		o.Alter(h.Scheme)
	}
	for _, step := range []func(TB){h.openKeys, h.openBureau, h.openMaker, h.openStore, h.openIssuers, h.openRegistrar, h.openSite} {
		step(t)
	}
	return h
}

func check(t TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("house: %v", err)
	}
}

// tempDir is in memory where the machine has such a place: nothing here tests the disk.
func tempDir(t TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "warifu-house-")
	if err != nil {
		dir, err = os.MkdirTemp("", "warifu-house-")
	}
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// The names of the house's keys.
const (
	keySeal      = "seal"
	keyChallenge = "challenge"
	keyDomain    = "domain"
	keyTicket    = "ticket-" // and the kind
)

func (h *House) openKeys(t TB) {
	t.Helper()
	var err error
	h.keys, err = keystore.Memory()
	check(t, err)
	for name, bits := range map[string]int{keySeal: 256, keyChallenge: 256, keyDomain: 256, "serial-signature": 128, "serial-authentication": 128} {
		_, err := h.keys.GenerateSymmetric(name, bits)
		check(t, err)
	}
	for _, kind := range warifu.Kinds {
		_, err := h.keys.Generate(keyTicket+kind.String(), keystore.P256)
		check(t, err)
	}
}

func (h *House) symmetric(t TB, name string) *keystore.SymmetricKey {
	t.Helper()
	k, err := h.keys.Symmetric(name)
	check(t, err)
	return k
}

func (h *House) openBureau(t TB) {
	t.Helper()
	var err error
	h.Bureau, err = bureau.Open(bureau.Config{Dir: filepath.Join(h.Dir, "bureau"), Clock: h.Clock, BaseURL: bureauURL, NewKey: h.source.rsa})
	check(t, err)
	t.Cleanup(func() { _ = h.Bureau.Close() })
	h.Cards = &Cards{Bureau: h.Bureau}
}

func (h *House) openStore(t TB) {
	t.Helper()
	check(t, store.Migrate(context.Background(), h.DSN))
	var err error
	h.Store, err = store.Open(context.Background(), h.DSN, h.symmetric(t, keySeal), h.Clock)
	check(t, err)
	t.Cleanup(func() { _ = h.Store.Close() })
	h.Queue = h.newQueue()
	h.Catalogue, err = catalogue.New(context.Background(), catalogue.InStore(h.Store), h.Clock, h.Scheme.MinimumAppVersion)
	check(t, err)
	samples, err := catalogue.Samples()
	check(t, err)
	check(t, h.Catalogue.Replace(context.Background(), samples, "house"))
}

func (h *House) newQueue() *queue.Queue {
	return queue.New(queue.Config{Store: h.Store, Clock: h.Clock, Log: h.logger()})
}

func (h *House) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(h.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write runs fn in a transaction of the registration authority's database.
func (h *House) Write(t TB, fn func(*store.Tx) error) {
	t.Helper()
	check(t, h.Store.Write(context.Background(), fn))
}

// Read runs fn on a snapshot of it.
func (h *House) Read(t TB, fn func(*store.Tx) error) {
	t.Helper()
	check(t, h.Store.Read(context.Background(), fn))
}

// Drain runs every job that is due.
func (h *House) Drain(t TB) {
	t.Helper()
	_, err := h.Queue.Drain(context.Background())
	check(t, err)
}

// publisher makes the publisher of one authority's lists.
func (h *House) publisher(kind warifu.Kind) *status.Publisher {
	sign := func(_ context.Context, list *crl.Draft) error { return h.Issuers[kind].CA.SignCRL(list) }
	p := status.NewPublisher(kind, sign, server.NewRegister(h.Store, kind, feedPage), h.Clock)
	p.Freshest = Origin + "/crl/" + kind.String() + "-delta.crl"
	return p
}

// Random is the house's source of random octets.
var Random = rand.Reader
