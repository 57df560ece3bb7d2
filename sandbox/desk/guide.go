package desk

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// The phone's secrets that the walk proposes: they are the ones that made persons have
// (package persona), so that what the pages tell holds for either.
const (
	proposedPassword = "PERSONA1"
	proposedPIN      = "2580"
)

// byPage are the pages at which the walk says something of its own, by the key of the stop and
// the last part of the address.
var byPage = []string{"apply-password", "apply-card", "apply-signature", "apply-pin"}

// Guide is what the pages of a place say to a person on the guided walk: what to do here, or
// where to go on. The walk's own page says it by itself.
func (d *Desk) Guide(r *http.Request, place string) *face.Guide {
	id := doorway.Person(r)
	if id == "" || place == "desk" && r.URL.Path == "/" {
		return nil
	}
	walk, err := d.walk(r.Context(), id)
	refused := err == nil && d.refuses(r, place, walk)
	if refused {
		d.config.Walks.sawRefusal(d.now())
		walk, err = d.walk(r.Context(), id)
	}
	if err != nil || !walk.Begun || walk.Left || walk.Over && walk.Seen {
		return nil
	}
	lang := doorway.Lang(r)
	say := func(key string, pairs ...string) string { return said(lang, key, pairs...) }
	g := &face.Guide{Walk: say("desk.walk"), Back: d.config.Places.Desk + "/", At: walk.At(), All: walk.All}
	if walk.Over {
		g.Title, g.Go, g.To = say("desk.walk-over"), say("desk.guide-look-back"), g.Back
		return g
	}
	stop := walk.Here()
	key := stop.Key
	if stop.Held {
		key = "thief"
	}
	g.Title = say("desk.stop-" + stop.Key)
	switch {
	case key == "issue" && !stop.Due.IsZero():
		g.Note, g.Go, g.To = say("desk.stop-issue-due", "due", face.When(stop.Due, lang)), say("desk.guide-hours"), g.Back
	case !d.isAt(key, place, r.URL.Path, id, walk.Phone):
		g.Title = say("desk.guide-next", "stop", g.Title)
		g.Go, g.To = say("desk.stop-"+key+"-go"), stop.Address
		switch {
		case refused:
			g.Note = say("desk.guide-thief-refused")
		case place == "phones" && path.Base(r.URL.Path) == "registered":
			g.Note = say("desk.guide-register-registered")
		}
	default:
		page := key + "-" + path.Base(r.URL.Path)
		if !slices.Contains(byPage, page) {
			page = key
		}
		if g.Note = say("desk.guide-" + page); approves(place, r.URL.Path) {
			g.Note = say("desk.guide-" + key + "-approve")
		}
		g.Secrets = d.secretsFor(page, lang, id, approves(place, r.URL.Path))
	}
	return g
}

// approves reports whether a page is a phone's question whether to log in or sign.
func approves(place, at string) bool { return place == "phones" && strings.HasPrefix(at, "/approve") }

// refuses reports whether the page at hand is a phone that says it can approve nothing while the
// certificates on it are on hold: the finder's login ends there, before the server is asked.
func (d *Desk) refuses(r *http.Request, place string, walk Walk) bool {
	return walk.Begun && !walk.Over && walk.Here().Held && approves(place, r.URL.Path) && strings.Count(r.URL.Path, "/") > 2 &&
		(r.URL.Query().Get("phone") != "" || len(d.config.Phones()) == 1)
}

// isAt reports whether a stop is done at the page at hand.
func (d *Desk) isAt(key, place, at, id, on string) bool {
	switch key {
	case "phone", "apply", "register":
		return place == "phones" && (on == "" || at == "/phones/"+on || strings.HasPrefix(at, "/phones/"+on+"/"))
	case "issue":
		return place == "phones"
	case "portal", "thief":
		return place == "portal" || approves(place, at)
	case "bank":
		return place == "bank" || approves(place, at)
	}
	return place == "desk" && strings.HasPrefix(at+"/", "/persons/"+id+"/")
}

// secretsFor are the secrets to type at a page.
func (d *Desk) secretsFor(page string, lang text.Lang, id string, approving bool) (out []face.GuideSecret) {
	say := func(key string) string { return said(lang, key) }
	password := face.GuideSecret{Owner: "phone", Name: say("desk.guide-password"), Value: proposedPassword}
	pin := face.GuideSecret{Owner: "phone", Name: say("desk.guide-pin"), Value: proposedPIN}
	switch {
	case page == "apply" || page == "apply-password":
		if v, err := d.config.Cards.Show(id); err == nil {
			if secret := v.Person.Record().PINs.Signature; secret != "" {
				out = append(out, face.GuideSecret{Owner: "card", Name: say("desk.guide-card-password"), Value: secret})
			}
		}
	case page == "apply-signature":
		out = append(out, password)
	case page == "apply-pin", approving && page == "portal":
		out = append(out, pin)
	case approving && page == "bank":
		out = append(out, pin, password)
	}
	return out
}

// said is a sentence with pairs of parameter names and values.
func said(lang text.Lang, key string, pairs ...string) string {
	params := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
	}
	return text.Sentence(key, lang, params)
}
