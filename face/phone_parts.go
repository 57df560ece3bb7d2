package face

import (
	"bytes"
	"html/template"

	"warifu/text"
)

// phoneParts are parts that only the phone's screens need:
//
//	{{locked .Lang "signature" .ID}}                     what to do when one of the phone's secrets is locked
//	{{unlocks .Lang "signature" .ID}}                    the same where the screen's problem has just said that it is
//	{{newsecret .Lang "signature" "next" "again"}}       where a new secret of the phone is typed, twice
//	{{maybe .Lang "phone" "signature" "password" 5}}     a secret's field that may stay empty
//	{{gestures .Lang .Gestures}}                         what the screen lock is shown
var phoneParts = template.Must(template.New("phone-parts").ParseFS(templates, "templates/parts.html", "templates/phone-parts.html"))

func drawPhone(name string, data any) template.HTML {
	var b bytes.Buffer
	if err := phoneParts.ExecuteTemplate(&b, name, data); err != nil {
		return ""
	}
	return template.HTML(b.String())
}

// locked says that a secret of the phone is locked, and the two ways on: the card, and the
// counter where the card's own password is forgotten too (K14, K16). The phone's address is
// /phones/ID.
func locked(lang text.Lang, kind, id string) template.HTML {
	return lockedBox(lang, kind, id, text.Sentence("part.locked", lang, map[string]string{"secret": text.Sentence("part.secret.phone."+kind, lang, nil)}))
}

// unlocks is locked without its first sentence, which stands above it already.
func unlocks(lang text.Lang, kind, id string) template.HTML { return lockedBox(lang, kind, id, "") }

func lockedBox(lang text.Lang, kind, id, title string) template.HTML {
	t := func(key string) string { return text.Sentence(key, lang, nil) }
	return drawPhone("locked", struct{ Title, What, Do, Unlock, Else, Forgotten string }{
		title, t("part.locked.what"), t("part.locked.do"), "/phones/" + id + "/unlock?kind=" + kind, t("part.locked.else"), "/phones/" + id + "/forgotten",
	})
}

// newSecret draws the two fields of a new secret of the phone; what they may hold is said
// once, and that small and full-width letters are put right (K7).
func newSecret(lang text.Lang, kind, name, again string) template.HTML {
	t := func(key string) string { return text.Sentence(key, lang, nil) }
	return drawPhone("newsecret", struct {
		Legend, Form, Again, Folds, Name, AgainName string
		Numeric                                     bool
	}{t("part.new." + kind), t("part.form." + kind), t("part.again"), t("part.folds." + kind), name, again, kind == "authentication"})
}

// maybe is secret where nothing need be typed.
func maybe(lang text.Lang, owner, kind, name string, tries int) template.HTML {
	return template.HTML(bytes.ReplaceAll([]byte(secret(lang, owner, kind, name, tries)), []byte(" required"), nil))
}

// Gesture is something that the screen lock can be shown, as a form's value "method:shown".
type Gesture struct {
	Value string
	Key   string // of the catalogue, what it is called
}

func gestures(lang text.Lang, all []Gesture) template.HTML {
	type choice struct {
		Value, Word string
		First       bool
	}
	v := struct {
		Legend string
		All    []choice
	}{Legend: text.Sentence("part.gestures", lang, nil)}
	for i, g := range all {
		v.All = append(v.All, choice{g.Value, text.Sentence(g.Key, lang, nil), i == 0})
	}
	return drawPhone("gestures", v)
}

// CardAtHand is a card that can be held to the phone: its identifier, and whose it is.
type CardAtHand struct{ ID, Name string }

// Written is the language that the name is written in, whatever the page's: a name of Latin
// letters alone is not Japanese.
func (c CardAtHand) Written() text.Lang {
	for _, r := range c.Name {
		if r >= 0x2E80 {
			return text.Japanese
		}
	}
	return text.English
}
