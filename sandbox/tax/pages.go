package tax

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
)

func (o *Office) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { o.front(w, r, nil) })
	mux.HandleFunc("POST /returns", o.draftByForm)
	mux.HandleFunc("GET /returns/{id}", func(w http.ResponseWriter, r *http.Request) { o.showDraft(w, r, nil) })
	mux.HandleFunc("GET /returns/{id}/return.xml", o.draftFile)
	mux.HandleFunc("GET /returns/{id}/sign", func(w http.ResponseWriter, r *http.Request) {
		address, err := o.sign(w, r)
		if err != nil {
			o.showDraft(w, r, err)
			return
		}
		http.Redirect(w, r, address, http.StatusSeeOther)
	})
	mux.HandleFunc("POST /filings", o.uploadByForm)
	mux.HandleFunc("GET /find", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/filings/"+doorway.Plain(r.FormValue("number")), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /filings/{number}", o.showReceipt)
}

// slipAt is the slip of an address /{year}/{number}.
func slipAt(r *http.Request) (Slip, error) {
	year, err := strconv.Atoi(r.PathValue("year"))
	if err != nil {
		year = 0
	}
	return SlipOf(year, r.PathValue("number"))
}

var frontPage = face.Place("tax/front")

type frontData struct {
	Claim Claim
	Slips string
	Who   *visitor.Visitor
	Mine  []Receipt
}

// front is the first page, with what was typed and what went wrong.
func (o *Office) front(w http.ResponseWriter, r *http.Request, problem error) {
	data := frontData{Claim: Claim{Year: o.config.Clock.Now().In(o.config.Zone).Year() - 1}}
	if r.Method == http.MethodPost {
		data.Claim = claimOf(r)
		data.Slips = strings.Join(data.Claim.Slips, " ")
	}
	if who, err := o.visitors.Current(r); err == nil {
		data.Who = &who
		if data.Mine, err = o.of(who.Subject); problem == nil {
			problem = err
		}
	}
	doorway.Show(w, r, frontPage, "tax.title", data, problem)
}

func claimOf(r *http.Request) Claim {
	number := func(name string) int {
		n, err := strconv.Atoi(doorway.Plain(r.FormValue(name)))
		if err != nil && r.FormValue(name) != "" {
			return -1 // refused with the field's name
		}
		return n
	}
	slips := strings.FieldsFunc(r.FormValue("slips"), func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '、' || r == '，' })
	for i := range slips {
		slips[i] = doorway.Plain(slips[i])
	}
	return Claim{Year: number("year"), Name: r.FormValue("name"), BirthDate: r.FormValue("birthDate"), Address: r.FormValue("address"),
		Slips: slips, Medical: number("medical")}
}

func (o *Office) draftByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	d, err := o.draft(claimOf(r))
	if err != nil {
		o.front(w, r, err)
		return
	}
	http.Redirect(w, r, "/returns/"+d.ID, http.StatusSeeOther)
}

var draftPage = face.Place("tax/draft")

func (o *Office) showDraft(w http.ResponseWriter, r *http.Request, problem error) {
	d, err := o.drafts.Get(r.PathValue("id"))
	if err != nil {
		o.front(w, r, err)
		return
	}
	doorway.Show(w, r, draftPage, "tax.return", d, problem)
}

// again shows a return that could not be signed, to be signed anew.
func (o *Office) again(w http.ResponseWriter, r *http.Request, id string, problem error) {
	r.SetPathValue("id", id)
	o.showDraft(w, r, problem)
}

func (o *Office) draftFile(w http.ResponseWriter, r *http.Request) {
	d, err := o.drafts.Get(r.PathValue("id"))
	if err != nil {
		o.front(w, r, err)
		return
	}
	paper, err := d.paper()
	if err != nil {
		o.front(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Disposition", `attachment; filename="return.xml"`)
	_, _ = w.Write(paper.Content)
}

func (o *Office) uploadByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 2*MaxFile)
	file, err := doorway.Part(r, "file", MaxFile)
	if err != nil {
		o.front(w, r, err)
		return
	}
	receipt, err := o.upload(r.Context(), file)
	if err != nil {
		o.front(w, r, err)
		return
	}
	http.Redirect(w, r, "/filings/"+receipt.Number, http.StatusSeeOther)
}

var receiptPage = face.Place("tax/receipt")

func (o *Office) showReceipt(w http.ResponseWriter, r *http.Request) {
	receipt, err := o.receipt(r.PathValue("number"))
	if err != nil {
		o.front(w, r, err)
		return
	}
	doorway.Show(w, r, receiptPage, "tax.receipt", receipt, nil)
}
