package phones

import (
	"context"
	"net/http"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/doorway"
)

// Order is what a holder wants done with the certificates on this phone, with one of its
// secrets as typed: the signing password, or the PIN where that is all there is (K10).
type Order struct {
	Kinds    []warifu.Kind     `json:"kinds,omitempty"`  // none means all that are on the phone
	Until    time.Time         `json:"until,omitzero"`   // suspend for a repair until then; zero: own wish
	Reason   warifu.HoldReason `json:"reason,omitempty"` // which hold to resume: own-wish where nothing is said, or repair
	Password string            `json:"password,omitempty"`
	PIN      string            `json:"pin,omitempty"`
}

func (o Order) secret() phone.Secret {
	if o.Password != "" {
		return phone.Secret{Kind: warifu.Signature, Typed: o.Password}
	}
	return phone.Secret{Kind: warifu.Authentication, Typed: o.PIN}
}

// Ordered is where the certificates stand after an order.
type Ordered struct {
	Credentials []phone.Standing `json:"credentials"`
}

// Suspend puts certificates on hold.
func (p *Phones) Suspend(ctx context.Context, id string, in Order) (Ordered, error) {
	return p.dispose(ctx, id, func(o *owned) ([]phone.Standing, error) { return o.app.Suspend(ctx, in.Kinds, in.Until, in.secret()) })
}

// Resume lifts the holder's own hold.
func (p *Phones) Resume(ctx context.Context, id string, in Order) (Ordered, error) {
	reason := in.Reason
	if reason == "" {
		reason = warifu.HoldOwnWish
	}
	return p.dispose(ctx, id, func(o *owned) ([]phone.Standing, error) { return o.app.Resume(ctx, in.Kinds, reason, in.secret()) })
}

// Revoke ends certificates for good; the chip destroys the keys (R75).
func (p *Phones) Revoke(ctx context.Context, id string, in Order) (Ordered, error) {
	return p.dispose(ctx, id, func(o *owned) ([]phone.Standing, error) { return o.app.Revoke(ctx, in.Kinds, in.secret()) })
}

func (p *Phones) dispose(ctx context.Context, id string, f func(*owned) ([]phone.Standing, error)) (Ordered, error) {
	var out Ordered
	err := p.with(ctx, id, func(o *owned) (err error) {
		out.Credentials, err = f(o)
		return err
	})
	for i := range out.Credentials {
		out.Credentials[i].Ticket = nil
	}
	return out, err
}

// Coded is a suspension code, shown once.
type Coded struct {
	SuspensionCode string `json:"suspensionCode"`
}

// NewCode gets a new suspension code.
func (p *Phones) NewCode(ctx context.Context, id string, in Order) (Coded, error) {
	var out Coded
	err := p.with(ctx, id, func(o *owned) (err error) {
		out.SuspensionCode, err = o.app.NewCode(ctx, in.secret())
		return err
	})
	return out, err
}

// Wiped tells how many dead keys the chip destroyed.
type Wiped struct {
	Destroyed int `json:"destroyed"`
}

// Wipe has the chip destroy what is dead; it takes no secret (K18).
func (p *Phones) Wipe(ctx context.Context, id string) (Wiped, error) {
	var out Wiped
	err := p.with(ctx, id, func(o *owned) (err error) {
		out.Destroyed, err = o.app.Wipe(ctx)
		return err
	})
	return out, err
}

// Checked is what chip and server say (有効性確認).
type Checked struct {
	Kinds []phone.Validity `json:"kinds"`
}

// Check asks chip and server what is on the phone.
func (p *Phones) Check(ctx context.Context, id string) (Checked, error) {
	var out Checked
	err := p.with(ctx, id, func(o *owned) (err error) {
		out.Kinds, err = o.app.Check(ctx)
		return err
	})
	return out, err
}

// Proof has the chip answer a marketplace's question (手放し証明).
func (p *Phones) Proof(ctx context.Context, id string, in phone.CleanQuestion) (phone.CleanProof, error) {
	var out phone.CleanProof
	err := p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.CleanProof(ctx, in)
		return err
	})
	return out, err
}

// makers hands out the makers' roots, DER.
func (p *Phones) makers(http.ResponseWriter, *http.Request) (any, error) {
	var out [][]byte
	for _, root := range p.config.Makers() {
		out = append(out, root.Raw)
	}
	return out, nil
}

func (p *Phones) lifeRoutes(mux *http.ServeMux) {
	mux.Handle("GET /api/makers", doorway.JSON(p.makers))
	mux.Handle("POST /api/phones/{id}/suspend", step(p.Suspend, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/resume", step(p.Resume, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/revoke", step(p.Revoke, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/code", step(p.NewCode, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/contact", step(func(ctx context.Context, id string, in ContactChange) (done, error) {
		return done{}, p.RegisterContact(ctx, id, in)
	}, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/proof", step(p.Proof, doorway.MaxBody))
	mux.Handle("POST /api/phones/{id}/wipe", step(func(ctx context.Context, id string, _ done) (Wiped, error) {
		return p.Wipe(ctx, id)
	}, doorway.MaxBody))
	mux.Handle("GET /api/phones/{id}/check", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return p.Check(r.Context(), r.PathValue("id"))
	}))
}
