package registration

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/store"
)

// Holding is what a person has, and had, as they are shown it when they have signed in: their
// applications, each with its certificates and what became of them.
type Holding struct {
	Applications []HeldApplication // newest first
	// LostSince is since when certificates are held because a phone was reported lost; zero
	// where none is.
	LostSince time.Time
}

// HeldApplication is one of a person's applications.
type HeldApplication struct {
	Application
	Model       string // the phone as it named itself
	Submitted   time.Time
	Credentials []HeldCredential
}

// HeldCredential is a certificate with its life.
type HeldCredential struct {
	Standing
	Serial  []byte // of the certificate, big-endian
	History []HeldChange
}

// HeldChange is one change of a certificate's status.
type HeldChange struct {
	At     time.Time
	Status warifu.CertStatus
	Reason warifu.Reason
}

// maxHeld bounds the applications that are told, the newest of a person's.
const maxHeld = 50

// Of tells a person what they have. person comes from a login that was proven to the house
// itself (oidc.Own). A person who never applied has nothing, which is no error.
func (a *Authority) Of(ctx context.Context, person warifu.Digest) (Holding, error) {
	var out Holding
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		out = Holding{}
		rows, err := tx.ApplicationsOfPerson(person)
		if err != nil {
			return err
		}
		for _, row := range slices.Backward(rows) {
			if len(out.Applications) == maxHeld {
				break
			}
			if err := a.addTo(tx, &out, row); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// addTo reads one application with its certificates.
func (a *Authority) addTo(tx *store.Tx, out *Holding, row store.Application) error {
	credentials, err := tx.CredentialsOfApplication(row.ID)
	if err != nil {
		return err
	}
	now, err := standing(tx, credentials)
	if err != nil {
		return err
	}
	blocked, err := isHeld(tx, row.ID)
	if err != nil {
		return err
	}
	held := HeldApplication{Application: a.view(row, blocked), Model: row.Model, Submitted: row.SubmittedAt}
	for i, c := range credentials {
		one := HeldCredential{Standing: now[i], Serial: c.Serial}
		if one.History, err = lifeOf(tx, c); err != nil {
			return err
		}
		held.Credentials = append(held.Credentials, one)
	}
	since, err := lostSince(tx, credentials)
	if err == nil && !since.IsZero() && (out.LostSince.IsZero() || since.Before(out.LostSince)) {
		out.LostSince = since
	}
	out.Applications = append(out.Applications, held)
	return err
}

func lifeOf(tx *store.Tx, c store.Credential) ([]HeldChange, error) {
	changes, _, err := tx.StatusHistory(c.Kind, c.Serial)
	var out []HeldChange
	for _, change := range changes {
		out = append(out, HeldChange{At: change.At, Status: change.Record.Status.Cert, Reason: change.Record.Status.Reason})
	}
	return out, err
}
