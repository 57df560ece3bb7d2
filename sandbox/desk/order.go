package desk

import (
	"context"
	"net/http"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/doorway"
)

// Order is an order with the card at the desk's reader, which is any PC (K9): the way
// when the phone is lost, broken or locked for good.
type Order struct {
	Verb         warifu.Verb       `json:"verb"`             // suspend, resume, revoke
	Kinds        []warifu.Kind     `json:"kinds,omitempty"`  // none means both
	Reason       warifu.HoldReason `json:"reason,omitempty"` // lost, repair, own-wish; "lost" where a hold is meant and nothing said
	Until        time.Time         `json:"until,omitzero"`   // of a repair
	CardPassword string            `json:"cardPassword"`     // the card's signing password
}

// Ordered is where the certificates stand after it.
type Ordered struct {
	Credentials []phone.Standing `json:"credentials"`
}

func (d *Desk) cardOrder(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Order
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	return d.order(r.Context(), r.PathValue("id"), in)
}

// order taps the card and hands the order in.
func (d *Desk) order(ctx context.Context, card string, in Order) (Ordered, error) {
	held, err := d.config.Chips.Hold(ctx, card)
	if err != nil {
		return Ordered{}, err
	}
	defer held.PutAway()
	if in.Reason == "" && in.Verb != warifu.VerbRevoke {
		in.Reason = warifu.HoldLost
	}
	at := phone.Elsewhere{Server: d.config.Server, Scheme: d.config.Scheme, Clock: d.config.Clock}
	done, err := at.Order(ctx, phone.CardOrder{
		Verb: in.Verb, Kinds: in.Kinds, Reason: in.Reason, Until: in.Until, Card: held, CardPassword: in.CardPassword,
	})
	return Ordered{done}, err
}

// ContactByCard is another contact, and the card's signing password.
type ContactByCard struct {
	Contact      phone.Contact `json:"contact"`
	CardPassword string        `json:"cardPassword"`
}

// cardContact taps the card and hands the contact in.
func (d *Desk) cardContact(w http.ResponseWriter, r *http.Request) (any, error) {
	var in ContactByCard
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	held, err := d.config.Chips.Hold(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	defer held.PutAway()
	at := phone.Elsewhere{Server: d.config.Server, Scheme: d.config.Scheme, Clock: d.config.Clock}
	return struct{}{}, at.RegisterContact(r.Context(), in.Contact, held, in.CardPassword)
}

// Code is a suspension code as somebody types it.
type Code struct {
	Code string `json:"code"`
}

func (d *Desk) suspendByCode(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Code
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	return struct{}{}, d.config.Server.SuspendByCode(r.Context(), in.Code)
}

func (d *Desk) suspendByForm(w http.ResponseWriter, r *http.Request) {
	d.form(w, r, "/", func(err error) { d.draw(w, r, err) }, func() error { return d.config.Server.SuspendByCode(r.Context(), r.FormValue("code")) })
}

func (d *Desk) orderByForm(w http.ResponseWriter, r *http.Request) {
	id := d.named(r)
	d.form(w, r, "/persons/"+id, d.againAt(w, r, id), func() error {
		in := Order{Verb: warifu.Verb(r.FormValue("verb")), Reason: warifu.HoldReason(r.FormValue("reason")), CardPassword: r.FormValue("cardPassword")}
		_, err := d.order(r.Context(), id, in)
		if err == nil {
			d.lately.put(id, happening{Event: "order-" + string(in.Verb), At: d.now(), Order: true})
		}
		return err
	})
}
