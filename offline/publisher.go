package offline

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
)

const (
	// DefaultEvery is how often a whole pack is made.
	DefaultEvery = 24 * time.Hour
	// DefaultDeltaEvery is how often a delta on it is, or where that is due the next whole one.
	DefaultDeltaEvery = time.Hour
	// DefaultLife is the time from a pack's producedAt to its nextUpdate, where the
	// responder's certificate does not end sooner. How old is too old is the reader's to say.
	DefaultLife = 72 * time.Hour
)

// Entry is one certificate as its authority knows it.
type Entry struct {
	Serial []byte // big-endian without sign octet
	// Status is unknown for a certificate that is not in use: not activated yet, or on its way.
	Status   warifu.Status
	Issued   time.Time // any instant of the day in Japan its notBefore lies in; zero: not known
	NotAfter time.Time // zero: not known, and it has not expired
}

// Census hands every certificate of the authority to add, each once and in any order, and
// stops at add's first error. It may be called again, and then hands over the same
// certificates with the same status; those that were issued in between may be among them.
type Census func(add func(Entry) error) error

// Register is one authority's record of what became of its certificates.
type Register interface {
	// Number takes the next number of a pack, greater than every number taken before by
	// whichever server.
	Number(ctx context.Context, now time.Time) (uint64, error)
	// View calls f with a census of one instant, and returns its error. It may call f again
	// after an error of its own. The census ends with f.
	View(ctx context.Context, f func(Census) error) error
}

// Signer returns what signs now: the responder's certificate and its key.
type Signer func() (*x509.Certificate, crypto.Signer, error)

// Indexer reads the index off a serial number of the authority's own (profile.SerialCipher).
type Indexer interface {
	Index(serial []byte) (uint64, bool)
}

// Publisher makes the packs of one authority and keeps the newest: a whole one, the newest
// delta on it, and the token status lists of the same instant, which are swapped in
// together. What it made is not remembered over a restart: deltas then stand on the first
// pack made after it, and whoever holds an older one sees that and fetches the whole again.
type Publisher struct {
	// Every, DeltaEvery and Life may be changed before use.
	Every, DeltaEvery, Life time.Duration
	// StatusLists is the address of the token status lists, without a slash at the end,
	// under which each has its number. While it is empty none are made.
	StatusLists string
	// Progress is told now and then how many certificates of about how many have been gone through,
	// each twice; all is nought in the first half of the first pack. nil: nobody is told.
	Progress func(done, all int)

	keyer    Keyer
	register Register
	signer   Signer
	indexer  Indexer
	clock    warifu.Clock

	making  sync.Mutex // one round at a time; guards base and counted
	base    *Pack
	counted int // certificates that the last census had
	current atomic.Pointer[Published]
}

// Document is something signed as it is served.
type Document struct {
	Octets                 []byte
	Tag                    string // an entity tag with its quotation marks
	Number                 uint64 // of the pack; 0: none
	ProducedAt, NextUpdate time.Time
}

// Published is what can be had at one moment.
type Published struct {
	Full  Document
	Delta *Document // on Full; nil: nothing newer than Full was made
	Lists []Document
	// Took is how long the newest was in the making.
	Took time.Duration
}

// NewPublisher makes the publisher of an authority; nothing is made before Round. indexer
// is for the token status lists alone.
func NewPublisher(issuer *x509.Certificate, register Register, signer Signer, indexer Indexer, clock warifu.Clock) *Publisher {
	return &Publisher{
		Every: DefaultEvery, DeltaEvery: DefaultDeltaEvery, Life: DefaultLife,
		keyer: NewKeyer(issuer), register: register, signer: signer, indexer: indexer, clock: clock,
	}
}

// Current returns what can be had now, nil before the first round.
func (p *Publisher) Current() *Published { return p.current.Load() }

// errBase is for a base that does not tell the past of this register.
var errBase = errors.New("offline: what was revoked when the base was made is not revoked now")

// Round makes what is due: a whole pack or a delta. It reports whether anything was made.
// On an error what can be had stays so, until its nextUpdate.
func (p *Publisher) Round(ctx context.Context) (made bool, err error) {
	p.making.Lock()
	defer p.making.Unlock()
	now, last := p.clock.Now(), p.current.Load()
	newest := last.Newest()
	if newest != nil && now.Sub(newest.ProducedAt) < p.DeltaEvery && now.Before(newest.NextUpdate) {
		return false, nil
	}
	whole := last == nil || now.Sub(last.Full.ProducedAt) >= p.Every || !now.Before(last.Full.NextUpdate)
	if !whole {
		err = p.publish(ctx, now, p.base)
	}
	if whole || errors.Is(err, errBase) { // a database that was put back, say
		err = p.publish(ctx, now, nil)
	}
	return err == nil, err
}

// Newest returns the delta where there is one and the whole pack otherwise; nil of nil.
func (p *Published) Newest() *Document {
	switch {
	case p == nil:
		return nil
	case p.Delta != nil:
		return p.Delta
	}
	return &p.Full
}

// publish makes a pack on base, or a whole one where base is nil, and swaps it in. It
// needs p.making held.
func (p *Publisher) publish(ctx context.Context, now time.Time, base *Pack) error {
	began := warifu.SystemClock{}.Now() // what it took is no matter of the world's clock
	responder, key, err := p.signer()
	if err != nil {
		return err
	}
	pack := &Pack{Issuer: p.keyer.issuer, ProducedAt: now.UTC().Truncate(time.Second), CoveredTo: coveredTo(now)}
	if base != nil {
		pack.Base = base.Number
	}
	pack.NextUpdate = earlier(pack.ProducedAt.Add(p.Life), responder.NotAfter)
	if pack.Number, err = p.register.Number(ctx, now); err != nil {
		return err
	}
	var of *gathering
	err = p.register.View(ctx, func(census Census) (err error) {
		of, err = p.gather(census, pack, base)
		return err
	})
	if err != nil {
		return err
	}
	octets, err := Sign(pack, responder, key)
	if err != nil {
		return err
	}
	next := &Published{Full: document(octets, pack)}
	if base != nil {
		delta := next.Full
		next.Full, next.Delta = p.current.Load().Full, &delta
	}
	if next.Lists, err = of.lists.sign(p.StatusLists, pack, p.DeltaEvery, responder, key); err != nil {
		return err
	}
	next.Took = warifu.SystemClock{}.Now().Sub(began)
	if base == nil {
		p.base = pack
	}
	p.current.Store(next)
	return nil
}

func document(octets []byte, p *Pack) Document {
	digest := sha256.Sum256(octets)
	return Document{Octets: octets, Tag: `"` + hex.EncodeToString(digest[:]) + `"`, Number: p.Number, ProducedAt: p.ProducedAt, NextUpdate: p.NextUpdate}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
