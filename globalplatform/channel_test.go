package globalplatform_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"warifu/globalplatform"
	"warifu/iso7816"
)

var domainAID = []byte{0xF0, 0x57, 0x41, 0x52, 0x49}

// Values of OpenJavaCard's test SCP03Derivation, made with the well-known keys 404142…4F.
func TestSessionKeysMatchOpenJavaCard(t *testing.T) {
	key := aesKey(t, unhex(t, "404142434445464748494a4b4c4d4e4f"))
	context := unhex(t, "a7f76c713f0a713d31900058c1c451a2")
	for constant, want := range map[byte]string{
		0x04: "258a78866f41482bef482dc8ca976ccd", 0x06: "053db6abc7fdf3b63a0d965ee16b0255", 0x07: "eda0b4f2ec0345bfc50f3bc59cfef936",
	} {
		got, err := globalplatform.Derive(key, constant, context, 16)
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("constant %02X: %x, want %s", constant, got, want)
		}
	}
}

// Values made with the KBKDFCMAC of Python's cryptography (counter before the fixed data, four octets each).
func TestDiversifyIsTheCounterModeOfSP800108(t *testing.T) {
	master := make([]byte, 32)
	context := make([]byte, 16)
	for i := range master {
		master[i] = 0x40 + byte(i)
	}
	for i := range context {
		context[i] = byte(i)
	}
	for bits, want := range map[int]string{128: "54c178abb90e72f9e921b4fa6875213b", 256: "5623780d4fd3902a1b5e952bcaaab781ed069f3c03df3ecda45adbd200523d21"} {
		got, err := globalplatform.Diversify(aesKey(t, master), "warifu-ssd-enc", context, bits)
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%d bits: %x, want %s, %v", bits, got, want, err)
		}
	}
	if _, err := globalplatform.Diversify(aesKey(t, master), "x", context, 64); err == nil {
		t.Error("a key of 64 bits was derived")
	}
}

// pair opens a session between both ends.
func pair(t testing.TB, bits int, i globalplatform.Parameter, level globalplatform.Level) (*globalplatform.Host, *globalplatform.Card) {
	t.Helper()
	keys := countingKeys(t, bits)
	sequence := uint32(0)
	card := globalplatform.NewCard(globalplatform.Domain{
		AID: domainAID, Keys: keys, KeyVersion: 0x30, Parameter: i, Random: rand.Reader,
		Sequence: func() (uint32, error) { sequence++; return sequence, nil },
	})
	host, err := globalplatform.NewHost(domainAID, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := card.Open(host.InitializeUpdate(0))
	if r.SW != iso7816.SWOK {
		t.Fatal(r.SW)
	}
	opening, err := globalplatform.ParseOpening(r.Data)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := host.Authenticate(keys, opening, level)
	if err != nil {
		t.Fatal(err)
	}
	if r := card.Open(auth); r.SW != iso7816.SWOK {
		t.Fatal(r.SW)
	}
	return host, card
}

var levels = []globalplatform.Level{
	globalplatform.LevelMAC, globalplatform.LevelCommand, globalplatform.LevelRMAC, globalplatform.LevelResponse, globalplatform.LevelFull,
}

// What is said at one end arrives at the other, at every level, in batches of any size.
func TestBothEndsUnderstandEachOther(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		level := rapid.SampledFrom(levels).Draw(r, "level")
		parameter := rapid.SampledFrom([]globalplatform.Parameter{0x60, 0x70}).Draw(r, "i")
		host, card := pair(t, rapid.SampledFrom([]int{128, 192, 256}).Draw(r, "bits"), parameter, level)
		for range rapid.IntRange(1, 3).Draw(r, "batches") {
			exchange(r, host, card)
		}
	})
}

func exchange(r *rapid.T, host *globalplatform.Host, card *globalplatform.Card) {
	commands := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, globalplatform.MaxPlainData), 1, 4).Draw(r, "commands")
	var answers []iso7816.Response
	for _, data := range commands {
		wrapped, err := host.Wrap(iso7816.Command{CLA: 0x80, INS: 0xE2, P1: 1, P2: 2, Data: data, Ne: 256})
		if err != nil || len(wrapped.Data) > iso7816.MaxShortData {
			r.Fatalf("wrap: %v, %d octets", err, len(wrapped.Data))
		}
		got, err := card.Unwrap(wrapped)
		if err != nil || !bytes.Equal(got.Data, data) || got.CLA != 0x80 {
			r.Fatalf("unwrap: %v", err)
		}
		sw := rapid.SampledFrom([]iso7816.StatusWord{iso7816.SWOK, iso7816.SWWrongData, iso7816.SWMoreDataFollowing}).Draw(r, "sw")
		answers = append(answers, card.Wrap(iso7816.Response{Data: data, SW: sw}))
	}
	for i, a := range answers {
		got, err := host.Unwrap(a)
		if err != nil || got.SW != a.SW {
			r.Fatalf("unwrap response: %v", err)
		}
		if want := commands[i]; got.SW != iso7816.SWWrongData && !bytes.Equal(got.Data, want) {
			r.Fatalf("answer %x, want %x", got.Data, want)
		}
	}
}

func TestEveryFlippedBitOfACommandIsRefusedAndClosesTheChannel(t *testing.T) {
	for _, level := range levels {
		probe, _ := pair(t, 256, globalplatform.ParameterFull, level)
		wrapped, _ := probe.Wrap(iso7816.Command{CLA: 0x80, INS: 0xE2, P1: 1, Data: []byte("what the card shall store")})
		for bit := range 8 * (4 + len(wrapped.Data)) {
			host, card := pair(t, 256, globalplatform.ParameterFull, level)
			c, _ := host.Wrap(iso7816.Command{CLA: 0x80, INS: 0xE2, P1: 1, Data: []byte("what the card shall store")})
			later, _ := host.Wrap(iso7816.Command{CLA: 0x80, INS: 0xE2, P1: 2})
			flip(&c, bit)
			if _, err := card.Unwrap(c); err != iso7816.SWSecurityStatus {
				t.Fatalf("level %02X, bit %d: %v", level, bit, err)
			}
			if _, err := card.Unwrap(later); err == nil || card.Level() != 0 {
				t.Fatalf("level %02X, bit %d: the channel stayed open", level, bit)
			}
		}
	}
}

// flip turns one bit of header or data.
func flip(c *iso7816.Command, bit int) {
	mask := byte(1) << (bit % 8)
	switch i := bit / 8; i {
	case 0:
		c.CLA ^= mask
	case 1:
		c.INS ^= mask
	case 2:
		c.P1 ^= mask
	case 3:
		c.P2 ^= mask
	default:
		c.Data = bytes.Clone(c.Data)
		c.Data[i-4] ^= mask
	}
}

func TestEveryFlippedBitOfAResponseIsRefused(t *testing.T) {
	for _, level := range []globalplatform.Level{globalplatform.LevelRMAC, globalplatform.LevelResponse, globalplatform.LevelFull} {
		answer := []byte("what the card says")
		probe, card := pair(t, 128, globalplatform.ParameterFull, level)
		length := len(roundTrip(t, probe, card, answer).Data)
		for bit := range 8 * length {
			host, card := pair(t, 128, globalplatform.ParameterFull, level)
			r := roundTrip(t, host, card, answer)
			r.Data[bit/8] ^= 1 << (bit % 8)
			if _, err := host.Unwrap(r); !errors.Is(err, globalplatform.ErrChannel) {
				t.Fatalf("level %02X, bit %d: %v", level, bit, err)
			}
			if _, err := host.Wrap(iso7816.Command{CLA: 0x80}); !errors.Is(err, globalplatform.ErrChannel) {
				t.Fatalf("level %02X, bit %d: the session went on", level, bit)
			}
		}
	}
}

func roundTrip(t *testing.T, host *globalplatform.Host, card *globalplatform.Card, answer []byte) iso7816.Response {
	t.Helper()
	c, err := host.Wrap(iso7816.Command{CLA: 0x80, INS: 0xCA, Ne: 256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := card.Unwrap(c); err != nil {
		t.Fatal(err)
	}
	return card.Wrap(iso7816.Response{Data: answer, SW: iso7816.SWOK})
}

func TestASuccessChangedIntoAnotherSuccessIsNoticed(t *testing.T) {
	host, card := pair(t, 128, globalplatform.ParameterFull, globalplatform.LevelRMAC)
	r := roundTrip(t, host, card, nil)
	r.SW = 0x6200
	if _, err := host.Unwrap(r); err == nil {
		t.Fatal("a changed status word was believed")
	}
}

func TestAReplayedOrReorderedCommandIsRefused(t *testing.T) {
	host, card := pair(t, 128, globalplatform.ParameterFull, globalplatform.LevelResponse)
	first, _ := host.Wrap(iso7816.Command{CLA: 0x80, INS: 0xE2, Data: []byte{1}})
	if _, err := card.Unwrap(first); err != nil {
		t.Fatal(err)
	}
	if _, err := card.Unwrap(first); err == nil {
		t.Fatal("a replayed command was accepted")
	}
	host, card = pair(t, 128, globalplatform.ParameterFull, globalplatform.LevelResponse)
	_, _ = host.Wrap(iso7816.Command{CLA: 0x80, INS: 0xE2, Data: []byte{1}})
	second, _ := host.Wrap(iso7816.Command{CLA: 0x80, INS: 0xE2, Data: []byte{2}})
	if _, err := card.Unwrap(second); err == nil {
		t.Fatal("a command that overtook another was accepted")
	}
}

func TestEveryFlippedBitOfTheOpeningIsRefused(t *testing.T) {
	keys := countingKeys(t, 128)
	domain := globalplatform.Domain{AID: domainAID, Keys: keys, KeyVersion: 0x30, Parameter: globalplatform.ParameterFull}
	domain.Sequence = func() (uint32, error) { return 7, nil }
	answer := func(host *globalplatform.Host) []byte {
		return globalplatform.NewCard(domain).Open(host.InitializeUpdate(0)).Data
	}
	for bit := range 8 * 32 {
		host, _ := globalplatform.NewHost(domainAID, rand.Reader)
		data := answer(host)
		data[bit/8] ^= 1 << (bit % 8)
		o, err := globalplatform.ParseOpening(data)
		if err == nil {
			_, err = host.Authenticate(keys, o, globalplatform.LevelResponse)
		}
		named := bit/8 <= 10 // which chip and key set it is: the caller's choice of keys, not covered by a cryptogram
		if (err == nil) != named && !(bit/8 == 12 && err == nil) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
}

func TestAnAuthenticationThatDoesNotFitIsRefusedOnce(t *testing.T) {
	keys := countingKeys(t, 128)
	for bit := range 8 * 16 {
		card := globalplatform.NewCard(globalplatform.Domain{AID: domainAID, Keys: keys, Parameter: 0x60, Random: rand.Reader})
		host, _ := globalplatform.NewHost(domainAID, rand.Reader)
		opening, _ := globalplatform.ParseOpening(card.Open(host.InitializeUpdate(0)).Data)
		auth, err := host.Authenticate(keys, opening, globalplatform.LevelResponse)
		if err != nil {
			t.Fatal(err)
		}
		good := bytes.Clone(auth.Data)
		auth.Data[bit/8] ^= 1 << (bit % 8)
		if r := card.Open(auth); r.SW != iso7816.SWCryptogram {
			t.Fatalf("bit %d: %v", bit, r.SW)
		}
		auth.Data = good
		if r := card.Open(auth); r.SW != iso7816.SWConditions {
			t.Fatalf("bit %d: a second try without a new challenge: %v", bit, r.SW)
		}
	}
}

func TestASequenceCounterThatRanOutOpensNothing(t *testing.T) {
	card := globalplatform.NewCard(globalplatform.Domain{
		AID: domainAID, Keys: countingKeys(t, 128), Parameter: globalplatform.ParameterFull, Sequence: func() (uint32, error) { return 1 << 24, nil },
	})
	host, _ := globalplatform.NewHost(domainAID, rand.Reader)
	if r := card.Open(host.InitializeUpdate(0)); r.SW != iso7816.SWConditions {
		t.Fatal(r.SW)
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add([]byte{0x84, 0xE2, 1, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{0x84, 0xCA, 0, 0x66, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := iso7816.ParseCommand(raw)
		if err != nil {
			return
		}
		host, card := pair(t, 128, globalplatform.ParameterFull, globalplatform.LevelFull)
		if _, err := card.Unwrap(c); err == nil {
			t.Fatal("a command nobody wrapped was accepted")
		}
		_, _ = host.Wrap(iso7816.Command{CLA: 0x80})
		if r, err := host.Unwrap(iso7816.Response{Data: c.Data, SW: iso7816.SWOK}); err == nil {
			t.Fatalf("a response nobody wrapped was believed: %+v", r)
		}
	})
}

func FuzzParseOpening(f *testing.F) {
	f.Add(make([]byte, 29))
	f.Add([]byte(sessions[0].initAnswer))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := globalplatform.ParseOpening(data)
		if err != nil {
			return
		}
		host, _ := globalplatform.NewHost(domainAID, rand.Reader)
		if _, err := host.Authenticate(countingKeys(t, 128), o, globalplatform.LevelMAC); err == nil {
			t.Fatal("an opening nobody made was believed")
		}
	})
}
