package server

import (
	"bytes"
	"context"
	"crypto/x509"

	"warifu"
	"warifu/ledger"
	"warifu/profile"
	"warifu/verification"
	"warifu/verify"
)

// openVerification opens the desk for relying parties over what stands below it.
func (s *Server) openVerification(context.Context) error {
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
		Store: s.store, Ledger: s.ledger, Scheme: s.scheme, Clock: s.clock, Log: s.log, Origin: s.config.Origin, Hooks: hooks, Spool: late,
		Verifier: verify.New(believed, s.statusChecker(own), s.clock).WithHistory(history).WithTimestamps(anchors),
		Sources:  verify.Sources{OCSP: own, History: history, Stamper: stamper},
	})
	s.directory.OnChange(s.appointParties)
	s.appointParties()
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

// followParties reads the file of relying parties again, as followOperators does, and what
// developers registered at other servers.
func (s *Server) followParties(ctx context.Context) {
	s.complain("registered clients", s.directory.Reload(ctx))
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
