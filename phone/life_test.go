package phone_test

import (
	"net/http"
	"testing"
	"time"

	"warifu"
	"warifu/phone"
)

// What can never be a secret is refused before server or chip hear of it, and a phone
// without certificates says so.
func TestOrdersAreCheckedBeforeAnythingIsSpent(t *testing.T) {
	f := newFixture(t)
	_, err := f.app.Revoke(ctx, nil, phone.Secret{Kind: warifu.Signature, Typed: phonePass})
	wantProblem(t, "revoking nothing", "credential-none", err)
	f.app.Element = untouched(t)
	_, err = f.app.Revoke(ctx, warifu.Kinds[:], phone.Secret{Kind: warifu.Signature, Typed: "12"})
	wantProblem(t, "half a password", "secret-format", err)
	_, err = f.app.Suspend(ctx, warifu.Kinds[:], time.Time{}, phone.Secret{Kind: warifu.Authentication, Typed: "12"})
	wantProblem(t, "half a PIN", "secret-format", err)
	if n, err := f.app.Obey(ctx, nil); n != 0 || err != nil {
		t.Errorf("no tickets: %d, %v", n, err)
	}
}

// An order with the card touches no card for a password that can never be valid, and
// takes no phone for a card.
func TestOrdersWithTheCardAreTheCardsAlone(t *testing.T) {
	f := newFixture(t)
	at := phone.Elsewhere{Server: f.app.Server, Scheme: f.app.Scheme, Clock: f.clock}
	order := phone.CardOrder{Verb: warifu.VerbRevoke, Card: untouched(t), CardPassword: "short"}
	_, err := at.Order(ctx, order)
	wantProblem(t, "a short password", "card-pin-format", err)
	at.Server = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`))
	})
	order.Card, order.CardPassword = f.app.Element, cardPassword
	_, err = at.Order(ctx, order)
	wantProblem(t, "a phone for a card", "parent-is-phone", err)
}

// A hostile server chooses no keys of its own liking by its reasons.
func TestReasonsOfACleanAnswerAreSlugsOfOurs(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"answer":"not-clean","counter":3,"reasons":[{"type":"urn:warifu:problem:clean-key-left"},{"type":"urn:warifu:problem:../x"},{"type":"about:blank"}]}`))
	})
	a, err := s.Clean(ctx, phone.CleanProof{}, phone.CleanQuestion{Marketplace: "shop"})
	must(t, err)
	if a.Answer != "not-clean" || a.Counter != 3 || len(a.Reasons) != 1 || a.Reasons[0] != "clean-key-left" {
		t.Errorf("got %+v", a)
	}
}
