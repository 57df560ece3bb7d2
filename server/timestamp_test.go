package server_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"warifu/server"
	"warifu/timestamp"
	"warifu/verify"
)

// stamping is a server with a time-stamping authority, on a socket.
func stamping(t *testing.T, p *premises) *httptest.Server {
	t.Helper()
	p.config.Timestamp.Certificate = "timestamp.cer"
	p.furnish(t)
	live := httptest.NewUnstartedServer(nil)
	p.config.Hosts = append(p.config.Hosts, live.Listener.Addr().String())
	live.Config.Handler = p.open(t, server.Options{}).Handler()
	live.Start()
	t.Cleanup(live.Close)
	return live
}

func get(t *testing.T, address string) []byte {
	t.Helper()
	r, err := http.Get(address)
	must(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	must(t, err)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", address, r.Status)
	}
	return b
}

func root(t *testing.T, live *httptest.Server) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(get(t, live.URL+"/ca/timestamp.cer"))
	must(t, err)
	return c
}

// query posts a time-stamp request and returns what came back.
func query(t *testing.T, live *httptest.Server, kind string, body []byte) (int, string, []byte) {
	t.Helper()
	r, err := http.Post(live.URL+"/tsa", kind, bytes.NewReader(body))
	must(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	must(t, err)
	return r.StatusCode, r.Header.Get("Content-Type"), b
}

func TestTimestampsAreWhatOpenSSLBelieves(t *testing.T) {
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	p := newPremises(t)
	live := stamping(t, p)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	run := func(works bool, args ...string) string {
		t.Helper()
		out, err := exec.Command(program, args...).CombinedOutput()
		if (err == nil) != works {
			t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	for name, content := range map[string][]byte{"letter": []byte("割符を合わせる\n"), "other": []byte("other\n"), "root.pem": pemOf("CERTIFICATE", root(t, live).Raw)} {
		must(t, os.WriteFile(at(name), content, 0o600))
	}
	run(true, "ts", "-query", "-data", at("letter"), "-sha256", "-cert", "-out", at("q.tsq"))
	q, err := os.ReadFile(at("q.tsq"))
	must(t, err)
	status, kind, answer := query(t, live, "application/timestamp-query", q)
	if status != http.StatusOK || kind != "application/timestamp-reply" {
		t.Fatalf("%d %s", status, kind)
	}
	must(t, os.WriteFile(at("a.tsr"), answer, 0o600))
	now := strconv.FormatInt(p.clock.Now().Unix()+1, 10)
	run(true, "ts", "-verify", "-queryfile", at("q.tsq"), "-in", at("a.tsr"), "-CAfile", at("root.pem"), "-attime", now)
	run(true, "ts", "-verify", "-data", at("letter"), "-in", at("a.tsr"), "-CAfile", at("root.pem"), "-attime", now)
	run(false, "ts", "-verify", "-data", at("other"), "-in", at("a.tsr"), "-CAfile", at("root.pem"), "-attime", now)
	// SHA-512 is refused in the answer (RFC 3161 §2.4.2), and OpenSSL reads why.
	run(true, "ts", "-query", "-data", at("letter"), "-sha512", "-out", at("q512.tsq"))
	q, err = os.ReadFile(at("q512.tsq"))
	must(t, err)
	_, _, answer = query(t, live, "application/timestamp-query", q)
	must(t, os.WriteFile(at("refused.tsr"), answer, 0o600))
	if out := run(true, "ts", "-reply", "-in", at("refused.tsr"), "-text"); !strings.Contains(out, "Rejected") || !strings.Contains(out, "unrecognized or unsupported algorithm") {
		t.Error(out)
	}
}

func TestTimestampRequestsThatAreNoneAreRefusedInTheAnswer(t *testing.T) {
	live := stamping(t, newPremises(t))
	question := &timestamp.Request{Imprint: sha256.Sum256([]byte("x")), Certificates: true}
	der, err := question.Marshal()
	must(t, err)
	other := &timestamp.Request{Imprint: question.Imprint, Policy: []int{1, 2, 3}}
	policy, err := other.Marshal()
	must(t, err)
	for name, c := range map[string]struct {
		body []byte
		why  timestamp.Failure
	}{
		"rubbish": {[]byte("rubbish"), timestamp.BadDataFormat}, "nothing": {nil, timestamp.BadDataFormat},
		"more than a request": {append(bytes.Clone(der), 0), timestamp.BadDataFormat}, "endless": {make([]byte, 1<<19), timestamp.BadDataFormat},
		"another policy": {policy, timestamp.UnacceptedPolicy},
	} {
		status, kind, answer := query(t, live, "application/timestamp-query", c.body)
		if status != http.StatusOK || kind != "application/timestamp-reply" || !bytes.Equal(answer, timestamp.Refusal(c.why)) {
			t.Errorf("%s: %d %s %x", name, status, kind, answer)
		}
	}
	if status, kind, _ := query(t, live, "text/plain", der); status != http.StatusUnprocessableEntity || kind != "application/problem+json" {
		t.Errorf("another content type: %d %s", status, kind)
	}
	if r, err := http.Get(live.URL + "/tsa"); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v %v", r.Status, err)
	}
	metrics := string(get(t, live.URL+"/metrics"))
	for _, want := range []string{`warifu_timestamps_total{answer="timestamp-malformed"} 3`, `warifu_timestamps_total{answer="timestamp-too-large"} 1`, `warifu_timestamps_total{answer="timestamp-policy"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// Serial numbers differ over restarts and servers; the root stays, so old tokens go on
// being believed.
func TestTimestampsOfServersOfOneRoot(t *testing.T) {
	p := newPremises(t)
	lives := []*httptest.Server{stamping(t, p)}
	lives = append(lives, stamping(t, p)) // a second ceremony changes nothing
	anchors := timestamp.NewAnchors(root(t, lives[0]))
	digest := sha256.Sum256([]byte("x"))
	seen, authorities := map[string]bool{}, map[string]bool{}
	for range 8 {
		for _, live := range lives {
			der, err := verify.StampClient{Address: live.URL + "/tsa", Trust: anchors}.Stamp(t.Context(), digest)
			must(t, err)
			token, err := timestamp.ParseToken(der)
			must(t, err)
			seen[token.Serial.String()], authorities[token.Authority.SerialNumber.String()] = true, true
			if !token.Time.Equal(p.clock.Now().Truncate(1e6)) || !token.Policy.Equal(timestamp.Policy) {
				t.Errorf("%v %v", token.Time, token.Policy)
			}
		}
	}
	if len(seen) != 16 || len(authorities) != 2 {
		t.Errorf("%d serial numbers by %d authorities, want 16 by 2", len(seen), len(authorities))
	}
}

func TestATimestampKeySignsForAYear(t *testing.T) {
	p := newPremises(t)
	// A clock of its own: the premises' is shared.
	hands := p.clock.Now()
	defer p.clock.To(hands)
	live := stamping(t, p)
	client := verify.StampClient{Address: live.URL + "/tsa", Trust: timestamp.NewAnchors(root(t, live))}
	stamp := func() *timestamp.Token {
		der, err := client.Stamp(t.Context(), sha256.Sum256(nil))
		must(t, err)
		token, err := timestamp.ParseToken(der)
		must(t, err)
		return token
	}
	first := stamp()
	p.clock.To(hands.AddDate(0, 11, 0))
	if same := stamp(); !same.Authority.Equal(first.Authority) {
		t.Error("another key within the year")
	}
	p.clock.To(hands.AddDate(1, 0, 1))
	next := stamp()
	if next.Authority.Equal(first.Authority) || !next.Authority.NotBefore.After(first.Authority.NotBefore) {
		t.Error("the same key after a year")
	}
	p.clock.To(hands.AddDate(timestamp.RootYears, 0, 1))
	if _, err := client.Stamp(t.Context(), sha256.Sum256(nil)); err == nil {
		t.Error("a time-stamp after the root's end")
	}
}

func TestTimestampRootIsTheKeysOwn(t *testing.T) {
	p := newPremises(t)
	p.furnish(t) // a ceremony from before there were time-stamps
	p.config.Timestamp.Certificate = "timestamp.cer"
	start := func() error {
		s, err := server.New(t.Context(), p.config, server.Options{Clock: p.clock, Bureau: p.client()})
		if err == nil {
			must(t, s.Close())
		}
		return err
	}
	fault(t, start(), "configuration-invalid", "timestamp.cer")
	p.furnish(t)
	must(t, start())
	other, err := os.ReadFile(p.path("signature.cer"))
	must(t, err)
	p.write(t, "timestamp.cer", other)
	fault(t, start(), "configuration-invalid", "timestamp-root")
}
