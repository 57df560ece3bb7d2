package bank

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
)

// accountRoutes are the doors of customers, and the one at which the verification service
// tells of certificates.
func (b *Bank) accountRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /accounts", b.accountsPage)
	mux.HandleFunc("POST /accounts", b.applyByForm)
	mux.HandleFunc("GET /accounts/{id}", b.accountPage)
	mux.HandleFunc("GET /accounts/{id}/form.pdf", b.formFile)
	mux.HandleFunc("GET /accounts/{id}/sign", b.signPage)
	mux.Handle("POST /api/accounts", b.own(func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		var in Opening
		if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
			return nil, err
		}
		return b.apply(who, in)
	}))
	mux.Handle("GET /api/accounts", b.own(func(_ http.ResponseWriter, _ *http.Request, who visitor.Visitor) (any, error) {
		return b.of(who.Subject)
	}))
	mux.Handle("GET /api/accounts/{id}", b.own(func(_ http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		a, err := b.one(who.Subject, r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		return b.latest(r.Context(), a)
	}))
	mux.Handle("POST /api/accounts/{id}/sign", b.own(func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error) {
		address, err := b.sign(w, r, who, r.PathValue("id"))
		return map[string]string{"address": address}, err
	}))
	mux.HandleFunc("POST /api/told/{id}", b.told)
	mux.Handle("POST /api/links", doorway.JSON(b.apiLink))
}

func (b *Bank) own(f func(w http.ResponseWriter, r *http.Request, who visitor.Visitor) (any, error)) http.Handler {
	return doorway.JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		who, err := b.visitors.Current(r)
		if err != nil {
			return nil, err
		}
		return f(w, r, who)
	})
}

// Link is a payment service's question whether an account is a person's.
type Link struct {
	Number    string `json:"number"`
	Name      string `json:"name"`
	BirthDate string `json:"birthDate"`
}

// apiLink answers a payment service (口座振替の登録): yes only for an open account whose
// verified holder has the name and the birth date. It never says what was wrong.
func (b *Bank) apiLink(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Link
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	all, err := b.accounts.All()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.Number == in.Number && a.State == opened && (visitor.Attributes{Name: in.Name, BirthDate: in.BirthDate}).Same(a.Record.Customer) {
			return map[string]bool{"linked": true}, nil
		}
	}
	return nil, warifu.Refused("bank-link-refused")
}

// officerRoutes are the compliance officer's doors: a name and a password, as a browser asks.
func (b *Bank) officerRoutes(mux *http.ServeMux) {
	mux.Handle("GET /officer", b.officer(http.HandlerFunc(b.dailyPage)))
	mux.Handle("POST /officer/{id}/check", b.officer(b.byForm(b.check)))
	mux.Handle("POST /officer/{id}/latest", b.officer(b.byForm(b.askLatest)))
	mux.Handle("GET /officer/{id}/record.pdf", b.officer(http.HandlerFunc(b.recordFile)))
	mux.Handle("GET /api/records", b.officer(doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return b.daily(r.URL.Query().Get("day"))
	})))
	mux.Handle("GET /api/records/{id}", b.officer(doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		a, err := b.filed(r.PathValue("id"))
		return a.Record, err
	})))
	mux.Handle("POST /api/records/{id}/check", b.officer(doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return b.check(r.Context(), r.PathValue("id"))
	})))
	mux.Handle("POST /api/records/{id}/latest", b.officer(doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return b.askLatest(r.Context(), r.PathValue("id"))
	})))
}

func (b *Bank) officer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, typed, _ := r.BasicAuth()
		got, want := sha256.Sum256([]byte(typed)), sha256.Sum256([]byte(b.config.Officer))
		if name != "officer" || b.config.Officer == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="Sample Bank, compliance", charset="UTF-8"`)
			doorway.Refuse(w, warifu.Unauthenticated("bank-officer-only"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// filed finds an account with a record. Errors: "bank-account-unknown", "bank-record-absent".
func (b *Bank) filed(id string) (Account, error) {
	a, err := b.accounts.Get(id)
	switch {
	case err != nil:
		return Account{}, warifu.NotFound("bank-account-unknown")
	case a.Record == nil:
		return a, warifu.Conflict("bank-record-absent")
	}
	return a, nil
}

// daily lists the accounts whose record was filed on a day in Tokyo ("2026-06-01"; "" is today).
// Error: Invalid "bank-day-malformed".
func (b *Bank) daily(day string) ([]Account, error) {
	if day == "" {
		day = b.config.Clock.Now().In(visitor.Tokyo).Format(time.DateOnly)
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return nil, warifu.Invalid("bank-day-malformed").With(err)
	}
	all, err := b.accounts.All()
	out := []Account{}
	for _, a := range all {
		if a.Record != nil && a.Record.FiledAt.In(visitor.Tokyo).Format(time.DateOnly) == day {
			a.Signed = nil // the signed form is at the account; a list stays a list
			out = append(out, a)
		}
	}
	return out, err
}
