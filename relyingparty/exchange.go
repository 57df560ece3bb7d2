package relyingparty

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"warifu"
)

// What the provider may send, at most: a document of 16 MiB that was signed comes back in
// base64, within a JWE.
const (
	maxAnswer = 1 << 20
	maxResult = 48 << 20
)

// refusal is an OAuth error (RFC 6749 5.2); the provider's API for documents answers
// problems instead (RFC 9457).
type refusal struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Type        string `json:"type"`
	Title       string `json:"title"`
}

// post sends a form and reads JSON.
func (p *Party) post(ctx context.Context, address string, form url.Values, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return warifu.Invalid("relying-party-config", "what", address).With(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.ask(r, "", into)
}

// ask sends a request and reads the JSON it is answered with; into may be nil.
func (p *Party) ask(r *http.Request, bearer string, into any) error {
	body, err := p.send(r, bearer, maxAnswer)
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return warifu.Unauthenticated("provider-answer", "what", "JSON").With(err)
	}
	return nil
}

// send returns the body of an answer that says yes. Errors: "provider-unreachable",
// "provider-refused" with the provider's own code and words.
func (p *Party) send(r *http.Request, bearer string, most int64) ([]byte, error) {
	r.Header.Set("Accept", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	answer, err := p.http.Do(r)
	if err != nil {
		return nil, warifu.Unavailable("provider-unreachable", "address", r.URL.Host).With(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return nil, warifu.Unavailable("provider-unreachable", "address", r.URL.Host).With(err)
	}
	if int64(len(body)) > most {
		return nil, warifu.Unauthenticated("provider-answer", "what", "length")
	}
	if answer.StatusCode < 300 {
		return body, nil
	}
	if answer.StatusCode >= 500 {
		return nil, warifu.Unavailable("provider-unreachable", "address", r.URL.Host+" ("+answer.Status+")")
	}
	said := refusal{Error: answer.Status}
	_ = json.Unmarshal(body, &said) // where it is no JSON the status line speaks
	if said.Type != "" {
		said.Error, said.Description = said.Type[strings.LastIndexAny(said.Type, "/:")+1:], said.Title
	}
	return nil, warifu.Refused("provider-refused", "error", said.Error, "description", said.Description)
}
