package egov

import (
	"net/http"
	"strconv"
	"strings"

	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/text"
)

func (w *Window) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, r *http.Request) { w.front(rw, r, nil) })
	mux.HandleFunc("POST /drafts", w.draftByForm)
	mux.HandleFunc("GET /drafts/{id}", func(rw http.ResponseWriter, r *http.Request) { w.showDraft(rw, r, nil) })
	mux.HandleFunc("GET /drafts/{id}/filing.xml", w.draftFile)
	mux.HandleFunc("GET /drafts/{id}/sign", func(rw http.ResponseWriter, r *http.Request) {
		address, err := w.sign(rw, r)
		if err != nil {
			w.showDraft(rw, r, err)
			return
		}
		http.Redirect(rw, r, address, http.StatusSeeOther)
	})
	mux.HandleFunc("POST /filings", w.handByForm)
	mux.HandleFunc("GET /find", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/filings/"+doorway.Plain(r.FormValue("number")), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /filings/{number}", func(rw http.ResponseWriter, r *http.Request) {
		receipt, err := w.receipt(r.PathValue("number"))
		if err != nil {
			w.front(rw, r, err)
			return
		}
		doorway.Show(rw, r, receiptPage, "egov.receipt", receipt, nil)
	})
	mux.HandleFunc("POST /mandates/mandate.xml", w.mandateFile)
	mux.HandleFunc("POST /mandates", w.entrustByForm)
}

// In names the procedure in the reader's language.
func (p Procedure) In(l text.Lang) string {
	if l == text.Japanese {
		return p.Ja
	}
	return p.En
}

var frontPage = face.Place("egov/front")

type frontData struct {
	Companies  []Company
	Procedures []Procedure
	Filing     Filing // what was typed
	Mandate    *Held
}

// Blames says which field a problem is about.
func (frontData) Blames(problem string) string {
	switch problem {
	case "egov-company-number", "egov-company-unknown":
		return "company"
	case "egov-mandate-unknown", "egov-mandate-other":
		return "mandate"
	}
	return ""
}

func (w *Window) front(rw http.ResponseWriter, r *http.Request, problem error) {
	w.show(rw, r, nil, problem)
}

func (w *Window) show(rw http.ResponseWriter, r *http.Request, m *Held, problem error) {
	data := frontData{register, Procedures, Filing{Year: w.year()}, m}
	if r.Method == http.MethodPost && problem != nil {
		data.Filing = filingOf(r)
	}
	doorway.Show(rw, r, frontPage, "egov.title", data, problem)
}

func filingOf(r *http.Request) Filing {
	number := func(name string) int {
		n, err := strconv.Atoi(doorway.Plain(r.FormValue(name)))
		if err != nil {
			return -1 // refused with the field's name
		}
		return n
	}
	return Filing{Procedure: r.FormValue("procedure"), Year: number("year"), Company: doorway.Plain(r.FormValue("company")),
		Employees: number("employees"), Yen: number("yen"), Mandate: strings.TrimSpace(r.FormValue("mandate"))}
}

func (w *Window) draftByForm(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, doorway.MaxBody)
	d, err := w.draft(filingOf(r))
	if err != nil {
		w.front(rw, r, err)
		return
	}
	http.Redirect(rw, r, "/drafts/"+d.ID, http.StatusSeeOther)
}

var draftPage = face.Place("egov/draft")

// again shows a filing that could not be signed, to be signed anew.
func (w *Window) again(rw http.ResponseWriter, r *http.Request, id string, problem error) {
	r.SetPathValue("id", id)
	w.showDraft(rw, r, problem)
}

func (w *Window) showDraft(rw http.ResponseWriter, r *http.Request, problem error) {
	d, err := w.drafts.Get(r.PathValue("id"))
	if err != nil {
		w.front(rw, r, err)
		return
	}
	p, err := procedureOf(d.Filing.Procedure)
	if problem == nil {
		problem = err
	}
	doorway.Show(rw, r, draftPage, "egov.filing", struct {
		Draft
		Procedure Procedure
	}{d, p}, problem)
}

func (w *Window) draftFile(rw http.ResponseWriter, r *http.Request) {
	d, err := w.drafts.Get(r.PathValue("id"))
	if err != nil {
		w.front(rw, r, err)
		return
	}
	content, err := paperOf(d.Filing)
	if err != nil {
		w.front(rw, r, err)
		return
	}
	download(rw, "filing.xml", content)
}

func download(rw http.ResponseWriter, name string, content []byte) {
	rw.Header().Set("Content-Type", "application/xml")
	rw.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = rw.Write(content)
}

func (w *Window) handByForm(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, 2*MaxFile)
	file, err := doorway.Part(r, "file", MaxFile)
	if err == nil {
		var receipt Receipt
		if receipt, err = w.hand(r.Context(), file, Order{doorway.Plain(r.FormValue("company")), r.FormValue("procedure"), strings.TrimSpace(r.FormValue("mandate"))}); err == nil {
			http.Redirect(rw, r, "/filings/"+receipt.Number, http.StatusSeeOther)
			return
		}
	}
	w.front(rw, r, err)
}

func (w *Window) mandateFile(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, doorway.MaxBody)
	m, err := Mandate{Company: doorway.Plain(r.FormValue("company")), Delegate: r.FormValue("delegate"), BirthDate: r.FormValue("birthDate"),
		Procedure: r.FormValue("procedure"), Until: r.FormValue("until")}.fill()
	if err != nil {
		w.front(rw, r, err)
		return
	}
	content, err := paperOf(m)
	if err != nil {
		w.front(rw, r, err)
		return
	}
	download(rw, "mandate.xml", content)
}

func (w *Window) entrustByForm(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, 2*MaxFile)
	file, err := doorway.Part(r, "file", MaxFile)
	if err != nil {
		w.front(rw, r, err)
		return
	}
	m, err := w.entrust(r.Context(), file)
	if err != nil {
		w.front(rw, r, err)
		return
	}
	w.show(rw, r, &m, nil)
}

var receiptPage = face.Place("egov/receipt")
