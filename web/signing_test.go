package web_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/oidc"
	"warifu/web"
)

// signer plays the provider and the desk behind /api/sign-transactions.
type signer struct {
	wish oidc.SignWish
	err  error
}

func (s *signer) Access(_ context.Context, token string) (oidc.Access, error) {
	switch token {
	case "client":
		return oidc.Access{Client: oidc.Client{ID: "bank"}, Scopes: []string{"sign"}}, nil
	case "login":
		return oidc.Access{Client: oidc.Client{ID: "bank"}, Scopes: []string{"openid", "sign"}, Login: loginID, SignTransaction: "t"}, nil
	}
	return oidc.Access{}, warifu.Unauthenticated("access-token-invalid")
}

func (s *signer) Begin(_ context.Context, c oidc.Client, w oidc.SignWish) (oidc.SignBegun, error) {
	s.wish = w
	return oidc.SignBegun{ID: "t-" + c.ID, Expires: time.Date(2026, 6, 10, 1, 45, 0, 0, time.UTC)}, s.err
}

func (s *signer) Result(_ context.Context, a oidc.Access, id string) ([]byte, error) {
	return []byte(a.Login + "." + id), s.err
}

func TestADocumentIsHandedInAndItsResultFetched(t *testing.T) {
	desk := &signer{}
	_, site := site(t, func(c *web.Config) { c.Signing = desk })
	body := `{"name":"契約書","mode":"cms","digest":"` + base64.StdEncoding.EncodeToString(make([]byte, 32)) + `","document":"aGVsbG8="}`
	r := ask(site, "POST", "/api/sign-transactions", body, "Authorization", "Bearer client")
	if got := text(t, r); r.StatusCode != http.StatusCreated || got != `{"id":"t-bank","expires":"2026-06-10T01:45:00Z"}`+"\n" {
		t.Errorf("%d %s", r.StatusCode, got)
	}
	if desk.wish.Name != "契約書" || desk.wish.Mode != "cms" || string(desk.wish.Document) != "hello" || len(desk.wish.Digest) != 32 {
		t.Errorf("handed on %+v", desk.wish)
	}
	r = ask(site, "POST", "/api/sign-transactions", `{"name":"x","digest":"AA==","document":"aGVsbG8="}`, "Authorization", "bearer client")
	if r.StatusCode != http.StatusCreated || desk.wish.Mode != "digest" { // the one mode of the public documentation
		t.Errorf("%d, mode %q", r.StatusCode, desk.wish.Mode)
	}
	large := strings.Replace(body, "aGVsbG8=", base64.StdEncoding.EncodeToString(make([]byte, oidc.MaxSignDocument)), 1)
	problem(t, ask(site, "POST", "/api/sign-transactions", large, "Authorization", "Bearer x"), 413, "request-too-large")
	desk.err = warifu.Conflict("sign-transaction-unsigned")
	problem(t, ask(site, "GET", "/api/sign-transactions/t/result", "", "Authorization", "Bearer login"), 409, "sign-transaction-unsigned")
	desk.err = warifu.Refused("sign-document-reserved")
	problem(t, ask(site, "POST", "/api/sign-transactions", body, "Authorization", "Bearer client"), 403, "sign-document-reserved")
}
