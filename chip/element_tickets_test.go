package chip_test

import (
	"context"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/chip"
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

func liveKinds(t testing.TB, p *elementtest.Phone) (out []warifu.Kind) {
	t.Helper()
	slots, err := p.Client(t).Slots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range slots.Live.Slots {
		out = append(out, s.Kind)
	}
	return out
}

// expectReceiptOf checks the chip's word that the ticket was obeyed.
func expectReceiptOf(t testing.TB, p *elementtest.Phone, receipt []byte, ticket attest.KillTicket) {
	t.Helper()
	got, err := attest.OpenKillReceipt(receipt, attestationKey(t, p))
	want := attest.KillReceipt{Element: p.Element.ID(), Kind: ticket.Kind, PublicKey: ticket.PublicKey, Number: ticket.Number, Counter: 1}
	if err != nil || got != want {
		t.Fatalf("%+v, want %+v, %v", got, want, err)
	}
}

func TestATicketDestroysOneKeyWithoutASecretInAtMostThreeAPDUs(t *testing.T) {
	for name := range onEach(elementtest.New(t, nil)) {
		for _, kind := range elementKinds {
			p, keys := inUse(t, nil)
			ticket := p.Ticket(kind, keys[kind], 7)
			sent, tr := 0, onEach(p)[name]
			counted := iso7816.TransmitterFunc(func(ctx context.Context, c []byte) ([]byte, error) {
				sent++
				return tr.Transmit(ctx, c)
			})
			receipt, err := clientOf(t, counted).Kill(t.Context(), p.SealTicket(t, ticket))
			if err != nil || sent > 3 {
				t.Fatalf("%s, %v: %d APDUs, %v", name, kind, sent, err)
			}
			expectReceiptOf(t, p, receipt, ticket)
			if left := liveKinds(t, p); len(left) != 1 || left[0] == kind {
				t.Fatalf("%s, %v: left %v", name, kind, left)
			}
		}
	}
}
