package jpki_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"warifu"
	"warifu/jpki"
)

// docs/card-facts.md §1.4: EF 0006, octet by octet where clients look.
func TestTokenInformationIsWhatClientsRead(t *testing.T) {
	info := jpki.TokenInfo{Label: jpki.LabelCard, Manufacturer: "00000000000000000000000000000001", Model: "E16R01NJ", Serial: "0000000020500003"}
	b := info.Bytes()
	if len(b) != 160 {
		t.Fatalf("%d octets", len(b))
	}
	if got := string(b[:32]); got != "JPKIAPICCTOKEN2"+strings.Repeat(" ", 17) {
		t.Errorf("label %q", got)
	}
	if string(b[96:100]) != "\x00\x00\x04\x0D" || string(b[116:124]) != "\x00\x00\x00\x10\x00\x00\x00\x06" {
		t.Errorf("flags %X, PIN lengths %X", b[96:100], b[116:124])
	}
	if string(b[140:]) != "0301"+strings.Repeat("9", 16) {
		t.Errorf("tail %q", b[140:])
	}
	again, err := jpki.ParseTokenInfo(b)
	if err != nil || again != info {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := jpki.ParseTokenInfo(b[:159]); err == nil {
		t.Error("159 octets were accepted")
	}
}

// docs/card-facts.md §1.7.
func TestSecretRules(t *testing.T) {
	for secret, want := range map[string][2]bool{ // signature, authentication
		"ABC123": {true, false}, "ABCDEFGHIJ012345": {true, false}, "ABCDEFGHIJ0123456": {false, false},
		"abc123": {false, false}, "1234": {false, true}, "123456": {true, false}, "12345": {false, false}, "12a4": {false, false}, "": {false, false},
	} {
		for i, kind := range warifu.Kinds {
			if got := jpki.RuleOf(kind).Allows([]byte(secret)); got != want[i] {
				t.Errorf("%s %q: %v", kind, secret, got)
			}
		}
	}
}

// The prefix of docs/card-facts.md §1.5.
func TestDigestInfo(t *testing.T) {
	digest := sha256.Sum256([]byte("x"))
	info := jpki.DigestInfoSHA256(digest)
	if got, ok := jpki.DigestOfInfo(info); !ok || got != digest || len(info) != 51 || info[0] != 0x30 || info[1] != 0x31 {
		t.Errorf("%X", info)
	}
	info[14]++
	if _, ok := jpki.DigestOfInfo(info); ok {
		t.Error("another algorithm was taken for SHA-256")
	}
}

func TestFilesOfAKind(t *testing.T) {
	s, a := warifu.Signature, warifu.Authentication
	for got, want := range map[jpki.FileID]jpki.FileID{
		jpki.CertificateFile(s): 0x0001, jpki.CAFile(s): 0x0002, jpki.KeyFile(s): 0x001A, jpki.SecretFile(s): 0x001B,
		jpki.CertificateFile(a): 0x000A, jpki.CAFile(a): 0x000B, jpki.KeyFile(a): 0x0017, jpki.SecretFile(a): 0x0018,
	} {
		if got != want {
			t.Errorf("%04X, want %04X", got, want)
		}
	}
	if jpki.FileSignatureKey.Short() != 0x1A {
		t.Error("the short identifier is not the five low bits")
	}
}

func FuzzParseTokenInfo(f *testing.F) {
	f.Add(jpki.TokenInfo{Label: jpki.LabelPhone, Serial: "1"}.Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := jpki.ParseTokenInfo(b)
		if err != nil {
			return
		}
		if again, err := jpki.ParseTokenInfo(info.Bytes()); err != nil || again != info {
			t.Fatalf("%+v became %+v, %v", info, again, err)
		}
	})
}
