package terminal

import (
	"fmt"
	"log/slog"

	"warifu"
)

// The screens that every terminal has: the first one, and those on which a person types a PIN
// and touches the reader.
const (
	ScreenWelcome = "welcome"
	ScreenReading = "reading" // the chip is asked
	ScreenPIN     = "pin"     // the PIN is to be typed
	ScreenLast    = "last"    // one try is left, and the person is asked whether they are sure
	ScreenTap     = "tap"     // card or phone is to be touched to the reader
	ScreenStuck   = "stuck"   // this card or phone will not do, however often it is touched
)

// Typed is a PIN that was typed and waits for the tap. It cannot be printed.
type Typed string

// String implements fmt.Stringer: like every other way of writing it down, it says nothing.
func (Typed) String() string { return "[PIN]" }

// GoString implements fmt.GoStringer.
func (Typed) GoString() string { return "[PIN]" }

// Format implements fmt.Formatter.
func (Typed) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[PIN]") }

// LogValue implements slog.LogValuer.
func (Typed) LogValue() slog.Value { return slog.StringValue("[PIN]") }

// MarshalText implements encoding.TextMarshaler.
func (Typed) MarshalText() ([]byte, error) { return []byte("[PIN]"), nil }

// Hand is how far a person has come before the chip has answered. Its zero value is a person
// who has done nothing yet. Whoever holds it locks it.
type Hand struct {
	pin   Typed
	sure  bool // they know that one try is left, and go on
	stuck bool
}

// Type keeps a PIN for the tap.
func (h *Hand) Type(pin string) { h.pin = Typed(pin) }

// Touch is what goes to the chip with the tap.
func (h *Hand) Touch() (pin string, sure bool) { return string(h.pin), h.sure }

// Forget forgets the PIN.
func (h *Hand) Forget() { h.pin = "" }

// Sure says that the person knows that one try is left.
func (h *Hand) Sure() { h.sure = true }

// again are the refusals after which the same PIN may be used with another tap: the wrong
// thing was touched. What is out of order for a while (warifu.CodeUnavailable) is another.
var again = map[string]bool{"not-a-card": true, "not-a-phone": true, "kiosk-in-use": true, "clinic-in-use": true, "insurer-busy": true, "municipality-busy": true}

// hopeless is out of order for a while too, but another tap does not mend it.
const hopeless = "clinic-status-unknown"

// retype are those after which the PIN is typed again.
var retype = map[string]bool{
	"card-pin-wrong": true, "secret-wrong": true, "reader-last-try-card": true, "reader-last-try-phone": true, "card-pin-format": true, "secret-format": true,
}

// whoever are those that have to do with the person, and not with what they touched.
var whoever = map[string]bool{"resident-too-young": true, "resident-restricted": true, "resident-closed": true}

// After takes note of how a tap ended; nil is a chip that answered.
func (h *Hand) After(err error) {
	h.stuck = false
	if err == nil {
		*h = Hand{}
		return
	}
	switch e := warifu.ProblemOf(err); {
	case again[e.Problem], e.Code == warifu.CodeUnavailable && e.Problem != hopeless:
		return
	case retype[e.Problem]:
		h.sure = false
	default:
		h.stuck = true
	}
	h.Forget()
}

// Screen is the one that the person stands before; last tells that one try is left.
func (h *Hand) Screen(last bool) string {
	switch {
	case h.stuck:
		return ScreenStuck
	case last && !h.sure:
		return ScreenLast
	case h.pin == "":
		return ScreenPIN
	}
	return ScreenTap
}
