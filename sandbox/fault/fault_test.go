package fault_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/worldtest"
	"warifu/ocsp"
	"warifu/sandbox/doorway"
	"warifu/sandbox/fault"
	"warifu/sandbox/folder"
	"warifu/text"
)

func TestNamesAndLengths(t *testing.T) {
	for word, want := range map[string]fault.Setting{
		"ocsp-later":         {Name: fault.OCSPLater},
		"provider-slow":      {Name: fault.ProviderSlow, Length: 10 * time.Second},
		" provider-slow=3s ": {Name: fault.ProviderSlow, Length: 3 * time.Second},
	} {
		if got, err := fault.Parse(word); err != nil || got != want {
			t.Errorf("%q: %+v %v", word, got, err)
		}
	}
	for _, word := range []string{"", "ocsp", "ocsp-later=3s", "provider-slow=", "provider-slow=-1s", "provider-slow=100h", "provider-slow=x"} {
		if _, err := fault.Parse(word); !errors.Is(err, warifu.Invalid("fault-unknown")) {
			t.Errorf("%q: %v", word, err)
		}
	}
	if _, err := fault.ParseHeader("ocsp-later, clock-skew=1m"); !errors.Is(err, warifu.Invalid("fault-of-the-world")) {
		t.Errorf("a fault of the world in a header: %v", err)
	}
	for _, n := range fault.All {
		if !text.Has("fault." + string(n)) {
			t.Errorf("%s has no sentence", n)
		}
		if _, err := fault.Parse(string(n)); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
}

func FuzzHeader(f *testing.F) {
	for _, s := range []string{"", "ocsp-later", "provider-slow=3s,ocsp-silent", "clock-skew", ",,,", "a=b=c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		all, err := fault.ParseHeader(s)
		if err != nil && len(all) > 0 {
			t.Error("an error and faults")
		}
		for _, one := range all {
			if !slices.Contains(fault.All, one.Name) || one.Length < 0 || one.Length > fault.Longest {
				t.Errorf("%+v", one)
			}
		}
	})
}

func board(t *testing.T) *fault.Board {
	t.Helper()
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b, err := fault.Open(f, warifu.SystemClock{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A switch with a number strikes so often and is off then; without one it stays.
func TestAFaultStrikesAsOftenAsWasSaid(t *testing.T) {
	b := board(t)
	if err := b.On(fault.Setting{Name: fault.NoticeLost, Times: 2}); err != nil {
		t.Fatal(err)
	}
	if got := []bool{b.Lost(), b.Lost(), b.Lost()}; !slices.Equal(got, []bool{true, true, false}) {
		t.Errorf("lost: %v", got)
	}
	if err := b.On(fault.Setting{Name: fault.NoticeLost}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if !b.Lost() {
			t.Fatal("off by itself")
		}
	}
	if err := b.Off(fault.NoticeLost); err != nil || b.Lost() || len(b.List()) != 0 {
		t.Errorf("still on: %v %v", err, b.List())
	}
	if b.Skew() != 0 {
		t.Error("a skew that nobody wished for")
	}
	if err := b.On(fault.Setting{Name: fault.ClockSkew, Length: time.Minute}); err != nil || b.Skew() != time.Minute {
		t.Errorf("skew %v %v", b.Skew(), err)
	}
}

// A slow issuer keeps its lot waiting no longer than who asked does.
func TestASlowIssuerEndsWithItsAsker(t *testing.T) {
	b := board(t)
	if err := b.On(fault.Setting{Name: fault.IssuerSlow, Length: fault.Longest}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { b.Issue(ctx); close(done) }()
	cancel()
	<-done
}

// The switches of a running world reach its server: over a header for one request, over
// the desk for all, and nothing is left when they are off.
func TestFaultsInAWorld(t *testing.T) {
	w := worldtest.Stand(t)
	desk := doorway.NewClient(w.Places.Desk)
	get := func(path, header string) (int, []byte) {
		return ask(t, http.MethodGet, w.Places.Server+path, header, nil)
	}

	authority, own := get("/ca/signature.cer", "")
	issuer, err := x509.ParseCertificate(own)
	if err != nil {
		t.Fatal(authority, err)
	}
	question, err := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, issuer, issuer.SerialNumber)}}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	status := func(header string) []byte {
		code, answer := ask(t, http.MethodPost, w.Places.Server+"/ocsp/signature", header, question)
		if code != http.StatusOK {
			t.Fatalf("OCSP: %d", code)
		}
		return answer
	}
	if !bytes.Equal(status("ocsp-later"), ocsp.ErrorResponse(ocsp.TryLater)) {
		t.Error("not tryLater")
	}
	strange, err := ocsp.ParseResponse(status("ocsp-stranger"))
	if err != nil {
		t.Fatal(err)
	}
	if single, err := strange.Find(issuer, issuer.SerialNumber); err != nil || single.Status.Cert != warifu.StatusGood {
		t.Errorf("the stranger says %v %v", single, err)
	}
	if err := strange.Verify(issuer, w.Clock.Now()); err == nil {
		t.Error("the stranger was believed")
	}
	if _, err := ocsp.ParseResponse(status("")); err != nil {
		t.Errorf("without a fault: %v", err)
	}
	if _, b := get("/ca/signature.cer", "authority-wrong"); bytes.Equal(b, own) {
		t.Error("the right certificate")
	}
	if code, b := get("/healthz", "no-such"); code != http.StatusUnprocessableEntity || !strings.Contains(string(b), "fault-unknown") {
		t.Errorf("an unknown fault: %d %s", code, b)
	}
	if err := desk.Put(t.Context(), "/api/faults/crl-down", fault.Switch{Times: 1}, nil); err != nil {
		t.Fatal(err)
	}
	if code, _ := get("/crl/signature.crl", ""); code != http.StatusServiceUnavailable {
		t.Errorf("lists: %d", code)
	}
	if code, _ := get("/crl/signature.crl", ""); code != http.StatusOK {
		t.Errorf("lists after their fault: %d", code)
	}
	if err := desk.Put(t.Context(), "/api/faults/nothing", fault.Switch{}, nil); err == nil {
		t.Error("an unknown fault was switched on")
	}
}

func ask(t *testing.T, method, address, header string, body []byte) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != "" {
		r.Header.Set(fault.Header, header)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/ocsp-request")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, b
}

// A silent responder ends the connection without a word when its time is over.
func TestASilentResponderSaysNothing(t *testing.T) {
	b := board(t)
	server := httptest.NewServer(b.Around(http.NotFoundHandler()))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/ocsp/signature/AAAA", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(fault.Header, "ocsp-silent=1ms")
	if answer, err := http.DefaultClient.Do(r); err == nil {
		answer.Body.Close()
		t.Errorf("it answered %d", answer.StatusCode)
	}
	if err := b.Status(t.Context()); err != nil {
		t.Errorf("a header of one request reached another: %v", err)
	}
}
