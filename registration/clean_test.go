package registration_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/registration"
)

const shop = "リユース市場 神田店"

// imei is how a shop names a phone it holds in its hands.
func imei(t testing.TB, h *housetest.House, p *housetest.Phone) string {
	t.Helper()
	for _, made := range h.Maker.Phones() {
		if made.Element == p.Record.Element {
			return "imei:" + made.IMEI
		}
	}
	t.Fatal("the maker does not know the phone")
	return ""
}

// shown is a proof, its chain and the question it answers.
type shown struct {
	proof    []byte
	chain    [][]byte
	question registration.CleanQuestion
}

func show(t testing.TB, h *housetest.House, p *housetest.Phone, identifiers ...string) shown {
	t.Helper()
	ctx := context.Background()
	q := registration.CleanQuestion{Marketplace: shop, Nonce: make([]byte, 16), Identifiers: identifiers}
	_, err := rand.Read(q.Nonce)
	must(t, err)
	element := elementOf(t, p)
	proof, err := element.CleanProof(ctx, q.Marketplace, q.Nonce, q.Identifiers, h.Clock.Now())
	must(t, err)
	chain, err := element.Chain(ctx)
	must(t, err)
	return shown{proof, chain, q}
}

func (s shown) ask(h *housetest.House) (registration.CleanAnswer, error) {
	return h.Registrar.Clean(context.Background(), s.proof, s.chain, s.question)
}

func wantAnswer(t testing.TB, h *housetest.House, s shown, want registration.Clean, reasons ...string) registration.CleanAnswer {
	t.Helper()
	a, err := s.ask(h)
	must(t, err)
	if a.Answer != want || !slices.Equal(a.Reasons, reasons) {
		t.Fatalf("%s because of %v, want %s because of %v", a.Answer, a.Reasons, want, reasons)
	}
	return a
}

func wipe(t testing.TB, h *housetest.House, p *housetest.Phone) {
	t.Helper()
	all, err := h.Registrar.Tickets(context.Background(), p.Record.Element)
	must(t, err)
	for _, ticket := range all {
		gone, err := elementOf(t, p).Kill(context.Background(), ticket)
		must(t, err)
		must(t, receipt(h, p, gone))
	}
}

func TestAPhoneIsCleanOnceItsKeysAreGoneAndNothingIsLive(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	name := imei(t, h, p)
	wantAnswer(t, h, show(t, h, p, name), registration.CleanYes) // never used
	a := p.Issue(t, "taro")
	h.Clock.Forward(time.Minute)
	wantAnswer(t, h, show(t, h, p, name), registration.CleanNo, registration.CleanApplicationOpen)
	must(t, p.Personalize())
	h.Clock.Forward(time.Minute)
	wantAnswer(t, h, show(t, h, p, name), registration.CleanNo, registration.CleanCredentialLive, registration.CleanKeyLeft)
	_, err := byCard(h, cardOrder(t, h, "taro", suspendLost)) // on hold is not clean either
	must(t, err)
	wantAnswer(t, h, show(t, h, p, name), registration.CleanNo, registration.CleanCredentialLive, registration.CleanKeyLeft)
	_, err = byCard(h, cardOrder(t, h, "taro", revokeAll))
	must(t, err)
	wantAnswer(t, h, show(t, h, p, name), registration.CleanNo, registration.CleanKeyLeft) // a reset removes nothing (R74)
	wipe(t, h, p)
	got := wantAnswer(t, h, show(t, h, p, name), registration.CleanYes)
	if got.Counter != 1 || !got.ProvedAt.Equal(h.Clock.Now().Truncate(time.Second)) || !got.CheckedAt.Equal(h.Clock.Now()) || got.Element != p.Record.Element {
		t.Errorf("the answer says %+v", got)
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialRevoked)
	h.Check(t)
}

func TestAProofGrowsOldWithTheNextPersonalization(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	h.Clock.Forward(time.Hour)
	before := show(t, h, p, imei(t, h, p))
	wantAnswer(t, h, before, registration.CleanYes)
	h.Clock.Forward(time.Minute)
	p.Own(t, "taro")
	wantAnswer(t, h, before, registration.CleanNo, registration.CleanCredentialLive, registration.CleanProofOld)
	_, err := byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
	must(t, err)
	wantAnswer(t, h, before, registration.CleanUnknown, registration.CleanProofOld)
	wipe(t, h, p)
	h.Clock.Forward(time.Minute)
	wantAnswer(t, h, show(t, h, p, imei(t, h, p)), registration.CleanYes)

	// The shop's clock is wrong: what it calls later was said before. The counter knows.
	early := show(t, h, p, imei(t, h, p))
	h.Clock.Forward(-30 * time.Second)
	p.Own(t, "taro")
	_, err = byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
	must(t, err)
	wipe(t, h, p)
	wantAnswer(t, h, early, registration.CleanUnknown, registration.CleanProofOld)
	h.Clock.Forward(time.Minute)
	wantAnswer(t, h, show(t, h, p, imei(t, h, p)), registration.CleanYes)
	h.Check(t)
}

func TestAProofAnswersItsOwnQuestionOnly(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, other := h.Phone(t), h.Phone(t)
	h.Clock.Forward(time.Hour)
	s := show(t, h, p, imei(t, h, p))
	for name, change := range map[string]func(*shown){
		"another marketplace": func(s *shown) { s.question.Marketplace = "別の市場" },
		"another nonce":       func(s *shown) { s.question.Nonce = make([]byte, 16) },
		"another phone":       func(s *shown) { s.question.Identifiers = []string{imei(t, h, other)} },
		"no phone":            func(s *shown) { s.question.Identifiers = nil },
	} {
		t.Run(name, func(t *testing.T) {
			changed := s
			change(&changed)
			_, err := changed.ask(h)
			wantProblem(t, err, "clean-proof-other")
		})
	}
	wantAnswer(t, h, show(t, h, p), registration.CleanUnknown, registration.CleanUnnamed)

	forged := s
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	forged.proof, err = attest.CleanProof{
		Element: p.Record.Element, Marketplace: shop, Nonce: s.question.Nonce, Identifiers: s.question.Identifiers, Counter: 9, Time: h.Clock.Now(),
		Slots: []attest.CleanSlot{{Kind: warifu.Signature}, {Kind: warifu.Authentication}},
	}.Seal(own)
	must(t, err)
	_, err = forged.ask(h)
	wantProblem(t, err, "paper-signature-invalid")
	mixed := s
	mixed.chain = show(t, h, other, imei(t, h, other)).chain
	_, err = mixed.ask(h)
	wantProblem(t, err, "paper-signature-invalid")
	mixed.chain = nil
	_, err = mixed.ask(h)
	wantProblem(t, err, "attestation-chain-invalid")
	mixed = s
	mixed.proof = []byte("clean, upon my word")
	_, err = mixed.ask(h)
	wantProblem(t, err, "paper-malformed")

	h.Clock.Forward(-10 * time.Minute)
	_, err = s.ask(h)
	wantProblem(t, err, "clean-proof-time")
}

// A receipt is not a proof and a proof not a receipt, though one key signs both.
func TestTheChipsPapersAreNotTakenForOneAnother(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	s := show(t, h, p, imei(t, h, p))
	wantProblem(t, receipt(h, p, s.proof), "paper-signature-invalid")
	_, err := byDevice(h, p, s.proof)
	wantProblem(t, err, "paper-signature-invalid")
	s.proof = ask(t, h, p, "revoke", both, warifu.Signature)
	_, err = s.ask(h)
	wantProblem(t, err, "paper-signature-invalid")
}
