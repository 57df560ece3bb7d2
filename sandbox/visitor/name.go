package visitor

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// variants are other writings of characters common in names. A certificate has a substitute
// where its character set lacks the register's (外字), and people type what their keyboard
// has; neither makes another person.
var variants = strings.NewReplacer(
	"髙", "高", "﨑", "崎", "嵜", "崎", "邊", "辺", "邉", "辺", "齋", "斎", "齊", "斎", "斉", "斎", "澤", "沢", "濵", "浜", "濱", "浜",
	"廣", "広", "國", "国", "德", "徳", "惠", "恵", "眞", "真", "櫻", "桜", "龍", "竜", "嶋", "島", "嶌", "島", "𠮷", "吉", "瀨", "瀬",
)

// PlainName brings a name into the form in which names are compared: compatibility forms
// folded (NFKC), variation selectors, spaces and dots left out, capitals, common variants of
// characters made one. It is for comparing alone and never shown.
func PlainName(name string) string {
	folded := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '・' || r == '.' || r == ',' || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF {
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFKC.String(name))
	return variants.Replace(folded)
}

// SameName reports whether two writings may be the name of one person. substitution is of
// the certificate's name: a 1 for every character put in the place of one it could not hold;
// such a character matches any one other.
func SameName(certificate, substitution, typed string) bool {
	a, b := []rune(PlainName(certificate)), []rune(PlainName(typed))
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	any := wild(certificate, substitution)
	for i := range a {
		if a[i] != b[i] && (i >= len(any) || !any[i]) {
			return false
		}
	}
	return true
}

// wild says for each character of PlainName(certificate) whether it is a substitute; nil
// where the two do not go together character by character.
func wild(certificate, substitution string) []bool {
	var out []bool
	i := 0
	for _, r := range certificate {
		n := len([]rune(PlainName(string(r))))
		if i >= len(substitution) || n > 1 {
			return nil
		}
		if n == 1 {
			out = append(out, substitution[i] == '1')
		}
		i++
	}
	return out
}
