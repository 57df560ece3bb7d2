package status_test

import (
	"context"
	"encoding/hex"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/ocsp"
	"warifu/status"
	"warifu/store"
)

// memory is a Past over a list of moments for every serial number that ends in its key.
type memory struct {
	moments map[byte][]status.Moment
	err     error
}

func (m memory) Past(_ context.Context, kind warifu.Kind, serial []byte) ([]status.Moment, error) {
	if kind != warifu.Signature {
		return nil, nil
	}
	return m.moments[serial[len(serial)-1]], m.err
}

func historian(past status.Past, c warifu.Clock) *status.Historian {
	w := world()
	return status.NewHistorian(warifu.Signature, w.ca.certificate, past, func() (status.Delegate, error) {
		return status.Delegate{Certificate: w.responder.certificate, Key: w.responder.key}, nil
	}, c)
}

func historyOf(t testing.TB, der []byte, n byte, at time.Time) *ocsp.SignedHistory {
	t.Helper()
	h, err := ocsp.ParseHistory(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Verify(world().ca.certificate, new(big.Int).SetBytes(serial(n)), at); err != nil {
		t.Fatal(err)
	}
	return h
}

func moment(before time.Duration, s warifu.Status) status.Moment {
	return status.Moment{At: now.Add(-before), Status: s}
}

func historyRequest(o *status.Historian, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	o.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestAHistoryIsHadByTheSerialNumberAlone(t *testing.T) {
	o := historian(memory{moments: map[byte][]status.Moment{
		1: {moment(4*time.Hour, good), moment(3*time.Hour, held(now)), moment(2*time.Hour, good)},
	}}, clock)
	counted := map[string]int{}
	o.Count = func(word string) { counted[word]++ }
	digits := hex.EncodeToString(serial(1))
	for _, writing := range []string{digits, strings.ToUpper(digits)} {
		w := historyRequest(o, http.MethodGet, o.Path+"/"+writing)
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != "application/cms" || h.Get("ETag") == "" ||
			h.Get("Cache-Control") != "max-age=60, public, no-transform, must-revalidate" {
			t.Error(w.Code, h)
		}
		got := historyOf(t, w.Body.Bytes(), 1, now)
		if len(got.Holds) != 1 || !got.Active.Equal(now.Add(-4*time.Hour)) || !got.AsOf.Equal(now) {
			t.Errorf("%+v", got.History)
		}
	}
	for _, n := range []byte{2, 3} { // not in use yet, never issued: told alike
		w := historyRequest(o, http.MethodGet, o.Path+"/"+hex.EncodeToString(serial(n)))
		got := historyOf(t, w.Body.Bytes(), n, now)
		if len(got.Holds) != 0 || !got.Active.IsZero() || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%+v %v", got.History, w.Header())
		}
	}
	if counted["history"] != 4 {
		t.Error(counted)
	}
}

func TestAHistoryIsRefusedByName(t *testing.T) {
	w := world()
	o := historian(memory{}, clock)
	for name, path := range map[string]string{
		"nothing": "", "odd": "012", "no digits": "xy", "zero in front": "0001", "too long": strings.Repeat("11", 21), "a path": "01/02", "a sign": "-1",
	} {
		if got := historyRequest(o, http.MethodGet, o.Path+"/"+path); got.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
	if got := historyRequest(o, http.MethodGet, "/elsewhere/01"); got.Code != http.StatusBadRequest {
		t.Error(got.Code)
	}
	if got := historyRequest(o, http.MethodPost, o.Path+"/01"); got.Code != http.StatusMethodNotAllowed {
		t.Error(got.Code)
	}
	expired := w.delegate(now.AddDate(0, 0, -9), now.AddDate(0, 0, -2))
	with := func(d status.Delegate, err error) *status.Historian {
		return status.NewHistorian(warifu.Signature, w.ca.certificate, memory{}, func() (status.Delegate, error) { return d, err }, clock)
	}
	long := memory{moments: map[byte][]status.Moment{1: make([]status.Moment, 0)}}
	for i := range 2 * (ocsp.MaxHolds + 1) {
		long.moments[1] = append(long.moments[1], moment(time.Hour*24*30-time.Duration(i)*time.Second, []warifu.Status{held(now), good}[i%2]))
	}
	for name, o := range map[string]*status.Historian{
		"the past is not known now":    historian(memory{err: errDown}, clock),
		"the responder's time is over": with(status.Delegate{Certificate: expired.certificate, Key: expired.key}, nil),
		"no key":                       with(status.Delegate{}, errDown),
		"longer than an answer may be": historian(long, clock),
	} {
		got := historyRequest(o, http.MethodGet, o.Path+"/01")
		if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
}

// TestAHistoryIsRatherNotGood draws lives with clocks that need not go forward, and
// holds the history against the moments themselves.
func TestAHistoryIsRatherNotGood(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		step := rapid.Int64Range(-700_000, 5_000_000)
		at := now.Add(-48 * time.Hour)
		var moments []status.Moment
		last := warifu.Status{}
		for range rapid.IntRange(0, 14).Draw(r, "moments") {
			at = at.Add(time.Duration(step.Draw(r, "microseconds")) * time.Microsecond)
			next := []warifu.Status{good, held(at), revoked(warifu.ReasonSuperseded, at)}
			switch {
			case last.Cert == warifu.StatusGood:
				next = next[1:]
			case last.Reason == warifu.ReasonCertificateHold:
				next = []warifu.Status{next[0], next[2]}
			}
			last = rapid.SampledFrom(next).Draw(r, "status")
			moments = append(moments, status.Moment{At: at, Status: last})
			if last.Reason == warifu.ReasonSuperseded {
				break
			}
		}
		der, err := historian(memory{moments: map[byte][]status.Moment{1: moments}}, clock).Answer(context.Background(), serial(1))
		if err != nil {
			r.Fatal(err)
		}
		h := historyOf(t, der, 1, now)
		first := now.Add(-49 * time.Hour)
		for n, m := range moments {
			end := h.AsOf
			if n+1 < len(moments) {
				end = moments[n+1].At
			}
			for i := range 12 { // instants in which it was so, by the clock of the time
				t := m.At.Add(end.Sub(m.At) * time.Duration(i) / 12)
				got := h.At(t)
				if m.Status.Cert != warifu.StatusGood && got.Cert == warifu.StatusGood {
					r.Fatalf("good at %v in %+v of %+v", t, h.History, moments)
				}
				near := func(o status.Moment) bool { return o.At.Sub(t).Abs() < 2*time.Second }
				if m.Status.Cert == warifu.StatusGood && got.Cert != warifu.StatusGood && !anyMoment(moments, near) {
					r.Fatalf("not good at %v in %+v of %+v", t, h.History, moments)
				}
			}
		}
		if h.At(first).Cert != warifu.StatusUnknown {
			r.Fatal("in use before anything happened")
		}
	})
}

func anyMoment(all []status.Moment, is func(status.Moment) bool) bool {
	for _, m := range all {
		if is(m) {
			return true
		}
	}
	return false
}

// Past implements status.Past, as the server does.
func (o *office) Past(ctx context.Context, kind warifu.Kind, serial []byte) (out []status.Moment, err error) {
	err = o.Read(ctx, func(tx *store.Tx) error {
		out = nil
		changes, _, err := tx.StatusHistory(kind, serial)
		for _, c := range changes {
			out = append(out, status.Moment{At: c.At, Status: c.Record.Status})
		}
		return err
	})
	return out, err
}

func TestTheHistoryFollowsTheLifeOfACredential(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		one := o.issue(1)
		var at []time.Time
		for _, step := range []struct {
			verb   warifu.Verb
			reason warifu.Reason
		}{{warifu.VerbSuspend, 0}, {warifu.VerbResume, 0}, {warifu.VerbSuspend, 0}, {warifu.VerbResume, 0}, {warifu.VerbSuspend, 0}, {warifu.VerbRevoke, warifu.ReasonKeyCompromise}} {
			o.present = o.present.Add(time.Minute)
			o.move(one, step.verb, step.reason)
			at = append(at, o.present)
		}
		o.present = o.present.Add(time.Minute)
		d := world().delegate(o.present.Add(-time.Hour), o.present.Add(time.Hour))
		der, err := status.NewHistorian(warifu.Signature, world().ca.certificate, o, func() (status.Delegate, error) {
			return status.Delegate{Certificate: d.certificate, Key: d.key}, nil
		}, o).Answer(t.Context(), serial(1))
		if err != nil {
			t.Fatal(err)
		}
		h := historyOf(t, der, 1, o.present)
		want := []ocsp.Interval{{From: at[0], To: at[1]}, {From: at[2], To: at[3]}, {From: at[4], To: at[5]}}
		if len(h.Holds) != 3 || h.Holds[0] != want[0] || h.Holds[1] != want[1] || h.Holds[2] != want[2] || !h.Active.Equal(at[1]) ||
			h.Revoked != revoked(warifu.ReasonKeyCompromise, at[5]) || !h.AsOf.Equal(o.present) {
			t.Errorf("%+v", h.History)
		}
	})
}
