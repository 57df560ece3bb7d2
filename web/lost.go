package web

import (
	"net/http"

	"warifu"
	"warifu/face"
	"warifu/text"
)

// The pages of somebody whose phone is gone. They ask for no login: whoever stands there has
// no phone to log in with, and every minute counts (R76, K9).

var lostPage = face.Place("holder/lost")

// maxTypedCode bounds what is typed as a suspension code, as the interface does.
const maxTypedCode = 200

// lostView is the page, before and after a code was handed in. The code itself is never
// shown again.
type lostView struct {
	Hotline string // R76; empty where the organisation has none
	Dial    string // the same as tel: takes it
	Held    bool   // the code was right, and the certificates are on hold
	Wrong   bool   // the code was not taken; the page's problem says why
	SignIn  bool   // there is a login, by which the holder sees what became of it
}

func (s *site) lostPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /lost", func(w http.ResponseWriter, r *http.Request) {
		err := lostRefusal(r.URL.Query().Get("refused"))
		s.lost(w, r, lostView{Wrong: err != nil}, err)
	})
	mux.HandleFunc("POST /lost", func(w http.ResponseWriter, r *http.Request) {
		code := r.PostFormValue("code")
		if len(code) > maxTypedCode {
			code = code[:maxTypedCode] // no code has so many digits, and its format says so
		}
		if err := s.Registration.ByCode(r.Context(), code, SourceOf(r)); err != nil {
			s.refused(r.Context(), "suspend-by-code-page", err)
			if problem := warifu.ProblemOf(err).Problem; lostRefusal(problem) != nil {
				http.Redirect(w, r, "/lost?refused="+problem, http.StatusSeeOther)
				return
			}
			s.lost(w, r, lostView{Wrong: true}, err)
			return
		}
		// Pages of their own: whoever reloads one, or comes back to it, hands nothing in again.
		http.Redirect(w, r, "/lost/held", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /lost/held", func(w http.ResponseWriter, r *http.Request) { s.lost(w, r, lostView{Held: true}, nil) })
}

// lostRefusal is why a code was not taken, as the page's address says it; nil for anything else.
func lostRefusal(problem string) error {
	switch problem {
	case "suspension-code-format", "suspension-code-mistyped":
		return warifu.Invalid(problem)
	case "suspension-code-unknown":
		return warifu.NotFound(problem)
	case "suspension-codes-too-many":
		return warifu.TooMany(problem)
	case "credential-ended":
		return warifu.Conflict(problem)
	}
	return nil
}

func (s *site) lost(w http.ResponseWriter, r *http.Request, v lostView, err error) {
	v.Hotline, v.SignIn = s.Scheme.Hotline, s.Login != nil
	v.Dial = dial(v.Hotline)
	title := "lost.title"
	if v.Held {
		title = "lost.held-title"
	}
	s.draw(w, r, lostPage, title, v, err)
}

// dial is a number as a tel: link carries it: digits alone.
func dial(number string) string {
	var b []byte
	for i := range len(number) {
		if number[i] >= '0' && number[i] <= '9' {
			b = append(b, number[i])
		}
	}
	return string(b)
}

// problemSentences says err as a page tells it.
func problemSentences(lang text.Lang, err error) (*face.Sentences, int) {
	if err == nil {
		return nil, http.StatusOK
	}
	p := problemOf(warifu.ProblemOf(err), lang)
	return &face.Sentences{Title: p.Title, Detail: p.Detail, Next: p.Next}, p.Status
}
