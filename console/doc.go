// Package console lets the people in who work at the operators' console, by passkeys (W3C
// Web Authentication level 3): the first by a one-time link that the machine prints, the others by
// an administrator's invitation; and out again, when a passkey is lost or somebody leaves. It
// keeps the sessions on the server, short and bound to one browser, asks for the passkey again
// before what is dangerous, and lets auditors search the audit trail.
//
// What an operator may do with applications and credentials is decided by the registration
// authority alone, which looks the operator up itself; a role here opens pages. Every act
// has its audit line in its own transaction. No challenge is kept: each carries its time and
// a MAC over what it is for, and only those that were used are remembered.
package console
