package chip

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"

	"warifu"
	"warifu/attest"
	"warifu/iso7816"
	"warifu/jpki"
)

// elementApplication is the JPKI application of a phone: the card's application over the
// live slots, and behind it the commands of this house (docs/secure-element.md §4). Its
// contactless view never lets those through.
type elementApplication struct {
	*application
	element   *Element
	internal  bool    // not a reader's
	files     []*file // of both kinds; those of an empty slot are hidden
	challenge []byte  // given out for RESET SECRET, for one use
	proved    bool    // a clean-phone proof was given: a reader may have the chain that goes with it
	// given are the secrets verified since the selection and since anything else was done:
	// what DEVICE REQUEST counts. The status that VERIFY leaves for signing outlasts them.
	given map[*reference]bool
}

func newElementApplication(e *Element, internal bool) *elementApplication {
	a := &elementApplication{element: e, internal: internal, application: newJPKI(jpkiRules{guarded: true, save: e.save}, e.live)}
	a.files = a.application.files
	a.file(jpki.FileToken).content = e.token
	return a
}

// token is EF 0006; the label says which algorithm the live keys have. Every element has the same
// serial number there: any reader may read it, and none shall know a phone again by it.
func (e *Element) token() []byte {
	info := jpki.TokenInfo{
		Label: jpki.LabelPhone, Manufacturer: "00000000000000000000000000000002", Model: "WARIFU-SE", Serial: "0000000000000001",
	}
	if !e.state.Live.all(func(_ warifu.Kind, s *heldSlot) bool { return s.Algorithm != jpki.P256 }) {
		info.Label = jpki.LabelBadge
	}
	return info.Bytes()
}

func (a *elementApplication) enter(again bool) {
	a.challenge, a.proved, a.given = nil, false, nil
	a.application.enter(again)
}

func (a *elementApplication) leave() {
	a.challenge, a.proved, a.given = nil, false, nil
	a.application.leave()
}

// ownCommands are the instructions of class 80 that only a phone's application has.
var ownCommands = map[byte]func(*elementApplication, iso7816.Command) ([]byte, error){
	jpki.InsGenerate:      (*elementApplication).generate,
	jpki.InsAttest:        (*elementApplication).attest,
	jpki.InsChain:         (*elementApplication).chain,
	jpki.InsSetSecret:     (*elementApplication).setSecret,
	jpki.InsSecretsSet:    (*elementApplication).secretsSet,
	jpki.InsAbandon:       (*elementApplication).abandon,
	jpki.InsResetSecret:   (*elementApplication).resetSecret,
	jpki.InsSlots:         (*elementApplication).slots,
	jpki.InsDeviceRequest: (*elementApplication).deviceRequest,
	jpki.InsKill:          (*elementApplication).kill,
	jpki.InsCleanProof:    (*elementApplication).cleanProof,
	jpki.InsNextTicketKey: (*elementApplication).nextTicketKey,
}

// process implements instance.
func (a *elementApplication) process(c iso7816.Command) ([]byte, error) {
	if !a.element.state.available() { // locked or deleted over another channel
		return nil, iso7816.SWConditions
	}
	if handle, ok := ownCommands[c.INS]; ok && c.CLA == 0x80 {
		if c.INS != jpki.InsDeviceRequest {
			a.given = nil
		}
		return handle(a, c)
	}
	a.hideEmpty()
	data, err := a.application.process(c)
	a.count(c, err)
	if c.INS == insGetChallenge && err == nil && len(data) == jpki.ResetChallengeLength {
		a.challenge = bytes.Clone(data)
	}
	return data, err
}

// count keeps account of what was given for a DEVICE REQUEST: a secret verified for
// something else, and be it the command before, is none (K10). A VERIFY that found no secret
// to compare with says nothing about any other.
func (a *elementApplication) count(c iso7816.Command, failed error) {
	switch {
	case c.INS == insSelect, c.INS == insVerify && errors.Is(failed, iso7816.SWFileNotFound):
	case c.INS != insVerify:
		a.given = nil
	case len(c.Data) > 0 && a.current != nil:
		if a.given == nil {
			a.given = map[*reference]bool{}
		}
		a.given[a.current.secret] = failed == nil
	}
}

// hideEmpty leaves out the files of a kind that has no live slot: there is nothing to read,
// verify or sign with, and "not found" says so better than "blocked".
func (a *elementApplication) hideEmpty() {
	a.application.files = a.application.files[:0:0]
	for _, f := range a.files {
		if kind, ok := kindOfFile(f.id); !ok || a.element.state.Live.of(kind) != nil {
			a.application.files = append(a.application.files, f)
		}
	}
}

func kindOfFile(id jpki.FileID) (warifu.Kind, bool) {
	for _, kind := range warifu.Kinds {
		switch id {
		case jpki.CertificateFile(kind), jpki.CAFile(kind), jpki.KeyFile(kind), jpki.SecretFile(kind):
			return kind, true
		}
	}
	return 0, false
}

// generate makes a key pair in the shadow slot of the kind P2 names, disabled. Whatever
// that slot held is destroyed; the live slots are not touched.
func (a *elementApplication) generate(c iso7816.Command) ([]byte, error) {
	kind, algorithm := warifu.Kind(c.P2), jpki.Algorithm(c.P1)
	if !kind.Valid() || algorithm > jpki.P256 {
		return nil, iso7816.SWWrongParameters
	}
	if len(c.Data) != 0 {
		return nil, iso7816.SWWrongLength
	}
	key, err := a.element.makeKey(algorithm)
	if err != nil {
		return nil, iso7816.SWConditions
	}
	held, err := newHeldSlot(algorithm, key)
	if err != nil {
		return nil, iso7816.SWConditions
	}
	err = a.element.change(func(s *elementState) error {
		s.Shadow.set(kind, held)
		return nil
	})
	return held.PublicKey, err
}

func (e *Element) makeKey(a jpki.Algorithm) (crypto.Signer, error) {
	if e.personality.Keys != nil {
		return e.personality.Keys(a)
	}
	if a == jpki.P256 {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

// attest answers the attestation over the shadow keys and the server's challenge.
func (a *elementApplication) attest(c iso7816.Command) ([]byte, error) {
	if c.P1 != 0 || c.P2 != 0 {
		return nil, iso7816.SWWrongParameters
	}
	if len(c.Data) != attest.ChallengeLength {
		return nil, iso7816.SWWrongLength
	}
	e := a.element
	if e.state.Shadow.empty() {
		return nil, iso7816.SWConditions
	}
	out := attest.Attestation{
		Element: e.ID(), Model: e.Model(), Identifiers: e.personality.Identifiers, Challenge: c.Data, Counter: e.state.Counter,
	}
	e.state.Shadow.all(func(kind warifu.Kind, s *heldSlot) bool {
		out.Keys = append(out.Keys, attest.Key{Kind: kind, PublicKey: s.PublicKey})
		return true
	})
	return finish(out.Seal(e.attestation))
}

// chain answers the certificates of the attestation key, one after the other. They name the
// chip, so a reader gets them only behind a proof, which names it already.
func (a *elementApplication) chain(iso7816.Command) ([]byte, error) {
	if !a.internal && !a.proved {
		return nil, iso7816.SWConditions
	}
	return bytes.Join(a.element.personality.Chain, nil), nil
}

// setSecret gives the shadow key of a kind its activation secret; it may be repeated.
func (a *elementApplication) setSecret(c iso7816.Command) ([]byte, error) {
	kind := warifu.Kind(c.P2)
	if !kind.Valid() || c.P1 != 0 {
		return nil, iso7816.SWWrongParameters
	}
	rule := jpki.RuleOf(kind)
	if !rule.Allows(c.Data) {
		return nil, iso7816.SWWrongData
	}
	return nil, a.element.change(func(s *elementState) error {
		held := s.Shadow.of(kind)
		if held == nil {
			return iso7816.SWConditions
		}
		held.Secret = fresh(rule, c.Data)
		return nil
	})
}

// secretsSet answers the chip's word that every shadow key has its secret.
func (a *elementApplication) secretsSet(c iso7816.Command) ([]byte, error) {
	e := a.element
	out := attest.SecretsSet{Element: e.ID()}
	if len(c.Data) != len(out.Document) {
		return nil, iso7816.SWWrongLength
	}
	copy(out.Document[:], c.Data)
	ready := e.state.Shadow.all(func(kind warifu.Kind, s *heldSlot) bool {
		out.Kinds = append(out.Kinds, kind)
		return s.secretSet()
	})
	if !ready || len(out.Kinds) == 0 {
		return nil, iso7816.SWConditions
	}
	return finish(out.Seal(e.attestation))
}

// abandon destroys what the shadow slots hold.
func (a *elementApplication) abandon(iso7816.Command) ([]byte, error) {
	if a.element.state.Shadow.empty() {
		return nil, nil
	}
	return nil, a.element.change(func(s *elementState) error {
		s.Shadow = heldSlots{}
		return nil
	})
}

func (a *elementApplication) slots(iso7816.Command) ([]byte, error) {
	s, id := a.element.state, a.element.ID()
	return append(s.describe(id, false).Bytes(), s.describe(id, true).Bytes()...), nil
}

// deviceRequest signs a request in the chip's own name, and says in it which live secrets
// were given for it: the app cannot say so itself. It uses them up, for signing too.
func (a *elementApplication) deviceRequest(c iso7816.Command) ([]byte, error) {
	fields, err := iso7816.ParseTLVs(c.Data)
	if err != nil {
		return nil, iso7816.SWWrongData
	}
	purpose, _ := iso7816.FindTLV(fields, jpki.TagPurpose)
	subject, _ := iso7816.FindTLV(fields, jpki.TagSubject)
	nonce, _ := iso7816.FindTLV(fields, jpki.TagNonce)
	if len(fields) != 3 || len(purpose) == 0 || len(purpose) > 32 || len(subject) == 0 || len(subject) > 128 || len(nonce) != attest.ChallengeLength {
		return nil, iso7816.SWWrongData
	}
	e := a.element
	return finish(attest.DeviceRequest{
		Element: e.ID(), Purpose: string(purpose), Subject: string(subject), Nonce: nonce, Verified: a.useGiven(),
	}.Seal(e.attestation))
}

// useGiven lists the kinds whose live secret was given for a request, and ends what was
// verified on this channel.
func (a *elementApplication) useGiven() []warifu.Kind {
	var out []warifu.Kind
	a.element.state.Live.all(func(kind warifu.Kind, _ *heldSlot) bool {
		if secret := a.element.live[kind].secret; a.given[secret] && a.isVerified(secret) {
			out = append(out, kind)
		}
		return true
	})
	a.given = nil
	a.forget()
	return out
}

// resetSecret sets a live secret anew on the parent card's signature over the chip's own
// challenge, checked with the key that was pinned at personalization (K14). The challenge is
// spent by the try, whatever its outcome.
func (a *elementApplication) resetSecret(c iso7816.Command) ([]byte, error) {
	kind := warifu.Kind(c.P2)
	if !kind.Valid() || c.P1 != 0 {
		return nil, iso7816.SWWrongParameters
	}
	challenge := a.challenge
	a.challenge = nil
	held := a.element.state.Live.of(kind)
	if held == nil || challenge == nil {
		return nil, iso7816.SWConditions
	}
	fields, err := iso7816.ParseTLVs(c.Data)
	signature, _ := iso7816.FindTLV(fields, jpki.TagSignature)
	secret, _ := iso7816.FindTLV(fields, jpki.TagSecret)
	if err != nil || len(fields) != 2 || !jpki.RuleOf(kind).Allows(secret) {
		return nil, iso7816.SWWrongData
	}
	digest := sha256.Sum256(jpki.ResetMessage(a.element.ID(), kind, challenge))
	if !signedBy(held.Parent, digest, signature) {
		return nil, iso7816.SWSecurityStatus
	}
	return nil, a.element.change(func(s *elementState) error {
		s.Live.of(kind).Secret = fresh(jpki.RuleOf(kind), secret)
		return nil
	})
}

// signedBy checks a card's signature with its pinned key: RSASSA-PKCS1-v1_5, or ECDSA in
// its ASN.1 form.
func signedBy(spki []byte, digest [sha256.Size]byte, signature []byte) bool {
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return false
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest[:], signature)
	}
	return false
}
