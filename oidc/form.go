package oidc

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"warifu"
)

// Bounds of a request, in octets and in parameters.
const (
	maxForm       = 32 << 10
	maxParameters = 64
)

// form is what a client sends as application/x-www-form-urlencoded, each parameter once
// (RFC 6749 §3.1, §3.2).
type form struct {
	values url.Values
	twice  string // a parameter that is there more than once; "": none
}

// parseForm reads parameters. Invalid "oidc-form-malformed", TooLarge "oidc-form-too-large".
func parseForm(raw string) (form, error) {
	if len(raw) > maxForm {
		return form{}, warifu.TooLarge("oidc-form-too-large")
	}
	values, err := url.ParseQuery(raw)
	if err != nil || len(values) > maxParameters {
		return form{}, warifu.Invalid("oidc-form-malformed")
	}
	f := form{values: values}
	for name, all := range values {
		if len(all) > 1 && (f.twice == "" || name < f.twice) {
			f.twice = name
		}
	}
	return f, nil
}

// get is a parameter's value; one that is there without a value is not there (RFC 6749
// §3.1), and one that is there twice neither.
func (f form) get(name string) string {
	if all := f.values[name]; len(all) == 1 {
		return all[0]
	}
	return ""
}

// once refuses a parameter that is there twice.
func (f form) once() error {
	if f.twice == "" {
		return nil
	}
	name := f.twice
	if !plainName(name) {
		name = "?"
	}
	return refuse(invalidRequest, warifu.Invalid("oidc-parameter-twice", "parameter", name))
}

// plainName reports whether a parameter's name may stand in an answer.
func plainName(name string) bool {
	return len(name) <= 40 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// formOf reads the parameters of an authorization request: in the query of a GET, in the
// body of a POST (OpenID Connect Core §3.1.2.1).
func formOf(r *http.Request) (form, error) {
	if r.Method == http.MethodPost {
		return bodyOf(r)
	}
	return parseForm(r.URL.RawQuery)
}

// bodyOf reads the parameters of a POST.
func bodyOf(r *http.Request) (form, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return form{}, warifu.Invalid("oidc-form-malformed")
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil {
		return form{}, warifu.Invalid("oidc-form-malformed").With(err)
	}
	return parseForm(string(b))
}
