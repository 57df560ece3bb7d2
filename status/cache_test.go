package status_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/binary"
	"errors"
	"math/big"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/ocsp"
	"warifu/status"
)

// counted is how often something was signed.
type counted struct{ signed atomic.Int64 }

// every is a source that knows every serial number of four octets or more, by what it was told.
type every struct {
	mu    sync.Mutex
	other map[string]warifu.Status
	err   error
	asked func()
	age   time.Duration
}

func (e *every) Status(_ context.Context, kind warifu.Kind, serial []byte) (warifu.StatusRecord, bool, error) {
	e.mu.Lock()
	s, told := e.other[string(serial)]
	err := e.err
	e.mu.Unlock()
	if e.asked != nil {
		e.asked()
	}
	if !told {
		s = warifu.Status{Cert: warifu.StatusGood}
	}
	return warifu.StatusRecord{Kind: kind, Serial: serial, Status: s}, true, err
}

func (e *every) Age() time.Duration { return e.age }

func (e *every) tell(serial []byte, s warifu.Status) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.other == nil {
		e.other = map[string]warifu.Status{}
	}
	e.other[string(serial)] = s
}

// keeper is a responder with a cache, its parts within reach.
type keeper struct {
	*status.Responder
	source *every
	key    *counted
	cache  *status.Cache
	at     time.Time
	signer party
}

func (k *counted) count() int64 { return k.signed.Load() }

func newKeeper(octets int) *keeper {
	w := world()
	k := &keeper{source: &every{}, key: &counted{}, cache: status.NewCache(octets), at: now, signer: w.responder}
	delegate := func() (status.Delegate, error) {
		return status.Delegate{Certificate: k.signer.certificate, Key: signing{k.key, k.signer.key}}, nil
	}
	k.Responder = status.NewResponder(warifu.Signature, w.ca.certificate, k.source, delegate, warifu.ClockFunc(func() time.Time { return k.at }))
	k.Cache = k.cache
	return k
}

func (k *keeper) ask(t testing.TB, h crypto.Hash, serial []byte) ocsp.Single {
	t.Helper()
	id := ocsp.NewCertID(h, world().ca.certificate, new(big.Int).SetBytes(serial))
	r, err := ocsp.ParseResponse(k.Answer(t.Context(), ask(t, []ocsp.CertID{id}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(world().ca.certificate, k.at); err != nil {
		t.Fatal(err)
	}
	s, err := r.Find(world().ca.certificate, new(big.Int).SetBytes(serial))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(s.CertID.IssuerNameHash, id.IssuerNameHash) {
		t.Fatalf("asked by %v, answered otherwise", h)
	}
	return s
}

func TestAKeptAnswerIsSignedOnce(t *testing.T) {
	k := newKeeper(1 << 20)
	for range 3 {
		if s := k.ask(t, crypto.SHA256, serial(1)); s.Status.Cert != warifu.StatusGood {
			t.Fatal(s)
		}
	}
	if k.key.count() != 1 || k.cache.Len() != 1 {
		t.Errorf("%d signatures, %d kept", k.key.count(), k.cache.Len())
	}
	k.ask(t, crypto.SHA1, serial(1)) // another form is another answer
	if k.key.count() != 2 || k.cache.Len() != 2 {
		t.Errorf("%d signatures, %d kept", k.key.count(), k.cache.Len())
	}
}

// TestAnAnswerToANonceIsNeverKept: RFC 9654.
func TestAnAnswerToANonceIsNeverKept(t *testing.T) {
	k := newKeeper(1 << 20)
	for i := range 3 {
		nonce := []byte{1, byte(i)}
		r, err := ocsp.ParseResponse(k.Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA256, 1)}, nonce)))
		if err != nil || !bytes.Equal(r.Nonce, nonce) {
			t.Fatal(err)
		}
	}
	k.Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA256, 1), certID(crypto.SHA256, 2)}, nil))
	if k.cache.Len() != 0 || k.key.count() != 4 {
		t.Errorf("%d kept, %d signatures", k.cache.Len(), k.key.count())
	}
}

func TestWhatIsUnknownIsNeverKept(t *testing.T) {
	k := newKeeper(1 << 20)
	k.source.tell(serial(1), warifu.Status{})
	for range 2 {
		if s := k.ask(t, crypto.SHA256, serial(1)); s.Status.Cert != warifu.StatusUnknown {
			t.Fatal(s)
		}
	}
	k.source.tell(serial(1), good)
	if s := k.ask(t, crypto.SHA256, serial(1)); s.Status.Cert != warifu.StatusGood || k.key.count() != 3 || k.cache.Len() != 1 {
		t.Errorf("%v, %d signatures", s, k.key.count())
	}
}

// TestNoKeptAnswerOutlivesAChange: neither when the cache is told, nor when it is not yet.
func TestNoKeptAnswerOutlivesAChange(t *testing.T) {
	for _, told := range []bool{true, false} {
		k := newKeeper(1 << 20)
		for _, want := range []warifu.Status{good, revoked(warifu.ReasonCertificateHold, now), good, revoked(warifu.ReasonCertificateHold, now.Add(time.Second)),
			revoked(warifu.ReasonKeyCompromise, now.Add(time.Second))} {
			k.source.tell(serial(1), want)
			if told {
				k.cache.Invalidate(warifu.Signature, serial(1))
				if k.cache.Len() != 0 {
					t.Error("what was invalidated is still there")
				}
			}
			for range 2 {
				if s := k.ask(t, crypto.SHA256, serial(1)); s.Status != want {
					t.Errorf("told %v: %+v, want %+v", told, s.Status, want)
				}
			}
		}
		if k.key.count() != 5 {
			t.Errorf("%d signatures", k.key.count())
		}
		k.source.err = errDown // a source that does not know any more
		if got := refusal(k.Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA256, 1)}, nil))); got != "tryLater" {
			t.Errorf("cut off, a kept answer was given: %q", got)
		}
	}
}

func TestAKeptAnswerIsSignedAnewBeforeMaxAgeIsOver(t *testing.T) {
	k := newKeeper(1 << 20)
	first := k.ask(t, crypto.SHA256, serial(1))
	k.at = now.Add(status.MaxAge - time.Second)
	if s := k.ask(t, crypto.SHA256, serial(1)); !s.ThisUpdate.Equal(first.ThisUpdate) || !s.NextUpdate.Equal(now.Add(status.DefaultAnswerLife)) {
		t.Errorf("signed too early: %v", s.ThisUpdate)
	}
	k.at = now.Add(status.MaxAge)
	if s := k.ask(t, crypto.SHA256, serial(1)); !s.ThisUpdate.Equal(k.at) || !s.NextUpdate.Equal(k.at.Add(status.DefaultAnswerLife)) {
		t.Errorf("%v old", k.at.Sub(s.ThisUpdate))
	}
	k.at = now // the clock was wrong and is put back
	if s := k.ask(t, crypto.SHA256, serial(1)); !s.ThisUpdate.Equal(now) {
		t.Errorf("an answer from the future: %v", s.ThisUpdate)
	}
	k.cache.Keep = time.Hour // longer than an answer lives
	k.at = now.Add(status.DefaultAnswerLife - status.MaxAge)
	if s := k.ask(t, crypto.SHA256, serial(1)); !s.ThisUpdate.Equal(k.at) {
		t.Errorf("an answer that ends within max-age: %v", s.NextUpdate.Sub(k.at))
	}
}

// TestARotatedKeyEmptiesTheCache and what the key before has signed is still to be believed (RFC 6960 §4.2.2.2).
func TestARotatedKeyEmptiesTheCache(t *testing.T) {
	k := newKeeper(1 << 20)
	question := ask(t, []ocsp.CertID{certID(crypto.SHA256, 1)}, nil)
	before := k.Answer(t.Context(), question)
	k.ask(t, crypto.SHA256, serial(2))
	k.signer = world().delegate(now.AddDate(0, 0, -1), now.AddDate(0, 0, 7))
	after := k.Answer(t.Context(), question)
	if bytes.Equal(before, after) || k.cache.Len() != 1 {
		t.Errorf("%d kept", k.cache.Len())
	}
	for _, der := range [][]byte{before, after} {
		if statusOf(t, der, 1).Status.Cert != warifu.StatusGood {
			t.Error("not believed")
		}
	}
}

// TestAnAnswerSaysWhenItsSourceWasCutOff: thisUpdate is the time at which the status is known to be correct (RFC 9919 §3.2.4).
func TestAnAnswerSaysWhenItsSourceWasCutOff(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{0: 0, status.MaxUnsaid: 0, 2 * time.Minute: 2 * time.Minute} {
		k := newKeeper(1 << 20)
		k.source.age = age
		for _, nonce := range [][]byte{nil, {1}} {
			der := k.Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA256, 1)}, nonce))
			s := statusOf(t, der, 1)
			r, _ := ocsp.ParseResponse(der)
			if !s.ThisUpdate.Equal(now.Add(-want)) || !s.NextUpdate.Equal(now.Add(status.DefaultAnswerLife-want)) || !r.ProducedAt.Equal(now) {
				t.Errorf("%v old: %v to %v, produced %v", age, s.ThisUpdate, s.NextUpdate, r.ProducedAt)
			}
		}
	}
	k := newKeeper(1 << 20)
	k.source.age = status.DefaultAnswerLife
	for _, nonce := range [][]byte{nil, {1}} {
		if got := refusal(k.Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA256, 1)}, nonce))); got != "tryLater" {
			t.Errorf("older than an answer lives: %q", got)
		}
	}
}

// TestANationThatAsksAtOnceCostsOneSignature: nobody signs what another is signing.
func TestANationThatAsksAtOnceCostsOneSignature(t *testing.T) {
	k := newKeeper(1 << 20)
	const nation = 50
	var asked sync.WaitGroup
	asked.Add(nation)
	k.source.asked = asked.Done
	hold := make(chan struct{})
	k.signer.key = waiting{k.signer.key, hold}
	var answered sync.WaitGroup
	for range nation {
		answered.Go(func() { k.Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA256, 1)}, nil)) })
	}
	asked.Wait() // all have the same status in their hands
	close(hold)
	answered.Wait()
	if n := k.key.count(); n != 1 {
		t.Errorf("%d signatures", n)
	}
}

func TestASignatureThatFailsIsNobodysAnswer(t *testing.T) {
	k := newKeeper(1 << 20)
	sound := k.signer.key
	k.signer.key = failing{sound}
	question := ask(t, []ocsp.CertID{certID(crypto.SHA256, 1)}, nil)
	if got := refusal(k.Answer(t.Context(), question)); got != "internalError" || k.cache.Len() != 0 {
		t.Errorf("%q, %d kept", got, k.cache.Len())
	}
	k.signer.key = sound
	if statusOf(t, k.Answer(t.Context(), question), 1).Status.Cert != warifu.StatusGood {
		t.Error("it does not recover")
	}
}

// TestTheCacheKeepsWithinItsOctets, the memory of its index included.
func TestTheCacheKeepsWithinItsOctets(t *testing.T) {
	const octets = 8 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := status.NewCache(octets)
	head := make([]byte, 330)
	for i := range uint32(100_000) {
		c.Put(warifu.Signature, binary.BigEndian.AppendUint32([]byte{1}, i), good, now, head)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n, used := c.Len(), int64(after.HeapAlloc)-int64(before.HeapAlloc); n < octets/600 || used > octets {
		t.Errorf("%d answers in %d octets", n, used)
	}
	if _, ok := c.Get(warifu.Signature, binary.BigEndian.AppendUint32([]byte{1}, 99_999)); !ok {
		t.Error("the newest is gone")
	}
	if _, ok := c.Get(warifu.Signature, binary.BigEndian.AppendUint32([]byte{1}, 0)); ok {
		t.Error("the oldest is still there")
	}
	runtime.KeepAlive(c)
}

// TestTheCacheGivesBackWhatWasPut or nothing, against a map, with records of all sizes.
func TestTheCacheGivesBackWhatWasPut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := status.NewCache(rapid.SampledFrom([]int{0, 64 << 10, 256 << 10, 1 << 20}).Draw(t, "octets"))
		model := map[byte][]byte{}
		for i := range rapid.IntRange(1, 500).Draw(t, "steps") {
			n := rapid.ByteRange(0, 40).Draw(t, "serial")
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				c.Invalidate(warifu.Signature, serial(n))
				delete(model, n)
			case 1, 2, 3, 4:
				if got, ok := c.Get(warifu.Signature, serial(n)); ok && !bytes.Equal(got, model[n]) {
					t.Fatalf("%d: %d octets, put %d", n, len(got), len(model[n]))
				}
			default:
				head := bytes.Repeat([]byte{byte(i), n}, rapid.IntRange(1, 700).Draw(t, "size"))
				c.Put(warifu.Signature, serial(n), good, now, head)
				model[n] = head
				if got, ok := c.Get(warifu.Signature, serial(n)); ok && !bytes.Equal(got, head) {
					t.Fatal("another was put")
				}
			}
		}
	})
}

func TestAllOfAKindAreForgotten(t *testing.T) {
	c := status.NewCache(1 << 20)
	for n := range byte(20) {
		for _, kind := range warifu.Kinds {
			c.Put(kind, serial(n), good, now, []byte{n})
		}
	}
	c.Invalidate(warifu.Signature, nil)
	c.Invalidate(warifu.Authentication, make([]byte, 300)) // no serial number
	for n := range byte(20) {
		if _, ok := c.Get(warifu.Signature, serial(n)); ok {
			t.Fatal("still there")
		}
		if _, ok := c.Get(warifu.Authentication, serial(n)); !ok {
			t.Fatal("the other kind's are gone")
		}
	}
}

var errSign = errors.New("no signature")
