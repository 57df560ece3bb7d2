package registration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/store"
)

// The operators of these tests, by the tokens they come with.
const (
	aoi = "token-of-aoi"
	ken = "token-of-ken"
	rin = "token-of-rin"
	sei = "token-of-sei"
	mio = "token-of-mio"
)

var theContact = registration.Contact{"はなこ", "1985-11-03", "090-1111-2222"}

// listed is a house with a hotline, and the application of a person who registered a contact
// and owns a phone.
func listed(t *testing.T) (*housetest.House, string) {
	t.Helper()
	h := housetest.New(t, housetest.Options{})
	var err error
	var list []registration.Operator
	for token, role := range map[string]registration.OperatorRole{
		aoi: registration.RoleHotline, ken: registration.RoleHotline, rin: registration.RoleRegistrar, sei: registration.RoleRegistrar, mio: registration.RoleAuditor,
	} {
		list = append(list, registration.Operator{Name: strings.TrimPrefix(token, "token-of-"), Role: role, Token: warifu.DigestOf([]byte(token))})
	}
	h.Registrar.Operators, err = registration.NewOperators(list)
	must(t, err)
	return h, ownListed(t, h, "hanako", theContact)
}

func ownListed(t *testing.T, h *housetest.House, who string, c registration.Contact) string {
	t.Helper()
	p := h.Phone(t)
	d := p.Draft(t, who)
	s := housetest.Submission(d)
	s.Contact = &c
	_, err := apply(h, s)
	must(t, err)
	a, err := p.Submit(t, d)
	must(t, err)
	h.Drain(t)
	must(t, p.Personalize())
	return a.ID
}

func search(t *testing.T, h *housetest.House, token string) registration.Found {
	t.Helper()
	f, err := h.Registrar.HotlineSearch(context.Background(), token, theContact)
	must(t, err)
	if f.Matched != 1 || f.Match == "" {
		t.Fatalf("found %+v", f)
	}
	return f
}

func record(match string) registration.CallRecord {
	return registration.CallRecord{Match: match, CallBackNumberGiven: true, Caller: "holder", Phone: "lost", Card: "kept"}
}

// lines are all audit lines.
func lines(t *testing.T, h *housetest.House) (out []store.Line) {
	t.Helper()
	h.Read(t, func(tx *store.Tx) (err error) {
		out, err = tx.AuditAfter("", 10_000)
		return err
	})
	return out
}

func TestASearchFindsAcrossWidthAndKanaAndNotOtherwise(t *testing.T) {
	h, _ := listed(t)
	for _, c := range []struct {
		contact registration.Contact
		matched int
	}{
		{registration.Contact{"ハナコ", "19851103", "09011112222"}, 1},
		{registration.Contact{"ﾊﾅｺ", "１９８５年１１月３日", "＋８１ ９０－１１１１－２２２２"}, 1},
		{registration.Contact{"ハナヨ", "19851103", "09011112222"}, 0},
		{registration.Contact{"ハナコ", "19851104", "09011112222"}, 0},
		{registration.Contact{"ハナコ", "19851103", "09011112223"}, 0},
	} {
		f, err := h.Registrar.HotlineSearch(context.Background(), aoi, c.contact)
		must(t, err)
		if f.Matched != c.matched || (f.Match != "") != (c.matched == 1) || len(f.Receipt) != 14 {
			t.Errorf("matched %d with match %q, want %d", f.Matched, f.Match, c.matched)
		}
	}
	var person warifu.Digest
	h.Read(t, func(tx *store.Tx) error {
		persons, err := tx.PersonsOfContact(store.Contact{Reading: "ハナコ", BirthDate: "19851103", Telephone: "09011112222"})
		if len(persons) != 1 {
			t.Fatalf("%d persons (%v)", len(persons), err)
		}
		person = persons[0]
		return err
	})
	h.Write(t, func(tx *store.Tx) error { return tx.ErasePerson(person) })
	f, err := h.Registrar.HotlineSearch(context.Background(), ken, theContact)
	if err != nil || f.Matched != 0 {
		t.Errorf("an erased person is found: %+v (%v)", f, err)
	}
}

func TestOnlyAnOperatorWithTheRightIsLetIn(t *testing.T) {
	h, id := listed(t)
	r, ctx := h.Registrar, context.Background()
	match := search(t, h, aoi).Match
	for _, c := range []struct{ token, slug string }{{"", "operator-unknown"}, {"token-of-nobody", "operator-unknown"}, {aoi + " ", "operator-unknown"}, {mio, "operator-may-not"}} {
		_, err := r.HotlineSearch(ctx, c.token, theContact)
		wantProblem(t, err, c.slug)
		_, err = r.HotlineSuspend(ctx, c.token, record(match))
		wantProblem(t, err, c.slug)
		for _, verb := range []warifu.Verb{warifu.VerbResume, warifu.VerbRevoke} {
			_, err = r.HotlinePropose(ctx, c.token, verb, match, "found")
			wantProblem(t, err, c.slug)
			_, err = r.HotlineConfirm(ctx, c.token, verb, "p")
			wantProblem(t, err, c.slug)
		}
	}
	_, err := r.HotlinePropose(ctx, aoi, warifu.VerbRevoke, match, "holder-request")
	wantProblem(t, err, "operator-may-not")
	_, err = r.HotlineConfirm(ctx, ken, warifu.VerbRevoke, "p")
	wantProblem(t, err, "operator-may-not")
	_, err = r.HotlineCalls(ctx, aoi, time.Time{})
	wantProblem(t, err, "operator-may-not")
	_, err = r.HotlineSuspend(ctx, ken, record(match))
	wantProblem(t, err, "match-unknown") // another operator's
	wantCredentials(t, h, id, 2, warifu.CredentialActive)
	h.Registrar.Operators = registration.Operators{}
	_, err = r.HotlineSearch(ctx, aoi, theContact)
	wantProblem(t, err, "operator-unknown")
}

func TestOperatorsHaveANameAndATokenEach(t *testing.T) {
	one := registration.Operator{Name: "aoi", Role: registration.RoleHotline, Token: warifu.DigestOf([]byte("1"))}
	for _, change := range []func(*registration.Operator){
		func(o *registration.Operator) { o.Token = warifu.DigestOf([]byte("2")) },
		func(o *registration.Operator) { o.Name = "ken" },
		func(o *registration.Operator) { o.Name, o.Token = "ken", warifu.Digest{} },
		func(o *registration.Operator) {
			o.Name, o.Token, o.Role = "ken", warifu.DigestOf([]byte("2")), "chief"
		},
		func(o *registration.Operator) { o.Name, o.Token = "Ken Sato", warifu.DigestOf([]byte("2")) },
	} {
		other := one
		change(&other)
		_, err := registration.NewOperators([]registration.Operator{one, other})
		wantProblem(t, err, "operators-invalid")
	}
}

func TestOneCallSuspendsAndTellsTheBureauOfAStolenCard(t *testing.T) {
	h, id := listed(t)
	ctx := context.Background()
	bureau := &reporter{err: errors.New("away")}
	h.Registrar.CardReports = bureau
	_, err := h.Registrar.HotlineSuspend(ctx, aoi, registration.CallRecord{Match: search(t, h, aoi).Match, Caller: "holder", Phone: "lost", Card: "花子"})
	wantProblem(t, err, "call-record-malformed")
	f := search(t, h, aoi)
	r := record(f.Match)
	r.Phone, r.Card = "stolen", "stolen"
	s, err := h.Registrar.HotlineSuspend(ctx, aoi, r)
	must(t, err)
	if s.Receipt != f.Receipt || s.CardBureau != registration.CardRecorded {
		t.Errorf("%+v", s)
	}
	wantCredentials(t, h, id, 2, warifu.CredentialHeld)
	if got := holdsOn(t, h, credentials(t, h, id)[0].ID); got != "lost" {
		t.Errorf("held for %s", got)
	}
	bureau.err = nil
	for want := 1; want >= 0; want-- {
		if n, err := h.Registrar.RetryCardReports(ctx); err != nil || n != want {
			t.Errorf("told %d (%v), want %d", n, err, want)
		}
	}
	if len(bureau.told) != 1 || bureau.told[0] != credentials(t, h, id)[0].Person {
		t.Errorf("told of %v", bureau.told)
	}
	if s, err = h.Registrar.HotlineSuspend(ctx, aoi, r); err != nil || s.CardBureau != registration.CardTellNow {
		t.Errorf("a second time: %+v, %v", s, err)
	}
	h.Clock.Forward(11 * time.Minute)
	_, err = h.Registrar.HotlineSuspend(ctx, aoi, r)
	wantProblem(t, err, "match-expired")
	h.Check(t)
}

// refuser takes reports about one person and refuses all others for good.
type refuser struct {
	takes warifu.Digest
	asked int
}

func (r *refuser) ReportCard(_ context.Context, person warifu.Digest, _ string) error {
	if r.asked++; person != r.takes {
		return warifu.Refused("paper-malformed")
	}
	return nil
}

func TestReportsThatAreRefusedForGoodKeepNoOtherWaiting(t *testing.T) {
	h, id := listed(t)
	ctx := context.Background()
	bureau := &refuser{takes: credentials(t, h, id)[0].Person}
	h.Registrar.CardReports = bureau
	began := h.Clock.Now()
	h.Write(t, func(tx *store.Tx) error {
		for i := range 201 { // one more than a round takes
			receipt, person := fmt.Sprint("R", i), warifu.DigestOf([]byte("somebody"))
			if i == 200 {
				person = bureau.takes
			}
			at := began.Add(time.Duration(i) * time.Second)
			if err := tx.InsertCall(store.Call{Receipt: receipt, Operator: "aoi", At: at}); err != nil {
				return err
			}
			if err := tx.PutCardReport(store.CardReport{Receipt: receipt, Person: person, At: at}); err != nil {
				return err
			}
		}
		return nil
	})
	told := 0
	for range 2 {
		h.Clock.Forward(time.Hour)
		n, err := h.Registrar.RetryCardReports(ctx)
		must(t, err)
		told += n
	}
	if told != 1 {
		t.Errorf("told of %d in two rounds", told)
	}
	if n, oldest, err := h.Registrar.OpenCardReports(ctx); n != 200 || !oldest.Equal(began.UTC()) && !oldest.Equal(began) || err != nil {
		t.Errorf("%d wait since %s (%v)", n, oldest, err)
	}
}

type reporter struct {
	err  error
	told []warifu.Digest
}

func (r *reporter) ReportCard(_ context.Context, person warifu.Digest, _ string) error {
	if r.err == nil && len(r.told) == 0 {
		r.told = append(r.told, person)
	}
	return r.err
}

func holdsOn(t *testing.T, h *housetest.House, subject string) string {
	t.Helper()
	var out []string
	h.Read(t, func(tx *store.Tx) error {
		holds, err := tx.Holds(subject)
		for _, one := range holds {
			out = append(out, one.Reason)
		}
		return err
	})
	return strings.Join(out, ",")
}

func TestAnOpenApplicationOfThePersonIsHeldAsWell(t *testing.T) {
	h, _ := listed(t)
	p := h.Phone(t)
	d := p.Draft(t, "taro")
	s := housetest.Submission(d)
	s.Contact = &registration.Contact{"タロウ", "19800217", "0312345678"}
	a, err := apply(h, s)
	must(t, err)
	_, err = p.Submit(t, d)
	must(t, err)
	f, err := h.Registrar.HotlineSearch(context.Background(), aoi, *s.Contact)
	must(t, err)
	_, err = h.Registrar.HotlineSuspend(context.Background(), aoi, record(f.Match))
	must(t, err)
	if !h.Application(t, a.ID).Held {
		t.Error("it is not held")
	}
}

func TestResumingTakesTwoOperators(t *testing.T) {
	h, id := listed(t)
	r, ctx := h.Registrar, context.Background()
	f := search(t, h, aoi)
	_, err := r.HotlineSuspend(ctx, aoi, record(f.Match))
	must(t, err)
	_, err = r.HotlinePropose(ctx, aoi, warifu.VerbResume, f.Match, "because")
	wantProblem(t, err, "cause-unknown")
	_, err = r.HotlinePropose(ctx, aoi, warifu.VerbResume, f.Match, "found")
	wantProblem(t, err, "call-back-missing")
	callBack(t, h, aoi, f.Receipt, registration.CallBackAnswered)
	p, err := r.HotlinePropose(ctx, aoi, warifu.VerbResume, f.Match, "found")
	must(t, err)
	wantCredentials(t, h, id, 2, warifu.CredentialHeld)
	_, err = r.HotlineConfirm(ctx, aoi, warifu.VerbResume, p.ID)
	wantProblem(t, err, "four-eyes")
	_, err = r.HotlineConfirm(ctx, rin, warifu.VerbRevoke, p.ID)
	wantProblem(t, err, "proposal-unknown")
	all := r.Operators
	r.Operators, err = registration.NewOperators([]registration.Operator{ // the same token under another name
		{Name: "aoi2", Role: registration.RoleHotline, Token: warifu.DigestOf([]byte(aoi))}, {Name: "ken", Role: registration.RoleHotline, Token: warifu.DigestOf([]byte(ken))}})
	must(t, err)
	_, err = r.HotlineConfirm(ctx, aoi, warifu.VerbResume, p.ID)
	wantProblem(t, err, "four-eyes")
	_, err = r.HotlineConfirm(ctx, ken, warifu.VerbResume, p.ID)
	wantProblem(t, err, "proposal-expired") // who proposed works here no more
	r.Operators = all
	wantCredentials(t, h, id, 2, warifu.CredentialHeld)
	receipt, err := r.HotlineConfirm(ctx, ken, warifu.VerbResume, p.ID)
	if err != nil || receipt != f.Receipt {
		t.Fatalf("%s, %v", receipt, err)
	}
	wantCredentials(t, h, id, 2, warifu.CredentialActive)
	_, err = r.HotlineConfirm(ctx, rin, warifu.VerbResume, p.ID)
	wantProblem(t, err, "proposal-closed")
	late, err := r.HotlinePropose(ctx, aoi, warifu.VerbResume, f.Match, "mistaken")
	must(t, err)
	h.Clock.Forward(61 * time.Minute)
	_, err = r.HotlineConfirm(ctx, ken, warifu.VerbResume, late.ID)
	wantProblem(t, err, "proposal-expired")
	h.Check(t)
}

func TestAProposalThatConvincesNobodyIsTurnedDown(t *testing.T) {
	h, id := listed(t)
	r, ctx := h.Registrar, context.Background()
	f := search(t, h, aoi)
	_, err := r.HotlineSuspend(ctx, aoi, record(f.Match))
	must(t, err)
	callBack(t, h, aoi, f.Receipt, registration.CallBackAnswered)
	propose := func() string {
		p, err := r.HotlinePropose(ctx, aoi, warifu.VerbResume, f.Match, "found")
		must(t, err)
		return p.ID
	}
	for _, who := range []string{ken, aoi} { // another operator, and who takes it back
		p := propose()
		receipt, err := r.HotlineDecline(ctx, who, p)
		if err != nil || receipt != f.Receipt {
			t.Fatalf("%s, %v", receipt, err)
		}
		_, err = r.HotlineConfirm(ctx, ken, warifu.VerbResume, p)
		wantProblem(t, err, "proposal-expired")
		_, err = r.HotlineDecline(ctx, ken, p)
		wantProblem(t, err, "proposal-expired")
	}
	wantCredentials(t, h, id, 2, warifu.CredentialHeld)
	p := propose()
	_, err = r.HotlineConfirm(ctx, ken, warifu.VerbResume, p)
	must(t, err)
	_, err = r.HotlineDecline(ctx, aoi, p)
	wantProblem(t, err, "proposal-closed")
	revoke, err := r.HotlinePropose(ctx, rin, warifu.VerbRevoke, search(t, h, rin).Match, "misissued")
	must(t, err)
	for _, who := range []string{ken, "nobody"} {
		if _, err = r.HotlineDecline(ctx, who, revoke.ID); err == nil {
			t.Errorf("%s turned a revocation down", who)
		}
	}
	h.Check(t)
}

func TestRevokingTakesTwoRegistrarsACauseAndANotice(t *testing.T) {
	h, id := listed(t)
	r, ctx := h.Registrar, context.Background()
	p, err := r.HotlinePropose(ctx, rin, warifu.VerbRevoke, search(t, h, rin).Match, "key-compromise")
	must(t, err)
	_, err = r.HotlineConfirm(ctx, rin, warifu.VerbRevoke, p.ID)
	wantProblem(t, err, "four-eyes")
	before := len(h.Pushed.Told())
	_, err = r.HotlineConfirm(ctx, sei, warifu.VerbRevoke, p.ID)
	must(t, err)
	wantCredentials(t, h, id, 2, warifu.CredentialRevoked)
	if got := credentials(t, h, id)[0].Status.Reason; got != warifu.ReasonKeyCompromise {
		t.Errorf("the world is told %s", got)
	}
	h.Drain(t)
	if len(h.Pushed.Told()) != before+1 {
		t.Error("the phone was not told")
	}
	var told []string
	_, err = r.SendContactNotices(ctx, func(_ context.Context, n registration.ContactNotice) error {
		told = append(told, n.Occasion+" "+n.Telephone.Reveal())
		return nil
	})
	must(t, err)
	if len(told) != 1 || told[0] != "revoked-by-operators 09011112222" {
		t.Errorf("told %q", told)
	}
	h.Check(t)
}

func TestLookUpsAreLimitedForOneAndForAll(t *testing.T) {
	h, _ := listed(t)
	look := func(token string) error {
		_, err := h.Registrar.HotlineSearch(context.Background(), token, theContact)
		return err
	}
	for range 10 {
		must(t, look(aoi))
	}
	wantProblem(t, look(aoi), "look-ups-too-many")
	must(t, look(ken))
	h.Clock.Forward(10 * time.Second)
	must(t, look(aoi))
	wantProblem(t, look(aoi), "look-ups-too-many")
}

func TestNoAttributeIsInLogAuditOrListOfCalls(t *testing.T) {
	h, id := listed(t)
	r, ctx := h.Registrar, context.Background()
	f := search(t, h, rin)
	_, err := r.HotlineSuspend(ctx, rin, record(f.Match))
	must(t, err)
	callBack(t, h, rin, f.Receipt, registration.CallBackAnswered)
	p, err := r.HotlinePropose(ctx, rin, warifu.VerbResume, f.Match, "found")
	must(t, err)
	_, err = r.HotlineConfirm(ctx, aoi, warifu.VerbResume, p.ID)
	must(t, err)
	_, err = r.HotlineSearch(ctx, aoi, registration.Contact{"ハナコ", "花子の誕生日", "09011112222"})
	wantProblem(t, err, "contact-malformed")
	calls, err := r.HotlineCalls(ctx, mio, time.Time{})
	must(t, err)
	if len(calls) != 1 || deeds(calls[0]) != "look-up call call-back propose confirm" || calls[0].CallBack != "answered" {
		t.Errorf("calls: %+v", calls)
	}
	seen := h.Log.String() + fmt.Sprintf("%+v", calls)
	for _, l := range lines(t, h) {
		seen += " " + l.Actor + " " + l.Subject + " " + l.Cause
		for k, v := range l.Detail {
			seen += " " + k + "=" + v
		}
	}
	person := credentials(t, h, id)[0].Person.String()
	for _, canary := range []string{"ハナコ", "はなこ", "花子", "1985", "0901111", "090-1111", f.Match, p.ID, aoi, rin, person} {
		if strings.Contains(seen, canary) {
			t.Errorf("log or audit shows %q", canary)
		}
	}
	for _, want := range []string{"operator:rin", "operators:rin+aoi", f.Receipt} {
		if !strings.Contains(seen, want) {
			t.Errorf("the audit trail lacks %q", want)
		}
	}
}
