package bank

import (
	"context"
	"crypto/x509"
	"time"

	"warifu"
	"warifu/text"
	"warifu/verify"
)

// Judgement is a verification's result as the bank tells it: the verdict, who and
// what, and each reason in both languages.
type Judgement struct {
	Verdict     string    `json:"verdict"` // "good", "bad" or "unknown"
	Class       string    `json:"class,omitempty"`
	Kind        string    `json:"kind,omitempty"`
	Subject     string    `json:"subject,omitempty"`
	Name        string    `json:"name,omitempty"`
	Address     string    `json:"address,omitempty"`
	BirthDate   string    `json:"birthDate,omitempty"`
	Status      string    `json:"status"` // "good", "revoked" or "unknown"
	StatusFrom  string    `json:"statusFrom,omitempty"`
	StatusTime  time.Time `json:"statusTime,omitzero"`
	SigningTime time.Time `json:"signingTime,omitzero"`
	Reasons     []Reason  `json:"reasons,omitempty"`
}

// Reason is one reason why a verdict is not good.
type Reason struct {
	Problem string `json:"problem"`
	Title   string `json:"title"`
	TitleJa string `json:"titleJa"`
}

// In returns the reason in the reader's language.
func (r Reason) In(l text.Lang) string {
	if l == text.Japanese {
		return r.TitleJa
	}
	return r.Title
}

// Judge tells a result; `warifu verify` uses it too.
func Judge(r *verify.Result) Judgement {
	j := Judgement{Verdict: r.Verdict.String(), Status: r.Status.Cert.String(), StatusFrom: r.StatusSource, StatusTime: r.StatusTime, SigningTime: r.SigningTime}
	if r.Authority != nil {
		j.Class, j.Kind, j.Subject = r.Class.String(), r.Kind.String(), r.Certificate.Subject.CommonName
	}
	j.Name, j.Address, j.BirthDate = r.Attributes.Name, r.Attributes.Address, r.Attributes.BirthDate
	for _, e := range r.Reasons {
		en, _, _ := text.Problem(e, text.English)
		ja, _, _ := text.Problem(e, text.Japanese)
		j.Reasons = append(j.Reasons, Reason{e.Problem, en, ja})
	}
	return j
}

// Answer is what a claimant hands back. The question it echoes is for people; the
// bank rebuilds its own.
type Answer struct {
	Certificate []byte `json:"certificate"`
	Signature   []byte `json:"signature"`
	Question    any    `json:"question,omitempty"`
}

// answer judges an answer to the question of the transaction and lets the claimant in.
func (b *Bank) answer(ctx context.Context, transaction string, a Answer) (Customer, error) {
	v, err := b.find(transaction)
	if err != nil {
		return Customer{}, err
	}
	certificate, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return Customer{}, warifu.Invalid("bank-answer-malformed").With(err)
	}
	result, err := b.config.Verifier.Presence(ctx, v.question, certificate, a.Signature, verify.Policy{})
	if err != nil {
		return Customer{}, err
	}
	if err := result.Err(); err != nil {
		return Customer{}, err
	}
	c := Customer{Subject: certificate.Subject.CommonName, Class: result.Class.String()}
	return c, b.admit(transaction, c)
}

// judge judges a signed document.
func (b *Bank) judge(ctx context.Context, signature, detached []byte) (Judgement, error) {
	result, err := b.config.Verifier.Document(ctx, signature, detached, verify.Policy{Attributes: verify.AllAttributes})
	if err != nil {
		return Judgement{}, err
	}
	return Judge(result), nil
}
