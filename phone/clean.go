package phone

import (
	"context"
	"net/http"
	"strings"
	"time"

	"warifu/iso7816"
	"warifu/jpki"
)

// CleanQuestion is what a marketplace or a trade-in shop asks a phone before it changes
// hands (手放し証明, R81–R84).
type CleanQuestion struct {
	Marketplace string    `json:"marketplace"`
	Nonce       []byte    `json:"nonce"`       // 16 to 64 octets, never used twice
	Identifiers []string  `json:"identifiers"` // what was read off the phone in hand, "imei:…"
	Time        time.Time `json:"time"`        // of the question, to the second
}

// CleanProof is the chip's signed word with its maker's certificates: what whoever
// asked hands to the server, now or later.
type CleanProof struct {
	Proof []byte   `json:"proof"`
	Chain [][]byte `json:"chain"`
}

// CleanAnswer is what the server makes of a proof. Answer is "clean", "not-clean" or
// "unknown", which is never clean; Reasons are slugs of problems.
type CleanAnswer struct {
	Answer    string    `json:"answer"`
	Reasons   []string  `json:"reasons"`
	Element   string    `json:"element"`
	Counter   int       `json:"counter"` // personalizations when the chip spoke
	ProvedAt  time.Time `json:"provedAt"`
	CheckedAt time.Time `json:"checkedAt"` // clean until then; asking again tells whether it still is
}

// CleanProof has this phone's chip answer a marketplace's question. No secret is asked
// for. Errors: "identifier-other" where the phone in hand is not this one.
func (a *App) CleanProof(ctx context.Context, q CleanQuestion) (CleanProof, error) {
	return ProveClean(ctx, a.Element, q)
}

// ProveClean has a phone's chip answer, through the app or over a shop's reader.
func ProveClean(ctx context.Context, chip iso7816.Transmitter, q CleanQuestion) (CleanProof, error) {
	var out CleanProof
	element, err := jpki.SelectElement(ctx, chip)
	if err != nil {
		return out, phoneError(err)
	}
	if out.Proof, err = element.CleanProof(ctx, q.Marketplace, q.Nonce, q.Identifiers, q.Time); err != nil {
		return CleanProof{}, phoneError(err)
	}
	if out.Chain, err = element.Chain(ctx); err != nil {
		return CleanProof{}, phoneError(err)
	}
	return out, nil
}

// Clean asks the server about a proof: it adds what the chip cannot know.
func (s *Server) Clean(ctx context.Context, p CleanProof, q CleanQuestion) (CleanAnswer, error) {
	type question struct {
		Marketplace string   `json:"marketplace"`
		Nonce       []byte   `json:"nonce"`
		Identifiers []string `json:"identifiers"`
	}
	in := struct {
		CleanProof
		Question question `json:"question"`
	}{p, question{q.Marketplace, q.Nonce, append([]string{}, q.Identifiers...)}}
	var out struct {
		CleanAnswer
		Reasons []wireProblem `json:"reasons"`
	}
	if err := s.do(ctx, call{http.MethodPost, "/api/v1/clean-proofs", in, &out, true}); err != nil {
		return CleanAnswer{}, err
	}
	answer := out.CleanAnswer
	for _, r := range out.Reasons {
		if slug, ours := strings.CutPrefix(r.Type, problemPrefix); ours && plainSlug(slug) {
			answer.Reasons = append(answer.Reasons, slug)
		}
	}
	return answer, nil
}
