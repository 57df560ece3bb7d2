package world

import (
	"context"
	"encoding/hex"
	"slices"

	"warifu"
	"warifu/ledger"
	"warifu/sandbox/desk"
	"warifu/store"
)

// Standing is what the registration authority has of a person, as the desk shows it: the
// sandbox stands in for the person, whose own ledger it is.
func (w *World) Standing(ctx context.Context, id string) (desk.Standing, error) {
	v, err := w.Bureau.Show(id)
	if err != nil {
		return desk.Standing{}, err
	}
	authority := w.Server.Registration()
	phones := map[warifu.ElementID]string{}
	for _, p := range w.Phones.List() {
		phones[p.Element] = p.ID
	}
	out := desk.Standing{Applications: []desk.Applied{}, Credentials: []desk.OnPhone{}, Checked: []ledger.Entry{}}
	err = authority.Store.Read(ctx, func(tx *store.Tx) error {
		out.Applications, out.Credentials = out.Applications[:0], out.Credentials[:0]
		applications, err := tx.ApplicationsOfPerson(v.Handle)
		for _, a := range applications {
			if err != nil {
				return err
			}
			out.Applications = append(out.Applications, desk.Applied{
				ID: a.ID, Phone: phones[a.Element], State: string(a.State), Problem: a.Problem, Submitted: a.SubmittedAt, Due: a.DueAt, Issued: a.IssuedAt,
			})
			err = standOf(tx, a, phones[a.Element], &out)
		}
		if err == nil {
			out.Free, err = w.free(tx)
		}
		return err
	})
	if err != nil {
		return out, err
	}
	slices.SortStableFunc(out.Applications, func(a, b desk.Applied) int { return b.Submitted.Compare(a.Submitted) })
	slices.SortStableFunc(out.Credentials, func(a, b desk.OnPhone) int { return b.Activated.Compare(a.Activated) })
	out.Checked, err = w.checked(ctx, v.Handle)
	return out, err
}

// free is the last phone bought of those that carry nobody's certificates and await none.
func (w *World) free(tx *store.Tx) (string, error) {
	for _, p := range slices.Backward(w.Phones.List()) {
		credentials, err := tx.CredentialsOfElement(p.Element)
		if err != nil {
			return "", err
		}
		applications, err := tx.ApplicationsOfElement(p.Element)
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(credentials, func(c store.Credential) bool { return !warifu.CredentialLife.Final(c.State) }) &&
			!slices.ContainsFunc(applications, func(a store.Application) bool { return !warifu.ApplicationLife.Final(a.State) }) {
			return p.ID, nil
		}
	}
	return "", nil
}

// standOf adds the credentials of an application.
func standOf(tx *store.Tx, a store.Application, phone string, out *desk.Standing) error {
	credentials, err := tx.CredentialsOfApplication(a.ID)
	if err != nil {
		return err
	}
	for _, c := range credentials {
		holds, err := tx.Holds(c.ID)
		if err != nil {
			return err
		}
		on := desk.OnPhone{
			ID: c.ID, Kind: c.Kind, Phone: phone, Serial: hex.EncodeToString(c.Serial), State: string(c.State), Seen: c.Status.Cert.String(),
			NotAfter: c.NotAfter, Activated: c.ActivatedAt, Ended: c.EndedAt,
		}
		if c.State == warifu.CredentialHeld {
			on.Seen = "held"
		}
		if c.State != warifu.CredentialActive && c.State != warifu.CredentialPending {
			on.Reason = c.Reason.String()
		}
		for _, h := range holds {
			if h.LiftedAt.IsZero() {
				on.Holds = append(on.Holds, h.Reason)
			}
		}
		out.Credentials = append(out.Credentials, on)
	}
	return nil
}

// maxChecked bounds how many lines of a ledger the desk shows.
const maxChecked = 3 * ledger.MaxPage

// checked are the newest lines of a person's ledger, newest first.
func (w *World) checked(ctx context.Context, person warifu.Digest) ([]ledger.Entry, error) {
	book := ledger.New(w.Server.Registration().Store, w.Scheme.LedgerKeep, w.Clock)
	out, after := []ledger.Entry{}, int64(0)
	for {
		page, err := book.Read(ctx, person, after)
		if err != nil {
			return nil, err
		}
		for _, l := range page.Lines {
			if l.Entry != nil {
				out = append(out, *l.Entry)
			}
			after = l.Number
		}
		if after >= page.Head || len(page.Lines) == 0 {
			break
		}
	}
	slices.Reverse(out)
	return out[:min(len(out), maxChecked)], nil
}
