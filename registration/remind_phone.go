package registration

import (
	"context"
	"time"

	"warifu"
	"warifu/store"
)

// Life is what a phone that was told something asks: where the credentials of its
// application stand, and whether another phone is about to replace it.
type Life struct {
	Credentials []Standing
	// ReplacedBy is when a newer phone may be personalized, which ends these credentials
	// (R55); zero when none is on its way. Who did not apply for it calls the hotline now.
	ReplacedBy time.Time
	// LostSince is since when they are held because the phone was reported lost; zero where
	// none is. While it stands the holder is reminded each week (R77, R78): lift the hold if
	// the phone is back, revoke if it is not coming back.
	LostSince time.Time
}

// Life returns what may be told of an application's credentials to whoever knows its
// identifier: nothing personal. No kill tickets are in it (Tickets).
func (a *Authority) Life(ctx context.Context, application string) (Life, error) {
	var out Life
	var credentials []store.Credential
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		row, err := tx.Application(application)
		if err != nil {
			return err
		}
		if credentials, err = tx.CredentialsOfApplication(application); err != nil {
			return err
		}
		out = Life{}
		if out.LostSince, err = lostSince(tx, credentials); err != nil {
			return err
		}
		open, err := tx.OpenApplications(row.Person)
		if err != nil {
			return err
		}
		for _, newer := range open {
			if newer.State == warifu.ApplicationIssued && newer.Element != row.Element && anyLive(credentials) {
				out.ReplacedBy = newer.IssuedAt.Add(a.Scheme.SupersedeCooling)
			}
		}
		return nil
	})
	if err != nil {
		return Life{}, err
	}
	out.Credentials, err = a.standings(ctx, credentials)
	return out, err
}

// lostSince is when the oldest hold for loss was put on any of the credentials.
func lostSince(tx *store.Tx, credentials []store.Credential) (since time.Time, err error) {
	for _, c := range credentials {
		holds, err := tx.Holds(c.ID)
		if err != nil {
			return since, err
		}
		for _, h := range holds {
			if h.Reason == string(warifu.HoldLost) && (since.IsZero() || h.PutAt.Before(since)) {
				since = h.PutAt
			}
		}
	}
	return since, nil
}

func anyLive(credentials []store.Credential) bool {
	for _, c := range credentials {
		if live(c) {
			return true
		}
	}
	return false
}

// tellOlder tells the phones whose live credentials an application is to replace, or
// has replaced, and the registered contact: a notice each, when the newer one is issued and when it is there.
func (a *Authority) tellOlder(tx *store.Tx, row store.Application, replaced []store.Credential) error {
	others := false
	for _, c := range replaced {
		if c.Element == row.Element {
			continue
		}
		others = true
		if err := a.tell(tx, c.Application); err != nil {
			return err
		}
	}
	if !others {
		return nil
	}
	return a.tellContact(tx, row.Person, row.ID, occasionNewPhone)
}

// LiveKinds returns which kinds of credentials of a chip are active or on hold: what has
// to be dealt with before the phone leaves its holder's hands (R78).
func (a *Authority) LiveKinds(ctx context.Context, element warifu.ElementID) ([]warifu.Kind, error) {
	var kinds []warifu.Kind
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		kinds = nil
		all, err := tx.CredentialsOfElement(element)
		for _, kind := range warifu.Kinds {
			for _, c := range all {
				if c.Kind == kind && live(c) {
					kinds = append(kinds, kind)
					break
				}
			}
		}
		return err
	})
	return kinds, err
}
