package persona

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"warifu"
)

// Persona is a name that was read: a person and the steps that lead to the state.
type Persona struct {
	Person string
	Kinds  []warifu.Kind // registered on the phone; none where there is no phone
	Steps  []Step        // in the order in which they are carried out
}

// Step is one word.
type Step struct {
	Word  string
	Kinds []warifu.Kind // of which it speaks, in order; none for a word without kinds
	Left  int           // of a locks word: the tries that are left
	named bool          // the kind was written
}

// Bounds.
const (
	maxName  = 200
	maxWords = 8
)

var (
	personForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	leftForm   = regexp.MustCompile(`^(pin|password)([0-9])left$`)
)

// tries before each secret locks (K14); with all of them left there is nothing to make.
var tries = map[warifu.Kind]int{warifu.Signature: 5, warifu.Authentication: 3}

// String is the one way in which a persona is written: words in the order in which they are
// carried out, "phone" only where it stands alone.
func (p Persona) String() string {
	parts := []string{p.Person}
	for _, s := range p.Steps {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, "+")
}

// String writes a step as in a name.
func (s Step) String() string {
	switch {
	case s.Word == pinLeft || s.Word == passLeft:
		return fmt.Sprintf("%s%dleft", s.Word, s.Left)
	case s.named:
		return s.Word + "@" + s.Kinds[0].String()
	}
	return s.Word
}

// Parse reads "person+word+word@kind". The order of the words does not matter. Errors:
// Invalid "persona-malformed"; "persona-word-unknown"; "persona-word-kind" where a kind is
// named that the word cannot have; "persona-contradiction" with the word that cannot be true
// together with another.
func Parse(name string) (Persona, error) {
	parts := strings.Split(name, "+")
	if len(name) > maxName || len(parts) > maxWords+1 || !personForm.MatchString(parts[0]) {
		return Persona{}, warifu.Invalid("persona-malformed")
	}
	p := Persona{Person: parts[0]}
	for _, word := range parts[1:] {
		s, err := parseStep(word)
		if err != nil {
			return Persona{}, err
		}
		p.Steps = append(p.Steps, s)
	}
	slices.SortStableFunc(p.Steps, func(a, b Step) int { return place(a) - place(b) })
	if err := p.settle(); err != nil {
		return Persona{}, err
	}
	return p, nil
}

// place is a step's in the order; of one word, the signature's comes first.
func place(s Step) int {
	at := slices.IndexFunc(rules, func(r rule) bool { return r.word == s.Word }) * 4
	if s.named {
		at += 1 + slices.Index(warifu.Kinds[:], s.Kinds[0])
	}
	return at
}

func ruleOf(word string) (rule, bool) {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.word == word })
	if i < 0 {
		return rule{}, false
	}
	return rules[i], true
}

func parseStep(written string) (Step, error) {
	if m := leftForm.FindStringSubmatch(written); m != nil {
		r, _ := ruleOf(m[1])
		left, err := strconv.Atoi(m[2])
		if most := tries[r.kinds[0]] - 1; err != nil || left < 1 || left > most {
			return Step{}, warifu.Invalid("persona-word-range", "word", written, "most", strconv.Itoa(most))
		}
		return Step{Word: m[1], Kinds: r.kinds, Left: left}, nil
	}
	word, kind, named := strings.Cut(written, "@")
	r, ok := ruleOf(word)
	if !ok || word == pinLeft || word == passLeft {
		return Step{}, warifu.Invalid("persona-word-unknown", "word", written)
	}
	s := Step{Word: word, Kinds: r.kinds, named: named}
	if !named {
		return s, nil
	}
	k, err := warifu.ParseKind(kind)
	if err != nil || !r.choose {
		return Step{}, warifu.Invalid("persona-word-kind", "word", written)
	}
	s.Kinds = []warifu.Kind{k}
	return s, nil
}

// fate is what the kinds have become, word by word.
type fate struct {
	over, held, tried map[warifu.Kind]bool
	sorts             [locks + 1]bool // of the words so far
}

// settle goes through the words in order and keeps what each kind has become: a word without
// a kind speaks of all that it still can; one that can speak of none contradicts.
func (p *Persona) settle() error {
	f := fate{map[warifu.Kind]bool{}, map[warifu.Kind]bool{}, map[warifu.Kind]bool{}, [locks + 1]bool{}}
	for i := range p.Steps {
		s := &p.Steps[i]
		r, _ := ruleOf(s.Word)
		if f.sorts[waits] || i > 0 && s.String() == p.Steps[i-1].String() || !f.take(s, r) {
			return warifu.Invalid("persona-contradiction", "word", s.String())
		}
		f.sorts[r.sort] = true
		if r.sort == shapes {
			continue
		}
		if p.Kinds == nil {
			p.Kinds = f.registered(*s, r)
		}
	}
	switch {
	case len(p.Steps) == 0:
		return nil
	case p.Kinds == nil:
		p.Kinds = f.registered(Step{}, rule{})
	}
	if len(p.Steps) > 1 { // every other word implies a phone
		p.Steps = slices.DeleteFunc(p.Steps, func(s Step) bool { return s.Word == Phone })
	}
	return nil
}

// take lets a word have its effect on the kinds of which it can still be true, and reports
// whether there are any.
func (f *fate) take(s *Step, r rule) bool {
	can := slices.DeleteFunc(slices.Clone(s.Kinds), func(k warifu.Kind) bool {
		return f.over[k] || f.held[k] && (s.Word == Hold || s.Word == Repair || s.Word == Revoked) || f.tried[k] && r.sort == locks
	})
	switch {
	case s.Kinds != nil && len(can) == 0:
		return false
	case s.Word == Superseded && (f.sorts[holds] || f.sorts[ends] || f.sorts[locks]):
		return false // another phone is registered with a card and a life that are good
	}
	s.Kinds = can
	for _, k := range can {
		switch r.sort {
		case shapes, ends:
			f.over[k] = true
		case holds:
			f.held[k] = true
		case locks:
			f.tried[k] = true
		}
	}
	return !(r.sort == shapes && f.over[warifu.Signature] && f.over[warifu.Authentication])
}

// registered is what is on the phone before the first word that changes it: what is not left
// out, with what that word has just ended.
func (f *fate) registered(s Step, r rule) []warifu.Kind {
	var out []warifu.Kind
	for _, k := range warifu.Kinds {
		if !f.over[k] || r.sort == ends && slices.Contains(s.Kinds, k) {
			out = append(out, k)
		}
	}
	return out
}
