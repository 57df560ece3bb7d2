package ca

import (
	"crypto/ecdsa"
	"crypto/x509"
	"strconv"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/profile"
)

// claim is a request on its way through the checks: each step fills in what it has
// proved, and reads only what an earlier step has.
type claim struct {
	Request
	now time.Time

	message    *cms.Message
	identity   warifu.Digest // of the application document
	document   attest.Document
	key        attest.Key // the one of our kind
	card       map[warifu.Kind]parent
	statement  attest.CardStatement
	element    *ecdsa.PublicKey // the secure element's attestation key
	attributes profile.Attributes
	notAfter   time.Time // the latest the certificate may live
}

// parent is one certificate of the card and the authority that issued it.
type parent struct{ certificate, issuer *x509.Certificate }

// steps are the checks of design §3.5 in order. Reading the list is reading the rule.
var steps = []func(*Issuer, *claim) error{
	(*Issuer).readDocument,
	(*Issuer).checkTerms,
	(*Issuer).checkSigner,
	(*Issuer).checkChallenge,
	(*Issuer).checkElement,
	(*Issuer).checkSecrets,
	(*Issuer).checkParents,
	(*Issuer).checkStatement,
	(*Issuer).checkStatus,
	(*Issuer).checkPerson,
	(*Issuer).checkKey,
}

// check takes a request through all steps at the instant now.
func (i *Issuer) check(r Request) (*claim, error) {
	c := &claim{Request: r, now: i.config.Clock.Now(), card: map[warifu.Kind]parent{}}
	for _, step := range steps {
		if err := step(i, c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// skew is how far in the future evidence may have been made: two clocks are never one.
const skew = time.Minute

// readDocument opens the CMS and checks its signature; whose signature it is comes next.
func (i *Issuer) readDocument(c *claim) (err error) {
	if c.message, err = cms.ParsePaper(c.Document); err != nil {
		return err
	}
	if c.message.Detached || !c.message.ContentType.Equal(attest.OIDApplicationDocument) {
		return warifu.Invalid("document-not-an-application")
	}
	if err = c.message.Verify(nil); err != nil {
		return err
	}
	c.identity = warifu.DigestOf(c.message.Content)
	c.document, err = attest.ParseDocument(c.message.Content)
	return err
}

// checkTerms checks that our kind is asked for, under the scheme and the consent in force.
func (i *Issuer) checkTerms(c *claim) error {
	for _, k := range c.document.Keys {
		if k.Kind == i.config.Kind {
			c.key = k
		}
	}
	switch {
	case c.key.Kind != i.config.Kind:
		return warifu.Refused("kind-not-applied-for", "kind", i.config.Kind.String())
	case c.document.Scheme != i.config.Scheme.ID():
		return warifu.Refused("scheme-other", "scheme", i.config.Scheme.ID())
	case c.document.Consent != i.config.Scheme.Consent:
		return warifu.Refused("consent-missing", "version", i.config.Scheme.Consent)
	case c.document.AppVersion < i.config.Scheme.MinimumAppVersion:
		return warifu.Refused("app-too-old", "version", strconv.Itoa(i.config.Scheme.MinimumAppVersion))
	}
	return nil
}

// checkChallenge reads the challenge's age from the challenge itself, whatever any
// database says about it.
func (i *Issuer) checkChallenge(c *claim) error {
	made, err := attest.CheckChallenge(i.config.Challenge, c.document.Challenge, c.document.Element)
	if err != nil {
		return err
	}
	if age := c.now.Sub(made); age > i.config.Scheme.ChallengeMaxWait || age < -skew {
		return warifu.Refused("challenge-outworn")
	}
	return nil
}

// checkElement checks the attestation and that it and the document name each other:
// the same element, challenge, model and keys, and the attestation's digest.
func (i *Issuer) checkElement(c *claim) error {
	key, element, err := attest.VerifyChain(c.Chain, i.config.Makers, c.now)
	if err != nil {
		return err
	}
	a, err := attest.OpenAttestation(c.Attestation, key)
	if err != nil {
		return err
	}
	d := c.document
	same := warifu.DigestOf(c.Attestation) == d.Attestation && a.Element == element && a.Element == d.Element &&
		string(a.Challenge) == string(d.Challenge) && a.Model == d.Model && sameKeys(a.Keys, d.Keys)
	if !same {
		return warifu.Refused("attestation-other-document")
	}
	c.element = key
	return nil
}

func sameKeys(a, b []attest.Key) bool {
	if len(a) != len(b) {
		return false
	}
	for n := range a {
		if a[n].Kind != b[n].Kind || string(a[n].PublicKey) != string(b[n].PublicKey) {
			return false
		}
	}
	return true
}

// checkSecrets checks the element's word that every key of this document has its secret.
func (i *Issuer) checkSecrets(c *claim) error {
	s, err := attest.OpenSecretsSet(c.SecretsSet, c.element)
	if err != nil {
		return err
	}
	same := s.Element == c.document.Element && s.Document == c.identity && len(s.Kinds) == len(c.document.Keys)
	for n := 0; same && n < len(s.Kinds); n++ {
		same = s.Kinds[n] == c.document.Keys[n].Kind
	}
	if !same {
		return warifu.Refused("secrets-set-other-document")
	}
	return nil
}

// checkPerson reads the attributes of a signature certificate off the card's and
// refuses whoever is too young for one (K14), and settles how long we may certify.
func (i *Issuer) checkPerson(c *claim) error {
	if i.config.Kind == warifu.Signature {
		a, present, err := profile.ParseAttributes(c.card[warifu.Signature].certificate)
		if err != nil || !present {
			return warifu.Refused("profile-mismatch", "class", "card", "kind", i.config.Kind.String(), "rule", "subject-alternative-name")
		}
		age, err := a.Age(c.now)
		if err != nil {
			return err
		}
		if age < i.config.Scheme.MinimumAge {
			return warifu.Refused("person-too-young")
		}
		c.attributes = a
	}
	stated, _ := c.statement.Of(i.config.Kind)
	c.notAfter = earliest(c.card[i.config.Kind].certificate.NotAfter, stated.NotAfter, i.config.Certificate.NotAfter)
	if !c.now.Before(c.notAfter) {
		return warifu.Refused("card-expired", "kind", i.config.Kind.String())
	}
	return nil
}

func earliest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.Before(first) {
			first = t
		}
	}
	return first.UTC().Truncate(time.Second)
}

// checkKey refuses a key that is anybody else's: the card's, this authority's, or the
// applicant's own other one. What algorithm it must be the profile says.
func (i *Issuer) checkKey(c *claim) error {
	taken := [][]byte{i.config.Certificate.RawSubjectPublicKeyInfo}
	for _, p := range c.card {
		taken = append(taken, p.certificate.RawSubjectPublicKeyInfo, p.issuer.RawSubjectPublicKeyInfo)
	}
	for _, k := range c.document.Keys {
		if k.Kind != i.config.Kind {
			taken = append(taken, k.PublicKey)
		}
	}
	for _, t := range taken {
		if string(t) == string(c.key.PublicKey) {
			return warifu.Refused("key-not-new")
		}
	}
	return nil
}
