package registration

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"
	"unicode"

	"warifu"
	"warifu/store"
)

// A suspension code is twenty random digits and two check digits (ISO 7064 MOD 97-10).
const (
	codeRandom = 20
	codeDigits = codeRandom + 2
)

// SuspensionCode is what a holder keeps elsewhere against the loss of the phone. Whoever
// knows it can suspend and nothing else; formatters, encoders and loggers show none of it.
type SuspensionCode struct{ digits string }

// IsZero reports whether there is no code.
func (c SuspensionCode) IsZero() bool { return c.digits == "" }

// Reveal returns the code to be shown once, in groups of four digits: to its holder and
// nobody else.
func (c SuspensionCode) Reveal() string {
	var out []byte
	for i := range len(c.digits) {
		if i > 0 && i%4 == 0 {
			out = append(out, ' ')
		}
		out = append(out, c.digits[i])
	}
	return string(out)
}

const hiddenCode = "[suspension code]"

// Format implements fmt.Formatter for every verb and flag.
func (c SuspensionCode) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenCode) }

// MarshalText implements encoding.TextMarshaler, so that no encoder shows the digits.
func (c SuspensionCode) MarshalText() ([]byte, error) { return []byte(hiddenCode), nil }

// LogValue implements slog.LogValuer.
func (c SuspensionCode) LogValue() slog.Value { return slog.StringValue(hiddenCode) }

// newCode draws a code. Octets from 250 on are drawn again, so that every digit is as likely.
func newCode(random io.Reader) (SuspensionCode, error) {
	digits := make([]byte, 0, codeDigits)
	var one [1]byte
	for len(digits) < codeRandom {
		if _, err := io.ReadFull(random, one[:]); err != nil {
			return SuspensionCode{}, err
		}
		if one[0] < 250 {
			digits = append(digits, '0'+one[0]%10)
		}
	}
	check := 98 - remainder(string(digits)+"00")
	return SuspensionCode{string(append(digits, byte('0'+check/10), byte('0'+check%10)))}, nil
}

// remainder is the number modulo 97.
func remainder(digits string) int {
	r := 0
	for i := range len(digits) {
		r = (10*r + int(digits[i]-'0')) % 97
	}
	return r
}

// ParseSuspensionCode reads a code as people type it: in groups or not, with spaces,
// hyphens or dots between, in full width. What cannot be one is told before anything is
// looked up: Invalid "suspension-code-format" for what is not so many digits, Invalid
// "suspension-code-mistyped" where the check digits do not fit.
func ParseSuspensionCode(typed string) (SuspensionCode, error) {
	digits := make([]byte, 0, codeDigits)
	for _, r := range typed {
		if r >= '０' && r <= '９' {
			r -= '０' - '0'
		}
		switch {
		case r >= '0' && r <= '9':
			digits = append(digits, byte(r))
		case separates(r):
			continue
		default:
			return SuspensionCode{}, warifu.Invalid("suspension-code-format")
		}
		if len(digits) > codeDigits {
			break
		}
	}
	if len(digits) != codeDigits {
		return SuspensionCode{}, warifu.Invalid("suspension-code-format")
	}
	if remainder(string(digits)) != 1 {
		return SuspensionCode{}, warifu.Invalid("suspension-code-mistyped")
	}
	return SuspensionCode{string(digits)}, nil
}

// separates reports whether people write the rune between groups: any space, any dash, the
// long vowel and minus that Japanese keyboards give for one, dots.
func separates(r rune) bool {
	switch r {
	case 'ー', 'ｰ', '−', '.', '．', '・', '･', '_':
		return true
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r)
}

// verbCode stands in the audit line of a code that was made.
const verbCode warifu.Verb = "suspension-code"

// codeAgain is how long after personalization a phone that was cut off before it saw the
// code gets another: afterwards a new one takes the phone's password, so that who finds
// the phone cannot make the holder's note worthless.
const codeAgain = 10 * time.Minute

// firstCode makes the code that is shown when personalization ends; none where one was
// shown already.
func (a *Authority) firstCode(tx *store.Tx, row store.Application) (SuspensionCode, error) {
	made, err := tx.SuspensionCodeMade(row.ID)
	if err != nil || !made.IsZero() && a.Clock.Now().Sub(row.EndedAt) > codeAgain {
		return SuspensionCode{}, err
	}
	return a.writeCode(tx, row)
}

// writeCode makes a code for an application's credentials; an older one is worth nothing then.
func (a *Authority) writeCode(tx *store.Tx, row store.Application) (SuspensionCode, error) {
	code, err := newCode(a.Random)
	if err != nil {
		return code, err
	}
	now := a.Clock.Now()
	if err := tx.PutSuspensionCode(row.ID, code.digits, now); err != nil {
		return code, err
	}
	return code, tx.Audit(store.Line{At: now, Actor: actorElement(row.Element), Verb: verbCode, Subject: row.ID})
}

// chipWritten does what remains to be done when a chip was heard to have made an application's
// keys live: what lay in it before is gone, and the holder is shown a suspension code.
func (a *Authority) chipWritten(ctx context.Context, id string) (code SuspensionCode, err error) {
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := tx.Application(id)
		if err != nil || row.State != warifu.ApplicationPersonalized {
			return err
		}
		if err := tx.PutWrittenChip(row.Element, row.ID, a.Clock.Now()); err != nil {
			return err
		}
		code, err = a.firstCode(tx, row)
		return err
	})
	return code, err
}

// ReissueCode makes a new suspension code at the wish of the phone, whose right secret the
// chip had verified (as for ByDevice's endings); the older code is worth nothing then.
// Errors as ByDevice; Conflict "credential-ended" where nothing is left to suspend.
func (a *Authority) ReissueCode(ctx context.Context, element warifu.ElementID, envelope []byte) (code SuspensionCode, err error) {
	request, err := a.deviceRequest(ctx, element, envelope)
	if err != nil {
		return code, err
	}
	if request.Purpose != PurposeReissueCode {
		return code, warifu.Refused("device-request-other")
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		all, err := tx.CredentialsOfElement(element)
		if err != nil {
			return err
		}
		newest := aimAt(all, warifu.Kinds[:])
		if len(newest) == 0 {
			return warifu.NotFound("credential-absent")
		}
		standing := newest[0]
		for _, c := range newest {
			if live(c) {
				standing = c
			}
		}
		if !live(standing) {
			return warifu.Conflict("credential-ended", "state", string(standing.State))
		}
		if err := a.mayOrder(tx, request, false, all); err != nil {
			return err
		}
		row, err := tx.Application(standing.Application)
		if err != nil {
			return err
		}
		code, err = a.writeCode(tx, row)
		return err
	})
	return code, err
}
