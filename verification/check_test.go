package verification_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/phone"
	"warifu/verification"
	"warifu/verify"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func problem(t testing.TB, err error, slug string) {
	t.Helper()
	if got := warifu.ProblemOf(err).Problem; err == nil || got != slug {
		t.Errorf("problem %q (%v), want %q", got, err, slug)
	}
}

var (
	ctx      = context.Background()
	contract = []byte("a contract")
	pin      = phone.Secret{Kind: warifu.Authentication, Typed: housetest.Secrets.Authentication}
)

// town is a house with a holder and something they signed.
type town struct {
	*housetest.House
	phone  *housetest.Phone
	signed []byte
}

func newTown(t *testing.T, o housetest.Options) *town {
	t.Helper()
	w := &town{House: housetest.New(t, o)}
	w.phone = w.Phone(t)
	w.phone.Own(t, "taro")
	w.signed = w.sign(t, contract)
	return w
}

func (w *town) sign(t *testing.T, content []byte) []byte {
	t.Helper()
	signed, err := w.phone.App.Sign(ctx, content, true, phone.Unlock{Typed: housetest.Secrets.Signature})
	must(t, err)
	return signed
}

// question is about the contract.
func (w *town) question() verification.Question {
	return verification.Question{Form: verification.FormCMS, Signature: w.signed, Document: contract, Purpose: "to open an account"}
}

func (w *town) check(t *testing.T, q verification.Question) verification.Answer {
	t.Helper()
	a, err := w.Desk.Check(ctx, housetest.BankKey, q)
	must(t, err)
	return a
}

// ledger is what the holder's phone reads.
func (w *town) ledger(t *testing.T) []ledger.Entry {
	t.Helper()
	raw, err := w.phone.App.Ledger(ctx, 0, pin)
	must(t, err)
	page, err := ledger.ParsePage(raw)
	must(t, err)
	var out []ledger.Entry
	for _, line := range page.Lines {
		out = append(out, *line.Entry)
	}
	return out
}

func TestAGoodSignatureIsSaidToBeAndItsHolderReadsWhoAsked(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	if a.Result.Verdict != verify.Good || a.Holder != verification.HeardAtOnce || a.Evidence == nil || a.Subject == "" || a.Document != warifu.DigestOf(contract) {
		t.Fatalf("%+v", a)
	}
	if !a.Attributes.IsZero() {
		t.Error("attributes were told that nobody asked for")
	}
	lines := w.ledger(t)
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	e := lines[0]
	if e.By != "bank" || e.Name.English != "Sample Bank" || e.What != ledger.Signed || e.Purpose != "to open an account" || e.Result != "good" || e.Class != "phone" ||
		e.Kind != "signature" || e.Reference != a.ID || !e.At.Equal(w.Clock.Now()) || !e.Late.IsZero() {
		t.Errorf("%+v", e)
	}
}

func TestWhatIsNotGoodIsSaidWithItsReasonAndIsInTheLedgerToo(t *testing.T) {
	w := newTown(t, housetest.Options{})
	q := w.question()
	q.Document = []byte("another contract")
	q.Attributes = verify.AllAttributes
	a := w.check(t, q)
	if a.Result.Verdict != verify.Bad || len(a.Result.Reasons) == 0 || a.Evidence != nil || a.NoEvidence != "evidence-not-good" || !a.Attributes.IsZero() {
		t.Errorf("%+v", a)
	}
	lines := w.ledger(t)
	if len(lines) != 1 || lines[0].Result != "bad" || len(lines[0].Reasons) == 0 {
		t.Errorf("%+v", lines)
	}
}

func TestOnlyTheAttributesAskedForAreTold(t *testing.T) {
	w := newTown(t, housetest.Options{})
	q := w.question()
	q.Attributes = []verify.Attribute{verify.Address}
	a := w.check(t, q)
	if a.Attributes.Address == "" || a.Attributes.Name != "" || a.Attributes.BirthDate != "" || a.Attributes.Gender != "" {
		t.Error("not the attributes that were asked for")
	}
	_, err := w.Desk.Check(ctx, housetest.ShopKey, q)
	problem(t, err, "attributes-not-yours")
}

func TestNobodyWithoutAKeyIsAnswered(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for _, key := range []string{"", "house-bank-ke", housetest.BankKey + "x"} {
		_, err := w.Desk.Check(ctx, key, w.question())
		problem(t, err, "relying-party-unknown")
	}
	if lines := w.ledger(t); len(lines) != 0 {
		t.Errorf("%+v", lines)
	}
}

func TestEachRelyingPartyKnowsTheHolderByAnotherName(t *testing.T) {
	w := newTown(t, housetest.Options{})
	bank := w.check(t, w.question())
	again := w.check(t, w.question())
	shop, err := w.Desk.Check(ctx, housetest.ShopKey, w.question())
	must(t, err)
	if bank.Subject == "" || bank.Subject != again.Subject || bank.Subject == shop.Subject {
		t.Errorf("%s %s %s", bank.Subject, again.Subject, shop.Subject)
	}
	_, err = w.Desk.Again(ctx, housetest.ShopKey, bank.ID)
	problem(t, err, "verification-unknown")
}

func TestASuspendedHolderIsNoLongerGoodButWasThen(t *testing.T) {
	w := newTown(t, housetest.Options{})
	first := w.check(t, w.question())
	w.Clock.Forward(time.Hour)
	secret := phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature}
	_, err := w.phone.App.Revoke(ctx, nil, secret)
	must(t, err)
	if a := w.check(t, w.question()); a.Result.Verdict != verify.Bad || !a.Result.Has("certificate-revoked") {
		t.Errorf("%s %v", a.Result.Verdict, a.Result.Reasons)
	}
	again, err := w.Desk.Again(ctx, housetest.BankKey, first.ID)
	must(t, err)
	if again.Result.Verdict != verify.Good || again.Now.Status.Cert != warifu.StatusRevoked || again.Evidence.ID != first.Evidence.ID {
		t.Errorf("%s %v, now %v", again.Result.Verdict, again.Result.Reasons, again.Now.Status)
	}
	past, err := w.Desk.History(ctx, housetest.BankKey, first.ID)
	must(t, err)
	if len(past.Holds) == 0 {
		t.Error("the history tells nothing")
	}
}

func TestNothingOfTheLedgerLiesOpenInTheDatabaseOrTheLog(t *testing.T) {
	w := newTown(t, housetest.Options{})
	w.check(t, w.question())
	for _, word := range []string{"to open an account", "Sample Bank"} {
		if strings.Contains(w.Log.String(), word) {
			t.Errorf("the log says %q", word)
		}
	}
}
