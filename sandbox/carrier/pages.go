package carrier

import (
	"net/http"
	"net/url"

	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
	"warifu/text"
)

type seen struct {
	Who       *visitor.Visitor
	Plans     []Plan
	Contracts []Contract
	Contract  Contract
}

// Class says what somebody used.
func (seen) Class(class string, l text.Lang) string { return visitor.ClassWord(class, l) }

var frontPage = face.Place("carrier/front")

var contractPage = face.Place("carrier/contract")

func (c *Carrier) here(r *http.Request) (seen, error) {
	s := seen{Plans: Plans}
	who, err := c.visitors.Current(r)
	if err != nil {
		return s, nil // nobody is logged in: the first page says how
	}
	s.Who = &who
	s.Contracts, err = c.of(who.Subject)
	return s, err
}

func (c *Carrier) front(w http.ResponseWriter, r *http.Request) { c.problem(w, r, nil) }

// problem shows the first page, with what went wrong where something did.
func (c *Carrier) problem(w http.ResponseWriter, r *http.Request, problem error) {
	s, err := c.here(r)
	if problem == nil {
		problem = err
	}
	doorway.Show(w, r, frontPage, "carrier.title", s, problem)
}

func (c *Carrier) orderByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	who, err := c.visitors.Current(r)
	if err != nil {
		c.problem(w, r, err)
		return
	}
	k, err := c.order(who, Order{r.PostFormValue("plan"), r.PostFormValue("demand")})
	if err != nil {
		c.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/contracts/"+k.ID, http.StatusSeeOther)
}

// mine finds the contract of the path for who is logged in; everybody else is sent to log in.
func (c *Carrier) mine(w http.ResponseWriter, r *http.Request) (visitor.Visitor, Contract, bool) {
	who, err := c.visitors.Current(r)
	if err != nil {
		http.Redirect(w, r, "/visit?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return who, Contract{}, false
	}
	k, err := c.one(who.Subject, r.PathValue("id"))
	if err != nil {
		c.problem(w, r, err)
	}
	return who, k, err == nil
}

func (c *Carrier) contractPage(w http.ResponseWriter, r *http.Request) {
	if who, k, ok := c.mine(w, r); ok {
		doorway.Show(w, r, contractPage, "carrier.contract", seen{Who: &who, Contract: k}, nil)
	}
}

// file shows the contract: signed where it is.
func (c *Carrier) file(w http.ResponseWriter, r *http.Request) {
	_, k, ok := c.mine(w, r)
	if !ok {
		return
	}
	file := k.Signed
	if file == nil {
		file = k.paper().Content
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(file)
}

func (c *Carrier) signPage(w http.ResponseWriter, r *http.Request) {
	who, k, ok := c.mine(w, r)
	if !ok {
		return
	}
	address, err := c.sign(w, r, who, k.ID)
	if err != nil {
		c.problem(w, r, err)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (c *Carrier) checkByForm(w http.ResponseWriter, r *http.Request) {
	who, k, ok := c.mine(w, r)
	if !ok {
		return
	}
	if _, err := c.check(r.Context(), who, k.ID); err != nil {
		c.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/contracts/"+k.ID, http.StatusSeeOther)
}
