package warifu_test

import (
	"testing"

	"warifu"
)

func TestNobodyLiftsAHoldWhoMayNot(t *testing.T) {
	// Written from K5, K9, K14, K15, R73 and B.5, not from the table.
	may := map[warifu.HoldReason]map[warifu.Party]bool{
		warifu.HoldLost:     {warifu.PartyCard: true, warifu.PartyOperators: true},
		warifu.HoldRepair:   {warifu.PartyCard: true, warifu.PartyOperators: true, warifu.PartyDevice: true, warifu.PartyClock: true},
		warifu.HoldCard:     {warifu.PartyBureau: true},
		warifu.HoldOperator: {warifu.PartyOperators: true},
		warifu.HoldOwnWish:  {warifu.PartyCard: true, warifu.PartyOperators: true, warifu.PartyDevice: true},
		"shop":              {},
	}
	parties := []warifu.Party{warifu.PartyDevice, warifu.PartyCard, warifu.PartyCode, warifu.PartyOperator,
		warifu.PartyOperators, warifu.PartyBureau, warifu.PartyClock, "shop"}
	for reason, allowed := range may {
		for _, p := range parties {
			if got := reason.MayLift(p); got != allowed[p] {
				t.Errorf("%s may lift %q: %v", p, reason, got)
			}
		}
	}
	for _, rule := range warifu.HoldRules {
		if rule.Reason.MayLift(warifu.PartyCode) || rule.Reason.MayLift(warifu.PartyOperator) {
			t.Errorf("a code or a single operator lifts %q", rule.Reason)
		}
		if rule.Reason.MayLift(warifu.PartyClock) != rule.Dated {
			t.Errorf("%q: only what has a date ends by itself", rule.Reason)
		}
		if len(rule.Put) == 0 || len(rule.Lift) == 0 || rule.Rule == "" {
			t.Errorf("%q: nobody puts it, nobody lifts it, or no rule asks for it", rule.Reason)
		}
	}
}

func TestASuspensionCodeCanOnlyReportALoss(t *testing.T) {
	for _, rule := range warifu.HoldRules {
		if got := rule.Reason.MayPut(warifu.PartyCode); got != (rule.Reason == warifu.HoldLost) {
			t.Errorf("the code may put %q: %v", rule.Reason, got)
		}
	}
}

func TestParseHoldReason(t *testing.T) {
	for _, rule := range warifu.HoldRules {
		if got, err := warifu.ParseHoldReason(string(rule.Reason)); err != nil || got != rule.Reason {
			t.Errorf("%q: %q %v", rule.Reason, got, err)
		}
	}
	if _, err := warifu.ParseHoldReason("shop"); warifu.ProblemOf(err).Problem != "hold-reason-unknown" {
		t.Errorf("got %v", err)
	}
}
