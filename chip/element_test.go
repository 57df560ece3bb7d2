package chip_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

var elementKinds = []warifu.Kind{warifu.Signature, warifu.Authentication}

// ready is a phone with both certificates live.
func ready(t testing.TB, a jpki.Algorithm) *elementtest.Phone {
	t.Helper()
	p := elementtest.New(t, nil)
	p.Personalize(t, p.Work(t, p.Apply(t, a, elementKinds...)))
	return p
}

// selected selects the application and returns the channel.
func selectPhone(t testing.TB, tr iso7816.Transmitter) *jpki.Token {
	t.Helper()
	token, err := jpki.Select(t.Context(), tr)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func transmit(t testing.TB, tr iso7816.Transmitter, c iso7816.Command) iso7816.Response {
	t.Helper()
	raw, err := c.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	out, err := tr.Transmit(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	r, err := iso7816.ParseResponse(out)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func expectProblem(t testing.TB, err error, problem string) {
	t.Helper()
	if !errors.Is(err, &warifu.Error{Problem: problem}) {
		t.Fatalf("got %v, want %s", err, problem)
	}
}

func TestAttestationIsTheChipsOwnWordAboutItsKeys(t *testing.T) {
	p := elementtest.New(t, nil)
	keys := p.Apply(t, jpki.P256, elementKinds...)
	client := p.Client(t)
	challenge := bytes.Repeat([]byte{7}, attest.ChallengeLength)
	envelope, err := client.Attest(t.Context(), challenge)
	if err != nil {
		t.Fatal(err)
	}
	a, err := attest.OpenAttestation(envelope, attestationKey(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if a.Element != p.Element.ID() || a.Model != "sample-phone" || !bytes.Equal(a.Challenge, challenge) || a.Counter != 0 || len(a.Keys) != 2 {
		t.Fatalf("%+v", a)
	}
	for _, k := range a.Keys {
		if !bytes.Equal(k.PublicKey, keys[k.Kind]) {
			t.Fatalf("another key of kind %v", k.Kind)
		}
	}
	imei := sha256.Sum256(append(bytes.Clone(a.Identifiers[0].Salt), "490154203237518"...))
	if a.Identifiers[0].Name != "imei" || !bytes.Equal(a.Identifiers[0].Digest, imei[:]) {
		t.Fatalf("identifier %+v", a.Identifiers[0])
	}
}

// attestationKey asks the chip for its chain and believes it as far as the maker's root goes.
func attestationKey(t testing.TB, p *elementtest.Phone) *ecdsa.PublicKey {
	t.Helper()
	chain, err := p.Client(t).Chain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, id, err := attest.VerifyChain(chain, p.Anchors(t), elementtest.At)
	if err != nil || id != p.Element.ID() {
		t.Fatal(id, err)
	}
	return key
}

func TestEveryFlippedByteOfAPaperIsRefused(t *testing.T) {
	p := ready(t, jpki.P256)
	key := attestationKey(t, p)
	keys := p.Apply(t, jpki.P256, elementKinds...)
	client := p.Client(t)
	attestation, err := client.Attest(t.Context(), make([]byte, attest.ChallengeLength))
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := client.SecretsSet(t.Context(), warifu.DigestOf([]byte("document")))
	if err != nil {
		t.Fatal(err)
	}
	request, err := client.DeviceRequest(t.Context(), "withdraw", "an application", make([]byte, attest.ChallengeLength))
	if err != nil {
		t.Fatal(err)
	}
	receipt := p.Personalize(t, p.Work(t, keys))
	for name, paper := range map[string]struct {
		der  []byte
		open func([]byte) error
	}{
		"attestation": {attestation, func(b []byte) error { _, err := attest.OpenAttestation(b, key); return err }},
		"secrets set": {secrets, func(b []byte) error { _, err := attest.OpenSecretsSet(b, key); return err }},
		"request":     {request, func(b []byte) error { _, err := attest.OpenDeviceRequest(b, key); return err }},
		"receipt":     {receipt, func(b []byte) error { _, err := attest.OpenReceipt(b, key); return err }},
	} {
		if err := paper.open(paper.der); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range paper.der {
			for bit := range 8 {
				flipped := bytes.Clone(paper.der)
				flipped[i] ^= 1 << bit
				if paper.open(flipped) == nil {
					t.Fatalf("%s: octet %d, bit %d: believed", name, i, bit)
				}
			}
		}
		for n := range paper.der {
			if paper.open(paper.der[:n]) == nil {
				t.Fatalf("%s: cut to %d octets: believed", name, n)
			}
		}
	}
}

func TestEveryFlippedByteOfTheChainIsRefused(t *testing.T) {
	p := elementtest.New(t, nil)
	chain, err := p.Client(t).Chain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n, der := range chain {
		for i := range der {
			flipped := append([][]byte(nil), chain...)
			flipped[n] = bytes.Clone(der)
			flipped[n][i] ^= 0x04
			if _, _, err := attest.VerifyChain(flipped, p.Anchors(t), elementtest.At); err == nil {
				t.Fatalf("certificate %d, octet %d: believed", n, i)
			}
		}
	}
	other, err := chip.NewMaker("Another", elementtest.At)
	if err != nil {
		t.Fatal(err)
	}
	q := *p
	q.Maker = other
	if _, _, err := attest.VerifyChain(chain, q.Anchors(t), elementtest.At); err == nil {
		t.Fatal("another maker's root was enough")
	}
}

func TestShadowKeysNeitherSignNorVerifyNorShow(t *testing.T) {
	p := elementtest.New(t, nil)
	p.Apply(t, jpki.P256, elementKinds...)
	app := p.App()
	token := selectPhone(t, app)
	for _, kind := range elementKinds {
		for _, file := range []jpki.FileID{jpki.CertificateFile(kind), jpki.CAFile(kind), jpki.KeyFile(kind), jpki.SecretFile(kind)} {
			r := transmit(t, app, iso7816.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{byte(file >> 8), byte(file)}})
			if r.SW != iso7816.SWFileNotFound {
				t.Errorf("%04X: %v", file, r.SW)
			}
			if r := transmit(t, app, iso7816.Command{CLA: 0x80, INS: 0x2A, P2: 0x80 | file.Short(), Data: []byte("x"), Ne: 256}); r.SW == iso7816.SWOK {
				t.Errorf("%04X signed", file)
			}
		}
	}
	if !token.IsPhone() {
		t.Error("not known as a phone")
	}
}

func TestLiveKeysSignOnceTheirSecretIsGiven(t *testing.T) {
	for _, a := range []jpki.Algorithm{jpki.RSA2048, jpki.P256} {
		t.Run(a.String(), func(t *testing.T) {
			p := ready(t, a)
			for _, tr := range []iso7816.Transmitter{p.App(), p.Element.Contactless()} {
				expectSigns(t, tr, a)
			}
		})
	}
}

func expectSigns(t *testing.T, tr iso7816.Transmitter, a jpki.Algorithm) {
	t.Helper()
	token := selectPhone(t, tr)
	if want := map[jpki.Algorithm]string{jpki.RSA2048: jpki.LabelPhone, jpki.P256: jpki.LabelBadge}[a]; token.Label() != want {
		t.Fatalf("label %q, want %q", token.Label(), want)
	}
	digest := sha256.Sum256([]byte("a document"))
	for _, kind := range elementKinds {
		_, err := token.Sign(t.Context(), kind, jpki.DigestInfoSHA256(digest))
		expectProblem(t, err, "secret-needed")
		_, err = token.Certificate(t.Context(), kind) // the authentication certificate too (docs/card-facts.md §4)
		expectProblem(t, err, "secret-needed")
		if err := token.VerifyPhone(t.Context(), kind, warifu.NewActivationSecret(elementtest.SecretOf(kind))); err != nil {
			t.Fatal(err)
		}
		der, err := token.Certificate(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := token.Sign(t.Context(), kind, jpki.DigestInfoSHA256(digest))
		if err != nil {
			t.Fatal(err)
		}
		expectSignature(t, der, digest, signature)
		if _, err := token.CACertificate(t.Context(), kind); err != nil {
			t.Fatal(err)
		}
	}
}

func expectSignature(t *testing.T, der []byte, digest [32]byte, signature []byte) {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	good := false
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(key, digest[:], signature)
	}
	if !good {
		t.Fatal("the signature does not fit the certificate")
	}
}

func TestTriesAreCountedAcrossInterfacesAndPowerCuts(t *testing.T) {
	p := ready(t, jpki.P256)
	wrong := warifu.NewActivationSecret([]byte("0000"))
	expectProblem(t, selectPhone(t, p.App()).VerifyPhone(t.Context(), warifu.Authentication, wrong), "secret-wrong")
	if err := p.Element.Reset(); err != nil {
		t.Fatal(err)
	}
	expectProblem(t, selectPhone(t, p.Element.Contactless()).VerifyPhone(t.Context(), warifu.Authentication, wrong), "secret-wrong")
	restarted, err := chip.NewElement(p.Personality, p.Memory)
	if err != nil {
		t.Fatal(err)
	}
	token := selectPhone(t, restarted.Internal(elementtest.App))
	if left, err := token.TriesLeft(t.Context(), warifu.Authentication); err != nil || left != 1 {
		t.Fatal(left, err)
	}
	expectProblem(t, token.VerifyPhone(t.Context(), warifu.Authentication, wrong), "secret-blocked")
	right := warifu.NewActivationSecret(elementtest.PIN)
	expectProblem(t, token.VerifyPhone(t.Context(), warifu.Authentication, right), "secret-blocked")
	if left, err := token.TriesLeft(t.Context(), warifu.Signature); err != nil || left != 5 {
		t.Fatal("the other secret's tries:", left, err)
	}
}

func TestASecretIsChangedByWhoKnowsIt(t *testing.T) {
	p := ready(t, jpki.P256)
	token := selectPhone(t, p.App())
	next := warifu.NewActivationSecret([]byte("4321"))
	expectProblem(t, token.ChangePhone(t.Context(), warifu.Authentication, next), "secret-needed")
	if err := token.VerifyPhone(t.Context(), warifu.Authentication, warifu.NewActivationSecret(elementtest.PIN)); err != nil {
		t.Fatal(err)
	}
	if err := token.ChangePhone(t.Context(), warifu.Authentication, next); err != nil {
		t.Fatal(err)
	}
	if err := p.Element.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := selectPhone(t, p.App()).VerifyPhone(t.Context(), warifu.Authentication, next); err != nil {
		t.Fatal(err)
	}
}

func TestSecretsOfTheWrongFormAreNotTaken(t *testing.T) {
	p := elementtest.New(t, nil)
	p.Apply(t, jpki.P256, elementKinds...)
	client := p.Client(t)
	for kind, secrets := range map[warifu.Kind][]string{
		warifu.Signature:      {"", "ABC12", "abc123", "ABC123ABC123ABC12", "ABC 123"},
		warifu.Authentication: {"", "123", "12345", "12a4", "ABCD"},
	} {
		for _, s := range secrets {
			expectProblem(t, client.SetSecret(t.Context(), kind, warifu.NewActivationSecret([]byte(s))), "secret-format")
		}
	}
}

func TestSecretsSetIsNotSaidBeforeItIsTrue(t *testing.T) {
	p := elementtest.New(t, nil)
	client := p.Client(t)
	document := warifu.DigestOf([]byte("document"))
	_, err := client.SecretsSet(t.Context(), document)
	expectProblem(t, err, "element-state")
	p.Apply(t, jpki.P256, warifu.Signature)
	if _, err := client.Generate(t.Context(), warifu.Authentication, "p-256"); err != nil {
		t.Fatal(err)
	}
	_, err = client.SecretsSet(t.Context(), document)
	expectProblem(t, err, "element-state")
	if err := client.SetSecret(t.Context(), warifu.Authentication, warifu.NewActivationSecret([]byte("1234"))); err != nil {
		t.Fatal(err)
	}
	envelope, err := client.SecretsSet(t.Context(), document)
	if err != nil {
		t.Fatal(err)
	}
	said, err := attest.OpenSecretsSet(envelope, attestationKey(t, p))
	if err != nil || said.Document != document || len(said.Kinds) != 2 || said.Element != p.Element.ID() {
		t.Fatalf("%+v %v", said, err)
	}
}

func TestAFactoryResetTakesNothingAway(t *testing.T) {
	p := ready(t, jpki.P256)
	p.Element.FactoryReset()
	expectSigns(t, p.App(), jpki.P256)
}

func TestNewKeysLeaveTheLiveOnesAlone(t *testing.T) {
	p := ready(t, jpki.P256)
	p.Apply(t, jpki.P256, elementKinds...)
	expectSigns(t, p.App(), jpki.P256)
	if err := p.Client(t).Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	expectSigns(t, p.App(), jpki.P256)
}

func TestTheContactlessInterfaceHasAShortList(t *testing.T) {
	p := ready(t, jpki.P256)
	reader := p.Element.Contactless()
	for _, aid := range [][]byte{
		jpki.AIDIssuerDomain, jpki.AIDDomain, jpki.AIDAccessRules,
		{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08}, {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00}, nil,
	} {
		if r := transmit(t, reader, iso7816.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: aid}); r.SW != iso7816.SWFileNotFound {
			t.Errorf("SELECT %X: %v", aid, r.SW)
		}
	}
	selectPhone(t, reader)
	allowed := map[[2]byte]bool{
		{0x00, 0xA4}: true, {0x00, 0xB0}: true, {0x00, 0x20}: true, {0x80, 0x2A}: true,
		{0x80, jpki.InsKill}: true, {0x80, jpki.InsCleanProof}: true, {0x80, jpki.InsChain}: true,
	}
	for _, cla := range []byte{0x00, 0x80} {
		for ins := range 256 {
			if allowed[[2]byte{cla, byte(ins)}] || ins == 0xC0 {
				continue
			}
			r := transmit(t, reader, iso7816.Command{CLA: cla, INS: byte(ins), P2: 1, Data: make([]byte, 32), Ne: 256})
			if r.SW != iso7816.SWInstructionUnsupported {
				t.Errorf("%02X %02X: %v", cla, ins, r.SW)
			}
		}
	}
}

func TestTheCardsOtherApplicationsAreAbsent(t *testing.T) {
	app := elementtest.New(t, nil).Element.Internal(chip.PlatformCaller)
	for _, last := range []byte{0x02, 0x08, 0x01} {
		aid := []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, last}
		if r := transmit(t, app, iso7816.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: aid}); r.SW != iso7816.SWFileNotFound {
			t.Errorf("%X: %v", aid, r.SW)
		}
	}
}

// parentSigns is the parent card: its signature over what the chip asks for.
func parentSigns(t *testing.T, key crypto.Signer, message []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(message)
	signature, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func TestAForgottenSecretIsResetByTheParentCardAlone(t *testing.T) {
	p := ready(t, jpki.P256)
	token := selectPhone(t, p.App())
	for range 3 {
		_ = token.VerifyPhone(t.Context(), warifu.Authentication, warifu.NewActivationSecret([]byte("0000")))
	}
	next := warifu.NewActivationSecret([]byte("9876"))
	client := p.Client(t)
	other := elementtest.New(t, nil)
	for name, proof := range map[string]func(challenge []byte) []byte{
		"another card": func(c []byte) []byte {
			return parentSigns(t, other.Parent, jpki.ResetMessage(p.Element.ID(), warifu.Authentication, c))
		},
		"another chip": func(c []byte) []byte {
			return parentSigns(t, p.Parent, jpki.ResetMessage(other.Element.ID(), warifu.Authentication, c))
		},
		"another kind": func(c []byte) []byte {
			return parentSigns(t, p.Parent, jpki.ResetMessage(p.Element.ID(), warifu.Signature, c))
		},
		"an older challenge": func([]byte) []byte {
			return parentSigns(t, p.Parent, jpki.ResetMessage(p.Element.ID(), warifu.Authentication, make([]byte, 32)))
		},
		"nothing": func([]byte) []byte { return nil },
	} {
		challenge := resetChallenge(t, client)
		err := client.ResetSecret(t.Context(), warifu.Authentication, proof(challenge), next)
		if !errors.Is(err, &warifu.Error{Problem: "reset-proof-invalid"}) {
			t.Fatalf("%s: %v", name, err)
		}
	}
	challenge := resetChallenge(t, client)
	signature := parentSigns(t, p.Parent, jpki.ResetMessage(p.Element.ID(), warifu.Authentication, challenge))
	if err := client.ResetSecret(t.Context(), warifu.Authentication, signature, next); err != nil {
		t.Fatal(err)
	}
	expectProblem(t, client.ResetSecret(t.Context(), warifu.Authentication, signature, next), "element-state") // spent
	if err := selectPhone(t, p.App()).VerifyPhone(t.Context(), warifu.Authentication, next); err != nil {
		t.Fatal(err)
	}
}

// The card's own key is RSA-2048 (jp-mobile); its signature is PKCS#1 v1.5, as COMPUTE SIGNATURE makes it.
func TestAnRSACardResetsASecret(t *testing.T) {
	p := elementtest.New(t, nil)
	p.Parent = elementtest.RSAKeys()[3]
	p.Personalize(t, p.Work(t, p.Apply(t, jpki.P256, warifu.Signature)))
	client := p.Client(t)
	next := warifu.NewActivationSecret([]byte("NEW456"))
	for _, right := range []bool{false, true} {
		signature := parentSigns(t, p.Parent, jpki.ResetMessage(p.Element.ID(), warifu.Signature, resetChallenge(t, client)))
		if !right {
			signature[0] ^= 1
		}
		if err := client.ResetSecret(t.Context(), warifu.Signature, signature, next); (err == nil) != right {
			t.Fatal(right, err)
		}
	}
	if err := selectPhone(t, p.App()).VerifyPhone(t.Context(), warifu.Signature, next); err != nil {
		t.Fatal(err)
	}
}

func resetChallenge(t *testing.T, client *jpki.Element) []byte {
	t.Helper()
	challenge, err := client.ResetChallenge(t.Context())
	if err != nil || len(challenge) != jpki.ResetChallengeLength {
		t.Fatal(challenge, err)
	}
	return challenge
}

func TestAChipWhoseMemoryFailedIsSilentUntilReset(t *testing.T) {
	memory := &tearing{after: 1 << 30}
	p := elementtest.New(t, memory)
	p.Apply(t, jpki.P256, warifu.Authentication)
	app := p.App()
	selectPhone(t, app)
	memory.after = 0
	if r := transmit(t, app, iso7816.Command{CLA: 0x80, INS: jpki.InsAbandon}); r.SW != 0x6581 {
		t.Fatal(r.SW)
	}
	if _, err := app.Transmit(t.Context(), []byte{0, 0xA4, 4, 0x0C}); !errors.Is(err, iso7816.ErrRemoved) {
		t.Fatal(err)
	}
	if err := p.Element.Reset(); err != nil {
		t.Fatal(err)
	}
	slots, err := p.Client(t).Slots(t.Context())
	if err != nil || len(slots.Shadow.Slots) != 1 {
		t.Fatalf("%+v %v", slots, err)
	}
}

// tearing is a memory that fails from one save on; the first that fails has kept the octets
// nevertheless where keeps says so, as real memories do.
type tearing struct {
	chip.Volatile
	after int
	keeps bool
}

func (m *tearing) Save(state []byte) error {
	if m.after--; m.after >= 0 || m.after == -1 && m.keeps {
		_ = m.Volatile.Save(state)
	}
	if m.after < 0 {
		return errors.New("no power")
	}
	return nil
}

func TestACancelledContextIsNotTransmitted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := elementtest.New(t, nil).App().Transmit(ctx, []byte{0, 0xA4, 4, 0x0C}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
