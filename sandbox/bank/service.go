package bank

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/doorway"
)

// Service is the issuer's verification service as a relying party asks it that would
// rather not check by itself: three calls over HTTP, no library.
type Service struct {
	Address string // "http://127.0.0.1:8400"
	Key     string // given by the service's operator
	HTTP    *http.Client
}

const (
	serviceTimeout = 10 * time.Second
	maxServiceBody = 1 << 20
)

// Contract is what the bank keeps of a signed contract and what it was told: no
// certificate, and no evidence, which stay with the service (B.10).
type Contract struct {
	Verification   string          `json:"verification"`
	DocumentSHA256 string          `json:"documentSha256"`
	Verdict        string          `json:"verdict"`
	First          json.RawMessage `json:"first"`   // the service's answer
	Again          json.RawMessage `json:"again"`   // judged once more from the evidence
	History        json.RawMessage `json:"history"` // when the certificate was not good
}

// Contract has a contract checked, has it judged once more as an auditor would years later,
// and asks when the certificate was not good.
func (s Service) Contract(ctx context.Context, d Document) (Contract, error) {
	question := map[string]any{
		"form": "cms", "signature": d.Signature, "purpose": "口座開設 / opening an account",
		"policy": map[string]any{"accept": []string{"phone", "card"}, "attributes": []string{"name", "address"}},
	}
	if d.Document != nil {
		question["document"] = d.Document
	}
	var c Contract
	var err error
	if c.First, err = s.call(ctx, http.MethodPost, "/api/v1/verifications", question); err != nil {
		return c, err
	}
	var told struct {
		ID, Verdict, DocumentSHA256 string
		Evidence                    *struct{}
	}
	if err := json.Unmarshal(c.First, &told); err != nil {
		return c, err
	}
	c.Verification, c.Verdict, c.DocumentSHA256 = told.ID, told.Verdict, told.DocumentSHA256
	if told.Evidence == nil {
		return c, nil
	}
	if c.Again, err = s.call(ctx, http.MethodGet, "/api/v1/verifications/"+told.ID, nil); err != nil {
		return c, err
	}
	c.History, err = s.call(ctx, http.MethodGet, "/api/v1/verifications/"+told.ID+"/status-history", nil)
	return c, err
}

func (s Service) call(ctx context.Context, method, path string, in any) (json.RawMessage, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.Address+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.Key)
	r.Header.Set("Content-Type", "application/json")
	client := s.HTTP
	if client == nil {
		client = &http.Client{Timeout: serviceTimeout}
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, warifu.Unavailable("server-unreachable", "server", s.Address).With(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxServiceBody))
	if err != nil {
		return nil, warifu.Unavailable("server-unreachable", "server", s.Address).With(err)
	}
	if response.StatusCode > 299 {
		return nil, phone.ParseProblem(response.StatusCode, answer)
	}
	return answer, nil
}

func (b *Bank) apiContract(w http.ResponseWriter, r *http.Request) (any, error) {
	var d Document
	if err := doorway.Read(w, r, maxUpload, &d); err != nil {
		return nil, err
	}
	return b.config.Service.Contract(r.Context(), d)
}
