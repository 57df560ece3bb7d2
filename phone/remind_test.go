package phone_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/phone"
)

// reminded wants exactly these reminders, in words of both languages.
func reminded(t *testing.T, what string, app *phone.App, want ...string) []phone.Reminder {
	t.Helper()
	all, err := app.Reminders(ctx)
	must(t, err)
	var got []string
	for _, r := range all {
		got = append(got, r.Occasion)
		if r.Ja == r.En || r.Ja == "" || strings.ContainsAny(r.Ja+r.En, "{}") {
			t.Errorf("%s says %q and %q", r.Occasion, r.Ja, r.En)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: reminded of %v, want %v", what, got, want)
	}
	return all
}

// R56, B.2: three months, one month and one week before, and afterwards a kind word and the
// way to apply anew; never a reminder about nothing.
func TestTheAppRemindsOfTheEndThatComes(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	reminded(t, "a new phone", p.App)
	p.Own(t, "taro")
	reminded(t, "a new registration", p.App)
	kinds, err := p.App.Check(ctx)
	must(t, err)
	end := kinds[0].Standing.NotAfter
	for _, step := range []struct {
		at   time.Time
		want []string
	}{
		{end.AddDate(0, -3, -2), nil},
		{end.AddDate(0, -3, 4), []string{phone.RemindQuarter}},
		{end.AddDate(0, -1, 4), []string{phone.RemindMonth}},
		{end.AddDate(0, 0, -7), []string{phone.RemindWeek}},
		{end, []string{phone.RemindWeek}},
		{end.Add(time.Second), []string{phone.RemindExpired}},
	} {
		h.Clock.To(step.at)
		for _, r := range reminded(t, step.at.Format(time.DateOnly), p.App, step.want...) {
			if !slices.Equal(r.Kinds, warifu.Kinds[:]) || !r.At.Equal(end) {
				t.Errorf("%+v", r)
			}
		}
	}
	_, err = h.Registrar.Expire(ctx)
	must(t, err)
	all := reminded(t, "once the server has said so", p.App, phone.RemindExpired)
	if !strings.Contains(all[0].En, "apply again") {
		t.Errorf("after the end: %q", all[0].En)
	}
}

// R77, R55: a hold for loss stays in sight until it is lifted; a repair too; and the old phone
// hears of the new one.
func TestTheAppRemindsOfWhatIsOpen(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	elsewhere := phone.Elsewhere{Server: h.Server, Scheme: h.Scheme, Clock: h.Clock}
	byCard := func(verb warifu.Verb) {
		card := h.Card(t, "taro")
		defer card.PowerOff()
		_, err := elsewhere.Order(ctx, phone.CardOrder{Verb: verb, Reason: warifu.HoldLost, Card: card, CardPassword: string(h.PINs(t, "taro").Signature.Reveal())})
		must(t, err)
	}
	byCard(warifu.VerbSuspend)
	reminded(t, "lost", p.App, phone.RemindLost)
	byCard(warifu.VerbResume)
	reminded(t, "found", p.App)
	back := h.Clock.Now().Add(24 * time.Hour).Truncate(time.Second)
	_, err := p.App.Suspend(ctx, nil, back, byPassword)
	must(t, err)
	day := back.In(h.Scheme.Hours.Zone).Format("2006-01-02 15:04") // K5: a day that was chosen weeks ago is said
	if r := reminded(t, "in repair", p.App, phone.RemindRepair)[0]; !r.At.Equal(back) || !strings.Contains(r.Ja, day) || !strings.Contains(r.En, day) {
		t.Errorf("the day of a repair: %+v, want %s", r, day)
	}
	_, err = p.App.Resume(ctx, nil, warifu.HoldRepair, byPassword)
	must(t, err)

	second := h.Phone(t)
	second.Issue(t, "taro")
	reminded(t, "with a new phone on its way", p.App, phone.RemindReplaced)
	must(t, second.Personalize())
	reminded(t, "replaced", p.App, phone.RemindSuperseded)
	reminded(t, "the new phone", second.App)
	_, err = second.App.Revoke(ctx, nil, byPassword)
	must(t, err)
	reminded(t, "revoked", second.App, phone.RemindRevoked)
}

// K14: what was issued and not fetched in time is explained, not just gone.
func TestTheAppExplainsWhatLapsed(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Issue(t, "taro")
	h.Clock.Forward(31 * 24 * time.Hour)
	_, err := h.Registrar.Lapse(ctx)
	must(t, err)
	reminded(t, "a month later", p.App, phone.RemindLapsed)
}
