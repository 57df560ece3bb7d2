package oidc

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"warifu"
	"warifu/text"
)

// The error codes: RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6, RFC 6750 §3.1,
// RFC 9101 §10.3, RFC 7009 §2.2.1.
const (
	invalidRequest          = "invalid_request"
	invalidClient           = "invalid_client"
	invalidGrant            = "invalid_grant"
	invalidScope            = "invalid_scope"
	invalidToken            = "invalid_token"
	insufficientScope       = "insufficient_scope"
	invalidRequestURI       = "invalid_request_uri"
	unauthorizedClient      = "unauthorized_client"
	unsupportedGrantType    = "unsupported_grant_type"
	unsupportedResponseType = "unsupported_response_type"
	accessDenied            = "access_denied"
	loginRequired           = "login_required"
	requestNotSupported     = "request_not_supported"
	requestURINotSupported  = "request_uri_not_supported"
	registrationUnsupported = "registration_not_supported"
	temporarilyUnavailable  = "temporarily_unavailable"
	serverError             = "server_error"
)

// refusal is an answer with one of the standards' codes, and our problem that says it in
// words: its title stands as error_description.
type refusal struct {
	code    string
	problem *warifu.Error
}

func refuse(code string, problem *warifu.Error) error { return &refusal{code, problem} }

// malformed is invalid_request with the problem "oidc-parameter" that names the parameter.
func malformed(parameter string) error {
	return refuse(invalidRequest, warifu.Invalid("oidc-parameter", "parameter", parameter))
}

// Error implements error.
func (r *refusal) Error() string { return r.code + ": " + r.problem.Error() }

// Unwrap lets callers see the problem.
func (r *refusal) Unwrap() error { return r.problem }

// problemOf is the problem in an error.
func problemOf(err error) *warifu.Error { return warifu.ProblemOf(err) }

// refusalOf is err with a code: what has none is our own fault or passes.
func refusalOf(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	e := problemOf(err)
	switch e.Code {
	case warifu.CodeUnavailable, warifu.CodeTooMany:
		return &refusal{temporarilyUnavailable, e}
	case warifu.CodeInternal:
		return &refusal{serverError, e}
	}
	return &refusal{invalidRequest, e}
}

// describe is the problem in English, in the characters that RFC 6749 §5.2 lets stand in an
// error_description.
func describe(e *warifu.Error) string {
	title, detail, _ := text.Problem(e, text.English)
	if detail != "" {
		title += ": " + detail
	}
	return strings.Map(func(c rune) rune {
		if c == '"' || c == '\\' {
			return '\''
		}
		if c < 0x20 || c > 0x7E {
			return -1
		}
		return c
	}, title)
}

var statusOfCode = map[string]int{
	invalidClient: http.StatusUnauthorized, invalidToken: http.StatusUnauthorized, insufficientScope: http.StatusForbidden,
	temporarilyUnavailable: http.StatusServiceUnavailable, serverError: http.StatusInternalServerError,
}

// writeRefusal answers a program: RFC 6749 §5.2.
func writeRefusal(w http.ResponseWriter, err error) {
	r := refusalOf(err)
	status := statusOfCode[r.code]
	switch {
	case r.problem.Code == warifu.CodeTooMany:
		status = http.StatusTooManyRequests
	case r.problem.Code == warifu.CodeTooLarge:
		status = http.StatusRequestEntityTooLarge
	case status == 0:
		status = http.StatusBadRequest
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "5")
	}
	writeJSON(w, status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{r.code, describe(r.problem)})
}

// writeJSON answers with what nobody may keep.
func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	writeBytes(w, status, "no-store", b)
}

func writeBytes(w http.ResponseWriter, status int, cache string, b []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", cache)
	h.Set("X-Content-Type-Options", "nosniff")
	// A page of any site may read what it could fetch without a browser; nothing here is
	// opened by a cookie.
	h.Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// preflight answers what a browser asks before a page of another site calls.
func preflight(w http.ResponseWriter, methods string) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", strings.ReplaceAll(methods, " ", ", "))
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// plainProblem tells a person in both languages, without a page.
func plainProblem(w http.ResponseWriter, _ *http.Request, err error) {
	e := problemOf(err)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	status := http.StatusBadRequest
	switch e.Code {
	case warifu.CodeNotFound:
		if e.Problem == "page-unknown" {
			status = http.StatusNotFound
		}
	case warifu.CodeUnavailable, warifu.CodeTooMany:
		status = http.StatusServiceUnavailable
	case warifu.CodeInternal:
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	for _, lang := range text.Languages {
		title, detail, next := text.Problem(e, lang)
		_, _ = w.Write([]byte(strings.TrimSpace(title+"\n"+detail) + "\n" + next + "\n\n"))
	}
}
