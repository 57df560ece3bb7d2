package housetest

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"path/filepath"
	"strconv"
	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/cms"
	"warifu/jpki"
	"warifu/phone"
	"warifu/registration"
	"warifu/sandbox/folder"
	"warifu/sandbox/handset"
	"warifu/sandbox/maker"
	"warifu/sandbox/person"
)

// Model and OtherModel are eligible phones of one maker.
const (
	Model      = "Pixel 10"
	OtherModel = "Pixel 10 Pro"
	makerName  = "Google"
)

// Secrets are what every phone's passwords are set to.
var Secrets = phone.Secrets{Signature: "HOUSE2026", Authentication: "2468"}

func (h *House) openMaker(t TB) {
	t.Helper()
	master := h.symmetric(t, keyDomain)
	var err error
	h.Maker, err = maker.Open(maker.Config{
		Dir: filepath.Join(h.Dir, "makers"), Clock: h.Clock, Makers: []string{makerName},
		Domain: func(id warifu.ElementID) (chip.DomainKeys, error) { return chip.DeriveDomainKeys(master, id) },
		Apps:   []warifu.Digest{handset.AppCertificate}, Keys: h.source.element,
	})
	check(t, err)
}

// Phone is a phone with its app.
type Phone struct {
	*handset.Handset
	App *phone.App

	house *House
}

// Phone makes a new one of the usual model.
func (h *House) Phone(t TB) *Phone {
	t.Helper()
	return h.PhoneOf(t, Model)
}

// PhoneOf makes a new one of a model.
func (h *House) PhoneOf(t TB, model string) *Phone {
	t.Helper()
	h.phones++
	id := "phone-" + strconv.Itoa(h.phones)
	made, err := h.Maker.Make(id, makerName, model)
	check(t, err)
	element, err := h.Maker.Element(id)
	check(t, err)
	listed, err := h.Catalogue.Model(model)
	check(t, err)
	f, err := folder.Open(filepath.Join(h.Dir, id))
	check(t, err)
	record := handset.Record{ID: id, Model: model, OSBuild: listed.MinOSBuild, AppVersion: max(listed.MinAppVersion, h.Scheme.MinimumAppVersion), Element: made.Element, IMEI: made.IMEI}
	hand, err := handset.Open(f, record, element, Random)
	check(t, err)
	return &Phone{Handset: hand, App: hand.App(h.Server, h.Scheme, h.Clock), house: h}
}

// PINs are the passwords of a person's card.
func (h *House) PINs(t TB, id string) person.PINs {
	t.Helper()
	view, err := h.Bureau.Show(id)
	check(t, err)
	return view.Person.PINs
}

// Card is a person's card.
func (h *House) Card(t TB, id string) *chip.Card {
	t.Helper()
	card, err := h.Bureau.Card(id)
	check(t, err)
	return card
}

// Draft takes a phone and a person's card through everything up to the submission.
// No kinds means both.
func (p *Phone) Draft(t TB, who string, kinds ...warifu.Kind) *phone.Draft {
	t.Helper()
	d, err := p.TryDraft(t, who, kinds...)
	check(t, err)
	return d
}

// TryDraft is Draft that may be refused.
func (p *Phone) TryDraft(t TB, who string, kinds ...warifu.Kind) (*phone.Draft, error) {
	t.Helper()
	if len(kinds) == 0 {
		kinds = warifu.Kinds[:]
	}
	ctx := context.Background()
	password := string(p.house.PINs(t, who).Signature.Reveal())
	d, err := p.App.Begin(phone.Choice{Kinds: kinds, Consent: p.house.Scheme.Consent, CardPassword: password, Discard: true})
	if err != nil {
		return nil, err
	}
	if err := p.App.Prepare(ctx, d); err != nil {
		return nil, err
	}
	card := p.house.Card(t, who)
	defer card.PowerOff()
	if err := p.App.SignWithCard(ctx, d, card); err != nil {
		return nil, err
	}
	return d, p.App.SetSecrets(ctx, d, Secrets)
}

// Submission is what the draft hands in.
func Submission(d *phone.Draft) registration.Submission {
	s := d.Submission()
	return registration.Submission{Document: s.Document, Attestation: s.Attestation, Chain: s.Chain, SecretsSet: s.SecretsSet, CardAuthentication: s.CardAuthentication}
}

// Apply drafts and submits straight to the registration authority.
func (p *Phone) Apply(t TB, who string, kinds ...warifu.Kind) registration.Application {
	t.Helper()
	a, err := p.Submit(t, p.Draft(t, who, kinds...))
	check(t, err)
	return a
}

// Submit hands a draft in and lets the app remember it.
func (p *Phone) Submit(t TB, d *phone.Draft) (registration.Application, error) {
	t.Helper()
	a, err := p.house.Registrar.Apply(context.Background(), Submission(d))
	if err != nil {
		return a, err
	}
	p.house.memory.accept(a.ID)
	state, err := json.Marshal(phone.State{Application: a.ID, Kinds: d.Kinds})
	check(t, err)
	check(t, p.App.Storage.Save(state))
	return a, nil
}

// Issue applies and drains the queue: the application is issued when it returns.
func (p *Phone) Issue(t TB, who string, kinds ...warifu.Kind) registration.Application {
	t.Helper()
	a := p.Apply(t, who, kinds...)
	p.house.Drain(t)
	return p.house.Application(t, a.ID)
}

// Own goes the whole way: apply, issue, personalize.
func (p *Phone) Own(t TB, who string, kinds ...warifu.Kind) registration.Application {
	t.Helper()
	a := p.Issue(t, who, kinds...)
	check(t, p.Personalize())
	return p.house.Application(t, a.ID)
}

// Personalize has the latest application written to the chip.
func (p *Phone) Personalize() error {
	return p.App.Personalize(context.Background(), phone.Personalization{})
}

// PersonalizeWith shows the card again where it is asked for (R45).
func (p *Phone) PersonalizeWith(t TB, who string) error {
	t.Helper()
	card := p.house.Card(t, who)
	defer card.PowerOff()
	pin := string(p.house.PINs(t, who).Authentication.Reveal())
	return p.App.Personalize(context.Background(), phone.Personalization{Card: card, CardPIN: pin})
}

// Application asks where an application stands.
func (h *House) Application(t TB, id string) registration.Application {
	t.Helper()
	a, err := h.Registrar.Application(context.Background(), id)
	check(t, err)
	return a
}

// SignAs signs content as a message of the type with a person's card: what a phone of
// somebody's own making could have signed.
func (h *House) SignAs(t TB, who string, contentType asn1.ObjectIdentifier, content []byte) []byte {
	t.Helper()
	ctx := context.Background()
	card := h.Card(t, who)
	defer card.PowerOff()
	token, err := jpki.Select(ctx, card)
	check(t, err)
	check(t, token.VerifyCard(ctx, warifu.Signature, h.PINs(t, who).Signature))
	der, err := token.Certificate(ctx, warifu.Signature)
	check(t, err)
	certificate, err := x509.ParseCertificate(der)
	check(t, err)
	prepared, err := cms.Prepare(contentType, content, certificate, nil, h.Clock.Now(), false)
	check(t, err)
	signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(prepared.Digest()))
	check(t, err)
	signed, err := prepared.Finish(signature)
	check(t, err)
	return signed
}

// Forge is a submission whose document was changed before the card signed it. The
// element says of the changed document, too, that its secrets are set.
func (p *Phone) Forge(t TB, who string, change func(*attest.Document)) registration.Submission {
	t.Helper()
	s := Submission(p.Draft(t, who))
	message, err := cms.Parse(s.Document)
	check(t, err)
	document, err := attest.ParseDocument(message.Content)
	check(t, err)
	change(&document)
	content, err := document.Marshal()
	check(t, err)
	s.Document = p.house.SignAs(t, who, attest.OIDApplicationDocument, content)
	element, err := jpki.SelectElement(context.Background(), p.App.Element)
	check(t, err)
	s.SecretsSet, err = element.SecretsSet(context.Background(), warifu.DigestOf(content))
	check(t, err)
	return s
}
