package server

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"warifu"
	"warifu/profile"
)

// Config is the configuration file (TOML). The comments of its fields are its
// manual. Unknown fields are refused, and so is a half-made file: Check names
// every fault at once. Relative paths are relative to the file.
type Config struct {
	// Origin is the address under which phones and relying parties reach the
	// server, without a path: "https://certificates.example.jp". It is written into
	// certificates (OCSP, CRL and issuer addresses) and cannot be changed afterwards.
	Origin string `toml:"origin"`
	// Listen is the address and port to listen on: "127.0.0.1:8400".
	Listen string `toml:"listen"`
	// Hosts are further Host headers to answer, beside Origin's own: a load balancer's
	// health check, for instance.
	Hosts []string `toml:"hosts"`
	// Proxies says whose word on where a request comes from is believed. It may be left out.
	Proxies ProxiesConfig `toml:"proxies"`
	// Scheme is the policy: the name of a shipped one (jp-mobile, jp-mobile-strict,
	// badge) or the path of a file of your own.
	Scheme string `toml:"scheme"`
	// Organization is the O of your certification authorities. Leave it empty for
	// WARIFU-TEST. It can only be set before the key ceremony.
	Organization string `toml:"organization"`
	// Store is where the registration authority keeps its rows.
	Store StoreConfig `toml:"store"`
	// Keys is where the private keys are.
	Keys KeysConfig `toml:"keys"`
	// Authority holds the two certification authorities, [authority.signature] and
	// [authority.authentication]: each with a ledger of its own.
	Authority map[string]AuthorityConfig `toml:"authority"`
	// Cards is the card bureau: whose cards are believed.
	Cards CardsConfig `toml:"cards"`
	// Timestamp is the time-stamping authority. It may be left out.
	Timestamp TimestampConfig `toml:"timestamp"`
	// Makers is a folder of PEM files: the attestation roots of the secure elements' makers.
	Makers string `toml:"makers"`
	// Devices is a CSV file of device models, read into an empty catalogue at the
	// first start. Leave it empty for the shipped sample list.
	Devices string `toml:"devices"`
	// Notices says how phones are told.
	Notices NoticesConfig `toml:"notices"`
	// Contacts says how the contacts that holders registered are told. It may be left out.
	Contacts ContactsConfig `toml:"contacts"`
	// Operators says who works at the hotline. It may be left out.
	Operators OperatorsConfig `toml:"operators"`
	// Parties says who may have signatures checked at the verification service. It may be left out.
	Parties PartiesConfig `toml:"parties"`
	// Login says where a login's page sends people on the same device. It may be left out.
	Login LoginConfig `toml:"login"`
	// Face is the operator's own name and band around every page. It may be left out.
	Face FaceConfig `toml:"face"`
	// Offline says what is published for those who check without a line. It may be left out.
	Offline OfflineConfig `toml:"offline"`
	// Console is the operators' console, below /console. It may be left out.
	Console ConsoleConfig `toml:"console"`
	// Status says how certificates' status is told. It may be left out.
	Status StatusConfig `toml:"status"`
	// Queue says how work is shared out among servers. It may be left out.
	Queue QueueConfig `toml:"queue"`
	// TLS holds certificate and key of the listener. Without it the server speaks
	// plain HTTP, which is refused on anything but a loopback address.
	TLS TLSConfig `toml:"tls"`
	// Log says how much is logged: "debug", "info" (default), "warn", "error".
	Log string `toml:"log"`

	dir string // of the file, for relative paths
}

// StoreConfig is a database.
type StoreConfig struct {
	// DSN is "sqlite:/var/lib/warifu/registration.db" or "postgres://user@host/name".
	DSN string `toml:"dsn"`
}

// KeysConfig is the key store.
type KeysConfig struct {
	// Dir is the folder of encrypted key files.
	Dir string `toml:"dir"`
	// PassphraseFile holds the passphrase, alone, in one line. Under systemd leave
	// it empty and use LoadCredential=passphrase:…
	PassphraseFile string `toml:"passphrase_file"`
}

// AuthorityConfig is one certification authority.
type AuthorityConfig struct {
	// Ledger is the DSN of the authority's own database, with credentials of its own.
	Ledger string `toml:"ledger"`
	// Certificate is the file of its certificate (DER), made by `warifud keys`.
	Certificate string `toml:"certificate"`
	// Partitions is how many partial revocation lists there are, on one of which each
	// certificate is: 1 to 1024, or 0 for the full list alone; 16 when it is left out. It is
	// fixed when the authority's keys are made: about a thousand certificates that live
	// should be on each.
	Partitions *int `toml:"partitions"`
}

// CardsConfig is the card bureau as this server believes it.
type CardsConfig struct {
	// Bureau is the address of the card bureau: statements are asked for at
	// {bureau}/statements and status at {bureau}/ocsp/{kind}.
	Bureau string `toml:"bureau"`
	// Signature and Authentication are files (DER or PEM) with the certificates of
	// the authorities that certified the cards' two kinds.
	Signature      string `toml:"signature"`
	Authentication string `toml:"authentication"`
	// StatementKey is a PEM file with the public key of the bureau's statements.
	StatementKey string `toml:"statement_key"`
}

// QueueConfig is how work is shared out among the servers of one database.
type QueueConfig struct {
	// Lease is how long a worker may be silent before its jobs are given to another, as
	// "30s": how long after a crash what was in hand waits. It also bounds one batch.
	// Empty: one minute.
	Lease time.Duration `toml:"lease"`
}

// NoticesConfig says how phones are told that something is ready.
type NoticesConfig struct {
	// Subject is a mailto: or https: address for push services to complain to. Empty: no
	// web push, server-sent events only.
	Subject string `toml:"subject"`
	// AllowPrivate lets push go to loopback and private addresses. For tests only.
	AllowPrivate bool `toml:"allow_private"`
}

// ContactsConfig is how registered contacts are told: the server posts each notice to a
// gateway of the operator's, which sends a short message or has somebody ring.
type ContactsConfig struct {
	// Webhook is the gateway's address: "https://messages.example.jp/warifu". Each notice
	// is posted there as JSON {id, occasion, telephone, at, textJa, textEn}; whatever but
	// 2xx is tried again. The id is the same each time and is in Idempotency-Key as well.
	// Empty: contacts are not told, and the notices wait.
	Webhook string `toml:"webhook"`
	// SecretFile holds a token, alone, in one line; it is sent as "Authorization: Bearer".
	SecretFile string `toml:"secret_file"`
	// AllowPrivate lets the gateway have a private or loopback address, or another port
	// than 443.
	AllowPrivate bool `toml:"allow_private"`
}

// OperatorsConfig is who works at the hotline.
type OperatorsConfig struct {
	// File is a TOML file with one [[operator]] for each: name, role (hotline, registrar
	// or auditor) and token_sha256, 64 hexadecimal digits. Empty: there is no hotline.
	File string `toml:"file"`
}

// PartiesConfig is who may have signatures checked here.
type PartiesConfig struct {
	// File is a TOML file with one [[party]] for each relying party: id, name (ja, en),
	// key_sha256, 64 hexadecimal digits, and what it may: attributes, per_minute, per_day,
	// webhooks; and where people log in there [party.client]: redirect_uris, jwks_uri or jwks,
	// scopes, and if wanted sector, birthdate_format, gender_format, loopback_port.
	// `warifud relying-party add` writes an entry. Empty: the verification service answers nobody.
	File string `toml:"file"`
	// Registration lets anybody who reaches the server register a service that people log in
	// to (POST /api/v1/clients, `warifu rp new`), under a name that nobody has checked. For
	// sandboxes and test environments.
	Registration bool `toml:"registration"`
	// Spool is a file in which lines for holders' ledgers wait, sealed, while the database is
	// out of reach: questions are answered meanwhile, and no evidence is kept. Empty: nothing is
	// answered without the database.
	Spool string `toml:"spool"`
	// AllowPrivate lets webhooks go to loopback and private addresses, and to plain HTTP.
	// For tests only.
	AllowPrivate bool `toml:"allow_private"`
}

// TLSConfig is the listener's certificate.
type TLSConfig struct {
	// Certificate and Key are PEM files.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
}

// ReadConfig reads and checks a configuration file. Error: Invalid
// "configuration-invalid", whose parameter "faults" lists everything that is wrong.
func ReadConfig(path string) (Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, warifu.Invalid("configuration-invalid", "faults", err.Error())
	}
	c, err := parseConfig(b)
	if err != nil {
		return Config{}, err
	}
	if c.dir, err = filepath.Abs(filepath.Dir(path)); err != nil {
		return Config{}, err
	}
	return c, c.Check()
}

func parseConfig(b []byte) (Config, error) {
	var c Config
	meta, err := toml.NewDecoder(bytes.NewReader(b)).Decode(&c)
	if err != nil {
		return c, warifu.Invalid("configuration-invalid", "faults", err.Error())
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		names := make([]string, len(unknown))
		for i, k := range unknown {
			names[i] = "unknown field " + k.String()
		}
		return c, warifu.Invalid("configuration-invalid", "faults", strings.Join(names, "; "))
	}
	return c, nil
}

// Check refuses a half-made configuration and names every fault.
func (c Config) Check() error {
	var faults []string
	must := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	u, err := url.Parse(c.Origin)
	must(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.String() == u.Scheme+"://"+u.Host, "origin %q is not scheme://host[:port]", c.Origin)
	host, _, err := net.SplitHostPort(c.Listen)
	must(err == nil, "listen %q is not address:port", c.Listen)
	must(err != nil || isLoopback(host) || c.TLS.Certificate != "", "listen %q is not a loopback address, so [tls] must be set", c.Listen)
	must((c.TLS.Certificate == "") == (c.TLS.Key == ""), "[tls] needs both certificate and key")
	must(c.Scheme != "", "scheme is missing")
	must(c.Store.DSN != "", "[store] dsn is missing")
	must(c.Keys.Dir != "", "[keys] dir is missing")
	for _, k := range warifu.Kinds {
		a := c.Authority[k.String()]
		must(a.Ledger != "", "[authority.%s] ledger is missing", k)
		must(a.Certificate != "", "[authority.%s] certificate is missing", k)
		must(a.wanted() >= 0 && a.wanted() <= profile.MaxPartitions, "[authority.%s] partitions is not between 0 and %d", k, profile.MaxPartitions)
		must(a.Ledger != c.Store.DSN || a.Ledger == "", "[authority.%s] ledger is the registration's own database", k)
	}
	must(len(c.Authority) <= len(warifu.Kinds), "[authority] has more than signature and authentication")
	must(c.Authority["signature"].Ledger == "" || c.Authority["signature"].Ledger != c.Authority["authentication"].Ledger, "both authorities name one ledger")
	bureau, err := url.Parse(c.Cards.Bureau)
	must(err == nil && bureau.Host != "" && (bureau.Scheme == "https" || bureau.Scheme == "http"), "[cards] bureau %q is no address", c.Cards.Bureau)
	must(err != nil || bureau.Scheme != "http" || isLoopback(bureau.Hostname()), "[cards] bureau %q is not on this machine, so it must be https: names and addresses go there", c.Cards.Bureau)
	must(c.Cards.Signature != "" && c.Cards.Authentication != "" && c.Cards.StatementKey != "", "[cards] needs signature, authentication and statement_key")
	must(c.Makers != "", "makers is missing")
	c.Contacts.faults(must)
	c.Proxies.faults(must)
	c.Login.faults(must)
	c.Face.faults(must)
	c.Offline.faults(must)
	c.Console.faults(must, c.Listen, c.Origin)
	c.Status.faults(must, c.Listen)
	must(c.Queue.Lease == 0 || c.Queue.Lease >= time.Second && c.Queue.Lease <= time.Hour, "[queue] lease is not between 1s and 1h")
	must(c.level() != nil, "log %q is none of debug, info, warn, error", c.Log)
	if len(faults) > 0 {
		return warifu.Invalid("configuration-invalid", "faults", strings.Join(faults, "; "))
	}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// path resolves a file name of the configuration.
func (c Config) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

// dsn resolves the file of a SQLite DSN.
func (c Config) dsn(s string) string {
	if name, ok := strings.CutPrefix(s, "sqlite:"); ok {
		return "sqlite:" + c.path(name)
	}
	return s
}
