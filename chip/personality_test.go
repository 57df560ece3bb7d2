package chip_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"warifu"
	"warifu/chip"
	"warifu/iso7816"
)

// The published sample number reads 123456789018; a sum of nothing gives 0.
func TestCheckDigitOfAMyNumber(t *testing.T) {
	for eleven, want := range map[string]byte{"12345678901": '8', "00000000000": '0'} {
		got, err := chip.CheckDigit(eleven)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("CheckDigit(%s) = %c, want %c", eleven, got, want)
		}
	}
	if _, err := chip.CheckDigit("1234567890a"); err == nil {
		t.Error("letters have a check digit")
	}
}

func TestARealMyNumberIsRefused(t *testing.T) {
	p := testPersonality()
	p.Holder.Number = "123456789018"
	for _, err := range []error{p.Check(), p.BuildFaces(nil)} {
		if !errors.Is(err, &warifu.Error{Problem: "my-number-refused"}) {
			t.Errorf("got %v", err)
		}
	}
	wrong, err := chip.WrongNumber("12345678901")
	if err != nil || wrong == "123456789018" || len(wrong) != 12 {
		t.Errorf("WrongNumber: %s, %v", wrong, err)
	}
}

func TestAPersonalityIsDataAndIsNeverShown(t *testing.T) {
	p := testPersonality()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again chip.CardPersonality
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if _, err := chip.NewCard(again, new(chip.Volatile)); err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(p), fmt.Sprintf("%+v %#v", p, p), fmt.Sprintf("%v", p.Holder), fmt.Sprintf("%+v", p.Signature), p.LogValue().String()} {
		for _, secret := range []string{signaturePassword, authenticationPIN, p.Holder.Name, p.Holder.Number} {
			if strings.Contains(shown, secret) {
				t.Errorf("%q is shown in %q", secret, shown)
			}
		}
	}
}

func TestAnImpossiblePersonalityIsRefused(t *testing.T) {
	for field, spoil := range map[string]func(*chip.CardPersonality){
		"tokenSerial":           func(p *chip.CardPersonality) { p.TokenSerial = "" },
		"signature.secret":      func(p *chip.CardPersonality) { p.Signature.Secret = "abc123" },
		"authentication.secret": func(p *chip.CardPersonality) { p.Authentication.Secret = "12345" },
		"supportPIN":            func(p *chip.CardPersonality) { p.SupportPIN = "" },
		"support.0002":          func(p *chip.CardPersonality) { p.Support = chip.Files{"0001": {0}} },
		"birth":                 func(p *chip.CardPersonality) { p.Holder.Birth = "1980021" },
		"data":                  func(p *chip.CardPersonality) { p.Data = map[string][]byte{"f0": nil} },
		"signature.key":         func(p *chip.CardPersonality) { p.Signature.Key = []byte{1, 2, 3} },
	} {
		p := testPersonality()
		spoil(&p)
		_, err := chip.NewCard(p, new(chip.Volatile))
		problem := warifu.ProblemOf(err)
		if problem == nil || problem.Problem != "personality-invalid" || problem.Params["field"] != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestReferencesFollowTheEra(t *testing.T) {
	for birth, want := range map[string]string{
		"19800217": "550217", "19890107": "640107", "19890108": "010108", "20190430": "310430", "20190501": "010501",
		"19261224": "151224", "19261225": "011225", "20260101": "080101",
	} {
		h := testPersonality().Holder
		h.Birth = birth
		if got, err := h.ReferenceBirth(); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", birth, got, err, want)
		}
	}
}

// docs/card-facts.md §1.4: the lengths clients demand, and digests and signatures that check.
func TestFaceFilesAreWhatClientsDemand(t *testing.T) {
	p := testPersonality()
	for id, n := range map[string]int{"0001": 17, "0003": 336, "0004": 568, "0005": 256, "0007": 536, "0008": 16} {
		if len(p.Support[id]) != n {
			t.Errorf("入力補助 %s has %d octets, want %d", id, len(p.Support[id]), n)
		}
	}
	authority := &rsaKey("ca").PublicKey
	signed, err := iso7816.ParseTLV(p.Support["0003"], 0xFF30)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := iso7816.ParseTLVs(signed)
	if err != nil {
		t.Fatal(err)
	}
	number := sha256.Sum256(p.Support["0001"])
	attributes := valueFrom(t, p.Support["0002"], 0)
	digest := sha256.Sum256(attributes)
	if !slices.Equal(objects[0].Value, number[:]) || !slices.Equal(objects[1].Value, digest[:]) {
		t.Error("the digests of 入力補助 0003 are not those of 0001 and 0002")
	}
	before := sha256.Sum256(signed[:70])
	if err := rsa.VerifyPKCS1v15(authority, crypto.SHA256, before[:], objects[2].Value); err != nil {
		t.Error(err)
	}
	if name := valueFrom(t, p.Support["0002"], 0); !strings.HasPrefix(string(name[3:]), p.Holder.Name) {
		t.Error("the first offset does not lead to the name")
	}
	if expiry := valueFrom(t, p.Surface["0002"], 7); string(expiry[3:11]) != p.Holder.Expiry {
		t.Errorf("the eighth offset of 確認 0002 leads to %X", expiry[:11])
	}
}

// valueFrom follows the n-th offset of an FF20 file.
func valueFrom(t *testing.T, file []byte, n int) []byte {
	t.Helper()
	value, err := iso7816.ParseTLV(file, 0xFF20)
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := iso7816.ReadTLV(value)
	if err != nil || table.Tag != 0xDF21 {
		t.Fatal("no table of offsets")
	}
	return file[binary.BigEndian.Uint16(table.Value[2*n:]):]
}

func TestAChildsCardHasNoSignatureCertificate(t *testing.T) {
	p := testPersonality()
	p.Signature = chip.CardCredential{Authority: p.Signature.Authority}
	c, err := chip.NewCard(p, new(chip.Volatile))
	if err != nil {
		t.Fatal(err)
	}
	play(t, c, []step{
		{selectJPKI, "9000"},
		{ef("0008"), "9000"}, {"00B0000000", "=008F00:9000"},
		{ef("001B"), "9000"}, {"00200080", "63C0"}, {verify(signaturePassword), "6984"},
		{ef("0001"), "9000"}, {"00B0000004", "6982"},
		{ef("0002"), "9000"}, {"00B0000004", "4:9000"},
	})
}
