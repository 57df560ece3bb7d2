package console

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"warifu"
	"warifu/store"
)

// What a challenge is for; it is bound to the session or link it was made for.
const (
	purposeSignIn = "sign-in"
	purposeStepUp = "step-up"
	purposeEnrol  = "enrol"
)

// MaxAnswer bounds what a browser sends of a ceremony, in octets.
const MaxAnswer = 32 << 10

// account is an operator as the library knows one.
type account struct {
	handle      []byte
	name        string
	credentials []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (a account) WebAuthnID() []byte { return a.handle }

// WebAuthnName implements webauthn.User.
func (a account) WebAuthnName() string { return a.name }

// WebAuthnDisplayName implements webauthn.User.
func (a account) WebAuthnDisplayName() string { return a.name }

// WebAuthnCredentials implements webauthn.User.
func (a account) WebAuthnCredentials() []webauthn.Credential { return a.credentials }

// errNoPasskeys: browsers make no passkeys for an address.
var errNoPasskeys = warifu.Unavailable("passkey-origin")

// SignInOptions is what the browser is asked for a passkey with (PublicKeyCredentialRequestOptions
// in JSON, Web Authentication §5.5). Error: Unavailable "passkey-origin".
func (d *Desk) SignInOptions() ([]byte, error) { return d.requestOptions(purposeSignIn, "") }

// StepUpOptions is the same for who is signed in.
func (d *Desk) StepUpOptions(o Operator) ([]byte, error) {
	return d.requestOptions(purposeStepUp, string(o.Secret))
}

func (d *Desk) requestOptions(purpose, bound string) ([]byte, error) {
	if d.passkeys == nil {
		return nil, errNoPasskeys
	}
	challenge, err := d.newToken(purpose, bound)
	if err != nil {
		return nil, err
	}
	options, _, err := d.passkeys.BeginDiscoverableLogin(webauthn.WithChallenge(challenge), webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// answered checks the challenge of an answer: made here for this, fresh, and, from now on, used.
// Errors: Refused "passkey-challenge-foreign", "passkey-late", Conflict "passkey-answered".
func (d *Desk) answered(tx *store.Tx, challenge, purpose, bound string) error {
	raw, err := base64.RawURLEncoding.DecodeString(challenge)
	if err != nil {
		return warifu.Refused("passkey-challenge-foreign")
	}
	at, ours, err := d.made(raw, purpose, bound)
	now := d.Clock.Now()
	switch {
	case err != nil:
		return err
	case !ours:
		return warifu.Refused("passkey-challenge-foreign")
	case now.Sub(at) > challengeLife || at.After(now.Add(time.Second)):
		return warifu.Refused("passkey-late")
	}
	err = tx.UseChallenge(warifu.DigestOf(raw), at.Add(challengeLife+time.Hour))
	if is(err, "challenge-used") {
		return warifu.Conflict("passkey-answered")
	}
	return err
}

var errMalformed = warifu.Invalid("passkey-malformed")

// parseAssertion reads a browser's answer to a question for a passkey.
func parseAssertion(answer []byte) (*protocol.ParsedCredentialAssertionData, error) {
	if len(answer) == 0 || len(answer) > MaxAnswer {
		return nil, errMalformed
	}
	p, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, errMalformed
	}
	return p, nil
}

// parseCreation reads a browser's answer to the wish for a new passkey.
func parseCreation(answer []byte) (*protocol.ParsedCredentialCreationData, error) {
	if len(answer) == 0 || len(answer) > MaxAnswer {
		return nil, errMalformed
	}
	p, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, errMalformed
	}
	return p, nil
}

// prove checks an answer and returns whose passkey it is. Errors: Invalid "passkey-malformed", those
// of a challenge, Unauthenticated "passkey-unknown", Refused "passkey-copied".
func (d *Desk) prove(tx *store.Tx, answer []byte, purpose, bound string) (store.ConsoleOperator, error) {
	var who store.ConsoleOperator
	if d.passkeys == nil {
		return who, errNoPasskeys
	}
	p, err := parseAssertion(answer)
	if err != nil {
		return who, err
	}
	challenge := p.Response.CollectedClientData.Challenge
	if err := d.answered(tx, challenge, purpose, bound); err != nil {
		return who, err
	}
	var fault error
	find := func(_, handle []byte) (webauthn.User, error) {
		if who, fault = tx.ConsoleOperatorOfHandle(handle); fault != nil {
			return nil, fault
		}
		var a account
		a, fault = accountOf(tx, who)
		return a, fault
	}
	asked := webauthn.SessionData{Challenge: challenge, RelyingPartyID: d.passkeys.Config.RPID, UserVerification: protocol.VerificationRequired}
	_, credential, err := d.passkeys.ValidatePasskeyLogin(find, asked, p)
	switch {
	case fault != nil && !warifu.ProblemOf(fault).IsCode(warifu.CodeNotFound):
		return who, fault
	case err != nil || !who.RemovedAt.IsZero():
		return who, warifu.Unauthenticated("passkey-unknown")
	case credential.Authenticator.CloneWarning:
		return who, warifu.Refused("passkey-copied")
	}
	record, err := recordOf(credential)
	if err != nil {
		return who, err
	}
	return who, tx.UseConsolePasskey(credential.ID, record, d.Clock.Now())
}

// accountOf is an operator with the passkeys on record.
func accountOf(tx *store.Tx, row store.ConsoleOperator) (account, error) {
	a := account{handle: row.Handle, name: row.Name}
	keys, err := tx.ConsolePasskeys(row.Name)
	if err != nil {
		return a, err
	}
	for _, k := range keys {
		var c webauthn.Credential
		if err := json.Unmarshal(k.Record, &c); err != nil {
			return a, err
		}
		a.credentials = append(a.credentials, c)
	}
	return a, nil
}

// recordOf is what is kept of a passkey: without the attestation, which nobody asks for.
func recordOf(c *webauthn.Credential) ([]byte, error) {
	kept := *c
	kept.Attestation = webauthn.CredentialAttestation{}
	return json.Marshal(kept)
}

// FinishSignIn takes the browser's answer to SignInOptions and begins a session. browser is
// what the browser says of itself; the session is bound to it. Errors: those of prove.
func (d *Desk) FinishSignIn(ctx context.Context, answer []byte, browser string) (Operator, error) {
	secret, err := d.draw()
	if err != nil {
		return Operator{}, err
	}
	var out Operator
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := d.prove(tx, answer, purposeSignIn, "")
		if err != nil {
			return err
		}
		out, err = d.open(tx, secret, row, browser, "passkey", false)
		return err
	})
	return out, err
}

// FinishStepUp takes the answer to StepUpOptions: the person at the session is who signed in.
// In a sandbox's session without a passkey an empty answer will do. Errors: those of prove,
// Refused "passkey-of-another".
func (d *Desk) FinishStepUp(ctx context.Context, o Operator, answer []byte) error {
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		by := "passkey"
		if o.WithoutKey && d.Sandbox && len(answer) == 0 {
			by = "sandbox"
		} else {
			row, err := d.prove(tx, answer, purposeStepUp, string(o.Secret))
			if err != nil {
				return err
			}
			if row.Name != o.Name {
				return warifu.Refused("passkey-of-another")
			}
		}
		if err := tx.VerifyConsoleSession(o.Secret.digest(), d.Clock.Now()); err != nil {
			return err
		}
		return d.line(tx, o.actor(), verbStepUp, o.Name, map[string]string{"by": by})
	})
}

// create makes the passkey of an answer for an account.
func (d *Desk) create(a account, bound string, p *protocol.ParsedCredentialCreationData) (*webauthn.Credential, error) {
	asked := webauthn.SessionData{
		Challenge: p.Response.CollectedClientData.Challenge, RelyingPartyID: d.passkeys.Config.RPID, UserID: a.handle,
		UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault(),
	}
	c, err := d.passkeys.CreateCredential(a, asked, p)
	if err != nil || len(c.ID) == 0 || bytes.Equal(c.PublicKey, nil) {
		return nil, warifu.Refused("passkey-refused").With(err)
	}
	return c, nil
}
