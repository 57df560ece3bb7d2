package globalplatform

// CardState is the life-cycle state of a chip: that of its issuer security domain (GPCS §5.1).
type CardState byte

// The states of GPCS §11.1.1, table 11-6.
const (
	CardOPReady     CardState = 0x01
	CardInitialized CardState = 0x07
	CardSecured     CardState = 0x0F
	CardLocked      CardState = 0x7F
	CardTerminated  CardState = 0xFF
)

// Allows reports whether the chip may move to the next state: forward only, except that a
// locked chip may be secured again and every chip may be terminated (GPCS §5.1.1).
func (s CardState) Allows(next CardState) bool {
	switch s {
	case CardOPReady:
		return next == CardInitialized || next == CardTerminated
	case CardInitialized:
		return next == CardSecured || next == CardTerminated
	case CardSecured:
		return next == CardLocked || next == CardTerminated
	case CardLocked:
		return next == CardSecured || next == CardTerminated
	}
	return false
}

// String names the state as GPCS writes it.
func (s CardState) String() string {
	switch s {
	case CardOPReady:
		return "OP_READY"
	case CardInitialized:
		return "INITIALIZED"
	case CardSecured:
		return "SECURED"
	case CardLocked:
		return "CARD_LOCKED"
	case CardTerminated:
		return "TERMINATED"
	}
	return "unknown"
}

// ApplicationState is the life-cycle state of an application or supplementary security
// domain (GPCS §5.3).
type ApplicationState byte

// The states of GPCS §11.1.1, tables 11-4 and 11-5. ApplicationLocked is a bit over the state beneath.
const (
	ApplicationInstalled    ApplicationState = 0x03
	ApplicationSelectable   ApplicationState = 0x07
	ApplicationPersonalized ApplicationState = 0x0F
	ApplicationLocked       ApplicationState = 0x80
)

// Locked reports whether the lock bit is set.
func (s ApplicationState) Locked() bool { return s&ApplicationLocked != 0 }

// Allows reports whether SET STATUS may move s to next: forward among the unlocked states, and
// to or from the lock over the same state.
func (s ApplicationState) Allows(next ApplicationState) bool {
	if s^next == ApplicationLocked {
		return true
	}
	return !s.Locked() && !next.Locked() && next > s && s&next == s && next <= ApplicationPersonalized
}

// String names the state as GPCS writes it.
func (s ApplicationState) String() string {
	if s.Locked() {
		return "LOCKED"
	}
	switch s {
	case ApplicationInstalled:
		return "INSTALLED"
	case ApplicationSelectable:
		return "SELECTABLE"
	case ApplicationPersonalized:
		return "PERSONALIZED"
	}
	return "unknown"
}
