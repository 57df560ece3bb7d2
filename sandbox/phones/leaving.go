package phones

import (
	"context"
	"net/http"
	"time"

	"warifu/phone"
	"warifu/sandbox/doorway"
)

// Leave is what a holder decides before the phone leaves their hands, with one of its
// secrets where something changes.
type Leave struct {
	Event    string    `json:"event,omitempty"`   // reset, listing, repair or new-phone
	Choice   string    `json:"choice,omitempty"`  // revoke, hold-until or keep; of a listing not-me too
	Listing  string    `json:"listing,omitempty"` // the one marketplace's question at the server to answer
	Until    time.Time `json:"until,omitzero"`
	Password string    `json:"password,omitempty"`
	PIN      string    `json:"pin,omitempty"`
}

func (l Leave) decision() phone.Decision {
	return phone.Decision{Choice: l.Choice, Until: l.Until, Listing: l.Listing, Secret: Order{Password: l.Password, PIN: l.PIN}.secret()}
}

// Leaving asks what there is to decide, and what else to do (R80).
func (p *Phones) Leaving(ctx context.Context, id, event string) (phone.Leaving, error) {
	occasion, err := phone.ParseOccasion(event)
	if err != nil {
		return phone.Leaving{}, err
	}
	var out phone.Leaving
	err = p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Leaving(ctx, occasion)
		return err
	})
	return out, err
}

// Leave carries the decision out, and the reset itself where that is the event: nothing is
// erased before the holder has decided.
func (p *Phones) Leave(ctx context.Context, id string, in Leave) (phone.Parted, error) {
	occasion, err := phone.ParseOccasion(in.Event)
	if err != nil {
		return phone.Parted{}, err
	}
	var out phone.Parted
	err = p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Leave(ctx, occasion, in.decision())
		return err
	})
	for i := range out.Credentials {
		out.Credentials[i].Ticket = nil
	}
	return out, err
}

// Reset is a factory reset: the app's memory and the screen lock go, the chip stays (R74).
// Starting it asks first what becomes of the certificates; deciding to keep them takes no
// secret, and gives whoever decides it nothing.
func (p *Phones) Reset(ctx context.Context, id string, in Leave) (phone.Parted, error) {
	in.Event = string(phone.OccasionReset)
	out, err := p.Leave(ctx, id, in)
	if err != nil {
		return out, err
	}
	return out, p.with(ctx, id, func(o *owned) error { return o.handset.FactoryReset() })
}

// Listed is a marketplace's call: somebody offers this phone. The question waits for the
// holder; the answer is what they will be asked.
func (p *Phones) Listed(ctx context.Context, id string, in phone.CleanQuestion) (phone.Leaving, error) {
	var out phone.Leaving
	err := p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Listed(ctx, in)
		return err
	})
	return out, err
}

// Recognise is 有効性確認 with what a first contact does (K18).
func (p *Phones) Recognise(ctx context.Context, id string) (phone.Recognition, error) {
	var out phone.Recognition
	err := p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Recognise(ctx)
		return err
	})
	return out, err
}

func (p *Phones) leavingRoutes(mux *http.ServeMux) {
	mux.Handle("GET /api/phones/{id}/leaving", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return p.Leaving(r.Context(), r.PathValue("id"), r.URL.Query().Get("event"))
	}))
	mux.Handle("POST /api/phones/{id}/leaving", step(p.Leave, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/listings", step(p.Listed, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/reset", step(p.Reset, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/check", step(func(ctx context.Context, id string, _ done) (phone.Recognition, error) {
		return p.Recognise(ctx, id)
	}, doorway.MaxBody))
	mux.HandleFunc("GET /phones/{id}/leaving", p.inHand(func(w http.ResponseWriter, r *http.Request, o *owned) {
		p.showLeaving(w, r, o, phone.Parted{}, nil)
	}))
	mux.HandleFunc("POST /phones/{id}/leaving", p.inHand(p.leaveByForm))
	mux.HandleFunc("GET /listed", func(w http.ResponseWriter, r *http.Request) { p.showListed(w, r, nil) })
	mux.HandleFunc("POST /listed", p.listedByForm)
}
