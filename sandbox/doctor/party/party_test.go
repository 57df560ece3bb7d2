package party_test

import (
	"net"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/sandbox/doctor"
	"warifu/sandbox/doctor/party"
	"warifu/text"
)

// listen takes an address for a provider.
func listen(t testing.TB) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, "http://" + l.Addr().String() + "/api/realms/main"
}

// configOf is the configuration for an own relying party.
func configOf(t testing.TB, p *own) party.Config {
	t.Helper()
	c := party.Config{
		Issuer: p.issuer, Patience: party.Duration{Duration: 20 * time.Second},
		Client:  party.Client{ID: clientID, RedirectURI: "/callback", JWKSURI: "/jwks.json", PAR: true},
		Login:   party.Login{Start: "/login", ReturnTo: "return_to", Logout: "/logout"},
		Who:     party.Who{URL: "/me", JSON: "/person/sub"},
		Demands: party.Demands{Class: "phone", ACR: []string{"aal3"}, MaxAge: party.Duration{Duration: 5 * time.Minute}},
	}
	if err := c.Complete(p.URL); err != nil {
		t.Fatal(err)
	}
	return c
}

func open(t testing.TB, c party.Config, l net.Listener) *party.Examination {
	t.Helper()
	x, err := party.Open(t.Context(), c, l, warifu.SystemClock{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

// examine runs all cases but the left-out ones over an own relying party with the fault.
func examine(t testing.TB, fault string, patterns ...string) doctor.Report {
	t.Helper()
	l, issuer := listen(t)
	p := newOwn(t, issuer, fault)
	c := configOf(t, p)
	if slices.Contains(slow, fault) {
		c.Patience.Duration = 6 * time.Second // this twin never answers
	}
	x := open(t, c, l)
	x.Restart = p.restart
	s, err := x.Suite(p.URL).Select(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return s.Run(t.Context(), nil)
}

func TestAGoodRelyingPartyHasNoFault(t *testing.T) {
	t.Parallel()
	for _, r := range examine(t, "").Results {
		if r.Outcome != doctor.Pass && r.Theme != "verifier" {
			t.Errorf("%s is %s: %s", r.ID, r.Outcome, r.Seen(text.English))
		}
	}
}

// untwinned are the cases whose fault is told by another case as well, with the reason.
var untwinned = map[string]string{
	"honest-login": "whoever lets nobody in fails it",
}

// slow are the cases that wait for the relying party's own patience.
var slow = []string{"token-slow", "userinfo-slow", "token-huge", "userinfo-huge"}

func TestEachTwinHasItsOneFault(t *testing.T) {
	for _, c := range party.Cases() {
		if _, ok := untwinned[c.ID]; ok || c.Theme == "verifier" { // whose twins stand apart
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			var patterns []string
			for _, other := range party.Cases() {
				if other.Theme != "verifier" && (other.ID == c.ID || !slices.Contains(slow, other.ID)) {
					patterns = append(patterns, other.ID)
				}
			}
			found := false
			for _, r := range examine(t, c.ID, patterns...).Results {
				switch {
				case r.ID == c.ID && (r.Outcome == doctor.Fault || r.Outcome == doctor.Advice):
					found = true
				case r.Outcome == doctor.Pass, r.Outcome == doctor.Skipped && r.Notes[0].Key == "see" && r.Notes[0].Params["case"] == c.ID:
				default:
					t.Errorf("%s is %s: %v", r.ID, r.Outcome, r.Notes)
				}
			}
			if !found {
				t.Error("not found")
			}
		})
	}
}
