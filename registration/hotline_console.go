package registration

import (
	"context"
	"time"

	"warifu"
	"warifu/store"
)

type consoleKey struct{}

// AtConsole says that the operators' console has let in its operator of that name: the
// hotline's methods, called with an empty token, then act as that operator. The role, and whether
// the operator works here still, are read from the database in each call.
func AtConsole(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, consoleKey{}, name)
}

// ofConsole returns the operator that the console let in; false where there is none.
func (a *Authority) ofConsole(ctx context.Context) (o Operator, found bool, err error) {
	name, _ := ctx.Value(consoleKey{}).(string)
	if name == "" {
		return o, false, nil
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		o, found, err = consoleOperator(tx, name)
		return err
	})
	return o, found, err
}

func consoleOperator(tx *store.Tx, name string) (Operator, bool, error) {
	row, err := tx.ConsoleOperator(name)
	if p := warifu.ProblemOf(err); p.IsCode(warifu.CodeNotFound) || err == nil && !row.RemovedAt.IsZero() {
		return Operator{}, false, nil
	}
	return Operator{Name: row.Name, Role: OperatorRole(row.Role), Token: row.Token}, err == nil, err
}

// proposed returns the operator who made a proposal, if they work here still, with the token or the
// enrolment it was made with.
func (a *Authority) proposed(tx *store.Tx, p store.Proposal) (Operator, bool, error) {
	if o, there := a.operators().named(p.Proposer); there && o.Token == p.Token {
		return o, true, nil
	}
	o, there, err := consoleOperator(tx, p.Proposer)
	return o, there && o.Token == p.Token, err
}

// HotlineWaiting is a proposal that waits for a second operator.
type HotlineWaiting struct {
	ID       string
	Receipt  string
	Verb     warifu.Verb
	Cause    string
	Proposer string
	At       time.Time
	Expires  time.Time
	Own      bool // the asker's: somebody else has to confirm it
}

// maxWaiting bounds the list of proposals that wait.
const maxWaiting = 200

// HotlineQueue lists the proposals that wait and that the asker's role may confirm, the
// oldest first; the asker's own are among them, and marked. Errors: those of an operator.
func (a *Authority) HotlineQueue(ctx context.Context, token string) ([]HotlineWaiting, error) {
	o, err := a.operator(ctx, token, rightResume)
	if err != nil {
		return nil, err
	}
	var out []HotlineWaiting
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		out = nil
		open, err := tx.OpenProposals(a.Clock.Now(), maxWaiting)
		if err != nil {
			return err
		}
		for _, p := range open {
			what, _, err := rightFor(p.Verb)
			if err != nil {
				return err
			}
			first, there, err := a.proposed(tx, p)
			if err != nil {
				return err
			}
			if !there || !first.Role.may(what) || !o.Role.may(what) {
				continue
			}
			out = append(out, HotlineWaiting{
				ID: p.ID, Receipt: p.Receipt, Verb: p.Verb, Cause: p.Cause, Proposer: p.Proposer, At: p.At, Expires: p.Expires,
				Own: p.Proposer == o.Name || p.Token == o.Token,
			})
		}
		return nil
	})
	return out, err
}
