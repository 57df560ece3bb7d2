package phones

import (
	"context"
	"net/http"

	"warifu"
	"warifu/phone"
	"warifu/registration"
)

// ContactChange is another contact and one of the phone's secrets as typed: the signing
// password, or the PIN where that is all there is (K10).
type ContactChange struct {
	Contact  phone.Contact `json:"contact"`
	Password string        `json:"password,omitempty"`
	PIN      string        `json:"pin,omitempty"`
}

// RegisterContact puts another contact in the place of the one that stands.
func (p *Phones) RegisterContact(ctx context.Context, id string, in ContactChange) error {
	secret := Order{Password: in.Password, PIN: in.PIN}.secret()
	return p.with(ctx, id, func(o *owned) error { return o.app.RegisterContact(ctx, in.Contact, secret) })
}

func (p *Phones) contactByForm(r *http.Request, id string) error {
	c, err := p.contactTyped(r)
	if err != nil {
		return err
	}
	if c == nil {
		return warifu.Invalid("contact-malformed", "field", "reading")
	}
	return p.RegisterContact(r.Context(), id, ContactChange{*c, r.FormValue("password"), r.FormValue("pin")})
}

// contactTyped is the contact of a form: nil where none of it was filled in.
// With an error it is what was typed.
func (p *Phones) contactTyped(r *http.Request) (*phone.Contact, error) {
	c := phone.Contact{Reading: r.FormValue("reading"), Telephone: r.FormValue("telephone")}
	switch {
	case c == phone.Contact{}:
		return nil, nil
	case c.Reading == "":
		return &c, warifu.Invalid("contact-malformed", "field", "reading")
	case c.Telephone == "":
		return &c, warifu.Invalid("contact-malformed", "field", "telephone")
	}
	return &c, registration.Contact{Reading: c.Reading, Telephone: c.Telephone}.Check(p.config.Clock.Now())
}
