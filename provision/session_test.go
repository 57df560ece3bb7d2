package provision_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/globalplatform"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/provision"
)

var both = []warifu.Kind{warifu.Signature, warifu.Authentication}

// begun is a phone that has applied and the work for it.
func begun(t testing.TB, a jpki.Algorithm, kinds ...warifu.Kind) (*elementtest.Phone, provision.Work) {
	t.Helper()
	p := elementtest.New(t, nil)
	return p, p.Work(t, p.Apply(t, a, kinds...))
}

func session(t testing.TB, p *elementtest.Phone, w provision.Work) *provision.Session {
	t.Helper()
	s, err := provision.NewSession(p.Keys, w, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func expectLive(t testing.TB, p *elementtest.Phone, w provision.Work) {
	t.Helper()
	slots, err := p.Client(t).Slots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for kind, der := range w.Certificates {
		if s, ok := slots.Live.Of(kind); !ok || s.Certificate != warifu.DigestOf(der) || !s.SecretSet {
			t.Fatalf("%v is not live: %+v", kind, slots)
		}
	}
	if len(slots.Shadow.Slots) != 0 {
		t.Fatalf("shadow slots are left: %+v", slots.Shadow)
	}
}

func TestASessionWritesTheReceiptIsTrueAndTheChipSigns(t *testing.T) {
	for _, a := range []jpki.Algorithm{jpki.RSA2048, jpki.P256} {
		t.Run(a.String(), func(t *testing.T) {
			p, w := begun(t, a, both...)
			before := counter(t, p)
			receipt := p.Personalize(t, w)
			expectLive(t, p, w)
			expectReceipt(t, p, w, receipt, before+1)
		})
	}
}

func counter(t testing.TB, p *elementtest.Phone) int {
	t.Helper()
	slots, err := p.Client(t).Slots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slots.Live.Counter
}

func expectReceipt(t *testing.T, p *elementtest.Phone, w provision.Work, receipt []byte, counter int) {
	t.Helper()
	pub, id, err := attest.VerifyChain(p.Personality.Chain, p.Anchors(t), elementtest.At.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	r, err := attest.OpenReceipt(receipt, pub)
	if err != nil {
		t.Fatal(err)
	}
	if r.Element != id || r.Application != w.Application || r.Parent != warifu.DigestOf(w.Parent) || r.Counter != counter || len(r.Slots) != len(w.Certificates) {
		t.Fatalf("receipt %+v", r)
	}
	for _, s := range r.Slots {
		c, err := x509.ParseCertificate(w.Certificates[s.Kind])
		if err != nil || s.Certificate != warifu.DigestOf(c.Raw) || s.PublicKey != warifu.DigestOf(c.RawSubjectPublicKeyInfo) {
			t.Fatalf("slot %+v", s)
		}
	}
}

func TestASessionIsFourRoundTripsAndSaysHowFarItIs(t *testing.T) {
	p, w := begun(t, jpki.RSA2048, both...)
	s := session(t, p, w)
	app := p.App()
	rounds, sent, promised := 0, 0, 0
	step, err := s.Next(nil)
	for ; err == nil && !step.Done; rounds++ {
		sent += len(step.Commands)
		if step.Sent != sent || step.Total < step.Sent {
			t.Fatalf("sent %d, step says %d of %d", sent, step.Sent, step.Total)
		}
		if rounds == 0 {
			promised = step.Total
		}
		if step, err = s.Next(carry(t, app, step)); err == nil && step.Receipt != nil {
			step, err = s.Continue()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if rounds != 4 || promised != sent || step.Sent != sent {
		t.Fatalf("%d rounds, %d APDUs of %d promised", rounds, sent, promised)
	}
	t.Logf("%d APDUs", sent)
}

func carry(t testing.TB, app iso7816.Transmitter, step provision.Step) [][]byte {
	t.Helper()
	var out [][]byte
	for _, c := range step.Commands {
		r, err := app.Transmit(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

var errCut = errors.New("torn away")

// cutAt lets n commands through and then loses the next: on its way to the chip, or its answer
// on the way back.
func cutAt(n int, answered bool, t iso7816.Transmitter) iso7816.Transmitter {
	return iso7816.TransmitterFunc(func(ctx context.Context, command []byte) ([]byte, error) {
		if n--; n >= 0 {
			return t.Transmit(ctx, command)
		}
		if answered && n == -1 {
			_, _ = t.Transmit(ctx, command)
		}
		return nil, errCut
	})
}

// A cut at any APDU, before it or behind it, with the power gone or not, is made good by a
// fresh session, and no session ever needs more than what is missing.
func TestACutAtAnyAPDUIsResumed(t *testing.T) {
	for _, answered := range []bool{false, true} {
		for n := 0; ; n++ {
			p, w := begun(t, jpki.P256, both...)
			committed := 0
			commit := func([]byte) error { committed++; return nil }
			err := elementtest.Relay(t.Context(), cutAt(n, answered, p.App()), session(t, p, w), commit)
			if err == nil {
				if n < 10 {
					t.Fatalf("a session of %d APDUs", n)
				}
				break
			}
			if !errors.Is(err, errCut) {
				t.Fatalf("cut at %d: %v", n, err)
			}
			if n%2 == 0 {
				if err := p.Element.Reset(); err != nil {
					t.Fatal(err)
				}
			}
			live := counter(t, p) == 1
			if live && committed == 0 {
				t.Fatalf("cut at %d: live without a commit", n)
			}
			if err := elementtest.Relay(t.Context(), p.App(), session(t, p, w), commit); err != nil {
				t.Fatalf("resumed after a cut at %d: %v", n, err)
			}
			expectLive(t, p, w)
			if counter(t, p) != 1 {
				t.Fatalf("cut at %d: personalized %d times", n, counter(t, p))
			}
		}
	}
}

func TestAResumedSessionWritesOnlyWhatIsMissing(t *testing.T) {
	p, w := begun(t, jpki.P256, both...)
	s := session(t, p, w)
	app := p.App()
	step, err := s.Next(nil)
	whole := 0
	for err == nil && step.Receipt == nil {
		whole = step.Sent
		step, err = s.Next(carry(t, app, step))
	}
	if err != nil {
		t.Fatal(err)
	}
	again := session(t, p, w)
	for step, err = again.Next(nil); err == nil && step.Receipt == nil; step, err = again.Next(carry(t, app, step)) {
	}
	if err != nil || step.Sent != 2+4+1+2 || step.Sent >= whole {
		t.Fatalf("resumed with %d APDUs, first run %d, %v", step.Sent, whole, err)
	}
	expectReceipt(t, p, w, step.Receipt, 1)
}

func TestASessionAfterActivationEndsAtOnce(t *testing.T) {
	p, w := begun(t, jpki.P256, both...)
	p.Personalize(t, w)
	s := session(t, p, w)
	err := elementtest.Relay(t.Context(), p.App(), s, func([]byte) error { t.Fatal("a receipt for what is live"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(nil); !errors.Is(err, &warifu.Error{Problem: "session-over"}) {
		t.Fatal(err)
	}
}

// A kind left out at first is added by an application for both (K14): what is personalized
// last is all there is.
func TestTheNewestPersonalizationIsAllThereIs(t *testing.T) {
	p, w := begun(t, jpki.P256, both...)
	p.Personalize(t, w)
	for _, kinds := range [][]warifu.Kind{{warifu.Signature}, {warifu.Authentication}, both} {
		next := p.Work(t, p.Apply(t, jpki.P256, kinds...))
		p.Personalize(t, next)
		expectLive(t, p, next)
		slots, err := p.Client(t).Slots(t.Context())
		if err != nil || len(slots.Live.Slots) != len(kinds) {
			t.Fatalf("%v: %+v %v", kinds, slots, err)
		}
	}
}

func TestActivateWithoutCommitIsNotToBeHad(t *testing.T) {
	p, w := begun(t, jpki.P256, both...)
	s := session(t, p, w)
	if _, err := s.Continue(); !errors.Is(err, &warifu.Error{Problem: "session-over"}) {
		t.Fatal(err)
	}
	refused := errors.New("the parent was revoked")
	if err := elementtest.Relay(t.Context(), p.App(), s, func([]byte) error { return refused }); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if counter(t, p) != 0 {
		t.Fatal("live although nobody committed")
	}
}

func TestKeysThatAreGoneAreNamed(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *elementtest.Phone){
		"abandoned": func(t *testing.T, p *elementtest.Phone) {
			if err := p.Client(t).Abandon(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"made anew": func(t *testing.T, p *elementtest.Phone) { p.Apply(t, jpki.P256, both...) },
		"one made anew without a secret": func(t *testing.T, p *elementtest.Phone) {
			if _, err := p.Client(t).Generate(t.Context(), warifu.Signature, "p-256"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := begun(t, jpki.P256, both...)
			spoil(t, p)
			err := elementtest.Relay(t.Context(), p.App(), session(t, p, w), func([]byte) error { return nil })
			if !errors.Is(err, &warifu.Error{Problem: "element-keys-gone"}) {
				t.Fatal(err)
			}
		})
	}
}

func TestAnotherChipOrOtherKeysAreRefused(t *testing.T) {
	p, w := begun(t, jpki.P256, both...)
	other := elementtest.New(t, nil)
	err := elementtest.Relay(t.Context(), other.App(), session(t, p, w), nil)
	if !errors.Is(err, &warifu.Error{Problem: "element-other"}) {
		t.Fatal(err)
	}
	p.Keys = other.Keys // another operator's master key
	err = elementtest.Relay(t.Context(), p.App(), session(t, p, w), nil)
	if !errors.Is(err, &warifu.Error{Problem: "session-broken"}) || !errors.Is(err, globalplatform.ErrChannel) {
		t.Fatal(err)
	}
}

// Whatever octet of the script is changed on its way to the chip, or of the answers on their way
// back, the server does not believe what follows, and nothing becomes live.
func TestEveryFlippedByteOfTheScriptIsRefused(t *testing.T) {
	p, w := begun(t, jpki.P256, warifu.Authentication)
	errCommitted := errors.New("reached the commit")
	restore := snapshot(t, p)
	tried, script := 0, scriptLength(t, p, w)
	for n := 1; n < script; n++ {
		length := 1
		for i := 0; i < length; i++ {
			for _, response := range []bool{false, true} {
				flipped := false
				restore()
				relay := iso7816.TransmitterFunc(flipping(p.App(), n, i, response, &flipped, &length))
				err := elementtest.Relay(t.Context(), relay, session(t, p, w), func([]byte) error { return errCommitted })
				if flipped == errors.Is(err, errCommitted) && !(n == 1 && harmless(i, response)) {
					t.Fatalf("APDU %d, octet %d, response %v, flipped %v: %v", n, i, response, flipped, err)
				}
				tried++
			}
		}
	}
	if tried < 2000 || counter(t, p) != 0 {
		t.Fatalf("%d octets tried, personalized %d times", tried, counter(t, p))
	}
}

// harmless are the octets of INITIALIZE UPDATE that say nothing: the key version asked for in its
// response, where the one that answered is known by its keys.
func harmless(i int, response bool) bool { return response && i == 10 }

// snapshot returns what puts the chip's memory back to what it is now.
func snapshot(t *testing.T, p *elementtest.Phone) func() {
	state, err := p.Memory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(p.Memory.Save(state), p.Element.Reset()); err != nil {
			t.Fatal(err)
		}
	}
}

// scriptLength is the number of APDUs up to the commit.
func scriptLength(t *testing.T, p *elementtest.Phone, w provision.Work) int {
	n := 0
	app := p.App()
	count := iso7816.TransmitterFunc(func(ctx context.Context, c []byte) ([]byte, error) { n++; return app.Transmit(ctx, c) })
	stop := errors.New("stop")
	if err := elementtest.Relay(t.Context(), count, session(t, p, w), func([]byte) error { return stop }); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if err := p.Element.Reset(); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEveryFlippedByteOfActivateIsRefused(t *testing.T) {
	p, w := begun(t, jpki.P256, warifu.Authentication)
	scriptLength(t, p, w)
	activate := 2 + 4 + 1 + 2 // certificate and parent are there by now
	length := 1               // flipping finds out
	for i := 0; i < length; i++ {
		flipped := false
		relay := iso7816.TransmitterFunc(flipping(p.App(), activate, i, false, &flipped, &length))
		err := elementtest.Relay(t.Context(), relay, session(t, p, w), func([]byte) error { return nil })
		if !flipped || err == nil || counter(t, p) != 0 {
			t.Fatalf("octet %d, flipped %v: %v, personalized %d times", i, flipped, err, counter(t, p))
		}
	}
}

// flipping turns one bit of octet i of command or response n. Lengths and Le, which only say how
// octets are carried, are left out: header and data are what the MAC covers.
func flipping(app iso7816.Transmitter, n, i int, response bool, flipped *bool, length *int) func(context.Context, []byte) ([]byte, error) {
	number := -1
	return func(ctx context.Context, command []byte) ([]byte, error) {
		if number++; number != n {
			return app.Transmit(ctx, command)
		}
		c, err := iso7816.ParseCommand(command)
		if err != nil {
			return nil, err
		}
		if *length = max(*length, 4+len(c.Data)); !response && i < 4+len(c.Data) {
			header := []*byte{&c.CLA, &c.INS, &c.P1, &c.P2}
			if i < 4 {
				*header[i] ^= 0x10
			} else {
				c.Data[i-4] ^= 0x10
			}
			*flipped = true
			if command, err = c.Bytes(); err != nil {
				return nil, err
			}
		}
		out, err := app.Transmit(ctx, command)
		*length = max(*length, len(out))
		if err == nil && response && i < len(out) {
			out = bytes.Clone(out)
			out[i] ^= 0x10
			*flipped = true
		}
		return out, err
	}
}

func TestResponsesThatDoNotFitEndTheSession(t *testing.T) {
	p, w := begun(t, jpki.P256, warifu.Authentication)
	for name, responses := range map[string][][]byte{
		"none": nil, "too few": {{0x90, 0}}, "no status": {{0x90, 0}, {0x90}}, "no data": {{0x90, 0}, {0x90, 0}},
		"refused": {{0x6A, 0x82}, {0x6D, 0}}, "too many": {{0x90, 0}, {0x90, 0}, {0x90, 0}},
	} {
		s := session(t, p, w)
		if _, err := s.Next(nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next(responses); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := s.Next(responses); !errors.Is(err, &warifu.Error{Problem: "session-over"}) && !errors.Is(err, &warifu.Error{Problem: "session-broken"}) {
			t.Errorf("%s: went on with %v", name, err)
		}
	}
}

func TestWorkWithoutContentIsRefused(t *testing.T) {
	p, w := begun(t, jpki.P256, warifu.Authentication)
	w.Certificates = nil
	if _, err := provision.NewSession(p.Keys, w, rand.Reader); !errors.Is(err, &warifu.Error{Problem: "personalization-empty"}) {
		t.Fatal(err)
	}
}

// The memory of the chip fails at every save in turn; whatever was saved, a fresh session
// finishes the work.
func TestAMemoryThatFailsAtAnySaveIsResumed(t *testing.T) {
	for n := 0; ; n++ {
		memory := &failing{after: 1 << 30}
		p := elementtest.New(t, memory)
		w := p.Work(t, p.Apply(t, jpki.P256, both...))
		memory.after = n
		commit := func([]byte) error { return nil }
		err := elementtest.Relay(t.Context(), p.App(), session(t, p, w), commit)
		if err == nil {
			return
		}
		memory.after = 1 << 30
		if err := p.Element.Reset(); err != nil {
			t.Fatal(err)
		}
		if err := elementtest.Relay(t.Context(), p.App(), session(t, p, w), commit); err != nil {
			t.Fatalf("after a failure at save %d: %v", n, err)
		}
		expectLive(t, p, w)
	}
}

// failing is a memory that fails once after that many saves; every second failure has kept
// the octets nevertheless, as real memories do.
type failing struct {
	chip.Volatile
	after int
}

func (f *failing) Save(state []byte) error {
	if f.after--; f.after >= 0 {
		return f.Volatile.Save(state)
	}
	if f.after%2 == 0 {
		_ = f.Volatile.Save(state)
	}
	return errors.New("memory worn out")
}
