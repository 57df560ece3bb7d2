package phone

import (
	"context"

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

// Wrapped is one of the phone's secrets as the platform keeps it. It is for one key of
// the chip: a key made later has a secret of its own, and a wrapped one of before would
// only spend its tries.
type Wrapped struct {
	Secret []byte        `json:"secret"` // as Platform.Wrap gave it
	Key    warifu.Digest `json:"key"`    // SHA-256 of the SubjectPublicKeyInfo of the key it opens
}

// EnableScreenLock lets the screen lock stand in for the authentication PIN (R51): the
// PIN is checked by the chip once, then wrapped by the platform.
func (a *App) EnableScreenLock(ctx context.Context, typedPIN string, g Gesture) error {
	return a.EnableScreenLockFor(ctx, warifu.Authentication, typedPIN, g)
}

// EnableScreenLockFor does it for either kind. For the signing password it is Refused
// "screen-lock-not-for-signing" unless the scheme says otherwise (K3, R53).
func (a *App) EnableScreenLockFor(ctx context.Context, kind warifu.Kind, typed string, g Gesture) error {
	if err := a.counts(kind, g); err != nil {
		return err
	}
	secret, err := a.Scheme.ActivationSecret(kind, typed)
	if err != nil {
		return err
	}
	key, err := a.liveKey(ctx, kind)
	if err != nil {
		return err
	}
	token, err := jpki.Select(ctx, a.Element)
	if err != nil {
		return phoneError(err)
	}
	if err := token.VerifyPhone(ctx, kind, secret); err != nil {
		return phoneError(err)
	}
	wrapped, err := a.Platform.Wrap(g, secret.Reveal())
	if err != nil {
		return err
	}
	return a.remember(func(s *State) {
		if s.ScreenLock == nil {
			s.ScreenLock = map[warifu.Kind]Wrapped{}
		}
		s.ScreenLock[kind] = Wrapped{wrapped, key}
	})
}

// DisableScreenLock forgets what is wrapped, of the kinds or, with none named, of both.
func (a *App) DisableScreenLock(kinds ...warifu.Kind) error {
	return a.remember(func(s *State) {
		if len(kinds) == 0 {
			s.ScreenLock = nil
		}
		for _, kind := range kinds {
			delete(s.ScreenLock, kind)
		}
	})
}

// counts refuses a gesture that does not stand in for the secret of the kind (R49, K3).
func (a *App) counts(kind warifu.Kind, g Gesture) error {
	switch {
	case kind == warifu.Signature && !a.Scheme.ScreenLockSigning:
		return warifu.Refused("screen-lock-not-for-signing")
	case !g.Method.Counts():
		return warifu.Refused("screen-lock-weak", "method", string(g.Method))
	}
	return nil
}

// liveKey is the digest of the key of the kind that is in use in the chip.
func (a *App) liveKey(ctx context.Context, kind warifu.Kind) (warifu.Digest, error) {
	slots, err := a.slots(ctx)
	if err != nil {
		return warifu.Digest{}, err
	}
	slot, there := slots.Live.Of(kind)
	if !there {
		return warifu.Digest{}, warifu.Conflict("credential-none")
	}
	return slot.PublicKey, nil
}

// secretFor returns the octets that open the key of the kind.
func (a *App) secretFor(ctx context.Context, kind warifu.Kind, u Unlock) (warifu.ActivationSecret, error) {
	var none warifu.ActivationSecret
	if u.Gesture == nil {
		return a.Scheme.ActivationSecret(kind, u.Typed)
	}
	if err := a.counts(kind, *u.Gesture); err != nil {
		return none, err
	}
	state, err := a.State()
	if err != nil {
		return none, err
	}
	wrapped, set := state.ScreenLock[kind]
	if !set {
		return none, warifu.Refused("screen-lock-off")
	}
	key, err := a.liveKey(ctx, kind)
	if err != nil {
		return none, err
	}
	secret, err := a.Platform.Unwrap(*u.Gesture, wrapped.Secret)
	if isProblem(err, "screen-lock-key-lost") || err == nil && key != wrapped.Key {
		return none, a.lostLock(kind, err)
	}
	if err != nil {
		return none, err
	}
	return warifu.NewActivationSecret(secret), nil
}

// lostLock turns the screen lock off for a kind that it does not open any more.
func (a *App) lostLock(kind warifu.Kind, cause error) error {
	if err := a.DisableScreenLock(kind); err != nil {
		return err
	}
	return warifu.Refused("screen-lock-key-lost").With(cause)
}
