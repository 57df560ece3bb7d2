package registration_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/store"
)

var newContact = registration.Contact{Reading: "はなこ", Telephone: "080-3333-4444"}

func digestOf(c registration.Contact) string {
	return attest.ContactDigest(c.Reading, c.BirthDate, c.Telephone)
}

// sent hands every open notice on and returns them as "occasion telephone", sorted.
func sent(t *testing.T, h *housetest.House) (out []string) {
	t.Helper()
	_, err := h.Registrar.SendContactNotices(context.Background(), func(_ context.Context, n registration.ContactNotice) error {
		out = append(out, n.Occasion+" "+n.Telephone.Reveal())
		return nil
	})
	must(t, err)
	slices.Sort(out)
	return out
}

// contactOf is the contact of who owns an application.
func contactOf(t *testing.T, h *housetest.House, id string) (c store.Contact) {
	t.Helper()
	h.Read(t, func(tx *store.Tx) (err error) {
		c, err = tx.Contact(credentials(t, h, id)[0].Person)
		return err
	})
	return c
}

// ownedBy is a phone of hanako's whose application came with theContact.
func ownedBy(t *testing.T, h *housetest.House) (*housetest.Phone, string) {
	t.Helper()
	p := h.Phone(t)
	d := p.Draft(t, "hanako")
	s := housetest.Submission(d)
	s.Contact = &theContact
	_, err := apply(h, s)
	must(t, err)
	a, err := p.Submit(t, d)
	must(t, err)
	h.Drain(t)
	must(t, p.Personalize())
	return p, a.ID
}

func TestAPhoneRegistersAnotherContactAndTheOlderOneHearsOfIt(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, id := ownedBy(t, h)
	ctx, r := context.Background(), h.Registrar
	change := func(c registration.Contact, request []byte) error {
		return r.ContactByDevice(ctx, p.Record.Element, request, c)
	}
	request := ask(t, h, p, attest.PurposeContact, digestOf(newContact), warifu.Signature)
	wantProblem(t, change(registration.Contact{Reading: "はなこ", Telephone: "080-6666-6666"}, request), "device-request-other") // swapped on the way
	wantProblem(t, change(newContact, ask(t, h, p, "reissue-code", digestOf(newContact), warifu.Signature)), "device-request-other")
	wantProblem(t, change(newContact, ask(t, h, p, attest.PurposeContact, digestOf(newContact), warifu.Authentication)), "secret-not-verified") // the PIN is not enough
	wantProblem(t, change(newContact, ask(t, h, p, attest.PurposeContact, digestOf(newContact))), "secret-not-verified")
	others := newContact
	others.BirthDate = "1985-11-04"
	wantProblem(t, change(others, ask(t, h, p, attest.PurposeContact, digestOf(others), warifu.Signature)), "contact-malformed")
	if got := sent(t, h); len(got) != 0 || contactOf(t, h, id).Telephone != "09011112222" {
		t.Fatalf("refused, and yet %q", got)
	}
	must(t, change(newContact, request))
	if got := contactOf(t, h, id); got != (store.Contact{Reading: "ハナコ", BirthDate: "19851103", Telephone: "08033334444"}) {
		t.Error("the contact is not the new one, with the birth date of the card")
	}
	if got := sent(t, h); !slices.Equal(got, []string{"contact-changed 09011112222", "contact-registered 08033334444"}) {
		t.Errorf("told %q", got)
	}
	wantProblem(t, change(newContact, request), "challenge-used")
	h.Check(t)
}

func TestAPhoneOnHoldMayNotChangeTheContactAndTheCardMay(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, id := ownedBy(t, h)
	ctx, r := context.Background(), h.Registrar
	_, err := byCard(h, cardOrder(t, h, "hanako", suspendLost))
	must(t, err)
	wantProblem(t, r.ContactByDevice(ctx, p.Record.Element, ask(t, h, p, attest.PurposeContact, digestOf(newContact), warifu.Signature), newContact), "credential-held")
	order := attest.CardOrder{Verb: attest.VerbContact, Reason: digestOf(newContact)}
	document := cardOrder(t, h, "hanako", order)
	_, err = byCard(h, document) // it is no order of the other door
	wantProblem(t, err, "order-malformed")
	swapped := newContact
	swapped.Telephone = "08066666666"
	wantProblem(t, r.ContactByCard(ctx, document, swapped), "order-malformed")
	wantProblem(t, r.ContactByCard(ctx, cardOrder(t, h, "hanako", suspendLost), newContact), "order-malformed")
	wantProblem(t, r.ContactByCard(ctx, cardOrder(t, h, "taro", order), newContact), "credential-absent") // another's card reaches nobody here
	must(t, r.ContactByCard(ctx, document, newContact))
	if got := contactOf(t, h, id).Telephone; got != "08033334444" {
		t.Errorf("the contact is %s", got)
	}
	wantProblem(t, r.ContactByCard(ctx, document, newContact), "challenge-used")
	h.Clock.Forward(time.Minute)
	if got := sent(t, h); !slices.Equal(got, []string{"contact-changed 09011112222", "contact-registered 08033334444"}) {
		t.Errorf("told %q", got)
	}
	h.Check(t)
}

func TestAHoldByCodeTellsTheContact(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, id := ownedBy(t, h)
	code, err := h.Registrar.ReissueCode(context.Background(), p.Record.Element, ask(t, h, p, "reissue-code", "code", warifu.Signature))
	must(t, err)
	for range 2 {
		must(t, byCode(h, code.Reveal(), ""))
	}
	wantCredentials(t, h, id, 2, warifu.CredentialHeld)
	if got := sent(t, h); !slices.Equal(got, []string{"suspended-by-code 09011112222"}) {
		t.Errorf("told %q", got)
	}
}

func TestTheContactIsRemindedOnceOfBothCertificates(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	_, id := ownedBy(t, h)
	ctx, r := context.Background(), h.Registrar
	lost := func() {
		t.Helper()
		_, err := byCard(h, cardOrder(t, h, "hanako", suspendLost))
		must(t, err)
	}
	want := func(weeks int, wanted ...string) {
		t.Helper()
		h.Clock.Forward(time.Duration(weeks)*7*24*time.Hour + time.Hour)
		for range 2 {
			_, err := r.RemindLost(ctx)
			must(t, err)
		}
		if got := sent(t, h); !slices.Equal(got, wanted) {
			t.Errorf("told %q, want %q", got, wanted)
		}
	}
	lost()
	life, err := r.Life(ctx, id)
	if err != nil || !life.LostSince.Equal(h.Clock.Now()) {
		t.Errorf("lost since %s (%v)", life.LostSince, err)
	}
	want(0)
	want(1, "still-lost 09011112222")
	want(1, "still-lost 09011112222")
	_, err = byCard(h, cardOrder(t, h, "hanako", resumeLost))
	must(t, err)
	want(1)
	if life, err = r.Life(ctx, id); err != nil || !life.LostSince.IsZero() {
		t.Errorf("lost since %s (%v)", life.LostSince, err)
	}
	lost() // another loss is reminded of anew
	want(1, "still-lost 09011112222")
	h.Clock.To(credentials(t, h, id)[0].NotAfter.AddDate(0, 0, -6))
	_, err = r.RemindExpiry(ctx)
	must(t, err)
	if got := sent(t, h); !slices.Equal(got, []string{"expiry-1w 09011112222"}) {
		t.Errorf("told %q", got)
	}
}
