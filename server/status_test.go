package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"warifu"
	"warifu/ocsp"
	"warifu/server"
)

// TestTheStatusListenerTellsOfCertificatesAndNothingElse.
func TestTheStatusListenerTellsOfCertificatesAndNothingElse(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	second, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	serving := make(chan struct{})
	s := p.open(t, server.Options{StatusListener: second, OnServing: func(net.Addr) { close(serving) }})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Run(ctx) }()
	<-serving
	for path, want := range map[string]int{
		"/ocsp/signature/MA==": http.StatusOK, "/ocsp/authentication/MA==": http.StatusOK, "/ocsp/signature": http.StatusOK,
		"/crl/signature.crl": http.StatusOK, "/ca/authentication.cer": http.StatusOK,
		"/": http.StatusNotFound, "/healthz": http.StatusNotFound, "/metrics": http.StatusNotFound, "/api/openapi.json": http.StatusNotFound, "/api/v1/applications": http.StatusNotFound,
	} {
		r, err := http.Get("http://" + second.Addr().String() + path)
		must(t, err)
		body, err := io.ReadAll(r.Body)
		must(t, r.Body.Close())
		must(t, err)
		if r.StatusCode != want {
			t.Errorf("%s: %s", path, r.Status)
		}
		if path == "/ocsp/signature/MA==" {
			if _, err := ocsp.ParseResponse(body); !warifu.ProblemOf(err).IsCode(warifu.CodeUnavailable) {
				t.Errorf("an empty request: %v %x", err, body)
			}
		}
	}
	stop()
	must(t, <-served)
	if c, err := net.Dial("tcp", second.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("it listens after the end")
	}
}

func TestAStatusListenerThatEndsEndsTheServer(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	second, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := p.open(t, server.Options{StatusListener: second, OnServing: func(net.Addr) { _ = second.Close() }})
	if err := s.Run(t.Context()); err == nil {
		t.Error("it ended without a word")
	}
}

func TestASecondListenerWithoutAPlaceIsRefused(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	p.config.Status.Listen = taken.Addr().String()
	fault(t, p.open(t, server.Options{}).Run(t.Context()), "listen-failed", taken.Addr().String())
	for wrong, names := range map[string]string{
		`listen = "8480"`: "[status] listen", `listen = "127.0.0.1:8400"`: "the site itself", `keep = "10m"`: "[status] keep", `cache_mib = -1`: "[status] cache_mib", `connections = -1`: "[status] connections",
	} {
		p.write(t, "wrong.toml", []byte("listen = \"127.0.0.1:8400\"\n[status]\n"+wrong+"\n"))
		_, err := server.ReadConfig(p.path("wrong.toml"))
		fault(t, err, "configuration-invalid", names)
	}
}
