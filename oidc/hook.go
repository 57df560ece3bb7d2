package oidc

import (
	"context"

	"warifu"
	"warifu/store"
	"warifu/verify"
)

// Signing is documents that are signed together with a login (SignDesk). A provider without
// it offers no scope "sign".
type Signing interface {
	// Bind ties an open transaction of the client's to a login that begins, within its
	// transaction: it serves for no other. Errors as View; Conflict "sign-transaction-over" also
	// where another login has it.
	Bind(tx *store.Tx, client Client, transaction, login string) error
	// View tells of an open transaction of the client's. NotFound "sign-transaction-unknown",
	// also for another client's, Conflict "sign-transaction-over" once it is signed or expired.
	View(ctx context.Context, client Client, transaction string) (SignView, error)
	// Document returns what the phone signs.
	Document(ctx context.Context, client Client, transaction string) ([]byte, error)
	// Vouch stands in for the presence of a phone whose holder typed the signing password and
	// nothing else (Signed.Request, ADR 0019): it judges the signature, and the chip's word that
	// the password was given for it and for the consent with this nonce. The result is that of
	// the signature credential, which the person is found by.
	Vouch(ctx context.Context, client Client, transaction string, s Signed, nonce []byte) (*verify.Result, error)
	// Accept judges what was signed, before the transaction of the login begins. Errors: as View,
	// Refused "signed-class" where it is not of that class ("" takes both), those of what is wrong with it.
	Accept(ctx context.Context, client Client, transaction, class string, s Signed) (Accepted, error)
	// Ended takes away what was to be signed with a login that ended without it.
	Ended(tx *store.Tx, login string) error
}

// Accepted is a signature that was judged good.
type Accepted struct {
	Class string // ClassCard or ClassPhone: on what the signature key lies
	// Keep writes it down within the transaction of the login, once the holder's person is
	// known; its error undoes the login. Refused "signed-other-person".
	Keep func(tx *store.Tx, login string, person warifu.Digest) error
}
