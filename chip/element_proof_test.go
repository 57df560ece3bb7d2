package chip_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

// identifier is the number of the test's phone, as a marketplace names it.
const identifier = "imei:490154203237518"

var (
	asked = time.Date(2026, 4, 2, 10, 11, 12, 0, time.UTC)
	nonce = []byte("sixteen octets!!")
)

func prove(t testing.TB, tr iso7816.Transmitter, identifiers ...string) ([]byte, error) {
	t.Helper()
	return clientOf(t, tr).CleanProof(t.Context(), "フリマ", nonce, identifiers, asked)
}

func openProof(t testing.TB, p *elementtest.Phone, envelope []byte) attest.CleanProof {
	t.Helper()
	proof, err := attest.OpenCleanProof(envelope, attestationKey(t, p))
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

func TestACleanPhoneProofSaysWhatIsStillThere(t *testing.T) {
	p, keys := inUse(t, nil)
	p.Apply(t, jpki.P256, warifu.Signature) // what waits was never personalized
	kinds := []warifu.Kind{warifu.Signature, warifu.Authentication}
	for n := range 3 {
		for where, tr := range onEach(p) {
			envelope, err := prove(t, tr, identifier)
			if err != nil {
				t.Fatal(where, err)
			}
			proof := openProof(t, p, envelope)
			if proof.Element != p.Element.ID() || proof.Marketplace != "フリマ" || !bytes.Equal(proof.Nonce, nonce) || !proof.Time.Equal(asked) ||
				!slices.Equal(proof.Identifiers, []string{identifier}) || proof.Counter != 1 || proof.Clean() != (n == 2) {
				t.Fatalf("%s: %+v", where, proof)
			}
			for i, s := range proof.Slots {
				if s.Kind != elementKinds[i] || s.Live != (i >= n) {
					t.Fatalf("%s, %d destroyed: %+v", where, n, proof.Slots)
				}
			}
		}
		if n < 2 {
			kill(t, p, p.App(), p.Ticket(kinds[n], keys[kinds[n]], 1))
		}
	}
	p.Personalize(t, p.Work(t, p.Apply(t, jpki.P256, elementKinds...))) // a later personalization makes the proof old
	envelope, err := prove(t, p.App())
	if proof := openProof(t, p, envelope); err != nil || proof.Counter != 2 || proof.Clean() || len(proof.Identifiers) != 0 {
		t.Fatalf("%+v %v", proof, err)
	}
}

func TestEveryFlippedBitOfAnEndingPaperIsRefused(t *testing.T) {
	p, keys := inUse(t, nil)
	key := attestationKey(t, p)
	proof, err := prove(t, p.App(), identifier)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := p.Client(t).Kill(t.Context(), p.SealTicket(t, p.Ticket(warifu.Signature, keys[warifu.Signature], 1)))
	if err != nil {
		t.Fatal(err)
	}
	for name, paper := range map[string]struct {
		der  []byte
		open func([]byte) error
	}{
		"proof":   {proof, func(b []byte) error { _, err := attest.OpenCleanProof(b, key); return err }},
		"receipt": {receipt, func(b []byte) error { _, err := attest.OpenKillReceipt(b, key); return err }},
	} {
		if err := paper.open(paper.der); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range paper.der {
			flipped := bytes.Clone(paper.der)
			flipped[i] ^= 1 << (i % 8)
			if paper.open(flipped) == nil || paper.open(paper.der[:i]) == nil {
				t.Fatalf("%s: octet %d: believed", name, i)
			}
		}
	}
}

func TestAPhoneIsNotProvedUnderAnothersNumber(t *testing.T) {
	p := elementtest.New(t, nil)
	for _, named := range [][]string{
		{"imei:490154203237519"}, {"imei:"}, {"imei"}, {"490154203237518"}, {":490154203237518"}, {"serial:490154203237518"},
		{"imei2:490154203237518"}, {"IMEI:490154203237518"}, {"imei: 490154203237518"}, {identifier, "serial:1"}, {"serial:1", identifier},
	} {
		for where, tr := range onEach(p) {
			if err := p.Element.Reset(); err != nil {
				t.Fatal(err)
			}
			if where == "the app" {
				_, err := prove(t, tr, named...)
				expectProblem(t, err, "identifier-other")
				_, err = prove(t, tr, identifier, identifier) // guesses are forgotten
				if err != nil {
					t.Fatal(err)
				}
				continue
			}
			_, err := prove(t, tr, named...)
			expectProblem(t, err, "identifier-other")
		}
	}
}

// A reader that does not know the phone learns neither what it is called nor whose chip it is.
func TestAReaderMustNameThePhoneAndMayNotGuess(t *testing.T) {
	p, _ := inUse(t, nil)
	reader := func() iso7816.Transmitter { return p.Element.Contactless() }
	tr := reader()
	_, err := prove(t, tr)
	expectProblem(t, err, "identifier-needed")
	chain := iso7816.Command{CLA: 0x80, INS: jpki.InsChain, Ne: 65536}
	if r := transmit(t, tr, chain); r.SW != iso7816.SWConditions {
		t.Fatal("the chain, which names the chip:", r.SW)
	}
	if _, err = prove(t, tr, identifier); err != nil {
		t.Fatal(err)
	}
	if r := transmit(t, tr, chain); r.SW != iso7816.SWOK || !bytes.Equal(r.Data, bytes.Join(p.Personality.Chain, nil)) {
		t.Fatal("behind a proof:", r.SW)
	}
	selectPhone(t, tr)
	if r := transmit(t, tr, chain); r.SW != iso7816.SWConditions {
		t.Fatal("selected anew:", r.SW)
	}
	wrong := func() error { _, err := prove(t, reader(), "imei:1"); return err }
	for range 9 {
		expectProblem(t, wrong(), "identifier-other")
	}
	if _, err = prove(t, reader(), identifier); err != nil { // who knows it forgives the guesses
		t.Fatal(err)
	}
	for range 20 { // what the app asks is not counted
		_, err := prove(t, p.App(), "imei:1")
		expectProblem(t, err, "identifier-other")
	}
	for range 10 {
		expectProblem(t, wrong(), "identifier-other")
		if p.Element, err = chip.NewElement(p.Personality, p.Memory); err != nil {
			t.Fatal(err)
		}
	}
	expectProblem(t, wrong(), "proof-blocked")
	_, err = prove(t, reader(), identifier)
	expectProblem(t, err, "proof-blocked")
	_, err = prove(t, p.App(), "imei:1")
	expectProblem(t, err, "identifier-other")
	_, err = prove(t, reader(), identifier)
	expectProblem(t, err, "proof-blocked")
	if _, err = prove(t, p.App()); err != nil {
		t.Fatal(err)
	}
	if _, err = prove(t, reader(), identifier); err != nil {
		t.Fatal(err)
	}
}

func TestAQuestionOutsideItsBoundsIsRefused(t *testing.T) {
	p := elementtest.New(t, nil)
	client := p.Client(t)
	long := strings.Repeat("x", 129)
	many := slices.Repeat([]string{identifier}, 9)
	year10000 := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, q := range map[string]jpki.CleanQuestion{
		"nobody asks": {Marketplace: "", Nonce: nonce, Time: asked}, "a long name": {Marketplace: long, Nonce: nonce, Time: asked},
		"no text": {Marketplace: "\xff", Nonce: nonce, Time: asked}, "a short nonce": {Marketplace: "m", Nonce: nonce[:15], Time: asked},
		"a long nonce": {Marketplace: "m", Nonce: make([]byte, 65), Time: asked}, "a long identifier": {Marketplace: "m", Nonce: nonce, Time: asked, Identifiers: []string{long}},
		"an empty identifier": {Marketplace: "m", Nonce: nonce, Time: asked, Identifiers: []string{""}}, "nine identifiers": {Marketplace: "m", Nonce: nonce, Time: asked, Identifiers: many},
		"the year 10000": {Marketplace: "m", Nonce: nonce, Time: year10000}, "before 1970": {Marketplace: "m", Nonce: nonce, Time: time.Unix(-1, 0)},
	} {
		_, err := client.CleanProof(t.Context(), q.Marketplace, q.Nonce, q.Identifiers, q.Time)
		if err == nil {
			t.Errorf("%s: proved", name)
			continue
		}
		expectProblem(t, err, "clean-question-malformed")
	}
	widest := jpki.CleanQuestion{Marketplace: strings.Repeat("界", 42), Nonce: make([]byte, 64), Time: year10000.Add(-time.Second), Identifiers: many[:8]}
	envelope, err := client.CleanProof(t.Context(), widest.Marketplace, widest.Nonce, widest.Identifiers, widest.Time)
	if err != nil {
		t.Fatal(err)
	}
	if proof := openProof(t, p, envelope); !proof.Time.Equal(widest.Time) || len(proof.Identifiers) != 8 || proof.Marketplace != widest.Marketplace {
		t.Fatalf("%+v", proof)
	}
}
