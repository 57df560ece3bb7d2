package judgetest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/internal/judgetest"
	"warifu/sandbox/doctor"
	"warifu/sandbox/doctor/party"
	"warifu/text"
)

func TestMain(m *testing.M) {
	code := m.Run()
	judgetest.Sweep()
	os.Exit(code)
}

func ecKey(t *testing.T) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: "judge", Algorithm: "ES256", Use: "sig"}
}

func rsaKey(t *testing.T) jose.JSONWebKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: "judge", Algorithm: "RS256", Use: "sig"}
}

func publicSet(t *testing.T, key jose.JSONWebKey) string {
	t.Helper()
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// examine has the doctor try every case, but some, at the party that start starts.
func examine(t *testing.T, from int, key jose.JSONWebKey, par bool, start func(testing.TB, judgetest.Party), but ...string) doctor.Report {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(judgetest.Port(t, from))))
	if err != nil {
		t.Fatal(err)
	}
	p := judgetest.Party{Port: judgetest.Port(t, from+100), Issuer: "http://" + l.Addr().String() + "/api/realms/main", ClientID: "judge", Key: key, MaxAge: "300", NoPAR: !par}
	c := party.Config{
		Issuer: p.Issuer, Patience: party.Duration{Duration: 20 * time.Second},
		Client:  party.Client{ID: p.ClientID, RedirectURI: p.Origin() + "/callback", JWKS: publicSet(t, key), PAR: par},
		Login:   party.Login{Start: "/login"},
		Who:     party.Who{URL: "/me", JSON: "/sub"},
		Demands: party.Demands{MaxAge: party.Duration{Duration: 5 * time.Minute}},
	}
	if os.Getenv("WARIFU_SOAK") != "" {
		c.KeysWait = party.Duration{Duration: 61 * time.Second}
	}
	if err := c.Complete(p.Origin()); err != nil {
		t.Fatal(err)
	}
	x, err := party.Open(t.Context(), c, l, warifu.SystemClock{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	start(t, p)
	if err := x.Reach(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := x.Suite(p.Origin())
	s.Cases = slices.DeleteFunc(s.Cases, func(c doctor.Case) bool { return slices.Contains(but, c.ID) })
	return s.Run(t.Context(), nil)
}

func tell(t *testing.T, r doctor.Report) {
	t.Helper()
	for _, one := range r.Results {
		if one.Outcome != doctor.Pass && one.Outcome != doctor.Skipped {
			t.Logf("%s %s: %s", one.Outcome, one.ID, one.Seen(text.English))
		}
	}
	if n := r.Count(doctor.Fault) + r.Count(doctor.Unclear); n > 0 || r.Count(doctor.Pass) < 50 {
		t.Errorf("%s", r.Summary(text.English))
	} else {
		t.Log(r.Summary(text.English))
	}
}

// openid-client looks for new keys once a minute at most: that it finds them is for the soak,
// which has the minute.
func TestTheDoctorFindsNoFaultInOpenIDClient(t *testing.T) {
	if os.Getenv("WARIFU_SOAK") != "" {
		tell(t, examine(t, 23000, ecKey(t), true, judgetest.OpenIDClient))
		return
	}
	tell(t, examine(t, 23000, ecKey(t), true, judgetest.OpenIDClient, "keys-rotated"))
}
