package jpki

import (
	"errors"
	"fmt"
	"strconv"

	"warifu"
	"warifu/iso7816"
)

// chipProblem is the one place where a chip's status word becomes a sentence's slug;
// nil stays nil.
func chipProblem(err error) error {
	var sw iso7816.StatusWord
	var problem *warifu.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &problem):
		return err
	case errors.As(err, &sw):
		return warifu.Unavailable("chip-refused", "status", fmt.Sprintf("%04X", uint16(sw))).With(err)
	case errors.Is(err, iso7816.ErrRemoved):
		return warifu.Unavailable("chip-removed").With(err)
	}
	return warifu.Unavailable("chip-unreachable").With(err)
}

// useProblem says why a file or a key could not be used.
func (k *Token) useProblem(err error, kind warifu.Kind) error {
	switch {
	case errors.Is(err, iso7816.SWSecurityStatus) && k.IsPhone():
		return warifu.Refused("secret-needed", "kind", kind.String()).With(err)
	case errors.Is(err, iso7816.SWSecurityStatus):
		return warifu.Refused("card-pin-needed", "kind", kind.String()).With(err)
	case errors.Is(err, iso7816.SWConditions):
		return warifu.Conflict("key-absent", "kind", kind.String()).With(err)
	}
	return chipProblem(err)
}

// secretWrong says that a secret was wrong and how many tries are left, or that none
// are; left below zero: nothing was sent and nothing spent.
func (k *Token) secretWrong(kind warifu.Kind, left int, err error) error {
	tries := strconv.Itoa(left)
	switch {
	case left < 0 && k.IsPhone():
		return warifu.Invalid("secret-malformed", "kind", kind.String())
	case left < 0:
		return warifu.Invalid("card-pin-malformed", "kind", kind.String())
	case left == 0 && k.IsPhone():
		return warifu.Refused("secret-blocked", "kind", kind.String()).With(err)
	case left == 0:
		return warifu.Refused("card-pin-blocked", "kind", kind.String()).With(err)
	case k.IsPhone():
		return warifu.Refused("secret-wrong", "left", tries, "kind", kind.String()).With(err)
	}
	return warifu.Refused("card-pin-wrong", "left", tries, "kind", kind.String()).With(err)
}

func blockedStatus(sw iso7816.StatusWord) bool {
	return sw == iso7816.SWBlocked || sw == iso7816.SWMethodBlocked
}
