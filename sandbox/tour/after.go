package tour

import (
	"context"
	"fmt"
	"strconv"

	"warifu"
	"warifu/iso7816"
	"warifu/phone"
	"warifu/sandbox/bank"
	"warifu/verify"
)

// cutAfter is the APDU after which the phone is torn away in the first attempt.
const cutAfter = 3

// torn is a secure element that goes silent after some APDUs.
type torn struct {
	iso7816.Transmitter
	left int
}

// Transmit implements iso7816.Transmitter.
func (t *torn) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if t.left--; t.left < 0 {
		return nil, iso7816.ErrRemoved
	}
	return t.Transmitter.Transmit(ctx, command)
}

// personalize is stop 7: torn away once, resumed, done; before it nothing signs.
func (w *walker) personalize(ctx context.Context) (said, error) {
	_, err := w.App.Sign(ctx, []byte("too early"), true, phone.Unlock{Typed: secrets.Signature})
	if err := refused("a signature before the certificates are registered", err); err != nil {
		return nil, err
	}
	whole := w.App.Element
	w.App.Element = &torn{whole, cutAfter}
	err = w.App.Personalize(ctx, phone.Personalization{})
	w.App.Element = whole
	if err := expect("a session cut short", "element-interrupted", err); err != nil {
		return nil, err
	}
	w.PowerOff()
	carried := 0
	err = w.App.Personalize(ctx, phone.Personalization{
		Told: func(r phone.Relay) { carried = r.Number }, Code: func(code string) { w.code = code },
	})
	if err != nil {
		return nil, err
	}
	a, err := w.App.Status(ctx)
	if err != nil {
		return nil, err
	}
	if a.State != warifu.ApplicationPersonalized {
		return nil, fmt.Errorf("the application is %s", a.State)
	}
	return said{"cut": strconv.Itoa(cutAfter), "more": strconv.Itoa(carried)}, nil
}

// use is stop 8: a wrong password costs a try and says so, the right one signs; a
// question of another page is not answered; PIN and screen lock log in.
func (w *walker) use(ctx context.Context) (said, error) {
	w.document = []byte("口座開設申込書 / Application for an account\n")
	_, err := w.App.Sign(ctx, w.document, true, phone.Unlock{Typed: "WRONG000"})
	if err := expect("a wrong password", "secret-wrong", err); err != nil {
		return nil, err
	}
	if left := warifu.ProblemOf(err).Params["left"]; left != "4" {
		return nil, fmt.Errorf("after one wrong password %q tries are left, want 4", left)
	}
	if w.signature, err = w.App.Sign(ctx, w.document, true, phone.Unlock{Typed: secrets.Signature}); err != nil {
		return nil, err
	}
	if err := w.foreignQuestion(ctx); err != nil {
		return nil, err
	}
	if err := w.login(ctx, phone.Unlock{Typed: secrets.Authentication}); err != nil {
		return nil, err
	}
	finger := phone.Gesture{Method: phone.MethodFingerprint, Shown: "thumb"}
	if err := w.App.EnableScreenLock(ctx, secrets.Authentication, finger); err != nil {
		return nil, err
	}
	if err := w.login(ctx, phone.Unlock{Gesture: &finger}); err != nil {
		return nil, err
	}
	return said{}, nil
}

func (w *walker) ask(ctx context.Context) (bank.Asked, error) {
	var asked bank.Asked
	err := w.bank.Post(ctx, "/api/login", struct{}{}, &asked)
	return asked, err
}

// foreignQuestion shows the bank's question on somebody else's page.
func (w *walker) foreignQuestion(ctx context.Context) error {
	asked, err := w.ask(ctx)
	if err != nil {
		return err
	}
	_, err = w.App.Login(ctx, asked.Question, "https://bank.example", phone.Unlock{Typed: secrets.Authentication})
	return expect("the bank's question on another page", "question-origin", err)
}

func (w *walker) login(ctx context.Context, u phone.Unlock) error {
	asked, err := w.ask(ctx)
	if err != nil {
		return err
	}
	answer, err := w.App.Login(ctx, asked.Question, w.bank.Origin(), u)
	if err != nil {
		return err
	}
	var customer bank.Customer
	if err := w.bank.Post(ctx, asked.Answer, answer, &customer); err != nil {
		return err
	}
	if customer.Class != "phone" {
		return fmt.Errorf("the bank let in a %s", customer.Class)
	}
	if err := w.remember(warifu.Authentication, answer.Certificate); err != nil {
		return err
	}
	again := w.bank.Post(ctx, asked.Answer, answer, &customer)
	return refused("the same answer a second time", again)
}

// believe is stop 9: the bank's yes, our own verifier's yes by OCSP and by CRL, and
// their no to a changed document.
func (w *walker) believe(ctx context.Context) (said, error) {
	var j bank.Judgement
	if err := w.bank.Post(ctx, "/api/documents", bank.Document{Signature: w.signature, Document: w.document}, &j); err != nil {
		return nil, err
	}
	if j.Verdict != verify.Good.String() || j.Name != w.Holder.Name {
		return nil, fmt.Errorf("the bank says %s of %q: %v", j.Verdict, j.Name, j.Reasons)
	}
	for name, status := range map[string]verify.StatusChecker{"OCSP": verify.OCSPClient{}, "CRL": &verify.CRLClient{}} {
		v := verify.New(w.Trust, status, w.App.Clock)
		good, err := v.Document(ctx, w.signature, w.document, verify.Policy{})
		if err != nil {
			return nil, err
		}
		if good.Verdict != verify.Good {
			return nil, fmt.Errorf("by %s the signature is %s: %w", name, good.Verdict, good.Err())
		}
		bad, err := v.Document(ctx, w.signature, flipped(w.document), verify.Policy{})
		if err != nil {
			return nil, err
		}
		if bad.Verdict != verify.Bad {
			return nil, fmt.Errorf("by %s a changed document is %s", name, bad.Verdict)
		}
	}
	return said{"from": j.StatusFrom}, nil
}
