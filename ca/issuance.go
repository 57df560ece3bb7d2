package ca

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base32"
	"errors"
	"io"
	"math/big"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/profile"
)

// issuance is one certificate on its way: drafted, intended, signed, recorded. It
// stops where err is set.
type issuance struct {
	build    func(serial []byte) (tbs []byte, err error)
	lint     func(tbs []byte) error
	intent   warifu.Intent // proposed, then as it stands in the ledger
	standing bool          // the ledger holds the intent
	signed   []byte        // a certificate that the ledger has not recorded yet
	recorded []byte        // a certificate that it has
	err      error
}

func (w *issuance) outcome() Outcome {
	if w.err != nil {
		return Outcome{Err: w.err}
	}
	return Outcome{Certificate: w.recorded}
}

// prepare checks a request and drafts its certificate.
func (i *Issuer) prepare(r Request) *issuance {
	c, err := i.check(r)
	if err != nil {
		return &issuance{err: err}
	}
	limits := Limits{Issuer: i.config.Certificate, Serials: i.config.Serials, PublicKey: c.key.PublicKey, Attributes: c.attributes, NotAfter: c.notAfter, Point: i.point}
	w := &issuance{
		build:  func(serial []byte) ([]byte, error) { return i.build(c, serial) },
		lint:   func(tbs []byte) error { return i.lint(tbs, limits) },
		intent: warifu.Intent{Kind: i.config.Kind, Document: c.identity, PublicKey: warifu.DigestOf(c.key.PublicKey), CreatedAt: c.now},
	}
	w.err = i.draft(w)
	return w
}

// build makes the to-be-signed octets of a claim.
func (i *Issuer) build(c *claim, serial []byte) ([]byte, error) {
	name, err := i.commonName()
	if err != nil {
		return nil, err
	}
	return i.profile.TBS(profile.EndEntity{
		Serial: serial, PublicKey: c.key.PublicKey, CommonName: name, Attributes: c.attributes,
		NotBefore: i.notBefore(c.now), NotAfter: c.notAfter, Partition: i.config.Partitions.Of(serial),
	}, i.config.Certificate)
}

// draft draws an index, builds the to-be-signed octets and lints them.
func (i *Issuer) draft(w *issuance) (err error) {
	if err = i.number(&w.intent); err != nil {
		return err
	}
	if w.intent.TBS, err = w.build(w.intent.Serial); err != nil {
		return err
	}
	return w.lint(w.intent.TBS)
}

// leastSpace is how many indices there are to draw from at the beginning.
const leastSpace = 1 << 20

// spread is the space that indices are drawn from: four times as many as certificates
// were intended, so that a status set with a bit for each stays small (package status)
// and few draws find their place taken. The ledger is asked again after so many batches.
type spread struct {
	space atomic.Uint64
	drawn atomic.Int64
}

const spreadAge = 64

// widen asks the ledger how far indices go, now and then. While it does not answer, what
// it last said will do.
func (i *Issuer) widen(ctx context.Context) {
	if i.spread.drawn.Add(-1) >= 0 {
		return
	}
	size, err := i.config.Ledger.Size(ctx)
	if err != nil {
		return
	}
	i.spread.space.Store(min(max(leastSpace, 2*uint64(size)), 1<<32)) // two entries a certificate
	i.spread.drawn.Store(spreadAge)
}

// number gives the intent an index at random and the serial number that follows from
// it; the ledger sees to it that none is used twice.
func (i *Issuer) number(intent *warifu.Intent) error {
	index, err := rand.Int(i.config.Random, new(big.Int).SetUint64(max(leastSpace, i.spread.space.Load())))
	if err != nil {
		return err
	}
	intent.Index = index.Uint64()
	intent.Serial = i.config.Serials.Serial(intent.Index)
	return nil
}

// commonName is 24 characters at random: it names nobody and links nothing.
func (i *Issuer) commonName() (string, error) {
	var octets [15]byte
	if _, err := io.ReadFull(i.config.Random, octets[:]); err != nil {
		return "", err
	}
	return base32.StdEncoding.EncodeToString(octets[:]), nil
}

// notBefore is the first instant of the day in Japan, the same for every certificate of
// that day, so that the two of one person are not linked by it; on the authority's own
// first day it is the authority's.
func (i *Issuer) notBefore(now time.Time) time.Time {
	day := startOfDay(now)
	if i.config.Certificate.NotBefore.After(day) {
		return i.config.Certificate.NotBefore
	}
	return day
}

func startOfDay(t time.Time) time.Time {
	y, m, d := t.In(profile.Japan).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, profile.Japan)
}

// draws bounds how often a taken index is drawn anew.
const draws = 24

// intend records the intents of all that passed, drawing a new index where one was
// taken, and adopts what stands in the ledger.
func (i *Issuer) intend(ctx context.Context, work []*issuance) {
	for range draws {
		asking := waiting(work)
		if len(asking) == 0 {
			return
		}
		i.intendOnce(ctx, asking)
	}
	for _, w := range waiting(work) {
		w.err = warifu.Unavailable("serial-space-crowded")
	}
}

// waiting lists those whose intent the ledger does not hold yet.
func waiting(work []*issuance) []*issuance {
	var out []*issuance
	for _, w := range work {
		if w.err == nil && !w.standing {
			out = append(out, w)
		}
	}
	return out
}

func (i *Issuer) intendOnce(ctx context.Context, asking []*issuance) {
	intents := make([]warifu.Intent, len(asking))
	for n, w := range asking {
		intents[n] = w.intent
	}
	results, err := i.config.Ledger.Intend(ctx, intents)
	if err == nil && len(results) != len(intents) {
		err = errors.New("ca: the ledger answered another number of intents")
	}
	for n, w := range asking {
		switch {
		case err != nil:
			w.err = warifu.Unavailable("ledger-unavailable").With(err)
		case errors.Is(results[n].Err, &warifu.Error{Problem: "serial-seen"}):
			w.err = i.draft(w)
		case results[n].Err != nil:
			w.err = results[n].Err
		default:
			w.err = i.adopt(w, results[n].Intent)
		}
	}
}

// adopt takes over the intent as it stands in the ledger: the one proposed, or on a
// retry an earlier one, which is linted like a new one because it is what gets signed.
func (i *Issuer) adopt(w *issuance, standing warifu.Intent) error {
	proposed := w.intent
	if standing.Kind != proposed.Kind || standing.Document != proposed.Document || standing.PublicKey != proposed.PublicKey {
		return mismatch()
	}
	if standing.Certificate == nil && !bytes.Equal(standing.TBS, proposed.TBS) {
		if err := w.lint(standing.TBS); err != nil {
			return err
		}
	}
	if standing.Certificate != nil && !bytes.Contains(standing.Certificate, standing.TBS) {
		return mismatch()
	}
	w.intent, w.standing, w.recorded = standing, true, standing.Certificate
	return nil
}

func mismatch() error {
	return &warifu.Error{Code: warifu.CodeInternal, Problem: "ledger-mismatch"}
}

// sign signs the recorded octets.
func (i *Issuer) sign(w *issuance) {
	if w.err != nil || w.recorded != nil {
		return
	}
	der, err := profile.Sign(w.intent.TBS, i.config.Key)
	if err != nil {
		w.err = warifu.Unavailable("signing-failed").With(err)
		return
	}
	w.signed = der
}

// prove makes sure that what the key makes are signatures: of one certificate in each
// batch, since a key that signs wrongly does so every time, and since checking each
// costs more than twice what signing does. What is recorded can never be replaced, so
// where the one does not hold nothing of the batch is recorded.
func (i *Issuer) prove(work []*issuance) {
	n := slices.IndexFunc(work, func(w *issuance) bool { return w.signed != nil })
	if n < 0 {
		return
	}
	c, err := x509.ParseCertificate(work[n].signed)
	if err == nil {
		err = c.CheckSignatureFrom(i.config.Certificate)
	}
	if err == nil {
		return
	}
	for _, w := range work {
		if w.signed != nil {
			w.signed, w.err = nil, warifu.Unavailable("signing-failed").With(err)
		}
	}
}

// record records what was signed; only then is it anybody's.
func (i *Issuer) record(ctx context.Context, work []*issuance) {
	var certificates []warifu.IssuedCertificate
	for _, w := range work {
		if w.signed != nil {
			certificates = append(certificates, warifu.IssuedCertificate{Serial: w.intent.Serial, Certificate: w.signed})
		}
	}
	if len(certificates) == 0 {
		return
	}
	err := i.config.Ledger.Record(ctx, certificates)
	for _, w := range work {
		switch {
		case w.signed == nil:
		case err != nil:
			w.err = warifu.Unavailable("ledger-unavailable").With(err)
		default:
			w.recorded = w.signed
		}
	}
}

// each calls do for 0 to n−1 on as many cores as there are.
func each(n int, do func(int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for k := range n {
			do(k)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for k := next.Add(1) - 1; k < int64(n); k = next.Add(1) - 1 {
				do(int(k))
			}
		})
	}
	all.Wait()
}
