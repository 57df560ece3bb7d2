package chip

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"

	"warifu/iso7816"
	"warifu/jpki"
)

// variant is P1 of COMPUTE SIGNATURE: what the chip does to the input before the
// private key does (docs/card-facts.md §1.5).
type variant byte

const (
	signVerbatim    variant = 0x00 // PKCS#1 v1.5 padding around whatever is given, 1 to 245 octets
	signBareHash    variant = 0x01 // the same around SHA-256 of the input
	signHash        variant = 0x02 // DigestInfo of a given SHA-256 value
	signDocument    variant = 0x03 // DigestInfo of SHA-256 of the input
	signHashPSS     variant = 0x04 // RSASSA-PSS of a given SHA-256 value
	signInputPSS    variant = 0x05 // RSASSA-PSS of SHA-256 of the input
	maxVerbatim             = 245  // RSA-2048 less the padding of RFC 8017 §7.2.1
	variantsKnown           = 6
	signatureOctets         = 256 // RSA-2048
)

// computeSignature answers COMPUTE SIGNATURE: with the key of a file (P2 80 or 80|SFI), or
// with the application's default key (P2 00).
func (a *application) computeSignature(c iso7816.Command) ([]byte, error) {
	if variant(c.P1) >= variantsKnown {
		return nil, iso7816.SWWrongParameters
	}
	key, err := a.signingKey(c.P2)
	if err != nil {
		return nil, err
	}
	if len(c.Data) == 0 || c.Ne == 0 {
		return nil, iso7816.SWWrongLength
	}
	return sign(key, variant(c.P1), c.Data, c.Ne)
}

func (a *application) signingKey(p2 byte) (crypto.Signer, error) {
	if p2 == 0x00 && a.defaultKey != nil {
		return a.defaultKey(), nil
	}
	f, err := a.referenced(p2)
	if err != nil {
		return nil, err
	}
	if f.structure != keyFile || f.internal {
		return nil, iso7816.SWIncompatibleFile
	}
	if !a.opened(f.guards) {
		return nil, iso7816.SWSecurityStatus
	}
	return f.key(), nil
}

// internalAuthenticate answers `00 88 00 (80|SFI)`: the key's signature over SHA-256 of the
// terminal's challenge, no PIN asked (docs/card-facts.md §1.5).
func (a *application) internalAuthenticate(c iso7816.Command) ([]byte, error) {
	if c.P1 != 0 {
		return nil, iso7816.SWWrongParameters
	}
	f, err := a.referenced(c.P2)
	if err != nil {
		return nil, err
	}
	if f.structure != keyFile || !f.internal {
		return nil, iso7816.SWIncompatibleFile
	}
	if len(c.Data) == 0 || c.Ne == 0 {
		return nil, iso7816.SWWrongLength
	}
	return sign(f.key(), signDocument, c.Data, c.Ne)
}

// sign applies a variant. RSA answers 256 octets whatever was asked beyond; P-256 (scheme
// badge) takes a SHA-256 value, as DigestInfo or bare, and answers the DER of an
// ECDSA-Sig-Value.
func sign(key crypto.Signer, v variant, input []byte, ne int) ([]byte, error) {
	if key == nil {
		return nil, iso7816.SWConditions
	}
	switch key.Public().(type) {
	case *rsa.PublicKey:
		if ne < signatureOctets {
			return nil, iso7816.StatusWord(0x6C00) // Le of exactly 256 is right
		}
		return signRSA(key, v, input)
	case *ecdsa.PublicKey:
		return signECDSA(key, v, input)
	}
	return nil, iso7816.SWConditions
}

func signRSA(key crypto.Signer, v variant, input []byte) ([]byte, error) {
	digest := sha256.Sum256(input)
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	switch v {
	case signVerbatim:
		if len(input) > maxVerbatim {
			return nil, iso7816.SWConditions
		}
		return finish(key.Sign(rand.Reader, input, crypto.Hash(0)))
	case signBareHash:
		return finish(key.Sign(rand.Reader, digest[:], crypto.Hash(0)))
	case signDocument:
		return finish(key.Sign(rand.Reader, digest[:], crypto.SHA256))
	case signInputPSS:
		return finish(key.Sign(rand.Reader, digest[:], pss))
	}
	if len(input) != sha256.Size {
		return nil, iso7816.SWConditions
	}
	if v == signHash {
		return finish(key.Sign(rand.Reader, input, crypto.SHA256))
	}
	return finish(key.Sign(rand.Reader, input, pss))
}

func signECDSA(key crypto.Signer, v variant, input []byte) ([]byte, error) {
	var digest [sha256.Size]byte
	switch v {
	case signVerbatim:
		d, ok := jpki.DigestOfInfo(input)
		if !ok {
			return nil, iso7816.SWConditions
		}
		digest = d
	case signHash:
		if len(input) != len(digest) {
			return nil, iso7816.SWConditions
		}
		copy(digest[:], input)
	case signDocument:
		digest = sha256.Sum256(input)
	default:
		return nil, iso7816.SWFunctionUnsupported
	}
	return finish(key.Sign(rand.Reader, digest[:], crypto.SHA256))
}

// finish turns a failing key into a refusal: silicon has no stack trace.
func finish(signature []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, iso7816.SWConditions
	}
	return signature, nil
}
