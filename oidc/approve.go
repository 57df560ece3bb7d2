package oidc

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/ledger"
	"warifu/profile"
	"warifu/store"
	"warifu/verify"
)

// Bounds of an answer, in octets.
const (
	// MaxAnswer bounds an answer on the wire: a signed document in base64 and little else.
	MaxAnswer      = 24 << 20
	maxCertificate = 16 << 10
	maxSignature   = 1 << 10
)

// ParseAnswer reads an answer from JSON. Errors: TooLarge "login-answer-too-large", Invalid
// "login-answer-malformed".
func ParseAnswer(r io.Reader) (Answer, error) {
	limited := &io.LimitedReader{R: r, N: MaxAnswer + 1}
	d := json.NewDecoder(limited)
	d.DisallowUnknownFields()
	var a Answer
	err := d.Decode(&a)
	if limited.N <= 0 {
		return Answer{}, warifu.TooLarge("login-answer-too-large")
	}
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errMore
		}
	}
	if err != nil {
		return Answer{}, warifu.Invalid("login-answer-malformed", "what", "JSON").With(err)
	}
	return a, a.check()
}

var errMore = warifu.Invalid("login-answer-malformed", "what", "JSON")

// check is what can be said of an answer by itself.
func (a Answer) check() error {
	malformed := func(what string) error { return warifu.Invalid("login-answer-malformed", "what", what) }
	vouched := a.vouched()
	switch {
	case vouched == (len(a.Certificate) > 0) || len(a.Certificate) > maxCertificate:
		return malformed("certificate")
	case vouched == (len(a.Signature) > 0) || len(a.Signature) > maxSignature:
		return malformed("signature")
	case len(a.AttributesFrom) > maxCertificate || vouched && len(a.AttributesFrom) > 0:
		return malformed("attributesFrom")
	case len(a.Agreed) > len(attributeScopes):
		return malformed("agreed")
	case a.Number != "" && (len(a.Number) != 2 || strings.Trim(a.Number, "0123456789") != ""):
		return malformed("number")
	}
	switch a.Activation {
	case ActivationPIN, ActivationScreenLock, ActivationPassword:
		return nil
	}
	return malformed("activation")
}

// vouched reports whether the chip's word stands in for a presence (Signing.Vouch).
func (a Answer) vouched() bool { return a.Signed != nil && len(a.Signed.Request) > 0 }

// agrees checks what was agreed to and returns it in the order of the attributes.
func (u under) agrees(agreed []string) ([]string, error) {
	asked := u.attributes()
	for i, name := range agreed {
		if !slices.Contains(asked, name) || slices.Contains(agreed[:i], name) {
			return nil, warifu.Invalid("login-answer-malformed", "what", "agreed")
		}
	}
	return slices.DeleteFunc(asked, func(name string) bool { return !slices.Contains(agreed, name) }), nil
}

// Answer judges what the claimant hands in and, where it is good, approves the login in one
// transaction with the line in the holder's ledger. Errors: as Question; Invalid
// "login-answer-malformed"; Refused "login-presence-bad" (the signature is not of this question and
// this consent), "login-demands-card", "login-demands-phone", "login-number-wrong" (which ends the
// login), "login-attributes-other-card", "login-card-unable", "login-credential-ended", those of package
// verify where the credential is not good, those of Signing; TooMany "login-answers-too-many".
func (p *Provider) Answer(ctx context.Context, login string, a Answer) (Answered, error) {
	u, err := p.known(ctx, login, store.LoginWaiting)
	if err == nil {
		err = over(u.state(p.Clock.Now()))
	}
	if err != nil {
		return Answered{}, err
	}
	if err := a.check(); err != nil {
		return Answered{}, err
	}
	if (u.Sign != "") != (a.Signed != nil) {
		return Answered{}, warifu.Invalid("login-answer-malformed", "what", "signed")
	}
	agreed, err := u.agrees(a.Agreed)
	if err != nil {
		return Answered{}, err
	}
	if err := p.crowd.mayAnswer(u.row.ID); err != nil {
		return Answered{}, err
	}
	claimant, err := p.judge(ctx, u, a, agreed)
	if err != nil {
		if !problemOf(err).IsCode(warifu.CodeUnavailable) {
			p.crowd.wrong(u.row.ID, u.client.ID, u.row.Expires)
		}
		return Answered{}, err
	}
	if a.Number != "" {
		if err := p.numberFits(ctx, u, a.Number, claimant); err != nil {
			return Answered{}, err
		}
	}
	return p.approve(ctx, u, a, agreed, claimant)
}

// claimant is who proved presence, and with what.
type claimant struct {
	result     *verify.Result
	class      string
	activation string
	// card is, of a card, whose it is and the certificates that are kept; nil of a phone, whose
	// holder the database knows.
	card *cardClaimant
}

type cardClaimant struct {
	person warifu.Digest
	papers [][]byte // the authentication certificate, and the signature certificate where it came
}

// person is who it is: NotFound and a refusal where a phone's credential is not in use any more,
// whatever its status said a moment ago.
func (c claimant) person(tx *store.Tx) (warifu.Digest, error) {
	if c.card != nil {
		return c.card.person, nil
	}
	row, err := tx.CredentialBySerial(c.result.Kind, c.result.Certificate.SerialNumber.Bytes())
	if err == nil && row.State != warifu.CredentialActive {
		err = warifu.Refused("login-credential-ended")
	}
	return row.Person, err
}

// judge finds out whether the answer is one to this question, by a credential that is good and
// that the client takes.
func (p *Provider) judge(ctx context.Context, u under, a Answer, agreed []string) (claimant, error) {
	salt, err := p.mac.of(labelSalt, u.row.ID[:])
	if err != nil {
		return claimant{}, err
	}
	sign, err := p.signView(ctx, u)
	if err != nil {
		return claimant{}, err
	}
	question := u.presence(salt, sign, agreed)
	c := claimant{activation: a.Activation}
	if a.vouched() {
		c.result, err = p.Signing.Vouch(ctx, u.client, u.Sign, *a.Signed, question.Nonce)
		if c.activation != ActivationScreenLock {
			c.activation = ActivationPassword
		}
	} else {
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(a.Certificate); err != nil {
			return c, warifu.Invalid("login-answer-malformed", "what", "certificate").With(err)
		}
		c.result, err = p.Verifier.Presence(ctx, question, certificate, a.Signature, verify.Policy{MaxAnswerTime: LoginLife + time.Minute})
	}
	if err != nil {
		return c, err
	}
	if c.result.Has("signature-invalid") || c.result.Has("presence-stale") {
		return c, warifu.Refused("login-presence-bad").With(c.result.Err())
	}
	if err := c.result.Err(); err != nil {
		return c, err
	}
	if c.class = c.result.Class.String(); u.Demands != "" && u.Demands != c.class {
		if u.Demands == ClassCard {
			return c, warifu.Refused("login-demands-card")
		}
		return c, warifu.Refused("login-demands-phone")
	}
	if c.result.Class == profile.ClassCard {
		c.activation = ActivationPIN
		c.card, err = p.ofCard(ctx, c.result.Certificate, a.AttributesFrom)
	}
	return c, err
}

// ofCard asks the bureau whose card it is, and whether the signature certificate that came
// along is of the same card.
func (p *Provider) ofCard(ctx context.Context, authentication *x509.Certificate, signature []byte) (*cardClaimant, error) {
	if p.Cards == nil {
		return nil, warifu.Refused("login-card-unable")
	}
	statement, err := p.Cards.Card(ctx, authentication.Raw)
	if err != nil {
		return nil, err
	}
	if of, has := statement.Of(warifu.Authentication); !has || of.Certificate != warifu.DigestOf(authentication.Raw) {
		return nil, warifu.Refused("login-card-unable")
	}
	out := &cardClaimant{person: statement.Person, papers: [][]byte{authentication.Raw}}
	if len(signature) == 0 {
		return out, nil
	}
	if of, has := statement.Of(warifu.Signature); !has || of.Certificate != warifu.DigestOf(signature) {
		return nil, warifu.Refused("login-attributes-other-card")
	}
	c, err := x509.ParseCertificate(signature)
	if err != nil {
		return nil, warifu.Invalid("login-answer-malformed", "what", "attributesFrom").With(err)
	}
	r, err := p.Verifier.Certificate(ctx, c, verify.Policy{Kind: warifu.Signature, Classes: []profile.Class{profile.ClassCard}})
	if err != nil {
		return nil, err
	}
	if r.Verdict == verify.Good {
		out.papers = append(out.papers, signature)
	}
	return out, nil
}

// numberFits compares the number that was picked; a wrong one ends the login, and stands in
// the holder's ledger: somebody else's browser may have been meant.
func (p *Provider) numberFits(ctx context.Context, u under, picked string, c claimant) error {
	_, shown, err := p.mac.numbers(u.row.ID)
	if err != nil || picked == shown {
		return err
	}
	wrong := warifu.Refused("login-number-wrong")
	err = p.end(ctx, u, store.LoginRefused, func(tx *store.Tx) error {
		person, err := c.person(tx)
		if err != nil {
			return err
		}
		line := p.line(u, c)
		line.Result, line.Reasons = "refused", []string{wrong.Problem}
		return p.Ledger.Append(tx, person, line)
	})
	if err != nil {
		return err
	}
	return wrong
}

// line is a login's line in the holder's ledger.
func (p *Provider) line(u under, c claimant) ledger.Entry {
	return ledger.Entry{
		At: p.Clock.Now(), By: u.client.ID, Name: u.client.Name, What: ledger.LoggedIn, Class: c.class, Kind: c.result.Kind.String(),
		Result: verify.Good.String(), Reference: u.name,
	}
}

// approve writes down that the login was approved, by whom and to what extent.
func (p *Provider) approve(ctx context.Context, u under, a Answer, agreed []string, c claimant) (Answered, error) {
	signed := Accepted{}
	if a.Signed != nil {
		var err error
		if signed, err = p.Signing.Accept(ctx, u.client, u.Sign, c.class, *a.Signed); err != nil {
			return Answered{}, err
		}
	}
	row := u.row
	row.ApprovedAt = p.Clock.Now()
	row.Expires = row.ApprovedAt.Add(ReturnLife)
	row.Way, row.Class, row.Activation, row.Agreed = WayApp, c.class, c.activation, strings.Join(agreed, ",")
	row.Kind, row.Serial = c.result.Kind, c.result.Certificate.SerialNumber.Bytes()
	if a.Number != "" {
		row.Way = WayQR
	}
	var missing []string
	err := p.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if row.Person, err = c.person(tx); err != nil {
			return err
		}
		if c.card != nil {
			if row.Papers, err = tx.SealLoginPapers(row.ID, row.Person, c.card.papers...); err != nil {
				return err
			}
		}
		done, err := tx.ApproveLogin(row)
		if err == nil && !done {
			err = warifu.Conflict("login-over", "state", "")
		}
		if err == nil && signed.Keep != nil {
			err = signed.Keep(tx, u.name, row.Person)
		}
		if err == nil {
			missing, err = p.lacking(tx, row, agreed, c)
		}
		if err != nil {
			return err
		}
		return p.Ledger.Append(tx, row.Person, p.line(u, c))
	})
	if err != nil {
		p.recent.drop(row.ID)
		return Answered{}, err
	}
	row.State = store.LoginApproved
	p.recent.put(row, u.request)
	p.moved(row.ID, "approved")
	out := Answered{Missing: missing}
	if row.Way == WayApp {
		out.Return, err = p.returnAddress(row.ID)
	}
	return out, err
}

// lacking are the agreed attributes that there is no source for.
func (p *Provider) lacking(tx *store.Tx, row store.Login, agreed []string, c claimant) ([]string, error) {
	if len(agreed) == 0 {
		return nil, nil
	}
	has := c.card != nil && len(c.card.papers) > 1
	if c.card == nil {
		_, found, err := signatureOf(tx, row.Person)
		if err != nil {
			return nil, err
		}
		has = found
	}
	if has {
		return nil, nil
	}
	return agreed, nil
}
