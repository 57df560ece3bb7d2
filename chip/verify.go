package chip

import (
	"errors"

	"warifu/iso7816"
)

// verify answers VERIFY (ISO/IEC 7816-4 §11.6.6). Four octets alone ask for the tries
// left and are answered 63Cx, even when the secret has been verified; five are wrong
// (docs/card-facts.md §1.5).
func (a *application) verify(c iso7816.Command) ([]byte, error) {
	if c.P1 != 0 {
		return nil, iso7816.SWWrongParameters
	}
	if c.Ne != 0 {
		return nil, iso7816.SWWrongLength
	}
	secret, err := a.secretAt(c.P2)
	if err != nil {
		return nil, err
	}
	if len(c.Data) == 0 {
		return nil, iso7816.RetriesLeft(secret.left())
	}
	return nil, a.attempt(secret, c.Data)
}

// attempt spends one try and saves before anybody learns how it ended. Where the
// memory fails, the try stays spent for as long as the power lasts.
func (a *application) attempt(secret *reference, octets []byte) error {
	a.setVerified(secret, false)
	changed, verdict := secret.compare(octets)
	if changed {
		if err := a.save(); err != nil {
			return errors.Join(errMemory, err)
		}
	}
	a.setVerified(secret, verdict == nil)
	return verdict
}

// errMemory is no status word: system answers it with 6581.
var errMemory = errors.New("chip memory failed")

func (a *application) secretAt(p2 byte) (*reference, error) {
	f, err := a.referenced(p2)
	if err != nil {
		return nil, err
	}
	if f.structure != secretFile {
		return nil, iso7816.SWIncompatibleFile
	}
	return f.secret, nil
}

// changeReference answers CHANGE REFERENCE DATA with the new value only, after VERIFY
// (docs/card-facts.md §1.5).
func (a *application) changeReference(c iso7816.Command) ([]byte, error) {
	if a.change != insChangeReference {
		return nil, iso7816.SWInstructionUnsupported
	}
	if c.P1 != 0x01 {
		return nil, iso7816.SWWrongParameters
	}
	return a.changeSecret(c)
}

// changeKey answers JICSAP's CHANGE KEY, the same for 共通 and 住基.
func (a *application) changeKey(c iso7816.Command) ([]byte, error) {
	if a.change != insChangeKey {
		return nil, iso7816.SWInstructionUnsupported
	}
	if c.P1 != 0x00 {
		return nil, iso7816.SWWrongParameters
	}
	return a.changeSecret(c)
}

func (a *application) changeSecret(c iso7816.Command) ([]byte, error) {
	if c.Ne != 0 || len(c.Data) == 0 {
		return nil, iso7816.SWWrongLength
	}
	secret, err := a.secretAt(c.P2)
	if err != nil {
		return nil, err
	}
	if !a.isVerified(secret) {
		return nil, iso7816.SWSecurityStatus
	}
	if secret.constant {
		return nil, iso7816.SWConditions
	}
	if !secret.rule.Allows(c.Data) {
		return nil, iso7816.SWWrongData
	}
	before := *secret.state
	secret.set(c.Data)
	if err := a.save(); err != nil {
		*secret.state = before
		return nil, errors.Join(errMemory, err)
	}
	a.setVerified(secret, true)
	return nil, nil
}
