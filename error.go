package warifu

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Code classes an error for callers; the web floor maps it to an HTTP status and
// the command line to an exit code.
type Code string

// The classes.
const (
	CodeInvalid         Code = "invalid"         // the input is not what the interface asks for; sending it again cannot help (400, 422)
	CodeUnauthenticated Code = "unauthenticated" // a proof is missing or wrong (401)
	CodeRefused         Code = "refused"         // well-formed and understood, but a rule forbids it (403)
	CodeNotFound        Code = "not-found"       // no such thing, or none that the asker may see (404)
	CodeConflict        Code = "conflict"        // the thing's state does not allow it now (409)
	CodeTooLarge        Code = "too-large"       // over a stated bound (413)
	CodeTooMany         Code = "too-many"        // over a rate limit; later is better (429)
	CodeUnavailable     Code = "unavailable"     // a part is down; try again later (503)
	CodeInternal        Code = "internal"        // our fault (500)
)

// Error is the one error type that people and programs are shown. Problem is a
// stable slug ("card-expired"): the last part of the RFC 9457 type, and the key
// "problem.<slug>" of the text catalogue, which must hold a title and a next step in
// Japanese and English. Params fill the sentence's {names}; they must never carry
// a secret or a personal attribute.
type Error struct {
	Code    Code
	Problem string
	Params  map[string]string
	Err     error // what lies beneath, for logs; may be nil
}

// Error implements error: the slug and its parameters, for logs and developers.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Problem)
	names := make([]string, 0, len(e.Params))
	for n := range e.Params {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(&b, " %s=%q", n, e.Params[n])
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns what lies beneath.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Problem: "x"}) match by slug alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Problem == e.Problem
}

// With returns a copy of e that wraps cause.
func (e *Error) With(cause error) *Error {
	c := *e
	c.Err = cause
	return &c
}

func newError(code Code, problem string, pairs []string) *Error {
	e := &Error{Code: code, Problem: problem}
	if len(pairs) > 0 {
		e.Params = make(map[string]string, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			e.Params[pairs[i]] = pairs[i+1]
		}
	}
	return e
}

// Invalid makes a CodeInvalid error; pairs are parameter names and values. So do
// its sisters for their codes.
func Invalid(problem string, pairs ...string) *Error { return newError(CodeInvalid, problem, pairs) }

// Unauthenticated makes a CodeUnauthenticated error.
func Unauthenticated(problem string, pairs ...string) *Error {
	return newError(CodeUnauthenticated, problem, pairs)
}

// Refused makes a CodeRefused error.
func Refused(problem string, pairs ...string) *Error { return newError(CodeRefused, problem, pairs) }

// NotFound makes a CodeNotFound error.
func NotFound(problem string, pairs ...string) *Error { return newError(CodeNotFound, problem, pairs) }

// Conflict makes a CodeConflict error.
func Conflict(problem string, pairs ...string) *Error { return newError(CodeConflict, problem, pairs) }

// TooLarge makes a CodeTooLarge error.
func TooLarge(problem string, pairs ...string) *Error { return newError(CodeTooLarge, problem, pairs) }

// TooMany makes a CodeTooMany error.
func TooMany(problem string, pairs ...string) *Error { return newError(CodeTooMany, problem, pairs) }

// Unavailable makes a CodeUnavailable error.
func Unavailable(problem string, pairs ...string) *Error {
	return newError(CodeUnavailable, problem, pairs)
}

// ProblemOf returns the *Error in err's chain, or an internal one that wraps err.
// It returns nil for nil.
func ProblemOf(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Problem: "internal", Err: err}
}

// IsCode reports whether e is an error of the class; a nil e is of none.
func (e *Error) IsCode(c Code) bool { return e != nil && e.Code == c }
