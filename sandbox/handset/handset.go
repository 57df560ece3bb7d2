package handset

import (
	"io"

	"warifu"
	"warifu/iso7816"
	"warifu/phone"
	"warifu/sandbox/folder"
	"warifu/scheme"
)

// Record is what a handset is, as it left the shop.
type Record struct {
	ID         string           `json:"id"` // "phone-1"
	Model      string           `json:"model"`
	OSBuild    string           `json:"osBuild"`
	AppVersion int              `json:"appVersion"`
	Element    warifu.ElementID `json:"element"`
	IMEI       string           `json:"imei,omitempty"` // as on the box: what a trade-in shop reads off it
}

// Element is the secure element as the phone is built around it: the platform
// reaches it from inside in the name of an app, a reader from outside.
type Element interface {
	// Internal is the door for the app whose signing certificate has the SHA-256 value.
	Internal(caller [32]byte) iso7816.Transmitter
	// Contactless is the door for a reader.
	Contactless() iso7816.Transmitter
	// PowerOff ends every session at either door.
	PowerOff()
	// ATR is what a reader hears first.
	ATR() []byte
}

// AppCertificate is the SHA-256 value of the app's signing certificate in the
// sandbox: the platform names it to the secure element as the caller.
var AppCertificate = [32]byte(warifu.DigestOf([]byte("warifu sandbox app signing certificate")))

// Handset is one phone. It is for one caller at a time.
type Handset struct {
	Record
	Element Element

	folder  folder.Folder
	lock    *ScreenLock
	outside iso7816.Transmitter // one session: what a reader selects stays selected
}

// Open opens the handset kept in the folder around its secure element; a new one is
// as bought, with one finger, one face and one PIN enrolled.
func Open(f folder.Folder, record Record, element Element, random io.Reader) (*Handset, error) {
	lock, err := openScreenLock(f, random)
	if err != nil {
		return nil, err
	}
	return &Handset{Record: record, Element: element, folder: f, lock: lock, outside: element.Contactless()}, nil
}

// App returns the app as it runs on this phone.
func (h *Handset) App(server *phone.Server, rules *scheme.Scheme, clock warifu.Clock) *phone.App {
	return &phone.App{
		Server: server, Element: h.Element.Internal(AppCertificate), Platform: h.lock,
		Storage: h.folder.Memory(storageName), Clock: clock, Scheme: rules,
		Device: phone.Device{Element: h.Record.Element, Model: h.Model, OSBuild: h.OSBuild, AppVersion: h.AppVersion},
	}
}

// Outside is the phone as a reader meets it.
func (h *Handset) Outside() iso7816.Transmitter { return h.outside }

// ScreenLock returns the phone's screen lock.
func (h *Handset) ScreenLock() *ScreenLock { return h.lock }

// FactoryReset wipes what the system can wipe: the app's storage and the screen
// lock. Keys and certificates stay in the chip, and stay valid (R74).
func (h *Handset) FactoryReset() error {
	if err := h.folder.Write(storageName, nil); err != nil {
		return err
	}
	return h.lock.wipe()
}

// storageName is the app's storage in the handset's folder.
const storageName = "app.json"
