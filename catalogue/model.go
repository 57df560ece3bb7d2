package catalogue

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"warifu"
)

// Market says for whom a model was made (R13): only phones for the Japanese market
// carry the FeliCa part that the certificates live in.
type Market string

// The markets.
const (
	MarketJapan  Market = "japan"  // おサイフケータイ
	MarketGlobal Market = "global" // the same phone as sold abroad
)

// Platform is the kind of operating system.
type Platform string

// The platforms.
const (
	Android Platform = "android"
	IOS     Platform = "ios" // refused with its own reason (K4)
)

// Biometric is Android's class of the strongest biometric sensor (R46–R49, K3).
type Biometric string

// The classes. Only class 3 may stand in for a PIN; a simple front camera is class 1.
const (
	BiometricNone   Biometric = "none"
	BiometricClass1 Biometric = "class1"
	BiometricClass2 Biometric = "class2"
	BiometricClass3 Biometric = "class3"
)

// Strong reports whether the class may stand in for the PIN.
func (b Biometric) Strong() bool { return b == BiometricClass3 }

// NFC says where on the phone's back the card goes (R23).
type NFC string

// The places; the text catalogue has a sentence for each ("word.nfc.…").
const (
	NFCMark   NFC = "mark" // the モバイル非接触IC通信マーク shows it
	NFCTop    NFC = "top"
	NFCCamera NFC = "camera" // beside or under the camera
	NFCCentre NFC = "centre"
	NFCManual NFC = "manual" // no mark: see the protective film or the manual
)

// Result is what the operation check found (R14, R17).
type Result string

// The results.
const (
	Pending Result = "pending"
	Passed  Result = "passed"
	Failed  Result = "failed"
)

// Date is a calendar date in Japan, "2023-05-11"; dates compare as strings. The empty
// Date is no date.
type Date string

// DateOf returns the date in Japan at t.
func DateOf(t time.Time) Date {
	return Date(t.In(time.FixedZone("JST", 9*60*60)).Format(time.DateOnly))
}

// Valid reports whether d is a date of the calendar.
func (d Date) Valid() bool {
	_, err := time.Parse(time.DateOnly, string(d))
	return err == nil
}

// Verification is the record of a model's operation check.
type Verification struct {
	By      string `json:"by,omitempty"` // the organisation that checked
	On      Date   `json:"on,omitempty"`
	Result  Result `json:"result"`
	OSBuild string `json:"osBuild,omitempty"` // of the phone that was checked; empty: not recorded
}

// Model is one device model. The JSON names are those of the public API and of stored rows.
type Model struct {
	ID            string       `json:"id"` // what the phone calls itself (Build.MODEL); unique without regard to case
	Maker         string       `json:"maker"`
	Names         []string     `json:"names"` // as sold; the first is shown
	Platform      Platform     `json:"platform"`
	SecureElement bool         `json:"secureElement"` // a GP-SE is built in (R8, R14)
	Market        Market       `json:"market"`
	Carriers      []string     `json:"carriers"` // through whom it is sold; empty: none
	Since         Date         `json:"since,omitempty"`
	MinOSBuild    string       `json:"minOSBuild,omitempty"`    // R19; see CompareBuild
	MinAppVersion int          `json:"minAppVersion,omitempty"` // R20; the scheme's minimum applies too
	Biometric     Biometric    `json:"biometric"`
	NFC           NFC          `json:"nfc"`
	Verification  Verification `json:"verification"`
	// Earlier are the checks before that one, in order; the newest are kept.
	Earlier []Verification `json:"earlier,omitempty"`
	Revised []Date         `json:"revised,omitempty"` // when this entry changed, in order
	Sample  bool           `json:"sample"`            // shipped as an example, vouched for by nobody
}

// Name returns the name that is shown.
func (m Model) Name() string { return m.Names[0] }

// The bounds of an entry.
const (
	maxText    = 64 // characters of any text
	maxList    = 16 // elements of any list
	maxRevised = 64
	maxEarlier = 32
)

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._,()+/-]{0,63}$`)

// Validate checks an entry by itself; the error is Invalid "model-invalid" with the
// JSON name of the field.
func (m Model) Validate() error {
	for _, c := range []struct {
		field string
		ok    bool
	}{
		{"id", idForm.MatchString(m.ID) && strings.TrimSpace(m.ID) == m.ID},
		{"maker", plain(m.Maker)},
		{"names", len(m.Names) > 0 && plainList(m.Names)},
		{"platform", m.Platform == Android || m.Platform == IOS},
		{"market", m.Market == MarketJapan || m.Market == MarketGlobal},
		{"carriers", plainList(m.Carriers)},
		{"since", m.Since == "" || m.Since.Valid()},
		{"minOSBuild", m.MinOSBuild == "" || plain(m.MinOSBuild)},
		{"minAppVersion", m.MinAppVersion >= 0 && m.MinAppVersion <= 999999},
		{"biometric", slices.Contains([]Biometric{BiometricNone, BiometricClass1, BiometricClass2, BiometricClass3}, m.Biometric)},
		{"nfc", slices.Contains([]NFC{NFCMark, NFCTop, NFCCamera, NFCCentre, NFCManual}, m.NFC)},
		{"verification", m.Verification.valid()},
		{"earlier", len(m.Earlier) <= maxEarlier && !slices.ContainsFunc(m.Earlier, func(v Verification) bool { return !v.valid() })},
		{"since", m.Verification.Result != Passed || m.Since != ""},
		{"revised", len(m.Revised) <= maxRevised && slices.IsSorted(m.Revised) && !slices.ContainsFunc(m.Revised, func(d Date) bool { return !d.Valid() })},
	} {
		if !c.ok {
			return warifu.Invalid("model-invalid", "field", c.field)
		}
	}
	return nil
}

// valid wants who and when for every result but pending.
func (v Verification) valid() bool {
	switch v.Result {
	case Pending:
		return v.By == "" && v.On == "" && v.OSBuild == ""
	case Passed, Failed:
		return plain(v.By) && v.On.Valid() && (v.OSBuild == "" || plain(v.OSBuild))
	}
	return false
}

// plain accepts one line of bounded, printable, trimmed text without the separator of lists.
func plain(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxText && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return r == '|' || r == utf8.RuneError || !unicode.IsPrint(r) && r != '\u3000' })
}

func plainList(list []string) bool {
	seen := map[string]bool{}
	for _, s := range list {
		if !plain(s) || seen[s] {
			return false
		}
		seen[s] = true
	}
	return len(list) <= maxList
}

// key is the form of an identifier under which models are found.
func key(id string) string { return strings.ToLower(id) }
