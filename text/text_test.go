package text_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"warifu"
	"warifu/text"
)

func TestEmbeddedCatalogueIsWhole(t *testing.T) {
	if err := text.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestLoadRefuses(t *testing.T) {
	const good = `["problem.a"]
title = { ja = "あ", en = "a" }
next = { ja = "い", en = "b" }
`
	cases := []struct{ name, file, want string }{
		{"not TOML", `["x`, "expected"},
		{"a key twice in a file", good + good, "already"},
		{"a key with capitals", `["problem.Abc"]` + "\n" + `title = { ja = "あ", en = "a" }` + "\n" + `next = { ja = "い", en = "b" }`, "lower-case"},
		{"an unknown field", good + `hint = { ja = "う", en = "c" }`, "unknown field"},
		{"no next step", `["problem.a"]` + "\n" + `title = { ja = "あ", en = "a" }`, "no next"},
		{"no English", `["x.y"]` + "\n" + `text = { ja = "あ" }`, "exactly the languages"},
		{"a third language", `["x.y"]` + "\n" + `text = { ja = "あ", en = "a", fr = "b" }`, "exactly the languages"},
		{"an empty sentence", `["x.y"]` + "\n" + `text = { ja = "あ", en = " " }`, "empty"},
		{"English where Japanese should be", `["x.y"]` + "\n" + `text = { ja = "abc", en = "a" }`, "no Japanese letter"},
		{"a parameter in one language only", `["x.y"]` + "\n" + `text = { ja = "あ{n}", en = "a" }`, "fills"},
		{"a half brace", `["x.y"]` + "\n" + `text = { ja = "あ{n", en = "a{n" }`, "brace"},
		{"a bare problem table", "[problem.a]\ntext = { ja = \"あ\", en = \"a\" }", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := text.Load(fstest.MapFS{"d/f.toml": {Data: []byte(c.file)}}, "d/*.toml")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("err = %v, want one that says %q", err, c.want)
			}
			if len(got.Keys()) != 0 {
				t.Fatalf("a refused file left %v behind", got.Keys())
			}
		})
	}
}

func TestLoadRefusesAKeyInTwoFiles(t *testing.T) {
	one := &fstest.MapFile{Data: []byte(`["x.y"]` + "\n" + `text = { ja = "あ", en = "a" }`)}
	c, err := text.Load(fstest.MapFS{"a.toml": one, "b.toml": one}, "*.toml")
	if err == nil || !strings.Contains(err.Error(), "b.toml: x.y") {
		t.Fatalf("err = %v", err)
	}
	if len(c.Keys()) != 1 {
		t.Fatalf("the first file should stand: %v", c.Keys())
	}
}

func TestMatch(t *testing.T) {
	cases := map[string]text.Lang{
		"": text.Japanese, "ja": text.Japanese, "ja-JP,ja;q=0.9,en;q=0.8": text.Japanese,
		"en-GB,en;q=0.9,ja;q=0.8": text.English, "en;q=0.1, ja": text.Japanese, "fr-FR, de": text.English,
		"fr, ja;q=0.2": text.Japanese, "*": text.Japanese, ";;;": text.Japanese,
		strings.Repeat("en,", 1000): text.Japanese,
	}
	for header, want := range cases {
		if got := text.Match(header); got != want {
			t.Errorf("Match(%.40q) = %s, want %s", header, got, want)
		}
	}
}

func TestProblemSpeaksBothLanguages(t *testing.T) {
	err := warifu.Invalid("kind-unknown", "kind", "passport")
	for _, l := range text.Languages {
		title, detail, next := text.Problem(err, l)
		if title == "" || next == "" || !strings.Contains(detail, "passport") {
			t.Errorf("%s: %q %q %q", l, title, detail, next)
		}
	}
}

func TestProblemWithoutEntrySpeaksForItsClass(t *testing.T) {
	codes := []warifu.Code{
		warifu.CodeInvalid, warifu.CodeUnauthenticated, warifu.CodeRefused, warifu.CodeNotFound, warifu.CodeConflict,
		warifu.CodeTooLarge, warifu.CodeTooMany, warifu.CodeUnavailable, warifu.CodeInternal,
	}
	for _, code := range codes {
		if !text.Has("code." + string(code)) {
			t.Errorf("no entry for class %s", code)
		}
		title, _, next := text.Problem(&warifu.Error{Code: code, Problem: "never-heard-of"}, text.English)
		if title == "" || next == "" || strings.Contains(title+next, "never-heard-of") {
			t.Errorf("%s: %q %q", code, title, next)
		}
	}
	if title, _, next := text.Problem(&warifu.Error{Code: "new", Problem: "x"}, "xx"); title == "" || next == "" {
		t.Error("an unknown class must speak too")
	}
}

func TestNoUnfilledBraceIsEverShown(t *testing.T) {
	for _, key := range text.Keys() {
		for _, l := range text.Languages {
			slug, isProblem := strings.CutPrefix(key, "problem.")
			said := text.Sentence(key, l, nil)
			if isProblem {
				title, detail, next := text.Problem(warifu.Refused(slug), l)
				said = title + detail + next
			}
			if strings.ContainsAny(said, "{}") {
				t.Errorf("%s %s shows a brace: %s", key, l, said)
			}
		}
	}
}

func TestParametersStayInTheirSentence(t *testing.T) {
	hostile := "a\nb\u202e{kind}\x00" + strings.Repeat("x", 1000)
	_, detail, _ := text.Problem(warifu.Invalid("kind-unknown", "kind", hostile), text.English)
	if strings.ContainsAny(detail, "\n\x00\u202e") || len(detail) > 500 || !strings.Contains(detail, "a b{kind}") {
		t.Errorf("detail = %q", detail)
	}
}

func TestWordsOfTheHouseAreSaidInTheReadersLanguage(t *testing.T) {
	err := warifu.Invalid("card-pin-format", "kind", "signature", "hint", "empty", "alphabet", "upper-digits", "length", "6–16")
	ja, detail, _ := text.Problem(err, text.Japanese)
	if !strings.Contains(ja, "署名用") || strings.Contains(detail, "upper") {
		t.Errorf("%q %q", ja, detail)
	}
	if en, _, _ := text.Problem(err, text.English); !strings.Contains(en, "signing") {
		t.Errorf("%q", en)
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte(`["x.y"]` + "\n" + `text = { ja = "あ{n}", en = "a{n}" }`))
	f.Add([]byte(`["problem.a"]` + "\n" + `title = { ja = "あ", en = "a" }` + "\n" + `next = { ja = "い", en = "b" }`))
	f.Add([]byte(`[a.b.c]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := text.ParseFile(b)
		if err != nil {
			return
		}
		for key, e := range entries {
			for field, byLang := range e {
				if len(byLang) != len(text.Languages) {
					t.Fatalf("%s.%s accepted with %d languages", key, field, len(byLang))
				}
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{"", "ja", "en-GB;q=0.2,*", "x-klingon", ",,,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if l := text.Match(s); l != text.Japanese && l != text.English {
			t.Fatalf("Match(%q) = %q", s, l)
		}
	})
}
