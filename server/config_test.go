package server_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"warifu/internal/postgrestest"
	"warifu/server"
)

// shipped are the configurations that ship, laid out on this machine: their folders
// moved below a temporary one.
func shipped(t *testing.T, name string) (*premises, string) {
	t.Helper()
	p := newPremises(t)
	b, err := os.ReadFile(filepath.Join("..", "deploy", name))
	must(t, err)
	file := strings.NewReplacer("/etc/warifu", p.dir, "/var/lib/warifu", p.dir).Replace(string(b))
	return p, file
}

func TestShippedConfigurationsAreWhole(t *testing.T) {
	names, err := filepath.Glob("../deploy/*.toml")
	must(t, err)
	if len(names) < 2 {
		t.Fatalf("only %d configurations ship", len(names))
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			_, err := server.ReadConfig(name)
			must(t, err)
		})
	}
}

// The shipped file for SQLite serves, once its folders exist.
func TestShippedConfigurationServes(t *testing.T) {
	p, file := shipped(t, "warifud.toml")
	t.Setenv("CREDENTIALS_DIRECTORY", p.dir) // as systemd does
	p.start(t, file)
}

// So does the one for PostgreSQL, each authority with a database of its own.
func TestShippedConfigurationForPostgreSQLServes(t *testing.T) {
	p, file := shipped(t, "warifud-postgres.toml")
	for _, role := range []string{"registration", "signature", "authentication"} {
		dsn := regexp.MustCompile(`"postgres://warifu_` + role + `@[^"]*"`)
		if !dsn.MatchString(file) {
			t.Fatalf("no database for %s", role)
		}
		file = dsn.ReplaceAllLiteralString(file, `"`+postgrestest.DSN(t)+`"`)
	}
	p.start(t, file)
}

func (p *premises) start(t *testing.T, file string) {
	t.Helper()
	p.write(t, "shipped.toml", []byte(file))
	var err error
	p.config, err = server.ReadConfig(p.path("shipped.toml"))
	must(t, err)
	p.furnish(t)
	s := p.open(t, server.Options{})
	must(t, s.Close())
}

func TestHalfMadeConfigurationNamesEveryFault(t *testing.T) {
	dir := t.TempDir()
	read := func(file string) error {
		path := filepath.Join(dir, "c.toml")
		must(t, os.WriteFile(path, []byte(file), 0o600))
		_, err := server.ReadConfig(path)
		return err
	}
	fault(t, read(""), "configuration-invalid", "origin", "listen", "scheme", "[store] dsn", "[keys] dir",
		"[authority.signature] ledger", "[authority.signature] certificate", "[authority.authentication] ledger", "[cards] bureau", "[cards] needs", "makers")
	fault(t, read("origin = "), "configuration-invalid")
	fault(t, read("colour = \"red\"\n[store]\nflavour = 1\n"), "configuration-invalid", "colour", "store.flavour")
	_, err := server.ReadConfig(filepath.Join(dir, "absent.toml"))
	fault(t, err, "configuration-invalid", "absent.toml")
	p := newPremises(t)
	for what, c := range map[string]struct{ old, new, names string }{
		"an origin with a path":        {`"http://warifu.test"`, `"http://warifu.test/x"`, "origin"},
		"an origin with a name":        {`"http://warifu.test"`, `"http://me@warifu.test"`, "origin"},
		"an origin that is no address": {`"http://warifu.test"`, `"warifu.test"`, "origin"},
		"plain HTTP beyond loopback":   {`"127.0.0.1:0"`, `"0.0.0.0:8400"`, "[tls] must be set"},
		"plain HTTP on every address":  {`"127.0.0.1:0"`, `":8400"`, "[tls] must be set"},
		"half of [tls]":                {`log = "debug"`, "log = \"debug\"\n[tls]\nkey = \"k\"\n", "both certificate and key"},
		"a bureau without encryption":  {`"https://bureau.test/bureau"`, `"http://bureau.test/bureau"`, "must be https"},
		"a bureau that is no address":  {`"https://bureau.test/bureau"`, `"bureau"`, "no address"},
		"one database for two":         {`"sqlite:ledger-signature.db"`, `"sqlite:registration.db"`, "registration's own database"},
		"one ledger for both":          {`"sqlite:ledger-signature.db"`, `"sqlite:ledger-authentication.db"`, "one ledger"},
		"a log level that is none":     {`"debug"`, `"loud"`, "none of debug"},
		"a proxy that is no address":   {`log = "debug"`, "[proxies]", "neither an address"},
		"a proxy that is everybody":    {`log = "debug"`, "[proxies]", "everybody"},
		"a third authority":            {`[cards]`, "[authority.third]\nledger = \"x\"\ncertificate = \"y\"\n[cards]", "more than"},
	} {
		file := strings.Replace(p.file(), c.old, c.new, 1)
		if what == "half of [tls]" {
			file = strings.Replace(p.file(), "\n[store]", "\n[tls]\nkey = \"k\"\n\n[store]", 1)
		}
		if c.new == "[proxies]" {
			file = strings.Replace(p.file(), "\n[store]", "\n[proxies]\ntrusted = [\"10.0.0.0/8\", \"proxy.example\", \"0.0.0.0/0\"]\n\n[store]", 1)
		}
		t.Run(what, func(t *testing.T) { fault(t, read(file), "configuration-invalid", c.names) })
	}
}

// Every field of the configuration is described, and the complete example names it or
// says why not.
func TestEveryFieldIsDescribed(t *testing.T) {
	files, err := filepath.Glob("*.go") // a field stands in the file of its section
	must(t, err)
	var source []byte
	for _, name := range files {
		one, err := os.ReadFile(name)
		must(t, err)
		source = append(source, one...)
	}
	b, err := os.ReadFile("../deploy/warifud.toml")
	must(t, err)
	var example map[string]any
	must(t, toml.Unmarshal(b, &example))
	var walk func(reflect.Type)
	seen := 0
	walk = func(at reflect.Type) {
		for i := range at.NumField() {
			f := at.Field(i)
			name := f.Tag.Get("toml")
			if name == "" {
				continue
			}
			seen++
			if !regexp.MustCompile(`(?m)^\t// (?:\w+(?:,| and) )?` + f.Name + `\b`).Match(source) {
				t.Errorf("%s.%s has no comment", at.Name(), f.Name)
			}
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[server.Config]())
	if seen < 15 {
		t.Errorf("only %d fields seen", seen)
	}
	for _, name := range []string{"origin", "listen", "scheme", "organization", "makers", "devices", "log", "store", "keys", "authority", "cards", "notices", "tls"} {
		if _, ok := example[name]; !ok {
			t.Errorf("deploy/warifud.toml does not show %s", name)
		}
	}
}
