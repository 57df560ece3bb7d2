package registration

import (
	"time"

	"warifu"
	"warifu/attest"
)

// OrderOf is orderOf for tests.
func OrderOf(r attest.DeviceRequest) (warifu.Verb, []warifu.Kind, warifu.HoldReason, time.Time, error) {
	o, err := orderOf(r)
	return o.verb, o.kinds, o.hold.reason, o.hold.until, err
}
