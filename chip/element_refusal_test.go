package chip_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/globalplatform"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

// ticketBody is a ticket as the wire has it, for what attest would not write.
type ticketBody struct {
	Version   int
	Element   []byte
	Kind      int
	PublicKey []byte
	Serial    []byte
	Status    string `asn1:"utf8"`
	Number    int64
	IssuedAt  time.Time `asn1:"generalized"`
}

func bodyOf(t attest.KillTicket) ticketBody {
	return ticketBody{1, t.Element[:], int(t.Kind), t.PublicKey[:], t.Serial, string(t.Status), t.Number, t.IssuedAt.UTC()}
}

// seal signs whatever body under the context.
func seal(t testing.TB, c attest.Context, body any, key crypto.Signer) []byte {
	t.Helper()
	der, err := asn1.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	out, err := attest.Seal(c, der, key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Whatever a ticket says that is not right, nothing is destroyed, over either interface.
func TestEveryTicketThatIsNotRightIsRefused(t *testing.T) {
	p, keys := inUse(t, nil)
	other := elementtest.New(t, nil)
	kill(t, p, p.App(), p.Ticket(warifu.Authentication, keys[warifu.Authentication], 40)) // numbers of one kind say nothing of the other's
	again := p.Apply(t, jpki.P256, elementKinds...)
	p.Personalize(t, p.Work(t, again))
	shadow := p.Apply(t, jpki.P256, warifu.Authentication)
	kill(t, p, p.App(), p.Ticket(warifu.Authentication, shadow[warifu.Authentication], 50))
	right := p.Ticket(warifu.Signature, again[warifu.Signature], 60)
	authentication := p.Ticket(warifu.Authentication, again[warifu.Authentication], 60)
	signer := p.Tickets[warifu.Signature]
	with := func(change func(*attest.KillTicket)) []byte {
		ticket := right
		change(&ticket)
		return p.SealTicket(t, ticket)
	}
	body := func(change func(*ticketBody)) []byte {
		b := bodyOf(right)
		change(&b)
		return seal(t, attest.ContextKillTicket, b, signer)
	}
	status := func(s string) []byte { return body(func(b *ticketBody) { b.Status = s }) }
	for name, c := range map[string]struct {
		ticket  []byte
		problem string
	}{
		"for a digest that no slot has":        {with(func(k *attest.KillTicket) { k.PublicKey = warifu.DigestOf([]byte("another key")) }), "kill-ticket-other"},
		"for the digest of the other kind":     {with(func(k *attest.KillTicket) { k.PublicKey = authentication.PublicKey }), "kill-ticket-other"},
		"for another chip":                     {with(func(k *attest.KillTicket) { k.Element = other.Element.ID() }), "kill-ticket-other"},
		"with a lower number for such a key":   {p.SealTicket(t, p.Ticket(warifu.Authentication, []byte("another key"), 40)), "kill-ticket-old"},
		"with another ticket's number for it":  {p.SealTicket(t, p.Ticket(warifu.Authentication, []byte("another key"), 50)), "kill-ticket-old"},
		"with the first number for it":         {p.SealTicket(t, p.Ticket(warifu.Authentication, []byte("another key"), 1)), "kill-ticket-old"},
		"without a number":                     {body(func(b *ticketBody) { b.Number = 0 }), "kill-ticket-invalid"},
		"with a number below none":             {body(func(b *ticketBody) { b.Number = -1 }), "kill-ticket-invalid"},
		"forged by anybody":                    {seal(t, attest.ContextKillTicket, bodyOf(right), p256(t)), "kill-ticket-invalid"},
		"forged by the chip itself":            {seal(t, attest.ContextKillTicket, bodyOf(right), attestationSigner(t, p)), "kill-ticket-invalid"},
		"forged by the parent card":            {seal(t, attest.ContextKillTicket, bodyOf(right), p.Parent), "kill-ticket-invalid"},
		"signed by the other kind's authority": {seal(t, attest.ContextKillTicket, bodyOf(right), p.Tickets[warifu.Authentication]), "kill-ticket-invalid"},
		"by an authority of the other kind":    {seal(t, attest.ContextKillTicket, bodyOf(authentication), signer), "kill-ticket-invalid"},
		"of another operator":                  {other.SealTicket(t, right), "kill-ticket-invalid"},
		"signed as another paper":              {seal(t, attest.ContextKillReceipt, bodyOf(right), signer), "kill-ticket-invalid"},
		"for a certificate on hold":            {status("held"), "kill-ticket-invalid"},
		"for an active certificate":            {status("active"), "kill-ticket-invalid"},
		"for a pending certificate":            {status("pending"), "kill-ticket-invalid"},
		"for no status":                        {status(""), "kill-ticket-invalid"},
		"for a status nobody knows":            {status("destroyed"), "kill-ticket-invalid"},
		"of a kind there is not":               {body(func(b *ticketBody) { b.Kind = 3 }), "kill-ticket-invalid"},
		"of no kind":                           {body(func(b *ticketBody) { b.Kind = 0 }), "kill-ticket-invalid"},
		"of another version":                   {body(func(b *ticketBody) { b.Version = 2 }), "kill-ticket-invalid"},
		"of a chip with a short name":          {body(func(b *ticketBody) { b.Element = b.Element[:15] }), "kill-ticket-invalid"},
		"of a key with a short name":           {body(func(b *ticketBody) { b.PublicKey = b.PublicKey[:31] }), "kill-ticket-invalid"},
		"without a serial":                     {body(func(b *ticketBody) { b.Serial = nil }), "kill-ticket-invalid"},
		"with a serial too long":               {body(func(b *ticketBody) { b.Serial = make([]byte, 21) }), "kill-ticket-invalid"},
		"with something behind it":             {append(with(func(*attest.KillTicket) {}), 0), "kill-ticket-invalid"},
		"of seventeen kilobytes":               {make([]byte, 17<<10), "kill-ticket-invalid"},
		"of nothing":                           {nil, "kill-ticket-invalid"},
	} {
		for where, tr := range onEach(p) {
			before := slotsOf(t, p)
			_, err := clientOf(t, tr).Kill(t.Context(), c.ticket)
			t.Run(name+" over "+where, func(t *testing.T) { expectProblem(t, err, c.problem) })
			if after := slotsOf(t, p); !sameSlots(before, after) {
				t.Fatalf("%s: %+v became %+v", name, before, after)
			}
		}
	}
	kill(t, p, p.Element.Contactless(), right) // and the right one is obeyed after all that
}

func attestationSigner(t testing.TB, p *elementtest.Phone) crypto.Signer {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(p.Personality.AttestationKey)
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}

func sameSlots(a, b jpki.Slots) bool {
	return bytes.Equal(append(a.Live.Bytes(), a.Shadow.Bytes()...), append(b.Live.Bytes(), b.Shadow.Bytes()...))
}

func TestEveryFlippedBitOfATicketIsRefused(t *testing.T) {
	p, keys := inUse(t, nil)
	ticket := p.SealTicket(t, p.Ticket(warifu.Signature, keys[warifu.Signature], 1))
	client := p.Client(t)
	for i := range ticket {
		for bit := range 8 {
			flipped := bytes.Clone(ticket)
			flipped[i] ^= 1 << bit
			if _, err := client.Kill(t.Context(), flipped); err == nil {
				t.Fatalf("octet %d, bit %d: obeyed", i, bit)
			}
		}
	}
	for n := range ticket {
		if _, err := client.Kill(t.Context(), ticket[:n]); err == nil {
			t.Fatalf("cut to %d octets: obeyed", n)
		}
	}
	if left := liveKinds(t, p); len(left) != 2 {
		t.Fatal(left)
	}
}

func TestAChipWithoutATicketKeyObeysNobody(t *testing.T) {
	p := elementtest.New(t, nil)
	w := p.Work(t, p.Apply(t, jpki.P256, elementKinds...))
	w.TicketKeys = nil
	p.Personalize(t, w)
	keys := p.Apply(t, jpki.P256, warifu.Signature)
	_, err := p.Client(t).Kill(t.Context(), p.SealTicket(t, p.Ticket(warifu.Signature, keys[warifu.Signature], 1)))
	expectProblem(t, err, "kill-ticket-other")
	if slots := slotsOf(t, p); !slots.Live.Tickets.IsZero() || len(slots.Shadow.Slots) != 1 {
		t.Fatalf("%+v", slots)
	}
}

func TestOtherParametersOfTheEndingCommandsAreRefused(t *testing.T) {
	p, _ := inUse(t, nil)
	for _, ins := range []byte{jpki.InsKill, jpki.InsCleanProof, jpki.InsNextTicketKey} {
		for _, c := range []iso7816.Command{{CLA: 0x80, INS: ins, P1: 1}, {CLA: 0x80, INS: ins, P2: 1}} {
			app := p.App()
			selectPhone(t, app)
			if r := transmit(t, app, c); r.SW != iso7816.SWWrongParameters {
				t.Errorf("%02X: %v", ins, r.SW)
			}
		}
	}
}

// spki is a public key as a certificate has it.
func spki(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestATicketKeyNamesTheNext(t *testing.T) {
	p, keys := inUse(t, nil)
	old, next := p.Tickets[warifu.Signature], p256(t)
	number := func(n int64) attest.KillTicket { return p.Ticket(warifu.Signature, keys[warifu.Signature], n) }
	paper := func(kind warifu.Kind, public []byte, by crypto.Signer) []byte {
		der, err := attest.NextTicketKey{Kind: kind, PublicKey: public}.Seal(by)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	client := p.Client(t)
	before := slotsOf(t, p)
	for name, bad := range map[string][]byte{
		"signed by the key that comes": paper(warifu.Signature, spki(t, next), next), "of the other kind": paper(warifu.Authentication, spki(t, next), old),
		"naming an RSA key": paper(warifu.Signature, spki(t, rsaTicketKey()), old), "naming nothing": paper(warifu.Signature, nil, old),
		"of a kind there is not": paper(3, spki(t, next), old), "empty": nil, "a ticket": p.SealTicket(t, number(1)),
	} {
		if err := client.NextTicketKey(t.Context(), bad); err == nil || !sameSlots(before, slotsOf(t, p)) {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for range 2 { // idempotent
		if err := client.NextTicketKey(t.Context(), paper(warifu.Signature, spki(t, next), old)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.Kill(t.Context(), p.SealTicket(t, number(1)))
	expectProblem(t, err, "kill-ticket-invalid")
	back := paper(warifu.Signature, spki(t, old), old)
	expectProblem(t, client.NextTicketKey(t.Context(), back), "ticket-key-refused")
	p.Tickets[warifu.Signature] = next
	kill(t, p, p.App(), number(1))
	kill(t, p, p.App(), p.Ticket(warifu.Authentication, keys[warifu.Authentication], 1)) // the other kind's stayed
	reader := p.Element.Contactless()
	selectPhone(t, reader)
	if r := transmit(t, reader, iso7816.Command{CLA: 0x80, INS: jpki.InsNextTicketKey, Data: back}); r.SW != iso7816.SWInstructionUnsupported {
		t.Fatal("over a reader:", r.SW)
	}
}

func rsaTicketKey() *rsa.PrivateKey { return elementtest.RSAKeys()[0] }

func TestALaterPersonalizationPinsOtherTicketKeys(t *testing.T) {
	p, keys := inUse(t, nil)
	kill(t, p, p.App(), p.Ticket(warifu.Signature, keys[warifu.Signature], 1000))
	p.Tickets[warifu.Signature], p.Tickets[warifu.Authentication] = p256(t), p256(t)
	again := p.Apply(t, jpki.P256, elementKinds...)
	w := p.Work(t, again)
	p.Personalize(t, w)
	if got := slotsOf(t, p).Live.Tickets; got != jpki.TicketKeysDigest(w.TicketKeys) {
		t.Fatalf("pinned %v", got)
	}
	kill(t, p, p.App(), p.Ticket(warifu.Signature, keys[warifu.Signature], 1)) // a new key counts anew, and the chip knows what it destroyed
	kill(t, p, p.App(), p.Ticket(warifu.Signature, again[warifu.Signature], 2))
}

func TestTicketKeysOfAnyOtherFormAreNotPinned(t *testing.T) {
	p, _ := inUse(t, nil)
	before := slotsOf(t, p)
	s := server(t, p)
	s.expect(t, globalplatform.InstallPersonalize(jpki.AID), iso7816.SWOK)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, object := range map[string][]byte{
		"none": jpki.WriteTicketKeys(nil), "RSA": jpki.WriteTicketKeys(map[warifu.Kind][]byte{warifu.Signature: spki(t, rsaTicketKey())}),
		"P-384":                jpki.WriteTicketKeys(map[warifu.Kind][]byte{warifu.Signature: spki(t, p384)}),
		"octets":               jpki.WriteTicketKeys(map[warifu.Kind][]byte{warifu.Signature: {1, 2}}),
		"one right, one wrong": jpki.WriteTicketKeys(map[warifu.Kind][]byte{warifu.Signature: spki(t, p256(t)), warifu.Authentication: {1}}),
		"no such kind":         iso7816.MakeTLV(jpki.TagWriteTicketKeys, iso7816.MakeTLV(0xE0, iso7816.MakeTLV(0x80, []byte{3}), iso7816.MakeTLV(0x81, spki(t, p256(t))))),
		"twice":                iso7816.MakeTLV(jpki.TagWriteTicketKeys, bytes.Repeat(iso7816.MakeTLV(0xE0, iso7816.MakeTLV(0x80, []byte{1}), iso7816.MakeTLV(0x81, spki(t, p256(t)))), 2)),
	} {
		var r iso7816.Response
		for _, c := range globalplatform.StoreData(object) {
			r = s.send(t, c)
		}
		if r.SW != iso7816.SWWrongData || !sameSlots(before, slotsOf(t, p)) {
			t.Errorf("%s: %v", name, r.SW)
		}
	}
}
