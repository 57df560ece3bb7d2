package registration_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/phone"
	"warifu/queue"
	"warifu/registration"
)

// newTicketKeys gives the house so many further generations of ticket keys of a kind, each
// handed its office by the one before, and returns what the phones' chips are told.
func newTicketKeys(t *testing.T, h *housetest.House, kind warifu.Kind, generations int) *registration.Authority {
	t.Helper()
	c := h.Config(t)
	c.Queue = queue.New(queue.Config{Store: h.Store, Clock: h.Clock})
	c.TicketPapers = map[warifu.Kind][][]byte{}
	for range generations {
		next, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		c.TicketPapers[kind] = append(c.TicketPapers[kind], handedOn(t, kind, c.TicketKeys[kind], next))
		c.TicketKeys[kind] = next
	}
	r, err := registration.New(c)
	must(t, err)
	return r
}

// handedOn is the paper by which one ticket key hands its office to the next.
func handedOn(t *testing.T, kind warifu.Kind, from crypto.Signer, to *ecdsa.PrivateKey) []byte {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(to.Public())
	must(t, err)
	paper, err := attest.NextTicketKey{Kind: kind, PublicKey: spki}.Seal(from)
	must(t, err)
	return paper
}

// A phone that was personalized long ago has the ticket key of then. However many followed,
// the tickets of today reach it, behind the papers that lead there.
func TestAChipWithAnOlderTicketKeyIsStillReached(t *testing.T) {
	for generations := 1; generations <= 3; generations++ {
		h := housetest.New(t, housetest.Options{})
		p := h.Phone(t)
		p.Own(t, "taro")
		_, err := byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
		must(t, err)
		r := newTicketKeys(t, h, warifu.Signature, generations)
		papers, err := r.Tickets(t.Context(), p.Record.Element)
		must(t, err)
		if len(papers) != generations+2 {
			t.Fatalf("%d papers after %d new keys", len(papers), generations)
		}
		element := elementOf(t, p)
		_, err = element.Kill(t.Context(), papers[generations])
		wantProblem(t, err, "kill-ticket-invalid") // the chip does not know the key yet
		thief, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		wantProblem(t, element.NextTicketKey(t.Context(), handedOn(t, warifu.Signature, thief, thief)), "ticket-key-refused")
		for range 2 { // answers may be lost
			for _, paper := range papers[:generations] {
				if err := element.NextTicketKey(t.Context(), paper); err != nil { // it has come further already
					wantProblem(t, err, "ticket-key-refused")
				}
			}
			for _, ticket := range papers[generations:] {
				gone, err := element.Kill(t.Context(), ticket)
				must(t, err)
				must(t, r.KillReceipt(t.Context(), p.Record.Element, gone))
			}
		}
		left, err := r.Tickets(t.Context(), p.Record.Element)
		must(t, err)
		if len(left) != 0 {
			t.Errorf("%d papers are left", len(left))
		}
		h.Check(t)
	}
}

// The app hands over what the server gives it: also with the tickets that come with an
// order, which have no papers before them.
func TestTheAppBringsItsChipToTheTicketKeyOfToday(t *testing.T) {
	for _, by := range []string{"an order", "first contact"} {
		t.Run(by, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{})
			p := h.Phone(t)
			p.Own(t, "taro")
			h.UseRegistrar(newTicketKeys(t, h, warifu.Signature, 2))
			if by == "an order" {
				_, err := p.App.Revoke(t.Context(), warifu.Kinds[:], phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
				must(t, err)
			} else {
				_, err := h.Registrar.ByCard(t.Context(), cardOrder(t, h, "taro", revokeAll))
				must(t, err)
				n, err := p.App.Wipe(t.Context())
				must(t, err)
				if n != 2 {
					t.Errorf("%d keys were destroyed", n)
				}
			}
			slots, err := elementOf(t, p).Slots(t.Context())
			must(t, err)
			if len(slots.Live.Slots) != 0 {
				t.Errorf("%d keys are left in the chip", len(slots.Live.Slots))
			}
			tickets(t, h, p, 0)
			h.Check(t)
		})
	}
}

// A chip that is personalized today gets the key of today; the papers of older keys are
// refused by it, and its tickets obeyed.
func TestAChipThatIsWrittenTodayHasTheKeyOfToday(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	h.UseRegistrar(newTicketKeys(t, h, warifu.Authentication, 1))
	p := h.Phone(t)
	p.Own(t, "taro")
	_, err := h.Registrar.ByCard(t.Context(), cardOrder(t, h, "taro", revokeAll))
	must(t, err)
	if n, err := p.App.Wipe(t.Context()); err != nil || n != 2 {
		t.Errorf("%d keys were destroyed: %v", n, err)
	}
	tickets(t, h, p, 0)
}
