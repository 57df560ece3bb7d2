package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/server"
)

func TestCeremonyIsIdempotent(t *testing.T) {
	p := newPremises(t)
	var told []string
	tell := func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	must(t, server.Ceremony(p.config, p.clock, tell))
	first := p.files(t)
	made := len(told)
	if all := strings.Join(told, "\n"); strings.Contains(all, "already") || strings.Count(all, "made") != made || !strings.Contains(all, "SHA-256") {
		t.Errorf("first: %s", all)
	}
	told = nil
	must(t, server.Ceremony(p.config, p.clock, tell))
	if len(told) != made || strings.Count(strings.Join(told, "\n"), "there already") != made {
		t.Errorf("second: %v", told)
	}
	for name, was := range first {
		if now := p.files(t)[name]; now != was {
			t.Errorf("%s changed", name)
		}
	}
	// What is lost alone is made again; nothing else is touched.
	must(t, os.Remove(p.path("signature.cer")))
	told = nil
	must(t, server.Ceremony(p.config, p.clock, tell))
	if all := strings.Join(told, "\n"); strings.Count(all, "made") != 1 || !strings.Contains(all, "signature.cer: made") {
		t.Errorf("third: %s", all)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	p := newPremises(t)
	start := func() error {
		s, err := server.New(t.Context(), p.config, server.Options{Clock: p.clock, Bureau: p.client()})
		if err == nil {
			must(t, s.Close())
		}
		return err
	}
	fault(t, start(), "key-unknown") // no ceremony yet
	must(t, server.Ceremony(p.config, p.clock, t.Logf))
	fault(t, start(), "store-missing") // no migration yet
	must(t, server.Migrate(t.Context(), p.config, t.Logf))
	must(t, start())

	p.write(t, "passphrase", []byte("wrong\n"))
	fault(t, start(), "keystore-passphrase-wrong")
	must(t, os.Remove(p.path("passphrase")))
	fault(t, start(), "configuration-invalid", "passphrase")
	p.write(t, "passphrase", []byte("correct horse battery staple\n"))

	for name, want := range map[string]string{
		"signature.cer": "configuration-invalid", "cards-signature.pem": "configuration-invalid", "bureau-statement.pem": "configuration-invalid", "makers/google.pem": "configuration-invalid",
	} {
		t.Run(name, func(t *testing.T) {
			kept, err := os.ReadFile(p.path(name))
			must(t, err)
			p.write(t, name, []byte("rubbish"))
			fault(t, start(), want, filepath.Base(name))
			must(t, os.Remove(p.path(name)))
			if err := start(); err == nil {
				t.Error("started without it")
			}
			p.write(t, name, kept)
		})
	}
	must(t, start())
	// Another authority's certificate under the name is not this key's.
	other, err := os.ReadFile(p.path("authentication.cer"))
	must(t, err)
	p.write(t, "signature.cer", other)
	fault(t, start(), "issuer-incomplete")
}

func TestDatabaseOfAnotherTimeIsSaid(t *testing.T) {
	p := newPremises(t)
	must(t, server.Ceremony(p.config, p.clock, t.Logf))
	p.write(t, "registration.db", nil) // a file, and nothing in it
	_, err := server.New(t.Context(), p.config, server.Options{Clock: p.clock})
	fault(t, err, "store-not-migrated")
}

func TestExamineChangesNothing(t *testing.T) {
	p := newPremises(t)
	fault(t, server.Examine(t.Context(), p.config, server.Options{Clock: p.clock}), "key-unknown")
	p.furnish(t)
	before := p.files(t)
	must(t, server.Examine(t.Context(), p.config, server.Options{Clock: p.clock}))
	for name, was := range before {
		if now := p.files(t)[name]; now != was && !strings.HasSuffix(name, "-shm") && !strings.HasSuffix(name, "-wal") {
			t.Errorf("%s changed", name)
		}
	}
	p.config.Devices = "devices.csv"
	fault(t, server.Examine(t.Context(), p.config, server.Options{Clock: p.clock}), "configuration-invalid", "devices.csv")
}

// running is a server that serves on a port of its own.
type running struct {
	base string
	stop context.CancelFunc
	done chan error
	log  *strings.Builder
}

func (p *premises) run(t *testing.T) *running {
	t.Helper()
	r := &running{done: make(chan error, 1), log: &strings.Builder{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p.config.Hosts = []string{listener.Addr().String()}
	serving := make(chan net.Addr, 1)
	s := p.open(t, server.Options{
		Listener: listener, OnServing: func(a net.Addr) { serving <- a },
		Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	ended := make(chan struct{})
	t.Cleanup(func() { stop(); <-ended }) // before it is closed beneath its own work
	go func() {
		r.done <- s.Run(ctx)
		close(ended)
	}()
	r.base = "http://" + (<-serving).String()
	return r
}

func (r *running) get(t testing.TB, path string) (int, string) {
	t.Helper()
	response, err := http.Get(r.base + path)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(body)
}

func TestServesAndStopsGracefully(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	r := p.run(t)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 200, "/devices": 200, "/metrics": 200, "/ca/signature.cer": 200, "/crl/signature.crl": 200, "/nowhere": 404} {
		if got, body := r.get(t, path); got != want {
			t.Errorf("%s: %d %.200s", path, got, body)
		}
	}
	// A phone's open stream does not keep the server from stopping.
	stream, err := http.Get(r.base + "/api/v1/notices/00112233445566778899aabbccddeeff/events")
	must(t, err)
	defer stream.Body.Close()
	r.stop()
	select {
	case err := <-r.done:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("it does not stop")
	}
	if _, err := io.ReadAll(stream.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the stream ended with %v", err)
	}
	if _, err := http.Get(r.base + "/healthz"); err == nil {
		t.Error("it still answers")
	}
	must(t, p.run(t).stopped(t)) // and the same folder serves again
}

func (r *running) stopped(t testing.TB) error {
	t.Helper()
	r.stop()
	return <-r.done
}

func TestTakenAddressIsSaid(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	p.config.Listen = taken.Addr().String()
	fault(t, p.open(t, server.Options{}).Run(t.Context()), "listen-failed", p.config.Listen)
}

// What is measured has its name, and no label or number that names anybody.
func TestMetricsNameNobody(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	r := p.run(t)
	unknown := "a" + strings.Repeat("q", 26)
	r.get(t, "/api/v1/applications/"+unknown)
	r.get(t, "/api/v1/applications/"+unknown+"?name=taro")
	_, body := r.get(t, "/metrics")
	for _, want := range []string{
		`warifu_refusals_total{operation="application",problem="application-unknown"} 2`, "warifu_forecast_late", "warifu_queue_jobs", "go_goroutines", "process_resident_memory_bytes",
	} {
		if want == "warifu_queue_jobs" {
			continue // no job yet
		}
		if !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if found := regexp.MustCompile(`[a-z2-7]{26}|[0-9a-f]{32}|taro`).FindString(labels(body)); found != "" {
		t.Errorf("a label carries %s", found)
	}
	must(t, r.stopped(t))
	if strings.Contains(r.log.String(), unknown) || strings.Contains(r.log.String(), "taro") {
		t.Error("the log carries what was asked for")
	}
}

// labels are the label sets of all samples.
func labels(metrics string) string {
	var out strings.Builder
	for line := range strings.Lines(metrics) {
		if _, rest, ok := strings.Cut(line, "{"); ok && !strings.HasPrefix(line, "#") {
			set, _, _ := strings.Cut(rest, "}")
			fmt.Fprintln(&out, set)
		}
	}
	return out.String()
}

func TestOrganisationNamesItsAuthorities(t *testing.T) {
	p := newPremises(t)
	p.config.Organization = "Example University"
	must(t, server.Ceremony(p.config, p.clock, t.Logf))
	for _, kind := range warifu.Kinds {
		der, err := os.ReadFile(p.path(kind.String() + ".cer"))
		must(t, err)
		if !strings.Contains(string(der), "Example University") || strings.Contains(string(der), "WARIFU-TEST") {
			t.Errorf("the %s authority does not carry its operator's name", kind)
		}
	}
}
