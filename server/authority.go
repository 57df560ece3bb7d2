package server

import (
	"context"
	"crypto/x509"
	"errors"

	"warifu"
	"warifu/ca"
	"warifu/crl"
	"warifu/offline"
	"warifu/profile"
	"warifu/status"
	"warifu/store"
)

// authority is one certification authority with its ledger, and what tells the
// world about its certificates.
type authority struct {
	kind        warifu.Kind
	certificate *x509.Certificate
	ledger      *store.Ledger
	issuer      *ca.Issuer
	delegate    *delegate
	responder   *status.Responder
	publisher   *status.Publisher
	historian   *status.Historian
	packs       *offline.Publisher // nil: there are none
}

// openAuthorities opens both authorities. Each checks evidence by itself, against
// the anchors of this configuration.
func (s *Server) openAuthorities(ctx context.Context) error {
	t, err := s.readTrust()
	if err != nil {
		return err
	}
	for _, kind := range warifu.Kinds {
		a, err := s.openAuthority(ctx, kind, t)
		if err != nil {
			return err
		}
		s.authorities[kind] = a
	}
	s.metrics.registry.MustRegister(packCollector{s})
	return nil
}

func (s *Server) openAuthority(ctx context.Context, kind warifu.Kind, t *trust) (*authority, error) {
	c := s.config.Authority[kind.String()]
	certificate, err := readOne(s.config.path(c.Certificate))
	if err != nil {
		return nil, err
	}
	key, err := s.keys.Signer(keyAuthority(kind))
	if err != nil {
		return nil, err
	}
	serials, err := s.serials(kind)
	if err != nil {
		return nil, err
	}
	challenge, err := s.keys.Symmetric(keyChallenge)
	if err != nil {
		return nil, err
	}
	seal, err := s.keys.Symmetric(keySeal)
	if err != nil {
		return nil, err
	}
	ledger, err := store.OpenLedger(ctx, s.config.dsn(c.Ledger), seal)
	if err != nil {
		return nil, err
	}
	partitions, err := s.partitions(kind)
	if err != nil {
		return nil, errors.Join(err, ledger.Close())
	}
	a := &authority{kind: kind, certificate: certificate, ledger: ledger}
	a.issuer, err = ca.New(ca.Config{
		Kind: kind, Certificate: certificate, Key: key, Ledger: ledger, Clock: s.clock, Scheme: s.scheme, Endpoints: s.endpoints(kind),
		Cards: t.cards, Makers: t.makers, StatementKey: t.statement, Challenge: challenge.HMAC, Serials: serials, Partitions: partitions,
	})
	if err != nil {
		_ = ledger.Close()
		return nil, err
	}
	a.delegate = &delegate{issuer: a.issuer, clock: s.clock, log: s.log}
	if a.packs, err = s.packs(a); err != nil {
		_ = ledger.Close()
		return nil, err
	}
	s.publish(a, partitions)
	return a, nil
}

// appointResponders has each authority certify its responder's key.
func (s *Server) appointResponders(context.Context) error {
	for _, a := range s.authorities {
		if _, err := a.delegate.now(); err != nil {
			return err
		}
	}
	return nil
}

// publish makes the responder, the historian and the lists of an authority.
func (s *Server) publish(a *authority, partitions profile.Partitions) {
	var statuses status.Source = source{s.store}
	if s.statuses != nil {
		statuses = s.statuses
	}
	a.responder = status.NewResponder(a.kind, a.certificate, statuses, a.delegate.now, s.clock)
	a.responder.Count, a.responder.Cache = s.metrics.answered(a.kind), s.answers
	a.historian = status.NewHistorian(a.kind, a.certificate, source{s.store}, a.delegate.now, s.clock)
	a.historian.Count = s.metrics.answered(a.kind)
	sign := func(_ context.Context, list *crl.Draft) error { return a.issuer.SignCRL(list) }
	a.publisher = status.NewPublisher(a.kind, sign, NewRegister(s.store, a.kind, feedPage), s.clock)
	a.publisher.Freshest = s.config.Origin + "/crl/" + a.kind.String() + "-delta.crl"
	a.publisher.Room = newRoom
	a.publisher.Progress = s.metrics.observed.going("list/" + a.kind.String())
	endpoints := s.endpoints(a.kind)
	endpoints.Partitions = partitions.Len()
	a.publisher.Partitions, a.publisher.Points = partitions, endpoints.Point
}

func (s *Server) serials(kind warifu.Kind) (ca.SerialCipher, error) {
	key, err := s.keys.Symmetric(keySerial(kind))
	if err != nil {
		return ca.SerialCipher{}, err
	}
	return profile.NewSerialCipher(byte(kind), key.Block())
}

// endpoints are the addresses written into an authority's certificates.
func (s *Server) endpoints(kind warifu.Kind) profile.Endpoints {
	o := s.config.Origin
	return profile.Endpoints{
		OCSP: o + "/ocsp/" + kind.String(), CRL: o + "/crl/" + kind.String() + ".crl", Issuer: o + "/ca/" + kind.String() + ".cer",
	}
}
