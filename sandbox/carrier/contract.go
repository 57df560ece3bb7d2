package carrier

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/relyingparty"
	"warifu/sandbox/sheet"
	"warifu/sandbox/visitor"
	"warifu/text"
)

// Plan is what one can subscribe to.
type Plan struct {
	ID   string `json:"id"`
	Ja   string `json:"ja"`
	En   string `json:"en"`
	Data string `json:"data"`
	Yen  int    `json:"yen"` // a month, tax included
}

// In names the plan in the reader's language.
func (p Plan) In(l text.Lang) string {
	if l == text.Japanese {
		return p.Ja
	}
	return p.En
}

// Plans are what is sold.
var Plans = []Plan{
	{"mini", "ミニ", "Mini", "3 GB", 990}, {"standard", "スタンダード", "Standard", "20 GB", 2970}, {"unlimited", "使いほうだい", "Unlimited", "∞", 6380},
}

// The states of a contract.
const (
	offered  = "offered"  // shown, waits for the signature
	standing = "standing" // signed: the line is open
)

// Contract is a contract and what proves it: the signed file and the identifiers of its check.
type Contract struct {
	ID        string             `json:"id"`
	Number    string             `json:"number"`
	Subject   string             `json:"subject"`
	State     string             `json:"state"`
	Plan      string             `json:"plan"`
	Demand    string             `json:"demand,omitempty"` // "phone": nothing else may sign
	At        time.Time          `json:"at"`
	Customer  visitor.Attributes `json:"customer"`
	Signed    []byte             `json:"signed,omitempty"` // the PDF file
	SignedAt  time.Time          `json:"signedAt,omitzero"`
	Class     string             `json:"class,omitempty"` // what signed: "card" or "phone"
	Telephone string             `json:"telephone,omitempty"`
	Checked   *visitor.Checked   `json:"checked,omitempty"` // at the signature
	Again     *visitor.Checked   `json:"again,omitempty"`   // the last time it was judged from the evidence
}

const (
	maxContracts = 100_000
	maxOwn       = 5 // lines of one person (携帯電話不正利用防止法: more need a talk)
	offerLife    = time.Hour
	fullAge      = 18
	signing      = "sign"
)

// Order is a contract as it is asked for.
type Order struct {
	Plan   string `json:"plan"`
	Demand string `json:"demand,omitempty"` // "phone" or ""
}

func planOf(id string) (Plan, bool) {
	i := slices.IndexFunc(Plans, func(p Plan) bool { return p.ID == id })
	if i < 0 {
		return Plan{}, false
	}
	return Plans[i], true
}

// order writes a contract to be signed. Errors: Invalid "carrier-plan-unknown", Refused
// "carrier-guardian-needed" under eighteen, TooMany "carrier-lines-too-many".
func (c *Carrier) order(who visitor.Visitor, in Order) (Contract, error) {
	now := c.config.Clock.Now()
	if _, known := planOf(in.Plan); !known || in.Demand != "" && in.Demand != "phone" {
		return Contract{}, warifu.Invalid("carrier-plan-unknown")
	}
	if err := who.Needs(); err != nil {
		return Contract{}, err
	}
	born, err := visitor.Born(who.Attributes.BirthDate)
	if err != nil {
		return Contract{}, err
	}
	if visitor.Age(born, now) < fullAge {
		return Contract{}, warifu.Refused("carrier-guardian-needed")
	}
	mine, err := c.of(who.Subject)
	if err != nil {
		return Contract{}, err
	}
	if len(mine) >= maxOwn {
		return Contract{}, warifu.TooMany("carrier-lines-too-many")
	}
	return c.contracts.Add(func(n int) (string, Contract, error) {
		made := Contract{
			ID: fmt.Sprintf("%06d-%s", n, strings.ToLower(rand.Text()[:10])), Number: fmt.Sprintf("W%07d", n), Subject: who.Subject, State: offered,
			Plan: in.Plan, Demand: in.Demand, At: now.UTC(), Customer: who.Attributes,
		}
		return made.ID, made, nil
	})
}

// of lists a person's contracts.
func (c *Carrier) of(subject string) ([]Contract, error) {
	all, err := c.contracts.All()
	return slices.DeleteFunc(all, func(k Contract) bool { return k.Subject != subject }), err
}

// one finds a contract of the person's own. Error: NotFound "carrier-contract-unknown".
func (c *Carrier) one(subject, id string) (Contract, error) {
	k, err := c.contracts.Get(id)
	if err != nil || k.Subject != subject {
		return Contract{}, warifu.NotFound("carrier-contract-unknown")
	}
	return k, nil
}

// paper is the contract as a file: the same octets every time it is asked for.
func (k Contract) paper() relyingparty.Document {
	plan, _ := planOf(k.Plan)
	s := sheet.Sheet{Mark: "見本 SAMPLE"}
	s.Heading("携帯電話利用契約書 Mobile contract")
	s.Pair("契約番号 Contract", k.Number)
	s.Pair("契約日 Date", k.At.In(visitor.Tokyo).Format(time.DateOnly))
	s.Pair("氏名 Name", k.Customer.Name)
	s.Pair("住所 Address", k.Customer.Address)
	s.Pair("生年月日 Born", k.Customer.BirthDate)
	s.Pair("料金プラン Plan", plan.Ja+" "+plan.En+"（"+plan.Data+"）")
	s.Pair("月額 A month", fmt.Sprintf("%d 円（税込） yen, tax included", plan.Yen))
	s.Gap()
	s.Line("第1条 利用者は、見本モバイルの電気通信サービスを利用し、月額料金を支払います。")
	s.Line("第2条 利用者は、契約書面の受領日から8日以内であれば、書面または電磁的記録により契約を解除できます（初期契約解除）。")
	s.Line("第3条 利用者は、回線を他人に譲渡しません（携帯電話不正利用防止法）。")
	s.Gap()
	s.Line("1. The customer uses the service of Sample Mobile and pays the monthly price. 2. Within eight days of receiving this contract it can be ended in writing. 3. The line is not passed on to anybody else.")
	return relyingparty.Document{Name: "携帯電話利用契約書 " + k.Number + ".pdf", Content: s.PDF(), Mode: relyingparty.ModePDF}
}

// sign begins the signature and returns the address to go to. Errors: Conflict
// "carrier-contract-signed", "carrier-offer-old".
func (c *Carrier) sign(w http.ResponseWriter, r *http.Request, who visitor.Visitor, id string) (string, error) {
	k, err := c.one(who.Subject, id)
	if err == nil {
		err = k.open(c.config.Clock.Now())
	}
	if err != nil {
		return "", err
	}
	demand := ""
	if k.Demand == "phone" {
		demand = relyingparty.DemandPhone
	}
	return c.visitors.AskSignature(w, r, signing, k.ID, k.paper(), demand)
}

func (k Contract) open(now time.Time) error {
	switch {
	case k.State == standing:
		return warifu.Conflict("carrier-contract-signed", "number", k.Number)
	case now.Sub(k.At) > offerLife:
		return warifu.Conflict("carrier-offer-old")
	}
	return nil
}

// arrived takes the signed contract: of the customer, by what was demanded, good now.
func (c *Carrier) arrived(ctx context.Context, arrival visitor.Arrival) (string, error) {
	k, err := c.one(arrival.Visitor.Subject, arrival.Reference)
	if err == nil {
		err = k.open(c.config.Clock.Now())
	}
	if err != nil {
		return "", err
	}
	accept := []string{"phone", "card"}
	if k.Demand != "" {
		accept = []string{k.Demand}
	}
	policy := visitor.Policy{Accept: accept, Attributes: []string{"name", "address", "birthDate"}}
	signature, err := c.visitors.TakeSignature(ctx, arrival, k.paper(), c.config.Checks, policy, "携帯電話の契約 / a mobile contract")
	if err != nil {
		return "", err
	}
	if told := signature.Checked.Attributes; told != nil && !k.Customer.Same(*told) {
		return "", warifu.Refused("visitor-other-person")
	}
	if k.Demand != "" && signature.Checked.Class != k.Demand {
		return "", warifu.Refused("carrier-phone-demanded")
	}
	_, err = c.contracts.Change(k.ID, func(k *Contract) error {
		now := c.config.Clock.Now()
		if err := k.open(now); err != nil { // another tab was quicker
			return err
		}
		k.State, k.Signed, k.SignedAt, k.Class = standing, signature.File, now.UTC(), signature.Checked.Class
		k.Telephone, k.Checked = "070-0900-"+k.Number[4:], &signature.Checked // 070-0… is never assigned
		return nil
	})
	return "/contracts/" + k.ID, err
}

// check has the contract judged once more from the evidence, as an auditor would years later.
// Error: Conflict "carrier-contract-unsigned".
func (c *Carrier) check(ctx context.Context, who visitor.Visitor, id string) (Contract, error) {
	k, err := c.one(who.Subject, id)
	if err != nil {
		return k, err
	}
	if k.Checked == nil {
		return k, warifu.Conflict("carrier-contract-unsigned")
	}
	again, err := c.config.Checks.Again(ctx, k.Checked.ID)
	if err != nil {
		return k, err
	}
	return c.contracts.Change(k.ID, func(k *Contract) error {
		k.Again = &again
		return nil
	})
}
