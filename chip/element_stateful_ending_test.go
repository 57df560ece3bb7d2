package chip_test

import (
	"bytes"
	"errors"
	"slices"

	"pgregory.net/rapid"

	"warifu"
	"warifu/attest"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

// plainOrders is what one authority's tickets did.
type plainOrders struct {
	last  int64    // the highest number obeyed
	named []byte   // key of that ticket
	gone  [][]byte // keys that were here
}

// bury notes that a key is destroyed; the chip remembers eight of a kind.
func (p *plainElement) bury(kind warifu.Kind, slot *plainSlot) {
	if slot != nil {
		o := p.orders[kind]
		o.gone = append(o.gone, slot.key)
		o.gone = o.gone[max(0, len(o.gone)-8):]
	}
}

// verdict is what a ticket must come to, in a sentence each; "" is a receipt.
func (p *plainElement) verdict(kind warifu.Kind, key []byte, number int64, genuine, here bool) string {
	o := p.orders[kind]
	there := func(half map[warifu.Kind]*plainSlot) bool {
		return half[kind] != nil && bytes.Equal(half[kind].key, key)
	}
	knew := slices.ContainsFunc(o.gone, func(k []byte) bool { return bytes.Equal(k, key) })
	switch {
	case !p.pinned: // nobody's tickets are obeyed before the first personalization
		return "kill-ticket-other"
	case !genuine:
		return "kill-ticket-invalid"
	case !here:
		return "kill-ticket-other"
	case there(p.live) || there(p.shadow) || knew: // whatever its number
		return ""
	case number == o.last && bytes.Equal(key, o.named): // once more
		return ""
	case number <= o.last:
		return "kill-ticket-old"
	}
	return "kill-ticket-other"
}

// obey is what a ticket that is obeyed does.
func (p *plainElement) obey(kind warifu.Kind, key []byte, number int64) {
	if o := p.orders[kind]; number > o.last {
		o.last, o.named = number, key
	}
	for _, half := range []map[warifu.Kind]*plainSlot{p.live, p.shadow} {
		if slot := half[kind]; slot != nil && bytes.Equal(slot.key, key) {
			p.bury(kind, slot)
			delete(half, kind)
			delete(p.verified, kind)
		}
	}
}

// kill hands over a ticket for any key ever seen, right or wrong, over either interface.
func (m *elementMachine) kill(r *rapid.T) {
	kind := drawKind(r)
	keys := append([][]byte{[]byte("no key")}, m.model.orders[kind].gone...)
	for _, half := range []map[warifu.Kind]*plainSlot{m.model.live, m.model.shadow} {
		if half[kind] != nil {
			keys = append(keys, half[kind].key)
		}
	}
	number := max(1, m.model.orders[kind].last+int64(rapid.IntRange(-2, 3).Draw(r, "number")))
	m.hand(r, kind, rapid.SampledFrom(keys).Draw(r, "key"), number, rapid.IntRange(0, 4).Draw(r, "forged") > 0, rapid.IntRange(0, 4).Draw(r, "other chip") > 0)
}

// killLive is the ticket as an authority writes it, for a key in use.
func (m *elementMachine) killLive(r *rapid.T) {
	kind := drawKind(r)
	if slot := m.model.live[kind]; slot != nil {
		m.hand(r, kind, slot.key, m.model.orders[kind].last+1, true, true)
	}
}

func (m *elementMachine) hand(r *rapid.T, kind warifu.Kind, key []byte, number int64, genuine, here bool) {
	ticket := m.phone.Ticket(kind, key, number)
	if !here {
		ticket.Element[3] ^= 0x10
	}
	signer := m.phone.Tickets[kind]
	if !genuine {
		signer = m.phone.CA
	}
	paper, err := ticket.Seal(signer)
	if err != nil {
		r.Fatal(err)
	}
	m.memory.after = rapid.SampledFrom([]int{whole, whole, whole, 0}).Draw(r, "saves")
	tr, _ := m.reach(r)
	receipt, err := clientOf(m.t, tr).Kill(m.t.Context(), paper)
	torn := m.memory.after < 0
	m.mend(r)
	want := m.model.verdict(kind, key, number, genuine, here)
	switch {
	case torn && (err == nil || want != ""):
		r.Fatalf("the memory failed: %v, want %q", err, want)
	case torn: // as if it had not been
	case want != "" && errors.Is(err, &warifu.Error{Problem: want}):
	case want == "" && err == nil:
		m.model.obey(kind, key, number)
		expectReceiptOf(m.t, m.phone, receipt, ticket)
	default:
		r.Fatalf("kill: %v, want %q", err, want)
	}
}

// reach is one of the two interfaces, on a channel of its own; app says that it is the app's.
func (m *elementMachine) reach(r *rapid.T) (tr iso7816.Transmitter, app bool) {
	if rapid.Bool().Draw(r, "by a reader") {
		return m.phone.Element.Contactless(), false
	}
	return m.phone.App(), true
}

// request has the chip say which secrets the channel under test gave for it, and uses them up.
func (m *elementMachine) request(r *rapid.T) {
	var want []warifu.Kind
	for _, kind := range elementKinds {
		if m.model.verified[kind] && m.model.given[kind] {
			want = append(want, kind)
		}
	}
	data := iso7816.MakeTLV(jpki.TagPurpose, []byte("revoke"))
	data = append(data, iso7816.MakeTLV(jpki.TagSubject, []byte("signature"))...)
	data = append(data, iso7816.MakeTLV(jpki.TagNonce, make([]byte, attest.ChallengeLength))...)
	answer := transmit(m.t, m.app, iso7816.Command{CLA: 0x80, INS: jpki.InsDeviceRequest, Data: data, Ne: 256})
	said, err := attest.OpenDeviceRequest(answer.Data, attestationKey(m.t, m.phone))
	if err != nil || !slices.Equal(said.Verified, want) {
		r.Fatalf("said %v, %v; given %v", said.Verified, err, want)
	}
	clear(m.model.given)
	clear(m.model.verified)
}

// prove asks what is still there, as a marketplace that knows the phone's number, or not.
func (m *elementMachine) prove(r *rapid.T) {
	named := rapid.SampledFrom([][]string{{identifier}, {"imei:490154203237519"}, nil}).Draw(r, "identifiers")
	tr, app := m.reach(r)
	envelope, err := clientOf(m.t, tr).CleanProof(m.t.Context(), "market", make([]byte, 16), named, elementtest.At)
	right := len(named) == 0 || named[0] == identifier
	want := ""
	switch {
	case !app && len(named) == 0:
		want = "identifier-needed"
	case !app && m.model.guesses >= 10:
		want = "proof-blocked"
	case !right:
		want = "identifier-other"
	}
	if want == "identifier-other" && !app {
		m.model.guesses++
	}
	if want != "" {
		if !errors.Is(err, &warifu.Error{Problem: want}) {
			r.Fatalf("prove: %v, want %q", err, want)
		}
		return
	}
	m.model.guesses = 0
	proof, err := attest.OpenCleanProof(envelope, attestationKey(m.t, m.phone))
	if err != nil || proof.Counter != m.model.counter || proof.Clean() != (len(m.model.live) == 0) {
		r.Fatalf("%+v %v", proof, err)
	}
	for _, s := range proof.Slots {
		if s.Live != (m.model.live[s.Kind] != nil) {
			r.Fatalf("%+v", proof)
		}
	}
}
