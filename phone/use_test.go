package phone_test

import (
	"testing"
	"time"

	"warifu"
	"warifu/phone"
)

func question() phone.Question {
	return phone.Question{Purpose: "login", ClientID: "bank", Origin: "https://bank.example", Nonce: make([]byte, 32), Transaction: "t1", Time: start}
}

// An answer for A is refused at B because it is never given (design §3.8); what is
// wrong with a question is found before a try is spent.
func TestQuestionsAreCheckedBeforeTheChipIsAsked(t *testing.T) {
	f := newFixture(t)
	f.app.Element = untouched(t)
	const page = "https://bank.example"
	for _, c := range []struct {
		what, slug, seen string
		change           func(*phone.Question)
	}{
		{"another page", "question-origin", "https://thief.example", func(*phone.Question) {}},
		{"a path in the origin", "question-malformed", page + "/login", func(q *phone.Question) { q.Origin += "/login" }},
		{"no origin", "question-malformed", "", func(q *phone.Question) { q.Origin = "" }},
		{"another purpose", "question-malformed", page, func(q *phone.Question) { q.Purpose = "revoke" }},
		{"a short nonce", "question-malformed", page, func(q *phone.Question) { q.Nonce = q.Nonce[:15] }},
		{"an endless nonce", "question-malformed", page, func(q *phone.Question) { q.Nonce = make([]byte, 65) }},
		{"nobody asking", "question-malformed", page, func(q *phone.Question) { q.ClientID = "" }},
		{"an old question", "question-stale", page, func(q *phone.Question) { q.Time = start.Add(-11 * time.Minute) }},
		{"a question to come", "question-stale", page, func(q *phone.Question) { q.Time = start.Add(11 * time.Minute) }},
	} {
		q := question()
		c.change(&q)
		_, err := f.app.Login(ctx, q, c.seen, phone.Unlock{Typed: phonePIN})
		wantProblem(t, c.what, c.slug, err)
	}
	_, err := f.app.Login(ctx, question(), page, phone.Unlock{Typed: "12"})
	wantProblem(t, "half a PIN", "secret-format", err)
}

func TestAPhoneWithoutCertificatesSaysSo(t *testing.T) {
	f := newFixture(t)
	_, err := f.app.Sign(ctx, []byte("x"), true, phone.Unlock{Typed: phonePass})
	wantProblem(t, "signing", "credential-none", err)
	_, err = f.app.Login(ctx, question(), "https://bank.example", phone.Unlock{Typed: phonePIN})
	wantProblem(t, "logging in", "credential-none", err)
	wantProblem(t, "changing a password", "credential-none", f.app.ChangeSecret(ctx, warifu.Signature, phonePass, "OTHER123"))
	_, err = f.app.Status(ctx)
	wantProblem(t, "asking where it stands", "application-none", err)
	wantProblem(t, "registering", "application-none", f.app.Personalize(ctx, phone.Personalization{}))
	wantProblem(t, "withdrawing", "application-none", f.app.Withdraw(ctx))
}

// R46–R49, K3: which gestures stand in, and for what.
func TestTheScreenLockStandsInForThePINAlone(t *testing.T) {
	f := newFixture(t)
	thumb := phone.Gesture{Method: phone.MethodFingerprint, Shown: "thumb"}
	face := phone.Gesture{Method: phone.MethodSimpleFace, Shown: "owner"}
	wantProblem(t, "front-camera face unlock", "screen-lock-weak", f.app.EnableScreenLock(ctx, phonePIN, face))
	_, err := f.app.Login(ctx, question(), "https://bank.example", phone.Unlock{Gesture: &thumb})
	wantProblem(t, "a gesture never set up", "screen-lock-off", err)
	_, err = f.app.Sign(ctx, nil, true, phone.Unlock{Gesture: &thumb})
	wantProblem(t, "a gesture for signing", "screen-lock-not-for-signing", err)
	_, err = f.app.Login(ctx, question(), "https://bank.example", phone.Unlock{Gesture: &face})
	wantProblem(t, "a weak gesture", "screen-lock-weak", err)
}

func TestReEnrolmentLosesWhatWasWrapped(t *testing.T) {
	f := newFixture(t)
	thumb := phone.Gesture{Method: phone.MethodFingerprint, Shown: "thumb"}
	wrapped, err := f.lock.Wrap(thumb, []byte(phonePIN))
	must(t, err)
	if secret, err := f.lock.Unwrap(thumb, wrapped); err != nil || string(secret) != phonePIN {
		t.Fatalf("unwrapped %q, %v", secret, err)
	}
	_, err = f.lock.Unwrap(phone.Gesture{Method: phone.MethodFingerprint, Shown: "little finger"}, wrapped)
	wantProblem(t, "a finger nobody enrolled", "screen-lock-refused", err)
	must(t, f.lock.Enrol(phone.Gesture{Method: phone.MethodDevicePIN, Shown: "9999"}))
	if _, err := f.lock.Unwrap(thumb, wrapped); err != nil {
		t.Errorf("a new device PIN lost the key: %v", err)
	}
	must(t, f.lock.Enrol(phone.Gesture{Method: phone.MethodFingerprint, Shown: "thief"}))
	for _, g := range []phone.Gesture{thumb, {Method: phone.MethodFingerprint, Shown: "thief"}} {
		_, err = f.lock.Unwrap(g, wrapped)
		wantProblem(t, "after a new finger", "screen-lock-key-lost", err)
	}
}
