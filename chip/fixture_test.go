package chip_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/chip"
	"warifu/iso7816"
)

// What the test card was handed over with.
const (
	signaturePassword = "ABC123"
	authenticationPIN = "1234"
	supportPIN        = "2345"
	commonPIN         = "3456"
	residentPIN       = "4567"
)

// rsaKey makes one key for each name and test binary: making them is slow.
func rsaKey(name string) *rsa.PrivateKey {
	keysMu.Lock()
	defer keysMu.Unlock()
	if keys[name] == nil {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[name] = k
	}
	return keys[name]
}

var (
	keysMu sync.Mutex
	keys   = map[string]*rsa.PrivateKey{}
)

func pkcs8(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return der
}

func certificate(name string, serial int64, key, authority *rsa.PrivateKey) []byte {
	template := func(cn string, serial int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial),
			Subject:      pkix.Name{Country: []string{"JP"}, Organization: []string{"WARIFU-TEST"}, CommonName: cn},
			NotBefore:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
			NotAfter:     time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC),
			KeyUsage:     x509.KeyUsageDigitalSignature,
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template(name, serial), template(name+" CA", 1), key.Public(), authority)
	if err != nil {
		panic(err)
	}
	return der
}

// testPersonality is a card of one made-up person, made once.
var testPersonality = sync.OnceValue(func() chip.CardPersonality {
	number, err := chip.WrongNumber("12345678901")
	if err != nil {
		panic(err)
	}
	sign, auth, ca := rsaKey("signature"), rsaKey("authentication"), rsaKey("ca")
	terminals, err := x509.MarshalPKIXPublicKey(ca.Public())
	if err != nil {
		panic(err)
	}
	p := chip.CardPersonality{
		Holder: chip.Holder{
			Number: number, Name: "割符　太郎", Address: "東京都清瀬市中里五丁目８４２番地", Birth: "19800217", Sex: "1",
			Expiry: "20350217", SecurityCode: "2285", Serial: "001234567890123", Municipality: "13221",
		},
		TokenSerial: "0000000020500003",
		Signature: chip.CardCredential{
			Certificate: certificate("signature", 2, sign, ca), Authority: certificate("signature CA", 1, ca, ca),
			Key: pkcs8(sign), Secret: signaturePassword,
		},
		Authentication: chip.CardCredential{
			Certificate: certificate("authentication", 3, auth, ca), Authority: certificate("authentication CA", 1, ca, ca),
			Key: pkcs8(auth), Secret: authenticationPIN,
		},
		SupportPIN: supportPIN, CommonPIN: commonPIN, ResidentPIN: residentPIN,
		SupportKey: pkcs8(auth), SurfaceKey: pkcs8(auth), CommonKey: pkcs8(auth),
		Data:              map[string][]byte{"5F51": {0xE0, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0x14}},
		TerminalAuthority: terminals,
	}
	authority, err := chip.NewFaceAuthority(ca, []byte("WARIFU-TEST-ROOT"), ca, []byte("WARIFU-TEST-FACE"))
	if err != nil {
		panic(err)
	}
	if err := p.BuildFaces(authority); err != nil {
		panic(err)
	}
	return p
})

func newCard(t testing.TB, m chip.Memory) *chip.Card {
	t.Helper()
	c, err := chip.NewCard(testPersonality(), m)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// send transmits hexadecimal octets (spaces are for the reader) and splits the answer.
func send(t testing.TB, c iso7816.Transmitter, command string) ([]byte, iso7816.StatusWord) {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(command, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", command, err)
	}
	out, err := c.Transmit(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	r, err := iso7816.ParseResponse(out)
	if err != nil {
		t.Fatal(err)
	}
	return r.Data, r.SW
}

// step is a command and what the chip must answer: a status word ("9000"), a number of
// octets and a status word ("256:9000"), or octets and a status word ("=8F8F00:9000").
type step struct{ command, want string }

func play(t *testing.T, c iso7816.Transmitter, steps []step) {
	t.Helper()
	for i, s := range steps {
		data, sw := send(t, c, s.command)
		if got := answerAs(s.want, data, sw); got != s.want {
			t.Fatalf("step %d, %s: got %s (%X), want %s", i+1, s.command, got, data, s.want)
		}
	}
}

func answerAs(form string, data []byte, sw iso7816.StatusWord) string {
	word := fmt.Sprintf("%04X", uint16(sw))
	switch {
	case strings.HasPrefix(form, "="):
		return fmt.Sprintf("=%X:%s", data, word)
	case strings.Contains(form, ":") || len(data) > 0:
		return strconv.Itoa(len(data)) + ":" + word
	}
	return word
}

// ascii is text as the hexadecimal octets of a command, after their number.
func ascii(text string) string { return fmt.Sprintf("%02X", len(text)) + hexOf(text) }

func hexOf(text string) string { return fmt.Sprintf("%X", text) }

// The selections that scripts begin with.
const (
	selectJPKI     = "00A4040C0A D392F000260100000001"
	selectSurface  = "00A4040C0A D3921000310001010402"
	selectSupport  = "00A4040C0A D3921000310001010408"
	selectResident = "00A4040C0A D3921000310001010401"
	selectCommon   = "00A4040C0A D3921000310001010100"
)

func ef(id string) string { return "00A4020C02 " + id }

func verify(secret string) string { return "00200080" + ascii(secret) }
