package portal

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/unicode/norm"

	"warifu"
	"warifu/text"
)

//go:embed procedures.toml
var proceduresFile string

// Words are a text in both languages.
type Words struct {
	Ja string `toml:"ja" json:"ja"`
	En string `toml:"en" json:"en"`
}

// In returns the text in the reader's language.
func (w Words) In(l text.Lang) string {
	if l == text.Japanese {
		return w.Ja
	}
	return w.En
}

// Town is a municipality that takes applications here.
type Town struct {
	Code string `toml:"code" json:"code"` // five digits of JIS X 0402
	Name Words  `toml:"name" json:"name"`
}

// Procedure is something one can apply for.
type Procedure struct {
	ID     string   `toml:"id" json:"id"`
	Name   Words    `toml:"name" json:"name"`
	Words  []string `toml:"words" json:"-"`               // by which it is found, beside its name
	Towns  []string `toml:"towns" json:"towns,omitempty"` // that take it electronically; none: all
	Signed bool     `toml:"signed" json:"signed"`         // the form needs a signature
	Opens  string   `toml:"opens" json:"-"`               // the scheme's service it waits for; "" for the portal's own
	Ask    []Ask    `toml:"ask" json:"ask"`
}

// Ask is one field of a form. All are required.
type Ask struct {
	Name  string `toml:"name" json:"name"`
	Label Words  `toml:"label" json:"label"`
	Kind  string `toml:"kind" json:"kind,omitempty"` // as of an HTML input: "date", "tel"; "" is a line of text
}

type offer struct {
	Town      []Town
	Procedure []Procedure
}

// offered reads the file that is built in; a test makes sure that it is whole.
var offered = sync.OnceValue(func() offer {
	var o offer
	if _, err := toml.Decode(proceduresFile, &o); err != nil {
		panic("portal: " + err.Error())
	}
	return o
})

// Towns lists the municipalities.
func Towns() []Town { return slices.Clone(offered().Town) }

// maxWord bounds a search, in octets.
const maxWord = 200

// Search finds procedures by words and town; "" stands for all of either. Every word has to
// be found in the name or the list of words, whatever the width and case it is typed in.
// Error: NotFound "portal-town-unknown".
func Search(words, town string) ([]Procedure, error) {
	if town != "" && !slices.ContainsFunc(offered().Town, func(t Town) bool { return t.Code == town }) {
		return nil, warifu.NotFound("portal-town-unknown")
	}
	out := []Procedure{}
	for _, p := range offered().Procedure {
		if (town == "" || p.takenIn(town)) && p.matches(words) {
			out = append(out, p)
		}
	}
	return out, nil
}

func (p Procedure) takenIn(town string) bool {
	return len(p.Towns) == 0 || slices.Contains(p.Towns, town)
}

func (p Procedure) matches(words string) bool {
	if len(words) > maxWord {
		return false
	}
	about := folded(p.Name.Ja + "\n" + p.Name.En + "\n" + strings.Join(p.Words, "\n"))
	for _, w := range strings.Fields(folded(words)) {
		if !strings.Contains(about, w) {
			return false
		}
	}
	return true
}

func folded(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

// find returns a procedure as a town takes it. Errors: NotFound "portal-procedure-unknown",
// "portal-town-unknown".
func find(id, town string) (Procedure, Town, error) {
	for _, p := range offered().Procedure {
		if p.ID != id {
			continue
		}
		for _, t := range offered().Town {
			if t.Code == town && p.takenIn(town) {
				return p, t, nil
			}
		}
		return p, Town{}, warifu.NotFound("portal-town-unknown")
	}
	return Procedure{}, Town{}, warifu.NotFound("portal-procedure-unknown")
}
