package registration_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/phone"
	"warifu/sandbox/handset"
)

func elementOf(t testing.TB, p *housetest.Phone) *jpki.Element {
	t.Helper()
	element, err := jpki.SelectElement(context.Background(), p.Element.Internal(handset.AppCertificate))
	must(t, err)
	return element
}

// signAsPhone signs content with the phone's own signing key.
func signAsPhone(t testing.TB, h *housetest.House, p *housetest.Phone, contentType asn1.ObjectIdentifier, content []byte) []byte {
	t.Helper()
	ctx := context.Background()
	token, err := jpki.Select(ctx, p.Element.Internal(handset.AppCertificate))
	must(t, err)
	must(t, token.VerifyPhone(ctx, warifu.Signature, warifu.NewActivationSecret([]byte(housetest.Secrets.Signature))))
	der, err := token.Certificate(ctx, warifu.Signature)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	prepared, err := cms.Prepare(contentType, content, certificate, nil, h.Clock.Now(), false)
	must(t, err)
	signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(prepared.Digest()))
	must(t, err)
	signed, err := prepared.Finish(signature)
	must(t, err)
	return signed
}

func tickets(t testing.TB, h *housetest.House, p *housetest.Phone, want int) [][]byte {
	t.Helper()
	got, err := h.Registrar.Tickets(context.Background(), p.Record.Element)
	must(t, err)
	if len(got) != want {
		t.Fatalf("%d tickets, want %d", len(got), want)
	}
	return got
}

func receipt(h *housetest.House, p *housetest.Phone, envelope []byte) error {
	return h.Registrar.KillReceipt(context.Background(), p.Record.Element, envelope)
}

// ticketKey is the public key of an authority's tickets.
func ticketKey(t testing.TB, h *housetest.House, kind warifu.Kind) *ecdsa.PublicKey {
	t.Helper()
	return h.Config(t).TicketKeys[kind].Public().(*ecdsa.PublicKey)
}

func TestARevokedKeyIsWipedOnContactWithoutASecret(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	tickets(t, h, p, 0)
	standings, err := byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
	must(t, err)
	handed := tickets(t, h, p, 2)
	element := elementOf(t, p)
	for i, s := range standings {
		a, err := attest.OpenKillTicket(s.Ticket, ticketKey(t, h, s.Kind))
		must(t, err)
		b, err := attest.OpenKillTicket(handed[i], ticketKey(t, h, s.Kind))
		must(t, err)
		if a.Number != b.Number || a.PublicKey != b.PublicKey || a.Status != warifu.CredentialRevoked || a.Element != p.Record.Element {
			t.Errorf("the tickets differ: %+v and %+v", a, b)
		}
		for range 2 { // the answer was lost on its way
			gone, err := element.Kill(context.Background(), s.Ticket)
			must(t, err)
			must(t, receipt(h, p, gone))
		}
		tickets(t, h, p, len(standings)-1-i)
	}
	slots, err := element.Slots(context.Background())
	must(t, err)
	if len(slots.Live.Slots) != 0 {
		t.Errorf("%d keys are left in the chip", len(slots.Live.Slots))
	}
	h.Check(t)
}

func TestNoTicketIsWrittenForAKeyThatMayComeBack(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, _, code := coded(t, h, "taro")
	must(t, byCode(h, code.Reveal(), ""))
	tickets(t, h, p, 0) // on hold
	_, err := byCard(h, cardOrder(t, h, "taro", attest.CardOrder{Verb: warifu.VerbRevoke, Kinds: []warifu.Kind{warifu.Signature}}))
	must(t, err)
	got := tickets(t, h, p, 1)
	ticket, err := attest.OpenKillTicket(got[0], ticketKey(t, h, warifu.Signature))
	must(t, err)
	if ticket.Kind != warifu.Signature {
		t.Errorf("a ticket for the %s key, which is on hold", ticket.Kind)
	}
	fresh := h.Phone(t)
	fresh.Issue(t, "hanako") // pending
	tickets(t, h, fresh, 0)
	h.Check(t)
}

// What was signed and never made live is dead once its application has ended, however it
// did, and is wiped out of the shadow on first contact. A later application from the same
// phone has emptied the shadow itself.
func TestAShadowKeyOfAnEndedApplicationIsWipedOnContact(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, h *housetest.House, p *housetest.Phone, id string){
		"withdrawn": func(t *testing.T, h *housetest.House, p *housetest.Phone, id string) {
			_, err := withdraw(h, id, request(t, h, p, "withdraw", id))
			must(t, err)
		},
		"lapsed": func(t *testing.T, h *housetest.House, _ *housetest.Phone, id string) {
			h.Clock.To(h.Application(t, id).Lapses.Add(time.Minute))
			_, err := h.Registrar.Lapse(t.Context())
			must(t, err)
		},
		"ended with the card": func(t *testing.T, h *housetest.House, _ *housetest.Phone, _ string) {
			must(t, h.Bureau.Die("taro"))
			catchUp(t, h)
		},
		"overtaken by one on another phone": func(t *testing.T, h *housetest.House, _ *housetest.Phone, _ string) { h.Phone(t).Apply(t, "taro") },
	} {
		t.Run(name, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{})
			p := h.Phone(t)
			p.Own(t, "taro") // so that the chip has pinned the ticket keys, and has live keys beside
			a := p.Issue(t, "taro")
			tickets(t, h, p, 0)
			end(t, h, p, a.ID)
			element := elementOf(t, p)
			for _, der := range tickets(t, h, p, map[bool]int{false: 2, true: 4}[name == "ended with the card"]) {
				gone, err := element.Kill(t.Context(), der)
				must(t, err)
				must(t, receipt(h, p, gone))
			}
			slots, err := element.Slots(t.Context())
			must(t, err)
			if len(slots.Shadow.Slots) != 0 || len(slots.Live.Slots) != map[bool]int{false: 2, true: 0}[name == "ended with the card"] {
				t.Errorf("%d live and %d shadow keys are left", len(slots.Live.Slots), len(slots.Shadow.Slots))
			}
			tickets(t, h, p, 0)
			h.Check(t)
		})
	}
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	_, err := withdraw(h, a.ID, request(t, h, p, "withdraw", a.ID))
	must(t, err)
	p.Issue(t, "taro") // the chip made new keys in their place
	tickets(t, h, p, 0)
}

func TestEveryEndHasItsTicketAndNumbersGrow(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	first, second := h.Phone(t), h.Phone(t)
	first.Own(t, "taro")
	second.Own(t, "taro")
	var last int64
	for _, p := range []*housetest.Phone{first, second} {
		want := warifu.CredentialSuperseded
		if p == second {
			want = warifu.CredentialExpired
			h.Clock.To(h.Clock.Now().AddDate(11, 0, 0))
			_, err := h.Registrar.Expire(context.Background())
			must(t, err)
		}
		for i, der := range tickets(t, h, p, 2) {
			kind := warifu.Kinds[i]
			ticket, err := attest.OpenKillTicket(der, ticketKey(t, h, kind))
			must(t, err)
			if ticket.Status != want || kind == warifu.Signature && ticket.Number <= last {
				t.Errorf("%s: ticket %d says %s", kind, ticket.Number, ticket.Status)
			}
			if kind == warifu.Signature {
				last = ticket.Number
			}
		}
	}
}

// The tickets of a chip come in order of kind and number, whichever credential came first,
// and the chip is empty when it has heard them all, in that order or any other.
func TestTicketsComeInOrderOfKindAndNumber(t *testing.T) {
	for _, backwards := range []bool{false, true} {
		h := housetest.New(t, housetest.Options{})
		p := h.Phone(t)
		p.Own(t, "taro")
		never := p.Issue(t, "taro") // waits in the shadow
		_, err := withdraw(h, never.ID, request(t, h, p, "withdraw", never.ID))
		must(t, err)
		tickets(t, h, p, 2) // written now: the first numbers
		_, err = byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
		must(t, err)
		papers := tickets(t, h, p, 4)
		last := attest.KillTicket{}
		for i, paper := range papers {
			ticket, err := attest.OpenKillTicket(paper, ticketKey(t, h, warifu.Kinds[i/2]))
			must(t, err)
			if ticket.Kind == last.Kind && ticket.Number <= last.Number {
				t.Errorf("%s: number %d after %d", ticket.Kind, ticket.Number, last.Number)
			}
			last = ticket
		}
		if backwards {
			slices.Reverse(papers)
		}
		killed, err := p.App.Obey(context.Background(), papers)
		must(t, err)
		slots, err := elementOf(t, p).Slots(context.Background())
		must(t, err)
		if killed != 4 || len(slots.Live.Slots)+len(slots.Shadow.Slots) != 0 {
			t.Errorf("backwards %t: %d obeyed, left %+v", backwards, killed, slots)
		}
		tickets(t, h, p, 0)
		h.Check(t)
	}
}

// noSigner is a ticket key that cannot be reached.
type noSigner struct{ crypto.Signer }

func (noSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, warifu.Unavailable("signing-failed")
}

// An order stands from its commit on: that its tickets cannot be made makes it no failure.
func TestAnOrderWhoseTicketsCannotBeMadeStands(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	keys := maps.Clone(h.Registrar.TicketKeys)
	for kind, key := range keys {
		h.Registrar.TicketKeys[kind] = noSigner{key}
	}
	got, err := byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
	must(t, err)
	for _, s := range got {
		if s.State != warifu.CredentialRevoked || s.Ticket != nil {
			t.Errorf("%+v", s)
		}
	}
	if len(got) != 2 {
		t.Errorf("%d answered", len(got))
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialRevoked)
	revoke := func() ([]phone.Standing, error) {
		return p.App.Revoke(context.Background(), nil, phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
	}
	done, err := revoke() // asked again: it is so, and the keys wait for their tickets
	if len(done) != 2 || err == nil {
		t.Errorf("%+v (%v)", done, err)
	}
	maps.Copy(h.Registrar.TicketKeys, keys)
	_, err = revoke()
	must(t, err)
	tickets(t, h, p, 0)
	slots, err := elementOf(t, p).Slots(context.Background())
	must(t, err)
	if len(slots.Live.Slots) != 0 {
		t.Errorf("left %+v", slots.Live)
	}
	h.Check(t)
}

// A chip that was written anew has given up what lay in it; one that has not been heard
// to has not.
func TestAChipWrittenAnewNeedsNoTicketForWhatWas(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	again := p.Issue(t, "taro")
	h.Clock.Forward(time.Minute)
	for cut := 0; ; cut++ { // until the receipt was committed and ACTIVATE was lost
		personalizeByHand(t, h, p, again.ID, cut)
		if h.Application(t, again.ID).State == warifu.ApplicationPersonalized {
			break
		}
	}
	tickets(t, h, p, 2)
	personalizeByHand(t, h, p, again.ID, -1)
	tickets(t, h, p, 0)
	_, err := byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
	must(t, err)
	tickets(t, h, p, 2)
	h.Check(t)
}

func TestOnlyTheChipItselfGivesAReceipt(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, other := h.Phone(t), h.Phone(t)
	p.Own(t, "taro")
	other.Own(t, "hanako")
	_, err := byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
	must(t, err)
	ticket, err := attest.OpenKillTicket(tickets(t, h, p, 2)[0], ticketKey(t, h, warifu.Signature))
	must(t, err)
	word := attest.KillReceipt{Element: p.Record.Element, Kind: ticket.Kind, PublicKey: ticket.PublicKey, Number: ticket.Number, Counter: 1}
	// Whoever holds the keys of the secure channel signs with what they can: a key of their own,
	// or the key of the tickets. Neither is the chip's.
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	for name, key := range map[string]crypto.Signer{"a key of theirs": own, "the ticket key": h.Config(t).TicketKeys[ticket.Kind]} {
		forged, err := word.Seal(key)
		must(t, err)
		t.Run(name, func(t *testing.T) { wantProblem(t, receipt(h, p, forged), "paper-signature-invalid") })
	}
	// Another chip's genuine receipt, and this chip's own word of another paper.
	_, err = byDevice(h, other, ask(t, h, other, "revoke", both, warifu.Signature))
	must(t, err)
	theirs, err := elementOf(t, other).Kill(context.Background(), tickets(t, h, other, 2)[0])
	must(t, err)
	wantProblem(t, receipt(h, p, theirs), "paper-signature-invalid")
	wantProblem(t, receipt(h, p, ask(t, h, p, "revoke", both)), "paper-signature-invalid")
	wantProblem(t, receipt(h, p, []byte("gone")), "paper-malformed")
	wantProblem(t, receipt(h, h.Phone(t), theirs), "element-unknown")
	tickets(t, h, p, 2)
	h.Check(t)
}

// A receipt for a ticket that was never written settles nothing.
func TestAReceiptForNoTicketIsRefused(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	c := credentials(t, h, a.ID)[0]
	// The chip obeys whoever holds the ticket key; here that is a thief of it.
	ticket, err := attest.KillTicket{Element: p.Record.Element, Kind: c.Kind, PublicKey: c.PublicKey, Serial: c.Serial,
		Status: warifu.CredentialRevoked, Number: 77, IssuedAt: h.Clock.Now()}.Seal(h.Config(t).TicketKeys[c.Kind])
	must(t, err)
	gone, err := elementOf(t, p).Kill(context.Background(), ticket)
	must(t, err)
	wantProblem(t, receipt(h, p, gone), "kill-receipt-other")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	_, err = byCard(h, cardOrder(t, h, "taro", revokeAll))
	must(t, err)
	left := tickets(t, h, p, 2)
	wantProblem(t, receipt(h, p, gone), "kill-receipt-other") // of another number
	if !slices.ContainsFunc(left, func(der []byte) bool {
		k, err := attest.OpenKillTicket(der, ticketKey(t, h, c.Kind))
		return err == nil && k.Number == 1
	}) {
		t.Error("the number of a ticket that was never written counts")
	}
}
