package doorway

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"

	"warifu"
	"warifu/text"
)

// MaxBody bounds a JSON request, in octets, unless the reader says otherwise.
const MaxBody = 1 << 20

// Problem is an RFC 9457 problem as every place of the house writes it.
type Problem struct {
	Type     string            `json:"type"`
	Title    string            `json:"title"`
	Detail   string            `json:"detail,omitempty"`
	Next     string            `json:"next"`
	TitleJa  string            `json:"titleJa"`
	DetailJa string            `json:"detailJa,omitempty"`
	NextJa   string            `json:"nextJa"`
	Status   int               `json:"status"`
	Params   map[string]string `json:"params,omitempty"`
}

// ProblemOf says err in both languages.
func ProblemOf(err error) Problem {
	e := warifu.ProblemOf(err)
	p := Problem{Type: "urn:warifu:problem:" + e.Problem, Status: StatusOf(e.Code), Params: e.Params}
	p.Title, p.Detail, p.Next = text.Problem(e, text.English)
	p.TitleJa, p.DetailJa, p.NextJa = text.Problem(e, text.Japanese)
	return p
}

// StatusOf maps an error's class to an HTTP status.
func StatusOf(c warifu.Code) int {
	switch c {
	case warifu.CodeInvalid:
		return http.StatusUnprocessableEntity
	case warifu.CodeUnauthenticated:
		return http.StatusUnauthorized
	case warifu.CodeRefused:
		return http.StatusForbidden
	case warifu.CodeNotFound:
		return http.StatusNotFound
	case warifu.CodeConflict:
		return http.StatusConflict
	case warifu.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case warifu.CodeTooMany:
		return http.StatusTooManyRequests
	case warifu.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Refuse writes err as a problem. What lies beneath an internal error goes to the
// log, never to the asker.
func Refuse(w http.ResponseWriter, err error) {
	p := ProblemOf(err)
	if p.Status == http.StatusInternalServerError {
		slog.Error("sandbox: internal error", "err", err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	write(w, p.Status, p)
}

// Answer writes v as JSON.
func Answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	write(w, http.StatusOK, v)
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		slog.Error("sandbox: cannot encode an answer", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// Read decodes the JSON body of r into v: at most limit octets, one value, no
// unknown fields. Errors: "sandbox-request-malformed", "sandbox-request-too-large".
func Read(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return warifu.Invalid("sandbox-request-malformed")
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil && d.More() {
		err = errors.New("more than one value")
	}
	return readError(err)
}

// Octets reads the whole body, at most limit octets.
func Octets(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	return b, readError(err)
}

func readError(err error) error {
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return warifu.TooLarge("sandbox-request-too-large")
	}
	return warifu.Invalid("sandbox-request-malformed").With(err)
}

// JSON makes a handler of a function that returns what to answer.
func JSON(f func(w http.ResponseWriter, r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := f(w, r)
		if err != nil {
			Refuse(w, err)
			return
		}
		Answer(w, v)
	})
}

// Take makes a handler of a function that is sent one JSON value and returns what to answer.
func Take[T any](f func(r *http.Request, in T) (any, error)) http.Handler {
	return JSON(func(w http.ResponseWriter, r *http.Request) (any, error) {
		var in T
		if err := Read(w, r, MaxBody, &in); err != nil {
			return nil, err
		}
		return f(r, in)
	})
}
