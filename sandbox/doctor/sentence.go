package doctor

import (
	"strings"

	"warifu/text"
)

// Title is what the case tries, in the reader's language.
func (c Case) Title(l text.Lang) string { return text.Sentence("doctor.case."+c.ID, l, nil) }

// Mend is what to do where the case does not hold.
func (c Case) Mend(l text.Lang) string { return text.Sentence("doctor.mend."+c.ID, l, nil) }

// In is the note in the reader's language.
func (n Note) In(l text.Lang) string { return text.Sentence("doctor.seen."+n.Key, l, n.Params) }

// Seen is all that was seen, in the reader's language.
func (f Finding) Seen(l text.Lang) string {
	said := make([]string, len(f.Notes))
	for i, n := range f.Notes {
		said[i] = n.In(l)
	}
	return strings.Join(said, " ")
}

// Word is the outcome in the reader's language.
func (o Outcome) Word(l text.Lang) string { return text.Sentence("doctor.outcome."+string(o), l, nil) }

// wants reports whether a reader of the result wants to know what to mend.
func (r Result) wants() bool {
	return r.Outcome == Fault || r.Outcome == Advice || r.Outcome == Unclear
}
