package phone

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"warifu"
	"warifu/attest"
	"warifu/iso7816"
)

// Contact is how the holder is found at the hotline and told of what is done with the
// certificates, as typed. It is given with an application, or later by who knows the
// phone's signing password or holds the card. Formatters and loggers show none of it.
type Contact struct {
	Reading   string `json:"reading"`             // of the name, in kana of any width
	BirthDate string `json:"birthDate,omitempty"` // 1980-12-17; empty: as the card says
	Telephone string `json:"telephone"`           // with its area code
}

const hiddenContact = "[contact]"

// Format implements fmt.Formatter for every verb and flag.
func (c Contact) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenContact) }

// LogValue implements slog.LogValuer.
func (c Contact) LogValue() slog.Value { return slog.StringValue(hiddenContact) }

func (c Contact) digest() string { return attest.ContactDigest(c.Reading, c.BirthDate, c.Telephone) }

// check refuses half a contact before any chip is touched; what is in its parts the server
// says.
func (c *Contact) check() error {
	switch {
	case c == nil:
		return nil
	case c.Reading == "":
		return warifu.Invalid("contact-malformed", "field", "reading")
	case c.Telephone == "":
		return warifu.Invalid("contact-malformed", "field", "telephone")
	}
	return nil
}

// RegisterContact puts another contact in the place of the one that stands: the chip
// verifies the secret and signs what is asked, and the older contact is told. A phone that
// is on hold may not ("credential-held"); the card can.
func (a *App) RegisterContact(ctx context.Context, c Contact, s Secret) error {
	if err := c.check(); err != nil {
		return err
	}
	request, err := a.request(ctx, attest.PurposeContact, c.digest(), s)
	if err != nil {
		return err
	}
	return a.Server.DeviceContact(ctx, a.Device.Element, request, c)
}

// RegisterContact has the card sign for another contact and hands it in: the way when the
// phone is gone.
func (e Elsewhere) RegisterContact(ctx context.Context, c Contact, card iso7816.Transmitter, typed string) error {
	if err := c.check(); err != nil {
		return err
	}
	password, err := e.Scheme.CardPIN(warifu.Signature, typed)
	if err != nil {
		return err
	}
	challenge, err := e.Server.OrderChallenge(ctx, warifu.ElementID{})
	if err != nil {
		return err
	}
	paper, err := attest.CardOrder{Challenge: challenge, Verb: attest.VerbContact, Kinds: warifu.Kinds[:], Reason: c.digest()}.Marshal()
	if err != nil {
		return err
	}
	document, err := e.sign(ctx, card, password, paper)
	if err != nil {
		return err
	}
	return e.Server.CardContact(ctx, document, c)
}

// DeviceContact hands in a contact and the element's signed request for it. It is not
// repeated: the challenge is spent.
func (s *Server) DeviceContact(ctx context.Context, element warifu.ElementID, request []byte, c Contact) error {
	in := struct {
		Request []byte  `json:"request"`
		Contact Contact `json:"contact"`
	}{request, c}
	return s.do(ctx, call{http.MethodPost, elementPath(element) + "/contact", in, nil, false})
}

// CardContact hands in a contact and the order for it that a card signed.
func (s *Server) CardContact(ctx context.Context, document []byte, c Contact) error {
	in := struct {
		Document []byte  `json:"document"`
		Contact  Contact `json:"contact"`
	}{document, c}
	return s.do(ctx, call{http.MethodPost, "/api/v1/orders/contact", in, nil, false})
}
