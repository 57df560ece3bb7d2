package phone

import (
	"context"
	"errors"

	"warifu"
	"warifu/jpki"
)

// Method is a way in which a phone's screen lock opens.
type Method string

// The methods a handset may have. Of biometrics only class 3 counts; a simple
// front-camera face unlock never does (R49, K3).
const (
	MethodFingerprint Method = "fingerprint" // class 3
	MethodFace        Method = "face"        // class 3, with depth
	MethodSimpleFace  Method = "simple-face" // class 1, front camera
	MethodDevicePIN   Method = "device-pin"
	MethodPattern     Method = "pattern"
)

// Counts reports whether the method may stand in for the PIN.
func (m Method) Counts() bool {
	switch m {
	case MethodFingerprint, MethodFace, MethodDevicePIN, MethodPattern:
		return true
	}
	return false
}

// Gesture is one opening of the screen lock: how, and what was shown to the phone
// (which finger, which PIN). The platform judges it; the app never keeps it.
type Gesture struct {
	Method Method
	Shown  string
}

// Platform is the phone's key store: a key that only the screen lock opens and that
// is lost when biometrics are enrolled anew. Both refuse a wrong gesture with
// "screen-lock-refused"; Unwrap says "screen-lock-key-lost" after a re-enrolment.
type Platform interface {
	Wrap(g Gesture, secret []byte) (wrapped []byte, err error)
	Unwrap(g Gesture, wrapped []byte) (secret []byte, err error)
}

// Unlock is how the holder opens a key of the phone for one use: the phone's
// password typed, or the screen lock.
type Unlock struct {
	Typed   string
	Gesture *Gesture
}

// EnableScreenLock lets the screen lock stand in for the authentication PIN (R51):
// the PIN is checked by the chip once, then wrapped by the platform.
func (a *App) EnableScreenLock(ctx context.Context, typedPIN string, g Gesture) error {
	if !g.Method.Counts() {
		return warifu.Refused("screen-lock-weak", "method", string(g.Method))
	}
	pin, err := a.Scheme.ActivationSecret(warifu.Authentication, typedPIN)
	if err != nil {
		return err
	}
	token, err := jpki.Select(ctx, a.Element)
	if err != nil {
		return phoneError(err)
	}
	if err := token.VerifyPhone(ctx, warifu.Authentication, pin); err != nil {
		return phoneError(err)
	}
	wrapped, err := a.Platform.Wrap(g, pin.Reveal())
	if err != nil {
		return err
	}
	return a.remember(func(s *State) { s.Wrapped = wrapped })
}

// DisableScreenLock forgets the wrapped PIN.
func (a *App) DisableScreenLock() error { return a.remember(func(s *State) { s.Wrapped = nil }) }

// secretFor returns the octets that open the key of the kind.
func (a *App) secretFor(kind warifu.Kind, u Unlock) (warifu.ActivationSecret, error) {
	var none warifu.ActivationSecret
	if u.Gesture == nil {
		return a.Scheme.ActivationSecret(kind, u.Typed)
	}
	if kind == warifu.Signature {
		return none, warifu.Refused("screen-lock-not-for-signing")
	}
	if !u.Gesture.Method.Counts() {
		return none, warifu.Refused("screen-lock-weak", "method", string(u.Gesture.Method))
	}
	state, err := a.State()
	if err != nil {
		return none, err
	}
	if state.Wrapped == nil {
		return none, warifu.Refused("screen-lock-off")
	}
	pin, err := a.Platform.Unwrap(*u.Gesture, state.Wrapped)
	if isProblem(err, "screen-lock-key-lost") {
		return none, errors.Join(err, a.DisableScreenLock())
	}
	if err != nil {
		return none, err
	}
	return warifu.NewActivationSecret(pin), nil
}
