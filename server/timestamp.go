package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"warifu"
	"warifu/keystore"
	"warifu/profile"
	"warifu/timestamp"
)

// TimestampConfig is the time-stamping authority of RFC 3161, which answers at /tsa.
type TimestampConfig struct {
	// Certificate is the file of its root's certificate (DER), made by `warifud keys`. Empty:
	// this server makes no time-stamps.
	Certificate string `toml:"certificate"`
}

// keyTimestamp is the root of the time-stamps. The keys below it that sign them are made here,
// live in memory and end with the process.
const keyTimestamp = "timestamp-root"

// timestampAccuracy is what a token says of its time: within this of UTC, which is for the
// operator to keep (docs/operators.md).
const timestampAccuracy = time.Second

// timestampCeremony makes the root's key and certificate where they are missing.
func timestampCeremony(c Config, keys *keystore.Store, clock warifu.Clock, tell func(string, ...any)) error {
	if c.Timestamp.Certificate == "" {
		return nil
	}
	if err := once(keys, keyTimestamp, tell, func() error { _, err := keys.Generate(keyTimestamp, keystore.P256); return err }); err != nil {
		return err
	}
	file := c.path(c.Timestamp.Certificate)
	if _, err := os.Stat(file); err == nil {
		tell("certificate %s: there already", filepath.Base(file))
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, err := keys.Signer(keyTimestamp)
	if err != nil {
		return err
	}
	organization := c.Organization
	if organization == "" {
		organization = profile.TestOrganization
	}
	from := clock.Now()
	der, err := timestamp.Root(key, organization, from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := writeWhole(file, der); err != nil {
		return err
	}
	tell("certificate %s: made, valid until %s, SHA-256 %s", filepath.Base(file), from.UTC().AddDate(timestamp.RootYears, 0, 0).Format(time.DateOnly), warifu.DigestOf(der))
	return nil
}

// timestamper is the time-stamping authority of this process. Its key is made at the start
// and once a year, certified by the root, and never leaves the memory: servers of one root need
// no agreement about it, and what is not kept cannot be stolen later to put a date back. While no
// successor can be had the key that stands goes on to its certificate's end.
type timestamper struct {
	root  *x509.Certificate
	keys  *keystore.Store
	from  string // where the root's certificate is to be had
	clock warifu.Clock
	log   *slog.Logger
	count func(answer string)

	mu      sync.Mutex
	current *timestamp.Signer
	tried   time.Time // when a successor was asked for in vain
}

// openTimestamps opens the authority where one is configured. Errors: Invalid
// "configuration-invalid", NotFound "key-unknown" before the ceremony.
func (s *Server) openTimestamps(context.Context) error {
	if s.config.Timestamp.Certificate == "" {
		return nil
	}
	root, err := readOne(s.config.path(s.config.Timestamp.Certificate))
	if err != nil {
		return err
	}
	key, err := s.keys.Signer(keyTimestamp)
	if err != nil {
		return err
	}
	if public, ok := root.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(key.Public()) {
		return warifu.Invalid("configuration-invalid", "faults", "[timestamp] certificate is not that of the key "+keyTimestamp)
	}
	s.timestamps = &timestamper{
		root: root, keys: s.keys, from: s.config.Origin + "/ca/timestamp.cer", clock: s.clock, log: s.log, count: s.metrics.stamped,
	}
	return nil
}

// appointTimestamper has the root certify the first key.
func (s *Server) appointTimestamper(context.Context) error {
	if s.timestamps == nil {
		return nil
	}
	_, err := s.timestamps.now(s.clock.Now())
	return err
}

// now returns who signs at the instant.
func (t *timestamper) now(at time.Time) (*timestamp.Signer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var certificate *x509.Certificate
	if t.current != nil {
		certificate = t.current.Certificate
	}
	if !timestamp.SuccessorDue(certificate, at) {
		return t.current, nil
	}
	serves := certificate != nil && !at.Before(certificate.NotBefore) && at.Before(certificate.NotAfter)
	if serves && at.Sub(t.tried) < appointAgain {
		return t.current, nil
	}
	next, err := t.appoint(at)
	if err != nil {
		t.tried = at
		if !serves {
			return nil, err
		}
		t.log.Error("time-stamps", "what", "no successor yet", "until", certificate.NotAfter.Format(time.RFC3339), "error", err.Error())
		return t.current, nil
	}
	t.current = next
	t.log.Info("time-stamps", "authority", next.Certificate.SerialNumber.Text(16), "until", next.Certificate.NotAfter.Format(time.RFC3339))
	return next, nil
}

// appoint makes a key and certifies it.
func (t *timestamper) appoint(at time.Time) (*timestamp.Signer, error) {
	if at.Before(t.root.NotBefore) || !at.Before(t.root.NotAfter) {
		return nil, warifu.Unavailable("timestamp-root-ended", "at", t.root.NotAfter.UTC().Format(time.RFC3339))
	}
	rootKey, err := t.keys.Signer(keyTimestamp)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := timestamp.Appoint(t.root, rootKey, &key.PublicKey, t.from, at)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &timestamp.Signer{Certificate: certificate, Key: key, Policy: timestamp.Policy, Accuracy: timestampAccuracy}, err
}

// Answer implements web.Timestamper: the DER of a TimeStampResp to the DER of a request, a
// refusal among them.
func (t *timestamper) Answer(request []byte) []byte {
	answer, refused, err := t.answer(request)
	if err == nil {
		t.count("granted")
		return answer
	}
	t.count(warifu.ProblemOf(err).Problem)
	if refused == timestamp.SystemFailure || refused == timestamp.TimeNotAvailable {
		t.log.Error("time-stamps", "what", "no answer", "error", err.Error())
	}
	return timestamp.Refusal(refused)
}

func (t *timestamper) answer(request []byte) ([]byte, timestamp.Failure, error) {
	question, err := timestamp.ParseRequest(request)
	if err != nil {
		return nil, timestamp.FailureOf(err), err
	}
	at := t.clock.Now()
	signer, err := t.now(at)
	if err != nil {
		return nil, timestamp.TimeNotAvailable, err
	}
	serial, err := timestamp.NewSerial()
	if err != nil {
		return nil, timestamp.SystemFailure, err
	}
	answer, err := signer.Answer(question, at, serial)
	if err != nil && warifu.ProblemOf(err).Problem == "timestamp-policy" {
		return nil, timestamp.UnacceptedPolicy, err
	}
	return answer, timestamp.SystemFailure, err
}

// Stamp implements verify.Stamper for the service's own evidence: the same authority,
// without a line.
func (t *timestamper) Stamp(_ context.Context, digest [32]byte) ([]byte, error) {
	at := t.clock.Now()
	signer, err := t.now(at)
	if err != nil {
		return nil, err
	}
	serial, err := timestamp.NewSerial()
	if err != nil {
		return nil, err
	}
	t.count("granted")
	return signer.Token(&timestamp.Request{Imprint: digest, Certificates: true}, at, serial)
}
