package registration

import (
	"context"
	"crypto/subtle"
	"regexp"
	"slices"

	"warifu"
)

// OperatorRole says what an operator of the authority may do.
type OperatorRole string

// The roles. None of them sees an attribute.
const (
	RoleHotline   OperatorRole = "hotline"   // look up, suspend, call back, propose and confirm resuming
	RoleRegistrar OperatorRole = "registrar" // that, and propose and confirm revoking (K15)
	RoleAuditor   OperatorRole = "auditor"   // read the records of calls
)

// right is one thing that an operator may be allowed to do.
type right string

const (
	rightSearch  right = "search"
	rightSuspend right = "suspend"
	rightResume  right = "resume"
	rightRevoke  right = "revoke"
	rightFind    right = "find"
	rightCalls   right = "calls"
)

var rightsOf = map[OperatorRole][]right{
	RoleHotline:   {rightSearch, rightSuspend, rightResume, rightFind},
	RoleRegistrar: {rightSearch, rightSuspend, rightResume, rightRevoke, rightFind},
	RoleAuditor:   {rightCalls, rightFind},
}

func (r OperatorRole) may(what right) bool { return slices.Contains(rightsOf[r], what) }

// Operator is a person who works for the authority, by the token they were given.
type Operator struct {
	Name  string        // as in the audit trail: lower-case letters, digits, dots and hyphens
	Role  OperatorRole  // what they may do
	Token warifu.Digest // SHA-256 of the token; the token itself is kept nowhere
}

func (o Operator) actor() string { return "operator:" + o.Name }

// Operators are all who may work at the hotline; the zero value lets nobody in.
type Operators struct{ all []Operator }

var operatorName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,39}$`)

// NewOperators checks a list: names and tokens are each one person's, since four eyes are
// counted by them. Invalid "operators-invalid" names the entry.
func NewOperators(list []Operator) (Operators, error) {
	names, tokens := map[string]bool{}, map[warifu.Digest]bool{}
	for _, o := range list {
		fault := ""
		switch {
		case !operatorName.MatchString(o.Name):
			fault = "name"
		case names[o.Name]:
			fault = "name twice"
		case rightsOf[o.Role] == nil:
			fault = "role"
		case o.Token == warifu.Digest{}:
			fault = "token"
		case tokens[o.Token]:
			fault = "token twice"
		}
		if fault != "" {
			return Operators{}, warifu.Invalid("operators-invalid", "operator", o.Name, "fault", fault)
		}
		names[o.Name], tokens[o.Token] = true, true
	}
	return Operators{slices.Clone(list)}, nil
}

// find returns whose token it is, looking at every operator whatever it finds.
func (o Operators) find(token string) (Operator, bool) {
	digest := warifu.DigestOf([]byte(token))
	at := -1
	for i := range o.all {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(o.all[i].Token[:], digest[:]), i, at)
	}
	if at < 0 || token == "" {
		return Operator{}, false
	}
	return o.all[at], true
}

// named returns the operator of a name as they are now.
func (o Operators) named(name string) (Operator, bool) {
	i := slices.IndexFunc(o.all, func(one Operator) bool { return one.Name == name })
	if i < 0 {
		return Operator{}, false
	}
	return o.all[i], true
}

// SetOperators puts another list in place of the one that stands: from its return on
// whoever is not on it is let in no more, and no proposal of theirs is confirmed.
func (a *Authority) SetOperators(o Operators) { a.changed.Store(&o) }

// operators are who may work at the hotline now.
func (a *Authority) operators() Operators {
	if o := a.changed.Load(); o != nil {
		return *o
	}
	return a.Operators
}

// operator lets an operator in to do something: by a token of the file or, with an empty one, as
// whom the console has let in (AtConsole). Unauthenticated "operator-unknown" for an
// absent or wrong token, Refused "operator-may-not" for a role without the right.
func (a *Authority) operator(ctx context.Context, token string, what right) (Operator, error) {
	o, found := a.operators().find(token)
	if !found && token == "" {
		var err error
		if o, found, err = a.ofConsole(ctx); err != nil {
			return o, err
		}
	}
	if !found {
		a.Log.WarnContext(ctx, "hotline: no operator's token", "wanted", string(what))
		return o, warifu.Unauthenticated("operator-unknown")
	}
	if !o.Role.may(what) {
		a.Log.WarnContext(ctx, "hotline: not this operator's to do", "operator", o.Name, "wanted", string(what))
		return o, warifu.Refused("operator-may-not", "role", string(o.Role))
	}
	return o, nil
}
