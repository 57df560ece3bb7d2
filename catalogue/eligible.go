package catalogue

import (
	"strconv"
	"strings"

	"warifu"
)

// maxReported bounds what a phone may say of itself, in octets.
const maxReported = 128

// Device is what a phone says of itself.
type Device struct {
	Model      string // Build.MODEL
	OSBuild    string // Android version and security patch level, "13/2023-05-05"
	AppVersion int
}

// eligible returns nil or the first reason for refusing, what can never change first,
// what the holder can mend last.
func (x *index) eligible(d Device, today Date, minimumApp int) error {
	m, known := x.find(d.Model)
	switch {
	case len(d.Model) > maxReported || len(d.OSBuild) > maxReported:
		return warifu.Invalid("device-malformed")
	case isIPhone(d.Model) || known && m.Platform == IOS:
		return warifu.Refused("device-iphone") // R24, K4
	case !known && x.pending[key(d.Model)]:
		return warifu.Refused("device-not-verified", "model", d.Model)
	case !known:
		return warifu.Refused("device-unknown", "model", d.Model) // R14
	}
	if err := m.unfit(today); err != nil {
		return err
	}
	if m.MinOSBuild != "" && CompareBuild(d.OSBuild, m.MinOSBuild) < 0 {
		return warifu.Refused("device-os-update", "model", m.Name(), "build", m.MinOSBuild) // R19
	}
	if least := max(minimumApp, m.MinAppVersion); d.AppVersion < least {
		return warifu.Refused("app-too-old", "version", strconv.Itoa(least)) // R20
	}
	return nil
}

// unfit is the model's own reason for refusing, whatever its software; nil when the
// model stands on the public list of that day (R16).
func (m Model) unfit(today Date) error {
	switch {
	case m.Platform == IOS:
		return warifu.Refused("device-iphone")
	case !m.SecureElement:
		return warifu.Refused("device-no-secure-element", "model", m.Name()) // R14
	case m.Market != MarketJapan:
		return warifu.Refused("device-global-model", "model", m.Name()) // R13
	case m.Verification.Result == Failed:
		return warifu.Refused("device-verification-failed", "model", m.Name()) // R14
	case m.Verification.Result != Passed:
		return warifu.Refused("device-not-verified", "model", m.Name()) // R17, R18
	case m.Since > today:
		return warifu.Refused("device-listed-later", "model", m.Name(), "since", string(m.Since))
	}
	return nil
}

// isIPhone recognises what an iPhone calls itself ("iPhone17,1"), listed or not.
func isIPhone(model string) bool { return strings.HasPrefix(key(model), "iphone") }

// Banner says what the app's top screen shows a device (R21, R22).
type Banner struct {
	// Show is whether the shortcut to the certificate-management menu is there. It is
	// for a supported device; on any other nothing of the application ever appears.
	Show bool
	// First is what a supported device needs before it may apply: an update of the
	// system (R19) or of the app (R20); nil when nothing.
	First error
}

func banner(refusal error) Banner {
	if refusal == nil {
		return Banner{Show: true}
	}
	switch warifu.ProblemOf(refusal).Problem {
	case "device-os-update", "app-too-old":
		return Banner{Show: true, First: refusal}
	}
	return Banner{}
}
