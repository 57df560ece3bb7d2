package console

import (
	"context"
	"time"

	"warifu"
	"warifu/store"
)

// open begins a session in this transaction, and says so in the audit trail.
func (d *Desk) open(tx *store.Tx, secret Secret, row store.ConsoleOperator, browser, cause string, withoutKey bool) (Operator, error) {
	now := d.Clock.Now()
	s := store.ConsoleSession{
		Secret: secret.digest(), Operator: row.Name, Browser: warifu.DigestOf([]byte(browser)), WithoutKey: withoutKey,
		At: now, SeenAt: now, VerifiedAt: now, Ends: now.Add(Longest),
	}
	if err := tx.InsertConsoleSession(s); err != nil {
		return Operator{}, err
	}
	if err := tx.ConsoleOperatorSeen(row.Name, now); err != nil {
		return Operator{}, err
	}
	err := d.line(tx, "operator:"+row.Name, verbSignIn, row.Name, map[string]string{"by": cause})
	return operatorOf(secret, s, row), err
}

func operatorOf(secret Secret, s store.ConsoleSession, row store.ConsoleOperator) Operator {
	return Operator{
		Name: row.Name, Role: Role(row.Role), Since: s.At, Verified: s.VerifiedAt, Ends: s.Ends, WithoutKey: s.WithoutKey, Secret: secret,
	}
}

// Session returns who is signed in with a cookie's secret in a browser, and keeps the session
// awake. Errors: Unauthenticated "console-signed-out" where there is no such session or the
// operator left, "console-session-over" where it has lasted too long or nothing was done in it.
func (d *Desk) Session(ctx context.Context, secret Secret, browser string) (Operator, error) {
	o, seen, err := d.session(ctx, secret, browser)
	if now := d.Clock.Now(); err == nil && now.Sub(seen) > touchEvery {
		err = d.Store.Write(ctx, func(tx *store.Tx) error { return tx.TouchConsoleSession(secret.digest(), now) })
	}
	return o, err
}

// Glance is Session for what a page asks by itself, without anybody's touch: it does not keep the session
// awake, so that a page with live figures signs nobody in all day.
func (d *Desk) Glance(ctx context.Context, secret Secret, browser string) (Operator, error) {
	o, _, err := d.session(ctx, secret, browser)
	return o, err
}

// session returns who is signed in, and when the session was last used.
func (d *Desk) session(ctx context.Context, secret Secret, browser string) (Operator, time.Time, error) {
	if secret == "" {
		return Operator{}, time.Time{}, warifu.Unauthenticated("console-signed-out")
	}
	var s store.ConsoleSession
	var row store.ConsoleOperator
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if s, err = tx.ConsoleSession(secret.digest()); err != nil {
			return err
		}
		row, err = tx.ConsoleOperator(s.Operator)
		return err
	})
	switch {
	case warifu.ProblemOf(err).IsCode(warifu.CodeNotFound):
		return Operator{}, time.Time{}, warifu.Unauthenticated("console-signed-out")
	case err != nil:
		return Operator{}, time.Time{}, err
	}
	now := d.Clock.Now()
	switch {
	case !row.RemovedAt.IsZero(), s.Browser != warifu.DigestOf([]byte(browser)), s.WithoutKey && !d.Sandbox:
		return Operator{}, time.Time{}, warifu.Unauthenticated("console-signed-out")
	case now.After(s.Ends), now.Sub(s.SeenAt) > Idle:
		return Operator{}, time.Time{}, warifu.Unauthenticated("console-session-over")
	}
	return operatorOf(secret, s, row), s.SeenAt, nil
}

// SignOut ends a session.
func (d *Desk) SignOut(ctx context.Context, o Operator) error {
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.EndConsoleSession(o.Secret.digest()); err != nil {
			return err
		}
		return d.line(tx, o.actor(), verbSignOut, o.Name, nil)
	})
}

// Verified refuses what is dangerous unless the person proved the passkey within the last
// minutes: Refused "step-up-needed".
func (d *Desk) Verified(o Operator) error {
	if d.Clock.Now().Sub(o.Verified) > Fresh {
		return warifu.Refused("step-up-needed")
	}
	return nil
}

// Sandboxers are the operators a sandbox has, by name and role.
var Sandboxers = []struct {
	Name string
	Role Role
}{{"aoi", Hotline}, {"ken", Hotline}, {"rin", Registrar}, {"sei", Registrar}, {"mio", Auditor}, {"yui", Catalogue}, {"nao", Administrator}}

// Settle has a sandbox's operators work here, where the configuration has a sandbox; those of
// them that were removed stay so.
func (d *Desk) Settle(ctx context.Context) error {
	if !d.Sandbox {
		return nil
	}
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		for _, one := range Sandboxers {
			_, err := tx.ConsoleOperator(one.Name)
			if err == nil {
				continue
			}
			if !is(err, "console-operator-unknown") {
				return err
			}
			if err := d.insert(tx, one.Name, one.Role, "sandbox"); err != nil {
				return err
			}
			if err := d.line(tx, "sandbox", verbEnrol, one.Name, map[string]string{"role": string(one.Role)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// SandboxSignIn signs in as a sandbox's operator without a passkey. Errors: Refused
// "console-no-sandbox" where there is no sandbox, Unauthenticated "console-operator-gone" of
// who does not work here.
func (d *Desk) SandboxSignIn(ctx context.Context, name, browser string) (Operator, error) {
	if !d.Sandbox {
		return Operator{}, warifu.Refused("console-no-sandbox")
	}
	secret, err := d.draw()
	if err != nil {
		return Operator{}, err
	}
	var out Operator
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := working(tx, name)
		if err != nil {
			return err
		}
		out, err = d.open(tx, secret, row, browser, "sandbox", true)
		return err
	})
	return out, err
}

// working returns an operator who works here; Unauthenticated "console-operator-gone".
func working(tx *store.Tx, name string) (store.ConsoleOperator, error) {
	row, err := tx.ConsoleOperator(name)
	if err == nil && row.RemovedAt.IsZero() {
		return row, nil
	}
	if err == nil || warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		err = warifu.Unauthenticated("console-operator-gone")
	}
	return row, err
}
