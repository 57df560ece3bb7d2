package phones

import (
	"cmp"
	"context"
	"net/http"

	"warifu/phone"
	"warifu/sandbox/doorway"
)

// Link is a login's link, as the browser shows it.
type Link struct {
	Link string `json:"link"`
}

// Approve is what a person decides about a login on their phone.
type Approve struct {
	Link
	// Attributes are those left ticked; null means every one that is asked for.
	Attributes []string `json:"attributes"`
	Number     string   `json:"number,omitempty"` // picked, where the app shows three
	Unlock
	Password string `json:"password,omitempty"` // the phone's signing password, where a document is to be signed
	Decline  bool   `json:"decline,omitempty"`
	// Seen is the fingerprint of the question that the person was shown; empty: whatever is asked.
	Seen string `json:"seen,omitempty"`
}

// LoginAsked is a login as a person is shown it, with the fingerprint to come back with.
type LoginAsked struct {
	phone.LoginQuestion
	Seen string `json:"seen"`
}

// Decided is what came of it.
type Decided struct {
	phone.Approved
	Declined bool `json:"declined,omitempty"`
}

// Asked fetches what a login asks.
func (p *Phones) Asked(ctx context.Context, id string, in Link) (LoginAsked, error) {
	var out LoginAsked
	err := p.with(ctx, id, func(o *owned) (err error) {
		if out.LoginQuestion, err = o.app.Asked(ctx, in.Link); err == nil && out.Sign != nil {
			_, err = o.app.Wanted(ctx, out.LoginQuestion)
		}
		return err
	})
	if err == nil {
		out.Seen = out.LoginQuestion.Seen()
	}
	return out, err
}

// Approve answers a login as the person decided.
func (p *Phones) Approve(ctx context.Context, id string, in Approve) (Decided, error) {
	out := Decided{Declined: in.Decline}
	err := p.with(ctx, id, func(o *owned) error {
		q, err := o.app.Asked(ctx, in.Link.Link)
		if err != nil {
			return err
		}
		if in.Decline {
			out.Approved, err = o.app.Decline(ctx, q)
			return err
		}
		if err := q.StillAsks(cmp.Or(in.Seen, q.Seen())); err != nil {
			return err
		}
		if in.Attributes == nil {
			in.Attributes = q.Attributes
		}
		out.Approved, err = o.app.Approve(ctx, q, phone.Agreement{
			Attributes: in.Attributes, Number: in.Number, Unlock: in.Unlock.of(), Password: phone.Unlock{Typed: in.Password},
		})
		return err
	})
	if err == nil || ended(err) != "" {
		p.prompts.answered("/approve" + PagePath(in.Link.Link, p.config.Server))
	}
	return out, err
}

func (p *Phones) approveRoutes(mux *http.ServeMux) {
	mux.Handle("POST /api/phones/{id}/asked", step(p.Asked, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/approve", step(p.Approve, doorway.MaxBody))
	mux.HandleFunc("GET /approve", p.openApprove)
	mux.HandleFunc("GET /approve/{way}/{login}", func(w http.ResponseWriter, r *http.Request) { p.showApprove(w, r, nil) })
	mux.HandleFunc("POST /approve/{way}/{login}", p.approveByForm)
	mux.HandleFunc("POST /approve/{way}/{login}/send", p.sendApprove)
	mux.Handle("POST /api/phones/{id}/prompt", step(quiet(p.Prompt), doorway.MaxBody))
}
