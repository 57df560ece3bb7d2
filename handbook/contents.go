package handbook

import (
	"html/template"
	"slices"
	"strings"

	"warifu/text"
)

// Audience is a part of the table of contents.
type Audience struct {
	Name    string // "holders": the anchor, and the key of its title
	Title   string
	Entries []Entry
}

// Entry is a page in a list.
type Entry struct {
	Address, Title string
	Lang           text.Lang // of the title
	Foreign        bool      // the page is not in the reader's language
}

// Said is the title with what is in the other language marked.
func (e Entry) Said() template.HTML { return said(e.Lang, e.Title) }

// audiences say who reads what, in the order in which it is best read. A page may stand in
// more than one; one that stands in none is for developers.
var audiences = []struct {
	name  string
	pages []string
}{
	{"holders", []string{"holders", "passwords", "losing-a-phone", "selling-a-phone", "buying-a-phone", "login", "life"}},
	{"relying-parties", []string{"relying-party", "provider", "verification", "validation", "signing", "doctor", "doctor-reader", "municipality", "selling-a-phone", "services", "personas", "worlds", "examples/relying-party/keycloak"}},
	{"operators", []string{"operators", "console", "hotline", "follow-the-card", "schemes", "devices", "threats", "performance", "losing-a-phone"}},
	{"developers", []string{"developers", "design", "api", "requirements", "lifecycle", "papers", "profile", "card-facts", "secure-element", "opensc", "bureau", "clock", "dependencies"}},
	{"adr", nil},
}

// Contents is the table of contents for a reader.
func (s *Site) Contents(lang text.Lang) []Audience {
	placed := map[string]bool{}
	var out []Audience
	for _, a := range audiences {
		part := Audience{Name: a.name, Title: text.Sentence("documentation.for."+a.name, lang, nil)}
		for _, slug := range a.pages {
			if _, ok := s.pages[slug]; ok {
				part.Entries, placed[slug] = append(part.Entries, s.entry(slug, lang)), true
			}
		}
		out = append(out, part)
	}
	rest := map[bool]int{false: slices.IndexFunc(out, func(a Audience) bool { return a.Name == "developers" }), true: len(out) - 1}
	for _, slug := range s.slugs {
		if strings.HasSuffix(slug, "template") || placed[slug] {
			continue
		}
		i := rest[strings.HasPrefix(slug, "adr/")]
		out[i].Entries = append(out[i].Entries, s.entry(slug, lang))
	}
	return out
}

func (s *Site) entry(slug string, lang text.Lang) Entry {
	title, in := s.Title(slug, lang)
	_, has := s.pages[slug][lang]
	return Entry{Address: Prefix + "/" + slug, Title: title, Lang: in, Foreign: !has}
}

// Way is where a page stands among those that are read with it.
type Way struct {
	Audience       Audience // the first that it stands in; the zero value: none
	Before, Behind *Entry   // in the order of the contents; nil at the ends
}

// Way finds a page in the contents.
func (s *Site) Way(slug string, lang text.Lang) Way {
	for _, a := range s.Contents(lang) {
		i := slices.IndexFunc(a.Entries, func(e Entry) bool { return e.Address == Prefix+"/"+slug })
		if i < 0 {
			continue
		}
		w := Way{Audience: a}
		if i > 0 {
			w.Before = &a.Entries[i-1]
		}
		if i+1 < len(a.Entries) {
			w.Behind = &a.Entries[i+1]
		}
		return w
	}
	return Way{}
}

// Other is the language that a page is there in as well; false where it has one half.
func (s *Site) Other(p Page) (text.Lang, bool) {
	for _, lang := range text.Languages {
		if _, ok := s.pages[p.Slug][lang]; ok && lang != p.Lang {
			return lang, true
		}
	}
	return "", false
}
