package phone

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/jpki"
)

// Choice is what a person decides before the card is tapped (R32 ③–⑤).
type Choice struct {
	Kinds        []warifu.Kind // one or both (R34)
	Consent      string        // version of the consent text that was ticked; "" for none (R35)
	CardPassword string        // the *card's* signing password, as typed
	Contact      *Contact      // whom to tell, and how the hotline finds the holder; nil: the hotline never will
	// Discard says that the holder knows of an application that is open on this phone and
	// gives it up: its keys wait in the chip and new ones destroy them.
	Discard bool
}

// Draft is an application on its way. Its fields are for showing; only the steps
// of an App fill it.
type Draft struct {
	Kinds       []warifu.Kind
	Consent     string
	Terms       Terms         // after Prepare
	Identity    warifu.Digest // of the application document, after SignWithCard
	CardTries   int           // tries left on the card's signing password, asked before it is spent
	Application Application   // after Submit

	cardPassword warifu.CardPIN
	contact      *Contact
	discard      bool
	attestation  []byte
	chain        [][]byte
	keys         []attest.Key
	document     []byte // CMS
	cardAuth     []byte // the card's authentication certificate
	secretsSet   []byte
}

// CheckEligible asks whether this phone may have certificates at all: model, app
// version and catalogue (R13–R24). A refusal says why; nothing is kept anywhere.
func (a *App) CheckEligible(ctx context.Context) (Terms, error) {
	return a.Server.Challenge(ctx, a.Device)
}

// Begin checks everything a person could have chosen or typed wrong, before any
// chip is touched: no kind ("kinds-none"), no consent ("consent-missing"), a card
// password that can never be valid ("card-pin-format").
func (a *App) Begin(choice Choice) (*Draft, error) {
	kinds, err := sortedKinds(choice.Kinds)
	if err != nil {
		return nil, err
	}
	if choice.Consent == "" {
		return nil, warifu.Refused("consent-missing", "version", a.Scheme.Consent)
	}
	password, err := a.Scheme.CardPIN(warifu.Signature, choice.CardPassword)
	if err != nil {
		return nil, err
	}
	if err := choice.Contact.check(); err != nil {
		return nil, err
	}
	return &Draft{Kinds: kinds, Consent: choice.Consent, cardPassword: password, discard: choice.Discard, contact: choice.Contact}, nil
}

// Retype puts the card's signing password typed anew into a draft whose card refused the
// one of before; keys and challenge stay as they are. Error: "card-pin-format".
func (a *App) Retype(d *Draft, typed string) error {
	password, err := a.Scheme.CardPIN(warifu.Signature, typed)
	if err == nil {
		d.cardPassword = password
	}
	return err
}

// sortedKinds refuses no kind, unknown kinds and repetitions, and orders the rest.
func sortedKinds(chosen []warifu.Kind) ([]warifu.Kind, error) {
	if len(chosen) == 0 {
		return nil, warifu.Refused("kinds-none")
	}
	kinds := slices.Clone(chosen)
	slices.Sort(kinds)
	for i, k := range kinds {
		if !k.Valid() || (i > 0 && kinds[i-1] == k) {
			return nil, warifu.Invalid("kind-unknown", "kind", k.String())
		}
	}
	return kinds, nil
}

// Prepare fetches the challenge and has the secure element make the key pairs in
// its shadow slots, disabled, and attest them (design §3.1). It goes before the
// tap, so that the card need not be held while keys are made (K2). While an application
// is open on this phone it is Conflict "application-open-here": making keys would destroy
// those that were certified for it. The holder withdraws it first (WithdrawOpen), or says
// in the Choice that it may go.
func (a *App) Prepare(ctx context.Context, d *Draft) error {
	terms, err := a.Server.Challenge(ctx, a.Device)
	if err != nil {
		return err
	}
	if err := a.accept(terms, d.Consent); err != nil {
		return err
	}
	if err := a.roomForKeys(ctx, d); err != nil {
		return err
	}
	element, err := jpki.SelectElement(ctx, a.Element)
	if err != nil {
		return err
	}
	if err := element.Abandon(ctx); err != nil {
		return err
	}
	d.keys = nil
	for _, kind := range d.Kinds {
		spki, err := element.Generate(ctx, kind, a.Scheme.Algorithm)
		if err != nil {
			return err
		}
		d.keys = append(d.keys, attest.Key{Kind: kind, PublicKey: spki})
	}
	if d.attestation, err = element.Attest(ctx, terms.Challenge); err != nil {
		return err
	}
	if d.chain, err = element.Chain(ctx); err != nil {
		return err
	}
	d.Terms = terms
	return nil
}

// roomForKeys refuses to make keys over those that wait for an open application.
func (a *App) roomForKeys(ctx context.Context, d *Draft) error {
	if d.discard {
		return nil
	}
	open, err := a.openHere(ctx)
	if err == nil && open != "" {
		err = warifu.Conflict("application-open-here", "application", open)
	}
	return err
}

// openHere returns the application that is open on this phone, "" for none. An app that
// remembers nothing asks by the chip where secrets wait in the shadow slots.
func (a *App) openHere(ctx context.Context) (string, error) {
	state, err := a.State()
	if err != nil {
		return "", err
	}
	if state.Application != "" {
		application, err := a.Server.Application(ctx, state.Application)
		if isProblem(err, "application-unknown") || err == nil && warifu.ApplicationLife.Final(application.State) {
			return "", nil
		}
		return state.Application, err
	}
	slots, err := a.slots(ctx)
	if err != nil || !slices.ContainsFunc(slots.Shadow.Slots, func(s jpki.SlotState) bool { return s.SecretSet }) {
		return "", err
	}
	life, err := a.life(ctx)
	return life.Application, err
}

// WithdrawOpen takes back the application that is open on this phone, if there is one, and
// returns its identifier: what goes before a new one.
func (a *App) WithdrawOpen(ctx context.Context) (string, error) {
	open, err := a.openHere(ctx)
	if err != nil || open == "" {
		return "", err
	}
	return open, a.withdraw(ctx, open)
}

// accept refuses terms other than those the person was shown.
func (a *App) accept(t Terms, consent string) error {
	switch {
	case len(t.Challenge) != attest.ChallengeLength:
		return warifu.Unavailable("server-answer-unreadable", "server", a.Server.Origin())
	case t.Scheme.ID != a.Scheme.ID():
		return warifu.Conflict("scheme-changed", "server", t.Scheme.ID, "app", a.Scheme.ID())
	case t.Consent != consent:
		return warifu.Refused("consent-outdated", "version", t.Consent)
	}
	return nil
}

// Secrets are the phone's new passwords as typed (R32 ⑨⑩); only those of the kinds
// chosen are looked at.
type Secrets struct {
	Signature      string // 6–16 letters and digits (R26)
	Authentication string // 4 digits (R27)
}

func (s Secrets) of(k warifu.Kind) string {
	if k == warifu.Signature {
		return s.Signature
	}
	return s.Authentication
}

// CheckSecrets refuses what can never be a valid password of the phone for the
// kinds ("secret-format", naming the kind); it touches no chip.
func (a *App) CheckSecrets(kinds []warifu.Kind, typed Secrets) error {
	_, err := a.fold(kinds, typed)
	return err
}

// CheckOwn is CheckSecrets for a draft: it also refuses the card's signing password as the
// phone's ("secret-is-cards"). The phone's passwords are new and separate (R28); who uses
// the card's for both cannot tell any more which of the two a page asks for.
func (a *App) CheckOwn(d *Draft, typed Secrets) error {
	folded, err := a.fold(d.Kinds, typed)
	if err != nil {
		return err
	}
	return notTheCards(d.cardPassword, slices.Collect(maps.Values(folded))...)
}

// CheckOne is CheckOwn for one of the passwords, where each is asked for by itself.
func (a *App) CheckOne(d *Draft, kind warifu.Kind, typed string) error {
	secret, err := a.Scheme.ActivationSecret(kind, typed)
	if err != nil {
		return err
	}
	return notTheCards(d.cardPassword, secret)
}

func notTheCards(card warifu.CardPIN, phones ...warifu.ActivationSecret) error {
	for _, secret := range phones {
		if subtle.ConstantTimeCompare(card.Reveal(), secret.Reveal()) == 1 {
			return warifu.Invalid("secret-is-cards")
		}
	}
	return nil
}

func (a *App) fold(kinds []warifu.Kind, typed Secrets) (map[warifu.Kind]warifu.ActivationSecret, error) {
	folded := map[warifu.Kind]warifu.ActivationSecret{}
	for _, kind := range kinds {
		secret, err := a.Scheme.ActivationSecret(kind, typed.of(kind))
		if err != nil {
			return nil, err
		}
		folded[kind] = secret
	}
	return folded, nil
}

// SetSecrets sets the phone's passwords in the secure element, which then signs
// that every key has one. It goes after SignWithCard.
func (a *App) SetSecrets(ctx context.Context, d *Draft, typed Secrets) error {
	if d.document == nil {
		return warifu.Conflict("draft-unsigned")
	}
	if err := a.CheckOwn(d, typed); err != nil {
		return err
	}
	folded, err := a.fold(d.Kinds, typed)
	if err != nil {
		return err
	}
	element, err := jpki.SelectElement(ctx, a.Element)
	if err != nil {
		return err
	}
	for _, kind := range d.Kinds {
		if err := element.SetSecret(ctx, kind, folded[kind]); err != nil {
			return err
		}
	}
	d.secretsSet, err = element.SecretsSet(ctx, d.Identity)
	return err
}

// Submission is what Submit hands in.
func (d *Draft) Submission() Submission {
	return Submission{Document: d.document, Attestation: d.attestation, Chain: d.chain, SecretsSet: d.secretsSet, CardAuthentication: d.cardAuth, Contact: d.contact}
}

// Submit hands the application in. When it returns nil the server has it durably.
// It may be called again after a failure: the same document is the same application.
func (a *App) Submit(ctx context.Context, d *Draft) error {
	if d.secretsSet == nil {
		return warifu.Conflict("draft-secrets-missing")
	}
	application, err := a.Server.Submit(ctx, d.Submission())
	if err != nil {
		return err
	}
	d.Application = application
	return a.remember(func(s *State) {
		s.Application, s.Kinds, s.Personalized = application.ID, d.Kinds, false
	})
}

// Abandon gives a draft up: the shadow slots are cleared. The server never heard of it.
func (a *App) Abandon(ctx context.Context) error {
	element, err := jpki.SelectElement(ctx, a.Element)
	if err != nil {
		return err
	}
	return element.Abandon(ctx)
}

// fresh refuses a draft whose challenge is over: the card would sign in vain.
func (a *App) fresh(d *Draft) error {
	if d.attestation == nil {
		return warifu.Conflict("draft-unprepared")
	}
	if !d.Terms.ExpiresAt.IsZero() && a.Clock.Now().After(d.Terms.ExpiresAt) {
		return warifu.Refused("challenge-expired", "expiresAt", d.Terms.ExpiresAt.Format(time.RFC3339))
	}
	return nil
}

// paper writes the application document of d.
func (a *App) paper(d *Draft) ([]byte, error) {
	return attest.Document{
		Challenge: d.Terms.Challenge, Element: a.Device.Element, Model: a.Device.Model, OSBuild: a.Device.OSBuild,
		AppVersion: a.Device.AppVersion, Keys: d.keys, Attestation: sha256.Sum256(d.attestation),
		Consent: d.Consent, Scheme: d.Terms.Scheme.ID,
	}.Marshal()
}
