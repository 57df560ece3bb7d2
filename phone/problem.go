package phone

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"warifu"
)

// problemPrefix begins the type of every problem of the house (RFC 9457).
const problemPrefix = "urn:warifu:problem:"

type wireProblem struct {
	Type   string            `json:"type"`
	Status int               `json:"status"`
	Params map[string]string `json:"params"`
}

// ParseProblem turns the body of a refusal back into the error the server had. A body
// that is no problem of ours becomes "server-answer-unreadable" with the status.
func ParseProblem(status int, body []byte) error {
	var p wireProblem
	slug, ours := "", false
	if json.Unmarshal(body, &p) == nil {
		slug, ours = strings.CutPrefix(p.Type, problemPrefix)
	}
	if !ours || !plainSlug(slug) {
		return &warifu.Error{Code: codeOf(status), Problem: "server-answer-unreadable",
			Err: fmt.Errorf("HTTP status %d", status)}
	}
	return &warifu.Error{Code: codeOf(status), Problem: slug, Params: p.Params}
}

// plainSlug keeps a hostile server from choosing keys of its own liking.
func plainSlug(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func codeOf(status int) warifu.Code {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType:
		return warifu.CodeInvalid
	case http.StatusUnauthorized:
		return warifu.CodeUnauthenticated
	case http.StatusForbidden:
		return warifu.CodeRefused
	case http.StatusNotFound, http.StatusGone:
		return warifu.CodeNotFound
	case http.StatusConflict:
		return warifu.CodeConflict
	case http.StatusRequestEntityTooLarge:
		return warifu.CodeTooLarge
	case http.StatusTooManyRequests:
		return warifu.CodeTooMany
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return warifu.CodeUnavailable
	}
	return warifu.CodeInternal
}
