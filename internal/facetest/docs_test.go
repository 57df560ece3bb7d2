package facetest

import (
	"strings"
	"testing"

	"warifu/handbook"
	"warifu/internal/browsertest"
	"warifu/text"
)

// Every page of the documentation is whole; the sizes and languages take turns, and the contents
// and a search are looked at in all of them.
func TestTheDocumentationIsWhole(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	book, err := handbook.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	at := w.Places.Server + handbook.Prefix
	var pages []*browsertest.Page
	for _, size := range browsertest.Sizes {
		for _, lang := range text.Languages {
			page := b.Page(t, size, string(lang))
			page.Go(at).Shot("docs").Whole(t)
			page.Type(`input[type="search"]`, "OCSP").Press("Enter").Until(".docs-hits a").Whole(t)
			page.Click(".docs-hits a").Until("article")
			page.Go(at + "?q=%E6%9A%97%E8%A8%BC").Until(".docs-hits mark").Whole(t)
			page.Go(at + "/losing-a-phone").Shot("docs-page").Whole(t)
			pages = append(pages, page)
		}
	}
	for i, slug := range book.Slugs() {
		if strings.HasPrefix(slug, "adr/") && i%5 > 0 {
			continue // one in five: they are made of the same paragraphs
		}
		pages[i%len(pages)].Go(at + "/" + slug).Until("article").Whole(t)
	}
	for _, slug := range []string{"/reference", "/reference/life", "/reference/check", "/problems"} {
		pages[0].Go(at + slug).Until("main article, main table").Whole(t)
	}
	pages[0].Go(at + "/verification").Keyboard(t).Zoomed(t)
	pages[3].Dark().Go(at + "/validation").Shot("docs-dark").Whole(t)
}
