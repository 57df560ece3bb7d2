package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"warifu"
	"warifu/text"
)

// ProblemPrefix begins the type of every problem.
const ProblemPrefix = "urn:warifu:problem:"

// Problem is an error on the wire (RFC 9457), in the reader's language and in both.
type Problem struct {
	Type     string            `json:"type" doc:"Stable: urn:warifu:problem: and a slug"`
	Title    string            `json:"title" doc:"What happened"`
	Status   int               `json:"status" doc:"HTTP status"`
	Detail   string            `json:"detail,omitempty" doc:"What exactly"`
	Next     string            `json:"next" doc:"What to do next"`
	TitleJa  string            `json:"titleJa"`
	DetailJa string            `json:"detailJa,omitempty"`
	NextJa   string            `json:"nextJa"`
	TitleEn  string            `json:"titleEn"`
	DetailEn string            `json:"detailEn,omitempty"`
	NextEn   string            `json:"nextEn"`
	Params   map[string]string `json:"params,omitempty" doc:"Values the sentences are filled with"`
	Where    []string          `json:"where,omitempty" doc:"Which fields of the request were not understood; never their values"`
}

// Error implements error with the slug, never with a value.
func (p *Problem) Error() string { return p.Type }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter: RFC 9457 §3.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

var statusOf = map[warifu.Code]int{
	warifu.CodeInvalid:         http.StatusUnprocessableEntity,
	warifu.CodeUnauthenticated: http.StatusUnauthorized,
	warifu.CodeRefused:         http.StatusForbidden,
	warifu.CodeNotFound:        http.StatusNotFound,
	warifu.CodeConflict:        http.StatusConflict,
	warifu.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	warifu.CodeTooMany:         http.StatusTooManyRequests,
	warifu.CodeUnavailable:     http.StatusServiceUnavailable,
	warifu.CodeInternal:        http.StatusInternalServerError,
}

// problemOf puts err into words.
func problemOf(err error, lang text.Lang) *Problem {
	e := warifu.ProblemOf(err)
	p := &Problem{Type: ProblemPrefix + e.Problem, Status: statusOf[e.Code], Params: e.Params}
	switch {
	case p.Status == 0:
		p.Status = http.StatusInternalServerError
	case e.Problem == "method-unknown":
		p.Status = http.StatusMethodNotAllowed
	}
	p.Title, p.Detail, p.Next = text.Problem(e, lang)
	p.TitleJa, p.DetailJa, p.NextJa = text.Problem(e, text.Japanese)
	p.TitleEn, p.DetailEn, p.NextEn = text.Problem(e, text.English)
	return p
}

// retryAfter is how many seconds to wait with what may have passed by then.
const retryAfter = "5"

// passes reports whether the same request may succeed a little later.
func (p *Problem) passes() bool {
	return p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests
}

// in is the problem as a page tells it in a language.
func (p *Problem) in(lang text.Lang) any {
	q := *p
	q.Title, q.Detail, q.Next = p.TitleJa, p.DetailJa, p.NextJa
	if lang == text.English {
		q.Title, q.Detail, q.Next = p.TitleEn, p.DetailEn, p.NextEn
	}
	return &q
}

type languageKey struct{}

func languageOf(ctx context.Context) text.Lang {
	if l, ok := ctx.Value(languageKey{}).(text.Lang); ok {
		return l
	}
	return text.Japanese
}

// problemsOnly makes huma speak in our problems; its own errors are about requests
// that do not fit the schema, and would echo what was sent.
func problemsOnly() {
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		if slices.ContainsFunc(errs, func(err error) bool { var large *http.MaxBytesError; return errors.As(err, &large) }) {
			status = http.StatusRequestEntityTooLarge // of who may not send that much; huma takes it for a fault of the line
		}
		e := schemaProblem(status)
		p := problemOf(e, text.Japanese)
		p.Status = status
		for _, err := range errs {
			var d huma.ErrorDetailer
			if errors.As(err, &d) && len(p.Where) < 16 {
				p.Where = appendOnce(p.Where, whereabouts(d.ErrorDetail()))
			}
		}
		return p
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		err := huma.NewError(status, msg, errs...)
		if p, ok := err.(*Problem); ok && languageOf(ctx.Context()) == text.English {
			p.Title, p.Detail, p.Next = p.TitleEn, p.DetailEn, p.NextEn
		}
		return err
	}
}

// whereabouts is where in a request something is wrong. The name of a field that we do not
// know is the sender's, so only that it is one is told.
func whereabouts(d *huma.ErrorDetail) string {
	if d.Message != validation.MsgUnexpectedProperty {
		return d.Location
	}
	return "body"
}

func appendOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func schemaProblem(status int) *warifu.Error {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return warifu.TooLarge("request-too-large")
	case http.StatusNotFound:
		return warifu.NotFound("page-unknown")
	case http.StatusInternalServerError:
		return &warifu.Error{Code: warifu.CodeInternal, Problem: "internal"}
	}
	return warifu.Invalid("request-malformed")
}

// writeProblem answers err outside of huma.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err, languageOf(r.Context()))
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	if p.passes() {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
