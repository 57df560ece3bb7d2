package phone

import (
	"context"
	"slices"
	"time"

	"warifu"
)

// Occasion is why a phone is about to leave its holder's hands (R70–R78).
type Occasion string

// The occasions. A new enrolment is one too: it ends what is on the older phone, or what
// is on this one.
const (
	OccasionReset    Occasion = "reset"
	OccasionListing  Occasion = "listing" // for sale, at a marketplace or a trade-in shop
	OccasionRepair   Occasion = "repair"
	OccasionNewPhone Occasion = "new-phone"
)

// Occasions are all of them.
var Occasions = []Occasion{OccasionReset, OccasionListing, OccasionRepair, OccasionNewPhone}

// ParseOccasion reads an occasion's name, or Invalid "leaving-occasion-unknown".
func ParseOccasion(name string) (Occasion, error) {
	o := Occasion(name)
	if !slices.Contains(Occasions, o) {
		return "", warifu.Invalid("leaving-occasion-unknown", "occasion", name)
	}
	return o, nil
}

// event is the occasion as the server's question has it.
func (o Occasion) event() string {
	if o == OccasionListing {
		return "sale"
	}
	return string(o)
}

// The choices the holder has.
const (
	ChoiceRevoke = "revoke"
	ChoiceHold   = "hold-until"
	ChoiceKeep   = "keep"
)

// Decision is what the holder chose, with one of the phone's secrets where something
// changes; keeping takes none, and gives nobody anything.
type Decision struct {
	Choice string
	Until  time.Time // of ChoiceHold
	Secret Secret
	// Listing is the one question of a marketplace at the server that this answers
	// (OccasionListing); empty for all that wait.
	Listing string
}

// Parted tells how a decision was carried out.
type Parted struct {
	Choice      string     `json:"choice,omitempty"` // empty where there was nothing to decide
	Credentials []Standing `json:"credentials,omitempty"`
	Withdrawn   string     `json:"withdrawn,omitempty"` // an application that was on its way to this phone
	// Proof answers the marketplace that asked (Listed); absent where none did.
	Proof *CleanProof `json:"proof,omitempty"`
	// Answered are the marketplaces that asked through the server.
	Answered []Answered `json:"answered,omitempty"`
}

// Leaving asks what the holder is to decide on an occasion, and what else is to be done. It
// changes nothing.
func (a *App) Leaving(ctx context.Context, o Occasion) (Leaving, error) {
	return a.Server.Leaving(ctx, a.Device.Element, o)
}

// Leave carries a decision out before the phone goes. While certificates of this phone are
// active or on hold there has to be one: none is Conflict "leaving-undecided", so that whoever
// starts a reset or a sale asks first. A choice that is none is Invalid
// "leaving-choice-unknown", a suspension without its day "hold-until-missing". Revoking also
// withdraws an application that is on its way to this phone. Errors are those of Revoke and
// Suspend too.
func (a *App) Leave(ctx context.Context, o Occasion, d Decision) (Parted, error) {
	asked, err := a.Leaving(ctx, o)
	if err != nil {
		return Parted{}, err
	}
	out := Parted{Choice: d.Choice}
	switch {
	case d.Choice == ChoiceNotMe && o == OccasionListing:
		out.Answered, err = a.answerAsked(ctx, d)
		return out, err
	case d.Choice == "" && len(asked.Live) > 0:
		return Parted{}, warifu.Conflict("leaving-undecided")
	case d.Choice == "" || d.Choice == ChoiceKeep:
	case d.Choice == ChoiceHold && d.Until.IsZero():
		return Parted{}, warifu.Invalid("hold-until-missing")
	case d.Choice == ChoiceHold:
		out.Credentials, err = a.Suspend(ctx, asked.Live, d.Until, d.Secret)
	case d.Choice == ChoiceRevoke:
		out, err = a.leaveNothing(ctx, asked.Live, d)
	default:
		return Parted{}, warifu.Invalid("leaving-choice-unknown", "choice", d.Choice)
	}
	if err != nil {
		return out, err
	}
	if o != OccasionListing {
		return out, nil
	}
	if d.Listing == "" {
		if out.Proof, err = a.answerListing(ctx); err != nil {
			return out, err
		}
	}
	out.Answered, err = a.answerAsked(ctx, d)
	return out, err
}

// leaveNothing revokes what is live and withdraws what is on its way.
func (a *App) leaveNothing(ctx context.Context, live []warifu.Kind, d Decision) (Parted, error) {
	out := Parted{Choice: d.Choice}
	var err error
	if len(live) > 0 {
		if out.Credentials, err = a.Revoke(ctx, live, d.Secret); err != nil {
			return out, err
		}
	}
	life, err := a.life(ctx)
	if err != nil || life.Application == "" {
		return out, err
	}
	out.Withdrawn = life.Application
	return out, a.withdraw(ctx, life.Application)
}

// Listed is what a marketplace calls, or a shop, when somebody offers this phone (R81, R83): the
// question waits in the app until its holder has decided, and Leave answers it with the
// chip's proof. It gives the marketplace nothing yet and asks for no secret. The latest
// question is the one that waits. Errors: "clean-question-malformed".
func (a *App) Listed(ctx context.Context, q CleanQuestion) (Leaving, error) {
	if !q.valid() {
		return Leaving{}, warifu.Invalid("clean-question-malformed")
	}
	asked, err := a.Leaving(ctx, OccasionListing)
	if err != nil {
		return Leaving{}, err
	}
	return asked, a.remember(func(s *State) { s.Listing = &q })
}

// valid reports whether the chip will take the question (docs/secure-element.md §9).
func (q CleanQuestion) valid() bool {
	const most = 128
	ok := q.Marketplace != "" && len(q.Marketplace) <= most && len(q.Nonce) >= 16 && len(q.Nonce) <= 64 && len(q.Identifiers) <= 8 && !q.Time.IsZero()
	for _, i := range q.Identifiers {
		ok = ok && i != "" && len(i) <= most
	}
	return ok
}

// answerListing proves to the marketplace whose question waits what is left, and forgets it.
func (a *App) answerListing(ctx context.Context) (*CleanProof, error) {
	state, err := a.State()
	if err != nil || state.Listing == nil {
		return nil, err
	}
	proof, err := a.CleanProof(ctx, *state.Listing)
	if err != nil {
		return nil, err
	}
	return &proof, a.remember(func(s *State) { s.Listing = nil })
}
