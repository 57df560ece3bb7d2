package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/globalplatform"
	"warifu/jpki"
	"warifu/keystore"
	"warifu/sandbox/bureau"
	"warifu/scheme"
)

// house is a warifud of its own, and whoever stands around it: the card bureau, a
// maker of phones. Only warifud is a process apart.
type house struct {
	dir    string
	origin string
	scheme *scheme.Scheme
	bureau *bureau.Bureau
	maker  *chip.Maker
	client *http.Client // keeps its connections
	server *process

	cards     *http.Server
	keys      *keystore.Store
	challenge attest.MAC
	master    globalplatform.Key
	pool      []*rsa.PrivateKey
	drawn     atomic.Int64
	made      int    // applicants issued to so far
	statement func() // called at each card statement asked for; nil for nobody
}

// site says where a house stands and by which rules.
type site struct {
	bin    string // folder of the binaries
	dir    string // of the house, which a database makes durable
	chips  string // of the chips and cards, which need not be durable here
	scheme string // name of a shipped scheme or a file's path
	// serve starts the server; nil starts the binary warifud.
	serve func(config string) (*process, error)
}

const connections = 64 // kept open by the load

// open builds the house up to its ceremony and databases; begin starts its server.
func open(ctx context.Context, at site) (*house, error) {
	h := &house{dir: at.dir, client: newClient(nil)}
	var err error
	if h.scheme, err = readScheme(at.scheme); err != nil {
		return nil, err
	}
	for range 4 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		h.pool = append(h.pool, key)
	}
	if h.maker, err = chip.NewMaker("Bench", time.Now().Add(-time.Hour)); err != nil {
		return nil, err
	}
	if err := h.openBureau(at.chips); err != nil {
		return nil, err
	}
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	h.origin = "http://" + address
	if err := h.configure(address, at.scheme); err != nil {
		return nil, err
	}
	warifud := filepath.Join(at.bin, "warifud")
	for _, command := range []string{"keys", "migrate"} {
		if err := run(ctx, h.dir, warifud, command, "--config", h.config()); err != nil {
			return nil, err
		}
	}
	return h, h.openKeys()
}

func newClient(transport *http.Transport) *http.Client {
	if transport == nil {
		transport = &http.Transport{}
	}
	transport.MaxIdleConnsPerHost, transport.MaxConnsPerHost = connections, connections
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func (h *house) config() string { return filepath.Join(h.dir, "warifud.toml") }

func (h *house) database() string { return filepath.Join(h.dir, "registration.db") }

// nextKey hands out the pool's keys in turn: a card's own key costs a second to make.
func (h *house) nextKey() (*rsa.PrivateKey, error) {
	return h.pool[int(h.drawn.Add(1))%len(h.pool)], nil
}

// openBureau opens the card bureau and serves it.
func (h *house) openBureau(dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h.bureau, err = bureau.Open(bureau.Config{Dir: dir, Clock: warifu.SystemClock{}, BaseURL: "http://" + l.Addr().String() + "/bureau", NewKey: h.nextKey})
	if err != nil {
		return err
	}
	answers := http.StripPrefix("/bureau", h.bureau.Handler())
	h.cards = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers.ServeHTTP(w, r)
		if h.statement != nil && strings.HasSuffix(r.URL.Path, "/statements") {
			h.statement()
		}
	})}
	go func() { _ = h.cards.Serve(l) }()
	return nil
}

// configure writes everything that `warifud --config` reads.
func (h *house) configure(address, rules string) error {
	files := map[string][]byte{"maker/root.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.maker.Root})}
	for _, kind := range warifu.Kinds {
		files["cards-"+kind.String()+".cer"] = h.bureau.Authority(kind).Raw
	}
	public, err := x509.MarshalPKIXPublicKey(h.bureau.StatementKey())
	if err != nil {
		return err
	}
	files["statement.pem"] = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	passphrase := make([]byte, 32)
	if _, err := rand.Read(passphrase); err != nil {
		return err
	}
	files["passphrase"] = []byte(hex.EncodeToString(passphrase) + "\n")
	files["warifud.toml"] = fmt.Appendf(nil, configuration, h.origin, address, rules, h.bureau.BaseURL())
	if err := os.MkdirAll(filepath.Join(h.dir, "maker"), 0o700); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(h.dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

const configuration = `origin = %q
listen = %q
scheme = %q
makers = "maker"
log = "warn"

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
bureau = %q
signature = "cards-signature.cer"
authentication = "cards-authentication.cer"
statement_key = "statement.pem"
`

// openKeys takes from the server's key store what its phones need: challenges are
// made here, outside the clock, and the maker shares the domains' master key.
func (h *house) openKeys() error {
	passphrase, err := os.ReadFile(filepath.Join(h.dir, "passphrase"))
	if err != nil {
		return err
	}
	if h.keys, err = keystore.Open(filepath.Join(h.dir, "keys"), []byte(strings.TrimSpace(string(passphrase)))); err != nil {
		return err
	}
	challenge, err := h.keys.Symmetric("challenge")
	if err != nil {
		return err
	}
	h.challenge = challenge.HMAC
	h.master, err = h.keys.Symmetric("ssd-master")
	return err
}

// begin starts the server and waits until it answers.
func (h *house) begin(ctx context.Context, at site) (err error) {
	if at.serve != nil {
		h.server, err = at.serve(h.config())
	} else {
		h.server, err = start(filepath.Join(at.bin, "warifud"), "serve", "--config", h.config())
	}
	if err != nil {
		return err
	}
	if err := await(ctx, h.client, h.origin+"/readyz"); err != nil {
		return fmt.Errorf("%w\n%s", err, h.server.said())
	}
	return nil
}

// close ends the server and the bureau.
func (h *house) close() {
	if h.server != nil {
		_ = h.server.stop()
		if said := h.server.said(); said != "" {
			fmt.Fprintf(os.Stderr, "warifud said:\n%s\n", said)
		}
	}
	_ = h.cards.Close()
	_ = h.bureau.Close()
}

// elementKeys makes key pairs inside secure elements.
func elementKeys(a jpki.Algorithm) (crypto.Signer, error) {
	if a == jpki.P256 {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

func readScheme(name string) (*scheme.Scheme, error) {
	if s, err := scheme.Shipped(name); err == nil {
		return s, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return scheme.Parse(b)
}
