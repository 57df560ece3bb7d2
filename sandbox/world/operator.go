package world

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"log/slog"
	"sync"

	"warifu"
	"warifu/chip"
	"warifu/keystore"
	"warifu/sandbox/folder"
	"warifu/sandbox/handset"
	"warifu/sandbox/maker"
	"warifu/server"
)

// domainMaster is the name, in the server's key store, of the key from which every
// chip's supplementary domain has its own. Operator and makers have shared it once.
const domainMaster = "ssd-master"

// serverConfig is the server's configuration as its operator would write it.
func (w *World) serverConfig() server.Config {
	at := func(name string) string { return w.path("server", name) }
	authority := func(kind warifu.Kind) server.AuthorityConfig {
		return server.AuthorityConfig{Ledger: "sqlite:" + at("ledger-"+kind.String()+".db"), Certificate: at(kind.String() + ".cer")}
	}
	return server.Config{
		Origin: w.Places.Server, Listen: w.doors[doorServer].listener.Addr().String(), Hosts: nil, Scheme: w.Scheme.Name,
		Store: server.StoreConfig{DSN: "sqlite:" + at("registration.db")},
		Keys:  server.KeysConfig{Dir: at("keys"), PassphraseFile: at("passphrase")},
		Authority: map[string]server.AuthorityConfig{
			warifu.Signature.String(): authority(warifu.Signature), warifu.Authentication.String(): authority(warifu.Authentication),
		},
		Cards: server.CardsConfig{
			Bureau: w.Places.Desk + bureauPrefix, Signature: at("cards-signature.cer"),
			Authentication: at("cards-authentication.cer"), StatementKey: at("statement.pem"),
		},
		Operators: server.OperatorsConfig{File: at("operators.toml")},
		Console:   server.ConsoleConfig{Sandbox: true},
		Parties:   server.PartiesConfig{File: at("parties.toml"), Registration: true, AllowPrivate: true},
		Contacts:  server.ContactsConfig{Webhook: w.Places.Desk + "/api/notices", AllowPrivate: true},
		Login:     server.LoginConfig{App: w.Places.Phones + "/approve", Reader: w.Places.Desk + "/reader", Sandbox: true},
		Timestamp: server.TimestampConfig{Certificate: at("timestamp.cer")},
		Makers:    at("makers"), Log: "warn",
	}
}

// ceremony makes the server's passphrase and keys where they are missing.
func (w *World) ceremony() error {
	f, err := w.folder.Sub("server")
	if err != nil {
		return err
	}
	if err := w.makePassphrase(f); err != nil {
		return err
	}
	if err := f.Write("operators.toml", operatorsFile()); err != nil {
		return err
	}
	known, err := server.PartiesFile(parties(w.Places))
	if err != nil {
		return err
	}
	if err := f.Write("parties.toml", known); err != nil {
		return err
	}
	return server.Ceremony(w.serverConfig(), w.Clock, func(format string, args ...any) {
		w.config.Log.Debug("key ceremony", "did", fmt.Sprintf(format, args...))
	})
}

// makePassphrase draws one, and makes the key store that it opens: nobody guesses it, so it
// need not be hashed for long at every start.
func (w *World) makePassphrase(f folder.Folder) error {
	if _, there, err := f.Read("passphrase"); err != nil || there {
		return err
	}
	octets := make([]byte, 32)
	if _, err := rand.Read(octets); err != nil {
		return err
	}
	drawn := hex.EncodeToString(octets)
	if err := f.Write("passphrase", []byte(drawn+"\n")); err != nil {
		return err
	}
	_, err := keystore.OpenDrawn(w.serverConfig().Keys.Dir, []byte(drawn))
	return err
}

// openMaker opens the makers of phones. The master key is looked up when the first
// phone is made.
func (w *World) openMaker() (err error) {
	master := sync.OnceValues(w.domainMaster)
	w.Maker, err = maker.Open(maker.Config{
		Dir: w.path("makers"), Clock: w.Clock, Makers: makersOf(),
		Domain: func(id warifu.ElementID) (chip.DomainKeys, error) {
			key, err := master()
			if err != nil {
				return chip.DomainKeys{}, err
			}
			return chip.DeriveDomainKeys(key, id)
		},
		Apps: []warifu.Digest{handset.AppCertificate},
	})
	return err
}

func (w *World) domainMaster() (*keystore.SymmetricKey, error) {
	c := w.serverConfig()
	passphrase, err := c.Passphrase()
	if err != nil {
		return nil, err
	}
	keys, err := keystore.Open(c.Keys.Dir, passphrase)
	if err != nil {
		return nil, err
	}
	return keys.Symmetric(domainMaster)
}

// openServer hands the server its anchors, brings its databases up and opens it.
func (w *World) openServer(ctx context.Context) error {
	w.config.Tell("world.databases", nil)
	if err := w.writeAnchors(); err != nil {
		return err
	}
	c := w.serverConfig()
	if err := c.Check(); err != nil {
		return err
	}
	err := server.Migrate(ctx, c, func(format string, args ...any) { w.config.Log.Debug(fmt.Sprintf(format, args...)) })
	if err != nil {
		return err
	}
	var faults server.Faults = heard{w.Faults, w.Trace}
	if w.config.Unheard {
		faults = nil
	}
	w.Server, err = server.New(ctx, c, server.Options{
		Clock: w.Clock, Outside: w.config.Real, Log: slog.New(w.config.Log.Handler()), Listener: w.doors[doorServer].listener, Faults: faults,
	})
	return err
}

// writeAnchors writes what the server believes: the card bureau's authorities and
// statement key, the makers' roots.
func (w *World) writeAnchors() error {
	f, err := w.folder.Sub("server")
	if err != nil {
		return err
	}
	for _, kind := range warifu.Kinds {
		if err := f.Write("cards-"+kind.String()+".cer", w.Bureau.Authority(kind).Raw); err != nil {
			return err
		}
	}
	spki, err := x509.MarshalPKIXPublicKey(w.Bureau.StatementKey())
	if err != nil {
		return err
	}
	if err := f.Write("statement.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})); err != nil {
		return err
	}
	makers, err := f.Sub("makers")
	if err != nil {
		return err
	}
	var roots []byte
	for _, root := range w.Maker.Roots() {
		roots = append(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})...)
	}
	return makers.Write("roots.pem", roots)
}
