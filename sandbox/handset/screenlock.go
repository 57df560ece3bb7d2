package handset

import (
	"crypto/aes"
	"crypto/cipher"
	"io"
	"slices"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/folder"
)

// lockName is the screen lock's file in the handset's folder.
const lockName = "screenlock.json"

// ScreenLock is the platform's key store and the gestures that open it. Its key is
// made anew whenever a biometric is enrolled, so that a finger added by a thief
// opens nothing that was wrapped before.
type ScreenLock struct {
	folder folder.Folder
	random io.Reader
	kept   lockFile
}

type lockFile struct {
	Key      []byte                    `json:"key"` // AES-256; a real phone's never leaves its hardware
	Enrolled map[phone.Method][]string `json:"enrolled"`
}

// factoryGestures are what a new sandbox phone knows, as its page tells.
func factoryGestures() map[phone.Method][]string {
	return map[phone.Method][]string{
		phone.MethodFingerprint: {"thumb"},
		phone.MethodSimpleFace:  {"owner"},
		phone.MethodDevicePIN:   {"2580"},
	}
}

func openScreenLock(f folder.Folder, random io.Reader) (*ScreenLock, error) {
	l := &ScreenLock{folder: f, random: random}
	there, err := f.ReadJSON(lockName, &l.kept)
	if err == nil && !there {
		err = l.wipe()
	}
	return l, err
}

func (l *ScreenLock) wipe() error {
	l.kept.Enrolled = factoryGestures()
	return l.renew()
}

// renew makes a new key; what the old one wrapped is lost.
func (l *ScreenLock) renew() error {
	l.kept.Key = make([]byte, 32)
	if _, err := io.ReadFull(l.random, l.kept.Key); err != nil {
		return err
	}
	return l.folder.WriteJSON(lockName, l.kept)
}

// Methods lists the methods that are enrolled, in order of name.
func (l *ScreenLock) Methods() []phone.Method {
	var methods []phone.Method
	for m := range l.kept.Enrolled {
		methods = append(methods, m)
	}
	slices.Sort(methods)
	return methods
}

// Enrol adds a finger, a face, a PIN or a pattern. A biometric enrolled anew loses
// the key; a device PIN or pattern does not.
func (l *ScreenLock) Enrol(g phone.Gesture) error {
	if g.Shown == "" || len(g.Shown) > 64 {
		return warifu.Invalid("screen-lock-gesture", "method", string(g.Method))
	}
	switch g.Method {
	case phone.MethodFingerprint, phone.MethodFace, phone.MethodSimpleFace:
		l.kept.Enrolled[g.Method] = append(l.kept.Enrolled[g.Method], g.Shown)
		return l.renew()
	case phone.MethodDevicePIN, phone.MethodPattern:
		l.kept.Enrolled[g.Method] = []string{g.Shown}
		return l.folder.WriteJSON(lockName, l.kept)
	}
	return warifu.Invalid("screen-lock-gesture", "method", string(g.Method))
}

// Wrap implements phone.Platform.
func (l *ScreenLock) Wrap(g phone.Gesture, secret []byte) ([]byte, error) {
	aead, err := l.open(g)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(l.random, nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, secret, nil), nil
}

// Unwrap implements phone.Platform.
func (l *ScreenLock) Unwrap(g phone.Gesture, wrapped []byte) ([]byte, error) {
	aead, err := l.open(g)
	if err != nil {
		return nil, err
	}
	if len(wrapped) < aead.NonceSize() {
		return nil, warifu.Refused("screen-lock-key-lost")
	}
	nonce, sealed := wrapped[:aead.NonceSize()], wrapped[aead.NonceSize():]
	secret, err := aead.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, warifu.Refused("screen-lock-key-lost").With(err)
	}
	return secret, nil
}

// open judges the gesture and hands out the key for one use.
func (l *ScreenLock) open(g phone.Gesture) (cipher.AEAD, error) {
	if !g.Method.Counts() {
		return nil, warifu.Refused("screen-lock-weak", "method", string(g.Method))
	}
	if !slices.Contains(l.kept.Enrolled[g.Method], g.Shown) {
		return nil, warifu.Refused("screen-lock-refused")
	}
	block, err := aes.NewCipher(l.kept.Key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
