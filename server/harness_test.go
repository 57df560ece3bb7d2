package server_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/chip"
	"warifu/internal/housetest"
	"warifu/keystore"
	"warifu/sandbox/bureau"
	"warifu/server"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fault checks the slug and that the sentence for it names what is meant.
func fault(t testing.TB, err error, slug string, names ...string) {
	t.Helper()
	e := warifu.ProblemOf(err)
	if e == nil || e.Problem != slug {
		t.Fatalf("got %v, want problem %q", err, slug)
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %q", err, name)
		}
	}
}

// parties are who stands outside a server: one card bureau for all tests of this binary.
type parties struct {
	clock  *housetest.Clock
	bureau *bureau.Bureau
	maker  *chip.Maker
}

var standing = sync.OnceValues(func() (*parties, error) {
	dir, err := os.MkdirTemp("", "warifu-parties-")
	if err != nil {
		return nil, err
	}
	p := &parties{clock: &housetest.Clock{}}
	p.clock.To(housetest.Begin)
	if p.bureau, err = bureau.Open(bureau.Config{Dir: dir, Clock: p.clock, BaseURL: "http://bureau.test/bureau", NewKey: housetest.RSAKeys()}); err != nil {
		return nil, err
	}
	p.maker, err = chip.NewMaker("Google", housetest.Begin)
	return p, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if p, err := standing(); err == nil {
		_ = p.bureau.Close()
	}
	os.Exit(code)
}

// premises are a folder with everything a configuration names.
type premises struct {
	*parties
	dir    string
	config server.Config
}

const passphrase = "correct horse battery staple"

// newPremises writes the anchors of the parties and a configuration beside them.
func newPremises(t *testing.T) *premises {
	t.Helper()
	p, err := standing()
	must(t, err)
	at := &premises{parties: p, dir: t.TempDir()}
	at.anchors(t, at.dir)
	at.write(t, "passphrase", []byte(passphrase+"\n"))
	_, err = keystore.OpenDrawn(at.path("keys"), []byte(passphrase)) // what Argon2id costs is for keystore to test
	must(t, err)
	at.write(t, "warifud.toml", []byte(at.file()))
	at.config, err = server.ReadConfig(at.path("warifud.toml"))
	must(t, err)
	return at
}

// anchors writes what a server believes into a folder.
func (p *parties) anchors(t *testing.T, dir string) {
	t.Helper()
	for _, kind := range warifu.Kinds {
		must(t, os.WriteFile(filepath.Join(dir, "cards-"+kind.String()+".pem"), pemOf("CERTIFICATE", p.bureau.Authority(kind).Raw), 0o600))
	}
	spki, err := x509.MarshalPKIXPublicKey(p.bureau.StatementKey())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "bureau-statement.pem"), pemOf("PUBLIC KEY", spki), 0o600))
	must(t, os.MkdirAll(filepath.Join(dir, "makers"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "makers", "google.pem"), pemOf("CERTIFICATE", p.maker.Root), 0o600))
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func (p *premises) path(name string) string { return filepath.Join(p.dir, name) }

func (p *premises) write(t testing.TB, name string, octets []byte) {
	t.Helper()
	must(t, os.WriteFile(p.path(name), octets, 0o600))
}

// file is a complete configuration with relative paths.
func (p *premises) file() string {
	return `origin = "http://warifu.test"
listen = "127.0.0.1:0"
scheme = "badge"
makers = "makers"
log = "debug"

[store]
dsn = "sqlite:registration.db"

[keys]
dir = "keys"
passphrase_file = "passphrase"

[authority.signature]
ledger = "sqlite:ledger-signature.db"
certificate = "signature.cer"

[authority.authentication]
ledger = "sqlite:ledger-authentication.db"
certificate = "authentication.cer"

[cards]
bureau = "https://bureau.test/bureau"
signature = "cards-signature.pem"
authentication = "cards-authentication.pem"
statement_key = "bureau-statement.pem"
`
}

// furnish migrates and makes the keys.
func (p *premises) furnish(t testing.TB) {
	t.Helper()
	must(t, server.Migrate(t.Context(), p.config, t.Logf))
	must(t, server.Ceremony(p.config, p.clock, t.Logf))
}

// client reaches the bureau without a socket.
func (p *parties) client() *http.Client {
	return &http.Client{Transport: housetest.InProcess{Handler: http.StripPrefix("/bureau", p.bureau.Handler())}, Timeout: 5 * time.Second}
}

// open opens the server.
func (p *premises) open(t testing.TB, o server.Options) *server.Server {
	t.Helper()
	o.Clock, o.Bureau = p.clock, p.client()
	s, err := server.New(t.Context(), p.config, o)
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// files lists every file below the folder with its size and time, to see what changed.
func (p *premises) files(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		i, err := d.Info()
		out[path] = fmt.Sprint(i.Size(), i.ModTime())
		return err
	}))
	return out
}
