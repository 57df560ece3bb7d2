package cashless

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"warifu"
	"warifu/relyingparty"
	"warifu/sandbox/visitor"
)

// Member is somebody who signed up.
type Member struct {
	ID        string    `json:"id"`
	Subject   string    `json:"subject"`
	Name      string    `json:"name"`
	BirthDate string    `json:"birthDate"`
	Joined    time.Time `json:"joined"`
	Account   string    `json:"account,omitempty"` // number of the linked bank account
	Payments  []Payment `json:"payments"`
}

// Payment is money paid, or about to be.
type Payment struct {
	ID   string    `json:"id"`
	Shop string    `json:"shop"`
	Yen  int       `json:"yen"`
	At   time.Time `json:"at"`
	Paid time.Time `json:"paid,omitzero"` // zero: it waits for presence to be shown anew
}

// Rules of payments, in yen.
const (
	freshFrom    = 10_000  // from this sum presence is shown anew
	limitLoose   = 10_000  // a month, without a bank account
	limitYoung   = 5_000   // a month, from 15 to 17
	limitLock    = 50_000  // a month, logged in by the screen lock
	limitPIN     = 100_000 // a month, logged in by PIN
	youngest     = 15
	fullAge      = 18
	fresh        = 5 * time.Minute
	maxMembers   = 100_000
	maxPayments  = 1_000
	maxShop      = 50 // characters
	paying       = "pay"
	waitsAtMost  = 15 * time.Minute // a payment for its confirmation
	accountDigit = 7
)

// memberID files a member under a name that tells nothing.
func memberID(subject string) string {
	sum := sha256.Sum256([]byte("warifu-sandbox-cashless\n" + subject))
	return hex.EncodeToString(sum[:16])
}

// join signs up who is logged in. Signing up again changes nothing. Error: Refused
// "cashless-too-young".
func (c *Cashless) join(who visitor.Visitor) (Member, error) {
	if m, err := c.member(who); err == nil {
		return m, nil
	}
	if err := who.Needs(); err != nil {
		return Member{}, err
	}
	now := c.config.Clock.Now()
	age, err := ageOf(who.Attributes.BirthDate, now)
	if err != nil {
		return Member{}, err
	}
	if age < youngest {
		return Member{}, warifu.Refused("cashless-too-young")
	}
	return c.members.Add(func(int) (string, Member, error) {
		m := Member{ID: memberID(who.Subject), Subject: who.Subject, Name: who.Attributes.Name, BirthDate: who.Attributes.BirthDate, Joined: now.UTC(), Payments: []Payment{}}
		return m.ID, m, nil
	})
}

func ageOf(birthDate string, now time.Time) (int, error) {
	born, err := visitor.Born(birthDate)
	return visitor.Age(born, now), err
}

// member finds who is logged in. Error: NotFound "cashless-member-unknown".
func (c *Cashless) member(who visitor.Visitor) (Member, error) {
	m, err := c.members.Get(memberID(who.Subject))
	if err != nil {
		return m, warifu.NotFound("cashless-member-unknown")
	}
	return m, nil
}

// Limit is what the member may pay in a month, logged in as they are.
func (m Member) Limit(activation string, now time.Time) int {
	age, err := ageOf(m.BirthDate, now)
	switch {
	case err != nil || age < fullAge:
		return limitYoung
	case m.Account == "":
		return limitLoose
	case activation == "pin":
		return limitPIN
	}
	return limitLock
}

// Spent is what the member paid in the month of now, in Tokyo.
func (m Member) Spent(now time.Time) int {
	month := now.In(visitor.Tokyo).Format("2006-01")
	sum := 0
	for _, p := range m.Payments {
		if !p.Paid.IsZero() && p.Paid.In(visitor.Tokyo).Format("2006-01") == month {
			sum += p.Yen
		}
	}
	return sum
}

// Bank is an account as its holder states it.
type Bank struct {
	Number string `json:"number"`
	Holder string `json:"holder"` // as the passbook has it
}

// link links a bank account: what the member types has to be the name of the login, however it
// is written, and the bank has to say that its verified holder is the person of the login.
// Errors: Invalid "cashless-account-malformed", Refused "cashless-holder-other",
// "cashless-too-young", "bank-link-refused".
func (c *Cashless) link(ctx context.Context, who visitor.Visitor, in Bank) (Member, error) {
	m, err := c.member(who)
	if err != nil {
		return m, err
	}
	if len(in.Number) != accountDigit || strings.Trim(in.Number, "0123456789") != "" {
		return m, warifu.Invalid("cashless-account-malformed")
	}
	if age, err := ageOf(m.BirthDate, c.config.Clock.Now()); err != nil || age < fullAge {
		return m, warifu.Refused("cashless-too-young")
	}
	if !visitor.SameName(m.Name, "", in.Holder) {
		return m, warifu.Refused("cashless-holder-other")
	}
	if err := c.config.Linked(ctx, in.Number, m.Name, m.BirthDate); err != nil {
		return m, err
	}
	return c.members.Change(m.ID, func(m *Member) error {
		m.Account = in.Number
		return nil
	})
}

// Order is a payment as a shop's till asks for it.
type Order struct {
	Shop string `json:"shop"`
	Yen  int    `json:"yen"`
}

// pay pays at once, or writes a larger payment down to be confirmed. Errors: Invalid
// "cashless-payment-malformed", Refused "cashless-limit".
func (c *Cashless) pay(who visitor.Visitor, in Order) (Payment, error) {
	m, err := c.member(who)
	if err != nil {
		return Payment{}, err
	}
	if in.Yen < 1 || in.Yen > limitPIN || strings.TrimSpace(in.Shop) == "" || utf8.RuneCountInString(in.Shop) > maxShop {
		return Payment{}, warifu.Invalid("cashless-payment-malformed")
	}
	now := c.config.Clock.Now()
	p := Payment{ID: strings.ToLower(rand.Text()[:10]), Shop: in.Shop, Yen: in.Yen, At: now.UTC()}
	_, err = c.members.Change(m.ID, func(m *Member) error {
		if err := m.within(in.Yen, who.Activation, now); err != nil {
			return err
		}
		if in.Yen < freshFrom {
			p.Paid = now.UTC()
		}
		m.Payments = append(m.Payments, p)
		if extra := len(m.Payments) - maxPayments; extra > 0 {
			m.Payments = slices.Delete(m.Payments, 0, extra)
		}
		return nil
	})
	return p, err
}

func (m Member) within(yen int, activation string, now time.Time) error {
	limit := m.Limit(activation, now)
	if m.Spent(now)+yen > limit {
		return warifu.Refused("cashless-limit", "limit", amount(limit), "left", amount(max(0, limit-m.Spent(now))))
	}
	return nil
}

// confirm sends the member to show presence anew, and returns the address. Errors: NotFound
// "cashless-payment-unknown", Conflict "cashless-payment-paid", "cashless-payment-old".
func (c *Cashless) confirm(w http.ResponseWriter, r *http.Request, who visitor.Visitor, id string) (string, error) {
	m, err := c.member(who)
	if err != nil {
		return "", err
	}
	if _, err := m.waiting(id, c.config.Clock.Now()); err != nil {
		return "", err
	}
	return c.visitors.Begin(w, r, paying, id, relyingparty.Wish{Prompt: "login", MaxAge: fresh})
}

func (m Member) waiting(id string, now time.Time) (int, error) {
	i := slices.IndexFunc(m.Payments, func(p Payment) bool { return p.ID == id })
	switch {
	case i < 0:
		return i, warifu.NotFound("cashless-payment-unknown")
	case !m.Payments[i].Paid.IsZero():
		return i, warifu.Conflict("cashless-payment-paid")
	case now.Sub(m.Payments[i].At) > waitsAtMost:
		return i, warifu.Conflict("cashless-payment-old")
	}
	return i, nil
}

// arrived pays what was confirmed: presence was shown after the payment was begun, by the
// member, and the limit still allows it. Error: Unauthenticated "cashless-presence-old".
func (c *Cashless) arrived(_ context.Context, a visitor.Arrival) (string, error) {
	m, err := c.member(a.Visitor)
	if err != nil {
		return "", err
	}
	now := c.config.Clock.Now()
	_, err = c.members.Change(m.ID, func(m *Member) error {
		i, err := m.waiting(a.Reference, now)
		if err != nil {
			return err
		}
		p := &m.Payments[i]
		if a.Visitor.At.Before(p.At.Add(-time.Second)) { // tokens tell whole seconds
			return warifu.Unauthenticated("cashless-presence-old")
		}
		if err := m.within(p.Yen, a.Visitor.Activation, now); err != nil {
			return err
		}
		p.Paid = now.UTC()
		return nil
	})
	return "/?paid=" + a.Reference, err
}
