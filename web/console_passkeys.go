package web

import (
	"net/http"

	"warifu/console"
)

// consolePasskeys adds the page of an operator's own passkeys: a second one, made in good time,
// is what keeps a lost one from being a day without work.
func (s *site) consolePasskeys(mux *http.ServeMux) {
	s.atConsole(mux, "GET /console/passkeys", anyRole, func(w http.ResponseWriter, r *http.Request, o console.Operator) {
		s.passkeysPage(w, r, o, nil)
	})
	s.atConsole(mux, "GET /console/passkeys/new", anyRole, func(w http.ResponseWriter, r *http.Request, o console.Operator) {
		s.addPasskeyPage(w, r, o, nil)
	})
	s.atConsole(mux, "POST /console/passkeys/new", anyRole, s.addPasskey)
	s.atConsole(mux, "POST /console/passkeys/{mark}/removal", anyRole, s.dropPasskey)
}

type passkeysView struct {
	Keys    []console.Passkey
	Done    string
	Sandbox bool
}

func (s *site) passkeysPage(w http.ResponseWriter, r *http.Request, o console.Operator, said error) {
	keys, err := s.Console.Passkeys(r.Context(), o)
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	v := passkeysView{Keys: keys, Sandbox: o.WithoutKey}
	if done := r.URL.Query().Get("done"); done == "added" || done == "dropped" {
		v.Done = done
	}
	s.consolePage(w, r, http.StatusOK, "passkeys", "console.passkeys.title", v, said)
}

type addPasskeyView struct {
	Options   bool
	Ceremony  ceremony
	Elsewhere string // the address at which passkeys work, if this is another
}

func (s *site) addPasskeyPage(w http.ResponseWriter, r *http.Request, o console.Operator, said error) {
	var v addPasskeyView
	if s.ours(r) {
		options, err := s.Console.AddOptions(r.Context(), o)
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		token, err := s.Console.FormToken(o)
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		v.Options = true
		v.Ceremony = ceremony{Lang: languageOf(r.Context()), Action: "/console/passkeys/new", Kind: "create", Options: string(options), Key: "console.enrol.do", Token: token}
	} else if s.Console.ByPasskey() {
		v.Elsewhere = s.Console.Origin() + "/console/passkeys"
	}
	s.consolePage(w, r, http.StatusOK, "passkey-new", "console.passkeys.new", v, said)
}

func (s *site) addPasskey(w http.ResponseWriter, r *http.Request, o console.Operator) {
	err := s.Console.FinishAdd(r.Context(), o, []byte(r.PostForm.Get("answer")))
	switch {
	case err != nil && needsPasskey(err):
		s.consoleProblem(w, r, err)
	case err != nil:
		s.addPasskeyPage(w, r, o, err)
	default:
		http.Redirect(w, r, "/console/passkeys?done=added", http.StatusSeeOther)
	}
}

func (s *site) dropPasskey(w http.ResponseWriter, r *http.Request, o console.Operator) {
	err := s.Console.Drop(r.Context(), o, r.PathValue("mark"))
	switch {
	case err != nil && needsPasskey(err):
		s.consoleProblem(w, r, err)
	case err != nil:
		s.passkeysPage(w, r, o, err)
	default:
		http.Redirect(w, r, "/console/passkeys?done=dropped", http.StatusSeeOther)
	}
}
