package crashtest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu"
	"warifu/chip"
	"warifu/keystore"
	"warifu/sandbox/bureau"
	"warifu/sandbox/handset"
	"warifu/sandbox/maker"
	"warifu/sandbox/person"
	"warifu/scheme"
	"warifu/server"
)

// clock is the machine's own: the server runs in another process and has no other.
var clock = warifu.SystemClock{}

func soaking() bool { return os.Getenv("WARIFU_SOAK") == "1" }

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// want fails the test when got is not what is wanted.
func want[T comparable](tb testing.TB, what string, got, wanted T) {
	tb.Helper()
	if got != wanted {
		tb.Errorf("%s: got %v, want %v", what, got, wanted)
	}
}

// cardKeys are the RSA keys of all cards and of the bureau itself: making one takes a
// tenth of a second, and no test here is about them.
var cardKeys = sync.OnceValues(func() ([]*rsa.PrivateKey, error) {
	keys, failed := make([]*rsa.PrivateKey, 4), make([]error, 4)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() { keys[i], failed[i] = rsa.GenerateKey(rand.Reader, 2048) })
	}
	all.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
})

// keyRing hands out cardKeys in turn.
type keyRing struct {
	mu   sync.Mutex
	next int
}

func (r *keyRing) key() (*rsa.PrivateKey, error) {
	keys, err := cardKeys()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	return keys[r.next%len(keys)], nil
}

// databases are the three of one server.
type databases struct {
	registration string
	ledgers      map[warifu.Kind]string
}

// sqliteIn puts them into files of a folder.
func sqliteIn(dir string) databases {
	at := func(name string) string { return "sqlite:" + filepath.Join(dir, name) }
	return databases{at("registration.db"), map[warifu.Kind]string{warifu.Signature: at("ledger-signature.db"), warifu.Authentication: at("ledger-authentication.db")}}
}

// town is a server's folder and configuration, and what stands around it.
type town struct {
	dir    string // configuration, keys, anchors
	db     databases
	certs  string          // where the authorities' certificates go, below dir; "" for dir itself
	within func(*exec.Cmd) // puts a server's process where its disk is; may be nil
	blade  *blade          // has the server die at a statement; nil for the program that ships
	config string          // the file
	origin string
	scheme *scheme.Scheme
	gate   *gate

	bureau *bureau.Bureau
	silent atomic.Bool  // the bureau tells of no events
	ahead  atomic.Int64 // how far the bureau's clock is ahead, in nanoseconds
	maker  *maker.Factory
	makers string          // the makers' folder
	keys   *keystore.Store // the server's, for looking at its databases afterwards

	mu       sync.Mutex
	persons  map[int]*resident
	accepted map[string]bool // every id that left with a 202
	left     map[string]bool // every certificate of an authority that was seen outside
}

// settle makes a town with a server that is migrated, has its keys and is not running.
// place says where its databases are.
func settle(t *testing.T, place func(*testing.T, *town) databases) *town {
	t.Helper()
	tn := found(t, place)
	tn.mustRun(t, "migrate")
	tn.openKeys(t) // a server that is killed a hundred times hashes its passphrase as often
	tn.mustRun(t, "keys")
	tn.furnish(t)
	tn.mustRun(t, "check")
	return tn
}

// found makes a town whose server has a configuration and nothing else yet.
func found(t *testing.T, place func(*testing.T, *town) databases) *town {
	t.Helper()
	tn := &town{dir: t.TempDir(), gate: newGate(), persons: map[int]*resident{}, accepted: map[string]bool{}, left: map[string]bool{}}
	tn.db = place(t, tn)
	var err error
	tn.scheme, err = scheme.Shipped("badge")
	must(t, err)
	tn.openBureau(t)
	tn.writeConfig(t)
	return tn
}

// furnish opens the makers, who share a key with the server, and writes its anchors.
func (tn *town) furnish(t *testing.T) {
	t.Helper()
	tn.openKeys(t)
	tn.openMaker(t)
	tn.writeAnchors(t)
}

// openKeys opens the server's key store, or makes it.
func (tn *town) openKeys(t *testing.T) {
	t.Helper()
	passphrase, err := os.ReadFile(filepath.Join(tn.dir, "passphrase"))
	must(t, err)
	tn.keys, err = keystore.OpenDrawn(filepath.Join(tn.dir, "keys"), []byte(strings.TrimSpace(string(passphrase))))
	must(t, err)
}

// besides is a folder for what the server has no part in: in memory where the machine
// has such a place.
func besides(t *testing.T) string {
	t.Helper()
	if dir, err := os.MkdirTemp("/dev/shm", "warifu-crash-"); err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return dir
	}
	return t.TempDir()
}

func (tn *town) openBureau(t *testing.T) {
	t.Helper()
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	var err error
	tn.bureau, err = bureau.Open(bureau.Config{Dir: besides(t), Clock: warifu.ClockFunc(func() time.Time { return clock.Now().Add(time.Duration(tn.ahead.Load())) }), BaseURL: site.URL + "/bureau", NewKey: new(keyRing).key})
	must(t, err)
	t.Cleanup(func() { _ = tn.bureau.Close() })
	mux.Handle("/bureau/", http.StripPrefix("/bureau", tn.bureau.Handler()))
	mux.HandleFunc("/bureau/events", func(w http.ResponseWriter, r *http.Request) {
		if tn.silent.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		http.StripPrefix("/bureau", tn.bureau.Handler()).ServeHTTP(w, r)
	})
}

func (tn *town) openMaker(t *testing.T) {
	t.Helper()
	master, err := tn.keys.Symmetric("ssd-master")
	must(t, err)
	tn.makers = besides(t)
	tn.maker, err = maker.Open(maker.Config{
		Dir: tn.makers, Clock: clock, Makers: []string{phoneMaker}, Apps: []warifu.Digest{handset.AppCertificate},
		Domain: func(id warifu.ElementID) (chip.DomainKeys, error) { return chip.DeriveDomainKeys(master, id) },
	})
	must(t, err)
}

// writeConfig writes the configuration as an operator would.
func (tn *town) writeConfig(t *testing.T) {
	t.Helper()
	address := freeAddress(t)
	tn.origin = "http://" + address
	tn.config = filepath.Join(tn.dir, "warifud.toml")
	text := fmt.Sprintf(`
origin = %q
listen = %q
scheme = "badge"
makers = "makers"
log = "info"
[store]
dsn = %q
[keys]
dir = "keys"
passphrase_file = "passphrase"
[authority.signature]
ledger = %q
certificate = %q
[authority.authentication]
ledger = %q
certificate = %q
[cards]
bureau = %q
signature = "cards-signature.cer"
authentication = "cards-authentication.cer"
statement_key = "statement.pem"
[queue]
lease = "4s"
`, tn.origin, address, tn.db.registration, tn.db.ledgers[warifu.Signature], filepath.Join(tn.certs, "signature.cer"),
		tn.db.ledgers[warifu.Authentication], filepath.Join(tn.certs, "authentication.cer"), tn.bureau.BaseURL())
	must(t, os.WriteFile(tn.config, []byte(text), 0o600))
	must(t, os.WriteFile(filepath.Join(tn.dir, "passphrase"), []byte(rand.Text()+"\n"), 0o600))
}

// writeAnchors writes whom the server is to believe.
func (tn *town) writeAnchors(t *testing.T) {
	t.Helper()
	for _, kind := range warifu.Kinds {
		must(t, os.WriteFile(filepath.Join(tn.dir, "cards-"+kind.String()+".cer"), tn.bureau.Authority(kind).Raw, 0o600))
	}
	spki, err := x509.MarshalPKIXPublicKey(tn.bureau.StatementKey())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(tn.dir, "statement.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), 0o600))
	must(t, os.MkdirAll(filepath.Join(tn.dir, "makers"), 0o700))
	var roots []byte
	for _, root := range tn.maker.Roots() {
		roots = append(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})...)
	}
	must(t, os.WriteFile(filepath.Join(tn.dir, "makers", "roots.pem"), roots, 0o600))
}

// freeAddress is a loopback address that is free now, below the range from which the
// system takes ports for outgoing connections: nobody takes it while the server is dead.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 200 {
		n, err := rand.Int(rand.Reader, big.NewInt(16000))
		must(t, err)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12000+n.Int64()))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no free port below 32768")
	return ""
}

// authority is the server's own certification authority of a kind.
func (tn *town) authority(t *testing.T, kind warifu.Kind) *x509.Certificate {
	t.Helper()
	der, err := os.ReadFile(filepath.Join(tn.dir, tn.certs, kind.String()+".cer"))
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c
}

// later opens the server in this process, with its clock some minutes ahead: what waits
// for a time out, a lease or a sweep is due then.
func (tn *town) later(t *testing.T, ahead time.Duration) *server.Server {
	t.Helper()
	config, err := server.ReadConfig(tn.config)
	must(t, err)
	s, err := server.New(t.Context(), config, server.Options{
		Clock: warifu.ClockFunc(func() time.Time { return clock.Now().Add(ahead) }), Log: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	return s
}

// resident is a person with a card, which one phone at a time may tap.
type resident struct {
	tap  sync.Mutex
	id   string
	card *chip.Card
	pins person.PINs
}

// resident returns the n-th generated person, issuing the card at first need.
func (tn *town) resident(n int) (*resident, error) {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	if r := tn.persons[n]; r != nil {
		return r, nil
	}
	p, err := tn.bureau.New(person.Generator{Seed: 2026, Start: tn.bureau.Start()}.Person(n).Record())
	if err != nil {
		return nil, err
	}
	card, err := tn.bureau.Card(p.ID)
	if err != nil {
		return nil, err
	}
	r := &resident{id: p.ID, card: card, pins: p.PINs}
	tn.persons[n] = r
	return r, nil
}
