package chip_test

import (
	"crypto/rand"
	"errors"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/provision"
)

// ending is the end of a phone's first life and its second: a ticket key is replaced, both
// keys are killed, a reader guesses, and one kind is personalized anew. Each step may be run
// again after a cut, and says so by succeeding.
type ending struct {
	phone   *elementtest.Phone
	keys    map[warifu.Kind][]byte
	work    provision.Work
	tickets map[warifu.Kind]attest.KillTicket
	next    []byte // paper that names the next ticket key
}

func newEnding(t *testing.T, memory *tearing) *ending {
	e := &ending{tickets: map[warifu.Kind]attest.KillTicket{}}
	e.phone, e.keys = inUse(t, memory)
	for _, kind := range elementKinds {
		e.tickets[kind] = e.phone.Ticket(kind, e.keys[kind], 5)
	}
	next := p256(t)
	paper, err := attest.NextTicketKey{Kind: warifu.Signature, PublicKey: spki(t, next)}.Seal(e.phone.Tickets[warifu.Signature])
	if err != nil {
		t.Fatal(err)
	}
	e.next, e.phone.Tickets[warifu.Signature] = paper, next
	e.work = e.phone.Work(t, e.phone.Apply(t, jpki.P256, warifu.Authentication))
	return e
}

// run goes through all of it over the transmitters; a guess that was counted already is not
// made again.
func (e *ending) run(t *testing.T, app, reader iso7816.Transmitter, guess bool) error {
	client, err := jpki.SelectElement(t.Context(), app)
	if err != nil {
		return err
	}
	if err := client.NextTicketKey(t.Context(), e.next); err != nil {
		return err
	}
	for _, tr := range []iso7816.Transmitter{reader, app} {
		for _, kind := range elementKinds {
			if client, err = jpki.SelectElement(t.Context(), tr); err != nil {
				return err
			}
			if _, err := client.Kill(t.Context(), e.phone.SealTicket(t, e.tickets[kind])); err != nil {
				return err
			}
		}
	}
	if client, err = jpki.SelectElement(t.Context(), reader); err != nil {
		return err
	}
	if _, err := client.CleanProof(t.Context(), "m", nonce, []string{"imei:1"}, asked); guess && !errors.Is(err, &warifu.Error{Problem: "identifier-other"}) {
		return err
	}
	session, err := provision.NewSession(e.phone.Keys, e.work, rand.Reader)
	if err != nil {
		return err
	}
	return elementtest.Relay(t.Context(), app, session, func([]byte) error { return nil })
}

func (e *ending) expectOver(t *testing.T) {
	t.Helper()
	slots := slotsOf(t, e.phone)
	live, ok := slots.Live.Of(warifu.Authentication)
	if !ok || len(slots.Live.Slots) != 1 || len(slots.Shadow.Slots) != 0 || slots.Live.Counter != 2 || live.Certificate != warifu.DigestOf(e.work.Certificates[warifu.Authentication]) {
		t.Fatalf("%+v", slots)
	}
}

// Cut at any APDU, before it or behind it, with the power gone or not, the same again comes to
// the same end.
func TestAnEndingIsCutAtAnyAPDU(t *testing.T) {
	for n, answered := 0, false; ; answered = !answered {
		e := newEnding(t, &tearing{after: whole})
		left := n
		cut := func(tr iso7816.Transmitter) iso7816.Transmitter { return cutBeforeOrBehind(&left, answered, tr) }
		err := e.run(t, cut(e.phone.App()), cut(e.phone.Element.Contactless()), true)
		if err == nil {
			t.Logf("%d APDUs", n)
			break
		}
		if n%3 == 0 {
			if err := e.phone.Element.Reset(); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.run(t, e.phone.App(), e.phone.Element.Contactless(), false); err != nil {
			t.Fatalf("cut at %d, then: %v", n, err)
		}
		e.expectOver(t)
		if answered {
			n++
		}
	}
}

// The memory fails at any save, the octets kept nevertheless or not: the chip is silent until it
// has power again, and the same again comes to the same end.
func TestTheMemoryFailsAtAnySaveOfAnEnding(t *testing.T) {
	for n, keeps := 0, false; ; keeps = !keeps {
		memory := &tearing{after: whole, keeps: keeps}
		e := newEnding(t, memory)
		memory.after = n
		err := e.run(t, e.phone.App(), e.phone.Element.Contactless(), true)
		if memory.after >= 0 {
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d saves", n)
			break
		}
		if err == nil {
			t.Fatalf("save %d failed and nobody was told", n)
		}
		memory.after = whole
		before, loadErr := e.phone.Memory.Load()
		if err := errors.Join(loadErr, e.phone.Element.Reset()); err != nil {
			t.Fatal(err)
		}
		if after, err := e.phone.Memory.Load(); err != nil || string(after) != string(before) {
			t.Fatal("a reset wrote", err)
		}
		if err := e.run(t, e.phone.App(), e.phone.Element.Contactless(), false); err != nil {
			t.Fatalf("save %d failed, then: %v", n, err)
		}
		e.expectOver(t)
		if keeps {
			n++
		}
	}
}

// A receipt that leaves the chip tells of what its memory holds already.
func TestNoReceiptLeavesBeforeTheKeyIsGoneFromMemory(t *testing.T) {
	memory := &tearing{after: whole}
	p, keys := inUse(t, memory)
	client := p.Client(t)
	memory.after = 0
	receipt, err := client.Kill(t.Context(), p.SealTicket(t, p.Ticket(warifu.Signature, keys[warifu.Signature], 1)))
	if err == nil || len(receipt) != 0 || !memoryHolds(t, p, keys[warifu.Signature]) {
		t.Fatal(receipt, err)
	}
	memory.after = whole
	if err := p.Element.Reset(); err != nil {
		t.Fatal(err)
	}
	if left := liveKinds(t, p); len(left) != 2 {
		t.Fatal(left)
	}
	expectSigns(t, p.App(), jpki.P256)
}
