package chip

import (
	"crypto/subtle"

	"warifu/iso7816"
	"warifu/jpki"
)

// referenceState is what of a secret outlasts the power: its value and the tries that
// are left. It is part of the chip's saved state.
type referenceState struct {
	Value []byte `json:"value,omitempty"`
	Left  int    `json:"left"`
}

// reference is reference data of VERIFY (ISO/IEC 7816-4 §11.6.6): a password, a PIN or
// a 照合番号. Without a value it is blocked. Changes touch the state only; the caller
// saves it before it answers.
type reference struct {
	rule  jpki.SecretRule
	state *referenceState
	// constant says that no command changes the value.
	constant bool
	// epoch rises with every new value, so that a status earned with an older value, on
	// whatever interface, is worth nothing.
	epoch uint64
}

// newReference gives a secret to a chip that has none yet, or takes up the state of a
// chip that was saved before.
func newReference(rule jpki.SecretRule, state *referenceState) *reference {
	return &reference{rule: rule, state: state}
}

// fresh is the state of a secret as it is handed over: all tries left, or blocked
// where there is no value.
func fresh(rule jpki.SecretRule, value []byte) *referenceState {
	if len(value) == 0 {
		return &referenceState{}
	}
	return &referenceState{Value: append([]byte(nil), value...), Left: rule.Tries}
}

// sealed is a reference that nothing verifies: it guards what is never opened.
func sealed() *reference { return newReference(jpki.SecretRule{}, &referenceState{}) }

func (r *reference) blocked() bool { return r.state.Left <= 0 || len(r.state.Value) == 0 }

// left is the number of tries that remain.
func (r *reference) left() int {
	if r.blocked() {
		return 0
	}
	return r.state.Left
}

// set gives r a new value and all its tries.
func (r *reference) set(value []byte) {
	*r.state = *fresh(r.rule, value)
	r.epoch++
}

// compare spends a try on octets. It returns whether the state changed and so must be
// saved before the answer, and the status word: nil, 63Cx, or 6984 when r was blocked
// before (docs/card-facts.md §1.6). Octets of a wrong form cost a try like any other.
func (r *reference) compare(octets []byte) (changed bool, err error) {
	if r.blocked() {
		return false, iso7816.SWBlocked
	}
	if subtle.ConstantTimeCompare(r.state.Value, octets) != 1 {
		r.state.Left--
		return true, iso7816.RetriesLeft(r.state.Left)
	}
	changed = r.state.Left != r.rule.Tries
	r.state.Left = r.rule.Tries
	return changed, nil
}
