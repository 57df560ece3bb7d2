package globalplatform_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"warifu/globalplatform"
	"warifu/iso7816"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func aesKey(t testing.TB, octets []byte) *globalplatform.AESKey {
	t.Helper()
	k, err := globalplatform.NewAESKey(octets)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// message is the text of the NIST examples.
const message = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"

func TestCMACMatchesRFC4493AndSP80038B(t *testing.T) {
	for _, v := range []struct {
		key    string
		length int
		mac    string
	}{
		{"2b7e151628aed2a6abf7158809cf4f3c", 0, "bb1d6929e95937287fa37d129b756746"},
		{"2b7e151628aed2a6abf7158809cf4f3c", 16, "070a16b46b4d4144f79bdd9dd04a287c"},
		{"2b7e151628aed2a6abf7158809cf4f3c", 40, "dfa66747de9ae63030ca32611497c827"},
		{"2b7e151628aed2a6abf7158809cf4f3c", 64, "51f0bebf7e3b9d92fc49741779363cfe"},
		{"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", 0, "d17ddf46adaacde531cac483de7a9367"},
		{"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", 40, "8a1de5be2eb31aad089a82e6ee908b0e"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 0, "028962f61b7bf89efc6b551f4667d983"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 16, "28a7023f452e8f82bd4bf28d8c37c35c"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 40, "aaf3d8f1de5640c232f5b169b9c911e6"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 64, "e1992190549f6ed5696a2c056c315410"},
	} {
		got, err := aesKey(t, unhex(t, v.key)).CMAC(unhex(t, message)[:v.length])
		if err != nil || hex.EncodeToString(got) != v.mac {
			t.Errorf("key of %d octets, %d octets: %x, want %s", len(v.key)/2, v.length, got, v.mac)
		}
	}
}

// captured is one session of a real eUICC as osmocom's pySim publishes it among its tests
// (tests/unittests/test_globalplatform.py). The key sets count upwards from 00, 10 and 20.
type captured struct {
	name                            string
	bits                            int
	initUpdate, initAnswer, extAuth string
	getEID, getEIDAnswer            string
	case1, case2, case3, case4      string
}

var sessions = []captured{
	{"AES-128 C-MAC R-MAC", 128, "8050300008b13e5f938fc108c400", "000000000000000000003003703eb51047495b249f66c484c1d2ef1948000002", "84821100107d5f5826a993ebc89eea24957fa0b3ce", "84e291000ebf3e035c015a558d036518a2829700", "bf3e125a1089882119900000000000000000000005971be68992dbbdfa", "84f220020863a63f8959827fb2", "84ca006608a0c6a4a74166f7ce00", "84f22002124f0212345c054f9f70c52249b50272656536", "84f280020a4f00e91443f6dce6b8ed00"},
	{"AES-128 C-MAC C-DECRYPTION", 128, "80503000088e1552d0513c60f300", "0000000000000000000030037030760cd2c47c1dd395065fe5ead8a9d7000001", "8482030010fd4721a14d9b07003c451d2f8ae6bb21", "84e2910018ca9c00f6713d79bc8baa642bdff51c3f6a4082d3bd9ad26c00", "bf3e125a1089882119900000000000000000000005", "84f2200208c9811b11f1264cf1", "84ca006608e10ab60b3054798800", "84f22002184e2908bdb48b2315a55482e9e936ca122d6ecfae7d17416e", "84f28002180dd10a6b6193e5340b9e77d32d5a179cd710ac2773aefb2800"},
	{"AES-128 all", 128, "8050300008fdf38259a1e0de4400", "000000000000000000003003703b1aca81e821f219081cdc01c26b372d000003", "84823300108c36f96bcc00724a4e13ad591d7da3f0", "84e2910018267a85dfe4a98fca6fb0527e0dfecce4914e40401433c87f00", "f3ba2b1013aa6224f5e1c138d71805c569e5439b47576260b75fc021b25097cb2e68f8a0144975b9", "84f2200208ac6a59024bed84cc", "84ca006608409912ad8fb7aed000", "84f22002185f3dafc3ac14c381536a488bf44e06d056df9d74dbd21e5a", "84f280021865165105be3373347d0424d4400af2ac393f569ec779389e00"},
	{"AES-192 all", 192, "80503100089b3f2eef0e8c937400", "00000000000000000000310370f6bb305a15bae1a68f79fb08212fbed7000002", "84823300109100bc22d58b45b86a26365ce39ff3cf", "84e29100188f7f946c84f70d17994bc6e8791251bb1bb1bf02cf8de58900", "c05176c1b6f72aae50c32cbee63b0e95998928fd4dfb2be9f27ffde8c8476f5909b4805cc4039599", "84f2200208d5d97754b6b3d2ba", "84ca006608516c82b8e30adbeb00", "84f2200218cc247f4761e6944277a4e0d6e32e44025b1e31537e2fc668", "84f2800218ba22b63d509bef5d093b43e5eaed03ed23144ab2d9cb51de00"},
	{"AES-256 C-MAC R-MAC", 256, "805032000811666d57866c6f5400", "0000000000000000000032037053ea8847efa7674e41498a4d66cf0dee000003", "84821100102f2ad190eff2fafc4908996d1cebd310", "84e291000ebf3e035c015af4b680372542b59d00", "bf3e125a10898821199000000000000000000000058012dd7f01f1c4c1", "84f2200208d618b7da68d5fe52", "84ca0066088f3e055db23ad5e500", "84f22002124f0212345c054f9f70c5b6e15cc42404915e", "84f280020a4f00aa124aa74afe7f7500"},
	{"AES-256 C-MAC C-DECRYPTION", 256, "8050320008c6066990fc426e1d00", "000000000000000000003203708682cd81bbd8919f2de3f2664581f118000001", "848203001077c493b632edadaf865a1e64acc07ce9", "84e29100183ddaa60594963befaada3525b492ede23c2ab2c1ce3afe4400", "bf3e125a1089882119900000000000000000000005", "84f2200208480ddc8e419da38d", "84ca0066083e9d6a6c0b2d732000", "84f22002183ebfef2da8b04af2a85f491f299b76973df76ff08a4031be", "84f2800218783fff80990f5585b1055010ea95094a26e4a8f1ef4b18e100"},
	{"AES-256 all", 256, "805032000897b2055fe58599fd00", "00000000000000000000320370a8439a22cedf045fa9f1903b2834f26e000002", "8482330010508a0fd959d2e547c6b33154a6be2057", "84e29100187a5ef717eaf1e135ae92fe54429d0e465decda65f5fe5aea00", "ea90dbfa648a67c5eb6abc57f8530b97d0cd5647c5e8732016b55203b078dd2ace7f8bc5d1c1cd99", "84f2200208bcc5c17275545d93", "84ca00660804806aba9d543bb600", "84f2200218717222491556ec81a45f49ce48be33320024801a1c4cb0e0", "84f2800218561f105bccd3a1642904b251ccc1228beb80a82370a8637000"},
}

// issuerDomainOfEUICC is the ISD-R of SGP.02; the recorded pseudo-random card challenges follow
// from its name and the counter, which Host checks.
const issuerDomainOfEUICC = "a0000005591010ffffffff8900000100"

const eid = "bf3e125a1089882119900000000000000000000005"

// plain lists what the recorded commands were before they were wrapped.
var plain = []string{"80E2910006BF3E035C015A00", "80F22002", "80ca006600", "80F220020a4f0212345c054f9f70c5", "80f28002024f0000"}

func countingKeys(t testing.TB, bits int) globalplatform.StaticKeys {
	key := func(first byte) globalplatform.Key {
		octets := make([]byte, bits/8)
		for i := range octets {
			octets[i] = first + byte(i%16)
		}
		return aesKey(t, octets)
	}
	return globalplatform.StaticKeys{ENC: key(0x00), MAC: key(0x10), DEK: key(0x20), Bits: bits}
}

func TestHostSpeaksAsRecordedSessionsDid(t *testing.T) {
	for _, v := range sessions {
		t.Run(v.name, func(t *testing.T) {
			h := openRecorded(t, v)
			for i, want := range []string{v.getEID, v.case1, v.case2, v.case3, v.case4} {
				c, err := iso7816.ParseCommand(unhex(t, plain[i]))
				if err != nil {
					t.Fatal(err)
				}
				wrapped, err := h.Wrap(c)
				if err != nil {
					t.Fatal(err)
				}
				expectBytes(t, wrapped, want)
				if i == 0 {
					got, err := h.Unwrap(iso7816.Response{Data: unhex(t, v.getEIDAnswer), SW: iso7816.SWOK})
					if err != nil || hex.EncodeToString(got.Data) != eid {
						t.Fatalf("answer %x, %v", got.Data, err)
					}
				}
			}
		})
	}
}

func openRecorded(t *testing.T, v captured) *globalplatform.Host {
	t.Helper()
	first := unhex(t, v.initUpdate)
	h, err := globalplatform.NewHost(unhex(t, issuerDomainOfEUICC), bytes.NewReader(first[5:13]))
	if err != nil {
		t.Fatal(err)
	}
	expectBytes(t, h.InitializeUpdate(first[2]), v.initUpdate)
	opening, err := globalplatform.ParseOpening(unhex(t, v.initAnswer))
	if err != nil {
		t.Fatal(err)
	}
	auth, err := h.Authenticate(countingKeys(t, v.bits), opening, globalplatform.Level(unhex(t, v.extAuth)[2]))
	if err != nil {
		t.Fatal(err)
	}
	expectBytes(t, auth, v.extAuth)
	return h
}

func expectBytes(t *testing.T, c iso7816.Command, want string) {
	t.Helper()
	got, err := c.Bytes()
	if err != nil || hex.EncodeToString(got) != want {
		t.Fatalf("command %x, want %s (%v)", got, want, err)
	}
}

// The same sessions from inside: the chip that was recorded, rebuilt from its keys and counter.
func TestCardAnswersAsTheRecordedChipDid(t *testing.T) {
	for _, v := range sessions {
		t.Run(v.name, func(t *testing.T) {
			answer := unhex(t, v.initAnswer)
			card := globalplatform.NewCard(globalplatform.Domain{
				AID: unhex(t, issuerDomainOfEUICC), Keys: countingKeys(t, v.bits), KeyVersion: answer[10],
				Parameter: globalplatform.ParameterFull, Sequence: func() (uint32, error) { return uint32(answer[31]), nil },
			})
			command := func(s string) iso7816.Command {
				c, err := iso7816.ParseCommand(unhex(t, s))
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			if r := card.Open(command(v.initUpdate)); hex.EncodeToString(r.Data) != v.initAnswer {
				t.Fatalf("INITIALIZE UPDATE: %x %v", r.Data, r.SW)
			}
			if r := card.Open(command(v.extAuth)); r.SW != iso7816.SWOK {
				t.Fatal(r.SW)
			}
			for i, wrapped := range []string{v.getEID, v.case1, v.case2, v.case3, v.case4} {
				c, err := card.Unwrap(command(wrapped))
				if err != nil {
					t.Fatal(err)
				}
				want := command(plain[i])
				if c.INS != want.INS || c.P1 != want.P1 || !bytes.Equal(c.Data, want.Data) {
					t.Fatalf("unwrapped %+v, want %+v", c, want)
				}
				if i > 0 {
					continue
				}
				if r := card.Wrap(iso7816.Response{Data: unhex(t, eid), SW: iso7816.SWOK}); hex.EncodeToString(r.Data) != v.getEIDAnswer {
					t.Fatalf("wrapped answer %x", r.Data)
				}
			}
		})
	}
}
