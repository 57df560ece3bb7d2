package phones

import (
	"context"
	"encoding/json"
	"net/http"

	"warifu"
	"warifu/ledger"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// Asked is a question about who checked the holder, with one of the phone's secrets.
type Asked struct {
	After    int64  `json:"after,omitempty"` // the line before the page
	Wish     string `json:"wish,omitempty"`  // which attribute request
	Grant    bool   `json:"grant,omitempty"`
	Password string `json:"password,omitempty"`
	PIN      string `json:"pin,omitempty"`
}

func (a Asked) secret() phone.Secret { return Order{Password: a.Password, PIN: a.PIN}.secret() }

// Ledger fetches a page of who checked the holder, and checks that it is whole.
func (p *Phones) Ledger(ctx context.Context, id string, in Asked) (ledger.Page, error) {
	var page ledger.Page
	err := p.with(ctx, id, func(o *owned) error {
		raw, err := o.app.Ledger(ctx, in.After, in.secret())
		if err != nil {
			return err
		}
		page, err = ledger.ParsePage(raw)
		return err
	})
	return page, err
}

// Consents are who wants to be told attributes.
func (p *Phones) Consents(ctx context.Context, id string, in Asked) ([]phone.Wish, error) {
	out := []phone.Wish{}
	err := p.with(ctx, id, func(o *owned) error {
		all, err := o.app.Consents(ctx, in.secret())
		out = append(out, all...)
		return err
	})
	return out, err
}

// Consent decides about one of them.
func (p *Phones) Consent(ctx context.Context, id string, in Asked) (done, error) {
	return done{}, p.with(ctx, id, func(o *owned) error { return o.app.Consent(ctx, in.Wish, in.Grant, in.secret()) })
}

// Evidence fetches what a relying party has of the holder.
func (p *Phones) Evidence(ctx context.Context, id string, in Asked) (json.RawMessage, error) {
	var out json.RawMessage
	err := p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Evidence(ctx, in.Wish, in.secret())
		return err
	})
	return out, err
}

func (p *Phones) checkedRoutes(mux *http.ServeMux) {
	mux.Handle("POST /api/phones/{id}/ledger", step(p.Ledger, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/consents", step(p.Consents, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/consent", step(p.Consent, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/evidence", step(p.Evidence, doorway.MaxBody))
}

// LedgerLine is a line of the ledger in words.
type LedgerLine struct{ When, Who, What, Why, Result, Late string }

// LedgerLines puts a page into words; the commands show the same.
func LedgerLines(page ledger.Page, l text.Lang) []LedgerLine {
	var out []LedgerLine
	for _, line := range page.Lines {
		e := line.Entry
		if e == nil {
			out = append(out, LedgerLine{What: text.Sentence("ledger.erased", l, nil)})
			continue
		}
		who := e.Name.English
		if l == text.Japanese {
			who = e.Name.Japanese
		}
		w := LedgerLine{When: e.At.Format("2006-01-02 15:04:05Z"), Who: who, What: text.Sentence("ledger.what."+e.What, l, nil), Why: e.Purpose, Result: e.Result}
		if len(e.Reasons) > 0 {
			title, _, _ := text.Problem(&warifu.Error{Problem: e.Reasons[0]}, l)
			w.Result += " (" + title + ")"
		}
		if !e.Late.IsZero() {
			w.Late = text.Sentence("ledger.late", l, map[string]string{"at": e.Late.Format("2006-01-02 15:04:05Z")})
		}
		out = append(out, w)
	}
	return out
}
