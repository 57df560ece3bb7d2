package phones

import (
	"net/http"
	"strings"
	"time"

	"warifu"
	"warifu/face"
	"warifu/ledger"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/text"
)

var (
	checkedScreen  = face.Phone("checked")
	consentsScreen = face.Phone("consents")
)

// checkedData is the screen of who checked the holder.
type checkedData struct {
	mine
	Read  bool
	Page  ledger.Page
	Lines []checkedLine
}

// checkedLine is a line of the ledger as the screen shows it.
type checkedLine struct {
	LedgerLine
	At      time.Time
	Answer  string   // "good", "bad" or "unknown"; of attributes, their names
	Told    []string // the attributes, where it is about those
	Because string   // why it was not good
}

// secretTyped is the secret of a screen's form.
func secretTyped(r *http.Request) Asked {
	return Asked{Password: strings.TrimSpace(r.FormValue("password")), PIN: r.FormValue("pin")}
}

func (p *Phones) showChecked(w http.ResponseWriter, r *http.Request, o *owned, page *ledger.Page, problem error) {
	p.mineScreen(w, r, o, checkedScreen, "ledger.heading", problem, func(m mine) any {
		data := checkedData{mine: m, Read: page != nil}
		if page == nil {
			return data
		}
		data.Page = *page
		for i, line := range LedgerLines(*page, doorway.Lang(r)) {
			l := checkedLine{LedgerLine: line}
			if e := page.Lines[i].Entry; e != nil {
				l.At, l.Answer, l.Why = e.At, e.Result, inOne(l.Why, doorway.Lang(r))
				l.Told, l.Because = attributes(e), because(e, doorway.Lang(r))
			}
			data.Lines = append([]checkedLine{l}, data.Lines...) // the newest first
		}
		return data
	})
}

// inOne is the half of a purpose that is in the reader's language, of one that who asks wrote in
// both, Japanese first ("電子申請 / applying to a town"); any other as it is.
func inOne(purpose string, lang text.Lang) string {
	ja, en, both := strings.Cut(purpose, " / ")
	if !both || writtenIn(ja) != text.Japanese || writtenIn(en) != text.English {
		return purpose
	}
	if lang == text.English {
		return en
	}
	return ja
}

// attributes are those that an entry names; none where it is about something else.
func attributes(e *ledger.Entry) []string {
	if !strings.HasPrefix(e.What, "attributes-") || e.Result == "" {
		return nil
	}
	all := strings.Split(e.Result, ",")
	for _, name := range all {
		if !text.Has("login.attribute." + name) {
			return nil
		}
	}
	return all
}

// because is the first reason of an entry that was not good.
func because(e *ledger.Entry, lang text.Lang) string {
	if len(e.Reasons) == 0 {
		return ""
	}
	title, _, _ := text.Problem(&warifu.Error{Problem: e.Reasons[0]}, lang)
	return title
}

// ledgerByForm shows who checked the holder; the page is kept by nobody.
func (p *Phones) ledgerByForm(w http.ResponseWriter, r *http.Request, o *owned) {
	page, err := p.Ledger(r.Context(), o.handset.ID, secretTyped(r))
	if err != nil {
		p.showChecked(w, r, o, nil, err)
		return
	}
	p.showChecked(w, r, o, &page, nil)
}

// consentsData is the screen of who wants to be told attributes.
type consentsData struct {
	mine
	Read   bool
	Wishes []phone.Wish
}

func (p *Phones) showConsents(w http.ResponseWriter, r *http.Request, o *owned, read bool, wishes []phone.Wish, problem error) {
	for i := range wishes {
		wishes[i].Purpose = inOne(wishes[i].Purpose, doorway.Lang(r))
	}
	p.mineScreen(w, r, o, consentsScreen, "my.consents.title", problem, func(m mine) any { return consentsData{m, read, wishes} })
}

func (p *Phones) consentsByForm(w http.ResponseWriter, r *http.Request, o *owned) {
	wishes, err := p.Consents(r.Context(), o.handset.ID, secretTyped(r))
	p.showConsents(w, r, o, err == nil, wishes, err)
}

// consentByForm decides about one of them.
func (p *Phones) consentByForm(w http.ResponseWriter, r *http.Request, o *owned) {
	in := secretTyped(r)
	in.Wish, in.Grant = r.PathValue("wish"), r.FormValue("grant") != ""
	if _, err := p.Consent(r.Context(), o.handset.ID, in); err != nil {
		p.showConsents(w, r, o, false, nil, err)
		return
	}
	finish(w, r, o, map[bool]string{true: "granted", false: "refused"}[in.Grant])
}

func (p *Phones) consentRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /phones/{id}/checked", p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) { p.showChecked(w, r, o, nil, nil) }))
	mux.HandleFunc("POST /phones/{id}/ledger", p.inHand(p.ledgerByForm))
	mux.HandleFunc("GET /phones/{id}/consents", p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) { p.showConsents(w, r, o, false, nil, nil) }))
	mux.HandleFunc("POST /phones/{id}/consents", p.inHand(p.consentsByForm))
	mux.HandleFunc("POST /phones/{id}/consents/{wish}", p.inHand(p.consentByForm))
}
