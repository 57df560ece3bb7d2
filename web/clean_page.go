package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/registration"
	"warifu/text"
)

// maxTypedIdentifier bounds what a buyer types off the phone in hand.
const maxTypedIdentifier = 128

// cleanView is the page of a buyer, with an answer where there is one.
type cleanView struct {
	Code, Identifier string
	Answered         bool
	Answer           registration.CleanAnswer
	Said             attest.CleanProof
	Reasons          []*Problem
	Refused          *Problem
}

// Key is the sentence of the answer.
func (v cleanView) Key() string { return "face.clean." + string(v.Answer.Answer) }

// cleanPages serve a private buyer, who has no terminal and no contract: they paste the text
// of the code that the seller's app shows, and the number they read off the phone (R82).
func (s *site) cleanPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /clean-proofs", func(w http.ResponseWriter, r *http.Request) {
		s.page(w, r, http.StatusOK, "clean", "face.clean.title", cleanView{})
	})
	mux.HandleFunc("POST /clean-proofs", s.cleanPage)
}

func (s *site) cleanPage(w http.ResponseWriter, r *http.Request) {
	v := cleanView{Code: r.FormValue("code"), Identifier: strings.TrimSpace(r.FormValue("identifier"))}
	if len(v.Code) > 2*attest.MaxCleanCode {
		v.Code = "" // not worth showing again
	}
	err := s.judge(r, &v, r.FormValue("code"))
	status := http.StatusOK
	if err != nil {
		e := warifu.ProblemOf(err)
		s.refused(r.Context(), "clean-page", err)
		v.Refused = problemOf(e, languageOf(r.Context()))
		status = v.Refused.Status
	}
	s.page(w, r, status, "clean", "face.clean.title", v)
}

// in is the page in a language.
func (v cleanView) in(lang text.Lang) any {
	if v.Refused != nil {
		v.Refused = v.Refused.in(lang).(*Problem)
	}
	v.Reasons = slices.Clone(v.Reasons)
	for i, reason := range v.Reasons {
		v.Reasons[i] = reason.in(lang).(*Problem)
	}
	return v
}

// judge asks about the proof in the code. The buyer did not ask the phone themselves: name and
// nonce are the proof's own, and what ties it to the phone in their hands is its number. A
// proof of that phone says the same whoever asked for it, since whether it is still clean is
// asked now.
func (s *site) judge(r *http.Request, v *cleanView, typed string) error {
	code, err := attest.ParseCleanCode(typed)
	if err != nil {
		return err
	}
	if v.Said, err = code.Said(); err != nil {
		return err
	}
	if v.Answer, err = s.Registration.Clean(r.Context(), code.Proof, code.Chain, registration.CleanQuestion{
		Marketplace: v.Said.Marketplace, Nonce: v.Said.Nonce, Identifiers: v.Said.Identifiers,
	}); err != nil {
		return err
	}
	switch {
	case v.Identifier == "": // of which phone nobody said
		if v.Answer.Answer == registration.CleanYes {
			v.Answer.Answer = registration.CleanUnknown
		}
		v.Answer.Reasons = append(v.Answer.Reasons, registration.CleanUnnamed)
	case !named(v.Said.Identifiers, v.Identifier):
		return warifu.Refused("clean-proof-other")
	}
	v.Answered = true
	for _, slug := range v.Answer.Reasons {
		v.Reasons = append(v.Reasons, problemOf(&warifu.Error{Code: warifu.CodeConflict, Problem: slug}, languageOf(r.Context())))
	}
	return nil
}

// named reports whether a proof is about the phone with the number, with or without what
// kind of number it is ("imei:…"); people type spaces and hyphens between the digits.
func named(identifiers []string, typed string) bool {
	if len(typed) > maxTypedIdentifier {
		return false
	}
	plain := strings.NewReplacer(" ", "", "-", "").Replace(typed)
	return slices.ContainsFunc(identifiers, func(i string) bool {
		_, number, _ := strings.Cut(i, ":")
		return i == typed || number != "" && (number == typed || number == plain)
	})
}

// Proved is when the chip spoke, Checked until when the authority knows.
func (v cleanView) Proved() time.Time  { return v.Answer.ProvedAt }
func (v cleanView) Checked() time.Time { return v.Answer.CheckedAt }
