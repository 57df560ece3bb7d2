package main

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/timestamp"
	"warifu/verify"
)

// known is whom a relying party believes, and what time it is.
type known struct {
	trust  verify.Trust
	stamps timestamp.Anchors
	tsa    string // address of the time-stamping authority; empty where nobody is asked
	clock  warifu.Clock
}

// timestampName is the file, and the address at the server, of the root of time-stamps.
const timestampName = "timestamp.cer"

// anchorName is the file of an authority's certificate.
func anchorName(class profile.Class, kind warifu.Kind) string {
	return class.String() + "-" + kind.String() + ".cer"
}

// anchors reads whom to believe from the folder, or asks the running demo.
func (s *session) anchors(dir, now string) (known, error) {
	var k known
	var err error
	if dir != "" {
		k, err = readAnchors(dir)
	} else {
		k, err = s.askAnchors()
	}
	if err != nil || now == "" {
		return k, err
	}
	fixed, err := past(now, k.clock.Now())
	k.clock = warifu.ClockFunc(func() time.Time { return fixed })
	return k, err
}

// past reads an instant that may lie before now, in the zone of now where it names none.
func past(s string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage(strconv.Quote(s))
}

func (s *session) askAnchors() (known, error) {
	p, err := s.places()
	if err != nil {
		return known{}, err
	}
	k := known{tsa: p.Server + "/tsa"}
	if k.trust, k.clock, err = s.trustAt(p); err != nil {
		return known{}, err
	}
	root, err := s.fetchCertificate(p.Server + "/ca/" + timestampName)
	if err != nil {
		return known{}, err
	}
	k.stamps = timestamp.NewAnchors(root)
	return k, nil
}

// readAnchors takes what is in the folder; what is missing is not believed.
func readAnchors(dir string) (known, error) {
	k := known{clock: warifu.SystemClock{}}
	read := func(name string, use func(*x509.Certificate) error) error {
		der, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return warifu.NotFound("cli-file", "file", name).With(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return warifu.Invalid("cli-file", "file", name).With(err)
		}
		return use(c)
	}
	if _, err := os.Stat(dir); err != nil {
		return k, warifu.NotFound("cli-file", "file", dir).With(err)
	}
	for _, class := range []profile.Class{profile.ClassPhone, profile.ClassCard} {
		for _, kind := range warifu.Kinds {
			if err := read(anchorName(class, kind), func(c *x509.Certificate) error { return k.trust.Add(class, kind, c) }); err != nil {
				return k, err
			}
		}
	}
	return k, read(timestampName, func(c *x509.Certificate) error { k.stamps = timestamp.NewAnchors(c); return nil })
}

// trustCommand saves whom to believe.
type trustCommand struct {
	Dir string `arg:"" help:"The folder to save the authorities' certificates in."`
}

// Run fetches the certificates once, for who will check without a line: compare their
// fingerprints with those the operator publishes.
func (c trustCommand) Run(s *session) error {
	p, err := s.places()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return warifu.Refused("cli-file", "file", c.Dir).With(err)
	}
	addresses := map[string]string{timestampName: p.Server + "/ca/" + timestampName}
	for _, kind := range warifu.Kinds {
		addresses[anchorName(profile.ClassPhone, kind)] = p.Server + "/ca/" + kind.String() + ".cer"
		addresses[anchorName(profile.ClassCard, kind)] = p.Desk + "/bureau/ca/" + kind.String() + ".cer"
	}
	saved := map[string]string{}
	for name, address := range addresses {
		certificate, err := s.fetchCertificate(address)
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(c.Dir, name), certificate.Raw); err != nil {
			return err
		}
		saved[name] = warifu.DigestOf(certificate.Raw).String()
	}
	return s.say(saved, "cli.trust-saved", map[string]string{"dir": filepath.ToSlash(c.Dir)})
}

// trustAt asks the demo for the authorities of phones and cards and for its time.
func (s *session) trustAt(p desk.Places) (verify.Trust, warifu.Clock, error) {
	var trust verify.Trust
	for _, kind := range warifu.Kinds {
		for class, address := range map[profile.Class]string{profile.ClassPhone: p.Server + "/ca/", profile.ClassCard: p.Desk + "/bureau/ca/"} {
			certificate, err := s.fetchCertificate(address + kind.String() + ".cer")
			if err == nil {
				err = trust.Add(class, kind, certificate)
			}
			if err != nil {
				return trust, nil, err
			}
		}
	}
	// Reckoned from before the question: a clock behind the world's would take what it has just said for the future.
	var now desk.Time
	asked := warifu.SystemClock{}.Now()
	if err := doorway.NewClient(p.Desk).Get(s.ctx, "/api/clock", &now); err != nil {
		return trust, nil, err
	}
	ahead := now.Now.Sub(asked)
	return trust, warifu.ClockFunc(func() time.Time { return warifu.SystemClock{}.Now().Add(ahead) }), nil
}

func (s *session) fetchCertificate(address string) (*x509.Certificate, error) {
	var der []byte
	if err := doorway.NewClient(address).Get(s.ctx, "", &der); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
