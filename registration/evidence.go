package registration

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"slices"
	"strconv"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/profile"
	"warifu/signed"
	"warifu/verify"
)

// MaxDocument bounds the CMS of an application document in octets.
const MaxDocument = 32 << 10

// Submission is what a phone sends to apply.
type Submission struct {
	Document           []byte // CMS SignedData over the application document
	Attestation        []byte
	Chain              [][]byte
	SecretsSet         []byte
	CardAuthentication []byte   // the card's authentication certificate, when that kind is asked for
	Contact            *Contact // whom to tell, and how the hotline finds the person; nil: nobody, not at all
}

// checked is a submission whose every signature and binding holds.
type checked struct {
	identity warifu.Digest
	document attest.Document
	signer   *x509.Certificate // the card's signing certificate
	expires  time.Time         // of its challenge
}

// check verifies what the phone sent, apart from the card's own state: the card's
// signature and chain, the secure element's attestation, that each names the
// other, and that the scheme's and the catalogue's rules are met.
func (a *Authority) check(ctx context.Context, s Submission, message *cms.Message) (checked, error) {
	document, err := attest.ParseDocument(message.Content)
	if err != nil {
		return checked{}, err
	}
	c := checked{identity: warifu.DigestOf(message.Content), document: document, signer: message.Signer}
	if err := a.checkElement(s, c); err != nil {
		return checked{}, err
	}
	if err := a.checkRules(document); err != nil {
		return checked{}, err
	}
	if c.expires, err = a.freshChallenge(document.Challenge, document.Element); err != nil {
		return checked{}, err
	}
	return c, a.checkCard(ctx, s.Document)
}

func parseDocument(der []byte) (*cms.Message, error) {
	if len(der) > MaxDocument {
		return nil, warifu.TooLarge("application-too-large")
	}
	message, err := cms.ParsePaper(der)
	if err != nil {
		return nil, err
	}
	if message.Detached || !message.ContentType.Equal(attest.OIDApplicationDocument) {
		return nil, warifu.Invalid("document-not-an-application")
	}
	return message, nil
}

// checkElement checks the attestation and its ties to the document: the same
// element, challenge, model and keys, and the word that the secrets are set.
func (a *Authority) checkElement(s Submission, c checked) error {
	pub, id, err := attest.VerifyChain(s.Chain, a.MakerAnchors, a.Clock.Now())
	if err != nil {
		return err
	}
	statement, err := attest.OpenAttestation(s.Attestation, pub)
	if err != nil {
		return err
	}
	d := c.document
	same := statement.Element == d.Element && id == d.Element && statement.Model == d.Model &&
		bytes.Equal(statement.Challenge, d.Challenge) && warifu.DigestOf(s.Attestation) == d.Attestation &&
		slices.EqualFunc(statement.Keys, d.Keys, sameKey)
	if !same {
		return warifu.Refused("attestation-other-document")
	}
	return checkSecretsSet(s.SecretsSet, pub, c)
}

func sameKey(a, b attest.Key) bool { return a.Kind == b.Kind && bytes.Equal(a.PublicKey, b.PublicKey) }

func checkSecretsSet(envelope []byte, pub *ecdsa.PublicKey, c checked) error {
	set, err := attest.OpenSecretsSet(envelope, pub)
	if err != nil {
		return err
	}
	if set.Element != c.document.Element || set.Document != c.identity || !slices.Equal(set.Kinds, c.document.Kinds()) {
		return warifu.Refused("secrets-set-other-document")
	}
	return nil
}

// checkRules applies the scheme and the catalogue to what the card signed.
func (a *Authority) checkRules(d attest.Document) error {
	if d.Scheme != a.Scheme.ID() {
		return warifu.Refused("scheme-other", "scheme", a.Scheme.ID())
	}
	if d.Consent != a.Scheme.Consent {
		return warifu.Refused("consent-outdated", "version", a.Scheme.Consent) // R35
	}
	return a.Models.Eligible(d.Model, d.OSBuild, d.AppVersion)
}

// checkCard checks the card's signature, chain, profile and validity, and that the
// signer is old enough (K14). The card's state comes from the statement, so a
// verdict that is unknown for want of a status is enough here.
func (a *Authority) checkCard(ctx context.Context, document []byte) error {
	result, err := a.Cards.Document(ctx, document, nil, verify.Policy{
		Classes: []profile.Class{profile.ClassCard}, ContentType: attest.OIDApplicationDocument, MaxMessage: MaxDocument,
	})
	if err != nil {
		return err
	}
	if result.Verdict == verify.Bad {
		return result.Err()
	}
	attributes, found, err := profile.ParseAttributes(result.Certificate)
	if err != nil || !found {
		return warifu.Refused("card-signature-refused").With(err)
	}
	age, err := attributes.Age(a.Clock.Now())
	if err != nil {
		return warifu.Refused("card-signature-refused").With(err)
	}
	if age < a.Scheme.MinimumAge {
		return warifu.Refused("applicant-too-young", "age", strconv.Itoa(a.Scheme.MinimumAge)) // K14
	}
	return nil
}

// cardOf fetches a fresh card statement about the signer, bound to the identity,
// and checks that the card's certificates the application needs are good.
func (a *Authority) cardOf(ctx context.Context, signer *x509.Certificate, identity warifu.Digest, kinds []warifu.Kind, cardAuthentication []byte) (attest.CardStatement, []byte, error) {
	envelope, err := a.Bureau.Statement(ctx, signer.Raw, identity)
	if err != nil {
		return attest.CardStatement{}, nil, err
	}
	statement, err := a.believe(envelope, signer, identity, kinds, cardAuthentication)
	return statement, envelope, err
}

// believe opens a card statement and checks that it is fresh, was made for the
// identity, and calls the card good.
func (a *Authority) believe(envelope []byte, signer *x509.Certificate, identity warifu.Digest, kinds []warifu.Kind, cardAuthentication []byte) (attest.CardStatement, error) {
	statement, err := attest.OpenCardStatement(envelope, a.StatementKey)
	if err != nil { // the bureau's fault or the line's, never the applicant's
		return attest.CardStatement{}, warifu.Unavailable("bureau-answer-unreadable").With(err)
	}
	if statement.Nonce != identity {
		return attest.CardStatement{}, warifu.Refused("card-statement-other-card")
	}
	// A clock that is wrong at either end passes; it must not end what was accepted.
	if age := a.Clock.Now().Sub(statement.ProducedAt); age > a.Scheme.StatementMaxAge || age < -time.Minute {
		return attest.CardStatement{}, warifu.Unavailable("card-statement-stale")
	}
	return statement, a.checkStatement(statement, signer, kinds, cardAuthentication)
}

func (a *Authority) checkStatement(s attest.CardStatement, signer *x509.Certificate, kinds []warifu.Kind, cardAuthentication []byte) error {
	signing, ok := s.Of(warifu.Signature)
	if !ok || signing.Certificate != warifu.DigestOf(signer.Raw) || !bytes.Equal(signing.Serial, signer.SerialNumber.Bytes()) {
		return warifu.Refused("card-statement-other-card")
	}
	if err := a.goodCard(signing); err != nil {
		return err
	}
	if !slices.Contains(kinds, warifu.Authentication) {
		return nil
	}
	authentication, ok := s.Of(warifu.Authentication)
	if !ok || authentication.Certificate != warifu.DigestOf(cardAuthentication) {
		return warifu.Refused("card-statement-other-card")
	}
	return a.goodCard(authentication)
}

// goodCard says why a card certificate cannot be a parent now (K14).
func (a *Authority) goodCard(c attest.CardCertificate) error {
	switch {
	case c.Held:
		return warifu.Refused("card-held", "kind", c.Kind.String())
	case c.State == warifu.StatusRevoked:
		return warifu.Refused("card-revoked", "kind", c.Kind.String())
	case !c.NotAfter.After(a.Clock.Now()):
		return warifu.Refused("card-expired", "kind", c.Kind.String())
	case c.State != warifu.StatusGood:
		return warifu.Refused("card-certificate-unknown", "kind", c.Kind.String())
	}
	return nil
}

// checkStatus judges a status answer before it is handed on. The authorities judge it
// again, and what they refuse ends the application: so an answer that says nothing (torn,
// stale, of a responder that is out of order) is told apart here from one that says no.
func (a *Authority) checkStatus(ctx context.Context, kind warifu.Kind, der, answer []byte) error {
	certificate, err := signed.Parsed(der)
	if err != nil {
		return warifu.Refused("card-certificate-unknown", "kind", kind.String()).With(err)
	}
	var word verify.StatusChecker = verify.RawOCSP(answer) // names what is wrong with one that does not parse
	if parsed, err := a.answers.Parse(answer); err == nil {
		word = verify.ParsedOCSP{Response: parsed}
	}
	result, err := a.Cards.Certificate(ctx, certificate, verify.Policy{
		Classes: []profile.Class{profile.ClassCard}, Kind: kind, Status: word, MaxStatusAge: a.Scheme.StatusMaxAge,
	})
	switch {
	case err != nil:
		return err
	case result.Verdict == verify.Good:
		return nil
	case result.Verdict == verify.Unknown:
		return warifu.Unavailable("card-status-unavailable").With(result.Err())
	case result.Status.Cert == warifu.StatusRevoked && result.Status.Reason == warifu.ReasonCertificateHold:
		return warifu.Refused("card-held", "kind", kind.String())
	case result.Status.Cert == warifu.StatusRevoked:
		return warifu.Refused("card-revoked", "kind", kind.String())
	}
	return result.Err()
}
