package server

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"time"

	"warifu"
	"warifu/ocsp"
)

// Bounds of the conversation with the card bureau.
const (
	bureauTimeout     = 5 * time.Second
	bureauConnections = 32
	maxStatement      = 64 << 10
	maxStatements     = 1 << 20 // of a paper about many cards
	maxEvents         = 2 << 20 // of a batch of events
)

// bureauClient asks the card bureau over HTTP.
type bureauClient struct {
	base        string
	http        *http.Client
	authorities map[warifu.Kind]*x509.Certificate
	asking      map[warifu.Kind]*asking
	answers     ocsp.Answers
	statements  inquiries
}

func newBureauClient(base string, client *http.Client, authorities map[warifu.Kind]*x509.Certificate) *bureauClient {
	if client == nil {
		client = &http.Client{
			Timeout: bureauTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			// Connections are kept: by default all but two are closed after each question.
			Transport: &http.Transport{MaxIdleConnsPerHost: bureauConnections, MaxConnsPerHost: bureauConnections, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		}
	}
	b := &bureauClient{base: strings.TrimSuffix(base, "/"), http: client, authorities: authorities, asking: map[warifu.Kind]*asking{}}
	for kind := range authorities {
		b.asking[kind] = &asking{send: func(ctx context.Context, serials [][]byte) ([]byte, error) { return b.status(ctx, kind, serials) }}
	}
	return b
}

// Statement implements registration.Bureau. Questions asked at about the same time go in
// one request and are answered under one signature.
func (b *bureauClient) Statement(ctx context.Context, certificate []byte, nonce warifu.Digest) ([]byte, error) {
	answer, err := b.statements.ask(ctx, inquiry{certificate, nonce}, b.together)
	if err != nil || answer != nil {
		return answer, err
	}
	return b.oneStatement(ctx, certificate, nonce)
}

func (b *bureauClient) oneStatement(ctx context.Context, certificate []byte, nonce warifu.Digest) ([]byte, error) {
	body, err := json.Marshal(struct {
		Certificate []byte        `json:"certificate"`
		Nonce       warifu.Digest `json:"nonce"`
	}{certificate, nonce})
	if err != nil {
		return nil, err
	}
	answer, err := b.post(ctx, "/statements", "application/json", body)
	if err != nil {
		return nil, err
	}
	var out struct {
		Statement []byte `json:"statement"`
	}
	if err := json.Unmarshal(answer, &out); err != nil || len(out.Statement) == 0 {
		return nil, warifu.Unavailable("bureau-unreachable").With(err)
	}
	return out.Statement, nil
}

// Statements implements registration.Bureau.
func (b *bureauClient) Statements(ctx context.Context, serials [][]byte, nonce warifu.Digest) ([]byte, error) {
	body, err := json.Marshal(struct {
		Serials [][]byte      `json:"serials"`
		Nonce   warifu.Digest `json:"nonce"`
	}{serials, nonce})
	if err != nil {
		return nil, err
	}
	answer, err := b.postUpTo(ctx, "/statements/many", "application/json", body, maxStatements)
	var status statusError
	if errors.As(err, &status) && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		return nil, warifu.NotFound("bureau-page-unknown") // it has no such paper: each card is asked about by itself
	}
	if err != nil {
		return nil, err
	}
	var out struct {
		Statements []byte `json:"statements"`
	}
	if err := json.Unmarshal(answer, &out); err != nil || len(out.Statements) == 0 {
		return nil, warifu.Unavailable("bureau-unreachable").With(err)
	}
	return out.Statements, nil
}

// Status implements registration.Bureau: the OCSP response, unopened; whoever relies on
// it checks it. Questions asked at the same time go in one request.
func (b *bureauClient) Status(ctx context.Context, kind warifu.Kind, serial []byte) ([]byte, error) {
	together := b.asking[kind]
	if together == nil {
		return nil, warifu.Invalid("kind-unknown", "kind", kind.String())
	}
	answer, others, err := together.ask(ctx, serial)
	if err != nil || others == 0 || b.speaksOf(kind, serial, answer) {
		return answer, err
	}
	return b.status(ctx, kind, [][]byte{serial}) // a responder that answers one question at a time
}

// speaksOf reports whether the answer says anything of the serial number.
func (b *bureauClient) speaksOf(kind warifu.Kind, serial, answer []byte) bool {
	r, err := b.answers.Parse(answer)
	if err == nil {
		_, err = r.Find(b.authorities[kind], new(big.Int).SetBytes(serial))
	}
	return err == nil
}

// status asks for the status of certificates of one kind in one request.
func (b *bureauClient) status(ctx context.Context, kind warifu.Kind, serials [][]byte) ([]byte, error) {
	var request ocsp.Request
	for _, serial := range serials {
		request.CertIDs = append(request.CertIDs, ocsp.NewCertID(crypto.SHA256, b.authorities[kind], new(big.Int).SetBytes(serial)))
	}
	der, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	return b.post(ctx, "/ocsp/"+kind.String(), "application/ocsp-request", der)
}

func (b *bureauClient) post(ctx context.Context, path, contentType string, body []byte) ([]byte, error) {
	return b.postUpTo(ctx, path, contentType, body, maxStatement)
}

func (b *bureauClient) postUpTo(ctx context.Context, path, contentType string, body []byte, limit int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	return b.ask(request, limit)
}

func (b *bureauClient) get(ctx context.Context, path string, limit int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	if err != nil {
		return nil, err
	}
	return b.ask(request, limit)
}

// ask makes one request and reads an answer of at most limit octets.
func (b *bureauClient) ask(request *http.Request, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(request.Context(), bureauTimeout)
	defer cancel()
	response, err := b.http.Do(request.WithContext(ctx))
	if err != nil {
		return nil, warifu.Unavailable("bureau-unreachable").With(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return nil, warifu.Unavailable("bureau-unreachable").With(err)
	case unknownCertificate(answer):
		return nil, warifu.Refused("card-certificate-unknown", "kind", warifu.Signature.String())
	case response.StatusCode != http.StatusOK || int64(len(answer)) > limit:
		return nil, warifu.Unavailable("bureau-unreachable").With(statusError(response.StatusCode))
	}
	return answer, nil
}

// statusError is an HTTP status that is no answer.
type statusError int

// Error implements error.
func (s statusError) Error() string { return fmt.Sprintf("HTTP status %d", int(s)) }

// unknownCertificate reports whether the answer is the bureau's own word that it never
// issued the certificate. Any other 404 is a proxy's or a wrong address, and passes.
func unknownCertificate(answer []byte) bool {
	var problem struct {
		Type string `json:"type"`
	}
	return json.Unmarshal(answer, &problem) == nil && problem.Type == "urn:warifu:problem:card-certificate-unknown"
}
