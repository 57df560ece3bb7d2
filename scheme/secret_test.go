package scheme_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"warifu"
	"warifu/text"
)

func TestK7FoldsBeforeATryIsSpent(t *testing.T) {
	s := shipped(t, "jp-mobile")
	for _, c := range []struct {
		kind        warifu.Kind
		typed, want string
	}{
		{warifu.Signature, "ABC123", "ABC123"},
		{warifu.Signature, "abc123", "ABC123"},
		{warifu.Signature, "aBc123", "ABC123"},
		{warifu.Signature, "ａｂｃ１２３", "ABC123"},
		{warifu.Signature, "ＡbC１2３", "ABC123"},
		{warifu.Signature, "123456", "123456"},
		{warifu.Signature, "ABCDEFGHIJ012345", "ABCDEFGHIJ012345"},
		{warifu.Authentication, "1234", "1234"},
		{warifu.Authentication, "１２３４", "1234"},
	} {
		if got, err := s.FoldSecret(c.kind, c.typed); err != nil || got != c.want {
			t.Errorf("FoldSecret(%v, %q) = %q, %v", c.kind, c.typed, got, err)
		}
		if got, err := s.FoldCardPIN(c.kind, c.typed); err != nil || got != c.want {
			t.Errorf("FoldCardPIN(%v, %q) = %q, %v", c.kind, c.typed, got, err)
		}
	}
}

func TestK7RefusesWhatCanNeverBeValid(t *testing.T) {
	s := shipped(t, "jp-mobile")
	for _, c := range []struct {
		kind        warifu.Kind
		typed, hint string
	}{
		{warifu.Signature, "", "empty"},
		{warifu.Signature, "1234", "looks-like-pin"},
		{warifu.Signature, "１２３４", "looks-like-pin"},
		{warifu.Signature, "ABC12", "too-short"},
		{warifu.Signature, "ABCDEFGHIJKLMNOPQ", "too-long"},
		{warifu.Signature, strings.Repeat("A", 10000), "too-long"},
		{warifu.Signature, "ABC 123", "other-characters"},
		{warifu.Signature, "ABC123 ", "other-characters"},
		{warifu.Signature, "ABC-123", "other-characters"},
		{warifu.Signature, "あいうえおか", "other-characters"},
		{warifu.Signature, "ſafety1", "other-characters"},
		{warifu.Signature, "ıstanbul", "other-characters"},
		{warifu.Signature, "①②③④⑤⑥", "other-characters"},
		{warifu.Signature, "ABC\x00123", "other-characters"},
		{warifu.Signature, "ABC\xff123", "other-characters"},
		{warifu.Authentication, "", "empty"},
		{warifu.Authentication, "123", "too-short"},
		{warifu.Authentication, "12345", "too-long"},
		{warifu.Authentication, "12a4", "other-characters"},
		{warifu.Authentication, "١٢٣٤", "other-characters"},
		{warifu.Authentication, "abc123", "looks-like-password"},
		{warifu.Authentication, "123456789012", "looks-like-card-number"},
		{warifu.Authentication, "12345678901234", "looks-like-card-number"},
	} {
		for problem, fold := range map[string]func(warifu.Kind, string) (string, error){"secret-format": s.FoldSecret, "card-pin-format": s.FoldCardPIN} {
			got, err := fold(c.kind, c.typed)
			p := warifu.ProblemOf(err)
			if got != "" || p == nil || p.Problem != problem || p.Params["hint"] != c.hint || p.Params["kind"] != c.kind.String() {
				t.Errorf("%s %v %.30q: %q, %v; want hint %s", problem, c.kind, c.typed, got, err, c.hint)
			}
		}
	}
	if _, err := s.FoldSecret(9, "1234"); !errors.Is(err, &warifu.Error{Problem: "kind-unknown"}) {
		t.Errorf("a third kind: %v", err)
	}
}

func TestNoProblemEchoesASecret(t *testing.T) {
	s := shipped(t, "jp-mobile")
	rapid.Check(t, func(rt *rapid.T) {
		typed := "canary" + rapid.String().Draw(rt, "typed") + "!"
		_, err := s.FoldSecret(rapid.SampledFrom(warifu.Kinds[:]).Draw(rt, "kind"), typed)
		if err == nil {
			rt.Fatal("accepted")
		}
		said := fmt.Sprintf("%v %+v", err, err)
		for _, l := range text.Languages {
			title, detail, next := text.Problem(warifu.ProblemOf(err), l)
			said += title + detail + next
		}
		if strings.Contains(said, "canary") {
			rt.Fatalf("%q", said)
		}
	})
}

func TestEveryHintIsAWord(t *testing.T) {
	for _, hint := range []string{"empty", "looks-like-pin", "looks-like-password", "looks-like-card-number", "other-characters", "too-short", "too-long"} {
		if !text.Has("word.hint." + hint) {
			t.Errorf("no words for the hint %s", hint)
		}
	}
}

func TestR28TheTwoPasswordsAreNamed(t *testing.T) {
	s := shipped(t, "jp-mobile")
	_, phone := s.ActivationSecret(warifu.Signature, "12")
	_, card := s.CardPIN(warifu.Signature, "12")
	for err, want := range map[error]string{phone: "スマートフォンの署名用", card: "カードの署名用"} {
		if title, _, _ := text.Problem(warifu.ProblemOf(err), text.Japanese); !strings.Contains(title, want) {
			t.Errorf("%q does not say %s", title, want)
		}
	}
}

func TestSecretsComeOutAsTheirOwnTypes(t *testing.T) {
	s := shipped(t, "jp-mobile")
	phone, err := s.ActivationSecret(warifu.Authentication, "１２３４")
	if err != nil || string(phone.Reveal()) != "1234" {
		t.Errorf("%v", err)
	}
	card, err := s.CardPIN(warifu.Signature, "abc123")
	if err != nil || string(card.Reveal()) != "ABC123" {
		t.Errorf("%v", err)
	}
}

func FuzzFoldSecret(f *testing.F) {
	for _, typed := range []string{"abc123", "１２３４", "ſſſſſſ", "\xff", ""} {
		f.Add(typed)
	}
	s := shipped(f, "jp-mobile")
	f.Fuzz(func(t *testing.T, typed string) {
		for _, k := range warifu.Kinds {
			folded, err := s.FoldSecret(k, typed)
			if err != nil {
				continue
			}
			form := s.Secrets.Of(k)
			again, err := s.FoldSecret(k, folded)
			if !form.Valid(folded) || err != nil || again != folded || utf8.RuneCountInString(typed) != len(folded) {
				t.Fatalf("%q folded to %q", typed, folded)
			}
		}
	})
}
