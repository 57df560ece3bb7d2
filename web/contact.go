package web

import (
	"context"

	"warifu"
	"warifu/registration"
)

// contactBody is how a person is found at the hotline and told of what was done.
type contactBody struct {
	Reading   string `json:"reading" maxLength:"100" doc:"Reading of the name, in kana"`
	BirthDate string `json:"birthDate,omitempty" maxLength:"40" doc:"1980-12-17; where a contact is registered it may be left out, since the card says it"`
	Telephone string `json:"telephone" maxLength:"40" doc:"With its area code"`
}

func (c contactBody) contact() registration.Contact {
	return registration.Contact{Reading: c.Reading, BirthDate: c.BirthDate, Telephone: c.Telephone}
}

type deviceContactInput struct {
	Element string `path:"element" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Identifier of the secure element, 32 hexadecimal digits"`
	Body    struct {
		Request octets      `json:"request" doc:"The secure element's signed request; its subject is the digest of the contact"`
		Contact contactBody `json:"contact"`
	}
}

type cardContactInput struct {
	Body struct {
		Document octets      `json:"document" doc:"CMS SignedData over a card order of the verb contact, signed by the card; its reason is the digest of the contact"`
		Contact  contactBody `json:"contact"`
	}
}

type contactOutput struct {
	Body struct {
		Registered bool `json:"registered"`
	}
}

func (s *site) deviceContact(ctx context.Context, in *deviceContactInput) (*contactOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	return registered(s.Registration.ContactByDevice(ctx, element, in.Body.Request, in.Body.Contact.contact()))
}

func (s *site) cardContact(ctx context.Context, in *cardContactInput) (*contactOutput, error) {
	return registered(s.Registration.ContactByCard(ctx, in.Body.Document, in.Body.Contact.contact()))
}

func registered(err error) (*contactOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &contactOutput{}
	out.Body.Registered = true
	return out, nil
}
