package registration_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/registration"
	"warifu/store"
)

// request has the phone's element ask something in its own name.
func request(t *testing.T, h *housetest.House, p *housetest.Phone, purpose, subject string) []byte {
	t.Helper()
	c, err := h.Registrar.Challenge(context.Background(), registration.Enquiry{Element: p.Record.Element, Model: p.Model, OSBuild: p.OSBuild, AppVersion: p.AppVersion})
	must(t, err)
	element, err := jpki.SelectElement(context.Background(), p.App.Element)
	must(t, err)
	out, err := element.DeviceRequest(context.Background(), purpose, subject, c.Octets)
	must(t, err)
	return out
}

func withdraw(h *housetest.House, id string, envelope []byte) (registration.Application, error) {
	return h.Registrar.Withdraw(context.Background(), id, envelope)
}

func TestWithdrawBeforeIssueAndAfter(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Apply(t, "taro")
	got, err := withdraw(h, a.ID, request(t, h, p, registration.PurposeWithdraw, a.ID))
	must(t, err)
	if got.State != warifu.ApplicationWithdrawn {
		t.Fatalf("withdrawn it is %s", got.State)
	}
	h.Drain(t)
	wantState(t, h, a.ID, warifu.ApplicationWithdrawn)
	wantCredentials(t, h, a.ID, 0, "")
	h.Check(t)

	b := p.Issue(t, "taro")
	_, err = withdraw(h, b.ID, request(t, h, p, registration.PurposeWithdraw, b.ID))
	must(t, err)
	wantCredentials(t, h, b.ID, 2, warifu.CredentialRevoked)
	wantProblem(t, p.Personalize(), "application-not-issued")
	h.Check(t)
}

func TestWithdrawRepeatedOrReplayed(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Apply(t, "taro")
	envelope := request(t, h, p, registration.PurposeWithdraw, a.ID)
	for range 3 { // the answer was lost: asking again is no error
		got, err := withdraw(h, a.ID, envelope)
		must(t, err)
		if got.State != warifu.ApplicationWithdrawn {
			t.Fatalf("withdrawn it is %s", got.State)
		}
	}
	b := p.Apply(t, "taro")
	_, err := withdraw(h, b.ID, envelope) // replayed for another application
	wantProblem(t, err, "device-request-other")
	wantState(t, h, b.ID, warifu.ApplicationSubmitted)
	h.Check(t)
}

func TestWithdrawByAnotherOrForAnother(t *testing.T) {
	h := house(t, housetest.Options{})
	p, thief := h.Phone(t), h.Phone(t)
	a := p.Apply(t, "taro")
	_, err := withdraw(h, a.ID, request(t, h, thief, registration.PurposeWithdraw, a.ID))
	wantProblem(t, err, "paper-signature-invalid")
	_, err = withdraw(h, a.ID, request(t, h, p, "unlock", a.ID))
	wantProblem(t, err, "device-request-other")
	late := request(t, h, p, registration.PurposeWithdraw, a.ID)
	h.Clock.Forward(11 * time.Minute)
	_, err = withdraw(h, a.ID, late)
	wantProblem(t, err, "challenge-expired")
	_, err = withdraw(h, a.ID, []byte("nonsense"))
	wantProblem(t, err, "paper-malformed")
	_, err = withdraw(h, "a"+a.ID[2:]+"a", late)
	wantProblem(t, err, "application-unknown")
	wantState(t, h, a.ID, warifu.ApplicationSubmitted)
	h.Check(t)
}

// A failed withdrawal spends nothing: the same request may be sent again.
func TestWithdrawThatCannotBeWrittenMayBeSentAgain(t *testing.T) {
	if alone(t) {
		return
	}
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Apply(t, "taro")
	envelope := request(t, h, p, registration.PurposeWithdraw, a.ID)
	full(t, func() {
		_, err := withdraw(h, a.ID, envelope)
		wantProblem(t, err, "store-unavailable")
	})
	_, err := withdraw(h, a.ID, envelope)
	must(t, err)
	wantState(t, h, a.ID, warifu.ApplicationWithdrawn)
	h.Check(t)
}

func TestWhatIsPersonalizedCannotBeWithdrawn(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	_, err := withdraw(h, a.ID, request(t, h, p, registration.PurposeWithdraw, a.ID))
	wantProblem(t, err, "application-ended")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	h.Check(t)
}

func TestLapseAfterThirtyDays(t *testing.T) {
	h := house(t, housetest.Options{})
	a := h.Phone(t).Issue(t, "taro")
	b := h.Phone(t).Own(t, "hanako")
	want := h.Clock.Now().Add(h.Scheme.ApplicationLapse)
	if !a.Lapses.Equal(want) {
		t.Errorf("it lapses %v, want %v", a.Lapses, want)
	}
	lapse := func() int {
		n, err := h.Registrar.Lapse(context.Background())
		must(t, err)
		return n
	}
	h.Clock.To(want)
	if n := lapse(); n != 0 {
		t.Errorf("%d lapsed at the last instant", n)
	}
	h.Clock.Forward(time.Microsecond)
	if n := lapse(); n != 1 {
		t.Errorf("%d lapsed, want 1", n)
	}
	wantState(t, h, a.ID, warifu.ApplicationLapsed)
	wantState(t, h, b.ID, warifu.ApplicationPersonalized)
	wantCredentials(t, h, a.ID, 2, warifu.CredentialRevoked)
	if n := lapse(); n != 0 {
		t.Errorf("%d lapsed again", n)
	}
	h.Check(t)
}

// Between its last instant and the sweep nobody personalizes what has lapsed.
func TestNothingIsFetchedAfterItsLastInstant(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	h.Clock.To(a.Lapses.Add(time.Microsecond))
	wantProblem(t, p.PersonalizeWith(t, "taro"), "application-lapsed")
	h.Check(t)
}

func TestHoldStopsPersonalizingAndItsLiftResumes(t *testing.T) {
	h := house(t, housetest.Options{})
	ctx := context.Background()
	p := h.Phone(t)
	a := p.Apply(t, "taro")
	change := func(f func(context.Context, string, warifu.HoldReason) (bool, error), reason warifu.HoldReason, want bool) {
		t.Helper()
		if changed, err := f(ctx, a.ID, reason); err != nil || changed != want {
			t.Errorf("%s: changed %v, want %v: %v", reason, changed, want, err)
		}
	}
	change(h.Registrar.HoldApplication, warifu.HoldCard, true)
	change(h.Registrar.HoldApplication, warifu.HoldOperator, true)
	h.Drain(t)
	if got := wantState(t, h, a.ID, warifu.ApplicationIssued); !got.Held {
		t.Error("the hold does not show")
	}
	wantProblem(t, p.Personalize(), "application-held")
	change(h.Registrar.LiftApplication, warifu.HoldCard, true)
	wantProblem(t, p.Personalize(), "application-held") // each lifts only itself
	change(h.Registrar.LiftApplication, warifu.HoldCard, false)
	change(h.Registrar.HoldApplication, warifu.HoldOperator, false)
	change(h.Registrar.LiftApplication, warifu.HoldOperator, true)
	must(t, p.Personalize())
	wantState(t, h, a.ID, warifu.ApplicationPersonalized)
	for _, f := range []func(context.Context, string, warifu.HoldReason) (bool, error){h.Registrar.HoldApplication, h.Registrar.LiftApplication} {
		_, err := f(ctx, a.ID, warifu.HoldCard)
		wantProblem(t, err, "application-ended")
	}
	h.Check(t)
}

// A hold that comes while the chip is being written stops the commit.
func TestHoldBetweenWritingAndCommit(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	h.Cards.Gate = func(string) { // the last thing before the commit is a question to the bureau
		h.Cards.Gate = nil
		_, err := h.Registrar.HoldApplication(context.Background(), a.ID, warifu.HoldCard)
		must(t, err)
	}
	wantProblem(t, p.Personalize(), "application-held")
	wantState(t, h, a.ID, warifu.ApplicationIssued)
	wantCredentials(t, h, a.ID, 2, warifu.CredentialPending)
	h.Check(t)
	_, err := h.Registrar.LiftApplication(context.Background(), a.ID, warifu.HoldCard)
	must(t, err)
	must(t, p.Personalize())
	h.Check(t)
}

// Whatever ends an application, no hold is left standing on it: nobody would ever lift it.
func TestWhatHasEndedIsHeldNoMore(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, h *housetest.House, p *housetest.Phone, a registration.Application){
		"withdrawn by a newer one": func(t *testing.T, h *housetest.House, _ *housetest.Phone, _ registration.Application) {
			h.Phone(t).Apply(t, "taro")
		},
		"lapsed": func(t *testing.T, h *housetest.House, _ *housetest.Phone, a registration.Application) {
			h.Clock.To(h.Application(t, a.ID).Lapses.Add(time.Minute))
			_, err := h.Registrar.Lapse(t.Context())
			must(t, err)
		},
		"its person died": func(t *testing.T, h *housetest.House, _ *housetest.Phone, _ registration.Application) {
			must(t, h.Bureau.Die("taro"))
			catchUp(t, h)
		},
		"rejected": func(t *testing.T, h *housetest.House, _ *housetest.Phone, _ registration.Application) {
			must(t, h.Bureau.Revoke("taro", warifu.ReasonUnspecified))
			h.Drain(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := house(t, housetest.Options{})
			p := h.Phone(t)
			a := p.Apply(t, "taro")
			if name != "rejected" {
				h.Drain(t)
			}
			_, err := h.Registrar.HoldApplication(t.Context(), a.ID, warifu.HoldLost)
			must(t, err)
			end(t, h, p, a)
			h.Read(t, func(tx *store.Tx) error {
				row, err := tx.Application(a.ID)
				must(t, err)
				holds, err := tx.Holds(a.ID)
				if !warifu.ApplicationLife.Final(row.State) || len(holds) != 0 {
					t.Errorf("%s, under %d holds", row.State, len(holds))
				}
				return err
			})
			h.Check(t)
		})
	}
}

// heard is a transport that may lose answers on their way back.
type heard struct {
	housetest.InProcess
	lose func(path string) bool
	body map[string][]byte // the latest request to each path
}

// RoundTrip implements http.RoundTripper.
func (l *heard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		if l.body != nil {
			l.body[r.URL.Path] = b
		}
	}
	response, err := l.InProcess.RoundTrip(r)
	if err == nil && l.lose != nil && l.lose(r.URL.Path) {
		return nil, io.ErrUnexpectedEOF
	}
	return response, err
}

func TestDiskFullAcceptsNothingAndSpendsNothing(t *testing.T) {
	if alone(t) {
		return
	}
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	d := p.Draft(t, "taro")
	full(t, func() {
		_, err := p.Submit(t, d)
		wantProblem(t, err, "store-unavailable")
	})
	nothingAccepted(t, h, p)
	a, err := p.Submit(t, d)
	must(t, err)
	full(t, func() { // neither issued nor lost
		_, err := h.Queue.Drain(context.Background())
		wantProblem(t, err, "store-unavailable")
	})
	wantState(t, h, a.ID, warifu.ApplicationSubmitted)
	h.Clock.Forward(5 * time.Minute) // leases of what was under way end
	h.Drain(t)
	wantState(t, h, a.ID, warifu.ApplicationIssued)
	full(t, func() {
		if err := p.Personalize(); err == nil {
			t.Error("personalized on a full disk")
		}
	})
	wantCredentials(t, h, a.ID, 2, warifu.CredentialPending)
	must(t, p.Element.(interface{ Reset() error }).Reset()) // its memory was full as well
	must(t, p.Personalize())
	h.Check(t)
}
