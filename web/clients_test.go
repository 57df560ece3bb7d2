package web_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"warifu/oidc"
	"warifu/relyingparty"
	"warifu/web"
)

// entryOf is a registration as a developer without tools sends it.
func entryOf(t *testing.T, redirect string) string {
	t.Helper()
	key, err := relyingparty.NewKey()
	must(t, err)
	b, err := json.Marshal(map[string]any{
		"name": map[string]string{"ja": "わたしの店"}, "redirectUris": []string{redirect}, "scopes": []string{"name", "birthdate"}, "jwks": json.RawMessage(relyingparty.JWKS(key)),
	})
	must(t, err)
	return string(b)
}

type clientShown struct {
	ID     string `json:"id"`
	Issuer string `json:"issuer"`
	Name   struct {
		Japanese string `json:"ja"`
	} `json:"name"`
	RedirectURIs []string        `json:"redirectUris"`
	JWKS         json.RawMessage `json:"jwks"`
	Token        string          `json:"registrationToken"`
	Key          string          `json:"apiKey"`
}

func TestADeveloperRegistersAServiceByHTTP(t *testing.T) {
	_, site := site(t)
	call := func(method, path, token, body string, status int) (out clientShown) {
		t.Helper()
		r := ask(site, method, path, body, "Authorization", "Bearer "+token)
		b := text(t, r)
		if r.StatusCode != status {
			t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, b)
		}
		if b != "" {
			must(t, json.Unmarshal([]byte(b), &out))
		}
		return out
	}
	made := call("POST", "/api/v1/clients", "", entryOf(t, "https://shop.example/callback"), http.StatusCreated)
	if made.ID != "RP00000001" || made.Issuer != "http://warifu.test"+oidc.IssuerPath() || len(made.Token) != 43 || len(made.Key) != 43 || made.Name.Japanese != "わたしの店" || len(made.JWKS) == 0 {
		t.Errorf("%+v", made)
	}
	at := "/api/v1/clients/" + made.ID
	shown := call("GET", at, made.Token, "", http.StatusOK)
	if shown.Token != "" || shown.Key != "" || shown.RedirectURIs[0] != "https://shop.example/callback" {
		t.Errorf("%+v", shown)
	}
	problem(t, ask(site, "GET", at, "", "Authorization", "Bearer other"), 404, "client-unknown")
	problem(t, ask(site, "GET", at, ""), 404, "client-unknown")
	problem(t, ask(site, "PUT", at, entryOf(t, "http://shop.example/callback"), "Authorization", "Bearer "+made.Token), 422, "client-invalid")
	changed := call("PUT", at, made.Token, entryOf(t, "https://shop.example/back"), http.StatusOK)
	rotated := call("POST", at+"/rotate", made.Token, "{}", http.StatusOK)
	if changed.RedirectURIs[0] != "https://shop.example/back" || rotated.Token == made.Token || rotated.Key == made.Key || string(rotated.JWKS) != string(changed.JWKS) {
		t.Errorf("%+v\n%+v", changed, rotated)
	}
	problem(t, ask(site, "DELETE", at, "", "Authorization", "Bearer "+made.Token), 404, "client-unknown")
	call("DELETE", at, rotated.Token, "", http.StatusNoContent)
	problem(t, ask(site, "GET", at, "", "Authorization", "Bearer "+rotated.Token), 404, "client-unknown")
}

func TestNobodyRegistersWhereTheOperatorDoes(t *testing.T) {
	_, site := site(t, func(c *web.Config) { c.Clients = oidc.NewDirectory(nil, nil, false) })
	problem(t, ask(site, "POST", "/api/v1/clients", entryOf(t, "https://shop.example/callback")), 403, "client-registration-closed")
}
