package registration_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/iso7816"
	"warifu/phone"
	"warifu/registration"
	"warifu/scheme"
	"warifu/store"
)

// torn is a secure element that goes silent after some APDUs.
type torn struct {
	iso7816.Transmitter
	left int
}

// Transmit implements iso7816.Transmitter.
func (c *torn) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if c.left--; c.left < 0 {
		return nil, iso7816.ErrRemoved
	}
	return c.Transmitter.Transmit(ctx, command)
}

func personalizeTorn(p *housetest.Phone, after int) error {
	whole := p.App.Element
	p.App.Element = &torn{whole, after}
	defer func() { p.App.Element = whole }()
	return p.Personalize()
}

func TestPersonalizationCutAtEveryAPDUIsResumed(t *testing.T) {
	for _, kinds := range [][]warifu.Kind{warifu.Kinds[:], {warifu.Signature}, {warifu.Authentication}} {
		h := house(t, housetest.Options{})
		p := h.Phone(t)
		for after := 0; ; after++ {
			a := p.Issue(t, "taro", kinds...)
			err := personalizeTorn(p, after)
			if err == nil {
				if after < 6 {
					t.Fatalf("a whole session took %d APDUs", after)
				}
				break
			}
			wantProblem(t, err, "element-interrupted")
			p.Element.PowerOff()
			h.Check(t)
			must(t, p.Personalize())
			wantState(t, h, a.ID, warifu.ApplicationPersonalized)
			wantCredentials(t, h, a.ID, len(kinds), warifu.CredentialActive)
			h.Check(t)
			signs(t, h, p, kinds)
		}
	}
}

// signs checks that chip and server agree: the phone uses its key with the certificate
// that is active.
func signs(t housetest.TB, h *housetest.House, p *housetest.Phone, kinds []warifu.Kind) {
	t.Helper()
	if kinds[0] != warifu.Signature {
		return
	}
	der, err := p.App.Sign(context.Background(), []byte("a contract"), false, phone.Unlock{Typed: housetest.Secrets.Signature})
	must(t, err)
	serial := signerOf(t, der).SerialNumber.Bytes()
	h.Read(t, func(tx *store.Tx) error {
		record, found, err := tx.StatusOf(warifu.Signature, serial)
		if !found || record.Status.Cert != warifu.StatusGood {
			t.Errorf("the phone signs with a certificate that is %s", record.Status.Cert)
		}
		return err
	})
}

// Every answer of the server is lost once on its way to the phone: also the one that
// tells of the commit.
func TestPersonalizationWithEveryAnswerLostIsResumed(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	line := &heard{InProcess: housetest.InProcess{Handler: h.Site}}
	server, err := phone.NewServer(housetest.Origin, &http.Client{Transport: line})
	must(t, err)
	p.App.Server = server
	for nth := 1; ; nth++ {
		a := p.Issue(t, "taro")
		count := 0
		line.lose = func(path string) bool {
			if strings.HasPrefix(path, "/api/v1/sessions/") {
				count++
			}
			return count == nth && strings.HasPrefix(path, "/api/v1/sessions/")
		}
		err := p.Personalize()
		line.lose = nil
		if err == nil {
			if nth < 3 {
				t.Fatalf("a whole session took %d exchanges", nth)
			}
			break
		}
		wantProblem(t, err, "server-unreachable")
		h.Check(t)
		must(t, p.Personalize())
		wantState(t, h, a.ID, warifu.ApplicationPersonalized)
		h.Check(t)
	}
}

func open(h *housetest.House, id string, proof *registration.CardProof) (registration.Exchange, error) {
	return h.Registrar.OpenSession(context.Background(), id, proof)
}

// step carries one round of a session to the chip and back.
func step(t *testing.T, h *housetest.House, p *housetest.Phone, e registration.Exchange) (registration.Exchange, error) {
	t.Helper()
	var responses [][]byte
	for _, c := range e.Commands {
		r, err := p.App.Element.Transmit(context.Background(), c)
		must(t, err)
		responses = append(responses, r)
	}
	return h.Registrar.Exchange(context.Background(), e.Session, responses)
}

func TestSessionsAreBounded(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	var names []string
	for range 6 {
		e, err := open(h, a.ID, nil)
		must(t, err) // never kept waiting by sessions that are dead already
		names = append(names, e.Session)
	}
	for _, gone := range names[:2] {
		_, err := h.Registrar.Exchange(context.Background(), gone, nil)
		wantProblem(t, err, "session-unknown")
	}
	last, err := open(h, a.ID, nil)
	must(t, err)
	h.Clock.Forward(5*time.Minute + time.Microsecond)
	_, err = step(t, h, p, last)
	wantProblem(t, err, "session-unknown")
	_, err = h.Registrar.Exchange(context.Background(), "s-nobody", nil)
	wantProblem(t, err, "session-unknown")
	h.Registrar.FillSessions(10_000)
	_, err = open(h, a.ID, nil)
	wantProblem(t, err, "sessions-too-many")
	h.Clock.Forward(5*time.Minute + time.Microsecond)
	must(t, p.Personalize())
	h.Check(t)
}

func TestAnyErrorEndsTheSession(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	for name, responses := range map[string][][]byte{
		"none": nil, "too few": {{0x90, 0x00}}, "empty ones": {{}, {}}, "refusals": {{0x6A, 0x82}, {0x69, 0x85}}, "rubbish": {make([]byte, 300), make([]byte, 70000)},
	} {
		e, err := open(h, a.ID, nil)
		must(t, err)
		if _, err := h.Registrar.Exchange(context.Background(), e.Session, responses); err == nil {
			t.Errorf("%s: accepted", name)
		}
		_, err = h.Registrar.Exchange(context.Background(), e.Session, responses)
		wantProblem(t, err, "session-unknown")
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialPending)
	must(t, p.Personalize())
	h.Check(t)
}

func TestWhatCannotBePersonalized(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	_, err := open(h, "a-nobody", nil)
	wantProblem(t, err, "application-unknown")
	a := p.Apply(t, "taro")
	_, err = open(h, a.ID, nil)
	wantProblem(t, err, "application-not-issued")
	h.Drain(t)
	other := h.Phone(t)
	e, err := open(h, a.ID, nil)
	must(t, err)
	_, err = step(t, h, other, e) // another chip answers
	wantProblem(t, err, "element-other")
	must(t, p.App.Abandon(context.Background())) // the keys are given up
	wantProblem(t, p.Personalize(), "element-keys-gone")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialPending)
	h.Check(t)
}

func TestCardIsCheckedAgainBeforeActivation(t *testing.T) {
	for problem, befall := range map[string]func(*housetest.House) error{
		"card-held":    func(h *housetest.House) error { return h.Bureau.Suspend("taro") },
		"card-revoked": func(h *housetest.House) error { return h.Bureau.Revoke("taro", warifu.ReasonKeyCompromise) },
	} {
		t.Run(problem, func(t *testing.T) {
			h := house(t, housetest.Options{})
			p := h.Phone(t)
			a := p.Issue(t, "taro")
			must(t, befall(h))
			wantProblem(t, p.Personalize(), problem)
			wantState(t, h, a.ID, warifu.ApplicationIssued)
			wantCredentials(t, h, a.ID, 2, warifu.CredentialPending)
			h.Check(t)
			if problem != "card-held" {
				return
			}
			must(t, h.Bureau.Resume("taro"))
			must(t, p.Personalize())
			h.Check(t)
		})
	}
}

func TestCardThatExpiredMeanwhileIsNoParent(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	h.Clock.To(day(15, 23, 0, 0, 0)) // the last evening of five days
	a := p.Issue(t, "aoi")
	h.Clock.Forward(2 * time.Hour)
	wantProblem(t, p.Personalize(), "card-expired")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialPending)
	h.Check(t)
}

func TestBureauDownAtActivationIsResumed(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	h.Cards.Fault = housetest.Down
	wantProblem(t, p.Personalize(), "bureau-unreachable")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialPending)
	h.Cards.Fault = nil
	must(t, p.Personalize())
	h.Check(t)
}

// R45: a day after the application the card is asked for again.
func TestCardIsAskedForAgain(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	line := &heard{InProcess: housetest.InProcess{Handler: h.Site}, body: map[string][]byte{}}
	server, err := phone.NewServer(housetest.Origin, &http.Client{Transport: line})
	must(t, err)
	p.App.Server = server
	a := p.Issue(t, "taro")
	h.Clock.Forward(h.Scheme.CardAgain)
	e, err := open(h, a.ID, nil) // at the last instant not yet
	must(t, err)
	_ = e
	h.Clock.Forward(time.Microsecond)
	err = p.Personalize()
	wantProblem(t, err, "card-proof-required")
	if warifu.ProblemOf(err).Code != warifu.CodeUnauthenticated {
		t.Errorf("the code is %s, want unauthenticated (401)", warifu.ProblemOf(err).Code)
	}
	wantProblem(t, p.PersonalizeWith(t, "hanako"), "card-other")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialPending)

	_ = personalizeTornWith(t, p, "taro", 4)
	proof := proofIn(t, line.body["/api/v1/applications/"+a.ID+"/sessions"])
	_, err = open(h, a.ID, proof) // the proof that opened that session, replayed
	wantProblem(t, err, "challenge-used")
	forged := *proof
	forged.Signature = flip(proof.Signature, 9)
	_, err = open(h, a.ID, &forged)
	wantProblem(t, err, "signature-invalid")
	forged = *proof
	forged.Challenge = flip(proof.Challenge, 9)
	_, err = open(h, a.ID, &forged)
	wantProblem(t, err, "challenge-invalid")
	h.Clock.Forward(11 * time.Minute)
	_, err = open(h, a.ID, proof)
	wantProblem(t, err, "challenge-expired")

	p.Element.PowerOff()
	must(t, p.PersonalizeWith(t, "taro"))
	wantState(t, h, a.ID, warifu.ApplicationPersonalized)
	h.Check(t)
}

func personalizeTornWith(t *testing.T, p *housetest.Phone, who string, after int) error {
	t.Helper()
	whole := p.App.Element
	p.App.Element = &torn{whole, after}
	defer func() { p.App.Element = whole }()
	return p.PersonalizeWith(t, who)
}

func proofIn(t *testing.T, body []byte) *registration.CardProof {
	t.Helper()
	var in struct{ CardProof *phone.CardProof }
	must(t, json.Unmarshal(body, &in))
	if in.CardProof == nil {
		t.Fatalf("no proof in %s", body)
	}
	return &registration.CardProof{Certificate: in.CardProof.Certificate, Challenge: in.CardProof.Challenge, Signature: in.CardProof.Signature}
}

// A proof made for one application opens no other.
func TestCardProofIsForOneApplication(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	line := &heard{InProcess: housetest.InProcess{Handler: h.Site}, body: map[string][]byte{}}
	server, err := phone.NewServer(housetest.Origin, &http.Client{Transport: line})
	must(t, err)
	p.App.Server = server
	a := p.Issue(t, "taro")
	h.Clock.Forward(25 * time.Hour)
	// The proof never arrives: only the phone knows it.
	handler := line.Handler
	line.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/sessions") && strings.Contains(string(line.body[r.URL.Path]), "cardProof") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		handler.ServeHTTP(w, r)
	})
	_ = p.PersonalizeWith(t, "taro")
	line.Handler = handler
	proof := proofIn(t, line.body["/api/v1/applications/"+a.ID+"/sessions"])
	b := p.Issue(t, "taro")
	h.Clock.Forward(time.Second)
	if _, err := open(h, b.ID, proof); err != nil {
		t.Fatal(err) // b is young: no proof is asked for
	}
	h.Clock.Forward(25 * time.Hour)
	_, err = open(h, b.ID, proof)
	wantProblem(t, err, "challenge-expired")
}

func TestOneKindThenBoth(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	first := p.Own(t, "taro", warifu.Signature)
	wantCredentials(t, h, first.ID, 1, warifu.CredentialActive)
	h.Check(t)
	second := p.Issue(t, "taro") // K14: the new one replaces both, when it is personalized
	wantCredentials(t, h, first.ID, 1, warifu.CredentialActive)
	must(t, p.Personalize())
	wantCredentials(t, h, first.ID, 1, warifu.CredentialSuperseded)
	wantCredentials(t, h, second.ID, 2, warifu.CredentialActive)
	h.Check(t)
	third := p.Own(t, "taro", warifu.Authentication)
	wantCredentials(t, h, second.ID, 2, warifu.CredentialSuperseded)
	wantCredentials(t, h, third.ID, 1, warifu.CredentialActive)
	h.Check(t)
}

func TestNewPhoneSupersedesTheOldWhenItIsPersonalized(t *testing.T) {
	h := house(t, housetest.Options{})
	old, young := h.Phone(t), h.Phone(t)
	a := old.Own(t, "taro")
	b := young.Issue(t, "taro")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive) // and never before
	must(t, young.Personalize())
	wantCredentials(t, h, a.ID, 2, warifu.CredentialSuperseded)
	wantCredentials(t, h, b.ID, 2, warifu.CredentialActive)
	wantProblem(t, old.Personalize(), "application-not-issued") // the old one's is over
	h.Check(t)
}

// One device carries one person's credentials: who takes a phone over ends what the
// person before them left on it, whose keys the chip has destroyed.
func TestPhoneTakenOverEndsWhatWasOnIt(t *testing.T) {
	for _, kinds := range [][]warifu.Kind{warifu.Kinds[:], {warifu.Authentication}} {
		h := house(t, housetest.Options{})
		p := h.Phone(t)
		a := p.Own(t, "taro")
		b := p.Own(t, "hanako", kinds...)
		wantCredentials(t, h, a.ID, 2, warifu.CredentialRevoked)
		wantCredentials(t, h, b.ID, len(kinds), warifu.CredentialActive)
		h.Check(t)
	}
}

func TestCoolingTimeBeforeAnOlderDeviceIsSuperseded(t *testing.T) {
	h := house(t, housetest.Options{Alter: func(s *scheme.Scheme) { s.SupersedeCooling = 2 * time.Hour }})
	old, young := h.Phone(t), h.Phone(t)
	old.Own(t, "taro") // nothing to supersede: at once
	old.Own(t, "taro") // nor on the same device
	young.Issue(t, "taro")
	until := h.Clock.Now().Add(2 * time.Hour).In(h.Scheme.Hours.Zone).Format(time.RFC3339) // as the holder's clock has it
	err := young.Personalize()
	if wantProblem(t, err, "supersede-cooling"); warifu.ProblemOf(err).Params["until"] != until {
		t.Errorf("told %v, want %s", warifu.ProblemOf(err).Params, until)
	}
	h.Clock.Forward(2*time.Hour - time.Microsecond)
	wantProblem(t, young.Personalize(), "supersede-cooling")
	h.Clock.Forward(time.Microsecond)
	must(t, young.Personalize())
	h.Check(t)
}

// Two sessions of one application come as far as the commit together: both are told
// that it is done, once.
func TestTwoSessionsOfOneApplicationCommitOnce(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	toReceipt := func() registration.Exchange {
		e, err := open(h, a.ID, nil)
		must(t, err)
		for range 2 {
			e, err = step(t, h, p, e)
			must(t, err)
		}
		return e
	}
	responses := func(e registration.Exchange) (out [][]byte) {
		for _, c := range e.Commands {
			r, err := p.App.Element.Transmit(context.Background(), c)
			must(t, err)
			out = append(out, r)
		}
		return out
	}
	first := toReceipt()
	firstReceipt := responses(first)
	p.Element.PowerOff()
	second := toReceipt()
	secondReceipt := responses(second)

	var arrived sync.WaitGroup
	arrived.Add(2)
	h.Cards.Gate = func(string) { arrived.Done(); arrived.Wait() } // both are asked before either commits
	var all sync.WaitGroup
	errs := make([]error, 2)
	all.Go(func() { _, errs[0] = h.Registrar.Exchange(context.Background(), first.Session, firstReceipt) })
	all.Go(func() { second, errs[1] = h.Registrar.Exchange(context.Background(), second.Session, secondReceipt) })
	all.Wait()
	h.Cards.Gate = nil
	must(t, errors.Join(errs...))
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	_, err := step(t, h, p, second)
	must(t, err)
	h.Check(t)
	signs(t, h, p, warifu.Kinds[:])
}

// The same responses sent twice at once: the session goes on once or not at all, and
// nothing is lost.
func TestSameExchangeTwiceAtOnce(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	e, err := open(h, a.ID, nil)
	must(t, err)
	var responses [][]byte
	for _, c := range e.Commands {
		r, err := p.App.Element.Transmit(context.Background(), c)
		must(t, err)
		responses = append(responses, r)
	}
	errs := make([]error, 4)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = h.Registrar.Exchange(context.Background(), e.Session, responses) })
	}
	all.Wait()
	went := 0
	for _, err := range errs {
		if err == nil {
			went++
		}
	}
	if went > 1 {
		t.Errorf("one answer was taken %d times", went)
	}
	p.Element.PowerOff()
	must(t, p.Personalize())
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	h.Check(t)
}

// A newer application comes between the older one's receipt and its commit.
func TestNewerApplicationBetweenReceiptAndCommit(t *testing.T) {
	h := house(t, housetest.Options{})
	old, young := h.Phone(t), h.Phone(t)
	a := old.Issue(t, "taro")
	d := young.Draft(t, "taro")
	h.Cards.Gate = func(string) {
		h.Cards.Gate = nil
		_, err := young.Submit(t, d)
		must(t, err)
	}
	wantProblem(t, old.Personalize(), "application-ended")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialRevoked)
	h.Check(t)
	h.Drain(t)
	must(t, young.Personalize())
	h.Check(t)
}

// Two phones of one person go for it at once, again and again: in the end exactly one
// of them carries credentials that are good.
func TestTwoPhonesPersonalizingAtOnce(t *testing.T) {
	h := house(t, housetest.Options{})
	phones := []*housetest.Phone{h.Phone(t), h.Phone(t)}
	for range 8 {
		drafts := []*phone.Draft{phones[0].Draft(t, "taro"), phones[1].Draft(t, "taro")}
		var all sync.WaitGroup
		for i, p := range phones {
			all.Go(func() {
				if _, err := p.Submit(t, drafts[i]); err != nil {
					return // the other was quicker, and the database said so
				}
				for range 3 {
					if _, err := h.Queue.Drain(context.Background()); err != nil {
						t.Error(err)
					}
					if p.Personalize() == nil {
						return
					}
					p.Element.PowerOff()
				}
			})
		}
		all.Wait()
		h.Check(t)
		h.Drain(t) // what the other's worker held when one of them looked
		for _, p := range phones {
			p.Element.PowerOff()
			_ = p.Personalize()
		}
		h.Check(t)
		var live []store.Credential
		h.Read(t, func(tx *store.Tx) (err error) {
			live, err = tx.LiveCredentials(personOf(t, tx, phones))
			return err
		})
		if len(live) != 2 || live[0].Element != live[1].Element {
			t.Fatalf("%d live credentials, want the two of one phone", len(live))
		}
	}
}

func personOf(t *testing.T, tx *store.Tx, phones []*housetest.Phone) warifu.Digest {
	t.Helper()
	for _, p := range phones {
		rows, err := tx.ApplicationsOfElement(p.Record.Element)
		must(t, err)
		if len(rows) > 0 {
			return rows[0].Person
		}
	}
	t.Fatal("nobody has applied")
	return warifu.Digest{}
}
