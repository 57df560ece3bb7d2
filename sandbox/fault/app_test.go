package fault_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"warifu"
	"warifu/internal/worldtest"
	"warifu/sandbox/fault"
	"warifu/sandbox/phones"
)

// What the app on a phone asks can be cut off, slowed down and refused, and nothing else is.
func TestTheAppsLineGoesWrong(t *testing.T) {
	w := worldtest.Stand(t)
	phone, err := w.Phones.Buy(phones.Buy{})
	if err != nil {
		t.Fatal(err)
	}
	terms := func() error { _, err := w.Phones.Terms(t.Context(), phone.ID); return err }
	for _, c := range []struct {
		set  fault.Setting
		want error
	}{
		{fault.Setting{Name: fault.AppOffline}, warifu.Unavailable("server-unreachable")},
		{fault.Setting{Name: fault.AppBusy}, warifu.TooMany("requests-too-many")},
		{fault.Setting{Name: fault.AppSlow, Length: time.Millisecond}, nil},
	} {
		if err := w.Faults.On(c.set); err != nil {
			t.Fatal(err)
		}
		if err := terms(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.set.Name, err)
		}
		if status, _ := ask(t, http.MethodGet, w.Places.Server+"/devices", "", nil); status != http.StatusOK {
			t.Errorf("%s: another page answers %d", c.set.Name, status)
		}
		if err := w.Faults.Off(c.set.Name); err != nil {
			t.Fatal(err)
		}
	}
	if err := terms(); err != nil {
		t.Errorf("with no fault: %v", err)
	}
}
