package server

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"os"

	"github.com/BurntSushi/toml"

	"warifu"
	"warifu/ledger"
	"warifu/profile"
	"warifu/verification"
	"warifu/verify"
)

// openVerification opens the desk for relying parties over what stands below it.
func (s *Server) openVerification(context.Context) error {
	parties, err := s.config.parties()
	if err != nil {
		return err
	}
	t, err := s.readTrust()
	if err != nil {
		return err
	}
	believed, own, err := s.believed(t)
	if err != nil {
		return err
	}
	hooks, err := s.hooks()
	if err != nil {
		return err
	}
	late, err := s.spool()
	if err != nil {
		return err
	}
	s.ledger = ledger.New(s.store, s.scheme.LedgerKeep, s.clock)
	history := verification.OwnHistory{Own: own}
	stamper, anchors := s.stamper()
	s.desk = verification.New(verification.Config{
		Store: s.store, Ledger: s.ledger, Scheme: s.scheme, Clock: s.clock, Parties: parties, Log: s.log, Origin: s.config.Origin, Hooks: hooks, Spool: late,
		Verifier: verify.New(believed, own, s.clock).WithHistory(history).WithTimestamps(anchors),
		Sources:  verify.Sources{OCSP: own, History: history, Stamper: stamper},
	})
	return nil
}

// believed is whom relying parties are answered about: cards and our own phones.
func (s *Server) believed(t *trust) (verify.Trust, verification.Own, error) {
	var out verify.Trust
	own := verification.Own{Cards: s.bureau.Status}
	for _, kind := range warifu.Kinds {
		for _, authority := range t.cards[kind] {
			if err := out.Add(profile.ClassCard, kind, authority); err != nil {
				return out, own, err
			}
		}
		a := s.authorities[kind]
		if err := out.Add(profile.ClassPhone, kind, a.certificate); err != nil {
			return out, own, err
		}
		own.Authorities = append(own.Authorities, verification.Authority{Certificate: a.certificate, Responder: a.responder, Historian: a.historian})
	}
	own.Kind = func(issuer *x509.Certificate) (warifu.Kind, bool) {
		for kind, authorities := range t.cards {
			for _, a := range authorities {
				if bytes.Equal(a.Raw, issuer.Raw) {
					return kind, true
				}
			}
		}
		return 0, false
	}
	return out, own, nil
}

// followParties reads the file of relying parties again, as followOperators does.
func (s *Server) followParties() {
	now, err := s.config.parties()
	if err != nil {
		s.complain("relying parties", err)
		return
	}
	s.desk.SetParties(now)
}

// partyEntry is one relying party as the file has it.
type partyEntry struct {
	ID         string      `toml:"id"`
	Name       ledger.Name `toml:"name"`
	Key        string      `toml:"key_sha256"`
	Attributes []string    `toml:"attributes,omitempty"`
	PerMinute  int         `toml:"per_minute,omitempty"`
	PerDay     int         `toml:"per_day,omitempty"`
	Webhooks   int         `toml:"webhooks,omitempty"`
}

type partiesFile struct {
	Party []partyEntry `toml:"party"`
}

// parties reads the configured file.
func (c Config) parties() (verification.Parties, error) {
	if c.Parties.File == "" {
		return verification.Parties{}, nil
	}
	b, err := os.ReadFile(c.path(c.Parties.File))
	if err != nil {
		return verification.Parties{}, warifu.Invalid("configuration-invalid", "faults", "[parties] file: "+err.Error())
	}
	return parseParties(b)
}

// parseParties reads a file of relying parties.
func parseParties(b []byte) (verification.Parties, error) {
	invalid := func(fault string) error {
		return warifu.Invalid("configuration-invalid", "faults", "[parties] file: "+fault)
	}
	var file partiesFile
	meta, err := toml.NewDecoder(bytes.NewReader(b)).Decode(&file)
	if err != nil {
		return verification.Parties{}, invalid("it is no TOML that is understood")
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return verification.Parties{}, invalid("unknown field " + unknown[0].String())
	}
	list := make([]verification.Party, len(file.Party))
	for i, e := range file.Party {
		p := verification.Party{ID: e.ID, Name: e.Name, PerMinute: e.PerMinute, PerDay: e.PerDay, Webhooks: e.Webhooks}
		digest, err := hex.DecodeString(e.Key)
		if err != nil || len(digest) != len(p.Key) {
			return verification.Parties{}, invalid("key_sha256 of " + e.ID + " is not 64 hexadecimal digits")
		}
		copy(p.Key[:], digest)
		if p.Attributes, err = verification.ParseAttributes(e.Attributes); err != nil {
			return verification.Parties{}, invalid("attributes of " + e.ID)
		}
		list[i] = p
	}
	return verification.NewParties(list)
}

// Desk is the verification service, for the sandbox and for tests.
func (s *Server) Desk() *verification.Desk { return s.desk }

// sweepVerifications forgets what the scheme keeps no longer, and renews evidence in time.
func (s *Server) sweepVerifications(ctx context.Context) {
	lines, err := s.ledger.Purge(ctx)
	s.complain("ledgers", err)
	verifications, err := s.desk.Purge(ctx)
	s.complain("verifications", err)
	_, err = s.desk.PurgeListings(ctx)
	s.complain("questions of marketplaces", err)
	renewed, err := s.desk.Renew(ctx)
	s.complain("evidence", err)
	if lines+verifications+renewed > 0 {
		s.log.Info("verifications were swept", "ledger lines purged", lines, "verifications purged", verifications, "evidence renewed", renewed)
	}
}

// spool is where entries wait while the database is away; nil where none is configured.
func (s *Server) spool() (verification.Spool, error) {
	if s.config.Parties.Spool == "" {
		return nil, nil
	}
	seal, err := s.keys.Symmetric(keySeal)
	return &lateEntries{file: s.config.path(s.config.Parties.Spool), seal: seal}, err
}
