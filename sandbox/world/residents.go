package world

import (
	"context"
	"crypto/x509"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/bureau"
	"warifu/sandbox/municipality"
	"warifu/sandbox/person"
	"warifu/store"
)

// residents is the residence register as a municipality and an insurer reach it: by the
// certificate of a card, which the bureau issued, or of a phone, whose issuer tells public
// bodies which person's card is its parent. Nobody else in the sandbox is told.
type residents struct{ w *World }

// holder finds who stands behind an authentication certificate.
func (r residents) holder(ctx context.Context, class profile.Class, c *x509.Certificate) (bureau.View, error) {
	unknown := warifu.NotFound("resident-unknown")
	serial := c.SerialNumber.Bytes()
	if class != profile.ClassPhone {
		v, err := r.w.Bureau.HolderOf(warifu.Authentication, serial)
		if err != nil {
			return v, unknown.With(err)
		}
		return v, nil
	}
	var handle warifu.Digest
	err := r.w.Server.Registration().Store.Read(ctx, func(tx *store.Tx) error {
		credential, err := tx.CredentialBySerial(warifu.Authentication, serial)
		handle = credential.Person
		return err
	})
	if err != nil {
		return bureau.View{}, unknown.With(err)
	}
	v, err := r.w.Bureau.HolderNamed(handle)
	if err != nil {
		return v, unknown.With(err)
	}
	return v, nil
}

// Resident implements municipality.Register.
func (r residents) Resident(ctx context.Context, class profile.Class, c *x509.Certificate) (municipality.Resident, error) {
	v, err := r.holder(ctx, class, c)
	if err != nil {
		return municipality.Resident{}, err
	}
	out := municipality.Resident{Person: v.Person, Died: v.Died}
	all, err := r.w.Bureau.Persons()
	if err != nil {
		return out, err
	}
	for _, other := range all {
		if other.Died.IsZero() && other.Person.Address == v.Person.Address {
			out.Household = append(out.Household, other.Person)
		}
	}
	return out, nil
}

// Insured implements insurer.Register.
func (r residents) Insured(ctx context.Context, class profile.Class, c *x509.Certificate) (person.Person, error) {
	v, err := r.holder(ctx, class, c)
	return v.Person, err
}
