package catalogue

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"warifu"
)

// MaxModels bounds the catalogue.
const MaxModels = 20_000

// index is one state of the catalogue; it never changes once made.
type index struct {
	models  []Model         // by maker, name, identifier
	byKey   map[string]int  // key → place in models
	folded  []string        // what Search looks through, in the order of models
	pending map[string]bool // keys under an open submission
}

// newIndex checks every model and that no identifier stands twice: Conflict
// "model-twice" with the identifier.
func newIndex(models []Model, pending map[string]bool) (*index, error) {
	if len(models) > MaxModels {
		return nil, warifu.TooLarge("catalogue-too-large")
	}
	x := &index{models: slices.Clone(models), byKey: make(map[string]int, len(models)), pending: pending}
	for _, m := range x.models {
		if err := m.Validate(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(x.models, func(a, b Model) int {
		return cmp.Or(cmp.Compare(a.Maker, b.Maker), cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.ID, b.ID))
	})
	for i, m := range x.models {
		if _, twice := x.byKey[key(m.ID)]; twice {
			return nil, warifu.Conflict("model-twice", "model", m.ID)
		}
		x.byKey[key(m.ID)] = i
		x.folded = append(x.folded, fold(m.ID+" "+m.Maker+" "+strings.Join(m.Names, " ")))
	}
	return x, nil
}

func (x *index) find(id string) (Model, bool) {
	i, ok := x.byKey[key(id)]
	if !ok {
		return Model{}, false
	}
	return x.models[i], true
}

// fold makes a search blind to case and width.
func fold(s string) string { return strings.ToLower(width.Fold.String(s)) }

// search returns the models whose identifier, maker or names contain every word of text.
func (x *index) search(text string, limit int) []Model {
	words := strings.Fields(fold(text))
	var out []Model
	for i, hay := range x.folded {
		if len(out) == limit {
			break
		}
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(hay, w) }) {
			out = append(out, x.models[i])
		}
	}
	return out
}
