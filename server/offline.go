package server

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"warifu"
	"warifu/offline"
	"warifu/store"
)

// OfflineConfig says what is published for those who go without a line (package offline).
type OfflineConfig struct {
	// Off is true where no packs and no token status lists are made.
	Off bool `toml:"off"`
	// Every is how often a whole pack is made, as "24h": one hour to ten days. Empty: a day.
	Every time.Duration `toml:"every"`
	// Deltas is how often a delta on it is made, as "1h": one minute to Every. Empty: an hour.
	Deltas time.Duration `toml:"deltas"`
	// Life is how long a pack may be relied upon by whoever sets no bound of their own, as
	// "72h": twice Deltas at least, and thirty days at the most. Empty: three days.
	Life time.Duration `toml:"life"`
}

// settled fills in what was left empty.
func (c OfflineConfig) settled() OfflineConfig {
	for _, f := range []struct {
		at   *time.Duration
		when time.Duration
	}{{&c.Every, offline.DefaultEvery}, {&c.Deltas, offline.DefaultDeltaEvery}, {&c.Life, offline.DefaultLife}} {
		if *f.at == 0 {
			*f.at = f.when
		}
	}
	return c
}

func (c OfflineConfig) faults(must func(bool, string, ...any)) {
	c = c.settled()
	must(c.Every >= time.Hour && c.Every <= 240*time.Hour, "[offline] every is not between 1h and 240h")
	must(c.Deltas >= time.Minute && c.Deltas <= c.Every, "[offline] deltas is not between 1m and every")
	must(c.Life >= 2*c.Deltas && c.Life <= 720*time.Hour, "[offline] life is not between twice deltas and 720h")
}

// packs makes the publisher of an authority's packs, nil where there are to be none.
func (s *Server) packs(a *authority) (*offline.Publisher, error) {
	if s.config.Offline.Off {
		return nil, nil
	}
	serials, err := s.serials(a.kind)
	if err != nil {
		return nil, err
	}
	signer := func() (*x509.Certificate, crypto.Signer, error) {
		d, err := a.delegate.now()
		return d.Certificate, d.Key, err
	}
	c := s.config.Offline.settled()
	p := offline.NewPublisher(a.certificate, packRegister{s.store, a.ledger, a.kind}, signer, serials, s.clock)
	p.Every, p.DeltaEvery, p.Life = c.Every, c.Deltas, c.Life
	p.Progress = s.metrics.observed.going("pack/" + a.kind.String())
	p.StatusLists = s.config.Origin + "/offline/" + a.kind.String() + "/status-list"
	return p, nil
}

// keepPacking makes packs at once and then as they fall due. It goes by itself, since one of
// ten million certificates takes minutes.
func (s *Server) keepPacking(ctx context.Context) {
	var failed time.Time
	round := func() {
		if now := s.clock.Now(); now.Sub(failed) >= packAgain && !s.pack(ctx) {
			failed = now
		}
	}
	round()
	every(ctx, listRound, round)
}

// packAgain is how long after a failure a pack is tried again.
const packAgain = time.Minute

// pack makes what is due and reports whether all of it could be made.
func (s *Server) pack(ctx context.Context) bool {
	all := true
	for _, kind := range warifu.Kinds {
		a := s.authorities[kind]
		if a.packs == nil {
			continue
		}
		s.metrics.observed.begun("pack/" + kind.String())
		made, err := a.packs.Round(ctx)
		s.metrics.observed.finished("pack/"+kind.String(), s.clock.Now())
		s.complain("offline pack", err)
		all = all && err == nil
		if made {
			now := a.packs.Current()
			s.log.Info("offline pack", "authority", kind.String(), "octets", len(now.Full.Octets), "took", now.Took.String())
		}
	}
	return all
}

// packRegister is an authority's record as packs are made of it: what the registration
// authority says of each certificate, and from the ledger every serial number there is,
// also of what is signed and not on record yet.
type packRegister struct {
	store  *store.Store
	ledger *store.Ledger
	kind   warifu.Kind
}

// Number implements offline.Register: packs and revocation lists of an authority are
// numbered together.
func (r packRegister) Number(ctx context.Context, now time.Time) (number uint64, err error) {
	number, _, err = NewRegister(r.store, r.kind, feedPage).Number(ctx, now)
	return number, err
}

// View implements offline.Register.
func (r packRegister) View(ctx context.Context, f func(offline.Census) error) error {
	return r.store.Read(ctx, func(tx *store.Tx) error {
		return f(func(add func(offline.Entry) error) error { return r.census(ctx, tx, add) })
	})
}

// census goes through both books side by side, in order of serial number.
func (r packRegister) census(ctx context.Context, tx *store.Tx, add func(offline.Entry) error) error {
	given := serials{ctx: ctx, ledger: r.ledger}
	err := tx.Known(r.kind, func(known warifu.StatusRecord) error {
		for {
			next, err := given.peek()
			if err != nil {
				return err
			}
			if next == nil || bytes.Compare(known.Serial, next.Serial) < 0 {
				return add(offline.Entry{Serial: known.Serial, Status: known.Status, NotAfter: known.NotAfter}) // the ledger was put back
			}
			given.take()
			if bytes.Equal(known.Serial, next.Serial) {
				return add(offline.Entry{Serial: known.Serial, Status: known.Status, Issued: next.CreatedAt, NotAfter: known.NotAfter})
			}
			if err := r.unlisted(ctx, next, add); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return err
	}
	for {
		next, err := given.peek()
		if err != nil || next == nil {
			return err
		}
		given.take()
		if err := r.unlisted(ctx, next, add); err != nil {
			return err
		}
	}
}

// unlisted hands over what the ledger alone knows: a certificate on its way, or one of the
// authority's own responders, of which every start of a server leaves one behind. They are
// few, and the certificate says when it ends.
func (r packRegister) unlisted(ctx context.Context, given *store.Intended, add func(offline.Entry) error) error {
	e := offline.Entry{Serial: given.Serial, Issued: given.CreatedAt}
	intent, err := r.ledger.Lookup(ctx, given.Serial)
	if err != nil {
		return err
	}
	if intent.Certificate != nil {
		c, err := x509.ParseCertificate(intent.Certificate)
		if err != nil {
			return err
		}
		e.NotAfter = c.NotAfter
	}
	return add(e)
}

// serials reads a ledger's serial numbers page by page.
type serials struct {
	ctx    context.Context //nolint:containedctx // lives as long as the call it belongs to
	ledger *store.Ledger
	page   []store.Intended
	last   []byte
	ended  bool
}

const serialsPage = 4096

// peek returns the next, nil behind the last.
func (s *serials) peek() (*store.Intended, error) {
	if len(s.page) == 0 && !s.ended {
		page, err := s.ledger.Serials(s.ctx, s.last, serialsPage)
		if err != nil {
			return nil, err
		}
		s.page, s.ended = page, len(page) < serialsPage
	}
	if len(s.page) == 0 {
		return nil, nil
	}
	return &s.page[0], nil
}

func (s *serials) take() {
	s.last = s.page[0].Serial
	s.page = s.page[1:]
}

var (
	packAge    = prometheus.NewDesc("warifu_offline_pack_age_seconds", "Age of the newest offline pack or delta, by authority.", []string{"authority"}, nil)
	packSize   = prometheus.NewDesc("warifu_offline_pack_octets", "Size of what can be had for going without a line, by authority and what it is.", []string{"authority", "what"}, nil)
	packMaking = prometheus.NewDesc("warifu_offline_pack_making_seconds", "How long the newest offline pack or delta was in the making, by authority.", []string{"authority"}, nil)
)

// packCollector tells of the packs when the metrics are asked for.
type packCollector struct{ s *Server }

// Describe implements prometheus.Collector.
func (packCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{packAge, packSize, packMaking} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c packCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, a := range c.s.authorities {
		if a.packs == nil || a.packs.Current() == nil {
			continue
		}
		now, kind := a.packs.Current(), a.kind.String()
		gauge(packAge, c.s.clock.Now().Sub(now.Newest().ProducedAt).Seconds(), kind)
		gauge(packMaking, now.Took.Seconds(), kind)
		gauge(packSize, float64(len(now.Full.Octets)), kind, "whole")
		if now.Delta != nil {
			gauge(packSize, float64(len(now.Delta.Octets)), kind, "delta")
		}
		lists := 0
		for _, l := range now.Lists {
			lists += len(l.Octets)
		}
		gauge(packSize, float64(lists), kind, "status lists")
	}
}
