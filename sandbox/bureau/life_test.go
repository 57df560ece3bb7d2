package bureau_test

import (
	"testing"
	"time"

	"warifu"
	"warifu/sandbox/bureau"
	"warifu/sandbox/person"
)

func problem(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

func TestAHoldIsLiftedAndARevocationIsNot(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	for _, step := range []struct {
		do    func() error
		err   string
		state string
	}{
		{func() error { return b.Resume("taro") }, "card-state", "good"},
		{func() error { return b.Suspend("taro") }, "", "held"},
		{func() error { return b.Suspend("taro") }, "card-state", "held"},
		{func() error { return b.Renew("taro", bureau.Renewal{}) }, "card-state", "held"},
		{func() error { return b.Resume("taro") }, "", "good"},
		{func() error { return b.Revoke("taro", warifu.ReasonCertificateHold) }, "bureau-request-malformed", "good"},
		{func() error { return b.Revoke("taro", warifu.ReasonKeyCompromise) }, "", "revoked"},
		{func() error { return b.Resume("taro") }, "card-state", "revoked"},
		{func() error { return b.Suspend("taro") }, "card-state", "revoked"},
		{func() error { return b.Revoke("taro", warifu.ReasonKeyCompromise) }, "card-state", "revoked"},
	} {
		if got := problem(step.do()); got != step.err {
			t.Fatalf("got %q, want %q", got, step.err)
		}
		if v, _ := b.Show("taro"); v.State != step.state {
			t.Fatalf("state %q, want %q", v.State, step.state)
		}
	}
}

func TestValidityEndsOnTheFifthOrSixthBirthday(t *testing.T) {
	c := newClock()
	b := open(t, t.TempDir(), c)
	// Born on 17 February 1980, issued on 22 November 2025.
	v := issued(t, b, "taro")
	if got := day(of(t, v, warifu.Signature).Certificate.NotAfter); got != "2030-02-17" {
		t.Errorf("fifth birthday: %s", got)
	}
	c.to(person.Date(2029, time.November, 16))
	if got := problem(b.Renew("taro", bureau.Renewal{})); got != "renewal-too-early" {
		t.Errorf("more than three months before: %q", got)
	}
	c.to(person.Date(2029, time.November, 17))
	if err := b.Renew("taro", bureau.Renewal{}); err != nil {
		t.Fatal(err)
	}
	v, _ = b.Show("taro")
	if got := day(of(t, v, warifu.Signature).Certificate.NotAfter); got != "2035-02-17" {
		t.Errorf("sixth birthday: %s", got)
	}
	if got := day(v.CardExpires); got != "2035-02-17" {
		t.Errorf("tenth birthday of the card: %s", got)
	}
	// The certificates now end with the card, so both are renewed.
	c.to(person.Date(2035, time.March, 1))
	if v, _ = b.Show("taro"); v.State != "expired" {
		t.Errorf("state %s", v.State)
	}
	if err := b.Renew("taro", bureau.Renewal{}); err != nil {
		t.Fatal(err)
	}
	v, _ = b.Show("taro")
	if got := day(v.CardExpires) + " " + day(of(t, v, warifu.Authentication).Certificate.NotAfter); got != "2045-02-17 2040-02-17" {
		t.Errorf("new card: %s", got)
	}
}

func day(t time.Time) string { return t.In(person.Tokyo).Format(time.DateOnly) }

func TestAMinorsCardLastsFiveBirthdays(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	v := issued(t, b, "sakura")
	want := person.EndOfDay(person.Birthday(v.Person.Birth, v.Person.CardIssued, 5))
	if !v.CardExpires.Equal(want) {
		t.Errorf("%s, want %s", v.CardExpires, want)
	}
}

func TestACertificateNeverOutlivesItsCard(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	v := issued(t, b, "maria")
	if got := of(t, v, warifu.Signature).Certificate.NotAfter; !got.Equal(v.CardExpires) {
		t.Errorf("certificate to %s, card to %s", got, v.CardExpires)
	}
}

func TestWhoTurnsFifteenGetsASigningCertificate(t *testing.T) {
	c := newClock()
	b := open(t, t.TempDir(), c)
	before := issued(t, b, "ren")
	if got := problem(b.Renew("ren", bureau.Renewal{})); got != "renewal-too-early" {
		t.Errorf("at fourteen: %q", got)
	}
	c.to(start.AddDate(0, 0, 21))
	if got := problem(b.Renew("ren", bureau.Renewal{})); got != "signature-password-needed" {
		t.Errorf("without a password: %q", got)
	}
	if got := problem(b.Renew("ren", bureau.Renewal{Signature: warifu.NewCardPIN([]byte("ren15"))})); got != "person-invalid" {
		t.Errorf("with a password of the wrong form: %q", got)
	}
	if err := b.Renew("ren", bureau.Renewal{Signature: warifu.NewCardPIN([]byte("REN15YEARS"))}); err != nil {
		t.Fatal(err)
	}
	after, _ := b.Show("ren")
	_ = of(t, after, warifu.Signature)
	if !of(t, after, warifu.Authentication).Certificate.Equal(of(t, before, warifu.Authentication).Certificate) {
		t.Error("the authentication certificate was not due and was replaced")
	}
}

func TestRenewalSupersedesAndKeepsTheOldAnswerable(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	old := of(t, issued(t, b, "yuki"), warifu.Signature).Certificate
	if err := b.Renew("yuki", bureau.Renewal{}); err != nil {
		t.Fatal(err)
	}
	r, known := b.Status(warifu.Signature, old.SerialNumber.Bytes())
	if !known || r.Status.Reason != warifu.ReasonSuperseded {
		t.Errorf("%v %+v", known, r.Status)
	}
	if v, _ := b.Show("yuki"); v.State != "good" || of(t, v, warifu.Signature).Certificate.Equal(old) {
		t.Errorf("state %s", v.State)
	}
}
