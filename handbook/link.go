package handbook

import (
	"io/fs"
	"path"
	"strings"

	"warifu/text"
)

// address is where a link of a page leads on the site; false where it leads to the source
// alone. lang is the language of the page's words.
func (s *Site) address(from string, lang text.Lang, link string) (string, bool) {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") || strings.HasPrefix(link, "#") {
		return link, true
	}
	name, fragment, _ := strings.Cut(link, "#")
	if fragment != "" {
		fragment = "#" + fragment
	}
	target := path.Join(path.Dir(from), name)
	if strings.HasSuffix(target, ".md") {
		slug, to := halfOf(target)
		halves, ok := s.pages[slug]
		if _, has := halves[to]; !ok || !has {
			return "", false
		}
		here, _ := halfOf(from)
		query := ""
		if here == slug || to != lang && len(halves) > 1 {
			query = "?lang=" + string(to) // the other half is meant
		}
		return Prefix + "/" + slug + query + fragment, true
	}
	if info, err := fs.Stat(s.files, target); err == nil {
		if info.IsDir() {
			return Prefix + "#" + path.Base(target), true
		}
		return Prefix + "/" + target, true
	}
	return "", false
}

// inSource names a file of the source to which a page leads.
func inSource(from, link string) string {
	name, _, _ := strings.Cut(link, "#")
	return path.Join("docs", path.Dir(from), name)
}
