package handbook

import (
	"bytes"
	"html/template"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	source "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"warifu/text"
)

// render makes a page of its Markdown. HTML in it is left out (goldmark's renderer without
// WithUnsafe), attributes cannot be given, and a link of another scheme than a page may
// have is dropped by goldmark.
func (s *Site) render(name string, lang text.Lang, body []byte) (Page, error) {
	r := &rendering{site: s, name: name, lang: lang}
	m := goldmark.New(
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone)), extension.Strikethrough,
			extension.NewCJK(extension.WithEastAsianLineBreaks(extension.EastAsianLineBreaksCSS3Draft))),
		goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(r, 500))),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(r, 100))),
	)
	var out bytes.Buffer
	ctx := parser.NewContext(parser.WithIDs(&anchors{used: map[string]bool{}}))
	if err := m.Convert(body, &out, parser.WithContext(ctx)); err != nil {
		return Page{}, err
	}
	return Page{Title: r.title, Sections: r.sections, Body: template.HTML(marked(lang, out.String()))}, nil
}

// rendering is one page on its way: it changes the tree before it is drawn, and draws the
// nodes that a page of ours wants otherwise than goldmark does.
type rendering struct {
	site     *Site
	name     string
	lang     text.Lang
	title    string
	sections []Section
}

// Transform takes the title out, notes the sections, and turns links.
func (r *rendering) Transform(doc *ast.Document, reader source.Reader, _ parser.Context) {
	src := reader.Source()
	r.sections = []Section{{Level: 1, lang: r.lang}}
	var title ast.Node
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		switch {
		case ok && h.Level == 1 && title == nil:
			title, r.title = n, plain(n, src)
			continue
		case ok:
			id, _ := h.AttributeString("id")
			anchor, _ := id.([]byte)
			r.sections = append(r.sections, Section{Anchor: string(anchor), Title: plain(h, src), Level: h.Level, lang: r.lang})
		}
		last := &r.sections[len(r.sections)-1]
		if !ok {
			last.text += " " + plain(n, src)
		}
		last.words += " " + fold(plain(n, src))
	}
	if title != nil {
		doc.RemoveChild(doc, title)
	}
	r.turnLinks(doc, src)
}

func (r *rendering) turnLinks(doc ast.Node, src []byte) {
	var links []*ast.Link
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if l, ok := n.(*ast.Link); ok && entering {
			links = append(links, l)
		}
		return ast.WalkContinue, nil
	})
	for _, l := range links {
		to, ok := r.site.address(r.name, r.lang, string(l.Destination))
		if ok {
			l.Destination = []byte(to)
			continue
		}
		// What stands in the source alone is named instead of linked.
		parent := l.Parent()
		for c := l.FirstChild(); c != nil; {
			next := c.NextSibling()
			parent.InsertBefore(parent, l, c)
			c = next
		}
		if file := inSource(r.name, string(l.Destination)); !strings.Contains(plain(parent, src), file) {
			parent.InsertBefore(parent, l, ast.NewString([]byte(" ("+text.Sentence("documentation.source", r.lang, map[string]string{"file": file})+")")))
		}
		parent.RemoveChild(parent, l)
	}
}

// unbroken finds a line's end between Japanese letters, which is no space.
var unbroken = regexp.MustCompile(`([\p{Han}\p{Hiragana}\p{Katakana}ー、。」』）]) ([\p{Han}\p{Hiragana}\p{Katakana}「『（])`)

// plain is the text of a node without its marks.
func plain(n ast.Node, src []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			if n.Type() == ast.TypeBlock {
				b.WriteByte(' ')
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(src))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			b.Write(n.Lines().Value(src))
		}
		return ast.WalkContinue, nil
	})
	return unread(strings.TrimSpace(unbroken.ReplaceAllString(b.String(), "$1$2")))
}

// RegisterFuncs says which nodes are drawn here.
func (r *rendering) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindHeading, r.heading)
	reg.Register(ast.KindFencedCodeBlock, r.code)
	reg.Register(ast.KindCodeBlock, r.code)
	reg.Register(east.KindTable, r.table)
}

// heading ends with a link to itself.
func (r *rendering) heading(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	h := n.(*ast.Heading)
	tag := "h" + string(rune('0'+max(2, h.Level)))
	id, _ := h.AttributeString("id")
	anchor, _ := id.([]byte)
	if entering {
		_, err := w.WriteString("<" + tag + ` id="` + template.HTMLEscapeString(string(anchor)) + `">`)
		return ast.WalkContinue, err
	}
	label := text.Sentence("documentation.here-alone", r.lang, nil)
	if title := spoken(r.lang, plain(h, src)); title != "" {
		label = text.Sentence("documentation.here", r.lang, map[string]string{"title": title})
	}
	_, err := w.WriteString(` <a class="here" href="#` + template.HTMLEscapeString(string(anchor)) + `" aria-label="` + template.HTMLEscapeString(label) + `">#</a></` + tag + ">\n")
	return ast.WalkContinue, err
}

// code can be scrolled by keyboard. A diagram's source is told as a list of its arrows.
func (r *rendering) code(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	lines := string(n.Lines().Value(src))
	if f, ok := n.(*ast.FencedCodeBlock); ok && string(f.Language(src)) == "mermaid" {
		return ast.WalkSkipChildren, r.diagram(w, lines)
	}
	_, err := w.WriteString(`<pre tabindex="0"><code>` + template.HTMLEscapeString(lines) + "</code></pre>\n")
	return ast.WalkSkipChildren, err
}

// table scrolls inside itself where the page is narrow.
func (r *rendering) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	var err error
	if entering {
		_, err = w.WriteString(`<div class="scroll" tabindex="0" role="group" aria-label="` + text.Sentence("documentation.table", r.lang, nil) + "\"><table>\n")
	} else {
		_, err = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, err
}

// anchors names headings as forges do, so that links written for one lead here as well.
type anchors struct{ used map[string]bool }

// Generate implements parser.IDs: value is the heading as it is written.
func (a *anchors) Generate(value []byte, _ ast.NodeKind) []byte {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(string(value))) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	name := b.String()
	for n := 1; a.used[name] || name == ""; n++ {
		name = b.String() + "-" + string(rune('0'+n%10))
	}
	a.used[name] = true
	return []byte(name)
}

// Put implements parser.IDs.
func (a *anchors) Put(value []byte) { a.used[string(value)] = true }
