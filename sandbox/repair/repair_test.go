package repair_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/internal/worldtest"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
	"warifu/sandbox/repair"
	"warifu/sandbox/world"
)

// shop is a world with a repair shop in it.
type shop struct {
	*testing.T
	w  *world.World
	at doorway.Client
}

func newShop(t *testing.T) shop {
	w := worldtest.Stand(t)
	return shop{t, w, doorway.NewClient(w.Places.Repair)}
}

func (s shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s shop) refused(err error, slug string) {
	s.Helper()
	if got := worldtest.Slug(err); got != slug {
		s.Errorf("got %q (%v), want %q", got, err, slug)
	}
}

// day is so many days from today, where the shop is.
func (s shop) day(ahead int) string {
	return s.w.Clock.Now().In(s.w.Scheme.Hours.Zone).AddDate(0, 0, ahead).Format(time.DateOnly)
}

// hand hands the phone in, to be ready in so many days.
func (s shop) hand(id string, days int) repair.Receipt {
	s.Helper()
	h, err := s.w.Phones.Handset(id)
	s.must(err)
	var out repair.Receipt
	s.must(s.at.Post(context.Background(), "/api/repairs", repair.Handed{Title: "Pixel 10, screen", IMEI: h.IMEI, Ready: s.day(days)}, &out))
	return out
}

func (s shop) post(j repair.Job, what string, in any) (repair.Job, error) {
	var out repair.Job
	err := s.at.Post(context.Background(), "/api/repairs/"+j.ID+"/"+what, in, &out)
	return out, err
}

// show has the phone answer the shop's question.
func (s shop) show(id string, j repair.Job) repair.Job {
	s.Helper()
	var asked struct {
		Question phone.Question `json:"question"`
		Answer   string         `json:"answer"`
	}
	s.must(s.at.Get(context.Background(), "/api/repairs/"+j.ID+"/presence", &asked))
	answer, err := s.w.Phones.Login(context.Background(), id, phones.Login{Question: asked.Question, Seen: s.at.Origin(), Unlock: phones.Unlock{PIN: worldtest.PIN}})
	s.must(err)
	var out repair.Job
	s.must(s.at.Post(context.Background(), asked.Answer, answer, &out))
	return out
}

func (s shop) look(j repair.Job) repair.Job {
	s.Helper()
	var out repair.Job
	s.must(s.at.Get(context.Background(), "/api/repairs/"+j.ID, &out))
	return out
}

// hold suspends on the phone until the end of a day so many days from today.
func (s shop) hold(id string, days int) {
	s.Helper()
	until, err := time.ParseInLocation(time.DateOnly, s.day(days+1), s.w.Scheme.Hours.Zone)
	s.must(err)
	_, err = s.w.Phones.Leave(context.Background(), id, phones.Leave{Event: "repair", Choice: phone.ChoiceHold, Until: until, Password: worldtest.Password})
	s.must(err)
}

func notes(j repair.Job) string {
	var out []string
	for _, n := range j.Notes {
		out = append(out, n.Problem)
	}
	return strings.Join(out, " ")
}

func (s shop) wants(j repair.Job, state, seen, told string) {
	s.Helper()
	if j.State != state || j.Seen != seen || notes(j) != told {
		s.Errorf("it is %s, %s, and told is %q; want %s, %s, %q", j.State, j.Seen, notes(j), state, seen, told)
	}
}

// K5: a suspension until a day behind the repair lets the phone be taken in, and lifts itself;
// the shop has no hand in it.
func TestASuspensionCoversTheRepairAndLiftsItself(t *testing.T) {
	s := newShop(t)
	worldtest.Own(t, s.w, "phone-1", "taro")
	worldtest.Forward(t, s.w, "+1m")
	j := s.hand("phone-1", 3)
	_, err := s.post(j.Job, "intake", repair.Intake{})
	s.refused(err, "repair-unseen")
	_, err = s.post(j.Job, "tap", repair.Tap{Chip: "phone-1"})
	s.refused(err, "repair-show-status")
	s.wants(s.show("phone-1", j.Job), repair.AtCounter, repair.Live, "")
	_, err = s.post(j.Job, "intake", repair.Intake{Until: s.day(3)})
	s.refused(err, "repair-live")
	s.hold("phone-1", 3)
	s.wants(s.look(j.Job), repair.AtCounter, repair.Held, "")
	_, err = s.post(j.Job, "intake", repair.Intake{Until: s.day(2)})
	s.refused(err, "repair-hold-short")
	in, err := s.post(j.Job, "intake", repair.Intake{Until: s.day(3)})
	s.must(err)
	s.wants(in, repair.Taken, repair.Held, "")
	_, err = s.post(j.Job, "orders", struct{}{})
	s.refused(err, "repair-staff-cannot")

	claim := func(number string) (repair.Job, error) { return s.post(j.Job, "return", repair.Claimed{Claim: number}) }
	_, err = claim("x")
	s.refused(err, "repair-claim-wrong")
	back, err := claim(j.Claim)
	s.must(err)
	s.wants(back, repair.Returned, repair.Held, "repair-held-still")
	_, err = claim(j.Claim)
	s.refused(err, "repair-over")
	worldtest.Forward(t, s.w, "+96h")
	kinds, err := s.w.Phones.Check(context.Background(), "phone-1")
	s.must(err)
	for _, k := range kinds.Kinds {
		if k.Finding != phone.FindingUsable {
			t.Errorf("after its day the %s certificate is %s", k.Kind, k.Finding)
		}
	}
}

// A repair that takes longer than the hold: the shop says so before, and sees it after; only
// the holder can put it off, with the card, the phone being here.
func TestARepairThatTakesLongerIsTheHoldersToCover(t *testing.T) {
	s := newShop(t)
	worldtest.Own(t, s.w, "phone-1", "taro")
	s.hold("phone-1", 2)
	j := s.hand("phone-1", 2)
	s.show("phone-1", j.Job)
	_, err := s.post(j.Job, "intake", repair.Intake{Until: s.day(2)})
	s.must(err)
	late, err := s.post(j.Job, "delay", repair.Delay{Ready: s.day(10)})
	s.must(err)
	s.wants(late, repair.Taken, repair.Held, "repair-hold-short")
	worldtest.Forward(t, s.w, "+72h")
	s.wants(s.look(j.Job), repair.Taken, repair.Live, "repair-live-here")

	order := map[string]any{"verb": "suspend", "reason": "repair", "until": s.w.Clock.Now().Add(15 * 24 * time.Hour), "cardPassword": "TARO1980"}
	s.must(doorway.NewClient(s.w.Places.Desk).Post(context.Background(), "/api/cards/taro/orders", order, nil))
	put, err := s.post(j.Job, "delay", repair.Delay{Ready: s.day(10), Until: s.day(14)})
	s.must(err)
	s.wants(put, repair.Taken, repair.Held, "")
}

// Another phone leaves the shop only when the certificates of the old one are over.
func TestAnExchangeWaitsForTheOldPhonesEnd(t *testing.T) {
	s := newShop(t)
	worldtest.Own(t, s.w, "phone-1", "taro")
	other := worldtest.Buy(t, s.w)
	s.hold("phone-1", 5)
	j := s.hand("phone-1", 5)
	s.show("phone-1", j.Job)
	_, err := s.post(j.Job, "intake", repair.Intake{Until: s.day(5)})
	s.must(err)
	h, err := s.w.Phones.Handset(other)
	s.must(err)
	exchange := repair.Claimed{Claim: j.Claim, IMEI: h.IMEI}
	_, err = s.post(j.Job, "return", exchange)
	s.refused(err, "repair-exchange-live")
	order := map[string]any{"verb": "revoke", "cardPassword": "TARO1980"}
	s.must(doorway.NewClient(s.w.Places.Desk).Post(context.Background(), "/api/cards/taro/orders", order, nil))
	done, err := s.post(j.Job, "return", exchange)
	s.must(err)
	s.wants(done, repair.Exchanged, repair.Ended, "repair-apply-anew")
}

// A chip that proves itself empty needs nothing more; another phone's chip does not speak for
// this one, and a broken phone is taken in as what it is: not looked at.
func TestAChipOnTheReaderSpeaksForItselfAlone(t *testing.T) {
	s := newShop(t)
	other := worldtest.Buy(t, s.w)
	j := s.hand("phone-1", 1)
	_, err := s.post(j.Job, "tap", repair.Tap{Chip: other})
	s.refused(err, "identifier-other")
	_, err = s.post(j.Job, "tap", repair.Tap{Chip: "phone-9"})
	if err == nil {
		t.Error("a phone that is not there was read")
	}
	tapped, err := s.post(j.Job, "tap", repair.Tap{Chip: "phone-1"})
	s.must(err)
	s.wants(tapped, repair.AtCounter, repair.Clean, "")
	in, err := s.post(j.Job, "intake", repair.Intake{})
	s.must(err)
	s.wants(in, repair.Taken, repair.Clean, "")

	broken := s.hand(other, 1)
	in, err = s.post(broken.Job, "intake", repair.Intake{Unseen: true})
	s.must(err)
	s.wants(in, repair.Taken, repair.Unseen, "repair-unseen")
	for range 5 {
		_, err = s.post(broken.Job, "return", repair.Claimed{Claim: "nobody's"})
		s.refused(err, "repair-claim-wrong")
	}
	_, err = s.post(broken.Job, "return", repair.Claimed{Claim: broken.Claim})
	s.refused(err, "repair-claim-locked")
}

// An answer made for another shop, or with another's certificate over it, shows nothing.
func TestAnAnswerForAnotherShowsNothing(t *testing.T) {
	s := newShop(t)
	ctx := context.Background()
	worldtest.Own(t, s.w, "phone-1", "taro")
	j, k := s.hand("phone-1", 1), s.hand("phone-1", 1)
	var asked struct {
		Question phone.Question `json:"question"`
		Answer   string         `json:"answer"`
	}
	s.must(s.at.Get(ctx, "/api/repairs/"+j.ID+"/presence", &asked))
	answer, err := s.w.Phones.Login(ctx, "phone-1", phones.Login{Question: asked.Question, Seen: s.at.Origin(), Unlock: phones.Unlock{PIN: worldtest.PIN}})
	s.must(err)
	if err := s.at.Post(ctx, "/api/repairs/"+k.ID+"/presence", answer, nil); err == nil {
		t.Error("the answer to another question was taken")
	}
	s.wants(s.look(k.Job), repair.AtCounter, repair.Unseen, "")
	for _, in := range map[string]repair.Handed{
		"title": {IMEI: "490154203237518", Ready: s.day(1)}, "imei": {Title: "x", IMEI: "1", Ready: s.day(1)},
		"ready": {Title: "x", IMEI: "490154203237518", Ready: s.day(-1)},
	} {
		s.refused(s.at.Post(ctx, "/api/repairs", in, nil), "repair-malformed")
	}
}

// By the pages alone.
func TestARepairByFormPages(t *testing.T) {
	s := newShop(t)
	b, at := worldtest.NewBrowser(t), s.w.Places.Repair
	h, err := s.w.Phones.Handset("phone-1")
	s.must(err)
	b.Wants(b.Get(at+"/"), "a factory reset does not remove them")
	status, page := b.Fill(at+"/repairs", "title", "Pixel", "imei", "12", "ready", s.day(2))
	if status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	b.Wants(page, "Something in the form is not right")
	status, page = b.Fill(at+"/repairs", "title", "Pixel", "imei", h.IMEI, "ready", s.day(2))
	claim := regexp.MustCompile(`<strong id="claim">(\d{8})<`).FindStringSubmatch(page)
	if status != http.StatusOK || claim == nil {
		t.Fatalf("status %d: %s", status, page)
	}
	job := at + "/repairs/repair-0001"
	if strings.Contains(b.Get(job), claim[1]) {
		t.Error("the claim is shown twice")
	}
	_, page = b.Fill(job + "/intake")
	b.Wants(page, "Nobody has seen whether the certificates are suspended")
	_, page = b.Fill(job+"/tap", "chip", "phone-1")
	b.Wants(page, "none left")
	_, page = b.Fill(job + "/intake")
	b.Wants(page, "When it takes longer")
	_, page = b.Fill(job + "/orders")
	b.Wants(page, "Staff can neither suspend")
	_, page = b.Fill(job+"/delay", "ready", s.day(3))
	b.Wants(page, s.day(3))
	_, page = b.Fill(job+"/return", "claim", claim[1])
	b.Wants(page, "returned")
}

// A hold that has no last day covers every repair, once that was said; it ends when its holder
// resumes, and the shop says so.
func TestAnEndlessSuspensionCoversEveryRepair(t *testing.T) {
	s := newShop(t)
	worldtest.Own(t, s.w, "phone-1", "taro")
	worldtest.Forward(t, s.w, "+1m")
	j := s.hand("phone-1", 3)
	_, err := s.w.Phones.Suspend(context.Background(), "phone-1", phones.Order{Password: worldtest.Password})
	s.must(err)
	s.wants(s.show("phone-1", j.Job), repair.AtCounter, repair.Held, "")
	for _, in := range []repair.Intake{{}, {Until: s.day(4), Endless: true}} {
		_, err := s.post(j.Job, "intake", in)
		s.refused(err, "repair-malformed")
	}
	in, err := s.post(j.Job, "intake", repair.Intake{Endless: true})
	s.must(err)
	s.wants(in, repair.Taken, repair.Held, "")
	late, err := s.post(j.Job, "delay", repair.Delay{Ready: s.day(30)})
	s.must(err)
	s.wants(late, repair.Taken, repair.Held, "")
	back, err := s.post(j.Job, "return", repair.Claimed{Claim: j.Claim})
	s.must(err)
	s.wants(back, repair.Returned, repair.Held, "repair-held-endless")
}
