package marketplace

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/text"
)

// Authority is the issuer of the certificates as a marketplace asks it: four calls.
type Authority struct {
	Address string // "http://127.0.0.1:8400"
	Key     string // of a relying party: only for asking holders without the phone at hand
	HTTP    *http.Client
}

const (
	issuerTimeout = 15 * time.Second
	maxAnswer     = 4 << 20
	atOnce        = 32 // proofs in one request (docs/selling-a-phone.md)
)

// Proof is a chip's signed word with its maker's certificates.
type Proof struct {
	Proof []byte   `json:"proof"`
	Chain [][]byte `json:"chain"`
}

// put is a proof with the question it has to answer.
type put struct {
	Proof
	Question struct {
		Marketplace string   `json:"marketplace"`
		Nonce       []byte   `json:"nonce"`
		Identifiers []string `json:"identifiers"`
	} `json:"question"`
}

func puts(p Proof, q Question) put {
	out := put{Proof: p}
	out.Question.Marketplace, out.Question.Nonce, out.Question.Identifiers = q.Marketplace, q.Nonce, append([]string{}, q.Identifiers...)
	return out
}

// Answer is what the issuer says of a proof: "clean", "not-clean", or "unknown", which is
// never clean.
type Answer struct {
	Answer   string    `json:"answer"`
	Reasons  []Reason  `json:"reasons"`
	Element  string    `json:"element,omitempty"`
	ProvedAt time.Time `json:"provedAt,omitzero"`
}

// Reason is why a phone may not be sold, in both languages, with what to do.
type Reason struct {
	Problem string `json:"problem"`
	Title   string `json:"title"`
	TitleJa string `json:"titleJa"`
	Next    string `json:"next"`
	NextJa  string `json:"nextJa"`
}

// In returns the reason in the reader's language, with what to do.
func (r Reason) In(l text.Lang) string {
	if l == text.Japanese {
		return r.TitleJa + "。" + r.NextJa
	}
	return r.Title + ". " + r.Next
}

// reason puts a problem of our own among the issuer's.
func reason(e *warifu.Error) Reason {
	out := Reason{Problem: e.Problem}
	out.Title, _, out.Next = text.Problem(e, text.English)
	out.TitleJa, _, out.NextJa = text.Problem(e, text.Japanese)
	return out
}

// wireAnswer is the issuer's answer as it is sent.
type wireAnswer struct {
	Answer  string `json:"answer"`
	Reasons []struct {
		Type                             string
		TitleEn, TitleJa, NextEn, NextJa string
	} `json:"reasons"`
	Element  string `json:"element"`
	ProvedAt string `json:"provedAt"`
}

func (w wireAnswer) answer() Answer {
	out := Answer{Answer: w.Answer, Reasons: []Reason{}, Element: w.Element}
	for _, r := range w.Reasons {
		out.Reasons = append(out.Reasons, Reason{strings.TrimPrefix(r.Type, "urn:warifu:problem:"), r.TitleEn, r.TitleJa, r.NextEn, r.NextJa})
	}
	if at, err := time.Parse(time.RFC3339, w.ProvedAt); err == nil {
		out.ProvedAt = at
	}
	return out
}

// clean asks about one proof. A proof for another question is Refused "clean-proof-other".
func (a Authority) clean(ctx context.Context, p Proof, q Question) (Answer, error) {
	var out wireAnswer
	if err := a.call(ctx, http.MethodPost, "/api/v1/clean-proofs", puts(p, q), &out); err != nil {
		return Answer{}, err
	}
	return out.answer(), nil
}

// cleanAll asks about many, in order; what does not hold is "unknown" among them.
func (a Authority) cleanAll(ctx context.Context, all []put) ([]Answer, error) {
	var out []Answer
	for begin := 0; begin < len(all); begin += atOnce {
		part := all[begin:min(begin+atOnce, len(all))]
		var answers struct {
			Answers []wireAnswer `json:"answers"`
		}
		if err := a.call(ctx, http.MethodPost, "/api/v1/clean-proofs/bulk", map[string]any{"proofs": part}, &answers); err != nil {
			return nil, err
		}
		if len(answers.Answers) != len(part) {
			return nil, warifu.Unavailable("server-unreachable", "server", a.Address)
		}
		for _, w := range answers.Answers {
			out = append(out, w.answer())
		}
	}
	return out, nil
}

// listing is a question that waits at the issuer for a phone's holder.
type listing struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Clean *Proof `json:"clean"`
}

// ask has the holder of a chip asked, whether there is one or not.
func (a Authority) ask(ctx context.Context, element string, nonce []byte, until time.Time) (listing, error) {
	var out listing
	in := map[string]any{"nonce": nonce, "expiresAt": until.UTC()}
	return out, a.call(ctx, http.MethodPost, "/api/v1/elements/"+url.PathEscape(element)+"/listings", in, &out)
}

// asked tells what came of it.
func (a Authority) asked(ctx context.Context, id string) (listing, error) {
	var out listing
	return out, a.call(ctx, http.MethodGet, "/api/v1/listings/"+url.PathEscape(id), nil, &out)
}

// call sends one request. A refusal comes back as the problem that the issuer named.
func (a Authority) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, issuerTimeout)
	defer cancel()
	var sent io.Reader
	if in != nil {
		octets, err := json.Marshal(in)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(octets)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.Address+path, sent)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+a.Key)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	client := a.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(r)
	if err != nil {
		return warifu.Unavailable("server-unreachable", "server", a.Address).With(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return warifu.Unavailable("server-unreachable", "server", a.Address).With(err)
	}
	if response.StatusCode > 299 {
		return phone.ParseProblem(response.StatusCode, answer)
	}
	return json.Unmarshal(answer, out)
}
