package handbook

import (
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"warifu/docs"
	"warifu/text"
)

// Prefix is where the site stands.
const Prefix = "/docs"

// Page is one page in one language.
type Page struct {
	Slug     string    // "life", "adr/0003-sql-by-hand"
	Lang     text.Lang // of the words in it
	Title    string
	Body     template.HTML // without the title
	Sections []Section     // in order; the first is what stands before any heading
	Foreign  bool          // it has no half in the language that was asked for
}

// Section is a heading of a page and what stands below it.
type Section struct {
	Anchor, Title string
	Level         int    // 2 for a chapter; 1 for what stands before the first
	words         string // folded, for searching
	text          string // below the heading, as it is read
	lang          text.Lang
}

// Said is the heading with what is in the other language marked.
func (s Section) Said() template.HTML { return said(s.lang, s.Title) }

// Chapters are the page's headings of the second level: its own table of contents.
func (p Page) Chapters() []Section {
	return slices.DeleteFunc(slices.Clone(p.Sections), func(s Section) bool { return s.Level != 2 })
}

// Site is the whole documentation. It does not change once made.
type Site struct {
	files fs.FS
	pages map[string]map[text.Lang]Page
	slugs []string // in order
}

// Embedded is the documentation of this build.
var Embedded = sync.OnceValues(func() (*Site, error) { return New(docs.Files) })

// New reads a folder of pages. Every file that ends in .md is one; NAME.ja.md is the
// Japanese half of NAME.md.
func New(files fs.FS) (*Site, error) {
	s := &Site{files: files, pages: map[string]map[text.Lang]Page{}}
	var names []string
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		slug, lang := halfOf(name)
		if s.pages[slug] == nil {
			s.pages[slug] = map[text.Lang]Page{}
			s.slugs = append(s.slugs, slug)
		}
		s.pages[slug][lang] = Page{Slug: slug, Lang: lang}
	}
	slices.Sort(s.slugs)
	for _, name := range names { // links look at which pages there are
		if err := s.read(name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, slug := range s.slugs {
		s.twin(slug)
	}
	return s, nil
}

// twin gives each heading of a page in two languages the other half's name as well, where the
// halves have the same headings: a link to a heading then leads there in either language.
func (s *Site) twin(slug string) {
	names := map[text.Lang][]string{}
	for lang, p := range s.pages[slug] {
		for _, c := range p.Chapters() {
			names[lang] = append(names[lang], c.Anchor)
		}
	}
	if len(names) < 2 || len(names[text.Japanese]) != len(names[text.English]) {
		return
	}
	for lang, other := range map[text.Lang]text.Lang{text.Japanese: text.English, text.English: text.Japanese} {
		p := s.pages[slug][lang]
		for i, own := range names[lang] {
			id := func(name string) string { return ` id="` + template.HTMLEscapeString(name) + `">` }
			if also := id(names[other][i]); !strings.Contains(string(p.Body), also) {
				p.Body = template.HTML(strings.Replace(string(p.Body), id(own), id(own)+"<span"+also+"</span>", 1))
			}
		}
		s.pages[slug][lang] = p
	}
}

// halfOf says which page a file is, and in which language.
func halfOf(name string) (slug string, lang text.Lang) {
	if base, ok := strings.CutSuffix(name, ".ja.md"); ok {
		return base, text.Japanese
	}
	return strings.TrimSuffix(name, ".md"), text.English
}

func (s *Site) read(name string) error {
	source, err := fs.ReadFile(s.files, name)
	if err != nil {
		return err
	}
	slug, lang := halfOf(name)
	p, err := s.render(name, lang, source)
	if err != nil {
		return err
	}
	p.Slug, p.Lang = slug, lang
	if p.Title == "" {
		p.Title = path.Base(slug)
	}
	s.pages[slug][lang] = p
	return nil
}

// Page returns a page in a language, or in the other one where it has no such half.
func (s *Site) Page(slug string, lang text.Lang) (Page, bool) {
	halves, ok := s.pages[slug]
	if !ok {
		return Page{}, false
	}
	if p, ok := halves[lang]; ok {
		return p, true
	}
	for _, p := range halves {
		p.Foreign = true
		return p, true
	}
	return Page{}, false
}

// File returns a file that a page leads to and that is no page: an example.
func (s *Site) File(name string) ([]byte, bool) {
	if !fs.ValidPath(name) || strings.HasSuffix(name, ".md") {
		return nil, false
	}
	b, err := fs.ReadFile(s.files, name)
	return b, err == nil
}

// Slugs are all pages, in order.
func (s *Site) Slugs() []string { return slices.Clone(s.slugs) }

// Title is what a list calls a page: the catalogue's words where it has some in the
// reader's language, else its own heading.
func (s *Site) Title(slug string, lang text.Lang) (title string, in text.Lang) {
	if key := titleKey(slug); text.Has(key) {
		return text.Sentence(key, lang, nil), lang
	}
	p, _ := s.Page(slug, lang)
	return p.Title, p.Lang
}

func titleKey(slug string) string { return "documentation.page." + strings.ReplaceAll(slug, "/", "-") }
