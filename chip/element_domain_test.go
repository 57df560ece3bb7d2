package chip_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"warifu"
	"warifu/chip"
	"warifu/globalplatform"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

// secured is an open channel with a security domain.
type secured struct {
	host *globalplatform.Host
	tr   iso7816.Transmitter
}

// keysOf makes a domain's octets usable.
func keysOf(t testing.TB, k chip.DomainKeys) globalplatform.StaticKeys {
	t.Helper()
	key := func(octets []byte) globalplatform.Key {
		out, err := globalplatform.NewAESKey(octets)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	return globalplatform.StaticKeys{ENC: key(k.ENC), MAC: key(k.MAC), DEK: key(k.DEK), Bits: 8 * len(k.ENC)}
}

func open(t testing.TB, tr iso7816.Transmitter, aid []byte, keys chip.DomainKeys, level globalplatform.Level) *secured {
	t.Helper()
	if r := transmit(t, tr, globalplatform.Select(aid)); r.SW != iso7816.SWOK {
		t.Fatal(r.SW)
	}
	host, err := globalplatform.NewHost(aid, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	opening, err := globalplatform.ParseOpening(transmit(t, tr, host.InitializeUpdate(0)).Data)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := host.Authenticate(keysOf(t, keys), opening, level)
	if err != nil {
		t.Fatal(err)
	}
	if r := transmit(t, tr, auth); r.SW != iso7816.SWOK {
		t.Fatal(r.SW)
	}
	return &secured{host, tr}
}

func (s *secured) send(t testing.TB, c iso7816.Command) iso7816.Response {
	t.Helper()
	c.Ne = 256
	wrapped, err := s.host.Wrap(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.host.Unwrap(transmit(t, s.tr, wrapped))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *secured) expect(t testing.TB, c iso7816.Command, sw iso7816.StatusWord) []byte {
	t.Helper()
	r := s.send(t, c)
	if r.SW != sw {
		t.Fatalf("%02X: %v, want %v", c.INS, r.SW, sw)
	}
	return r.Data
}

func maker(t testing.TB, p *elementtest.Phone) *secured {
	return open(t, p.Element.Internal(chip.PlatformCaller), jpki.AIDIssuerDomain, p.Personality.IssuerKeys, globalplatform.LevelFull)
}

func server(t testing.TB, p *elementtest.Phone) *secured {
	return open(t, p.App(), jpki.AIDDomain, p.Personality.DomainKeys, globalplatform.LevelResponse)
}

func TestOnlyWhoARuleNamesReachesTheApplication(t *testing.T) {
	p := elementtest.New(t, nil)
	stranger := warifu.DigestOf([]byte("another app"))
	_, err := jpki.SelectElement(t.Context(), p.Element.Internal(stranger))
	expectProblem(t, err, "element-access")
	for _, aid := range [][]byte{jpki.AIDDomain, jpki.AIDAccessRules, jpki.AIDIssuerDomain} {
		if r := transmit(t, p.Element.Internal(stranger), globalplatform.Select(aid)); r.SW != iso7816.SWSecurityStatus {
			t.Errorf("%X: %v", aid, r.SW)
		}
	}
	for _, aid := range [][]byte{jpki.AIDAccessRules, jpki.AIDIssuerDomain} {
		if r := transmit(t, p.App(), globalplatform.Select(aid)); r.SW != iso7816.SWSecurityStatus {
			t.Errorf("the app, %X: %v", aid, r.SW)
		}
	}
}

func TestTheMakerChangesTheAccessRules(t *testing.T) {
	p := elementtest.New(t, nil)
	before, refresh := rules(t, p)
	if n := bytes.Count(before, []byte{0xE2}); n < 2 {
		t.Fatalf("rules %X", before)
	}
	second := warifu.DigestOf([]byte("a second app"))
	m := maker(t, p)
	m.expect(t, globalplatform.InstallPersonalize(jpki.AIDAccessRules), iso7816.SWOK)
	m.expect(t, globalplatform.StoreData(rule(0xF0, jpki.AID, second))[0], iso7816.SWOK)
	if _, err := jpki.SelectElement(t.Context(), p.Element.Internal(second)); err != nil {
		t.Fatal(err)
	}
	after, moved := rules(t, p)
	if !bytes.Contains(after, second[:]) || bytes.Equal(refresh, moved) {
		t.Fatalf("rules %X, refresh tag %X", after, moved)
	}
	m.expect(t, globalplatform.StoreData(rule(0xF1, jpki.AID, second))[0], iso7816.SWOK)
	_, err := jpki.SelectElement(t.Context(), p.Element.Internal(second))
	expectProblem(t, err, "element-access")
	m.expect(t, globalplatform.StoreData([]byte{0xF1, 0})[0], iso7816.SWOK)
	_, err = jpki.SelectElement(t.Context(), p.App())
	expectProblem(t, err, "element-access")
}

func rule(tag iso7816.Tag, aid []byte, caller warifu.Digest) []byte {
	reference := iso7816.MakeTLV(0xE1, iso7816.MakeTLV(0x4F, aid), iso7816.MakeTLV(0xC1, caller[:]))
	return iso7816.MakeTLV(tag, iso7816.MakeTLV(0xE2, reference, iso7816.MakeTLV(0xE3, []byte{0xD0, 1, 1})))
}

// rules reads all rules and the refresh tag as the platform does.
func rules(t *testing.T, p *elementtest.Phone) (all, refresh []byte) {
	t.Helper()
	platform := p.Element.Internal(chip.PlatformCaller)
	transmit(t, platform, globalplatform.Select(jpki.AIDAccessRules))
	r := transmit(t, platform, globalplatform.GetData(0xFF40))
	for all = r.Data; r.SW == iso7816.SWOK; all = append(all, r.Data...) {
		r = transmit(t, platform, globalplatform.GetData(0xFF60))
	}
	value, err := iso7816.ParseTLV(all, 0xFF40)
	if err != nil {
		t.Fatal(err)
	}
	return value, transmit(t, platform, globalplatform.GetData(0xDF20)).Data
}

func TestTheServerCannotDoWhatIsTheMakers(t *testing.T) {
	s := server(t, elementtest.New(t, nil))
	s.expect(t, globalplatform.InstallPersonalize(jpki.AIDAccessRules), iso7816.SWReferenceNotFound)
	s.expect(t, globalplatform.SetStatus(globalplatform.RegistryIssuerDomain, byte(globalplatform.CardTerminated), nil), iso7816.SWSecurityStatus)
	s.expect(t, globalplatform.SetStatus(globalplatform.RegistryApplications, 0x8F, jpki.AIDDomain), iso7816.SWReferenceNotFound)
}

func TestTheMakerCannotPersonalize(t *testing.T) {
	m := maker(t, elementtest.New(t, nil))
	m.expect(t, globalplatform.InstallPersonalize(jpki.AID), iso7816.SWReferenceNotFound)
	m.expect(t, globalplatform.StoreData(jpki.MakeReceipt(warifu.Digest{}))[0], iso7816.SWConditions)
	m.expect(t, globalplatform.GetData(jpki.TagShadowHalf), iso7816.SWReferenceNotFound)
}

func TestAWeakerChannelMayNotPersonalize(t *testing.T) {
	p := elementtest.New(t, nil)
	for _, level := range []globalplatform.Level{globalplatform.LevelMAC, globalplatform.LevelCommand, globalplatform.LevelRMAC} {
		s := open(t, p.App(), jpki.AIDDomain, p.Personality.DomainKeys, level)
		s.expect(t, globalplatform.InstallPersonalize(jpki.AID), iso7816.SWSecurityStatus)
	}
}

func TestABareCommandEndsTheChannel(t *testing.T) {
	s := server(t, elementtest.New(t, nil))
	if r := transmit(t, s.tr, globalplatform.GetData(jpki.TagShadowHalf)); r.SW != iso7816.SWSecurityStatus {
		t.Fatal(r.SW)
	}
	s.expect(t, globalplatform.InstallPersonalize(jpki.AID), iso7816.SWSecurityStatus)
}

func TestALockedApplicationIsNotFoundUntilUnlocked(t *testing.T) {
	p := ready(t, jpki.P256)
	app := p.App()
	selectPhone(t, app)
	s := server(t, p)
	s.expect(t, globalplatform.SetStatus(globalplatform.RegistryApplications, 0x8F, jpki.AID), iso7816.SWOK)
	_, err := jpki.SelectElement(t.Context(), p.App())
	expectProblem(t, err, "element-absent")
	if r := transmit(t, app, iso7816.Command{CLA: 0x80, INS: jpki.InsSlots, Ne: 256}); r.SW != iso7816.SWConditions {
		t.Fatal("selected before the lock:", r.SW)
	}
	s.expect(t, globalplatform.InstallPersonalize(jpki.AID), iso7816.SWConditions)
	s.expect(t, globalplatform.SetStatus(globalplatform.RegistryApplications, 0x0F, jpki.AID), iso7816.SWOK)
	expectSigns(t, p.App(), jpki.P256)
}

func TestADeletedInstanceLeavesNoKeyAndMayBeInstalledAnew(t *testing.T) {
	p := ready(t, jpki.P256)
	s := server(t, p)
	s.expect(t, globalplatform.Delete(jpki.AID), iso7816.SWOK)
	s.expect(t, globalplatform.Delete(jpki.AID), iso7816.SWReferenceNotFound)
	_, err := jpki.SelectElement(t.Context(), p.App())
	expectProblem(t, err, "element-absent")
	if state, err := p.Memory.Load(); err != nil || bytes.Contains(state, []byte("privateKey")) {
		t.Fatal("a key was left in the memory", err)
	}
	s.expect(t, globalplatform.InstallApplication(nil, []byte("\xf0WARIFU-JPKI"), jpki.AID, []byte{0}, []byte{0xC9, 0}), iso7816.SWOK)
	slots, err := p.Client(t).Slots(t.Context())
	if err != nil || len(slots.Live.Slots)+len(slots.Shadow.Slots) != 0 || slots.Live.Counter != 1 {
		t.Fatalf("%+v %v", slots, err)
	}
}

func TestTheRegistryTellsTheStates(t *testing.T) {
	p := elementtest.New(t, nil)
	m := maker(t, p)
	got := m.expect(t, globalplatform.GetStatus(globalplatform.RegistryIssuerDomain, nil), iso7816.SWOK)
	if want := iso7816.MakeTLV(0xE3, iso7816.MakeTLV(0x4F, jpki.AIDIssuerDomain), []byte{0x9F, 0x70, 1, 0x0F}); !bytes.Equal(got, want) {
		t.Fatalf("%X", got)
	}
	got = m.expect(t, globalplatform.GetStatus(globalplatform.RegistryApplications, jpki.AID), iso7816.SWOK)
	if want := iso7816.MakeTLV(0xE3, iso7816.MakeTLV(0x4F, jpki.AID), []byte{0x9F, 0x70, 1, 0x07}); !bytes.Equal(got, want) {
		t.Fatalf("%X", got)
	}
	p.Personalize(t, p.Work(t, p.Apply(t, jpki.P256, warifu.Signature)))
	got = server(t, p).expect(t, globalplatform.GetStatus(globalplatform.RegistryApplications, jpki.AID), iso7816.SWOK)
	if got[len(got)-1] != byte(globalplatform.ApplicationPersonalized) {
		t.Fatalf("%X", got)
	}
}

func TestATerminatedChipOffersNothing(t *testing.T) {
	p := ready(t, jpki.P256)
	m := maker(t, p)
	m.expect(t, globalplatform.SetStatus(globalplatform.RegistryIssuerDomain, byte(globalplatform.CardLocked), nil), iso7816.SWOK)
	if r := transmit(t, p.App(), globalplatform.Select(jpki.AID)); r.SW != iso7816.SWFileNotFound {
		t.Fatal(r.SW)
	}
	m.expect(t, globalplatform.SetStatus(globalplatform.RegistryIssuerDomain, byte(globalplatform.CardTerminated), nil), iso7816.SWOK)
	if r := transmit(t, p.Element.Internal(chip.PlatformCaller), globalplatform.Select(jpki.AIDIssuerDomain)); r.SW != iso7816.SWFileNotFound {
		t.Fatal(r.SW)
	}
}

func TestACertificateOverAnotherKeyIsNotTaken(t *testing.T) {
	p := elementtest.New(t, nil)
	keys := p.Apply(t, jpki.P256, elementKinds...)
	s := server(t, p)
	s.expect(t, globalplatform.InstallPersonalize(jpki.AID), iso7816.SWOK)
	swapped, _ := p.Certify(t, warifu.Signature, keys[warifu.Authentication])
	store := func(object []byte) iso7816.StatusWord {
		var r iso7816.Response
		for _, c := range globalplatform.StoreData(object) {
			r = s.send(t, c)
		}
		return r.SW
	}
	if sw := store(jpki.WriteCertificate(warifu.Signature, swapped, nil)); sw != iso7816.SWWrongData {
		t.Fatal(sw)
	}
	for name, object := range map[string][]byte{
		"no such kind": jpki.WriteCertificate(3, swapped, nil), "no certificate": jpki.WriteCertificate(warifu.Signature, []byte{0x30, 0}, nil),
		"no parent": jpki.WriteParent([]byte{1, 2, 3}), "unknown object": {0xBF, 0x3F, 0}, "no object": {1}, "short receipt": iso7816.MakeTLV(jpki.TagMakeReceipt, []byte{0x80, 0}),
		"empty activate": iso7816.MakeTLV(jpki.TagActivate),
	} {
		if sw := store(object); sw != iso7816.SWWrongData {
			t.Errorf("%s: %v", name, sw)
		}
	}
	if sw := store(jpki.MakeReceipt(warifu.Digest{})); sw != iso7816.SWConditions {
		t.Errorf("a receipt for what is not complete: %v", sw)
	}
	if sw := store(jpki.Activate(map[warifu.Kind]warifu.Digest{warifu.Signature: {}})); sw != iso7816.SWConditions {
		t.Errorf("activation of what is not there: %v", sw)
	}
}

func TestKeysOfAnyOtherLengthAreNotTaken(t *testing.T) {
	p := elementtest.New(t, nil).Personality
	p.DomainKeys.MAC = p.DomainKeys.MAC[:16]
	if _, err := chip.NewElement(p, new(chip.Volatile)); err == nil {
		t.Fatal("keys of two lengths were taken")
	}
	p.AttestationKey = nil
	if _, err := chip.NewElement(p, new(chip.Volatile)); err == nil {
		t.Fatal("no attestation key, no error")
	}
	q := elementtest.New(t, nil)
	if err := errors.Join(q.Memory.Save([]byte("{")), q.Element.Reset()); err == nil {
		t.Fatal("a torn memory was taken")
	}
}

func TestCardDataIsThereForWhoeverMaySelectTheDomain(t *testing.T) {
	p := elementtest.New(t, nil)
	platform := p.Element.Internal(chip.PlatformCaller)
	if r := transmit(t, platform, globalplatform.GetData(0x66)); r.SW != iso7816.SWInstructionUnsupported {
		t.Fatal("before anything was selected:", r.SW)
	}
	transmit(t, platform, globalplatform.Select(jpki.AIDIssuerDomain))
	r := transmit(t, platform, globalplatform.GetData(0x66))
	if want := []byte{0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x04, 0x03, 0x70}; r.SW != iso7816.SWOK || !bytes.Contains(r.Data, want) { // SCP03, i=70
		t.Fatalf("%X %v", r.Data, r.SW)
	}
	r = transmit(t, platform, globalplatform.GetData(0xE0))
	if want := []byte{0xC0, 4, 1, 0x30, 0x88, 32}; !bytes.Contains(r.Data, want) {
		t.Fatalf("%X %v", r.Data, r.SW)
	}
	if r = transmit(t, platform, globalplatform.GetData(0x9F7F)); r.SW != iso7816.SWReferenceNotFound {
		t.Fatal(r.SW)
	}
	if r = transmit(t, platform, globalplatform.GetStatus(globalplatform.RegistryApplications, nil)); r.SW != iso7816.SWSecurityStatus {
		t.Fatal("outside of a channel:", r.SW)
	}
}
