package registration_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/registration"
)

func callBack(t *testing.T, h *housetest.House, token, receipt, outcome string) {
	t.Helper()
	c, err := h.Registrar.HotlineCallBack(context.Background(), token, receipt, outcome)
	if err != nil || c.CallBack != outcome || c.Receipt != receipt {
		t.Fatalf("%+v, %v", c, err)
	}
}

func deeds(c registration.HotlineCall) string {
	var out []string
	for _, d := range c.Done {
		out = append(out, d.What)
	}
	return strings.Join(out, " ")
}

func TestOnlyAnAnsweredCallBackLetsOperatorsResume(t *testing.T) {
	h, id := listed(t)
	r, ctx := h.Registrar, context.Background()
	f := search(t, h, aoi)
	_, err := r.HotlineSuspend(ctx, aoi, record(f.Match))
	must(t, err)
	propose := func() (string, error) {
		p, err := r.HotlinePropose(ctx, aoi, warifu.VerbResume, f.Match, "found")
		return p.ID, err
	}
	for _, outcome := range []string{registration.CallBackUnanswered, registration.CallBackDenied} {
		callBack(t, h, ken, f.Receipt, outcome) // any operator may ring
		_, err = propose()
		wantProblem(t, err, "call-back-missing")
	}
	callBack(t, h, ken, f.Receipt, registration.CallBackAnswered)
	p, err := propose()
	must(t, err)
	callBack(t, h, ken, f.Receipt, registration.CallBackDenied) // the holder rings: it was not me
	_, err = r.HotlineConfirm(ctx, ken, warifu.VerbResume, p)
	wantProblem(t, err, "call-back-missing")
	wantCredentials(t, h, id, 2, warifu.CredentialHeld)
	later := search(t, h, aoi) // another call does not inherit it
	_, err = r.HotlinePropose(ctx, aoi, warifu.VerbResume, later.Match, "found")
	wantProblem(t, err, "call-back-missing")
	h.Check(t)
}

func TestRevokingAtTheHoldersWishTakesACallBackAndTheAuthoritysOwnDoesNot(t *testing.T) {
	h, _ := listed(t)
	r, ctx := h.Registrar, context.Background()
	f := search(t, h, rin)
	_, err := r.HotlinePropose(ctx, rin, warifu.VerbRevoke, f.Match, "holder-request")
	wantProblem(t, err, "call-back-missing")
	_, err = r.HotlinePropose(ctx, rin, warifu.VerbRevoke, f.Match, "court-order")
	must(t, err)
	callBack(t, h, rin, f.Receipt, registration.CallBackAnswered)
	_, err = r.HotlinePropose(ctx, rin, warifu.VerbRevoke, f.Match, "holder-request")
	must(t, err)
}

func TestACallIsFoundByItsReceiptAndItsRecordIsWhole(t *testing.T) {
	h, _ := listed(t)
	r, ctx := h.Registrar, context.Background()
	f := search(t, h, aoi)
	told := &reporter{err: warifu.Unavailable("bureau-unreachable")}
	r.CardReports = told
	call := record(f.Match)
	call.Phone, call.Card = "lost", "lost" // a bag with both in it
	_, err := r.HotlineSuspend(ctx, aoi, call)
	must(t, err)
	find := func(token string) registration.HotlineCall {
		t.Helper()
		c, err := r.HotlineCall(ctx, token, f.Receipt)
		must(t, err)
		return c
	}
	if c := find(ken); c.CardBureau != registration.CardRecorded || !c.CardToldAt.IsZero() || c.Operator != "aoi" {
		t.Errorf("not told yet: %+v", c)
	}
	h.Clock.Forward(3 * time.Minute)
	told.err = nil
	if n, err := r.RetryCardReports(ctx); n != 1 || err != nil {
		t.Errorf("told of %d cards (%v)", n, err)
	}
	callBack(t, h, aoi, f.Receipt, registration.CallBackUnanswered)
	c := find(mio)
	if c.CardBureau != registration.CardTellNow || !c.CardToldAt.Equal(h.Clock.Now()) || deeds(c) != "look-up call report-card call-back" {
		t.Errorf("%+v", c)
	}
	if d := c.Done[1]; d.By != "operator:aoi" || d.Detail["card"] != "lost" || d.Detail["caller"] != "holder" || d.Detail["callBack"] != "true" {
		t.Errorf("the call record: %+v", d)
	}
	_, err = r.HotlineCall(ctx, aoi, "0000-0000-0000")
	wantProblem(t, err, "receipt-unknown")
	_, err = r.HotlineCall(ctx, "token-of-nobody", f.Receipt)
	wantProblem(t, err, "operator-unknown")
	_, err = r.HotlineCallBack(ctx, mio, f.Receipt, registration.CallBackAnswered)
	wantProblem(t, err, "operator-may-not")
	_, err = r.HotlineCallBack(ctx, aoi, f.Receipt, "perhaps")
	wantProblem(t, err, "call-record-malformed")
	nobody, err := r.HotlineSearch(ctx, aoi, registration.Contact{Reading: "ハナヨ", BirthDate: "19851103", Telephone: "09011112222"})
	must(t, err)
	_, err = r.HotlineCallBack(ctx, aoi, nobody.Receipt, registration.CallBackAnswered)
	wantProblem(t, err, "call-of-nobody")
}

func TestWhoSearchesAllHourIsStoppedAndOnRecord(t *testing.T) {
	h, _ := listed(t)
	look := func(token string) error {
		_, err := h.Registrar.HotlineSearch(context.Background(), token, theContact)
		return err
	}
	for range 30 {
		must(t, look(aoi))
		h.Clock.Forward(20 * time.Second) // slowly enough for the limit of a minute
	}
	wantProblem(t, look(aoi), "look-ups-hour")
	must(t, look(ken))
	refused := 0
	for _, l := range lines(t, h) {
		if l.Verb == "look-up-refused" && l.Actor == "operator:aoi" {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d lines of a refused look-up", refused)
	}
	if !strings.Contains(h.Log.String(), "an hour's look-ups are used up") {
		t.Error("nobody who watches the log sees it")
	}
	h.Clock.Forward(51 * time.Minute) // the first of them are an hour old
	must(t, look(aoi))
}

func TestALeaversTokenOpensNothingFromTheNextListOn(t *testing.T) {
	h, id := listed(t)
	r, ctx := h.Registrar, context.Background()
	f := search(t, h, aoi)
	_, err := r.HotlineSuspend(ctx, aoi, record(f.Match))
	must(t, err)
	callBack(t, h, aoi, f.Receipt, registration.CallBackAnswered)
	p, err := r.HotlinePropose(ctx, aoi, warifu.VerbResume, f.Match, "found")
	must(t, err)
	staff := func(aois string) registration.Operators {
		list := []registration.Operator{{Name: "ken", Role: registration.RoleHotline, Token: warifu.DigestOf([]byte(ken))}}
		if aois != "" {
			list = append(list, registration.Operator{Name: "aoi", Role: registration.RoleHotline, Token: warifu.DigestOf([]byte(aois))})
		}
		all, err := registration.NewOperators(list)
		must(t, err)
		return all
	}
	for _, now := range []string{"", "a new token of aoi"} { // gone; or back after the token got about
		r.SetOperators(staff(now))
		_, err = r.HotlineSearch(ctx, aoi, theContact)
		wantProblem(t, err, "operator-unknown")
		_, err = r.HotlineSuspend(ctx, aoi, record(f.Match))
		wantProblem(t, err, "operator-unknown")
		_, err = r.HotlineConfirm(ctx, ken, warifu.VerbResume, p.ID)
		wantProblem(t, err, "proposal-expired")
	}
	wantCredentials(t, h, id, 2, warifu.CredentialHeld)
	h.Check(t)
}
