package phone

import (
	"context"
	"crypto/x509"
	"errors"
	"net/url"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/iso7816"
	"warifu/jpki"
)

// MaxDocument bounds what the app signs, in octets.
const MaxDocument = 64 << 20

// Sign signs content with the phone's signature key as CMS that openssl accepts,
// detached or with the content inside (R54: just type the password).
func (a *App) Sign(ctx context.Context, content []byte, detached bool, u Unlock) ([]byte, error) {
	form := FormDetached
	if !detached {
		form = FormAttached
	}
	out, err := a.SignDocument(ctx, content, Signing{Form: form}, u)
	return out.File, err
}

// Question is what a relying party asks a claimant (design §3.8).
type Question struct {
	Purpose     string    `json:"purpose"`
	ClientID    string    `json:"clientId"`
	Origin      string    `json:"origin"`
	Nonce       []byte    `json:"nonce"`
	Transaction string    `json:"transaction"`
	Time        time.Time `json:"time"`
}

// Presence returns the question as the authentication key signs it.
func (q Question) Presence() attest.Presence {
	return attest.Presence{Purpose: q.Purpose, ClientID: q.ClientID, Origin: q.Origin, Nonce: q.Nonce,
		Transaction: q.Transaction, Time: q.Time}
}

// Answer is a claimant's answer: certificate, signature, and the question echoed
// for people; the verifier rebuilds it from its own values.
type Answer struct {
	Certificate []byte   `json:"certificate"` // DER
	Signature   []byte   `json:"signature"`
	Question    Question `json:"question"`
}

// maxQuestionAge is how far a question's time may lie from the phone's.
const maxQuestionAge = 10 * time.Minute

// Login answers a question asked by the page at seen (scheme://host[:port], as the
// platform and not the page says it): a question that claims another origin is
// refused ("question-origin"), so that nobody can have a bank's question answered
// for himself.
func (a *App) Login(ctx context.Context, q Question, seen string, u Unlock) (Answer, error) {
	if err := a.checkQuestion(q, seen); err != nil {
		return Answer{}, err
	}
	token, certificate, err := a.openKey(ctx, warifu.Authentication, u)
	if err != nil {
		return Answer{}, err
	}
	signature, err := token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(q.Presence().Digest()))
	if err != nil {
		return Answer{}, phoneError(err)
	}
	return Answer{Certificate: certificate.Raw, Signature: signature, Question: q}, nil
}

func (a *App) checkQuestion(q Question, seen string) error {
	u, err := url.Parse(q.Origin)
	age := a.Clock.Now().Sub(q.Time).Abs()
	switch {
	case err != nil || u.Host == "" || u.Scheme+"://"+u.Host != q.Origin:
		return warifu.Invalid("question-malformed", "field", "origin")
	case q.Purpose != "login":
		return warifu.Invalid("question-malformed", "field", "purpose")
	case len(q.Nonce) < 16 || len(q.Nonce) > 64:
		return warifu.Invalid("question-malformed", "field", "nonce")
	case q.ClientID == "" || len(q.ClientID) > 256 || len(q.Transaction) > 256:
		return warifu.Invalid("question-malformed", "field", "clientId")
	case q.Origin != seen:
		return warifu.Refused("question-origin", "origin", q.Origin, "seen", seen)
	case age > maxQuestionAge:
		return warifu.Refused("question-stale")
	}
	return nil
}

// openKey verifies the secret of the kind and reads its certificate, which on the
// phone needs it too (docs/card-facts.md §4).
func (a *App) openKey(ctx context.Context, kind warifu.Kind, u Unlock) (*jpki.Token, *x509.Certificate, error) {
	secret, err := a.secretFor(ctx, kind, u)
	if err != nil {
		return nil, nil, err
	}
	return a.openWith(ctx, kind, secret, u)
}

// openWith is openKey with the octets that u stands for.
func (a *App) openWith(ctx context.Context, kind warifu.Kind, secret warifu.ActivationSecret, u Unlock) (*jpki.Token, *x509.Certificate, error) {
	token, err := jpki.Select(ctx, a.Element)
	if err != nil {
		return nil, nil, phoneError(err)
	}
	err = token.VerifyPhone(ctx, kind, secret)
	if u.Gesture != nil && isProblem(err, "secret-wrong") {
		return nil, nil, a.lostLock(kind, err) // one try, and never another
	}
	if err != nil {
		return nil, nil, phoneError(err)
	}
	certificate, err := certificateOf(ctx, token, kind)
	if err != nil {
		return nil, nil, phoneError(err)
	}
	return token, certificate, nil
}

// phoneError names what the secure element's refusal means to the holder.
func phoneError(err error) error {
	switch {
	case err == nil:
		return nil
	case isProblem(err, "certificate-absent", "key-absent", "jpki-absent"), errors.Is(err, iso7816.SWFileNotFound):
		return warifu.Conflict("credential-none").With(err)
	case isProblem(err, "chip-removed"), errors.Is(err, iso7816.ErrRemoved):
		return warifu.Unavailable("element-interrupted").With(err)
	}
	return err
}

// TriesLeft tells how many wrong entries the phone's secret of the kind may still take.
func (a *App) TriesLeft(ctx context.Context, kind warifu.Kind) (int, error) {
	token, err := jpki.Select(ctx, a.Element)
	if err != nil {
		return 0, phoneError(err)
	}
	left, err := token.TriesLeft(ctx, kind)
	return left, phoneError(err)
}

// ChangeSecret changes the phone's own password of the kind; the card's cannot be
// changed here (R30, R31). The screen lock is turned off for the kind: what is wrapped is
// the old secret, and to wrap the new one without a gesture would let whoever changed it
// inherit what the holder's finger opens.
func (a *App) ChangeSecret(ctx context.Context, kind warifu.Kind, current, next string) error {
	was, err := a.Scheme.ActivationSecret(kind, current)
	if err != nil {
		return err
	}
	will, err := a.Scheme.ActivationSecret(kind, next)
	if err != nil {
		return err
	}
	token, err := jpki.Select(ctx, a.Element)
	if err != nil {
		return phoneError(err)
	}
	if err := token.VerifyPhone(ctx, kind, was); err != nil {
		return phoneError(err)
	}
	// Before the change: were the phone torn away after it, the lock would offer the old
	// secret and spend the new one's tries.
	if err := a.DisableScreenLock(kind); err != nil {
		return err
	}
	return phoneError(token.ChangePhone(ctx, kind, will))
}
