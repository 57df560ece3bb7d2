package housetest

import (
	"context"
	"sync"

	"warifu"
	"warifu/attest"
	"warifu/events"
	"warifu/registration"
)

// Operators work at the house's hotline; the token of each is "token-" and the name.
var Operators = []registration.Operator{
	{Name: "aoi", Role: registration.RoleHotline}, {Name: "ken", Role: registration.RoleHotline},
	{Name: "rin", Role: registration.RoleRegistrar}, {Name: "sei", Role: registration.RoleRegistrar},
	{Name: "mio", Role: registration.RoleAuditor},
}

// Token is what an operator shows.
func Token(name string) string { return "token-" + name }

func operators() (registration.Operators, error) {
	list := make([]registration.Operator, len(Operators))
	for i, o := range Operators {
		list[i] = o
		list[i].Token = warifu.DigestOf([]byte(Token(o.Name)))
	}
	return registration.NewOperators(list)
}

// Pull asks the card bureau for its events, as a server does; Cards.Fault may be in the way.
func (h *House) Pull(_ context.Context, after int64) (events.Batch, error) {
	if err := h.Cards.begin("events"); err != nil {
		return events.Batch{}, err
	}
	return h.Bureau.Events(after, 0)
}

// Follow takes events that the bureau pushed; where some are missing it pulls them at
// once, as a server does. It returns the number waited for next.
func (h *House) Follow(ctx context.Context, envelopes [][]byte) (int64, error) {
	next, err := h.Registrar.FollowCard(ctx, envelopes)
	if warifu.ProblemOf(err).IsCode(warifu.CodeConflict) {
		if _, err = h.Registrar.CatchUp(ctx, h.Pull); err != nil {
			return next, err
		}
		next, err = h.Registrar.FollowCard(ctx, nil)
	}
	return next, err
}

// Handle is the name under which the bureau speaks of a person; zero for a person whose
// card was never touched.
func (h *House) Handle(t TB, id string) warifu.Digest {
	t.Helper()
	handle, err := h.handle(id)
	check(t, err)
	return handle
}

func (h *House) handle(id string) (warifu.Digest, error) {
	view, err := h.Bureau.Show(id)
	if err != nil || len(view.Certificates) == 0 {
		return warifu.Digest{}, err
	}
	envelope, err := h.Bureau.Statement(view.Certificates[0].Certificate.Raw, warifu.DigestOf([]byte(id)))
	if err != nil {
		return warifu.Digest{}, err
	}
	statement, err := attest.OpenCardStatement(envelope, h.Bureau.StatementKey())
	return statement.Person, err
}

// Reports is where the hotline tells the bureau of cards that were stolen with the
// phone: the bureau suspends them.
type Reports struct {
	house *House
	mu    sync.Mutex
	told  int
}

// ReportCard implements registration.CardReporter. Cards.Fault may be in the way.
func (r *Reports) ReportCard(_ context.Context, person warifu.Digest, _ string) error {
	if err := r.house.Cards.begin("report"); err != nil {
		return err
	}
	persons, err := r.house.Bureau.Persons()
	if err != nil {
		return err
	}
	for _, view := range persons {
		handle, err := r.house.handle(view.Person.ID)
		if err != nil || handle != person {
			continue
		}
		r.mu.Lock()
		r.told++
		r.mu.Unlock()
		err = r.house.Bureau.Suspend(view.Person.ID)
		if err != nil && warifu.ProblemOf(err).Problem == "card-state" {
			return nil // it is on hold or ended already: telling twice does no harm
		}
		return err
	}
	return warifu.NotFound("person-unknown")
}

// Told counts the reports that arrived.
func (r *Reports) Told() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told
}
