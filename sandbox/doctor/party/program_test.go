package party_test

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/sandbox/doctor"
	"warifu/sandbox/doctor/party"
	"warifu/text"
)

// The names of the variables that make this test's program a relying party.
const asParty, itsIssuer, itsFault = "WARIFU_DOCTOR_PARTY", "WARIFU_DOCTOR_ISSUER", "WARIFU_DOCTOR_FAULT"

func TestMain(m *testing.M) {
	if address := os.Getenv(asParty); address != "" {
		os.Exit(serveOwn(address))
	}
	os.Exit(m.Run())
}

// serveOwn is the good relying party as a program.
func serveOwn(address string) int {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return 1
	}
	p := &own{}
	handler := p.handler(os.Getenv(itsIssuer), os.Getenv(itsFault))
	p.Server = &httptest.Server{URL: "http://" + address}
	if err := http.Serve(l, handler); err != nil {
		return 1
	}
	return 0
}

// freePort is an address nobody listens at, below those that the kernel gives out by itself
// (so that nobody takes it before the program does, or while it is started anew).
func freePort(t *testing.T) string {
	t.Helper()
	for port := 15000 + os.Getpid()%10000; port < 32000; port++ {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// programmed examines the program with the fault, which the doctor starts itself.
func programmed(t *testing.T, fault string) (*party.Examination, string) {
	t.Helper()
	l, issuer := listen(t)
	address := freePort(t)
	t.Setenv(asParty, address)
	t.Setenv(itsIssuer, issuer)
	t.Setenv(itsFault, fault)
	c := configOf(t, &own{Server: &httptest.Server{URL: "http://" + address}, issuer: issuer})
	c.Run = []string{os.Args[0]}
	x := open(t, c, l)
	var printed bytes.Buffer
	if err := x.Start(t.Context(), &printed); err != nil {
		t.Fatal(err)
	}
	if err := x.Reach(t.Context()); err != nil {
		t.Fatal(err, printed.String())
	}
	return x, address
}

func TestAProgramIsStartedAnewForItsDiscovery(t *testing.T) {
	for _, fault := range []string{"", "discovery-issuer"} {
		x, address := programmed(t, fault)
		s, err := x.Suite(address).Select([]string{"discovery-*"})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.Run(t.Context(), nil).Results {
			want := doctor.Pass
			if r.ID == fault {
				want = doctor.Fault
			}
			if r.Outcome != want {
				t.Errorf("%s is %s: %s", r.ID, r.Outcome, r.Seen(text.English))
			}
		}
		x.Close()
		if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = conn.Close()
			t.Error("the program goes on after the examination")
		}
	}
}

func TestAProgramThatEndsIsNotWaitedFor(t *testing.T) {
	l, issuer := listen(t)
	c := configOf(t, &own{Server: &httptest.Server{URL: "http://" + freePort(t)}, issuer: issuer})
	c.Run = []string{os.Args[0], "-test.run=^$"}
	c.Wait.Duration = time.Hour
	x := open(t, c, l)
	if err := x.Start(t.Context(), &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if e := warifu.ProblemOf(x.Reach(t.Context())); e == nil || e.Problem != "doctor-unreachable" {
		t.Error(e)
	}
	c.Run = []string{"/nowhere/" + strings.Repeat("x", 8)}
	other, issuer := listen(t)
	c.Issuer = issuer
	if e := warifu.ProblemOf(open(t, c, other).Start(t.Context(), &bytes.Buffer{})); e == nil || e.Problem != "doctor-run" {
		t.Error(e)
	}
}
