package bank

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
)

// The states of an account.
const (
	applied = "applied" // the application waits for its signature
	limited = "limited" // opened by login alone: nobody's identity is verified
	opened  = "open"    // identity verified by signature
	frozen  = "frozen"  // the certificate behind it is no longer good: nothing is paid out
)

// Account is an account, and what the bank knows of its holder: no certificate.
type Account struct {
	ID         string             `json:"id"`
	Number     string             `json:"number"`  // seven digits
	Subject    string             `json:"subject"` // the holder at logins
	State      string             `json:"state"`
	Purpose    string             `json:"purpose"`    // of the account: one of Purposes
	Occupation string             `json:"occupation"` // one of Occupations
	At         time.Time          `json:"at"`
	Known      visitor.Attributes `json:"known"` // as the login told them
	Record     *Record            `json:"record,omitempty"`
	Latest     *visitor.Asked     `json:"latest,omitempty"` // the last question to the holder
	Told       []Told             `json:"told,omitempty"`   // what became of the certificate
	Watched    bool               `json:"watched"`          // the verification service tells of it
	Signed     []byte             `json:"signed,omitempty"` // the application form, signed
}

// What a customer states at the opening (犯罪収益移転防止法 第4条: the purpose of the
// transaction and the occupation).
var (
	Purposes    = []string{"living", "salary", "saving", "business"}
	Occupations = []string{"employee", "self-employed", "student", "household", "none"}
)

// Ages (民法 第4条, 第5条): from 18 one opens an account alone; the bank takes younger people
// with a guardian, at a branch.
const (
	fullAge   = 18
	withGuard = 15
)

const (
	opening     = "open" // the purpose of a way to the provider that brings the signature back
	maxAccounts = 100_000
	maxOwn      = 5 // accounts of one person
)

// Opening is an application for an account.
type Opening struct {
	Purpose    string `json:"purpose"`
	Occupation string `json:"occupation"`
	Method     string `json:"method"` // "signature", or "login" for an account with limits
}

// OldEnough says who may open an account. Errors: Refused "bank-guardian-needed" for those of
// 15 to 17, "bank-too-young", Invalid "visitor-birth-date".
func OldEnough(birthDate string, now time.Time) error {
	born, err := visitor.Born(birthDate)
	if err != nil {
		return err
	}
	switch age := visitor.Age(born, now); {
	case age < withGuard:
		return warifu.Refused("bank-too-young")
	case age < fullAge:
		return warifu.Refused("bank-guardian-needed")
	}
	return nil
}

// apply writes an account down for who is logged in.
func (b *Bank) apply(who visitor.Visitor, in Opening) (Account, error) {
	now := b.config.Clock.Now()
	if !slices.Contains(Purposes, in.Purpose) || !slices.Contains(Occupations, in.Occupation) || in.Method != "signature" && in.Method != "login" {
		return Account{}, warifu.Invalid("bank-opening-incomplete")
	}
	if err := who.Needs(); err != nil {
		return Account{}, err
	}
	if err := OldEnough(who.Attributes.BirthDate, now); err != nil {
		return Account{}, err
	}
	mine, err := b.of(who.Subject)
	if err != nil {
		return Account{}, err
	}
	if len(mine) >= maxOwn {
		return Account{}, warifu.TooMany("bank-accounts-too-many")
	}
	return b.accounts.Add(func(n int) (string, Account, error) {
		a := Account{
			ID: fmt.Sprintf("%06d-%s", n, strings.ToLower(rand.Text()[:10])), Number: fmt.Sprintf("%07d", 1_000_000+n), Subject: who.Subject, State: applied,
			Purpose: in.Purpose, Occupation: in.Occupation, At: now.UTC(), Known: who.Attributes,
		}
		if in.Method == "login" {
			a.State = limited
		}
		return a.ID, a, nil
	})
}

// of lists a person's accounts.
func (b *Bank) of(subject string) ([]Account, error) {
	all, err := b.accounts.All()
	return slices.DeleteFunc(all, func(a Account) bool { return a.Subject != subject }), err
}

// one finds an account of the person's own. Error: NotFound "bank-account-unknown".
func (b *Bank) one(subject, id string) (Account, error) {
	a, err := b.accounts.Get(id)
	if err != nil || a.Subject != subject {
		return Account{}, warifu.NotFound("bank-account-unknown")
	}
	return a, nil
}

// paper is the application form: the same octets every time it is asked for.
func (a Account) paper() relyingparty.Document {
	s := sheet.Sheet{Mark: "見本 SAMPLE"}
	s.Heading("口座開設申込書 Application for an account")
	s.Pair("銀行 Bank", "見本銀行 Sample Bank")
	s.Pair("口座番号 Number", a.Number)
	s.Pair("申込日 Date", a.At.In(visitor.Tokyo).Format(time.DateOnly))
	s.Pair("氏名 Name", a.Known.Name)
	s.Pair("生年月日 Born", a.Known.BirthDate)
	s.Pair("目的 Purpose", a.Purpose)
	s.Pair("職業 Occupation", a.Occupation)
	s.Gap()
	s.Line("私は、上のとおり普通預金口座の開設を申し込みます。氏名・住所・生年月日・性別は、署名用電子証明書のとおりです。")
	s.Line("I apply for an ordinary account as stated above. My name, address, date of birth and sex are those of my signing certificate.")
	return relyingparty.Document{Name: "口座開設申込書 " + a.Number + ".pdf", Content: s.PDF(), Mode: relyingparty.ModePDF}
}

// sign begins the signature of an application and returns the address to go to.
func (b *Bank) sign(w http.ResponseWriter, r *http.Request, who visitor.Visitor, id string) (string, error) {
	a, err := b.one(who.Subject, id)
	if err == nil {
		err = a.unsigned()
	}
	if err != nil {
		return "", err
	}
	return b.visitors.AskSignature(w, r, opening, a.ID, a.paper(), "")
}

func (a Account) unsigned() error {
	if a.State != applied && a.State != limited {
		return warifu.Conflict("bank-account-signed", "number", a.Number)
	}
	return nil
}

// fourAttributes are what the law wants verified, and the sex (基本4情報).
var fourAttributes = []string{"name", "address", "birthDate", "gender"}

// arrived takes the signed application: it opens the account, files the identity-verification
// record and asks to be told of what becomes of the certificate.
func (b *Bank) arrived(ctx context.Context, arrival visitor.Arrival) (string, error) {
	a, err := b.one(arrival.Visitor.Subject, arrival.Reference)
	if err == nil {
		err = a.unsigned()
	}
	if err != nil {
		return "", err
	}
	signature, err := b.visitors.TakeSignature(ctx, arrival, a.paper(), b.checks(), visitor.Policy{Accept: []string{"phone", "card"}, Attributes: fourAttributes}, "口座開設の本人確認 / opening an account")
	if err != nil {
		return "", err
	}
	told := signature.Checked.Attributes
	switch {
	case told == nil:
		return "", warifu.Refused("bank-attributes-absent")
	case !a.Known.Same(*told):
		return "", warifu.Refused("visitor-other-person")
	}
	now := b.config.Clock.Now()
	if err := OldEnough(told.BirthDate, now); err != nil {
		return "", err
	}
	a, err = b.accounts.Change(a.ID, func(a *Account) error {
		if err := a.unsigned(); err != nil { // another tab was quicker
			return err
		}
		a.State, a.Signed = opened, signature.File
		a.Record = recordOf(*a, signature.Checked, now)
		return nil
	})
	if err != nil {
		return "", err
	}
	// The account is open whether or not the service can be asked now: it is asked again.
	_, _ = b.watch(ctx, a)
	return "/accounts/" + a.ID, nil
}
