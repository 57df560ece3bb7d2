package facetest

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"warifu/internal/worldtest"
)

var (
	// quoted is what stands on a page as it was written elsewhere: documents, addresses, code.
	quoted  = regexp.MustCompile(`(?s)<(article|pre|code|textarea|script|option|title)\b.*?</(article|pre|code|textarea|script|option|title)>|<[^>]*>`)
	western = regexp.MustCompile(`.{0,30}20[0-9]{2}年.{0,20}`)
	ways    = regexp.MustCompile(` href="([^"#]+)`)
	nopage  = regexp.MustCompile(`\.(json|csv|cer|der|pem|crl|xml|pdf|txt|md|js|css|svg|sh|toml)$|/api/|/docs/|/assets/|readyz|healthz|metrics|logout|events|\.well-known|lang=|era=`)
)

// Who asked for years by eras is told them so on every page that links lead to from every front, and
// on none by the other calendar.
func TestErasAreToldWhereverDatesAre(t *testing.T) {
	w := World(t)
	b := worldtest.NewBrowser(t)
	b.Get(w.Places.Server + "/?lang=ja")
	b.Get(w.Places.Server + "/?era=on")
	places := map[string]bool{}
	for _, front := range fronts(w.Places) {
		next, seen := []string{front + "/"}, map[string]bool{}
		for pages := 0; len(next) > 0 && pages < 25; pages++ {
			address := next[0]
			next = next[1:]
			status, body := b.Send("GET", address, "", nil)
			if status >= 400 || !strings.Contains(body, "<html lang=\"ja\"") {
				continue
			}
			words := quoted.ReplaceAllString(body, " ")
			if found := western.FindString(words); found != "" {
				t.Errorf("%s tells a year by the other calendar: %s", address, strings.TrimSpace(found))
			}
			if strings.Contains(words, "令和") || strings.Contains(words, "昭和") {
				places[front] = true
			}
			at, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range ways.FindAllStringSubmatch(body, -1) {
				to, err := at.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
				if err != nil || to.Host != at.Host || nopage.MatchString(to.String()) || seen[shape(to)] {
					continue
				}
				seen[shape(to)] = true
				next = append(next, to.String())
			}
		}
	}
	if len(places) < 5 {
		t.Errorf("dates by eras were seen at %v alone", places)
	}
}
