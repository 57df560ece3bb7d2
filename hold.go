package warifu

import "slices"

// HoldReason says why a credential is suspended or an open application waits. A
// subject may stand under several; each is lifted by itself, and the credential is
// good again only when none is left (design §3).
type HoldReason string

// The reasons. The strings are in stored rows and in papers; they never change.
const (
	HoldLost     HoldReason = "lost"     // 紛失: the phone is not in its holder's hands (R76)
	HoldRepair   HoldReason = "repair"   // 修理: until a date, and then it ends by itself (K5)
	HoldCard     HoldReason = "card"     // the card it derives from is suspended (K14)
	HoldOperator HoldReason = "operator" // an operator of the authority, with cause (K15)
	HoldOwnWish  HoldReason = "own-wish" // the holder, for reasons of their own
)

// Party is who puts or lifts a hold, by what they have proven, not by who they say
// they are.
type Party string

// The parties.
const (
	PartyDevice    Party = "device"    // the holder at the phone itself, its secret verified by its chip
	PartyCard      Party = "card"      // the holder with the card and its signing password, on any device (K9)
	PartyCode      Party = "code"      // whoever knows the suspension code: it can only hold
	PartyOperator  Party = "operator"  // one operator of the authority
	PartyOperators Party = "operators" // two operators of the authority (four eyes)
	PartyBureau    Party = "bureau"    // the card bureau, by its signed events and statements
	PartyClock     Party = "clock"     // nobody: the date came
)

// HoldRule says of one reason who may put such a hold and who may lift it. Staff of
// carriers and shops are no party at all (R73).
type HoldRule struct {
	Reason HoldReason
	Put    []Party
	Lift   []Party
	Dated  bool   // it has a date at which it ends by itself
	Rule   string // the R and K numbers it follows
}

// HoldRules is every reason there is, with its parties.
var HoldRules = []HoldRule{
	{HoldLost, []Party{PartyCard, PartyCode, PartyOperator, PartyOperators}, []Party{PartyCard, PartyOperators}, false, "R76, K9, B.5"},
	{HoldRepair, []Party{PartyDevice, PartyCard}, []Party{PartyDevice, PartyCard, PartyOperators, PartyClock}, true, "R72, K5"},
	{HoldCard, []Party{PartyBureau}, []Party{PartyBureau}, false, "R5, K14"},
	{HoldOperator, []Party{PartyOperator, PartyOperators}, []Party{PartyOperators}, false, "K15"},
	{HoldOwnWish, []Party{PartyDevice, PartyCard}, []Party{PartyDevice, PartyCard, PartyOperators}, false, "R78"},
}

// ParseHoldReason returns the reason of that name; anything else is an Invalid error.
func ParseHoldReason(s string) (HoldReason, error) {
	if _, ok := HoldReason(s).Rule(); !ok {
		return "", Invalid("hold-reason-unknown", "reason", s)
	}
	return HoldReason(s), nil
}

// Rule returns the row of HoldRules, and false for a reason that is none.
func (r HoldReason) Rule() (HoldRule, bool) {
	for _, rule := range HoldRules {
		if rule.Reason == r {
			return rule, true
		}
	}
	return HoldRule{}, false
}

// MayPut reports whether the party may put a hold for the reason.
func (r HoldReason) MayPut(p Party) bool {
	rule, _ := r.Rule()
	return slices.Contains(rule.Put, p)
}

// MayLift reports whether the party may lift a hold for the reason.
func (r HoldReason) MayLift(p Party) bool {
	rule, _ := r.Rule()
	return slices.Contains(rule.Lift, p)
}
