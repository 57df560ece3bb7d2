package folder_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"

	"warifu"
	"warifu/sandbox/folder"
)

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	f, err := folder.Open(filepath.Join(t.TempDir(), "world"))
	if err != nil {
		t.Fatal(err)
	}
	sub, err := f.Sub("cards")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []int{1, 2} {
		if err := sub.WriteJSON("taro.json", v); err != nil {
			t.Fatal(err)
		}
	}
	var got int
	if there, err := sub.ReadJSON("taro.json", &got); err != nil || !there || got != 2 {
		t.Errorf("%d %v %v", got, there, err)
	}
	if there, err := sub.ReadJSON("hanako.json", &got); there || err != nil {
		t.Errorf("a missing file: %v %v", there, err)
	}
	if names, err := sub.Names(".json"); err != nil || len(names) != 1 || names[0] != "taro" {
		t.Errorf("%v %v", names, err)
	}
}

func TestADamagedFileIsNamed(t *testing.T) {
	f, _ := folder.Open(t.TempDir())
	if err := f.Write("taro.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	var v struct{}
	_, err := f.ReadJSON("taro.json", &v)
	if p := warifu.ProblemOf(err); p.Problem != "world-damaged" || p.Params["file"] != "taro.json" {
		t.Errorf("got %v", err)
	}
}

func TestKeysAreMadeOnce(t *testing.T) {
	f, _ := folder.Open(t.TempDir())
	made := 0
	make := func() (crypto.Signer, error) {
		made++
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	first, err := f.Key("root.key", make)
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.Key("root.key", make)
	if err != nil || made != 1 || !first.(*ecdsa.PrivateKey).Equal(second) {
		t.Errorf("made %d: %v", made, err)
	}
}

func TestNoNameLeavesTheFolder(t *testing.T) {
	f, _ := folder.Open(t.TempDir())
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, ".hidden", "c:"} {
		if err := f.Write(name, nil); !errors.Is(err, &warifu.Error{Problem: "world-damaged"}) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
