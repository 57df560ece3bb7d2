package verification_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/cms"
	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/phone"
	"warifu/profile"
	"warifu/verification"
)

const address = "https://bank.test/events"

// told checks every token that was taken with the published keys, and returns what they say.
func (w *town) told(t *testing.T) (tokens []verification.Token, events []verification.StatusEvent) {
	t.Helper()
	raw, err := w.Desk.Keys()
	must(t, err)
	var keys jose.JSONWebKeySet
	must(t, json.Unmarshal(raw, &keys))
	for _, compact := range w.Subscriber.Taken() {
		signed, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
		must(t, err)
		if typ := signed.Signatures[0].Header.ExtraHeaders[jose.HeaderType]; typ != "secevent+jwt" {
			t.Errorf("typ %v", typ)
		}
		payload, err := signed.Verify(&keys)
		must(t, err)
		var token verification.Token
		must(t, json.Unmarshal(payload, &token))
		var event verification.StatusEvent
		must(t, json.Unmarshal(token.Events[verification.EventStatus], &event))
		tokens, events = append(tokens, token), append(events, event)
	}
	return tokens, events
}

// tell does what the server does every second.
func (w *town) tell(t *testing.T) int {
	t.Helper()
	_, err := w.Desk.FollowFeed(ctx)
	must(t, err)
	n, err := w.Desk.Deliver(ctx)
	must(t, err)
	return n
}

func (w *town) suspend(t *testing.T) {
	t.Helper()
	w.Clock.Forward(time.Minute)
	_, err := w.phone.App.Suspend(ctx, nil, time.Time{}, pin)
	must(t, err)
}

func (w *town) resume(t *testing.T) {
	t.Helper()
	w.Clock.Forward(time.Minute)
	_, err := w.phone.App.Resume(ctx, nil, warifu.HoldOwnWish, phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
	must(t, err)
}

func TestASubscriberIsToldOfEveryChangeInOrder(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	s, err := w.Desk.Subscribe(ctx, housetest.BankKey, a.ID, address)
	must(t, err)
	w.tell(t)
	w.suspend(t)
	w.resume(t)
	w.tell(t)
	tokens, events := w.told(t)
	if len(tokens) != 3 {
		t.Fatalf("%d tokens", len(tokens))
	}
	want := []struct{ status, reason string }{{"good", ""}, {"revoked", warifu.ReasonCertificateHold.String()}, {"good", ""}}
	seen := map[string]bool{}
	for i, token := range tokens {
		e := events[i]
		if e.Sequence != int64(i+1) || e.Subscription != s.ID || e.Status != want[i].status || e.Reason != want[i].reason {
			t.Errorf("%d: %+v", i, e)
		}
		if token.Issuer != housetest.Origin || token.Audience != "bank" || token.Subject.ID != a.ID || seen[token.ID] {
			t.Errorf("%d: %+v", i, token)
		}
		seen[token.ID] = true
		_, change := token.Events[verification.EventCredentialChange]
		if _, first := token.Events[verification.EventVerification]; first != (i == 0) || change == (i == 0) {
			t.Errorf("%d: %v", i, token.Events)
		}
	}
	if w.tell(t) != 0 {
		t.Error("something is told twice")
	}
	var heard []string
	for _, e := range w.ledger(t) {
		heard = append(heard, e.What)
	}
	if len(heard) != 4 || heard[1] != ledger.Subscribed || heard[2] != ledger.Notified || heard[3] != ledger.Notified {
		t.Errorf("the holder reads %v", heard)
	}
}

// Being told of one change does not hold up the next.
func TestTwoChangesInOneMinuteAreToldAtOnce(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	_, err := w.Desk.Subscribe(ctx, housetest.BankKey, a.ID, address)
	must(t, err)
	if n := w.tell(t); n != 1 {
		t.Fatalf("told of %d at the beginning", n)
	}
	w.Clock.Forward(time.Second)
	_, err = w.phone.App.Suspend(ctx, nil, time.Time{}, pin)
	must(t, err)
	if n := w.tell(t); n != 1 {
		t.Errorf("told of %d changes a second later", n)
	}
}

func TestWhatIsNotTakenIsToldAgainInItsOrderAndUnderItsName(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	_, err := w.Desk.Subscribe(ctx, housetest.BankKey, a.ID, address)
	must(t, err)
	var refused []string
	w.Subscriber.Fault = func(token string) error { refused = append(refused, token); return errors.New("away") }
	w.tell(t)
	w.suspend(t)
	w.tell(t)
	if w.tell(t); len(refused) != 2 { // the second attempt was due after ten seconds, the third is not yet
		t.Fatalf("%d attempts", len(refused))
	}
	w.Subscriber.Fault = nil
	w.Clock.Forward(time.Hour)
	if n := w.tell(t); n != 2 {
		t.Fatalf("%d taken", n)
	}
	tokens, events := w.told(t)
	if events[0].Sequence != 1 || events[1].Sequence != 2 {
		t.Errorf("%+v", events)
	}
	first, err := jose.ParseSignedCompact(refused[0], []jose.SignatureAlgorithm{jose.ES256})
	must(t, err)
	var before verification.Token
	must(t, json.Unmarshal(first.UnsafePayloadWithoutVerification(), &before))
	if before.ID != tokens[0].ID {
		t.Error("the same event has two names: a receiver could not tell a replay")
	}
}

func TestASubscriptionThatNobodyTakesAnythingFromFails(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	s, err := w.Desk.Subscribe(ctx, housetest.BankKey, a.ID, address)
	must(t, err)
	w.Subscriber.Fault = func(string) error { return errors.New("away") }
	for range 100 {
		w.tell(t)
		w.Clock.Forward(time.Hour)
	}
	s, err = w.Desk.Subscription(ctx, housetest.BankKey, s.ID)
	must(t, err)
	if s.State != "failed" {
		t.Errorf("it is %s", s.State)
	}
}

func TestWhoMaySubscribeToWhat(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	for _, bad := range []string{"", "http://bank.test/", "https://", "https://u:p@bank.test/", "file:///etc/passwd", "https://bank.test/#x"} {
		_, err := w.Desk.Subscribe(ctx, housetest.BankKey, a.ID, bad)
		problem(t, err, "webhook-address")
	}
	_, err := w.Desk.Subscribe(ctx, housetest.ShopKey, a.ID, address)
	problem(t, err, "verification-unknown")
	s, err := w.Desk.Subscribe(ctx, housetest.BankKey, a.ID, address)
	must(t, err)
	_, err = w.Desk.Subscription(ctx, housetest.ShopKey, s.ID)
	problem(t, err, "webhook-unknown")
	problem(t, w.Desk.Unsubscribe(ctx, housetest.ShopKey, s.ID), "webhook-unknown")
	must(t, w.Desk.Unsubscribe(ctx, housetest.BankKey, s.ID))
	w.suspend(t)
	if n := w.tell(t); n != 0 {
		t.Errorf("%d events after the end", n)
	}
	card := w.SignAs(t, "taro", cms.OIDData, contract)
	c := w.check(t, verification.Question{Form: verification.FormCMS, Signature: card, Purpose: "card"})
	if c.Result.Class != profile.ClassCard || c.Holder != verification.HeardAtOnce {
		t.Fatalf("%+v", c)
	}
	_, err = w.Desk.Subscribe(ctx, housetest.BankKey, c.ID, address)
	problem(t, err, "webhook-card")
}
