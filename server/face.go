package server

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"warifu/face"
	"warifu/text"
)

// FaceConfig is what people see around every page. It may be left out.
type FaceConfig struct {
	// Name stands beside the mark, in each language: { ja = "見本県 電子証明書", en = "Sample
	// Prefecture certificates" }; at most 40 characters. Empty: Warifu's own.
	Name WordsConfig `toml:"name"`
	// Band is the line above every page, which says what this is and whose; at most 200
	// characters. Empty: that this is a test system and not the government's.
	Band WordsConfig `toml:"band"`
}

// WordsConfig is one sentence in each language.
type WordsConfig struct {
	// Ja and En are the sentence in Japanese and in English.
	Ja string `toml:"ja"`
	En string `toml:"en"`
}

const (
	maxFaceName = 40
	maxBand     = 200
)

// faults names what is in one language alone, too long, or no line.
func (c FaceConfig) faults(must func(bool, string, ...any)) {
	check := func(field string, w WordsConfig, most int) {
		must((w.Ja == "") == (w.En == ""), "[face] %s is in one language alone", field)
		for _, s := range []string{w.Ja, w.En} {
			must(utf8.RuneCountInString(s) <= most, "[face] %s has more than %d characters", field, most)
			must(utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl), "[face] %s is not one line of text", field)
		}
	}
	check("name", c.Name, maxFaceName)
	check("band", c.Band, maxBand)
}

func (c FaceConfig) own() map[text.Lang]face.Own {
	return map[text.Lang]face.Own{text.Japanese: {Name: c.Name.Ja, Band: c.Band.Ja}, text.English: {Name: c.Name.En, Band: c.Band.En}}
}
