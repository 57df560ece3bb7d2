package ca

import (
	"bytes"
	"crypto/x509"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/profile"
	"warifu/signed"
)

// checkSigner checks that the document was signed with a card's signing key: never
// with a phone's, and never with an authentication key.
func (i *Issuer) checkSigner(c *claim) error {
	signer := c.message.Signer
	if class, _, ok := profile.ClassOf(signer); ok && class == profile.ClassPhone {
		return warifu.Refused("parent-is-phone")
	}
	return i.addParent(c, warifu.Signature, signer)
}

// checkParents adds the card's authentication certificate where that is our kind's
// parent; that it belongs to the same card the statement says.
func (i *Issuer) checkParents(c *claim) error {
	if i.config.Kind != warifu.Authentication {
		return nil
	}
	certificate, err := signed.Parsed(c.CardAuthentication)
	if err != nil {
		return warifu.Invalid("card-authentication-missing").With(err)
	}
	return i.addParent(c, warifu.Authentication, certificate)
}

// cards are the profiles of a card's certificates.
var cards = map[warifu.Kind]*profile.Profile{
	warifu.Signature: profile.Of(profile.ClassCard, warifu.Signature), warifu.Authentication: profile.Of(profile.ClassCard, warifu.Authentication),
}

// addParent checks profile, issuer and validity of a card's certificate. The
// generations of a card authority share one name: the issuer is who signed.
func (i *Issuer) addParent(c *claim, kind warifu.Kind, certificate *x509.Certificate) error {
	if err := cards[kind].CheckOnce(certificate); err != nil {
		return err
	}
	for _, issuer := range i.config.Cards[kind] {
		if !bytes.Equal(issuer.RawSubject, certificate.RawIssuer) || signed.By(certificate, issuer) != nil {
			continue
		}
		if !valid(issuer, c.now) || !valid(certificate, c.now) {
			return warifu.Refused("card-expired", "kind", kind.String())
		}
		c.card[kind] = parent{certificate, issuer}
		return nil
	}
	return warifu.Refused("card-authority-unknown", "kind", kind.String())
}

func valid(c *x509.Certificate, now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// checkStatement checks the card bureau's word: made for this document, fresh, and
// about this very card, whose certificates it calls good.
func (i *Issuer) checkStatement(c *claim) (err error) {
	if c.statement, err = attest.OpenCardStatement(c.Statement, i.config.StatementKey); err != nil {
		return err
	}
	if c.statement.Nonce != c.identity {
		return warifu.Refused("card-statement-other-card")
	}
	if age := c.now.Sub(c.statement.ProducedAt); age > i.config.Scheme.StatementMaxAge || age < -skew {
		return warifu.Unavailable("card-statement-stale")
	}
	for kind, p := range c.card {
		stated, ok := c.statement.Of(kind)
		same := ok && bytes.Equal(stated.Serial, p.certificate.SerialNumber.Bytes()) && stated.Certificate == warifu.DigestOf(p.certificate.Raw)
		if !same {
			return warifu.Refused("card-statement-other-card")
		}
		if err := mustBeGood(kind, stated.State, stated.Held); err != nil {
			return err
		}
	}
	return nil
}

// checkStatus checks the status answers about each parent: from its own authority,
// about its own serial number, fresh and good.
func (i *Issuer) checkStatus(c *claim) error {
	for kind, p := range c.card {
		r, err := i.answers.Parse(c.CardStatus[kind])
		if err != nil {
			return err
		}
		if err := r.Verify(p.issuer, c.now); err != nil {
			return err
		}
		answer, err := r.Find(p.issuer, p.certificate.SerialNumber)
		if err != nil {
			return err
		}
		if err := answer.Fresh(c.now, i.config.Scheme.StatusMaxAge); err != nil {
			return warifu.Unavailable("card-status-stale", "kind", kind.String()).With(err)
		}
		if err := mustBeGood(kind, answer.Status.Cert, answer.Status.Reason == warifu.ReasonCertificateHold); err != nil {
			return err
		}
	}
	return nil
}

func mustBeGood(kind warifu.Kind, state warifu.CertStatus, held bool) error {
	switch {
	case state == warifu.StatusGood && !held:
		return nil
	case held:
		return warifu.Refused("card-held", "kind", kind.String())
	case state == warifu.StatusRevoked:
		return warifu.Refused("card-revoked", "kind", kind.String())
	}
	return warifu.Refused("card-unknown", "kind", kind.String())
}
