package console

import (
	"context"
	"regexp"
	"slices"
	"time"
)

// Role says which pages an operator works with.
type Role string

// The roles. Administrator is who invites; it opens no page of the hotline, so that who lets
// people in does not also decide about holders.
const (
	Hotline       Role = "hotline"       // answers calls: suspends, proposes and confirms resuming
	Registrar     Role = "registrar"     // that, and proposes and confirms revoking
	Auditor       Role = "auditor"       // reads the audit trail and the records of calls
	Catalogue     Role = "catalogue"     // keeps the catalogue of devices
	Administrator Role = "administrator" // invites, replaces lost passkeys, removes who leaves
)

// Roles are all roles, in the order in which pages list them.
var Roles = []Role{Hotline, Registrar, Auditor, Catalogue, Administrator}

// Operator is who is signed in.
type Operator struct {
	Name string // as in the audit trail, where it stands behind "operator:"
	Role Role
	// Since, Verified and Ends are when the session began, when the person last proved a
	// passkey, and when the session ends at the latest.
	Since, Verified, Ends time.Time
	// WithoutKey reports a sandbox's sign-in, for which nothing was proved.
	WithoutKey bool
	// Secret is the session's, from its cookie: what a form's token is made over. Never shown.
	Secret Secret
}

// Is reports whether the operator has one of the roles.
func (o Operator) Is(roles ...Role) bool { return slices.Contains(roles, o.Role) }

func (o Operator) actor() string { return "operator:" + o.Name }

// Secret is the secret of a session or of a link. It does not print itself.
type Secret string

// String implements fmt.Stringer without telling it.
func (Secret) String() string { return "(secret)" }

// GoString implements fmt.GoStringer without telling it.
func (Secret) GoString() string { return "(secret)" }

// Reveal is the secret, for the cookie or the link that carries it.
func (s Secret) Reveal() string { return string(s) }

type operatorKey struct{}

// With puts who is signed in into a request's context.
func With(ctx context.Context, o Operator) context.Context {
	return context.WithValue(ctx, operatorKey{}, o)
}

// Of returns who is signed in, and whether anybody is.
func Of(ctx context.Context) (Operator, bool) {
	o, ok := ctx.Value(operatorKey{}).(Operator)
	return o, ok
}

// operatorName is the same form as in the file of operators: a name there and here is one person's.
var operatorName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,39}$`)
