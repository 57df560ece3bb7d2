package status_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/status"
	"warifu/verify"
)

// TestEveryWayOfAskingAgrees takes a credential through its life in a real database
// and asks, as a relying party does, by OCSP, by full list, by list and delta, and after
// it all about every instant of that life by its history.
func TestEveryWayOfAskingAgrees(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		d := world().delegate(now.AddDate(0, 0, -1), now.AddDate(0, 0, 7))
		delegate := func() (status.Delegate, error) {
			return status.Delegate{Certificate: d.certificate, Key: d.key}, nil
		}
		responder := status.NewResponder(warifu.Signature, world().ca.certificate, o, delegate, o)
		historian := status.NewHistorian(warifu.Signature, world().ca.certificate, o, delegate, o)
		lists := status.NewPublisher(warifu.Signature, sign, ledger{o}, o)
		mux := http.NewServeMux()
		mux.Handle("GET /crl/signature.crl", lists)
		mux.Handle("GET /crl/signature-delta.crl", lists.Deltas())
		mux.Handle("GET /api/v1/status-history/signature/", historian)
		s := httptest.NewServer(route(mux, responder))
		t.Cleanup(s.Close)
		lists.Freshest = s.URL + "/crl/signature-delta.crl"
		var trust verify.Trust
		o.must(trust.Add(profile.ClassPhone, warifu.Signature, world().ca.certificate))
		certificate := world().issue(1, s.URL).certificate
		checkers := map[string]verify.StatusChecker{
			"ocsp": verify.OCSPClient{RequireNonce: true}, "cached ocsp": verify.OCSPClient{Get: true, NoNonce: true},
			"list": &verify.CRLClient{MaxAge: time.Nanosecond}, "delta": &verify.CRLClient{MaxAge: time.Nanosecond, Deltas: true},
		}
		id := o.issue(1)
		verdicts := map[time.Time]verify.Verdict{}
		for _, step := range []struct {
			verb warifu.Verb
			want verify.Verdict
		}{{"", verify.Unknown}, {warifu.VerbActivate, verify.Good}, {warifu.VerbSuspend, verify.Bad}, {warifu.VerbResume, verify.Good},
			{warifu.VerbSuspend, verify.Bad}, {warifu.VerbResume, verify.Good}, {warifu.VerbSuspend, verify.Bad}, {warifu.VerbSupersede, verify.Bad}} {
			o.present = o.present.Add(time.Minute)
			if step.verb != "" {
				o.move(id, step.verb, 0)
			}
			o.must(lists.Refresh(t.Context()))
			for name, checker := range checkers {
				r, err := verify.New(trust, checker, o).Certificate(t.Context(), certificate, verify.Policy{})
				want := step.want
				if want == verify.Unknown && !strings.Contains(name, "ocsp") {
					want = verify.Good // a list cannot say that something is not in use yet
				}
				if err != nil || r.Verdict != want {
					t.Errorf("%q by %s: %v %s %v", step.verb, name, err, r.Verdict, r.Reasons)
				}
			}
			verdicts[o.present] = step.want
			o.present = o.present.Add(time.Minute)
			verdicts[o.present] = step.want
		}
		later := verify.New(trust, verify.OCSPClient{}, o).WithHistory(verify.HistoryClient{})
		for at, want := range verdicts {
			r, err := later.Certificate(t.Context(), certificate, verify.Policy{At: at})
			if err != nil || r.Verdict != want {
				t.Errorf("looking back at %v: %v %s %v, want %s", at.Sub(now), err, r.Verdict, r.Reasons, want)
			}
		}
	})
}
