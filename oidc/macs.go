package oidc

import (
	"crypto/hmac"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// macs makes what is secret about a login out of its identifier: the provider keeps none of
// it, and who reads the database can make none of it. Every use has a label of its own.
type macs struct{ mac attest.MAC }

// The labels. subject's is part of what relying parties keep: it never changes.
const (
	labelSubject = "warifu-sub-v1"
	labelSalt    = "warifu-login-salt-v1"
	labelNumber  = "warifu-login-number-v1"
	labelReturn  = "warifu-login-return-v1"
	labelPushed  = "warifu-login-pushed-v1"
	labelCode    = "warifu-login-code-v1"
	labelAccess  = "warifu-login-access-v1"
	labelRefresh = "warifu-login-refresh-v1"
	labelClient  = "warifu-client-access-v1"
	labelSession = "warifu-login-session-v1"
)

// of computes the MAC over label ‖ 00 ‖ parts. A key store that fails in the middle of its
// life is nothing a caller can act on: Unavailable "login-keys-away".
func (m macs) of(label string, parts ...[]byte) ([]byte, error) {
	message := make([]byte, 0, 96)
	message = append(append(message, label...), 0)
	for _, p := range parts {
		message = append(message, p...)
	}
	out, err := m.mac(message)
	if err == nil && len(out) < 32 {
		err = fmt.Errorf("a MAC of %d octets", len(out))
	}
	if err != nil {
		return nil, warifu.Unavailable("login-keys-away").With(err)
	}
	return out, nil
}

// ticket is body ‖ MAC(label, body, bound) as unpadded base64url: a secret that its holder
// brings back. bound is what it is good for beside what it says.
func (m macs) ticket(label string, body []byte, bound string) (string, error) {
	mac, err := m.of(label, body, []byte(bound))
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(slices.Clone(body), mac...)), nil
}

// macLength is how long a MAC is in a ticket.
const macLength = 32

// open is the body of a ticket that was made with the same label and bound, of n octets.
func (m macs) open(label, ticket string, n int, bound string) ([]byte, bool, error) {
	if len(ticket) != base64.RawURLEncoding.EncodedLen(n+macLength) {
		return nil, false, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(ticket)
	if err != nil {
		return nil, false, nil //nolint:nilerr // no ticket of ours
	}
	want, err := m.of(label, b[:n], []byte(bound))
	if err != nil {
		return nil, false, err
	}
	return b[:n], hmac.Equal(want, b[n:]), nil
}

// subject is by which name one sector knows a person.
func (m macs) subject(sector string, person warifu.Digest) (string, error) {
	b, err := m.mac(slices.Concat([]byte(labelSubject), []byte(sector), person[:]))
	if err != nil {
		return "", warifu.Unavailable("login-keys-away").With(err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// numbers are three different ones of two digits in rising order, and which of them the
// browser shows. They are the same each time the question is asked: who asks twice learns nothing.
func (m macs) numbers(id store.LoginID) (three []string, shown string, err error) {
	b, err := m.of(labelNumber, id[:])
	if err != nil {
		return nil, "", err
	}
	var all []int
	for i := 0; len(all) < 3 && i+4 <= len(b); i += 4 {
		if n := int(binary.BigEndian.Uint32(b[i:]) % 100); !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	for n := 0; len(all) < 3; n++ { // of 2^26 logins one
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	shown = twoDigits(all[0])
	slices.Sort(all)
	for _, n := range all {
		three = append(three, twoDigits(n))
	}
	return three, shown, nil
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// loginText writes a login's identifier: "l" and 26 characters of base32 in lower case, so
// that a QR code and a reader of it have few characters to deal with.
var loginText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func nameOf(id store.LoginID) string { return "l" + loginText.EncodeToString(id[:]) }

// idOf is the inverse of nameOf; NotFound "login-unknown" for what is no identifier.
func idOf(login string) (id store.LoginID, err error) {
	unknown := warifu.NotFound("login-unknown")
	if len(login) != 27 || login[0] != 'l' {
		return id, unknown
	}
	if n, err := loginText.Decode(id[:], []byte(login[1:])); err != nil || n != len(id) || nameOf(id) != login {
		return store.LoginID{}, unknown
	}
	return id, nil
}
