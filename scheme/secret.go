package scheme

import (
	"fmt"
	"strings"

	"golang.org/x/text/width"

	"warifu"
)

// Alphabet is the set of characters that a secret is made of.
type Alphabet string

// The alphabets.
const (
	Digits      Alphabet = "digits"       // 0–9
	UpperDigits Alphabet = "upper-digits" // A–Z and 0–9; lower case is folded up (K7)
)

// Form is what a secret looks like: R25 for the card's, R26 and R27 for the phone's.
type Form struct {
	Min, Max int // characters
	Alphabet Alphabet
}

// Secrets holds the form of each kind's phone secret.
type Secrets struct{ Signature, Authentication Form }

// Of returns the form of the kind's secret.
func (s Secrets) Of(k warifu.Kind) Form {
	if k == warifu.Signature {
		return s.Signature
	}
	return s.Authentication
}

// CardForms are the forms of the card's own secrets (R25), the same in every scheme:
// the card is not ours to change.
var CardForms = Secrets{
	Signature:      Form{6, 16, UpperDigits},
	Authentication: Form{4, 4, Digits},
}

// FoldSecret folds what a person typed as the phone's secret of the kind (K7: full
// width to half width, and lower case to upper case where the alphabet has upper
// case only) and refuses what can never be a valid one, so that no try is spent on
// it. The error, Invalid "secret-format", carries what form is wanted and a hint at
// what was mistaken, and nothing of what was typed.
func (s *Scheme) FoldSecret(k warifu.Kind, typed string) (string, error) {
	if !k.Valid() {
		return "", warifu.Invalid("kind-unknown", "kind", k.String())
	}
	folded, hint := s.Secrets.Of(k).read(typed)
	if hint != "" {
		return "", warifu.Invalid("secret-format", s.Secrets.Of(k).wanted(k, hint)...)
	}
	return folded, nil
}

// FoldCardPIN does the same for the card's secret; the error is Invalid "card-pin-format".
func (s *Scheme) FoldCardPIN(k warifu.Kind, typed string) (string, error) {
	if !k.Valid() {
		return "", warifu.Invalid("kind-unknown", "kind", k.String())
	}
	folded, hint := CardForms.Of(k).read(typed)
	if hint != "" {
		return "", warifu.Invalid("card-pin-format", CardForms.Of(k).wanted(k, hint)...)
	}
	return folded, nil
}

// ActivationSecret folds and wraps what was typed as the phone's secret.
func (s *Scheme) ActivationSecret(k warifu.Kind, typed string) (warifu.ActivationSecret, error) {
	folded, err := s.FoldSecret(k, typed)
	if err != nil {
		return warifu.ActivationSecret{}, err
	}
	return warifu.NewActivationSecret([]byte(folded)), nil
}

// CardPIN folds and wraps what was typed as the card's secret.
func (s *Scheme) CardPIN(k warifu.Kind, typed string) (warifu.CardPIN, error) {
	folded, err := s.FoldCardPIN(k, typed)
	if err != nil {
		return warifu.CardPIN{}, err
	}
	return warifu.NewCardPIN([]byte(folded)), nil
}

// maxTyped bounds what is looked at: the longest secret in full width is 48 octets.
const maxTyped = 256

// read folds what was typed; hint says what is wrong with it, "" when nothing is.
func (f Form) read(typed string) (folded, hint string) {
	if len(typed) > maxTyped {
		return "", "too-long"
	}
	folded = f.Fold(typed)
	return folded, f.hint(folded)
}

// wanted returns the parameters of a refusal: which secret, what form, what was mistaken.
func (f Form) wanted(k warifu.Kind, hint string) []string {
	return []string{"kind", k.String(), "hint", hint, "alphabet", string(f.Alphabet), "length", f.length()}
}

// Fold brings full-width characters to half width and, where the alphabet has only
// upper case, a–z to A–Z. Nothing else is changed: no spaces are cut, and letters
// that only upper-case into ASCII (ı, ſ) stay what they are, hence refused.
func (f Form) Fold(typed string) string {
	s := width.Fold.String(typed)
	if f.Alphabet != UpperDigits {
		return s
	}
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// Valid reports whether a folded secret has the form.
func (f Form) Valid(folded string) bool { return f.hint(folded) == "" }

// hint names what is wrong with a folded secret, "" when nothing is. The hints are
// words of the text catalogue ("word.hint.…") and say nothing of the characters.
func (f Form) hint(s string) string {
	switch {
	case s == "":
		return "empty"
	case f.Alphabet == UpperDigits && len(s) == 4 && only(s, Digits):
		return "looks-like-pin" // the four digits of the other kind
	case f.Alphabet == Digits && (len(s) == 12 || len(s) == 14) && only(s, Digits):
		return "looks-like-card-number" // 個人番号, or 照合番号B (docs/card-facts.md §1.4)
	case f.Alphabet == Digits && !only(s, Digits) && only(upper(s), UpperDigits) && len(s) >= 6 && len(s) <= 16:
		return "looks-like-password" // the letters and digits of the other kind
	case !only(s, f.Alphabet):
		return "other-characters"
	case len(s) < f.Min:
		return "too-short"
	case len(s) > f.Max:
		return "too-long"
	}
	return ""
}

func upper(s string) string { return Form{Alphabet: UpperDigits}.Fold(s) }

func only(s string, a Alphabet) bool {
	for _, r := range s {
		digit, letter := '0' <= r && r <= '9', 'A' <= r && r <= 'Z'
		if !digit && !(letter && a == UpperDigits) {
			return false
		}
	}
	return true
}

func (f Form) length() string {
	if f.Min == f.Max {
		return fmt.Sprint(f.Min)
	}
	return fmt.Sprintf("%d–%d", f.Min, f.Max)
}
