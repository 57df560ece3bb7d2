// Package registration is the registration authority: the only package that
// changes an application's or a credential's state. One method is one step of the
// walk (docs/design.md §3): Challenge, Apply, the job that issues, the job that
// notifies, the session that personalizes, Withdraw, Lapse, and the job that settles
// with the authorities what ended before it was issued.
//
// It never touches a certification authority's key, a socket or a chip: it
// declares what it needs of them (Issuer, Bureau, Pusher) and whoever wires the
// house hands them in. It believes nothing a phone says that the secure element
// has not attested or the card has not signed, and nothing of the card that the
// card bureau has not stated. What it accepted is committed before it answers.
package registration
