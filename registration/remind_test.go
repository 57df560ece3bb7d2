package registration_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/scheme"
	"warifu/store"
)

// told is how many notices went out about an application since the last call.
func told(t testing.TB, h *housetest.House, since *int, id string) int {
	t.Helper()
	h.Drain(t)
	all := h.Pushed.Told()
	n := 0
	for _, other := range all[*since:] {
		if other == id {
			n++
		}
	}
	*since = len(all)
	return n
}

func TestExpiryIsAnnouncedThreeTimesAndEachOnce(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, "taro")
	end := credentials(t, h, a.ID)[0].NotAfter
	var seen int
	told(t, h, &seen, a.ID)
	for _, step := range []struct {
		at   time.Time
		want int
	}{
		{end.AddDate(0, -4, 0), 0},
		{end.AddDate(0, -3, 0).Add(24 * time.Hour), 1},
		{end.AddDate(0, -2, 0), 0},
		{end.AddDate(0, -1, 0).Add(24 * time.Hour), 1},
		{end.AddDate(0, 0, -10), 0},
		{end.AddDate(0, 0, -7), 1},
		{end.AddDate(0, 0, -1), 0},
		{end.AddDate(0, 0, 1), 0},
	} {
		h.Clock.To(step.at)
		for range 2 {
			_, err := h.Registrar.RemindExpiry(context.Background())
			must(t, err)
		}
		if got := told(t, h, &seen, a.ID); got != step.want {
			t.Errorf("at %s: %d notices, want %d", step.at.Format(time.DateOnly), got, step.want)
		}
	}
}

func TestWhoeverIsLateIsToldOnceAndNotThrice(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, "taro")
	var seen int
	told(t, h, &seen, a.ID)
	h.Clock.To(credentials(t, h, a.ID)[0].NotAfter.AddDate(0, 0, -3)) // the server stood still for months
	given, err := h.Registrar.RemindExpiry(context.Background())
	must(t, err)
	if got := told(t, h, &seen, a.ID); given != 2 || got != 1 {
		t.Errorf("%d reminders, %d notices, want 2 and 1", given, got)
	}
}

func TestALossIsRememberedEveryWeekWhileItStands(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	_, a, code := coded(t, h, "taro")
	must(t, byCode(h, code.Reveal(), ""))
	var seen int
	told(t, h, &seen, a.ID)
	remind := func(want int) {
		t.Helper()
		for range 2 {
			_, err := h.Registrar.RemindLost(context.Background())
			must(t, err)
		}
		if got := told(t, h, &seen, a.ID); got != want {
			t.Errorf("%d notices, want %d", got, want)
		}
	}
	remind(0)
	h.Clock.Forward(7*24*time.Hour + time.Second)
	remind(1)
	h.Clock.Forward(6 * 24 * time.Hour)
	remind(0)
	h.Clock.Forward(24 * time.Hour)
	remind(1)
	_, err := byCard(h, cardOrder(t, h, "taro", resumeLost))
	must(t, err)
	h.Clock.Forward(30 * 24 * time.Hour)
	remind(0)
	h.Check(t)
}

func TestTheOldPhoneIsToldBeforeAndAfterTheNewOneTakesOver(t *testing.T) {
	h := housetest.New(t, housetest.Options{Alter: func(s *scheme.Scheme) { s.SupersedeCooling = 24 * time.Hour }})
	ctx := context.Background()
	older := h.Phone(t).Own(t, "taro")
	var seen int
	told(t, h, &seen, older.ID)
	p := h.Phone(t)
	newer := p.Apply(t, "taro", warifu.Authentication)
	h.Drain(t)
	issued := h.Clock.Now()
	if got := told(t, h, &seen, older.ID); got != 1 {
		t.Errorf("%d notices before, want 1", got)
	}
	life, err := h.Registrar.Life(ctx, older.ID)
	must(t, err)
	if len(life.Credentials) != 2 || !life.ReplacedBy.Equal(issued.Add(24*time.Hour)) {
		t.Errorf("the old phone is told %+v", life)
	}
	own, err := h.Registrar.Life(ctx, newer.ID)
	must(t, err)
	if !own.ReplacedBy.IsZero() {
		t.Error("the new phone is said to be replaced")
	}
	refused := p.Personalize()
	wantProblem(t, refused, "supersede-cooling")
	until := warifu.ProblemOf(refused).Params["until"]
	if at, err := time.Parse(time.RFC3339, until); err != nil || !at.Equal(issued.Add(24*time.Hour)) {
		t.Errorf("until %s", until)
	}
	wantCredentials(t, h, older.ID, 2, warifu.CredentialActive)
	h.Clock.Forward(24*time.Hour - time.Second)
	wantProblem(t, p.PersonalizeWith(t, "taro"), "supersede-cooling")
	h.Clock.Forward(time.Second)
	must(t, p.PersonalizeWith(t, "taro"))
	wantCredentials(t, h, older.ID, 2, warifu.CredentialSuperseded) // one kind applied for replaces both
	wantCredentials(t, h, newer.ID, 1, warifu.CredentialActive)
	if got := told(t, h, &seen, older.ID); got != 1 {
		t.Errorf("%d notices after, want 1", got)
	}
	life, err = h.Registrar.Life(ctx, older.ID)
	must(t, err)
	if life.Credentials[0].State != warifu.CredentialSuperseded || !life.ReplacedBy.IsZero() {
		t.Errorf("afterwards the old phone is told %+v", life)
	}
	_, err = h.Registrar.Life(ctx, "a"+newer.ID[2:]+"x")
	wantProblem(t, err, "application-unknown")
	h.Check(t)
}

// R34, K14: the other kind by a new application, which replaces both; on the same phone
// nobody needs to be told.
func TestAddingTheOtherKindReplacesBoth(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	first := p.Own(t, "taro", warifu.Authentication)
	var seen int
	told(t, h, &seen, first.ID)
	second := p.Own(t, "taro")
	if got := told(t, h, &seen, first.ID); got != 0 {
		t.Errorf("%d notices to the phone in hand about itself", got)
	}
	wantCredentials(t, h, first.ID, 1, warifu.CredentialSuperseded)
	wantCredentials(t, h, second.ID, 2, warifu.CredentialActive)
	kinds, err := h.Registrar.LiveKinds(context.Background(), p.Record.Element)
	must(t, err)
	if !slices.Equal(kinds, warifu.Kinds[:]) {
		t.Errorf("live are %v", kinds)
	}
	tickets(t, h, p, 0)
	h.Check(t)
}

// A repair's end is the end of that hold and of no other; of an application's, too.
func TestEndingARepairLiftsNothingElse(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	_, a, code := coded(t, h, "taro")
	until := h.Clock.Now().Add(time.Hour).Truncate(time.Second)
	suspend := suspendLost
	suspend.Reason, suspend.Until = "repair", until
	_, err := byCard(h, cardOrder(t, h, "taro", suspend))
	must(t, err)
	must(t, byCode(h, code.Reveal(), ""))
	h.Clock.Forward(2 * time.Hour)
	ended, err := h.Registrar.EndRepairHolds(context.Background())
	must(t, err)
	if ended != 2 {
		t.Errorf("%d holds ended, want 2", ended)
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
	h.Read(t, func(tx *store.Tx) error {
		for _, c := range credentials(t, h, a.ID) {
			holds, err := tx.Holds(c.ID)
			must(t, err)
			if len(holds) != 1 || holds[0].Reason != string(warifu.HoldLost) {
				t.Errorf("left are %v", holds)
			}
		}
		return nil
	})
	h.Check(t)
}

func TestARepairHoldOfAnApplicationEndsToo(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Issue(t, "taro")
	suspend := suspendLost
	suspend.Reason, suspend.Until = "repair", h.Clock.Now().Add(time.Hour).Truncate(time.Second)
	_, err := byCard(h, cardOrder(t, h, "taro", suspend))
	must(t, err)
	wantProblem(t, p.Personalize(), "application-held")
	h.Clock.Forward(time.Hour)
	_, err = h.Registrar.EndRepairHolds(context.Background())
	must(t, err)
	must(t, p.Personalize())
	h.Check(t)
}
