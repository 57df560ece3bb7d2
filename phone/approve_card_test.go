package phone_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"

	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/phone"
)

// atReader is a PC with taro's card in its reader, and a login that waits.
func atReader(t *testing.T) (*housetest.House, phone.Elsewhere, phone.CardAgreement, *provider) {
	t.Helper()
	h, _, provider := asking(t)
	server, err := phone.NewServer(provider.origin, nil)
	must(t, err)
	pins := h.PINs(t, "taro")
	card := h.Card(t, "taro")
	t.Cleanup(card.PowerOff)
	return h, phone.Elsewhere{Server: server.WithoutPauses(), Scheme: h.Scheme, Clock: h.Clock}, phone.CardAgreement{
		Number: "42", Card: card, PIN: string(pins.Authentication.Reveal()), Password: strings.ToLower(string(pins.Signature.Reveal())),
	}, provider
}

// K17: whatever a phone's credential opens, the card at a reader opens too.
func TestTheCardAnswersALoginAtAReader(t *testing.T) {
	_, at, g, provider := atReader(t)
	provider.back = ""
	q, err := at.Asked(ctx, provider.link(phone.WayQR))
	must(t, err)
	password := g.Password
	for _, agreed := range [][]string{nil, {"address", "name"}} {
		g.Attributes, g.Password = agreed, ""
		if agreed != nil { // else nothing is told, and the signing password is not asked for
			g.Password = password
		}
		_, err := at.Approve(ctx, q, g)
		must(t, err)
		a := provider.answers[len(provider.answers)-1]
		c, err := x509.ParseCertificate(a.Certificate)
		must(t, err)
		presence := attest.Presence{Purpose: "login", ClientID: "bank", Origin: "https://bank.example", Transaction: login, Time: q.Presence.Time,
			Nonce: attest.Consent{Client: "bank", Origin: "https://bank.example", Login: login, Attributes: agreed}.Nonce(q.Salt)}
		must(t, c.CheckSignature(algorithmOf(c), presence.Bytes(), a.Signature))
		if a.Activation != "pin" || a.Number != "42" || (len(a.AttributesFrom) > 0) != (agreed != nil) || bytes.Equal(a.AttributesFrom, a.Certificate) {
			t.Errorf("agreed to %v, answered %+v", agreed, a)
		}
	}
	_, err = at.Decline(ctx, q)
	must(t, err)
	if provider.declined != 1 {
		t.Error("the server was not told")
	}
}

func TestNothingIsSpentOnTheCardForAnAnswerThatCannotBe(t *testing.T) {
	h, at, g, provider := atReader(t)
	q, err := at.Asked(ctx, provider.link(phone.WayQR))
	must(t, err)
	card := g.Card
	for what, c := range map[string]struct {
		change func(*phone.CardAgreement)
		slug   string
	}{
		"the phone's password for the PIN":   {func(g *phone.CardAgreement) { g.PIN = "HOUSE2026" }, "card-pin-format"},
		"no PIN":                             {func(g *phone.CardAgreement) { g.PIN = "" }, "card-pin-format"},
		"attributes without their password":  {func(g *phone.CardAgreement) { g.Attributes, g.Password = []string{"name"}, "" }, "card-pin-format"},
		"a number not offered":               {func(g *phone.CardAgreement) { g.Number = "43" }, "approve-number-missing"},
		"an attribute that nobody asked for": {func(g *phone.CardAgreement) { g.Attributes = []string{"gender"} }, "approve-attribute-unasked"},
	} {
		wrong := g
		wrong.Card = untouched(t)
		c.change(&wrong)
		_, err := at.Approve(ctx, q, wrong)
		wantProblem(t, what, c.slug, err)
	}
	wrong := g
	wrong.PIN = "0000"
	_, err = at.Approve(ctx, q, wrong)
	wantProblem(t, "a wrong PIN", "card-pin-wrong", err)
	own := h.Phone(t)
	own.Own(t, "hanako")
	wrong.Card = own.Outside()
	_, err = at.Approve(ctx, q, wrong)
	wantProblem(t, "a phone on the reader", "parent-is-phone", err)
	provider.question.Demands = phone.ClassPhone
	_, err = at.Asked(ctx, provider.link(phone.WayQR))
	wantProblem(t, "the phone demanded", "approve-phone-demanded", err)
	if len(provider.answers) != 0 {
		t.Errorf("%d answers were sent", len(provider.answers))
	}
	g.Card = card
	provider.question.Demands, provider.back = phone.ClassCard, ""
	q, err = at.Asked(ctx, provider.link(phone.WayQR))
	must(t, err)
	_, err = at.Approve(ctx, q, g)
	must(t, err)
}

// A child's card has no signing certificate: it logs in, and nothing can be told from it.
func TestACardWithoutSigningCertificateLogsInAndTellsNothing(t *testing.T) {
	h, at, g, provider := atReader(t)
	provider.back = ""
	card := h.Card(t, "sakura")
	defer card.PowerOff()
	g.Card, g.PIN = card, string(h.PINs(t, "sakura").Authentication.Reveal())
	q, err := at.Asked(ctx, provider.link(phone.WayQR))
	must(t, err)
	_, err = at.Approve(ctx, q, g)
	must(t, err)
	g.Attributes = []string{"name"}
	_, err = at.Approve(ctx, q, g)
	wantProblem(t, "agreeing to have the name told", "card-signature-absent", err)
	if len(provider.answers) != 1 {
		t.Errorf("%d answers were sent", len(provider.answers))
	}
}
