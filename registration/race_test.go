package registration_test

import (
	"slices"
	"sync"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/store"
)

// together lets all go at the same instant and waits for the last.
func together(all ...func()) {
	start := make(chan struct{})
	var done sync.WaitGroup
	for _, f := range all {
		done.Go(func() {
			<-start
			f()
		})
	}
	close(start)
	done.Wait()
}

// wantEnded checks that credentials are revoked, that nothing came after that, that the
// world is told so, and that nothing holds them.
func wantEnded(t *testing.T, h *housetest.House, application string) {
	t.Helper()
	wantCredentials(t, h, application, 2, warifu.CredentialRevoked)
	wantStatus(t, h, application, warifu.StatusRevoked, warifu.ReasonCessationOfOperation)
	for _, c := range credentials(t, h, application) {
		h.Read(t, func(tx *store.Tx) error {
			moves, err := tx.Moves(c.ID)
			must(t, err)
			if n := slices.IndexFunc(moves, func(m store.Move) bool { return m.Verb == warifu.VerbRevoke }); n != len(moves)-1 {
				t.Errorf("%s: %d moves, the revocation is number %d", c.Kind, len(moves), n)
			}
			changes, found, err := tx.StatusHistory(c.Kind, c.Serial)
			if last := len(changes) - 1; !found || last < 0 || changes[last].Record.Status.Reason != warifu.ReasonCessationOfOperation {
				t.Errorf("%s: %+v", c.Kind, changes)
			}
			holds, err2 := tx.Holds(c.ID)
			if len(holds) != 0 {
				t.Errorf("%s: %+v", c.Kind, holds)
			}
			must(t, err2)
			return err
		})
	}
	h.Check(t)
}

// The phone asks for its hold to be lifted while the card revokes, at two servers at the
// same instant. Whichever is first, revoked is what it is in the end, and stays.
func TestAResumeRacesARevocation(t *testing.T) {
	h := house(t, housetest.Options{})
	second, _ := h.SecondServer(t)
	for range 6 {
		p := h.Phone(t)
		a := p.Own(t, "taro")
		_, err := byDevice(h, p, ask(t, h, p, "suspend:own-wish", both, warifu.Signature))
		must(t, err)
		resume := ask(t, h, p, "resume:own-wish", both, warifu.Signature)
		revoke := cardOrder(t, h, "taro", revokeAll)
		var resumed, revoked error
		together(
			func() { _, resumed = byDevice(h, p, resume) },
			func() { _, revoked = second.ByCard(t.Context(), revoke) },
		)
		must(t, revoked)
		if resumed != nil {
			wantProblem(t, resumed, "credential-ended")
		}
		wantEnded(t, h, a.ID)
		_, err = byDevice(h, p, ask(t, h, p, "resume:own-wish", both, warifu.Signature))
		wantProblem(t, err, "credential-ended")
		wantEnded(t, h, a.ID)
	}
}

// Two revoke, two suspend and one resumes, at two servers at the same instant.
func TestEverybodyAsksAtOnce(t *testing.T) {
	h := house(t, housetest.Options{})
	second, _ := h.SecondServer(t)
	for range 4 {
		p := h.Phone(t)
		a := p.Own(t, "taro")
		_, err := byDevice(h, p, ask(t, h, p, "suspend:own-wish", both, warifu.Signature))
		must(t, err)
		revoke := [][]byte{ask(t, h, p, "revoke", both, warifu.Signature), cardOrder(t, h, "taro", revokeAll)}
		suspend := cardOrder(t, h, "taro", attest.CardOrder{Verb: warifu.VerbSuspend, Kinds: warifu.Kinds[:], Reason: string(warifu.HoldLost)})
		resume := ask(t, h, p, "resume:own-wish", both, warifu.Signature)
		errs := make([]error, 4)
		together(
			func() { _, errs[0] = byDevice(h, p, revoke[0]) },
			func() { _, errs[1] = second.ByCard(t.Context(), revoke[1]) },
			func() { _, errs[2] = byDevice(h, p, resume) },
			func() { _, errs[3] = second.ByCard(t.Context(), suspend) },
		)
		must(t, errs[0])
		must(t, errs[1])
		for _, err := range errs[2:] {
			if err != nil {
				wantProblem(t, err, "credential-ended")
			}
		}
		wantEnded(t, h, a.ID)
	}
}

// The holder has the phone held with the card while it is being personalized anew. Whichever
// is first, in the end nothing on it is good.
func TestASuspensionRacesAPersonalization(t *testing.T) {
	h := house(t, housetest.Options{})
	second, _ := h.SecondServer(t)
	for range 4 {
		p := h.Phone(t)
		old := p.Own(t, "taro")
		a := p.Issue(t, "taro")
		suspend := cardOrder(t, h, "taro", attest.CardOrder{Verb: warifu.VerbSuspend, Kinds: warifu.Kinds[:], Reason: string(warifu.HoldLost)})
		var personalized, suspended error
		together(
			func() { personalized = p.Personalize() },
			func() { _, suspended = second.ByCard(t.Context(), suspend) },
		)
		must(t, suspended)
		if personalized != nil {
			wantProblem(t, personalized, "application-held")
		}
		for _, id := range []string{old.ID, a.ID} {
			for _, c := range credentials(t, h, id) {
				if c.State == warifu.CredentialActive {
					t.Errorf("%s of %s is active (personalized: %v)", c.Kind, id, personalized)
				}
			}
		}
		h.Check(t)
		_, err := h.Registrar.ByCard(t.Context(), cardOrder(t, h, "taro", revokeAll))
		must(t, err)
		h.Check(t)
	}
}
