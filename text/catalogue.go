package text

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/BurntSushi/toml"
)

//go:embed catalogue/*.toml
var files embed.FS

// Entry is what stands under one key: field name → language → sentence.
type Entry map[string]map[Lang]string

// Catalogue is a set of entries by key.
type Catalogue struct {
	entries map[string]Entry
	err     error // what Load refused
}

var embedded = sync.OnceValue(func() *Catalogue {
	c, err := Load(files, "catalogue/*.toml")
	c.err = err
	return c
})

// lastResort speaks when even the class has no entry, which only a broken catalogue brings about.
var lastResort = Entry{
	"title": {Japanese: "処理を完了できませんでした", English: "This could not be done"},
	"next":  {Japanese: "しばらくしてから、もう一度お試しください。", English: "Please try again in a little while."},
}

// keyForm allows camel case in the middle, where a word's parameter name stands.
var keyForm = regexp.MustCompile(`^[a-z][a-z0-9]*(\.[a-z][a-zA-Z0-9]*)*\.[a-z0-9]+(-[a-z0-9]+)*$`)

// Load reads the files of fsys that match pattern. It refuses, file by file and
// naming the key: what is not TOML, duplicate keys within and across files, unknown
// fields, a missing or extra language, an empty sentence, a malformed brace, and
// parameters that differ between the languages. The catalogue it returns holds the
// files that were whole, each key as the first of them has it; the error joins
// everything refused.
func Load(fsys fs.FS, pattern string) (*Catalogue, error) {
	c := &Catalogue{entries: map[string]Entry{}}
	names, err := fs.Glob(fsys, pattern)
	if err != nil {
		return c, err
	}
	var refused []error
	for _, name := range names {
		entries, err := loadFile(fsys, name)
		if err == nil {
			err = c.add(entries)
		}
		if err != nil {
			refused = append(refused, fmt.Errorf("%s: %w", path.Base(name), err))
		}
	}
	return c, errors.Join(refused...)
}

func loadFile(fsys fs.FS, name string) (map[string]Entry, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	return ParseFile(b)
}

// ParseFile reads one catalogue file, under the rules of Load.
func ParseFile(file []byte) (map[string]Entry, error) {
	entries := map[string]Entry{}
	if _, err := toml.Decode(string(file), &entries); err != nil {
		return nil, err
	}
	var refused []error
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if err := checkEntry(key, entries[key]); err != nil {
			refused = append(refused, fmt.Errorf("%s: %w", key, err))
		}
	}
	return entries, errors.Join(refused...)
}

// add takes the entries whose keys no earlier file has, and names the others.
func (c *Catalogue) add(entries map[string]Entry) error {
	var twice []error
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if _, ok := c.entries[key]; ok {
			twice = append(twice, fmt.Errorf("%s: stands in another file too", key))
			continue
		}
		c.entries[key] = entries[key]
	}
	return errors.Join(twice...)
}

// fieldsOf returns the fields an entry must have and those it may have.
func fieldsOf(key string) (must, may []string) {
	if strings.HasPrefix(key, "problem.") || strings.HasPrefix(key, "code.") {
		return []string{"title", "next"}, []string{"detail"}
	}
	return []string{"text"}, nil
}

func checkEntry(key string, e Entry) error {
	if !keyForm.MatchString(key) {
		return errors.New("a key is lower-case words joined by dots and hyphens")
	}
	must, may := fieldsOf(key)
	for _, f := range must {
		if e[f] == nil {
			return fmt.Errorf("no %s", f)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(e)) {
		if !slices.Contains(must, f) && !slices.Contains(may, f) {
			return fmt.Errorf("unknown field %q", f)
		}
		if err := checkField(e[f]); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	return nil
}

func checkField(f map[Lang]string) error {
	if len(f) != len(Languages) {
		return fmt.Errorf("wants exactly the languages %v", Languages)
	}
	for _, l := range Languages {
		if strings.TrimSpace(f[l]) == "" {
			return fmt.Errorf("%s is empty", l)
		}
		if err := checkBraces(f[l]); err != nil {
			return fmt.Errorf("%s: %w", l, err)
		}
	}
	if !speaksJapanese(f[Japanese]) {
		return errors.New("ja has no Japanese letter")
	}
	if ja, en := Params(f[Japanese]), Params(f[English]); !slices.Equal(ja, en) {
		return fmt.Errorf("ja fills %v, en fills %v", ja, en)
	}
	return nil
}

// speaksJapanese reports whether s has a kana or kanji, or no letter outside braces at
// all (a sentence that is a parameter alone is as good in every language).
func speaksJapanese(s string) bool {
	rest := braces.ReplaceAllString(s, "")
	return strings.ContainsFunc(rest, func(r rune) bool {
		return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han)
	}) || !strings.ContainsFunc(rest, unicode.IsLetter)
}
