package console_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/console"
	"warifu/internal/housetest"
	"warifu/internal/passkeytest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantProblem(t testing.TB, err error, slug string) {
	t.Helper()
	if p := warifu.ProblemOf(err); p == nil || p.Problem != slug {
		t.Fatalf("%v, want %s", err, slug)
	}
}

// first is a house with one administrator.
func first(t *testing.T) (*housetest.House, console.Operator, *passkeytest.Authenticator) {
	t.Helper()
	h := housetest.New(t, housetest.Options{})
	link, err := h.Console.Bootstrap(context.Background(), false)
	must(t, err)
	o, key := enrol(t, h, link, "nao")
	return h, o, key
}

func enrol(t *testing.T, h *housetest.House, link console.Secret, name string) (console.Operator, *passkeytest.Authenticator) {
	t.Helper()
	ctx, key := context.Background(), &passkeytest.Authenticator{Origin: housetest.Origin}
	wish, err := h.Console.EnrolOptions(ctx, link, name)
	must(t, err)
	o, err := h.Console.FinishEnrol(ctx, link, name, key.Create(t, wish), "browser")
	must(t, err)
	return o, key
}

func TestTheFirstLinkIsMadeOnlyWhereNobodyWorks(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	ctx := context.Background()
	older, err := h.Console.Bootstrap(ctx, false)
	must(t, err)
	newer, err := h.Console.Bootstrap(ctx, false)
	must(t, err)
	_, err = h.Console.Invitation(ctx, older)
	wantProblem(t, err, "invitation-unknown")
	_, err = h.Console.EnrolOptions(ctx, newer, "Nao!")
	wantProblem(t, err, "console-name-malformed")
	enrol(t, h, newer, "nao")
	none, err := h.Console.Bootstrap(ctx, false)
	if must(t, err); none != "" {
		t.Error("a link although somebody works here")
	}
	again, err := h.Console.Bootstrap(ctx, true) // every passkey is lost
	must(t, err)
	_, err = h.Console.EnrolOptions(ctx, again, "nao")
	wantProblem(t, err, "console-name-taken")
	h.Clock.Forward(61 * time.Minute)
	_, err = h.Console.Invitation(ctx, again)
	wantProblem(t, err, "invitation-unknown")
}

func TestALinkOfWhoLeftOpensNothing(t *testing.T) {
	h, nao, _ := first(t)
	ctx := context.Background()
	link, err := h.Console.Invite(ctx, nao, "emi", console.Administrator)
	must(t, err)
	emi, _ := enrol(t, h, link, "")
	late, err := h.Console.Invite(ctx, emi, "aoi", console.Hotline)
	must(t, err)
	must(t, h.Console.Remove(ctx, nao, "emi"))
	_, err = h.Console.Invitation(ctx, late)
	wantProblem(t, err, "invitation-unknown")
	_, err = h.Console.Session(ctx, emi.Secret, "browser")
	wantProblem(t, err, "console-signed-out")
	_, err = h.Console.Invite(ctx, nao, "emi", console.Hotline)
	wantProblem(t, err, "console-name-taken") // the audit trail names the first
	_, err = h.Console.Replace(ctx, nao, "emi")
	wantProblem(t, err, "console-operator-gone")
	_, err = h.Console.Invite(ctx, nao, "aoi", "emperor")
	wantProblem(t, err, "console-role-unknown")
}

func TestAPageThatAsksByItselfKeepsNobodySignedIn(t *testing.T) {
	h, nao, _ := first(t)
	ctx := context.Background()
	for range 3 {
		h.Clock.Forward(5 * time.Minute)
		_, err := h.Console.Glance(ctx, nao.Secret, "browser")
		must(t, err)
	}
	h.Clock.Forward(time.Minute)
	_, err := h.Console.Glance(ctx, nao.Secret, "browser")
	wantProblem(t, err, "console-session-over")
	_, err = h.Console.Session(ctx, nao.Secret, "browser")
	wantProblem(t, err, "console-session-over")
}

func TestAPasskeyProvesOnlyItsOwnSession(t *testing.T) {
	h, nao, naos := first(t)
	ctx := context.Background()
	link, err := h.Console.Invite(ctx, nao, "aoi", console.Hotline)
	must(t, err)
	aoi, aois := enrol(t, h, link, "")
	wish, err := h.Console.StepUpOptions(nao)
	must(t, err)
	wantProblem(t, h.Console.FinishStepUp(ctx, nao, aois.Get(t, wish)), "passkey-of-another")
	wantProblem(t, h.Console.FinishStepUp(ctx, aoi, aois.Get(t, wish)), "passkey-challenge-foreign")
	wantProblem(t, h.Console.FinishStepUp(ctx, nao, nil), "passkey-malformed") // the sandbox's door is shut
	answer := naos.Get(t, wish)
	must(t, h.Console.FinishStepUp(ctx, nao, answer))
	wantProblem(t, h.Console.FinishStepUp(ctx, nao, answer), "passkey-answered")
	_, err = h.Console.FinishSignIn(ctx, naos.Get(t, wish), "browser")
	wantProblem(t, err, "passkey-challenge-foreign")
	token, err := h.Console.FormToken(nao)
	must(t, err)
	wantProblem(t, h.Console.SpendForm(ctx, aoi, token), "form-foreign")
	must(t, h.Console.SpendForm(ctx, nao, token))
	wantProblem(t, h.Console.SpendForm(ctx, nao, token), "form-sent")
}

func TestTheSandboxsDoorIsOpenOnlyThere(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	ctx := context.Background()
	_, err := h.Console.SandboxSignIn(ctx, "aoi", "browser")
	wantProblem(t, err, "console-no-sandbox")
	c := h.ConsoleConfig(t)
	c.Sandbox, c.Origin = true, "http://127.0.0.1:8400"
	sandbox, err := console.New(c)
	must(t, err)
	if sandbox.Origin() != "http://localhost:8400" || !sandbox.ByPasskey() {
		t.Errorf("the console is at %s", sandbox.Origin())
	}
	must(t, sandbox.Settle(ctx))
	must(t, sandbox.Settle(ctx))
	o, err := sandbox.SandboxSignIn(ctx, "aoi", "browser")
	must(t, err)
	if !o.WithoutKey || o.Role != console.Hotline {
		t.Errorf("%+v", o)
	}
	must(t, sandbox.FinishStepUp(ctx, o, nil))
	_, err = sandbox.SandboxSignIn(ctx, "nobody", "browser")
	wantProblem(t, err, "console-operator-gone")
	_, err = h.Console.Session(ctx, o.Secret, "browser") // the sandbox was switched off
	wantProblem(t, err, "console-signed-out")
	c.Origin = "http://192.0.2.1:8400"
	elsewhere, err := console.New(c)
	must(t, err)
	_, err = elsewhere.SignInOptions()
	wantProblem(t, err, "passkey-origin")
	if s := fmt.Sprintf("%v %+v %#v %s", o, o, o, o.Secret); strings.Contains(s, o.Secret.Reveal()) {
		t.Errorf("the secret prints itself: %s", s)
	}
}

// FuzzAnswers: whatever a browser sends of a ceremony is refused with a problem of its own.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`, `{"response":{"clientDataJSON":"e30","attestationObject":"oA"}}`, `{"response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA","userHandle":"AA"}}`} {
		f.Add([]byte(seed))
	}
	h := housetest.New(f, housetest.Options{})
	ctx := context.Background()
	link, err := h.Console.Bootstrap(ctx, false)
	must(f, err)
	f.Fuzz(func(t *testing.T, answer []byte) {
		if _, err := h.Console.FinishSignIn(ctx, answer, ""); err == nil || warifu.ProblemOf(err).IsCode(warifu.CodeInternal) {
			t.Errorf("sign-in: %v", err)
		}
		if _, err := h.Console.FinishEnrol(ctx, link, "nao", answer, ""); err == nil || warifu.ProblemOf(err).IsCode(warifu.CodeInternal) {
			t.Errorf("enrolment: %v", err)
		}
	})
}

func TestAnOperatorHasMoreThanOnePasskey(t *testing.T) {
	h, nao, naos := first(t)
	ctx, second := context.Background(), &passkeytest.Authenticator{Origin: housetest.Origin}
	h.Clock.Forward(time.Minute)
	wish, err := h.Console.AddOptions(ctx, nao)
	must(t, err)
	if !strings.Contains(string(wish), "excludeCredentials") {
		t.Error("the same authenticator may make another")
	}
	answer := second.Create(t, wish)
	must(t, h.Console.FinishAdd(ctx, nao, answer))
	wantProblem(t, h.Console.FinishAdd(ctx, nao, answer), "passkey-answered")
	keys, err := h.Console.Passkeys(ctx, nao)
	must(t, err)
	if len(keys) != 2 {
		t.Fatalf("%d passkeys", len(keys))
	}
	asked, err := h.Console.SignInOptions()
	must(t, err)
	again, err := h.Console.FinishSignIn(ctx, second.Get(t, asked), "another browser")
	must(t, err)
	if again.Name != "nao" {
		t.Errorf("signed in as %s", again.Name)
	}
	wantProblem(t, h.Console.Drop(ctx, again, "0000000000000000"), "passkey-gone")
	must(t, h.Console.Drop(ctx, again, keys[0].Mark))
	wantProblem(t, h.Console.Drop(ctx, again, keys[1].Mark), "passkey-last")
	asked, err = h.Console.SignInOptions()
	must(t, err)
	_, err = h.Console.FinishSignIn(ctx, naos.Get(t, asked), "browser")
	wantProblem(t, err, "passkey-unknown")
	h.Clock.Forward(6 * time.Minute) // the proof is no longer fresh
	_, err = h.Console.AddOptions(ctx, again)
	wantProblem(t, err, "step-up-needed")
	wantProblem(t, h.Console.FinishAdd(ctx, again, answer), "step-up-needed")
	wantProblem(t, h.Console.Drop(ctx, again, keys[1].Mark), "step-up-needed")
}
