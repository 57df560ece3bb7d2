package registration_test

import (
	"testing"

	"warifu"
	"warifu/internal/housetest"
	"warifu/store"
)

// What a person is shown of theirs: each certificate with its life, the newest application first.
func TestAPersonSeesWhatTheyHaveAndHad(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	ctx := t.Context()
	var person warifu.Digest
	if err := h.Store.Read(ctx, func(tx *store.Tx) error {
		row, err := tx.Application(a.ID)
		person = row.Person
		return err
	}); err != nil {
		t.Fatal(err)
	}
	has, err := h.Registrar.Of(ctx, person)
	if err != nil || len(has.Applications) != 1 || !has.LostSince.IsZero() {
		t.Fatalf("%+v %v", has, err)
	}
	first := has.Applications[0]
	if first.ID != a.ID || first.Model == "" || first.Submitted.IsZero() || first.State != warifu.ApplicationPersonalized || len(first.Credentials) != 2 {
		t.Errorf("%+v", first)
	}
	for _, c := range first.Credentials {
		if c.State != warifu.CredentialActive || len(c.Serial) == 0 || c.NotAfter.IsZero() || c.Ticket != nil || len(c.History) != 1 || c.History[0].Status != warifu.StatusGood {
			t.Errorf("%+v", c)
		}
	}
	var nobody warifu.Digest
	if none, err := h.Registrar.Of(ctx, nobody); err != nil || len(none.Applications) != 0 {
		t.Errorf("nobody has %+v %v", none, err)
	}
}
