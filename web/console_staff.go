package web

import (
	"net/http"
	"net/url"
	"strconv"

	"warifu/console"
)

// consoleStaff adds the administrators' pages.
func (s *site) consoleStaff(mux *http.ServeMux) {
	s.atConsole(mux, "GET /console/staff", atStaff, func(w http.ResponseWriter, r *http.Request, o console.Operator) {
		q := r.URL.Query()
		s.staffPage(w, r, o, q.Get("name"), q.Get("role"), nil)
	})
	s.atConsole(mux, "POST /console/staff/invitations", atStaff, s.inviteOperator)
	s.atConsole(mux, "POST /console/staff/{name}/withdrawal", atStaff, s.withdrawInvitation)
	s.atConsole(mux, "GET /console/staff/{name}/{act}", atStaff, s.staffAct)
	s.atConsole(mux, "POST /console/staff/{name}/lost", atStaff, s.replacePasskey)
	s.atConsole(mux, "POST /console/staff/{name}/removal", atStaff, s.removeOperator)
}

type staffView struct {
	console.Staff
	Working, Gone []console.Member
	Self          string
	Roles         []console.Role
	Few           string // how many administrators there are, where they are too few
	Name, Role    string // as typed
	Done          string
}

func (s *site) staffPage(w http.ResponseWriter, r *http.Request, o console.Operator, name, role string, said error) {
	all, err := s.Console.Staff(r.Context(), o)
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	v := staffView{Staff: all, Self: o.Name, Roles: console.Roles, Name: name, Role: role}
	for _, m := range all.Members {
		if m.RemovedAt.IsZero() {
			v.Working = append(v.Working, m)
		} else {
			v.Gone = append(v.Gone, m)
		}
	}
	if all.Administrators < 2 {
		v.Few = strconv.Itoa(all.Administrators)
	}
	if done := r.URL.Query().Get("done"); done == "removed" || done == "withdrawn" || done == "proved" {
		v.Done = done
	}
	s.consolePage(w, r, http.StatusOK, "staff", "console.staff.title", v, said)
}

type linkView struct {
	Name, Link string
}

// showLink shows a one-time link, this once.
func (s *site) showLink(w http.ResponseWriter, r *http.Request, name string, link console.Secret) {
	s.consolePage(w, r, http.StatusOK, "link", "console.staff.link.title", linkView{name, s.Console.Origin() + console.Path(link)}, nil)
}

func (s *site) inviteOperator(w http.ResponseWriter, r *http.Request, o console.Operator) {
	name, role := r.PostForm.Get("name"), r.PostForm.Get("role")
	link, err := s.Console.Invite(r.Context(), o, name, console.Role(role))
	switch {
	case err != nil && needsPasskey(err):
		typed := url.Values{"name": {name}, "role": {role}, "done": {"proved"}} // need not be typed again
		http.Redirect(w, r, "/console/step-up?back="+url.QueryEscape("/console/staff?"+typed.Encode()), http.StatusSeeOther)
	case err != nil:
		s.staffPage(w, r, o, name, role, err)
	default:
		s.showLink(w, r, name, link)
	}
}

func (s *site) withdrawInvitation(w http.ResponseWriter, r *http.Request, o console.Operator) {
	if err := s.Console.Withdraw(r.Context(), o, r.PathValue("name")); err != nil {
		s.staffPage(w, r, o, "", "", err)
		return
	}
	http.Redirect(w, r, "/console/staff?done=withdrawn", http.StatusSeeOther)
}

type staffActView struct{ Name, Act string }

// staffAct asks once more before what cannot be undone.
func (s *site) staffAct(w http.ResponseWriter, r *http.Request, o console.Operator) {
	v := staffActView{r.PathValue("name"), r.PathValue("act")}
	if v.Act != "lost" && v.Act != "removal" {
		http.Redirect(w, r, "/console/staff", http.StatusSeeOther)
		return
	}
	if err := s.Console.Verified(o); err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	s.consolePage(w, r, http.StatusOK, "staff-act", "console.staff.title", v, nil)
}

func (s *site) replacePasskey(w http.ResponseWriter, r *http.Request, o console.Operator) {
	name := r.PathValue("name")
	link, err := s.Console.Replace(r.Context(), o, name)
	if err != nil {
		s.staffFailed(w, r, o, err)
		return
	}
	s.showLink(w, r, name, link)
}

func (s *site) removeOperator(w http.ResponseWriter, r *http.Request, o console.Operator) {
	if err := s.Console.Remove(r.Context(), o, r.PathValue("name")); err != nil {
		s.staffFailed(w, r, o, err)
		return
	}
	http.Redirect(w, r, "/console/staff?done=removed", http.StatusSeeOther)
}

func (s *site) staffFailed(w http.ResponseWriter, r *http.Request, o console.Operator, err error) {
	if needsPasskey(err) {
		s.consoleProblem(w, r, err)
		return
	}
	s.staffPage(w, r, o, "", "", err)
}
