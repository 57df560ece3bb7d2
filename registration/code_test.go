package registration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/store"
)

// personalizeByHand goes through a session and returns the code that is shown at its end;
// cut, where not negative, is how many of the phone's answers arrive.
func personalizeByHand(t testing.TB, h *housetest.House, p *housetest.Phone, id string, cut int) registration.SuspensionCode {
	t.Helper()
	ctx := context.Background()
	e, err := h.Registrar.OpenSession(ctx, id, nil)
	must(t, err)
	for n := 0; !e.Done; n++ {
		if n == cut {
			return registration.SuspensionCode{}
		}
		var responses [][]byte
		for _, c := range e.Commands {
			r, err := p.App.Element.Transmit(ctx, c)
			must(t, err)
			responses = append(responses, r)
		}
		e, err = h.Registrar.Exchange(ctx, e.Session, responses)
		must(t, err)
	}
	return e.SuspensionCode
}

// coded is a phone in use, with its code.
func coded(t testing.TB, h *housetest.House, who string) (*housetest.Phone, registration.Application, registration.SuspensionCode) {
	t.Helper()
	p := h.Phone(t)
	a := p.Issue(t, who)
	code := personalizeByHand(t, h, p, a.ID, -1)
	return p, h.Application(t, a.ID), code
}

func byCode(h *housetest.House, typed, source string) error {
	return h.Registrar.ByCode(context.Background(), typed, source)
}

func TestWhoKnowsTheCodeCanHoldAndNothingElse(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, a, code := coded(t, h, "taro")
	_, b, _ := coded(t, h, "hanako")
	for range 2 { // twice is no error
		must(t, byCode(h, code.Reveal(), "192.0.2.1"))
		wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
		wantCredentials(t, h, b.ID, 2, warifu.CredentialActive)
		h.Check(t)
	}
	_, err := byDevice(h, p, ask(t, h, p, "resume:lost", both, warifu.Signature))
	wantProblem(t, err, "hold-not-yours") // whoever found the phone, even knowing its password
	got, err := byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
	must(t, err)
	wantStanding(t, got, 2, warifu.CredentialRevoked)
	wantProblem(t, byCode(h, code.Reveal(), "192.0.2.1"), "credential-ended")
}

func TestACodeIsReadAsPeopleTypeIt(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	_, a, code := coded(t, h, "taro")
	shown := code.Reveal()
	bare := strings.ReplaceAll(shown, " ", "")
	wide := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + '０'
		}
		return '　'
	}, shown)
	if len(bare) != 22 || len(shown) != 22+5 {
		t.Fatalf("the code has %d digits in %d signs", len(bare), len(shown))
	}
	for _, typed := range []string{shown, bare, wide, strings.ReplaceAll(shown, " ", "-"), strings.ReplaceAll(shown, " ", "－"), " " + strings.ReplaceAll(shown, " ", " ー ") + "\n", strings.ReplaceAll(shown, " ", "\u00a0\u2011")} {
		if err := byCode(h, typed, ""); err != nil {
			t.Errorf("typed as %d signs: %v", len(typed), err)
		}
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
	h.Clock.Forward(time.Hour)
	for name, c := range map[string]struct{ typed, problem string }{
		"nothing":      {"", "suspension-code-format"},
		"a digit less": {bare[:21], "suspension-code-format"},
		"a digit more": {bare + "1", "suspension-code-format"},
		"a letter":     {"O" + bare[1:], "suspension-code-format"},
		"a long text":  {strings.Repeat("1", 1<<16), "suspension-code-format"},
		"one wrong":    {bare[:7] + string('0'+(bare[7]-'0'+3)%10) + bare[8:], "suspension-code-mistyped"},
	} {
		t.Run(name, func(t *testing.T) { wantProblem(t, byCode(h, c.typed, ""), c.problem) })
	}
}

// A digit mistyped, or two neighbours changed over, is told at the desk and not looked up.
func TestCheckDigitsTellEveryCommonSlip(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	_, _, code := coded(t, h, "taro")
	bare := strings.ReplaceAll(code.Reveal(), " ", "")
	slip := func(typed string) {
		t.Helper()
		if _, err := registration.ParseSuspensionCode(typed); typed != bare && warifu.ProblemOf(err).Problem != "suspension-code-mistyped" {
			t.Errorf("a slip is not told: %v", err)
		}
	}
	for i := range bare {
		for d := '0'; d <= '9'; d++ {
			slip(bare[:i] + string(d) + bare[i+1:])
		}
		if i+1 < len(bare) {
			slip(bare[:i] + bare[i+1:i+2] + bare[i:i+1] + bare[i+2:])
		}
	}
}

func TestGuessingCodesIsHeldToARate(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	_, a, code := coded(t, h, "taro")
	guess := 0
	wrong := func() string {
		for {
			guess++
			head := fmt.Sprintf("%020d", guess)
			for check := range 100 {
				if typed := fmt.Sprintf("%s%02d", head, check); isCode(typed) {
					return typed
				}
			}
		}
	}
	for range 10 {
		wantProblem(t, byCode(h, wrong(), "2001:db8::1"), "suspension-code-unknown")
	}
	wantProblem(t, byCode(h, wrong(), "2001:db8::2"), "suspension-codes-too-many") // the same line
	wantProblem(t, byCode(h, code.Reveal(), "2001:db8::3"), "suspension-codes-too-many")
	for range 20 { // a mistyped one costs nobody anything
		wantProblem(t, byCode(h, "1"+wrong()[1:], "192.0.2.9"), "suspension-code-mistyped")
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	must(t, byCode(h, code.Reveal(), "2001:db8:0:1::1"))
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)

	var refused bool
	for i := range 200 { // a crowd of sources meets the rate of everybody
		err := byCode(h, wrong(), fmt.Sprintf("198.51.100.%d", i))
		refused = refused || warifu.ProblemOf(err).Problem == "suspension-codes-too-many"
	}
	if !refused {
		t.Error("a crowd guesses as it likes")
	}
	h.Clock.Forward(time.Minute)
	wantProblem(t, byCode(h, wrong(), "2001:db8::1"), "suspension-code-unknown")
}

func isCode(typed string) bool {
	_, err := registration.ParseSuspensionCode(typed)
	return err == nil
}

func TestACodeIsShownOnceAndAgainOnlyRightAfterACut(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	first := personalizeByHand(t, h, p, a.ID, -1)
	if first.IsZero() {
		t.Fatal("no code is shown")
	}
	second := personalizeByHand(t, h, p, a.ID, -1) // the answer with the code was lost
	if second.IsZero() || second == first {
		t.Fatal("who was cut off is shown none, or the same")
	}
	wantProblem(t, byCode(h, first.Reveal(), ""), "suspension-code-unknown")
	h.Clock.Forward(11 * time.Minute)
	if later := personalizeByHand(t, h, p, a.ID, -1); !later.IsZero() {
		t.Fatal("whoever has the phone makes the holder's note worthless")
	}
	must(t, byCode(h, second.Reveal(), ""))
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
	h.Check(t)
}

func TestANewCodeTakesTheRightSecret(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, a, first := coded(t, h, "taro")
	reissue := func(envelope []byte) (registration.SuspensionCode, error) {
		return h.Registrar.ReissueCode(context.Background(), p.Record.Element, envelope)
	}
	_, err := reissue(ask(t, h, p, registration.PurposeReissueCode, "code"))
	wantProblem(t, err, "secret-not-verified")
	_, err = reissue(ask(t, h, p, registration.PurposeReissueCode, "code", warifu.Authentication))
	wantProblem(t, err, "secret-not-verified")
	_, err = reissue(ask(t, h, p, "revoke", both, warifu.Signature))
	wantProblem(t, err, "device-request-other")
	envelope := ask(t, h, p, registration.PurposeReissueCode, "code", warifu.Signature)
	next, err := reissue(envelope)
	must(t, err)
	_, err = reissue(envelope)
	wantProblem(t, err, "challenge-used")
	wantProblem(t, byCode(h, first.Reveal(), ""), "suspension-code-unknown")
	must(t, byCode(h, next.Reveal(), ""))
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
	_, err = byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
	must(t, err)
	_, err = reissue(ask(t, h, p, registration.PurposeReissueCode, "code", warifu.Signature))
	wantProblem(t, err, "credential-ended")
	h.Check(t)
}

func TestAnOldPhonesCodeHoldsNothingOfTheNewOne(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	_, _, old := coded(t, h, "taro")
	_, b, _ := coded(t, h, "taro")
	wantProblem(t, byCode(h, old.Reveal(), ""), "credential-ended")
	wantCredentials(t, h, b.ID, 2, warifu.CredentialActive)
	h.Check(t)
}

func TestNobodyIsShownACodeByMistake(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	_, a, code := coded(t, h, "taro")
	must(t, byCode(h, code.Reveal(), "192.0.2.1"))
	bare := strings.ReplaceAll(code.Reveal(), " ", "")
	encoded, err := json.Marshal(struct{ Code registration.SuspensionCode }{code})
	must(t, err)
	for name, text := range map[string]string{
		"printed": fmt.Sprintf("%v %+v %#v %s %d", code, code, code, code, code), "encoded": string(encoded), "logged": h.Log.String(),
	} {
		if strings.Contains(text, bare) || strings.Contains(text, code.Reveal()) || strings.Contains(text, bare[:8]) {
			t.Errorf("the code is %s", name)
		}
	}
	h.Read(t, func(tx *store.Tx) error {
		lines, err := tx.AuditAfter("", 1000)
		all := fmt.Sprint(lines)
		if strings.Contains(all, bare) || !strings.Contains(all, a.ID) {
			t.Error("the audit trail tells the code, or nothing of it")
		}
		return err
	})
}

func FuzzParseSuspensionCode(f *testing.F) {
	for _, s := range []string{"", "0000 0000 0000 0000 0000 01", "００００ ００００ ００００ ００００ ００００ ０１", "1-2", "1234567890123456789012"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := registration.ParseSuspensionCode(typed)
		if err != nil {
			return
		}
		again, err := registration.ParseSuspensionCode(code.Reveal())
		if err != nil || again != code || len(code.Reveal()) != 27 || bytes.ContainsAny([]byte(fmt.Sprint(code)), "0123456789") {
			t.Errorf("%q is read as %q", typed, code.Reveal())
		}
	})
}

// Whoever sold a phone and kept its code, or stays in it with a secret of the chip, may
// hold what is theirs, and not the application of whoever has the phone now.
func TestWhatIsOrderedForAPhoneLeavesAnotherPersonsApplicationAlone(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, sold, code := coded(t, h, "taro")
	bought := p.Issue(t, "hanako")
	must(t, byCode(h, code.Reveal(), ""))
	wantCredentials(t, h, sold.ID, 2, warifu.CredentialHeld)
	if h.Application(t, bought.ID).Held {
		t.Error("the code of who had the phone before holds the application of who has it now")
	}
	_, err := byDevice(h, p, ask(t, h, p, "suspend:own-wish", both, warifu.Signature))
	must(t, err)
	if h.Application(t, bought.ID).Held {
		t.Error("the secret of who had the phone before holds the application of who has it now")
	}
	must(t, p.Personalize())
	h.Check(t)
}
