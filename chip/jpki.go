package chip

import (
	"crypto"

	"warifu"
	"warifu/jpki"
)

// slot is what one kind occupies in a JPKI application: the certificate, its CA's, the
// key and the secret that guards it. The card's slots are filled at the town hall; the
// phone's change while the chip lives, so everything here is read at each command.
type slot struct {
	certificate []byte        // DER; empty where there is none
	authority   []byte        // DER of the CA's certificate
	key         crypto.Signer // nil where there is none, or none that may sign yet
	secret      *reference
}

// slots are a JPKI application's two.
type slots map[warifu.Kind]*slot

// jpkiRules is in what the card's application and the phone's differ.
type jpkiRules struct {
	token jpki.TokenInfo
	// guarded says that reading the authentication certificate needs its PIN: on the
	// phone, not on the card (docs/card-facts.md §1.4).
	guarded   bool
	terminals *terminalGate
	save      func() error
}

// newJPKI makes a view of the JPKI application over its slots. Two views of the same
// slots (a phone's internal and contactless interfaces) share keys and counters and
// have a security status each.
func newJPKI(rules jpkiRules, s slots) *application {
	signature, authentication := s[warifu.Signature], s[warifu.Authentication]
	a := &application{name: jpki.AID, change: insChangeReference, terminals: rules.terminals, save: rules.save}
	var readers []*reference
	if rules.guarded {
		readers = []*reference{authentication.secret}
	}
	never := []*reference{sealed()}
	a.files = []*file{
		{id: jpki.FileSignatureCertificate, content: func() []byte { return signature.certificate }, guards: []*reference{signature.secret}},
		{id: jpki.FileSignatureCA, content: func() []byte { return signature.authority }},
		{id: 0x0005, content: fixed(nil), guards: never},
		{id: jpki.FileToken, content: fixed(rules.token.Bytes())},
		{id: jpki.FilePresence, content: func() []byte { return presence(signature, authentication) }},
		{id: 0x0009, content: fixed(nil), guards: never},
		{id: jpki.FileAuthenticationCertificate, content: func() []byte { return authentication.certificate }, guards: readers},
		{id: jpki.FileAuthenticationCA, content: func() []byte { return authentication.authority }},
		{id: 0x0010, content: fixed(nil), guards: never},
		{id: jpki.FileTerminalCA, content: fixed(nil), guards: never},
		keyOf(jpki.FileAuthenticationKey, authentication),
		{id: jpki.FileAuthenticationPIN, structure: secretFile, secret: authentication.secret},
		{id: 0x0019, content: fixed(nil), guards: never},
		keyOf(jpki.FileSignatureKey, signature),
		{id: jpki.FileSignaturePassword, structure: secretFile, secret: signature.secret},
		{id: 0x001C, content: fixed(nil), guards: never},
		{id: 0x001E, content: fixed(nil), guards: never},
	}
	return a
}

func keyOf(id jpki.FileID, s *slot) *file {
	return &file{id: id, structure: keyFile, key: func() crypto.Signer { return s.key }, guards: []*reference{s.secret}}
}

// presence is EF 0008: 8F for a certificate that is there (docs/card-facts.md §1.4).
func presence(signature, authentication *slot) []byte {
	out := make([]byte, 3)
	for i, s := range []*slot{signature, authentication} {
		if len(s.certificate) > 0 {
			out[i] = 0x8F
		}
	}
	return out
}
