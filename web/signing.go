package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/oidc"
)

// Signing is what the site asks about documents that relying parties want signed: the provider
// says what a token opens, and the desk does the rest.
type Signing interface {
	Access(ctx context.Context, token string) (oidc.Access, error)
	Begin(ctx context.Context, client oidc.Client, w oidc.SignWish) (oidc.SignBegun, error)
	Result(ctx context.Context, a oidc.Access, transaction string) ([]byte, error)
}

const signTransactions = "/api/sign-transactions"

// maxSignWish is a document of oidc.MaxSignDocument in base64 and JSON.
const maxSignWish = 12 << 20

// ClientBearer is what relying parties show: an access token (RFC 6750).
type ClientBearer struct {
	Authorization string `header:"Authorization" maxLength:"1000" doc:"Bearer and an access token"`
}

func (b ClientBearer) token() string { return Bearer(b).token() }

// signing adds the doors of デジタル認証アプリ's signing API (requirements B.9).
func (s *site) signing(api huma.API) {
	if s.Signing == nil {
		return
	}
	registerUpTo(s, api, maxSignWish, http.MethodPost, signTransactions, "begin-signing", "Hand in a document that a person shall sign", http.StatusCreated, s.beginSigning)
	register(s, api, http.MethodGet, signTransactions+"/{id}/result", "signing-result", "What was signed, sealed to your key", http.StatusOK, s.signingResult)
}

type beginSigningInput struct {
	ClientBearer
	Body struct {
		Name       string `json:"name" maxLength:"200" doc:"What the person is shown, in one line"`
		Mode       string `json:"mode,omitempty" enum:"digest,digestinfo,cms,cms-attached,pdf,xml" default:"digest" doc:"digest, digestinfo: a bare signature. cms, cms-attached: a CMS message beside the document or around it. pdf, xml: the signed file"`
		Digest     octets `json:"digest,omitempty" doc:"SHA-256 of the document, 32 octets; in every mode but digestinfo"`
		DigestInfo octets `json:"digestInfo,omitempty" doc:"digestinfo: DigestInfo of PKCS #1 with SHA-256 (DER)"`
		Document   octets `json:"document" doc:"What is signed, at most 8 MiB: a bare digest is not, since nobody could be shown what it is"`
	}
}

type beginSigningOutput struct {
	Body struct {
		ID      string    `json:"id" doc:"sign_transaction_id of the authorization request, with scope openid sign"`
		Expires time.Time `json:"expires" doc:"Until when it may be signed"`
	}
}

// opens tells what a token opens, of a scope.
func (s *site) opens(ctx context.Context, b ClientBearer) (oidc.Access, error) {
	token := b.token()
	if token == "" {
		return oidc.Access{}, warifu.Unauthenticated("access-token-invalid")
	}
	return s.Signing.Access(ctx, token)
}

func (s *site) beginSigning(ctx context.Context, in *beginSigningInput) (*beginSigningOutput, error) {
	a, err := s.opens(ctx, in.ClientBearer)
	if err != nil {
		return nil, err
	}
	if a.Login != "" { // the holder's token: it opens what was signed, and asks for nothing
		return nil, warifu.Refused("sign-not-allowed")
	}
	b := in.Body
	begun, err := s.Signing.Begin(ctx, a.Client, oidc.SignWish{Name: b.Name, Mode: b.Mode, Digest: b.Digest, DigestInfo: b.DigestInfo, Document: b.Document})
	if err != nil {
		return nil, err
	}
	out := &beginSigningOutput{}
	out.Body.ID, out.Body.Expires = begun.ID, begun.Expires.UTC()
	return out, nil
}

type signingResultInput struct {
	ClientBearer
	ID string `path:"id" maxLength:"64" doc:"Of the sign transaction"`
}

type signingResultOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *site) signingResult(ctx context.Context, in *signingResultInput) (*signingResultOutput, error) {
	a, err := s.opens(ctx, in.ClientBearer)
	if err != nil {
		return nil, err
	}
	sealed, err := s.Signing.Result(ctx, a, in.ID)
	return &signingResultOutput{oidc.ResultMediaType, sealed}, err
}

// signingLimit is what a request's body may measure: more than others where somebody hands a
// document in who may.
func (s *site) signingLimit(r *http.Request) bool {
	if s.Signing == nil || r.Method != http.MethodPost || strings.TrimSuffix(r.URL.Path, "/") != signTransactions {
		return false
	}
	_, err := s.opens(r.Context(), ClientBearer{r.Header.Get("Authorization")})
	return err == nil
}
