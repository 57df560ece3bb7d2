package persona

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/sandbox/phones"
)

// repairLasts is how long the hold of Repair goes on.
const repairLasts = 7 * 24 * time.Hour

// eventOf is the event at the desk that a word of the card's life is.
var eventOf = map[string]string{
	Moved: desk.EventMove, Married: desk.EventMarry, CardHold: desk.EventLoseCard, Renewed: desk.EventRenew, Dead: desk.EventDie,
}

// word carries one word out, at the door at which the person would.
func (m *Maker) word(ctx context.Context, p Persona, made *Made, s Step) error {
	post := func(what string, in any) error {
		return m.phones.Post(ctx, "/api/phones/"+made.Phone+"/"+what, in, nil)
	}
	order := phones.Order{Kinds: s.Kinds, Password: made.Password}
	if order.Password == "" {
		order.PIN = PIN
	}
	if event := eventOf[s.Word]; event != "" {
		return m.happen(ctx, p.Person, event)
	}
	switch s.Word {
	case ScreenLock:
		return post("screenlock", phones.ScreenLock{Unlock: phones.Unlock{PIN: PIN, Method: phone.MethodFingerprint, Shown: "thumb"}})
	case Hold:
		return post("suspend", order)
	case Repair:
		now, err := m.now(ctx)
		if err != nil {
			return err
		}
		order.Until = now.Add(repairLasts)
		return post("suspend", order)
	case Revoked:
		return post("revoke", order)
	case Superseded:
		return m.supersede(ctx, p, made)
	case Expired:
		return m.expire(ctx, p, made)
	case Locked, pinLeft, passLeft:
		for _, kind := range s.Kinds {
			if err := m.mistype(ctx, made.Phone, kind, s.Left); err != nil {
				return err
			}
		}
	}
	return nil // phone, nosig, noauth and pending shaped the application
}

// happen reports an event of the person's life at the desk. Renewing is not open to a card
// whose certificates are new: its holder reports it unusable first, and gets another.
func (m *Maker) happen(ctx context.Context, id, event string) error {
	post := func(event string) error {
		return m.desk.Post(ctx, "/api/cards/"+id+"/events", desk.Happening{Event: event}, nil)
	}
	err := post(event)
	if event != desk.EventRenew || err == nil || warifu.ProblemOf(err).Problem != "renewal-too-early" {
		return err
	}
	if err := post(desk.EventRevokeCard); err != nil {
		return err
	}
	return post(event)
}

// supersede registers the same on another phone.
func (m *Maker) supersede(ctx context.Context, p Persona, made *Made) (err error) {
	if made.NewPhone == "" {
		if made.NewPhone, err = m.phone(ctx, ""); err != nil {
			return err
		}
	}
	if err := m.apply(ctx, p, made.NewPhone); err != nil {
		return err
	}
	return m.phones.Post(ctx, "/api/phones/"+made.NewPhone+"/personalize", phones.Personalize{}, nil)
}

// maxEnds is how many ends there may be to pass: one for each kind.
const maxEnds = 2

// expire moves the world's clock past the end of what is on the phone.
func (m *Maker) expire(ctx context.Context, p Persona, made *Made) error {
	for range maxEnds {
		var v phones.View
		if err := m.phones.Get(ctx, "/api/phones/"+made.Phone, &v); err != nil {
			return err
		}
		if !slices.ContainsFunc(v.Kinds, func(k phone.Validity) bool { return k.Live }) {
			return nil
		}
		if err := m.desk.Post(ctx, "/api/clock", desk.Time{Words: "the day after expiry", Card: p.Person}, nil); err != nil {
			return err
		}
	}
	return nil
}

// mistype types something else for a secret until so many tries are left. Every wrong entry is
// one that could be right, so that the app spends a try on it (K7).
func (m *Maker) mistype(ctx context.Context, on string, kind warifu.Kind, left int) error {
	wrong := phones.Asked{Password: "WRONG000"}
	if kind == warifu.Authentication {
		wrong = phones.Asked{PIN: "0000"}
	}
	for range tries[kind] {
		var v phones.View
		if err := m.phones.Get(ctx, "/api/phones/"+on, &v); err != nil {
			return err
		}
		if v.Tries[kind] <= left {
			return nil
		}
		err := m.phones.Post(ctx, "/api/phones/"+on+"/ledger", wrong, nil)
		if e := warifu.ProblemOf(err); err != nil && e.IsCode(warifu.CodeUnavailable) || e.IsCode(warifu.CodeInternal) {
			return err
		}
	}
	return nil
}
