package web

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/registration"
)

// cleanAtOnce bounds how many proofs a trade-in shop has checked in one request.
const cleanAtOnce = 32

// cleanQuestion is one proof with the question it has to answer.
type cleanQuestion struct {
	Proof    octets   `json:"proof" doc:"The chip's signed clean-phone proof"`
	Chain    []octets `json:"chain" minItems:"1" maxItems:"4" doc:"Its maker's certificates, leaf first, DER"`
	Question struct {
		Marketplace string   `json:"marketplace" minLength:"1" maxLength:"128" doc:"Your name, as the phone was asked in"`
		Nonce       octets   `json:"nonce" doc:"Your nonce, 16 to 64 octets, never used twice"`
		Identifiers []string `json:"identifiers" maxItems:"8" doc:"What you read off the phone in hand, imei:… or serial:…"`
	} `json:"question"`
}

type cleanAnswer struct {
	Answer    string    `json:"answer" enum:"clean,not-clean,unknown" doc:"Unknown is never clean"`
	Reasons   []Problem `json:"reasons" doc:"Why it is not clean, or why nobody can say, and what to do"`
	Element   string    `json:"element,omitempty"`
	Counter   int       `json:"counter" doc:"Personalizations when the chip spoke"`
	ProvedAt  string    `json:"provedAt,omitempty" doc:"When you asked the chip"`
	CheckedAt string    `json:"checkedAt,omitempty" doc:"Clean until then; ask again, or tap again, to know whether it still is"`
}

type cleanInput struct{ Body cleanQuestion }
type cleanOutput struct{ Body cleanAnswer }

type cleanBulkInput struct {
	Body struct {
		Proofs []cleanQuestion `json:"proofs" minItems:"1" maxItems:"32"`
	}
}

type cleanBulkOutput struct {
	Body struct {
		Answers []cleanAnswer `json:"answers" doc:"In the order of the proofs"`
	}
}

func (s *site) clean(api huma.API) {
	register(s, api, http.MethodPost, "/api/v1/clean-proofs", "clean-proof", "May this phone change hands? (R81)", http.StatusOK, s.cleanOne)
	register(s, api, http.MethodPost, "/api/v1/clean-proofs/bulk", "clean-proofs", "The same for many phones", http.StatusOK, s.cleanMany)
}

// cleanOne refuses a proof that does not hold; cleanMany answers "unknown" for it, so that
// one forged proof does not keep a shop from the others.
func (s *site) cleanOne(ctx context.Context, in *cleanInput) (*cleanOutput, error) {
	a, err := s.askClean(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &cleanOutput{a}, nil
}

func (s *site) cleanMany(ctx context.Context, in *cleanBulkInput) (*cleanBulkOutput, error) {
	out := &cleanBulkOutput{}
	for _, q := range in.Body.Proofs[:min(len(in.Body.Proofs), cleanAtOnce)] {
		a, err := s.askClean(ctx, q)
		if warifu.ProblemOf(err).IsCode(warifu.CodeUnavailable) || warifu.ProblemOf(err).IsCode(warifu.CodeInternal) {
			return nil, err
		}
		if err != nil {
			a = cleanAnswer{Answer: string(registration.CleanUnknown), Reasons: []Problem{*problemOf(err, languageOf(ctx))}}
		}
		out.Body.Answers = append(out.Body.Answers, a)
	}
	return out, nil
}

func (s *site) askClean(ctx context.Context, q cleanQuestion) (cleanAnswer, error) {
	a, err := s.Registration.Clean(ctx, q.Proof, bare(q.Chain), registration.CleanQuestion{
		Marketplace: q.Question.Marketplace, Nonce: q.Question.Nonce, Identifiers: q.Question.Identifiers,
	})
	if err != nil {
		return cleanAnswer{}, err
	}
	out := cleanAnswer{
		Answer: string(a.Answer), Reasons: []Problem{}, Element: hex.EncodeToString(a.Element[:]), Counter: a.Counter,
		ProvedAt: a.ProvedAt.UTC().Format(time.RFC3339), CheckedAt: a.CheckedAt.UTC().Format(time.RFC3339),
	}
	for _, slug := range a.Reasons {
		out.Reasons = append(out.Reasons, *problemOf(&warifu.Error{Code: warifu.CodeConflict, Problem: slug}, languageOf(ctx)))
	}
	return out, nil
}
