package verify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"net/http"

	"warifu"
	"warifu/timestamp"
)

// StampClient asks a time-stamping authority over HTTP (RFC 3161 §3.4).
type StampClient struct {
	HTTP    *http.Client // nil: ten seconds, no redirects
	Address string       // "https://…/tsa"
	Trust   timestamp.Anchors
}

// Stamp implements Stamper: the token is checked before it is returned. Errors: Unavailable
// "timestamp-unavailable", those of package timestamp.
func (c StampClient) Stamp(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, err
	}
	question := &timestamp.Request{Imprint: digest, Nonce: nonce, Certificates: true}
	body, err := question.Marshal()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Address, bytes.NewReader(body))
	if err != nil {
		return nil, warifu.Unavailable("timestamp-unavailable").With(err)
	}
	request.Header.Set("Content-Type", "application/timestamp-query")
	answer, err := fetch(c.HTTP, request, "application/timestamp-reply", timestamp.MaxAnswer)
	if err != nil {
		return nil, warifu.Unavailable("timestamp-unavailable").With(err)
	}
	token, err := timestamp.ParseAnswer(answer, question)
	if err != nil {
		return nil, err
	}
	return token.Raw, token.Verify(c.Trust, digest)
}
