package bank

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"warifu"
	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
	"warifu/text"
)

// held is what the pages of accounts are made of.
type held struct {
	Who                   *visitor.Visitor
	Accounts              []Account
	Account               Account
	Purposes, Occupations []string
	Day                   string
}

// Class says what somebody used.
func (held) Class(class string, l text.Lang) string { return visitor.ClassWord(class, l) }

// When is an instant in Tokyo.
func (held) When(t time.Time) string { return t.In(visitor.Tokyo).Format("2006-01-02 15:04") }

// Held reports whether what was heard last is a suspension.
func (a Account) Held() bool {
	return len(a.Told) > 0 && a.Told[len(a.Told)-1].Reason == "certificateHold"
}

var accountsPage = face.Place("bank/accounts")

var accountPage = face.Place("bank/account")

var dailyPage = face.Place("bank/daily")

func (b *Bank) heldBy(r *http.Request) held {
	h := held{Purposes: Purposes, Occupations: Occupations}
	if who, err := b.visitors.Current(r); err == nil {
		h.Who = &who
	}
	return h
}

func (b *Bank) accountsPage(w http.ResponseWriter, r *http.Request) { b.problem(w, r, nil) }

// problem shows the page of accounts, with what went wrong where something did.
func (b *Bank) problem(w http.ResponseWriter, r *http.Request, problem error) {
	h := b.heldBy(r)
	if h.Who != nil {
		var err error
		if h.Accounts, err = b.of(h.Who.Subject); err != nil && problem == nil {
			problem = err
		}
	}
	doorway.Show(w, r, accountsPage, "bank.accounts", h, problem)
}

func (b *Bank) applyByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	who, err := b.visitors.Current(r)
	if err != nil {
		b.problem(w, r, err)
		return
	}
	a, err := b.apply(who, Opening{r.PostFormValue("purpose"), r.PostFormValue("occupation"), r.PostFormValue("method")})
	if err != nil {
		b.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/accounts/"+a.ID, http.StatusSeeOther)
}

// mine finds the account of the path for who is logged in; everybody else is sent to log in.
func (b *Bank) mine(w http.ResponseWriter, r *http.Request) (visitor.Visitor, Account, bool) {
	who, err := b.visitors.Current(r)
	if err != nil {
		http.Redirect(w, r, "/visit?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return who, Account{}, false
	}
	a, err := b.one(who.Subject, r.PathValue("id"))
	if err != nil {
		b.problem(w, r, err)
	}
	return who, a, err == nil
}

func (b *Bank) accountPage(w http.ResponseWriter, r *http.Request) {
	_, a, ok := b.mine(w, r)
	if !ok {
		return
	}
	now, err := b.latest(r.Context(), a)
	if err == nil {
		a = now
	}
	h := b.heldBy(r)
	h.Account = a
	doorway.Show(w, r, accountPage, "bank.account", h, err)
}

// formFile shows the application form: signed where it is.
func (b *Bank) formFile(w http.ResponseWriter, r *http.Request) {
	_, a, ok := b.mine(w, r)
	if !ok {
		return
	}
	file := a.Signed
	if file == nil {
		file = a.paper().Content
	}
	servePDF(w, file)
}

func servePDF(w http.ResponseWriter, file []byte) {
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(file)
}

func (b *Bank) signPage(w http.ResponseWriter, r *http.Request) {
	who, a, ok := b.mine(w, r)
	if !ok {
		return
	}
	address, err := b.sign(w, r, who, a.ID)
	if err != nil {
		b.problem(w, r, err)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (b *Bank) dailyPage(w http.ResponseWriter, r *http.Request) { b.showDaily(w, r, nil) }

func (b *Bank) showDaily(w http.ResponseWriter, r *http.Request, problem error) {
	h := held{Day: r.URL.Query().Get("day")}
	if h.Day == "" {
		h.Day = b.config.Clock.Now().In(visitor.Tokyo).Format(time.DateOnly)
	}
	var err error
	if h.Accounts, err = b.daily(h.Day); problem == nil {
		problem = err
	}
	doorway.Show(w, r, dailyPage, "bank.officer", h, problem)
}

// byForm runs a step of the officer's from the daily list, and shows the list again.
func (b *Bank) byForm(step func(context.Context, string) (Account, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := step(r.Context(), r.PathValue("id"))
		if err != nil || a.Record == nil {
			if err == nil {
				err = warifu.Conflict("bank-record-absent")
			}
			b.showDaily(w, r, err)
			return
		}
		http.Redirect(w, r, "/officer?day="+a.Record.FiledAt.In(visitor.Tokyo).Format(time.DateOnly), http.StatusSeeOther)
	})
}

func (b *Bank) recordFile(w http.ResponseWriter, r *http.Request) {
	a, err := b.filed(r.PathValue("id"))
	if err != nil {
		b.showDaily(w, r, err)
		return
	}
	servePDF(w, a.Record.PDF())
}
