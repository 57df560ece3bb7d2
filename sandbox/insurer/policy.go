package insurer

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"warifu/sandbox/person"
)

// State is whether somebody is insured.
type State string

// The states.
const (
	Insured State = "insured"
	Changed State = "changed" // insured, and by another insurer since less than a month
	Expired State = "expired" // the last insurance has ended and no other has begun
	Unknown State = "unknown" // no insurer knows the person
)

// Answer is what a clinic is told.
type Answer struct {
	State    State   `json:"state"`
	Name     string  `json:"name"`
	Birth    string  `json:"birth"` // 2006-01-02
	Insurer  *Policy `json:"insurer,omitempty"`
	Previous *Policy `json:"previous,omitempty"`
	// Share is what the person pays themselves, in per cent.
	Share int `json:"share,omitempty"`
	// Grace is the last day on which the card's expired certificate is taken; empty while it has not expired.
	Grace string `json:"grace,omitempty"`
	// What the person consented to, and nothing else: nil where they did not, empty where there is nothing.
	Medicine []string `json:"medicine,omitzero"`
	Checkups []string `json:"checkups,omitzero"`
	HighCost string   `json:"highCost,omitempty"`
	AsOf     string   `json:"asOf"` // RFC 3339
}

// Policy is one insurance of a person.
type Policy struct {
	Number string `json:"number"` // 保険者番号
	Name   string `json:"name"`
	Member string `json:"member"` // 記号・番号・枝番
	From   string `json:"from"`
	To     string `json:"to,omitempty"`
}

// record is what the insurers have about somebody.
type record struct {
	state         State
	now, previous *Policy
	share         int
}

// The persons of the sandbox whose insurance is not in order; everybody else's is.
var (
	nobodyKnows = []string{"maria"}
	hasEnded    = []string{"kenji"}
	hasChanged  = []string{"hanako"}
)

// Ages from which insurance changes (高齢者の医療の確保に関する法律), and the share below school age.
const (
	lateElderly = 75
	elderly     = 70
	atSchool    = 6
)

// policyOf invents a person's insurance, the same for as long as they stay where they are.
func policyOf(p person.Person, now time.Time) record {
	if slices.Contains(nobodyKnows, p.ID) {
		return record{state: Unknown}
	}
	first := time.Date(now.In(person.Tokyo).Year(), now.In(person.Tokyo).Month(), 1, 0, 0, 0, 0, person.Tokyo)
	age := person.Age(p.Birth, now)
	r := record{state: Insured, share: 30, now: policy(p, age, "2020-04-01")}
	switch {
	case age >= lateElderly:
		r.share = 10
	case age >= elderly, age < atSchool:
		r.share = 20
	}
	switch {
	case slices.Contains(hasEnded, p.ID):
		r.state, r.previous, r.now, r.share = Expired, r.now, nil, 0
		r.previous.To = first.AddDate(0, 0, -1).Format(time.DateOnly)
	case slices.Contains(hasChanged, p.ID):
		r.state, r.previous = Changed, &Policy{Number: "06139999", Name: "見本電機健康保険組合", Member: "12・3456・00", From: "2015-04-01", To: first.AddDate(0, 0, -1).Format(time.DateOnly)}
		r.now.From = first.Format(time.DateOnly)
	}
	return r
}

// policy is an invented insurer's: numbers ending in 9999 are nobody's.
func policy(p person.Person, age int, from string) *Policy {
	sum := sha256.Sum256([]byte("insured " + p.ID))
	member := fmt.Sprintf("%02d・%04d・%02d", sum[0]%100, int(sum[1])<<8%10000+int(sum[2])%100, sum[3]%3)
	switch {
	case age >= lateElderly:
		return &Policy{"39" + p.Municipality.Code[:2] + "9999", p.Municipality.Prefecture + "後期高齢者医療広域連合（見本）", member, from, ""}
	case sum[4]%2 == 0:
		return &Policy{"01" + p.Municipality.Code[:2] + "9999", "全国健康保険協会（見本）", member, from, ""}
	}
	return &Policy{p.Municipality.Code[:2] + "9999", p.Municipality.Name + "国民健康保険（見本）", member, from, ""}
}

// tell is what the clinic hears of a record.
func (r record) tell(p person.Person, c Consents, now time.Time) Answer {
	out := Answer{State: r.state, Name: p.Name, Birth: p.Birth.In(person.Tokyo).Format(time.DateOnly), Insurer: r.now, Previous: r.previous, Share: r.share, AsOf: now.UTC().Format(time.RFC3339)}
	if r.state == Unknown || r.state == Expired {
		return out // who is not insured has nothing there to be shown
	}
	day := func(back int) string { return now.In(person.Tokyo).AddDate(0, 0, -back).Format(time.DateOnly) }
	if c.Medicine {
		out.Medicine = []string{day(40) + " 見本錠 5mg 1日1回 28日分", day(12) + " 見本カプセル 250mg 1日3回 5日分"}
	}
	if c.Checkups {
		out.Checkups = []string{}
		if person.Age(p.Birth, now) >= 40 { // 特定健診 begin at forty
			out.Checkups = []string{day(200) + " 血圧 124/78 血糖 98 腹囲 82（見本）"}
		}
	}
	if c.HighCost {
		out.HighCost = "区分ウ：80,100円＋1%（見本）"
	}
	return out
}
