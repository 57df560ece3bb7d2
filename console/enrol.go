package console

import (
	"context"
	"encoding/json"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"warifu"
	"warifu/store"
)

// Invitation is what a one-time link opens.
type Invitation struct {
	Name string // "": the first person, who chooses a name
	Role Role
	By   string // who invites; "" where the machine's own command did
}

// Path is where a link leads, below the console's origin.
func Path(link Secret) string { return "/console/enrol/" + link.Reveal() }

// Bootstrap makes the link for the first administrator, good once and for an hour, in place of
// any such link before. At the start of a server it is made only where nobody works at the console
// (again false): "" says that somebody does. The machine's own command makes one whenever it is
// asked to (again true), for who has lost every passkey.
func (d *Desk) Bootstrap(ctx context.Context, again bool) (Secret, error) {
	link, err := d.draw()
	if err != nil {
		return "", err
	}
	made := false
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		made = false
		all, err := tx.ConsoleOperators()
		if err != nil {
			return err
		}
		for _, o := range all {
			if o.RemovedAt.IsZero() && !again {
				return nil
			}
		}
		made = true
		if err := d.invite(tx, link, "", Administrator, ""); err != nil {
			return err
		}
		return d.line(tx, "machine", verbBootstrap, "", nil)
	})
	if !made {
		link = ""
	}
	return link, err
}

func (d *Desk) invite(tx *store.Tx, link Secret, name string, role Role, by string) error {
	now := d.Clock.Now()
	return tx.PutConsoleInvitation(store.ConsoleInvitation{Link: link.digest(), Operator: name, Role: string(role), By: by, At: now, Expires: now.Add(LinkLife)})
}

// invitation returns what a link opens; NotFound "invitation-unknown" of one that is over, or
// was used, or whose administrator left.
func (d *Desk) invitation(tx *store.Tx, link Secret) (Invitation, error) {
	row, err := tx.ConsoleInvitation(link.digest())
	if err != nil {
		return Invitation{}, err
	}
	if d.Clock.Now().After(row.Expires) {
		return Invitation{}, warifu.NotFound("invitation-unknown")
	}
	if row.By != "" {
		if _, err := working(tx, row.By); err != nil {
			return Invitation{}, warifu.NotFound("invitation-unknown")
		}
	}
	return Invitation{Name: row.Operator, Role: Role(row.Role), By: row.By}, nil
}

// Invitation looks at a link without taking it. Error: NotFound "invitation-unknown".
func (d *Desk) Invitation(ctx context.Context, link Secret) (out Invitation, err error) {
	err = d.Store.Read(ctx, func(tx *store.Tx) error {
		out, err = d.invitation(tx, link)
		return err
	})
	return out, err
}

// handleOf is by which an authenticator names an account: of the link, so that it need not be
// kept between question and answer.
func (d *Desk) handleOf(tx *store.Tx, link Secret, name string) ([]byte, error) {
	row, err := tx.ConsoleOperator(name)
	if err == nil {
		return row.Handle, nil
	}
	if !is(err, "console-operator-unknown") {
		return nil, err
	}
	return d.mac32("handle", string(link)+name)
}

func (d *Desk) mac32(purpose, bound string) ([]byte, error) {
	sum, err := d.MAC([]byte("warifu-console-v1" + purpose + "\x00" + bound))
	if err != nil {
		return nil, err
	}
	return sum[:32], nil
}

// named is whom a link enrols: the name it has, or the one that the first person chose.
func (i Invitation) named(chosen string) (string, error) {
	if i.Name != "" {
		return i.Name, nil
	}
	if !operatorName.MatchString(chosen) {
		return "", warifu.Invalid("console-name-malformed")
	}
	return chosen, nil
}

// EnrolOptions is what the browser makes a passkey with (PublicKeyCredentialCreationOptions in JSON).
// The first person chooses a name; for everybody else it is the invitation's. Errors: NotFound
// "invitation-unknown", Invalid "console-name-malformed", Conflict "console-name-taken",
// Unavailable "passkey-origin".
func (d *Desk) EnrolOptions(ctx context.Context, link Secret, chosen string) ([]byte, error) {
	if d.passkeys == nil {
		return nil, errNoPasskeys
	}
	var a account
	err := d.Store.Read(ctx, func(tx *store.Tx) error {
		i, err := d.invitation(tx, link)
		if err != nil {
			return err
		}
		if a.name, err = i.named(chosen); err != nil {
			return err
		}
		if err := free(tx, i, a.name); err != nil {
			return err
		}
		a.handle, err = d.handleOf(tx, link, a.name)
		return err
	})
	if err != nil {
		return nil, err
	}
	challenge, err := d.newToken(purposeEnrol, string(link)+a.name)
	if err != nil {
		return nil, err
	}
	options, _, err := d.passkeys.BeginRegistration(a, func(o *protocol.PublicKeyCredentialCreationOptions) error {
		o.Challenge = challenge
		return nil
	}, webauthn.WithConveyancePreference(protocol.PreferNoAttestation))
	if err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// free refuses a name that the first person cannot choose.
func free(tx *store.Tx, i Invitation, name string) error {
	if i.Name != "" {
		return nil
	}
	_, err := tx.ConsoleOperator(name)
	switch {
	case err == nil:
		return warifu.Conflict("console-name-taken")
	case is(err, "console-operator-unknown"):
		return nil
	}
	return err
}

// FinishEnrol takes the answer to EnrolOptions: the link is used up, the passkey is on record, and
// the person is signed in. Errors: those of EnrolOptions and of a challenge, Refused
// "passkey-refused", Conflict "passkey-known".
func (d *Desk) FinishEnrol(ctx context.Context, link Secret, chosen string, answer []byte, browser string) (Operator, error) {
	if d.passkeys == nil {
		return Operator{}, errNoPasskeys
	}
	secret, err := d.draw()
	if err != nil {
		return Operator{}, err
	}
	p, err := parseCreation(answer)
	if err != nil {
		return Operator{}, err
	}
	var out Operator
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		i, err := d.invitation(tx, link)
		if err != nil {
			return err
		}
		name, err := i.named(chosen)
		if err != nil {
			return err
		}
		if err := d.answered(tx, p.Response.CollectedClientData.Challenge, purposeEnrol, string(link)+name); err != nil {
			return err
		}
		if err := tx.EndConsoleInvitation(link.digest()); err != nil {
			return err
		}
		row, err := d.enrol(tx, i, link, name, p)
		if err != nil {
			return err
		}
		out, err = d.open(tx, secret, row, browser, "enrolment", false)
		return err
	})
	return out, err
}

// enrol writes the operator, where there is none of the name yet, and the passkey.
func (d *Desk) enrol(tx *store.Tx, i Invitation, link Secret, name string, p *protocol.ParsedCredentialCreationData) (store.ConsoleOperator, error) {
	handle, err := d.handleOf(tx, link, name)
	if err != nil {
		return store.ConsoleOperator{}, err
	}
	c, err := d.create(account{handle: handle, name: name}, string(link)+name, p)
	if err != nil {
		return store.ConsoleOperator{}, err
	}
	row, err := tx.ConsoleOperator(name)
	switch {
	case is(err, "console-operator-unknown"):
		if err := d.insertAs(tx, name, i.Role, i.By, handle); err != nil {
			return row, err
		}
		row, err = tx.ConsoleOperator(name)
	case err == nil && (i.Name == "" || !row.RemovedAt.IsZero()):
		err = warifu.Conflict("console-name-taken")
	}
	if err != nil {
		return row, err
	}
	record, err := recordOf(c)
	if err != nil {
		return row, err
	}
	if err := tx.InsertConsolePasskey(store.ConsolePasskey{ID: c.ID, Operator: name, Record: record, At: d.Clock.Now()}); err != nil {
		return row, err
	}
	return row, d.line(tx, "operator:"+name, verbEnrol, name, map[string]string{"role": row.Role, "invitedBy": i.By})
}

// insert writes an operator without a passkey, under a handle of chance.
func (d *Desk) insert(tx *store.Tx, name string, role Role, by string) error {
	handle, err := d.draw()
	if err != nil {
		return err
	}
	of := handle.digest()
	return d.insertAs(tx, name, role, by, of[:])
}

func (d *Desk) insertAs(tx *store.Tx, name string, role Role, by string, handle []byte) error {
	token, err := d.draw()
	if err != nil {
		return err
	}
	return tx.InsertConsoleOperator(store.ConsoleOperator{Name: name, Role: string(role), Handle: handle, Token: token.digest(), At: d.Clock.Now(), InvitedBy: by})
}
