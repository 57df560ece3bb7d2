package web

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/ledger"
	"warifu/oidc"
	"warifu/registration"
	"warifu/text"
)

// checkedMe shows a page of who checked the holder, the newest line first.
func (s *site) checkedMe(w http.ResponseWriter, r *http.Request, who oidc.Own) {
	page, err := s.readChecked(r, who)
	v := mineView{Who: who, Hotline: s.Scheme.Hotline, Page: page, Lines: checkedLines(page, languageOf(r.Context()))}
	if n := len(page.Lines); n > 0 && page.Lines[n-1].Number < page.Head {
		v.After = page.Lines[n-1].Number
	}
	s.draw(w, r, checkedPage, "mine.checked", v, err)
}

// readChecked reads the page behind the number in the address: from the first line there is
// where there is none.
func (s *site) readChecked(r *http.Request, who oidc.Own) (ledger.Page, error) {
	after := int64(0)
	if given := r.URL.Query().Get("after"); given != "" {
		var err error
		if after, err = strconv.ParseInt(given, 10, 64); err != nil || after < 0 {
			return ledger.Page{}, warifu.NotFound("ledger-line-unknown")
		}
	}
	return s.Checked.Read(r.Context(), who.Person, after)
}

func checkedLines(page ledger.Page, lang text.Lang) []checkedLine {
	var out []checkedLine
	for _, line := range slices.Backward(page.Lines) {
		e := line.Entry
		if e == nil {
			out = append(out, checkedLine{Erased: true})
			continue
		}
		l := checkedLine{At: e.At, Late: e.Late, Who: e.Name.English, What: "ledger.what." + e.What, Purpose: e.Purpose, Result: e.Result}
		if lang == text.Japanese {
			l.Who = e.Name.Japanese
		}
		if e.What == ledger.Wished || e.What == ledger.Told {
			l.Result = ""
			for name := range strings.SplitSeq(e.Result, ",") {
				l.Attributes = append(l.Attributes, "login.attribute."+strings.ToLower(name))
			}
		}
		for _, slug := range e.Reasons {
			l.Why = append(l.Why, problemOf(&warifu.Error{Code: warifu.CodeConflict, Problem: slug}, lang))
		}
		out = append(out, l)
	}
	return out
}

// checkedFile is the same page as the file that can be checked by itself (ledger.ParsePage).
func (s *site) checkedFile(w http.ResponseWriter, r *http.Request, who oidc.Own) {
	page, err := s.readChecked(r, who)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	s.handOut(w, r, "warifu-checked.json", page)
}

// heldFile is what a person takes away of their certificates.
type heldFile struct {
	Format       string            `json:"format"` // "warifu-holding-v1"
	At           time.Time         `json:"at"`
	Applications []heldApplication `json:"applications"` // newest first
}

type heldApplication struct {
	ID          string     `json:"id"`
	State       string     `json:"state"`
	Model       string     `json:"model"`
	SubmittedAt time.Time  `json:"submittedAt"`
	Credentials []heldBody `json:"credentials"`
}

type heldBody struct {
	Kind     string       `json:"kind"`
	Serial   string       `json:"serial"` // hexadecimal
	State    string       `json:"state"`
	Holds    []string     `json:"holds,omitempty"`
	NotAfter time.Time    `json:"notAfter"`
	History  []heldChange `json:"history"`
}

type heldChange struct {
	At     time.Time `json:"at"`
	Status string    `json:"status"`
	Reason string    `json:"reason,omitempty"`
}

func (s *site) certificatesFile(w http.ResponseWriter, r *http.Request, who oidc.Own) {
	has, err := s.Registration.Of(r.Context(), who.Person)
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	file := heldFile{Format: "warifu-holding-v1", At: s.Clock.Now().UTC(), Applications: []heldApplication{}}
	for _, a := range has.Applications {
		out := heldApplication{ID: a.ID, State: string(a.State), Model: a.Model, SubmittedAt: a.Submitted.UTC(), Credentials: []heldBody{}}
		for _, c := range a.Credentials {
			out.Credentials = append(out.Credentials, heldBodyOf(c))
		}
		file.Applications = append(file.Applications, out)
	}
	s.handOut(w, r, "warifu-certificates.json", file)
}

func heldBodyOf(c registration.HeldCredential) heldBody {
	out := heldBody{Kind: c.Kind.String(), Serial: hex.EncodeToString(c.Serial), State: string(c.State), NotAfter: c.NotAfter.UTC(), History: []heldChange{}}
	for _, h := range c.Holds {
		out.Holds = append(out.Holds, string(h))
	}
	for _, h := range c.History {
		change := heldChange{At: h.At.UTC(), Status: h.Status.String()}
		if h.Status == warifu.StatusRevoked || h.Reason != warifu.ReasonUnspecified {
			change.Reason = h.Reason.String()
		}
		out.History = append(out.History, change)
	}
	return out
}

// handOut writes a file that a browser keeps.
func (s *site) handOut(w http.ResponseWriter, r *http.Request, name string, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if _, err := w.Write(append(b, '\n')); err != nil {
		s.Log.DebugContext(r.Context(), "a file was not taken", "error", err.Error())
	}
}

// Low is an attribute's name as the catalogue has it.
func (mineView) Low(attribute string) string { return strings.ToLower(attribute) }

// Word says a result; what is no result is shown as it is.
func (mineView) Word(lang text.Lang, result string) string {
	if key := "mine.result." + result; text.Has(key) {
		return text.Sentence(key, lang, nil)
	}
	return result
}

// Became says what a change made of a certificate.
func (mineView) Became(lang text.Lang, c registration.HeldChange) string {
	key := "mine.became.good"
	if c.Status == warifu.StatusRevoked {
		switch c.Reason {
		case warifu.ReasonCertificateHold:
			key = "mine.became.held"
		default:
			if key = "mine.became." + strings.ToLower(c.Reason.String()); !text.Has(key) {
				key = "mine.became.revoked"
			}
		}
	}
	return text.Sentence(key, lang, nil)
}
