package lineartest_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // to read serial numbers past the store
	_ "modernc.org/sqlite"

	"warifu"
	"warifu/chip"
	"warifu/globalplatform"
	"warifu/internal/housetest"
	"warifu/keystore"
	"warifu/sandbox/bureau"
	"warifu/scheme"
	"warifu/server"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cardKeys are the RSA keys of all cards: nothing here is about them.
var cardKeys = sync.OnceValues(func() ([]*rsa.PrivateKey, error) {
	keys := make([]*rsa.PrivateKey, 3)
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, err
		}
	}
	return keys, nil
})

// town is one or more servers of one database, as package server wires them, each on a
// port of its own, and what stands around them.
type town struct {
	dir    string
	ticks  *ticks
	clock  *clock
	scheme *scheme.Scheme
	bureau *bureau.Bureau
	maker  *chip.Maker
	master globalplatform.Key
	books  *sql.DB
	sites  []site
	cas    map[warifu.Kind]*x509.Certificate
	drawn  atomic.Int64

	mu     sync.Mutex
	logged strings.Builder
}

// site is one server: its handler, and where it listens.
type site struct {
	handler http.Handler
	base    string
}

const passphrase = "four eyes see more than two"

// origin is the servers' name; it is in their certificates and is never dialled.
const origin = "http://warifu.test"

// build stands a town up on the databases, with so many servers.
func build(t *testing.T, servers int, dsn func(name string) string) *town {
	t.Helper()
	tn := &town{dir: memoryDir(t), ticks: &ticks{}, cas: map[warifu.Kind]*x509.Certificate{}}
	tn.clock = newClock(tn.ticks, housetest.Begin)
	var err error
	tn.scheme, err = scheme.Shipped("badge")
	must(t, err)
	tn.bureau, err = bureau.Open(bureau.Config{Dir: filepath.Join(tn.dir, "bureau"), Clock: tn.clock, BaseURL: "http://bureau.test/bureau", NewKey: tn.cardKey})
	must(t, err)
	t.Cleanup(func() { must(t, tn.bureau.Close()) })
	tn.maker, err = chip.NewMaker("Google", tn.clock.Now().Add(-time.Hour))
	must(t, err)
	tn.configure(t, dsn)
	first, quiet := tn.config(t), func(string, ...any) {}
	must(t, server.Migrate(t.Context(), first, quiet))
	must(t, server.Ceremony(first, tn.clock, quiet))
	tn.readKeys(t)
	for range servers {
		tn.serve(t)
	}
	tn.books = openBare(t, dsn("registration"))
	return tn
}

// memoryDir is in memory where the machine has such a place: nothing here tests the disk.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "warifu-linear-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (tn *town) cardKey() (*rsa.PrivateKey, error) {
	keys, err := cardKeys()
	if err != nil {
		return nil, err
	}
	return keys[int(tn.drawn.Add(1))%len(keys)], nil
}

// operatorsOf is how many operators there are; each may look up six times a minute.
const operatorsOf = 32

func token(n int) string { return fmt.Sprintf("token-of-operator-%d", n) }

func (tn *town) configure(t *testing.T, dsn func(name string) string) {
	t.Helper()
	var operators strings.Builder
	for n := range operatorsOf {
		fmt.Fprintf(&operators, "[[operator]]\nname = \"operator-%d\"\nrole = \"registrar\"\ntoken_sha256 = \"%s\"\n", n, warifu.DigestOf([]byte(token(n))))
	}
	spki, err := x509.MarshalPKIXPublicKey(tn.bureau.StatementKey())
	must(t, err)
	must(t, os.MkdirAll(filepath.Join(tn.dir, "makers"), 0o700))
	for name, content := range map[string][]byte{
		"makers/google.pem":        pemOf("CERTIFICATE", tn.maker.Root),
		"bureau-statement.pem":     pemOf("PUBLIC KEY", spki),
		"cards-signature.pem":      pemOf("CERTIFICATE", tn.bureau.Authority(warifu.Signature).Raw),
		"cards-authentication.pem": pemOf("CERTIFICATE", tn.bureau.Authority(warifu.Authentication).Raw),
		"passphrase":               []byte(passphrase + "\n"),
		"operators.toml":           []byte(operators.String()),
		"warifud.toml":             fmt.Appendf(nil, configuration, origin, dsn("registration"), dsn("signature"), dsn("authentication")),
	} {
		must(t, os.WriteFile(filepath.Join(tn.dir, name), content, 0o600))
	}
	_, err = keystore.OpenDrawn(filepath.Join(tn.dir, "keys"), []byte(passphrase)) // each of the servers opens it
	must(t, err)
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

const configuration = `origin = %q
listen = "127.0.0.1:0"
hosts = ["127.0.0.1"]
scheme = "badge"
makers = "makers"
log = "error"

[store]
dsn = %q

[keys]
dir = "keys"
passphrase_file = "passphrase"

[authority.signature]
ledger = %q
certificate = "signature.cer"

[authority.authentication]
ledger = %q
certificate = "authentication.cer"

[cards]
bureau = "https://bureau.test/bureau"
signature = "cards-signature.pem"
authentication = "cards-authentication.pem"
statement_key = "bureau-statement.pem"

[operators]
file = "operators.toml"
`

func (tn *town) config(t *testing.T) server.Config {
	t.Helper()
	c, err := server.ReadConfig(filepath.Join(tn.dir, "warifud.toml"))
	must(t, err)
	return c
}

// readKeys takes from the servers' key store and folder what phones and askers need.
func (tn *town) readKeys(t *testing.T) {
	t.Helper()
	keys, err := keystore.Open(filepath.Join(tn.dir, "keys"), []byte(passphrase))
	must(t, err)
	tn.master, err = keys.Symmetric("ssd-master")
	must(t, err)
	for _, kind := range warifu.Kinds {
		octets, err := os.ReadFile(filepath.Join(tn.dir, kind.String()+".cer"))
		must(t, err)
		if block, _ := pem.Decode(octets); block != nil {
			octets = block.Bytes
		}
		tn.cas[kind], err = x509.ParseCertificate(octets)
		must(t, err)
	}
}

// serve starts one server, with its queue and its housekeeping, until the test ends.
func (tn *town) serve(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	serving := make(chan struct{})
	cards := &http.Client{Transport: housetest.InProcess{Handler: http.StripPrefix("/bureau", tn.bureau.Handler())}}
	s, err := server.New(t.Context(), tn.config(t), server.Options{
		Clock: tn.clock, Bureau: cards, Listener: listener, Log: slog.New(slog.NewTextHandler(tn, &slog.HandlerOptions{Level: slog.LevelError})), OnServing: func(net.Addr) { close(serving) },
	})
	must(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		must(t, <-ended)
	})
	<-serving
	tn.sites = append(tn.sites, site{s.Handler(), "http://" + listener.Addr().String()})
}

// Write implements io.Writer: it keeps what the servers log of level error.
func (tn *town) Write(p []byte) (int, error) {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return tn.logged.Write(p)
}

// complaints are what the servers have logged since it was last asked.
func (tn *town) complaints() string {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	defer tn.logged.Reset()
	return tn.logged.String()
}

// openBare opens a database past the store, as an operator with a shell would.
func openBare(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver, name := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, name)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// serials are the serial numbers of an application's certificates.
func (tn *town) serials(id string) (map[warifu.Kind][]byte, error) {
	rows, err := tn.books.Query(`SELECT kind, serial FROM credentials WHERE application = $1`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[warifu.Kind][]byte{}
	for rows.Next() {
		var kind warifu.Kind
		var serial []byte
		if err := rows.Scan(&kind, &serial); err != nil {
			return nil, err
		}
		out[kind] = serial
	}
	return out, rows.Err()
}
