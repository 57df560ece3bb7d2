package face

import (
	"context"
	"net/http"

	"warifu/text"
)

// Own is what an operator sets of what stands around every page: the name beside the mark and
// the band that says what this is. Empty: ours.
type Own struct{ Name, Band string }

type ownKey struct{}

// Owned serves pages with an operator's own name and band, by language. Who sets neither is
// given next as it is.
func Owned(next http.Handler, own map[text.Lang]Own) http.Handler {
	for _, o := range own {
		if o != (Own{}) {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ownKey{}, own)))
			})
		}
	}
	return next
}

// around fills what of a page comes from the request for it: its addresses in other languages
// and calendars, and the operator's own name and band.
func (p Page) around(r *http.Request) Page {
	p.Switch, p.Eras = SwitchesOf(r), Era(r)
	if own, ok := r.Context().Value(ownKey{}).(map[text.Lang]Own); ok && p.Own == (Own{}) {
		p.Own = own[p.Lang]
	}
	return p
}
