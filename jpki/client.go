package jpki

import (
	"context"
	"errors"
	"strconv"

	"warifu"
	"warifu/iso7816"
)

// Token is the JPKI application of a chip that answers, card or phone: selected, and
// known by the label of EF 0006. It is for one caller at a time and is worth nothing
// once something else is selected on the same Transmitter.
type Token struct {
	chip  iso7816.Transmitter
	label string
}

// labelLength is how much of EF 0006 says who answers.
const labelLength = 32

// Select selects the JPKI application and reads the label. Errors: "jpki-absent" where the
// chip has none, "chip-removed", "chip-refused".
func Select(ctx context.Context, t iso7816.Transmitter) (*Token, error) {
	_, err := iso7816.Send(ctx, t, iso7816.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: AID})
	if errors.Is(err, iso7816.SWFileNotFound) {
		return nil, warifu.NotFound("jpki-absent").With(err)
	}
	if err != nil {
		return nil, chipProblem(err)
	}
	k := &Token{chip: t}
	if err := k.selectFile(ctx, FileToken); err != nil {
		return nil, err
	}
	label, err := iso7816.Send(ctx, t, iso7816.Command{INS: 0xB0, Ne: labelLength})
	if err != nil {
		return nil, chipProblem(err)
	}
	k.label = trimPadding(label)
	return k, nil
}

// Label is the label of EF 0006, without its padding.
func (k *Token) Label() string { return k.label }

// IsPhone reports whether a phone's secure element answers rather than a card (R28: the
// two have secrets of their own, and nobody may mix them up).
func (k *Token) IsPhone() bool { return isPhone(k.label) }

// Transmitter is the chip behind the token.
func (k *Token) Transmitter() iso7816.Transmitter { return k.chip }

// Element is the phone's application behind the token, in the same selection: a secret that
// the token verifies counts for the DEVICE REQUEST that comes next, and for no later one.
func (k *Token) Element() *Element { return &Element{k.chip} }

// Certificate reads a kind's certificate, DER. The signature certificate needs its
// password verified before, on the phone the authentication certificate its PIN.
// Errors: "certificate-absent", "card-pin-needed" or "secret-needed".
func (k *Token) Certificate(ctx context.Context, kind warifu.Kind) ([]byte, error) {
	return k.readCertificate(ctx, CertificateFile(kind))
}

// CACertificate reads the certificate of the authority that issued a kind's
// certificate, DER. It needs no secret.
func (k *Token) CACertificate(ctx context.Context, kind warifu.Kind) ([]byte, error) {
	return k.readCertificate(ctx, CAFile(kind))
}

// VerifyCard gives the card's own password or PIN to a card. A wrong one costs one of
// the tries: "card-pin-wrong" with the tries "left", or "card-pin-blocked". A phone is
// refused before anything is sent ("not-a-card").
func (k *Token) VerifyCard(ctx context.Context, kind warifu.Kind, pin warifu.CardPIN) error {
	if k.IsPhone() {
		return warifu.Refused("not-a-card")
	}
	return k.verify(ctx, kind, pin.Reveal())
}

// VerifyPhone gives the phone's own secret to a phone: "secret-wrong" with "left",
// "secret-blocked"; a card is refused before anything is sent ("not-a-phone").
func (k *Token) VerifyPhone(ctx context.Context, kind warifu.Kind, secret warifu.ActivationSecret) error {
	if !k.IsPhone() {
		return warifu.Refused("not-a-phone")
	}
	return k.verify(ctx, kind, secret.Reveal())
}

// TriesLeft asks how many wrong attempts a kind's secret still allows; 0 is blocked. It
// costs none.
func (k *Token) TriesLeft(ctx context.Context, kind warifu.Kind) (int, error) {
	if err := k.selectFile(ctx, SecretFile(kind)); err != nil {
		return 0, err
	}
	_, err := iso7816.Send(ctx, k.chip, iso7816.Command{INS: 0x20, P2: 0x80})
	var sw iso7816.StatusWord
	if errors.As(err, &sw) {
		if n, ok := sw.Retries(); ok {
			return n, nil
		}
		if blockedStatus(sw) {
			return 0, nil
		}
	}
	if err == nil { // ISO 7816-4 lets a chip answer so for a verified secret
		return RuleOf(kind).Tries, nil
	}
	return 0, chipProblem(err)
}

// Sign has a kind's key sign a DigestInfo; the kind's secret must have been verified.
// RSA-2048 answers 256 octets, P-256 an ECDSA-Sig-Value. Errors: "card-pin-needed" or
// "secret-needed", "key-absent".
func (k *Token) Sign(ctx context.Context, kind warifu.Kind, digestInfo []byte) ([]byte, error) {
	if err := k.selectFile(ctx, KeyFile(kind)); err != nil {
		return nil, err
	}
	signature, err := iso7816.Send(ctx, k.chip, iso7816.Command{
		CLA: 0x80, INS: 0x2A, P2: 0x80, Data: digestInfo, Ne: iso7816.MaxShortNe,
	})
	if err != nil {
		return nil, k.useProblem(err, kind)
	}
	return signature, nil
}

// ChangeCard gives the card a new password or PIN; the present one must have been
// verified. A value of the wrong form is refused here ("card-pin-malformed").
func (k *Token) ChangeCard(ctx context.Context, kind warifu.Kind, pin warifu.CardPIN) error {
	if k.IsPhone() {
		return warifu.Refused("not-a-card")
	}
	if !RuleOf(kind).Allows(pin.Reveal()) {
		return warifu.Invalid("card-pin-malformed", "kind", kind.String())
	}
	return k.change(ctx, kind, pin.Reveal())
}

// ChangePhone gives the phone a new secret; the present one must have been verified. A
// value of the wrong form is refused here ("secret-malformed").
func (k *Token) ChangePhone(ctx context.Context, kind warifu.Kind, secret warifu.ActivationSecret) error {
	if !k.IsPhone() {
		return warifu.Refused("not-a-phone")
	}
	if !RuleOf(kind).Allows(secret.Reveal()) {
		return warifu.Invalid("secret-malformed", "kind", kind.String())
	}
	return k.change(ctx, kind, secret.Reveal())
}

func (k *Token) selectFile(ctx context.Context, id FileID) error {
	_, err := iso7816.Send(ctx, k.chip, iso7816.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{byte(id >> 8), byte(id)}})
	return chipProblem(err)
}

func (k *Token) verify(ctx context.Context, kind warifu.Kind, octets []byte) error {
	if len(octets) == 0 { // an empty VERIFY would ask, not verify
		return k.secretWrong(kind, -1, nil)
	}
	return k.present(ctx, kind, iso7816.Command{INS: 0x20, P2: 0x80, Data: octets})
}

func (k *Token) change(ctx context.Context, kind warifu.Kind, octets []byte) error {
	return k.present(ctx, kind, iso7816.Command{INS: 0x24, P1: 0x01, P2: 0x80, Data: octets})
}

func (k *Token) present(ctx context.Context, kind warifu.Kind, c iso7816.Command) error {
	if err := k.selectFile(ctx, SecretFile(kind)); err != nil {
		return err
	}
	_, err := iso7816.Send(ctx, k.chip, c)
	var sw iso7816.StatusWord
	if errors.As(err, &sw) {
		if left, ok := sw.Retries(); ok {
			return k.secretWrong(kind, left, sw)
		}
		if blockedStatus(sw) {
			return k.secretWrong(kind, 0, sw)
		}
	}
	return k.useProblem(err, kind)
}

// The largest certificate that is read, and the DER header that every one begins
// with: clients count on the two-octet length (docs/card-facts.md §1.9).
const (
	maxCertificate    = 8192
	certificateHeader = 4
)

// readCertificate reads the header for the length, then the rest in short pieces.
func (k *Token) readCertificate(ctx context.Context, id FileID) ([]byte, error) {
	kind := warifu.Authentication
	if id == FileSignatureCertificate || id == FileSignatureCA {
		kind = warifu.Signature
	}
	if err := k.selectFile(ctx, id); err != nil {
		return nil, err
	}
	absent := warifu.NotFound("certificate-absent", "kind", kind.String())
	out, err := k.readBinary(ctx, 0, certificateHeader)
	if errors.Is(err, iso7816.SWWrongOffset) || (err == nil && len(out) == 0) {
		return nil, absent.With(err)
	}
	if err != nil {
		return nil, k.useProblem(err, kind)
	}
	if len(out) != certificateHeader || out[0] != 0x30 || out[1] != 0x82 {
		return nil, absent
	}
	total := certificateHeader + (int(out[2])<<8 | int(out[3]))
	if total > maxCertificate {
		return nil, warifu.TooLarge("certificate-too-large", "octets", strconv.Itoa(total))
	}
	for len(out) < total {
		piece, err := k.readBinary(ctx, len(out), min(total-len(out), iso7816.MaxShortNe))
		if err != nil {
			return nil, k.useProblem(err, kind)
		}
		if len(piece) == 0 || len(out)+len(piece) > total {
			return nil, absent
		}
		out = append(out, piece...)
	}
	return out, nil
}

func (k *Token) readBinary(ctx context.Context, offset, ne int) ([]byte, error) {
	return iso7816.Send(ctx, k.chip, iso7816.Command{INS: 0xB0, P1: byte(offset >> 8), P2: byte(offset), Ne: ne})
}
