package console

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/store"
)

// Member is one line of the list of who works at the console.
type Member struct {
	Name      string
	Role      Role
	At        time.Time
	InvitedBy string
	SeenAt    time.Time // zero: never
	Passkeys  int
	RemovedAt time.Time // zero: works here
	RemovedBy string
	LinkUntil time.Time // of an enrolment link that is open; zero: there is none
}

// Staff is who works at the console.
type Staff struct {
	Members []Member
	Invited []Member // whose link is open and who has not enrolled yet
	// Administrators is how many work here with a passkey; fewer than two is a risk worth saying.
	Administrators int
}

// allowed refuses who is not an administrator: Refused "console-role".
func allowed(o Operator) error {
	if !o.Is(Administrator) {
		return warifu.Refused("console-role", "role", string(o.Role))
	}
	return nil
}

// Staff lists everybody, for administrators. Error: Refused "console-role".
func (d *Desk) Staff(ctx context.Context, by Operator) (Staff, error) {
	var out Staff
	if err := allowed(by); err != nil {
		return out, err
	}
	err := d.Store.Read(ctx, func(tx *store.Tx) error {
		out = Staff{}
		all, err := tx.ConsoleOperators()
		if err != nil {
			return err
		}
		links, err := tx.ConsoleInvitations()
		if err != nil {
			return err
		}
		open := map[string]store.ConsoleInvitation{}
		for _, l := range links {
			if d.Clock.Now().Before(l.Expires) {
				open[l.Operator] = l
			}
		}
		for _, o := range all {
			keys, err := tx.ConsolePasskeys(o.Name)
			if err != nil {
				return err
			}
			out.Members = append(out.Members, Member{
				Name: o.Name, Role: Role(o.Role), At: o.At, InvitedBy: o.InvitedBy, SeenAt: o.SeenAt, Passkeys: len(keys),
				RemovedAt: o.RemovedAt, RemovedBy: o.RemovedBy, LinkUntil: open[o.Name].Expires,
			})
			if o.RemovedAt.IsZero() && Role(o.Role) == Administrator && len(keys) > 0 {
				out.Administrators++
			}
			delete(open, o.Name)
		}
		for _, l := range links {
			if one, is := open[l.Operator]; is && one.Link == l.Link && l.Operator != "" {
				out.Invited = append(out.Invited, Member{Name: l.Operator, Role: Role(l.Role), At: l.At, InvitedBy: l.By, LinkUntil: l.Expires})
			}
		}
		return nil
	})
	return out, err
}

// may is what an administrator needs for an act about another: the role, the passkey a moment
// ago, and not oneself. Errors: Refused "console-role", "step-up-needed", "console-self".
func (d *Desk) may(by Operator, name string) error {
	if err := allowed(by); err != nil {
		return err
	}
	if by.Name == name {
		return warifu.Refused("console-self")
	}
	return d.Verified(by)
}

// Invite makes a one-time link for somebody new, in a role. The link's secret is told here and
// nowhere again. Errors: Refused "console-role", "step-up-needed", Invalid
// "console-name-malformed", "console-role-unknown", Conflict "console-name-taken".
func (d *Desk) Invite(ctx context.Context, by Operator, name string, role Role) (Secret, error) {
	if err := d.may(by, name); err != nil {
		return "", err
	}
	if !operatorName.MatchString(name) {
		return "", warifu.Invalid("console-name-malformed")
	}
	if !slices.Contains(Roles, role) {
		return "", warifu.Invalid("console-role-unknown")
	}
	link, err := d.draw()
	if err != nil {
		return "", err
	}
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.ConsoleOperator(name); err == nil {
			return warifu.Conflict("console-name-taken")
		} else if !is(err, "console-operator-unknown") {
			return err
		}
		if err := d.invite(tx, link, name, role, by.Name); err != nil {
			return err
		}
		return d.line(tx, by.actor(), verbInvite, name, map[string]string{"role": string(role)})
	})
	return link, err
}

// Replace is for a lost passkey: what there was lets nobody in from now on, sessions included,
// and a new one-time link is made. What the operator had proposed is confirmed no more.
// Errors: those of Invite, Unauthenticated "console-operator-gone".
func (d *Desk) Replace(ctx context.Context, by Operator, name string) (Secret, error) {
	if err := d.may(by, name); err != nil {
		return "", err
	}
	link, err := d.draw()
	if err != nil {
		return "", err
	}
	token, err := d.draw()
	if err != nil {
		return "", err
	}
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := working(tx, name)
		if err != nil {
			return err
		}
		if err := tx.ForgetConsoleAccess(name); err != nil {
			return err
		}
		if err := tx.EnrolConsoleOperator(name, token.digest()); err != nil {
			return err
		}
		if err := d.invite(tx, link, name, Role(row.Role), by.Name); err != nil {
			return err
		}
		return d.line(tx, by.actor(), verbLost, name, nil)
	})
	return link, err
}

// Remove ends somebody's work here at once: passkeys, links and sessions. The name stays in
// the audit trail and is given to nobody again. The last administrator with a passkey cannot be
// removed. Errors: Refused "console-role", "step-up-needed", "console-self", NotFound
// "console-operator-unknown".
func (d *Desk) Remove(ctx context.Context, by Operator, name string) error {
	if err := d.may(by, name); err != nil {
		return err
	}
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.RemoveConsoleOperator(name, by.Name, d.Clock.Now()); err != nil {
			return err
		}
		return d.line(tx, by.actor(), verbRemove, name, nil)
	})
}

// Withdraw ends the open link of somebody who has not enrolled. Errors: those of Remove,
// NotFound "invitation-unknown".
func (d *Desk) Withdraw(ctx context.Context, by Operator, name string) error {
	if err := allowed(by); err != nil {
		return err
	}
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		links, err := tx.ConsoleInvitations()
		if err != nil {
			return err
		}
		for _, l := range links {
			if l.Operator == name && name != "" {
				if err := tx.EndConsoleInvitation(l.Link); err != nil {
					return err
				}
				return d.line(tx, by.actor(), verbInvite, name, map[string]string{"withdrawn": "true"})
			}
		}
		return warifu.NotFound("invitation-unknown")
	})
}
