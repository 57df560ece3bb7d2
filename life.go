package warifu

// ApplicationState is where a request for credentials (利用申請) stands.
type ApplicationState string

// The states of an application (design §3, K13).
const (
	ApplicationSubmitted    ApplicationState = "submitted"
	ApplicationIssued       ApplicationState = "issued"
	ApplicationRejected     ApplicationState = "rejected"
	ApplicationWithdrawn    ApplicationState = "withdrawn"
	ApplicationPersonalized ApplicationState = "personalized"
	ApplicationLapsed       ApplicationState = "lapsed"
)

// CredentialState is where one certificate on a phone stands.
type CredentialState string

// The states of a credential (design §3).
const (
	CredentialPending    CredentialState = "pending"
	CredentialActive     CredentialState = "active"
	CredentialHeld       CredentialState = "held"
	CredentialRevoked    CredentialState = "revoked"
	CredentialSuperseded CredentialState = "superseded"
	CredentialExpired    CredentialState = "expired"
)

// Verb names what moves a life from one state to another.
type Verb string

// The verbs of design §1.
const (
	VerbIssue       Verb = "issue"
	VerbReject      Verb = "reject"
	VerbWithdraw    Verb = "withdraw"
	VerbPersonalize Verb = "personalize"
	VerbLapse       Verb = "lapse"
	VerbActivate    Verb = "activate"
	VerbSuspend     Verb = "suspend"
	VerbResume      Verb = "resume"
	VerbRevoke      Verb = "revoke"
	VerbSupersede   Verb = "supersede"
	VerbExpire      Verb = "expire"
)

// Transition is one arrow of a life.
type Transition[S ~string] struct {
	From S
	Verb Verb
	To   S
	Rule string // the R and K numbers and design sections it follows
}

// Life is a transition table: every arrow there is, and nothing else.
type Life[S ~string] struct {
	Name    string
	Initial S
	Arrows  []Transition[S]
}

// ApplicationLife is the life of an application.
var ApplicationLife = Life[ApplicationState]{
	Name:    "application",
	Initial: ApplicationSubmitted,
	Arrows: []Transition[ApplicationState]{
		{ApplicationSubmitted, VerbIssue, ApplicationIssued, "R38–R41, K1"},
		{ApplicationSubmitted, VerbReject, ApplicationRejected, "design §3.5"},
		{ApplicationSubmitted, VerbWithdraw, ApplicationWithdrawn, "design §3.3"},
		{ApplicationIssued, VerbPersonalize, ApplicationPersonalized, "R44, K13"},
		{ApplicationIssued, VerbLapse, ApplicationLapsed, "K14: not fetched within 30 days"},
		{ApplicationIssued, VerbWithdraw, ApplicationWithdrawn, "design §3.3"},
	},
}

// CredentialLife is the life of a credential.
var CredentialLife = Life[CredentialState]{
	Name:    "credential",
	Initial: CredentialPending,
	Arrows: []Transition[CredentialState]{
		{CredentialPending, VerbActivate, CredentialActive, "design §3.7"},
		{CredentialPending, VerbSuspend, CredentialHeld, "K14: a hold while the application is open"},
		{CredentialPending, VerbRevoke, CredentialRevoked, "design §3.5: one kind failed, withdrawn or lapsed"},
		{CredentialActive, VerbSuspend, CredentialHeld, "R76"},
		{CredentialHeld, VerbResume, CredentialActive, "B.5, K14"},
		{CredentialActive, VerbRevoke, CredentialRevoked, "R71, R75"},
		{CredentialHeld, VerbRevoke, CredentialRevoked, "R77, K9"},
		{CredentialActive, VerbSupersede, CredentialSuperseded, "R55, B.1"},
		{CredentialHeld, VerbSupersede, CredentialSuperseded, "R55, B.1"},
		{CredentialActive, VerbExpire, CredentialExpired, "R56"},
		{CredentialHeld, VerbExpire, CredentialExpired, "R56"},
	},
}

// Next returns the state that verb leads to from the state from, or a Conflict
// error "transition-illegal" naming both.
func (l Life[S]) Next(from S, verb Verb) (S, error) {
	for _, a := range l.Arrows {
		if a.From == from && a.Verb == verb {
			return a.To, nil
		}
	}
	var none S
	return none, Conflict("transition-illegal", "life", l.Name, "state", string(from), "verb", string(verb))
}

// Final reports whether no arrow leaves s.
func (l Life[S]) Final(s S) bool {
	for _, a := range l.Arrows {
		if a.From == s {
			return false
		}
	}
	return true
}

// States lists every state in the order of first mention.
func (l Life[S]) States() []S {
	seen := map[S]bool{l.Initial: true}
	out := []S{l.Initial}
	for _, a := range l.Arrows {
		for _, s := range []S{a.From, a.To} {
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	return out
}
