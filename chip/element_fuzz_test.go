package chip_test

import (
	"testing"

	"warifu"
	"warifu/chip"
	"warifu/globalplatform"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

// fuzzed is one phone for all inputs, put back to the same memory for each.
type fuzzed struct {
	phone *elementtest.Phone
	state []byte
}

func newFuzzed(f *testing.F) *fuzzed {
	p := elementtest.New(f, nil)
	p.Personalize(f, p.Work(f, p.Apply(f, jpki.P256, elementKinds...)))
	p.Apply(f, jpki.P256, warifu.Signature)
	state, err := p.Memory.Load()
	if err != nil {
		f.Fatal(err)
	}
	return &fuzzed{p, state}
}

// FuzzElement sends a row of APDUs, each behind its length in one octet, to an interface of a
// phone in use. Whatever they are, the chip answers each with a status word, no live key is lost
// and no secret is opened that was not given.
func FuzzElement(f *testing.F) {
	z := newFuzzed(f)
	row := func(commands ...iso7816.Command) (out []byte) {
		for _, c := range commands {
			raw, _ := c.Bytes()
			out = append(append(out, byte(len(raw))), raw...)
		}
		return out
	}
	app := globalplatform.Select(jpki.AID)
	f.Add(byte(0), row(app, iso7816.Command{CLA: 0x80, INS: jpki.InsGenerate, P1: 1, P2: 2, Ne: 256}, iso7816.Command{CLA: 0x80, INS: jpki.InsSetSecret, P2: 2, Data: []byte("1234")}))
	f.Add(byte(0), row(app, iso7816.Command{CLA: 0x80, INS: jpki.InsDeviceRequest, Data: []byte{0x80, 1, 'a', 0x81, 1, 'b', 0x82, 0}, Ne: 256}))
	f.Add(byte(0), row(app, iso7816.Command{INS: 0x84, Ne: 32}, iso7816.Command{CLA: 0x80, INS: jpki.InsResetSecret, P2: 2, Data: []byte{0x80, 1, 0, 0x81, 4, '1', '2', '3', '4'}}))
	question := jpki.CleanQuestion{Marketplace: "m", Nonce: nonce, Identifiers: []string{identifier}, Time: asked}.Bytes()
	chain := iso7816.Command{CLA: 0x80, INS: jpki.InsChain, Ne: 256}
	f.Add(byte(1), row(app, chain, iso7816.Command{CLA: 0x80, INS: jpki.InsCleanProof, Data: question, Ne: 256}, chain))
	f.Add(byte(1), row(app, iso7816.Command{CLA: 0x80, INS: jpki.InsKill, Data: make([]byte, 200), Ne: 256}))
	f.Add(byte(0), row(app, iso7816.Command{CLA: 0x80, INS: jpki.InsNextTicketKey, Data: make([]byte, 180)}))
	f.Add(byte(1), row(app, iso7816.Command{INS: 0x20, P2: 0x98, Data: []byte("0000")}, iso7816.Command{CLA: 0x80, INS: 0x2A, P2: 0x97, Data: []byte{1}, Ne: 256}))
	f.Add(byte(2), row(globalplatform.Select(jpki.AIDIssuerDomain), globalplatform.GetData(0x66), iso7816.Command{CLA: 0x80, INS: 0x50, Data: make([]byte, 8), Ne: 256}, iso7816.Command{CLA: 0x84, INS: 0x82, P1: 0x33, Data: make([]byte, 16)}))
	f.Add(byte(2), row(globalplatform.Select(jpki.AIDAccessRules), globalplatform.GetData(0xFF40), globalplatform.GetData(0xFF60)))
	f.Fuzz(func(t *testing.T, which byte, commands []byte) {
		p := z.restart(t)
		tr := [...]iso7816.Transmitter{p.App(), p.Element.Contactless(), p.Element.Internal(chip.PlatformCaller)}[which%3]
		for len(commands) > 0 {
			n := min(int(commands[0]), len(commands)-1)
			if n < 2 || commands[2] != jpki.InsGenerate || n < 3 || commands[3] != 0 { // RSA takes too long here
				answer, err := tr.Transmit(t.Context(), commands[1:1+n])
				if err != nil || len(answer) < 2 || len(answer) > iso7816.MaxResponse {
					t.Fatalf("%X: %X, %v", commands[1:1+n], answer, err)
				}
			}
			commands = commands[1+n:]
		}
		z.expectUnharmed(t)
	})
}

func (z *fuzzed) restart(t *testing.T) *elementtest.Phone {
	if err := z.phone.Memory.Save(z.state); err != nil {
		t.Fatal(err)
	}
	if err := z.phone.Element.Reset(); err != nil {
		t.Fatal(err)
	}
	return z.phone
}

func (z *fuzzed) expectUnharmed(t *testing.T) {
	slots, err := z.phone.Client(t).Slots(t.Context())
	if err != nil || len(slots.Live.Slots) != 2 || slots.Live.Counter != 1 {
		t.Fatalf("%+v %v", slots, err)
	}
	for _, s := range slots.Live.Slots {
		if s.Certificate.IsZero() || !s.SecretSet {
			t.Fatalf("%+v", s)
		}
	}
}

// FuzzPersonalizeObject stores one data object through an open channel. Nothing becomes live.
func FuzzPersonalizeObject(f *testing.F) {
	z := newFuzzed(f)
	f.Add(jpki.WriteCertificate(warifu.Signature, []byte{0x30, 0}, nil))
	f.Add(jpki.WriteParent([]byte{0x30, 0}))
	f.Add(jpki.MakeReceipt(warifu.Digest{}))
	f.Add(jpki.WriteTicketKeys(map[warifu.Kind][]byte{warifu.Signature: {0x30, 0}}))
	f.Add(jpki.Activate(map[warifu.Kind]warifu.Digest{warifu.Signature: {}}))
	f.Fuzz(func(t *testing.T, object []byte) {
		blocks := globalplatform.StoreData(object)
		if len(blocks) == 0 || len(blocks) > 20 {
			return
		}
		s := server(t, z.restart(t))
		s.expect(t, globalplatform.InstallPersonalize(jpki.AID), iso7816.SWOK)
		for _, c := range blocks {
			if r := s.send(t, c); r.SW == iso7816.SWNoDiagnosis {
				t.Fatal(r.SW)
			}
		}
		z.expectUnharmed(t)
	})
}
