package chip

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"warifu"
	"warifu/jpki"
)

// DefaultATR is what a contactless reader makes of a real card of type B
// (docs/card-facts.md §1.3).
var DefaultATR = []byte{0x3B, 0x88, 0x80, 0x01, 0x00, 0x00, 0x05, 0xE0, 0xB3, 0x81, 0xA1, 0x00, 0x7F}

// CardPersonality is everything that makes a card that card, as data: JSON with octets
// in base64. It holds PINs, keys and attributes of a made-up person, so no formatter
// and no logger shows it.
type CardPersonality struct {
	ATR            []byte         `json:"atr,omitempty"` // DefaultATR where empty
	Holder         Holder         `json:"holder"`
	TokenSerial    string         `json:"tokenSerial"` // at most 16 octets, EF 0006
	Signature      CardCredential `json:"signature"`   // empty but for Authority: not issued (a child)
	Authentication CardCredential `json:"authentication"`
	SupportPIN     string         `json:"supportPIN"`  // 入力補助, four digits
	CommonPIN      string         `json:"commonPIN"`   // 共通, four digits
	ResidentPIN    string         `json:"residentPIN"` // 住基, four digits

	// The keys of 入力補助, 確認 and 共通, PKCS#8, RSA-2048; a missing one refuses to sign.
	// Real cards have one each, a sandbox may use one for all three.
	SupportKey []byte `json:"supportKey,omitempty"`
	SurfaceKey []byte `json:"surfaceKey,omitempty"`
	CommonKey  []byte `json:"commonKey,omitempty"`
	Support    Files  `json:"support"` // of BuildFaces
	Surface    Files  `json:"surface"` // of BuildFaces

	Data              map[string][]byte `json:"data,omitempty"`              // GET DATA by tag in four hexadecimal digits, beside what Holder says
	TerminalAuthority []byte            `json:"terminalAuthority,omitempty"` // SubjectPublicKeyInfo of the terminals' CA
}

// CardCredential is one kind's part of a card.
type CardCredential struct {
	Certificate []byte `json:"certificate,omitempty"` // DER
	Authority   []byte `json:"authority"`             // DER of the CA's certificate
	Key         []byte `json:"key,omitempty"`         // PKCS#8, RSA-2048
	Secret      string `json:"secret,omitempty"`      // password or PIN as handed over
}

const hiddenPersonality = "[card personality]"

// Format implements fmt.Formatter: nothing of it is shown.
func (p CardPersonality) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenPersonality) }

// LogValue implements slog.LogValuer.
func (p CardPersonality) LogValue() slog.Value { return slog.StringValue(hiddenPersonality) }

// Format implements fmt.Formatter: nothing of it is shown.
func (c CardCredential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenPersonality) }

// Format implements fmt.Formatter: nothing of it is shown.
func (h Holder) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenPersonality) }

// Check refuses what no card could be: "personality-invalid" names the field,
// "my-number-refused" a number that could be somebody's.
func (p CardPersonality) Check() error {
	if err := p.Holder.check(); err != nil {
		return err
	}
	if len(p.TokenSerial) == 0 || len(p.TokenSerial) > 16 {
		return warifu.Invalid("personality-invalid", "field", "tokenSerial")
	}
	secrets := []struct {
		name, value string
		rule        jpki.SecretRule
		optional    bool
	}{
		{"signature.secret", p.Signature.Secret, jpki.SignatureRule, len(p.Signature.Key) == 0},
		{"authentication.secret", p.Authentication.Secret, jpki.AuthenticationRule, len(p.Authentication.Key) == 0},
		{"supportPIN", p.SupportPIN, fourDigits, false},
		{"commonPIN", p.CommonPIN, fourDigits, false},
		{"residentPIN", p.ResidentPIN, fourDigits, false},
	}
	for _, s := range secrets {
		if (s.value != "" || !s.optional) && !s.rule.Allows([]byte(s.value)) {
			return warifu.Invalid("personality-invalid", "field", s.name)
		}
	}
	if err := p.Support.check("support", supportFiles); err != nil {
		return err
	}
	if err := p.Surface.check("surface", surfaceFiles); err != nil {
		return err
	}
	for tag := range p.Data {
		if n, err := strconv.ParseUint(tag, 16, 16); err != nil || fmt.Sprintf("%04X", n) != tag {
			return warifu.Invalid("personality-invalid", "field", "data")
		}
	}
	return nil
}

// parseKey reads PKCS#8 with an RSA key of 2048 bits, as every real card has; nothing is
// no key.
func parseKey(field string, der []byte) (crypto.Signer, error) {
	if len(der) == 0 {
		return nil, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, warifu.Invalid("personality-invalid", "field", field).With(err)
	}
	k, ok := key.(*rsa.PrivateKey)
	if !ok || k.N.BitLen() != 2048 {
		return nil, warifu.Invalid("personality-invalid", "field", field)
	}
	return k, nil
}

// parseTerminalAuthority reads a SubjectPublicKeyInfo; nothing is no terminal.
func parseTerminalAuthority(der []byte) (*rsa.PublicKey, error) {
	if len(der) == 0 {
		return nil, nil
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, warifu.Invalid("personality-invalid", "field", "terminalAuthority").With(err)
	}
	k, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, warifu.Invalid("personality-invalid", "field", "terminalAuthority")
	}
	return k, nil
}
