package phone

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"math/big"
	"net/http"
	"strings"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/timestamp"
)

// Timestamp has the server's time-stamping authority stamp a digest (RFC 3161) and returns
// the token: it is about this digest and whole. Whom to believe is for whoever checks it. Errors:
// Unavailable "timestamp-unavailable", those of package timestamp.
func (s *Server) Timestamp(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, err
	}
	question := &timestamp.Request{Imprint: digest, Nonce: nonce, Certificates: true}
	body, err := question.Marshal()
	if err != nil {
		return nil, err
	}
	answer, err := s.octets(ctx, http.MethodPost, "/tsa", "application/timestamp-query", body, "application/timestamp-reply", timestamp.MaxAnswer)
	if err != nil {
		return nil, warifu.Unavailable("timestamp-unavailable").With(err)
	}
	token, err := timestamp.ParseAnswer(answer, question)
	if err != nil {
		return nil, err
	}
	return token.Raw, token.Verify(timestamp.NewAnchors(token.Authority), digest)
}

// Authority fetches the certificate of the server's authority of the kind.
func (s *Server) Authority(ctx context.Context, kind warifu.Kind) (*x509.Certificate, error) {
	return s.certificate(ctx, kind.String())
}

// certificate fetches one of the authorities' certificates that the server publishes.
func (s *Server) certificate(ctx context.Context, name string) (*x509.Certificate, error) {
	der, err := s.octets(ctx, http.MethodGet, "/ca/"+name+".cer", "", nil, "application/pkix-cert", maxAnswer)
	if err != nil {
		return nil, warifu.Unavailable("server-unreachable", "server", s.Origin()).With(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, warifu.Unavailable("server-answer-unreadable", "server", s.Origin()).With(err)
	}
	return c, nil
}

// Status fetches a fresh OCSP answer about the phone's own certificate, checked as whoever
// is handed it will check it, whatever it says. Errors: Unavailable "status-unavailable", those of
// package ocsp.
func (s *Server) Status(ctx context.Context, kind warifu.Kind, certificate, issuer *x509.Certificate, now time.Time) ([]byte, error) {
	request := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, issuer, certificate.SerialNumber)}}
	body, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	der, err := s.octets(ctx, http.MethodPost, "/ocsp/"+kind.String(), "application/ocsp-request", body, "application/ocsp-response", ocsp.MaxResponse)
	if err != nil {
		return nil, warifu.Unavailable("status-unavailable").With(err)
	}
	response, err := ocsp.ParseResponse(der)
	if err != nil {
		return nil, err
	}
	if err := response.Verify(issuer, now); err != nil {
		return nil, err
	}
	_, err = response.Find(issuer, certificate.SerialNumber)
	return der, err
}

// octets makes one request that is not JSON and returns a body of the wanted type.
func (s *Server) octets(ctx context.Context, method, path, kind string, body []byte, wanted string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	unreadable := warifu.Unavailable("server-answer-unreadable", "server", s.Origin())
	got, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	if response.StatusCode >= 400 && strings.TrimSpace(got) == "application/problem+json" {
		problem, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return nil, err
		}
		return nil, ParseProblem(response.StatusCode, problem)
	}
	if response.StatusCode != http.StatusOK || strings.TrimSpace(got) != wanted {
		return nil, unreadable
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(answer)) > limit {
		return nil, unreadable
	}
	return answer, err
}
