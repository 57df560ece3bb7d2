package keystore_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warifu"
	"warifu/keystore"
)

func problem(slug string) error { return &warifu.Error{Problem: slug} }

func open(t *testing.T, dir, passphrase string) *keystore.Store {
	t.Helper()
	s, err := keystore.Open(dir, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeysOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, "correct horse")
	for _, algorithm := range []string{keystore.RSA2048, keystore.P256} {
		if _, err := s.Generate("ca-"+algorithm, algorithm); err != nil {
			t.Fatal(err)
		}
	}
	k, err := s.GenerateSymmetric("serial-1", 128)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := k.CMAC([]byte("message"))

	again := open(t, dir, "correct horse")
	digest := sha256.Sum256([]byte("message"))
	for _, algorithm := range []string{keystore.RSA2048, keystore.P256} {
		key, err := again.Signer("ca-" + algorithm)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := s.Signer("ca-" + algorithm)
		switch public := before.Public().(type) {
		case *rsa.PublicKey:
			err = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
		case *ecdsa.PublicKey:
			if !ecdsa.VerifyASN1(public, digest[:], signature) {
				err = errors.New("wrong signature")
			}
		}
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	k2, err := again.Symmetric("serial-1")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := k2.CMAC([]byte("message")); !bytes.Equal(got, want) {
		t.Error("the symmetric key came back as another")
	}
	names, err := again.Names()
	if err != nil || strings.Join(names, " ") != "ca-p-256 ca-rsa-2048 serial-1" {
		t.Errorf("Names = %v %v", names, err)
	}
}

// A folder for a passphrase that was drawn asks for less, and is opened as any other is; one
// that somebody thought of is hashed for long, whoever opens it.
func TestADrawnPassphraseIsNotHashedForLong(t *testing.T) {
	for passphrase, want := range map[string]string{rand.Text(): `"memoryKiB": 8192`, "thought of": `"memoryKiB": 65536`} {
		dir := t.TempDir()
		made, err := keystore.OpenDrawn(dir, []byte(passphrase))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := made.Generate("ca", keystore.P256); err != nil {
			t.Fatal(err)
		}
		if header, err := os.ReadFile(filepath.Join(dir, "keystore.json")); err != nil || !strings.Contains(string(header), want) {
			t.Errorf("%s: %s %v", passphrase, header, err)
		}
		if names, err := open(t, dir, passphrase).Names(); err != nil || len(names) != 1 {
			t.Errorf("%s: %v %v", passphrase, names, err)
		}
		if _, err := keystore.OpenDrawn(dir, []byte(passphrase+"x")); !errors.Is(err, problem("keystore-passphrase-wrong")) {
			t.Error(err)
		}
	}
}

func TestAWrongPassphraseIsSaidPlainly(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, "right")
	if _, err := keystore.Open(dir, []byte("wrong")); !errors.Is(err, problem("keystore-passphrase-wrong")) {
		t.Error(err)
	}
	if _, err := keystore.Open(dir, nil); !errors.Is(err, problem("keystore-passphrase-missing")) {
		t.Error(err)
	}
}

func TestDamageIsFoundAndNamed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, "p")
	if _, err := s.Generate("one", keystore.P256); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Generate("two", keystore.P256); err != nil {
		t.Fatal(err)
	}
	one, _ := os.ReadFile(filepath.Join(dir, "one.key"))
	for name, octets := range map[string][]byte{
		"flipped": append(bytes.Clone(one[:len(one)-1]), one[len(one)-1]^1), "cut": one[:20], "empty": {}, "long": make([]byte, 1<<17),
	} {
		if err := os.WriteFile(filepath.Join(dir, "two.key"), octets, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, dir, "p").Signer("two"); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "two.key"), one, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir, "p").Signer("two"); !errors.Is(err, problem("key-damaged")) {
		t.Errorf("one key serves as another: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "keystore.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := keystore.Open(dir, []byte("p")); !errors.Is(err, problem("keystore-damaged")) {
		t.Errorf("a new header was written over old keys: %v", err)
	}
}

func TestAHeaderFromElsewhereCannotAskForEverything(t *testing.T) {
	for name, text := range map[string]string{
		"memory":   `{"version":1,"kdf":"argon2id","time":1,"memoryKiB":4294967295,"threads":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}`,
		"time":     `{"version":1,"kdf":"argon2id","time":4294967295,"memoryKiB":8192,"threads":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}`,
		"no salt":  `{"version":1,"kdf":"argon2id","time":1,"memoryKiB":8192,"threads":1}`,
		"zero":     `{}`,
		"not JSON": `keys`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "keystore.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := keystore.Open(dir, []byte("p")); !errors.Is(err, problem("keystore-damaged")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestANameIsUsedOnceAndIsNoPath(t *testing.T) {
	s, err := keystore.Memory()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.GenerateSymmetric("k", 256); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Generate("k", keystore.P256); !errors.Is(err, problem("key-exists")) {
		t.Error(err)
	}
	if _, err := s.Signer("k"); !errors.Is(err, problem("key-of-other-purpose")) {
		t.Error(err)
	}
	if _, err := s.Signer("absent"); !errors.Is(err, problem("key-unknown")) {
		t.Error(err)
	}
	for _, name := range []string{"", "../k", "K", "a b", "a/b", "-a", strings.Repeat("a", 65)} {
		if _, err := s.GenerateSymmetric(name, 128); !errors.Is(err, problem("key-name-malformed")) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if there, err := s.Has("k"); !there || err != nil {
		t.Error(there, err)
	}
}

func TestNothingOfAKeyIsPrinted(t *testing.T) {
	octets := []byte("SIXTEEN-OCTETS!!")
	k, err := keystore.NewSymmetricKey(octets)
	if err != nil {
		t.Fatal(err)
	}
	s, err := keystore.Memory()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := s.Generate("ca", keystore.P256)
	if err != nil {
		t.Fatal(err)
	}
	encoded, _ := json.Marshal(map[string]any{"k": k})
	for _, out := range []string{fmt.Sprintf("%v %+v %#v %s %x %q %d", k, k, k, k, k, k, k), fmt.Sprintf("%v %#v", s, s), string(encoded), fmt.Sprintf("%v %+v %#v", signer, signer, signer)} {
		if strings.Contains(out, "SIXTEEN") || strings.Contains(out, hex.EncodeToString(octets[:4])) || strings.Contains(out, "83 73") || strings.Contains(out, "PrivateKey") {
			t.Error(out)
		}
	}
}

func TestASignerSignsSHA256Only(t *testing.T) {
	s, err := keystore.Memory()
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.Generate("ca", keystore.P256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Sign(rand.Reader, make([]byte, 20), crypto.SHA1); err == nil {
		t.Error("signed SHA-1")
	}
}

// RFC 4493 §4.
func TestCMACVectors(t *testing.T) {
	key, _ := hex.DecodeString("2b7e151628aed2a6abf7158809cf4f3c")
	message, _ := hex.DecodeString("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	k, err := keystore.NewSymmetricKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for length, want := range map[int]string{
		0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		got, _ := k.CMAC(message[:length])
		if hex.EncodeToString(got) != want {
			t.Errorf("CMAC of %d octets = %x", length, got)
		}
	}
}

func TestDerivedKeysDiffer(t *testing.T) {
	master := bytes.Repeat([]byte{7}, 16)
	k, err := keystore.NewSymmetricKey(master)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, label := range []string{"enc", "mac", "dek"} {
		for _, context := range []string{"", "a", "b"} {
			for _, bits := range []int{128, 256} {
				d, err := k.Derive(label, []byte(context), bits)
				if err != nil || d.Bits() != bits {
					t.Fatal(d.Bits(), err)
				}
				tag, _ := d.CMAC(nil)
				name := fmt.Sprint(label, "/", context, "/", bits)
				if was, ok := seen[string(tag)]; ok {
					t.Errorf("%s and %s are one key", was, name)
				}
				seen[string(tag)] = name
				octets, err := keystore.DeriveOctets(master, label, []byte(context), bits)
				if err != nil {
					t.Fatal(err)
				}
				block, _ := aes.NewCipher(octets)
				var x [16]byte
				block.Encrypt(x[:], x[:])
				if x != d.EncryptBlock([16]byte{}) || d.DecryptBlock(x) != ([16]byte{}) {
					t.Errorf("%s: DeriveOctets and Derive differ", name)
				}
			}
		}
	}
}

func TestSealedOctetsOpenOnlyWhole(t *testing.T) {
	k, err := keystore.NewSymmetricKey(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Seal([]byte("plain"), []byte("aad"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := k.Open(sealed, []byte("aad")); err != nil || string(plain) != "plain" {
		t.Error(string(plain), err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := k.Open(bad, []byte("aad")); err == nil {
			t.Errorf("octet %d may be flipped", i)
		}
	}
	if _, err := k.Open(sealed, []byte("other")); err == nil {
		t.Error("opens with other additional data")
	}
	if _, err := k.Open(nil, nil); err == nil {
		t.Error("opens nothing")
	}
	a, _ := k.HMAC([]byte("x"))
	b, _ := k.Index([]byte("x"))
	if bytes.Equal(a, b) {
		t.Error("HMAC and Index share a key")
	}
}

func FuzzAKeyFileFromElsewhere(f *testing.F) {
	dir := f.TempDir()
	s, err := keystore.Open(dir, []byte("p"))
	if err != nil {
		f.Fatal(err)
	}
	if _, err := s.GenerateSymmetric("k", 128); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(dir, "k.key"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("WKEY1K"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		if bytes.Equal(octets, good) {
			return
		}
		if err := os.WriteFile(filepath.Join(dir, "x.key"), octets, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Symmetric("x"); err == nil {
			t.Error("opened what was never sealed")
		}
	})
}
