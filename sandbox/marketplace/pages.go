package marketplace

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"warifu/face"
	"warifu/sandbox/doorway"
)

func (m *Marketplace) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { m.front(w, r, nil) })
	mux.HandleFunc("POST /offers", m.sellByForm)
	mux.HandleFunc("GET /offers/{id}", func(w http.ResponseWriter, r *http.Request) { m.showOffer(w, r, nil) })
	mux.HandleFunc("POST /offers/{id}/proof", m.onOffer(func(r *http.Request, id string) (Offer, error) {
		return m.prove(r.Context(), id, Shown{Code: r.FormValue("code")})
	}))
	mux.HandleFunc("POST /offers/{id}/question", m.onOffer(func(r *http.Request, id string) (Offer, error) { return m.ask(r.Context(), id) }))
	mux.HandleFunc("POST /offers/{id}/sale", m.onOffer(func(r *http.Request, id string) (Offer, error) { return m.buy(r.Context(), id) }))
	mux.HandleFunc("GET /check", func(w http.ResponseWriter, r *http.Request) {
		doorway.Show(w, r, checkPage, "marketplace.check", checkData{}, nil)
	})
	mux.HandleFunc("POST /check", m.checkByForm)
	mux.HandleFunc("GET /trade-in", func(w http.ResponseWriter, r *http.Request) {
		doorway.Show(w, r, lotPage, "marketplace.trade-in", lotData{Origin: m.config.Origin}, nil)
	})
	mux.HandleFunc("POST /trade-in", m.lotByForm)
	mux.HandleFunc("GET /trade-in/{id}", func(w http.ResponseWriter, r *http.Request) {
		l, err := m.lot(r.Context(), r.PathValue("id"))
		doorway.Show(w, r, lotPage, "marketplace.trade-in", lotData{Origin: m.config.Origin, Lot: l}, err)
	})
	mux.HandleFunc("GET /staff", func(w http.ResponseWriter, r *http.Request) {
		doorway.Show(w, r, staffPage, "marketplace.staff", m.config, nil)
	})
	mux.HandleFunc("POST /staff", func(w http.ResponseWriter, r *http.Request) {
		doorway.Show(w, r, staffPage, "marketplace.staff", m.config, m.refuseRevoking())
	})
}

var frontPage = face.Place("marketplace/front")

type frontData struct {
	Offers []Offer
	Sale   Sale // what was typed, where it was refused
}

func (m *Marketplace) front(w http.ResponseWriter, r *http.Request, problem error) {
	offers, err := m.shelf(r.Context())
	if problem == nil {
		problem = err
	}
	data := frontData{Offers: offers}
	if r.Method == http.MethodPost {
		data.Sale = saleOf(r)
	}
	doorway.Show(w, r, frontPage, "marketplace.title", data, problem)
}

func saleOf(r *http.Request) Sale {
	price, err := strconv.Atoi(doorway.Plain(r.FormValue("price")))
	if err != nil {
		price = 0 // refused with the field's name
	}
	return Sale{Title: r.FormValue("title"), Price: price, IMEI: doorway.Plain(r.FormValue("imei")), Element: strings.TrimSpace(r.FormValue("element")),
		Checklist: Checklist{r.FormValue("initialised") != "", r.FormValue("activation-lock") != "", r.FormValue("certificates") != ""}}
}

func (m *Marketplace) sellByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	o, err := m.sell(saleOf(r))
	if err != nil {
		m.front(w, r, err)
		return
	}
	http.Redirect(w, r, "/offers/"+o.ID, http.StatusSeeOther)
}

var offerPage = face.Place("marketplace/offer")

type offerData struct {
	Offer              Offer
	Phone, Nonce, Code string
}

func (m *Marketplace) showOffer(w http.ResponseWriter, r *http.Request, problem error) {
	o, err := m.look(r.Context(), r.PathValue("id"))
	if problem == nil {
		problem = err
	}
	if o.ID == "" {
		m.front(w, r, problem)
		return
	}
	data := offerData{Offer: o, Nonce: hex.EncodeToString(o.Question.Nonce), Code: r.FormValue("code")}
	data.Phone = m.config.Phones + "/listed?" + url.Values{"marketplace": {Name}, "nonce": {data.Nonce},
		"identifier": o.Question.Identifiers, "back": {m.config.Origin + "/offers/" + o.ID}}.Encode()
	doorway.Show(w, r, offerPage, "marketplace.offer", data, problem)
}

// onOffer makes a form's door of a step on an offer.
func (m *Marketplace) onOffer(step func(*http.Request, string) (Offer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
		if _, err := step(r, r.PathValue("id")); err != nil {
			m.showOffer(w, r, err)
			return
		}
		http.Redirect(w, r, "/offers/"+r.PathValue("id"), http.StatusSeeOther)
	}
}

var checkPage = face.Place("marketplace/check")

type checkData struct {
	Seen    Seen
	Checked *Checked
}

func (m *Marketplace) checkByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	data := checkData{Seen: Seen{r.FormValue("code"), doorway.Plain(r.FormValue("imei"))}}
	checked, err := m.check(r.Context(), data.Seen)
	if err == nil {
		data.Checked = &checked
	}
	doorway.Show(w, r, checkPage, "marketplace.check", data, err)
}

var lotPage = face.Place("marketplace/lot")

type lotData struct {
	Origin, Table string
	Lot           Lot
}

func (m *Marketplace) lotByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4*maxTable) // as a form writes it
	table := r.FormValue("table")
	l, err := m.takeLot(r.Context(), table)
	if err != nil {
		doorway.Show(w, r, lotPage, "marketplace.trade-in", lotData{Origin: m.config.Origin, Table: table}, err)
		return
	}
	http.Redirect(w, r, "/trade-in/"+l.ID, http.StatusSeeOther)
}

var staffPage = face.Place("marketplace/staff")
