package oidc

import (
	"encoding/json"
	"net/http"
)

// metadata is what discovery says: OpenID Connect Discovery 1.0 §3, RFC 8414 §2, RFC 9126 §5,
// RFC 9207 §3. What is not supported is said too, where leaving it out would mean that it is.
type metadata struct {
	Issuer                 string   `json:"issuer"`
	Authorization          string   `json:"authorization_endpoint"`
	Token                  string   `json:"token_endpoint"`
	Userinfo               string   `json:"userinfo_endpoint"`
	Keys                   string   `json:"jwks_uri"`
	Push                   string   `json:"pushed_authorization_request_endpoint"`
	PushRequired           bool     `json:"require_pushed_authorization_requests"`
	Revocation             string   `json:"revocation_endpoint"`
	Scopes                 []string `json:"scopes_supported"`
	ResponseTypes          []string `json:"response_types_supported"`
	ResponseModes          []string `json:"response_modes_supported"`
	GrantTypes             []string `json:"grant_types_supported"`
	Classes                []string `json:"acr_values_supported"`
	SubjectTypes           []string `json:"subject_types_supported"`
	IDTokenAlgorithms      []string `json:"id_token_signing_alg_values_supported"`
	ClientAuthentication   []string `json:"token_endpoint_auth_methods_supported"`
	ClientAlgorithms       []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevocationMethods      []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAlgorithms   []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	ClaimTypes             []string `json:"claim_types_supported"`
	Claims                 []string `json:"claims_supported"`
	Locales                []string `json:"ui_locales_supported"`
	Prompts                []string `json:"prompt_values_supported"`
	Challenges             []string `json:"code_challenge_methods_supported"`
	ClaimsParameter        bool     `json:"claims_parameter_supported"`
	RequestParameter       bool     `json:"request_parameter_supported"`
	RequestURIParameter    bool     `json:"request_uri_parameter_supported"`
	RequestURIRegistration bool     `json:"require_request_uri_registration"`
	IssInResponse          bool     `json:"authorization_response_iss_parameter_supported"`
	SignTransactions       string   `json:"warifu_sign_transaction_endpoint,omitempty"`
}

// discover writes the document, once.
func (p *Provider) discover() ([]byte, error) {
	algorithms := []string{"ES256", "PS256", "RS256"}
	m := metadata{
		Issuer: p.issuer, Authorization: p.issuer + pathAuthorize, Token: p.tokenURL, Userinfo: p.issuer + pathUserinfo,
		Keys: p.issuer + pathKeys, Push: p.issuer + pathPush, Revocation: p.issuer + pathRevoke,
		Scopes: ScopesSupported, ResponseTypes: []string{"code"}, ResponseModes: []string{"query"},
		GrantTypes: []string{grantCode, grantRefresh, grantClient},
		Classes:    []string{acrAAL3, acrAAL2, acrCard, acrPhone}, SubjectTypes: []string{"pairwise"}, IDTokenAlgorithms: []string{"ES256"},
		ClientAuthentication: []string{"private_key_jwt"}, ClientAlgorithms: algorithms,
		RevocationMethods: []string{"private_key_jwt"}, RevocationAlgorithms: algorithms,
		ClaimTypes: []string{"normal"},
		Claims: []string{"iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid",
			"name", "address", "birthdate", "gender", "warifu_class", "warifu_activation", "warifu_missing"},
		Locales: []string{"ja", "en"}, Prompts: []string{"none", "login", "consent", "select_account"}, Challenges: []string{"S256"},
		IssInResponse: true,
	}
	if p.Signing == nil {
		m.Scopes = m.Scopes[:len(m.Scopes)-1]
	} else {
		m.SignTransactions = p.Origin + "/api/sign-transactions"
	}
	return json.Marshal(m)
}

func (p *Provider) serveDiscovery(w http.ResponseWriter, _ *http.Request) error {
	writeBytes(w, http.StatusOK, "public, max-age=300", p.discovery)
	return nil
}
