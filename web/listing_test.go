package web_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/phone"
	"warifu/registration"
	"warifu/verification"
)

var password = phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature}

// market is the bank, which trades in phones too.
type market struct {
	t    *testing.T
	site http.Handler
	h    *housetest.House
}

func newMarket(t *testing.T) market {
	h, s := site(t)
	return market{t, s, h}
}

func (m market) try(key string, element warifu.ElementID, nonce byte, life time.Duration) *http.Response {
	octets := base64.StdEncoding.EncodeToString(slices.Repeat([]byte{nonce}, 32))
	body := fmt.Sprintf(`{"nonce":%q,"expiresAt":%q}`, octets, m.h.Clock.Now().Add(life).UTC().Format(time.RFC3339))
	return ask(m.site, "POST", "/api/v1/elements/"+element.String()+"/listings", body, "Authorization", "Bearer "+key)
}

type outcome struct {
	ID, State, Marketplace string
	Clean                  *phone.CleanProof
}

func (m market) read(r *http.Response, status int) (out outcome) {
	m.t.Helper()
	body := text(m.t, r)
	if r.StatusCode != status {
		m.t.Fatalf("status %d, want %d: %s", r.StatusCode, status, body)
	}
	must(m.t, json.Unmarshal([]byte(body), &out))
	return out
}

func (m market) ask(element warifu.ElementID, nonce byte) string {
	m.t.Helper()
	return m.read(m.try(housetest.BankKey, element, nonce, 24*time.Hour), http.StatusAccepted).ID
}

func (m market) fetch(key, id string) *http.Response {
	return ask(m.site, "GET", "/api/v1/listings/"+id, "", "Authorization", "Bearer "+key)
}

func (m market) wants(id, state string) outcome {
	m.t.Helper()
	out := m.read(m.fetch(housetest.BankKey, id), http.StatusOK)
	if out.State != state || (out.Clean != nil) != (state == "clean") || out.Marketplace != "bank" {
		m.t.Errorf("outcome %+v, want %s", out, state)
	}
	return out
}

func (m market) leave(p *housetest.Phone, d phone.Decision) (phone.Parted, error) {
	return p.App.Leave(context.Background(), phone.OccasionListing, d)
}

// R81, R83: who offered the phone is asked on the phone, and nothing but what they send
// reaches the marketplace, which gets a proof for itself alone once nothing is left.
func TestAMarketplaceWithoutThePhoneHasItsHolderAsked(t *testing.T) {
	ctx, m := context.Background(), newMarket(t)
	p := m.h.Phone(t)
	a := p.Own(t, "taro")
	m.h.Clock.Forward(time.Minute)
	before := len(m.h.Pushed.Told())
	first, second := m.ask(p.Record.Element, 1), m.ask(p.Record.Element, 2)
	if again := m.ask(p.Record.Element, 1); again != first {
		t.Errorf("the same question is %s and %s", first, again)
	}
	if n, err := m.h.Registrar.TellListings(ctx); n != 2 || err != nil {
		t.Errorf("%d notices, %v", n, err)
	}
	if n, err := m.h.Registrar.TellListings(ctx); n != 0 || err != nil {
		t.Errorf("told again: %d, %v", n, err)
	}
	m.h.Drain(t)
	if told := m.h.Pushed.Told()[before:]; !slices.Equal(told, []string{a.ID}) {
		t.Errorf("the phone was told %v, want the application's identifier once", told)
	}
	reminders, err := p.App.Reminders(ctx)
	must(t, err)
	if len(reminders) != 2 || reminders[0].Occasion != phone.RemindListed || reminders[0].Listing != first || !strings.Contains(reminders[0].En, "Sample Bank") {
		t.Errorf("reminders %+v", reminders)
	}
	m.wants(first, "pending")

	// whoever holds a stolen phone declines, and no more
	if _, err := m.leave(p, phone.Decision{Choice: phone.ChoiceRevoke, Secret: phone.Secret{Kind: warifu.Signature, Typed: "WRONG000"}}); warifu.ProblemOf(err).Problem != "secret-wrong" {
		t.Error(err)
	}
	out, err := m.leave(p, phone.Decision{Choice: phone.ChoiceNotMe, Listing: second})
	must(t, err)
	if len(out.Answered) != 1 || out.Answered[0].ID != second {
		t.Errorf("%+v", out)
	}
	m.wants(second, "declined")
	m.wants(first, "pending")

	out, err = m.leave(p, phone.Decision{Choice: phone.ChoiceRevoke, Secret: password})
	must(t, err)
	if len(out.Answered) != 1 || out.Answered[0].Answer != "clean" {
		t.Errorf("%+v", out)
	}
	got := m.wants(first, "clean")
	answer, err := m.h.Server.Clean(ctx, *got.Clean, phone.CleanQuestion{Marketplace: "bank", Nonce: slices.Repeat([]byte{1}, 32)})
	must(t, err)
	if !slices.Equal(answer.Reasons, []string{registration.CleanUnnamed}) || answer.Element != p.Record.Element.String() {
		t.Errorf("the proof says %+v", answer)
	}
	problem(t, m.fetch(housetest.ShopKey, first), http.StatusNotFound, "listing-unknown")
	problem(t, m.fetch("nobody", first), http.StatusUnauthorized, "relying-party-unknown")
	m.h.Check(t)
}

// Keeping or suspending is no proof, and the marketplace cannot tell why there is none.
func TestWhoKeepsOrSuspendsDeclinesAndNoMoreIsSaid(t *testing.T) {
	m := newMarket(t)
	p := m.h.Phone(t)
	p.Own(t, "taro")
	bodies := map[string]bool{}
	for nonce, d := range []phone.Decision{{Choice: phone.ChoiceKeep}, {Choice: phone.ChoiceNotMe}, {Choice: phone.ChoiceHold, Until: m.h.Clock.Now().Add(time.Hour), Secret: password}} {
		id := m.ask(p.Record.Element, byte(nonce+1))
		_, err := m.leave(p, d)
		must(t, err)
		m.wants(id, "declined")
		bodies[strings.ReplaceAll(text(t, m.fetch(housetest.BankKey, id)), id, "")] = true
	}
	if len(bodies) != 1 {
		t.Errorf("the marketplace can tell decisions apart: %v", bodies)
	}
	m.h.Check(t)
}

// A chip that nobody knows is answered like any other, and an answer that does not come is
// the same for both.
func TestAMarketplaceLearnsNothingOfAChip(t *testing.T) {
	m := newMarket(t)
	p := m.h.Phone(t)
	p.Own(t, "taro")
	var ids []string
	for _, element := range []warifu.ElementID{p.Record.Element, {9, 9, 9}} {
		r := m.try(housetest.BankKey, element, 1, time.Hour)
		ids = append(ids, m.read(r, http.StatusAccepted).ID)
	}
	for _, state := range []string{"pending", "expired"} {
		for _, id := range ids {
			m.wants(id, state)
		}
		m.h.Clock.Forward(2 * time.Hour)
	}
	if _, err := m.leave(p, phone.Decision{Choice: phone.ChoiceNotMe, Listing: ids[0]}); warifu.ProblemOf(err).Problem != "listing-unknown" {
		t.Errorf("answered after its end: %v", err)
	}
	m.h.Clock.Forward(31 * 24 * time.Hour)
	if n, err := m.h.Desk.PurgeListings(context.Background()); n != 2 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	problem(t, m.fetch(housetest.BankKey, ids[0]), http.StatusNotFound, "listing-unknown")
}

// A marketplace cannot crowd a holder, and asks for a week at most.
func TestQuestionsAboutAPhoneAreBounded(t *testing.T) {
	m := newMarket(t)
	element := warifu.ElementID{7}
	problem(t, m.try("nobody", element, 1, time.Hour), http.StatusUnauthorized, "relying-party-unknown")
	for _, life := range []time.Duration{-time.Hour, 8 * 24 * time.Hour} {
		problem(t, m.try(housetest.BankKey, element, 1, life), http.StatusUnprocessableEntity, "listing-malformed")
	}
	for nonce := range byte(3) {
		m.ask(element, nonce)
	}
	problem(t, m.try(housetest.BankKey, element, 9, time.Hour), http.StatusTooManyRequests, "listings-too-many")
	m.ask(warifu.ElementID{8}, 1)
	m.read(m.try(housetest.ShopKey, element, 9, time.Hour), http.StatusAccepted) // its own count
	m.h.Clock.Forward(8 * 24 * time.Hour)
	m.ask(element, 9)
	if all, err := m.h.Desk.Listings(context.Background(), element); len(all) != 1 || err != nil {
		t.Errorf("%d are shown, %v", len(all), err)
	}
}

// An answer is the chip's word about that question: no proof is taken while something is
// left, for another chip, or over another answer.
func TestAnAnswerThatIsNotTheChipsOrNotCleanIsRefused(t *testing.T) {
	ctx, m := context.Background(), newMarket(t)
	p, other := m.h.Phone(t), m.h.Phone(t)
	p.Own(t, "taro")
	other.Own(t, "hanako")
	m.h.Clock.Forward(time.Minute)
	id := m.ask(p.Record.Element, 1)
	q := phone.Asked{ID: id, Marketplace: "bank", Nonce: slices.Repeat([]byte{1}, 32)}
	send := func(p *housetest.Phone, decision string, proof *phone.CleanProof) error {
		return p.App.SendAnswer(ctx, q, decision, proof)
	}
	proof, err := p.App.CleanProof(ctx, phone.CleanQuestion{Marketplace: "bank", Nonce: q.Nonce, Time: m.h.Clock.Now()})
	must(t, err)
	stale, err := p.App.CleanProof(ctx, phone.CleanQuestion{Marketplace: "bank", Nonce: q.Nonce, Time: m.h.Clock.Now().Add(-30 * time.Second)})
	must(t, err)
	shop, err := p.App.CleanProof(ctx, phone.CleanQuestion{Marketplace: "shop", Nonce: q.Nonce, Time: m.h.Clock.Now()})
	must(t, err)
	for _, c := range []struct {
		what, slug string
		err        error
	}{
		{"while certificates are live", "listing-not-clean", send(p, "clean", &proof)},
		{"from before the question", "clean-proof-other", send(p, "clean", &stale)},
		{"for another marketplace", "clean-proof-other", send(p, "clean", &shop)},
		{"without a proof", "listing-malformed", send(p, "clean", nil)},
		{"by another chip", "listing-unknown", send(other, "declined", nil)},
		{"another chip's proof of it", "listing-unknown", send(other, "clean", &proof)},
	} {
		if warifu.ProblemOf(c.err).Problem != c.slug {
			t.Errorf("%s: %v, want %s", c.what, c.err, c.slug)
		}
	}
	m.wants(id, "pending")
	must(t, send(p, "declined", nil))
	must(t, send(p, "not-me", nil)) // the same to the marketplace
	if err := m.h.Desk.AnswerListing(ctx, p.Record.Element, id, verification.DecisionClean, []byte("{}")); warifu.ProblemOf(err).Problem != "listing-closed" {
		t.Error(err)
	}
	m.wants(id, "declined")
}
