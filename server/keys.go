package server

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"warifu"
	"warifu/keystore"
	"warifu/profile"
	"warifu/scheme"
)

// The names of the keys that a ceremony makes.
const (
	keySeal      = "seal"       // key-encryption key of the sealed table
	keyChallenge = "challenge"  // MAC of challenges
	keySSD       = "ssd-master" // supplementary security domain, diversified per chip
	keyNotices   = "notices"    // VAPID (RFC 8292)
)

func keyAuthority(k warifu.Kind) string { return "authority-" + k.String() }
func keySerial(k warifu.Kind) string    { return "serial-" + k.String() }
func keyTicket(k warifu.Kind) string    { return "ticket-" + k.String() } // kill tickets, pinned in chips

// authorityYears is how long an authority's certificate lives (card-facts §2.1).
const authorityYears = 10

// Passphrase reads the key store's passphrase from the configured file or, under
// systemd, from the credential "passphrase".
func (c Config) Passphrase() ([]byte, error) {
	name := c.path(c.Keys.PassphraseFile)
	if name == "" {
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" {
			return nil, warifu.Invalid("configuration-invalid", "faults", "[keys] passphrase_file is missing, and there is no systemd credential")
		}
		name = filepath.Join(dir, "passphrase")
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", err.Error())
	}
	return bytes.TrimRight(b, "\r\n"), nil
}

// Ceremony makes every key that does not exist yet and the two authorities'
// self-signed certificates, and tells what it did, a line each. It never replaces
// a key or a certificate: a second run says that nothing is left to do.
func Ceremony(c Config, clock warifu.Clock, tell func(format string, args ...any)) error {
	s, err := loadScheme(c)
	if err != nil {
		return err
	}
	passphrase, err := c.Passphrase()
	if err != nil {
		return err
	}
	keys, err := keystore.Open(c.path(c.Keys.Dir), passphrase)
	if err != nil {
		return err
	}
	for _, k := range []struct {
		name string
		bits int
	}{{keySeal, 256}, {keyChallenge, 256}, {keySSD, 256}, {keySerial(warifu.Signature), 128}, {keySerial(warifu.Authentication), 128}} {
		if err := once(keys, k.name, tell, func() error { _, err := keys.GenerateSymmetric(k.name, k.bits); return err }); err != nil {
			return err
		}
	}
	for _, name := range []string{keyNotices, keyReports, keyTicket(warifu.Signature), keyTicket(warifu.Authentication)} {
		if err := once(keys, name, tell, func() error { _, err := keys.Generate(name, keystore.P256); return err }); err != nil {
			return err
		}
	}
	if err := webhooksCeremony(keys, tell); err != nil {
		return err
	}
	if err := loginsCeremony(keys, clock, tell); err != nil {
		return err
	}
	if err := reportCeremony(c, keys, tell); err != nil {
		return err
	}
	if err := timestampCeremony(c, keys, clock, tell); err != nil {
		return err
	}
	for _, kind := range warifu.Kinds {
		if err := authorityCeremony(c, s, keys, kind, clock, tell); err != nil {
			return err
		}
	}
	return nil
}

func once(keys *keystore.Store, name string, tell func(string, ...any), generate func() error) error {
	switch has, err := keys.Has(name); {
	case err != nil:
		return err
	case has:
		tell("key %s: there already", name)
		return nil
	}
	if err := generate(); err != nil {
		return err
	}
	tell("key %s: made", name)
	return nil
}

func authorityCeremony(c Config, s *scheme.Scheme, keys *keystore.Store, kind warifu.Kind, clock warifu.Clock, tell func(string, ...any)) error {
	name := keyAuthority(kind)
	if err := once(keys, name, tell, func() error { _, err := keys.Generate(name, s.Algorithm); return err }); err != nil {
		return err
	}
	key, err := keys.Signer(name)
	if err != nil {
		return err
	}
	file := c.path(c.Authority[kind.String()].Certificate)
	_, err = os.Stat(file)
	if err := partitionCeremony(c.Authority[kind.String()], keys, kind, errors.Is(err, fs.ErrNotExist), tell); err != nil {
		return err
	}
	if err == nil {
		tell("certificate %s: there already", filepath.Base(file))
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	serial := make([]byte, 16)
	if _, err := rand.Read(serial); err != nil {
		return err
	}
	serial[0] = serial[0]&0x7F | 0x01
	from := clock.Now().UTC().Truncate(time.Second)
	der, err := profile.PhoneAuthority(kind, c.Organization).SelfSign(key, serial, from, from.AddDate(authorityYears, 0, 0))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := writeWhole(file, der); err != nil {
		return err
	}
	tell("certificate %s: made, valid until %s, SHA-256 %s", filepath.Base(file), from.AddDate(authorityYears, 0, 0).Format("2006-01-02"), warifu.DigestOf(der))
	return nil
}

// writeWhole writes a file that is there whole or not at all, so that a ceremony cut
// off by a full disk or a lost power can be taken up again.
func writeWhole(file string, octets []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(octets)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// readCertificates reads a file of one or more certificates, DER or PEM.
func readCertificates(file string) ([]*x509.Certificate, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", err.Error())
	}
	var out []*x509.Certificate
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, warifu.Invalid("configuration-invalid", "faults", fmt.Sprintf("%s: %v", file, err))
		}
		out, b = append(out, c), rest
	}
	if len(out) > 0 {
		return out, nil
	}
	c, err := x509.ParseCertificate(b)
	if err != nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", fmt.Sprintf("%s: %v", file, err))
	}
	return []*x509.Certificate{c}, nil
}

func readOne(file string) (*x509.Certificate, error) {
	all, err := readCertificates(file)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, warifu.Invalid("configuration-invalid", "faults", file+": one certificate is wanted")
	}
	return all[0], nil
}

// readMakers reads every PEM file of the folder into a pool of attestation roots.
func readMakers(dir string) (*x509.CertPool, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, warifu.Invalid("configuration-invalid", "faults", "makers "+dir+": no .pem file there")
	}
	pool := x509.NewCertPool()
	for _, n := range names {
		all, err := readCertificates(n)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			pool.AddCert(c)
		}
	}
	return pool, nil
}

func readStatementKey(file string) (*ecdsa.PublicKey, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", err.Error())
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", file+": no PEM public key")
	}
	var key crypto.PublicKey
	if key, err = x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", fmt.Sprintf("%s: %v", file, err))
	}
	pub, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, warifu.Invalid("configuration-invalid", "faults", file+": not a P-256 key")
	}
	return pub, nil
}
