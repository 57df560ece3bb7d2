package marketplace

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/attest"
)

// Shown is a proof as a seller hands it in: the text of the code, or its parts.
type Shown struct {
	Code  string `json:"code,omitempty"`
	Proof *Proof `json:"proof,omitempty"`
}

// parts reads what was handed in.
func (s Shown) parts() (Proof, error) {
	if s.Proof != nil {
		return *s.Proof, nil
	}
	code, err := attest.ParseCleanCode(s.Code)
	return Proof{code.Proof, code.Chain}, err
}

// prove takes the proof for an offer. A phone on which something is left keeps the offer
// blocked, with the reasons; one that is clean lists it. Errors: those of the code; Refused
// "clean-proof-other" for a proof made for another question.
func (m *Marketplace) prove(ctx context.Context, id string, in Shown) (Offer, error) {
	o, err := m.offers.Get(id)
	if err != nil {
		return o, err
	}
	if o.State == Sold {
		return o, warifu.Conflict("marketplace-sold")
	}
	proof, err := in.parts()
	if err != nil {
		return o, err
	}
	answer, err := m.config.Issuer.clean(ctx, proof, o.Question)
	if err != nil {
		return o, err
	}
	return m.settle(id, answer, proof, true)
}

// settle writes down what the issuer said.
func (m *Marketplace) settle(id string, a Answer, p Proof, tied bool) (Offer, error) {
	return m.offers.Change(id, func(o *Offer) error {
		if o.State == Sold {
			return nil
		}
		o.State, o.Why, o.Proof, o.Tied, o.CheckedAt = Blocked, a.Reasons, nil, false, m.config.Clock.Now().UTC()
		if a.Answer == clean {
			o.State, o.Proof, o.Tied = Listed, &p, tied
		}
		return nil
	})
}

const clean = "clean"

// unnamed is the one reason that a proof has which was asked for without the phone at hand.
const unnamed = "clean-proof-unnamed"

// again asks the issuer once more about the proof of an offer.
func (m *Marketplace) again(ctx context.Context, o Offer) (Answer, error) {
	q := o.Question
	if !o.Tied {
		q.Identifiers = nil
	}
	a, err := m.config.Issuer.clean(ctx, *o.Proof, q)
	if err == nil && !o.Tied {
		a = untied(a)
	}
	return a, err
}

// untied takes an answer about a phone that is not at hand for clean where nothing but the
// name of the phone is lacking.
func untied(a Answer) Answer {
	if a.Answer == "unknown" && !slices.ContainsFunc(a.Reasons, func(r Reason) bool { return r.Problem != unnamed }) {
		a.Answer, a.Reasons = clean, nil
	}
	return a
}

// ask has the holder asked through the issuer, by the chip's identifier (R81 without the
// phone at hand). Errors: Invalid "marketplace-element-missing", those of the issuer:
// "listings-too-many".
func (m *Marketplace) ask(ctx context.Context, id string) (Offer, error) {
	o, err := m.offers.Get(id)
	if err != nil {
		return o, err
	}
	if o.Element == "" {
		return o, warifu.Invalid("marketplace-element-missing")
	}
	if o.State != Blocked {
		return o, warifu.Conflict("marketplace-listed")
	}
	asked, err := m.config.Issuer.ask(ctx, o.Element, o.Question.Nonce, m.config.Clock.Now().Add(askFor))
	if err != nil {
		return o, err
	}
	return m.offers.Change(id, func(o *Offer) error {
		o.Asked, o.Outcome = asked.ID, "pending"
		return nil
	})
}

// look is an offer as it stands: where a holder was asked, what they have answered.
func (m *Marketplace) look(ctx context.Context, id string) (Offer, error) {
	o, err := m.offers.Get(id)
	if err != nil || o.Asked == "" || o.State != Blocked || o.Outcome != "pending" {
		return o, err
	}
	got, err := m.config.Issuer.asked(ctx, o.Asked)
	if err != nil {
		return o, err
	}
	if o, err = m.offers.Change(id, func(o *Offer) error { o.Outcome = got.State; return nil }); err != nil || got.Clean == nil {
		return o, err
	}
	o.Proof, o.Tied = got.Clean, false
	a, err := m.again(ctx, o)
	if err != nil {
		return o, err
	}
	return m.settle(id, a, *got.Clean, false)
}

// buy sells an offer, if the phone is still clean: something may have been put on it since.
// Conflict "marketplace-sold", "marketplace-not-listed"; Refused "marketplace-no-longer-clean", and then it is
// blocked again.
func (m *Marketplace) buy(ctx context.Context, id string) (Offer, error) {
	o, err := m.offers.Get(id)
	if err != nil {
		return o, err
	}
	if err := o.forSale(); err != nil {
		return o.public(), err
	}
	a, err := m.again(ctx, o)
	if err != nil {
		return o.public(), err
	}
	if a.Answer != clean {
		_, err := m.settle(id, a, *o.Proof, false)
		if err == nil {
			err = warifu.Refused("marketplace-no-longer-clean")
		}
		return o.public(), err
	}
	o, err = m.offers.Change(id, func(o *Offer) error {
		if err := o.forSale(); err != nil {
			return err
		}
		o.State, o.CheckedAt = Sold, m.config.Clock.Now().UTC()
		return nil
	})
	return o.public(), err
}

// forSale says why an offer cannot be bought.
func (o *Offer) forSale() error {
	switch o.State {
	case Listed:
		return nil
	case Sold:
		return warifu.Conflict("marketplace-sold")
	}
	return warifu.Conflict("marketplace-not-listed")
}

// Seen is what a buyer has: what the seller shows, and the number on the phone in hand.
type Seen struct {
	Code string `json:"code"`
	IMEI string `json:"imei"`
}

// Checked is what a buyer is told.
type Checked struct {
	Answer
	Asker string    `json:"asker"`           // who asked the phone, as the proof says
	Ours  bool      `json:"ours"`            // the nonce is one of this marketplace
	Offer string    `json:"offer,omitempty"` // for which offer it was given out
	Age   string    `json:"age"`             // how long ago the phone was asked, "26h0m0s"
	At    time.Time `json:"-"`               // when, for people
}

// fresh is how old a proof may be before a buyer is warned.
const fresh = 24 * time.Hour

// check judges what a seller shows (R82). What ties it to the phone in the buyer's hands is
// its number; whose nonce it is tells whether it was made for this sale or lifted from
// another. Unknown is never clean.
func (m *Marketplace) check(ctx context.Context, in Seen) (Checked, error) {
	code, err := attest.ParseCleanCode(in.Code)
	if err != nil {
		return Checked{}, err
	}
	said, err := code.Said()
	if err != nil {
		return Checked{}, err
	}
	q := Question{Marketplace: said.Marketplace, Nonce: said.Nonce, Identifiers: said.Identifiers}
	a, err := m.config.Issuer.clean(ctx, Proof{code.Proof, code.Chain}, q)
	if err != nil {
		return Checked{}, err
	}
	out := Checked{Answer: a, Asker: said.Marketplace}
	if ours, err := m.questions.Get(hex.EncodeToString(said.Nonce)); err == nil && said.Marketplace == Name {
		out.Ours, out.Offer = true, ours.Offer
	}
	age := m.config.Clock.Now().Sub(said.Time).Truncate(time.Second)
	out.Age, out.At = age.String(), said.Time
	doubt := func(e *warifu.Error) {
		out.Reasons = append(out.Reasons, reason(e))
		if out.Answer.Answer == clean {
			out.Answer.Answer = "unknown"
		}
	}
	switch imei := strings.TrimSpace(in.IMEI); {
	case imei == "":
		doubt(warifu.Conflict(unnamed))
	case !slices.Contains(said.Identifiers, "imei:"+imei):
		doubt(warifu.Conflict("marketplace-other-phone"))
	}
	if age > fresh {
		doubt(warifu.Conflict("marketplace-proof-stale"))
	}
	return out, nil
}
