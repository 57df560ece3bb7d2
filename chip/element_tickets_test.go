package chip_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/globalplatform"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

// inUse is a phone with both certificates live, and its live keys.
func inUse(t testing.TB, memory chip.Memory) (*elementtest.Phone, map[warifu.Kind][]byte) {
	t.Helper()
	p := elementtest.New(t, memory)
	keys := p.Apply(t, jpki.P256, elementKinds...)
	p.Personalize(t, p.Work(t, keys))
	return p, keys
}

// onEach are the interfaces over which a ticket reaches the chip.
func onEach(p *elementtest.Phone) map[string]iso7816.Transmitter {
	return map[string]iso7816.Transmitter{"the app": p.App(), "a shop's reader": p.Element.Contactless()}
}

func clientOf(t testing.TB, tr iso7816.Transmitter) *jpki.Element {
	t.Helper()
	client, err := jpki.SelectElement(t.Context(), tr)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// slotsOf is what the chip says of itself.
func slotsOf(t testing.TB, p *elementtest.Phone) jpki.Slots {
	t.Helper()
	slots, err := p.Client(t).Slots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slots
}

func liveKinds(t testing.TB, p *elementtest.Phone) (out []warifu.Kind) {
	t.Helper()
	for _, s := range slotsOf(t, p).Live.Slots {
		out = append(out, s.Kind)
	}
	return out
}

// expectReceiptOf checks the chip's word that the ticket was obeyed.
func expectReceiptOf(t testing.TB, p *elementtest.Phone, receipt []byte, ticket attest.KillTicket) {
	t.Helper()
	got, err := attest.OpenKillReceipt(receipt, attestationKey(t, p))
	want := attest.KillReceipt{
		Element: p.Element.ID(), Kind: ticket.Kind, PublicKey: ticket.PublicKey, Number: ticket.Number, Counter: slotsOf(t, p).Live.Counter,
	}
	if err != nil || got != want {
		t.Fatalf("%+v, want %+v, %v", got, want, err)
	}
}

// kill hands a ticket over and checks the receipt.
func kill(t testing.TB, p *elementtest.Phone, tr iso7816.Transmitter, ticket attest.KillTicket) {
	t.Helper()
	receipt, err := clientOf(t, tr).Kill(t.Context(), p.SealTicket(t, ticket))
	if err != nil {
		t.Fatal(err)
	}
	expectReceiptOf(t, p, receipt, ticket)
}

func TestATicketDestroysOneKeyWithoutASecretInAtMostThreeAPDUs(t *testing.T) {
	for name := range onEach(elementtest.New(t, nil)) {
		for _, kind := range elementKinds {
			p, keys := inUse(t, nil)
			sent, tr := 0, onEach(p)[name]
			counted := iso7816.TransmitterFunc(func(ctx context.Context, c []byte) ([]byte, error) {
				sent++
				return tr.Transmit(ctx, c)
			})
			kill(t, p, counted, p.Ticket(kind, keys[kind], 7))
			if left := liveKinds(t, p); sent > 3 || len(left) != 1 || left[0] == kind {
				t.Fatalf("%s, %v: %d APDUs, left %v", name, kind, sent, left)
			}
		}
	}
}

// keptKeys has the chip's keys made where the test sees them.
func keptKeys(t testing.TB, p *elementtest.Phone) *[]crypto.Signer {
	t.Helper()
	made, inner := new([]crypto.Signer), p.Personality.Keys
	p.Personality.Keys = func(a jpki.Algorithm) (crypto.Signer, error) {
		key, err := inner(a)
		*made = append(*made, key)
		return key, err
	}
	var err error
	if p.Element, err = chip.NewElement(p.Personality, p.Memory); err != nil {
		t.Fatal(err)
	}
	return made
}

// memoryHolds reports whether the chip's memory has the octets, as it writes them.
func memoryHolds(t testing.TB, p *elementtest.Phone, octets []byte) bool {
	t.Helper()
	state, err := p.Memory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(state, []byte(base64.StdEncoding.EncodeToString(octets)))
}

func TestADestroyedKeyLeavesNothingBehind(t *testing.T) {
	for name, destroy := range map[string]func(*testing.T, *elementtest.Phone, map[warifu.Kind][]byte){
		"a ticket": func(t *testing.T, p *elementtest.Phone, keys map[warifu.Kind][]byte) {
			kill(t, p, p.Element.Contactless(), p.Ticket(warifu.Signature, keys[warifu.Signature], 1))
		},
		"the other kind personalized": func(t *testing.T, p *elementtest.Phone, _ map[warifu.Kind][]byte) {
			p.Personalize(t, p.Work(t, p.Apply(t, jpki.P256, warifu.Authentication)))
		},
		"the instance deleted": func(t *testing.T, p *elementtest.Phone, _ map[warifu.Kind][]byte) {
			s := server(t, p)
			s.expect(t, globalplatform.Delete(jpki.AID), iso7816.SWOK)
			s.expect(t, globalplatform.InstallApplication(nil, []byte("\xf0WARIFU-JPKI"), jpki.AID, []byte{0}, []byte{0xC9, 0}), iso7816.SWOK)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := elementtest.New(t, nil)
			made := keptKeys(t, p)
			keys := p.Apply(t, jpki.P256, elementKinds...)
			w := p.Work(t, keys)
			p.Personalize(t, w)
			remains := map[string][]byte{
				"the private key": pkcs8Of(t, (*made)[0]), "the certificate": w.Certificates[warifu.Signature], "its authority's": w.Authorities[warifu.Signature],
				"the public key": keys[warifu.Signature], "the secret": elementtest.Password,
			}
			for what, octets := range remains {
				if !memoryHolds(t, p, octets) {
					t.Fatalf("%s is not where the test looks for it", what)
				}
			}
			channel := p.App()
			if err := give(t, channel, warifu.Signature, elementtest.Password); err != nil {
				t.Fatal(err)
			}
			destroy(t, p, keys)
			for what, octets := range remains {
				if memoryHolds(t, p, octets) {
					t.Errorf("%s is still in the memory", what)
				}
			}
			expectNothingOf(t, channel, warifu.Signature)
			if err := p.Element.Reset(); err != nil {
				t.Fatal(err)
			}
			for _, tr := range onEach(p) {
				selectPhone(t, tr)
				expectNothingOf(t, tr, warifu.Signature)
			}
		})
	}
}

// expectNothingOf looks for the kind's files, key, secret and tries.
func expectNothingOf(t *testing.T, tr iso7816.Transmitter, kind warifu.Kind) {
	t.Helper()
	for _, file := range []jpki.FileID{jpki.CertificateFile(kind), jpki.CAFile(kind), jpki.KeyFile(kind), jpki.SecretFile(kind)} {
		for _, c := range []iso7816.Command{
			{INS: 0xA4, P1: 2, P2: 0x0C, Data: []byte{byte(file >> 8), byte(file)}},
			{INS: 0xB0, P1: 0x80 | file.Short(), Ne: 256},
			{INS: 0x20, P2: 0x80 | file.Short()},
			{INS: 0x20, P2: 0x80 | file.Short(), Data: elementtest.SecretOf(kind)},
			{CLA: 0x80, INS: 0x2A, P2: 0x80 | file.Short(), Data: jpki.DigestInfoSHA256([32]byte{}), Ne: 256},
		} {
			if r := transmit(t, tr, c); r.SW != iso7816.SWFileNotFound || len(r.Data) != 0 {
				t.Errorf("%02X of %04X: %v", c.INS, file, r.SW)
			}
		}
	}
}

func pkcs8Of(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestTheSameTicketAgainIsAnsweredAgain(t *testing.T) {
	p, keys := inUse(t, nil)
	ticket := p.Ticket(warifu.Signature, keys[warifu.Signature], 7)
	for _, between := range []func(){
		func() {},
		func() { p.Element.FactoryReset() },
		func() { p.Personalize(t, p.Work(t, p.Apply(t, jpki.P256, elementKinds...))) }, // a new life, with other keys
	} {
		between()
		kill(t, p, p.App(), ticket)
		kill(t, p, p.Element.Contactless(), ticket)
	}
	if left := liveKinds(t, p); len(left) != 2 {
		t.Fatalf("the new keys suffered: %v", left)
	}
}

func TestATicketForAKeyThatWentAnotherWayIsAnswered(t *testing.T) {
	p, keys := inUse(t, nil)
	p.Personalize(t, p.Work(t, p.Apply(t, jpki.P256, warifu.Authentication)))
	for n, kind := range elementKinds {
		kill(t, p, p.App(), p.Ticket(kind, keys[kind], int64(n+1)))
	}
	waiting := p.Apply(t, jpki.P256, warifu.Signature)
	kill(t, p, p.App(), p.Ticket(warifu.Signature, waiting[warifu.Signature], 9)) // issued, never fetched, revoked
	if slots := slotsOf(t, p); len(slots.Shadow.Slots) != 0 || len(slots.Live.Slots) != 1 {
		t.Fatalf("%+v", slots)
	}
}

// What the chip remembers of the keys it destroyed is bounded; what it remembers of the last
// ticket is not forgotten over it.
func TestTheChipForgetsOldKeysButNotTheLastTicket(t *testing.T) {
	p, keys := inUse(t, nil)
	ticket := p.Ticket(warifu.Signature, keys[warifu.Signature], 7)
	kill(t, p, p.App(), ticket)
	first, second := p.Apply(t, jpki.P256, warifu.Signature), p.Apply(t, jpki.P256, warifu.Signature)
	for range 8 { // the second to the eighth after it are gone, the ninth waits
		p.Apply(t, jpki.P256, warifu.Signature)
	}
	kill(t, p, p.App(), ticket)
	_, err := p.Client(t).Kill(t.Context(), p.SealTicket(t, p.Ticket(warifu.Signature, first[warifu.Signature], 8)))
	expectProblem(t, err, "kill-ticket-other")
	kill(t, p, p.App(), p.Ticket(warifu.Signature, second[warifu.Signature], 8))
}

func TestTheSameTicketKeyPinnedAgainForgetsNoNumber(t *testing.T) {
	p, keys := inUse(t, nil)
	kill(t, p, p.App(), p.Ticket(warifu.Signature, keys[warifu.Signature], 7))
	again := p.Apply(t, jpki.P256, elementKinds...)
	w := p.Work(t, again)
	p.Personalize(t, w)
	s := server(t, p)
	s.expect(t, globalplatform.InstallPersonalize(jpki.AID), iso7816.SWOK)
	for _, c := range globalplatform.StoreData(jpki.WriteTicketKeys(w.TicketKeys)) {
		s.expect(t, c, iso7816.SWOK)
	}
	_, err := p.Client(t).Kill(t.Context(), p.SealTicket(t, p.Ticket(warifu.Signature, []byte("another key"), 6)))
	expectProblem(t, err, "kill-ticket-old")
	kill(t, p, p.App(), p.Ticket(warifu.Signature, again[warifu.Signature], 8))
}

// K18: tickets are public, so whoever has the phone hands them over in any order; a later one
// obeyed first, be it for a key that is gone already, saves no dead key.
func TestTicketsAreObeyedInWhateverOrderTheyCome(t *testing.T) {
	p, first := inUse(t, nil)
	kind := warifu.Signature
	second := p.Apply(t, jpki.P256, elementKinds...)
	p.Personalize(t, p.Work(t, second)) // the first key went with it
	waiting := p.Apply(t, jpki.P256, kind)
	gone := p.Ticket(kind, first[kind], 9)
	kill(t, p, p.Element.Contactless(), gone)
	dead, shadow := p.Ticket(kind, second[kind], 5), p.Ticket(kind, waiting[kind], 7)
	kill(t, p, p.App(), dead)
	if left := liveKinds(t, p); !slices.Equal(left, []warifu.Kind{warifu.Authentication}) {
		t.Fatalf("left %v", left)
	}
	kill(t, p, p.App(), shadow)
	if slots := slotsOf(t, p); len(slots.Shadow.Slots) != 0 {
		t.Fatalf("%+v", slots)
	}
	if err := p.Element.Reset(); err != nil {
		t.Fatal(err)
	}
	for _, again := range []attest.KillTicket{gone, dead, shadow, gone} { // each receipt may have been lost
		kill(t, p, p.App(), again)
	}
}
