package gate_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"warifu"
	"warifu/sandbox/folder"
	"warifu/sandbox/gate"
)

// outside is another address of this machine that is still this machine's alone.
const outside = "127.0.0.2"

func opened(t *testing.T) (*gate.Gate, string, *http.Client) {
	t.Helper()
	var inner *httptest.Server
	inner = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" || r.Header.Get(gate.Header) != "" || "http://"+r.Host != inner.URL {
			t.Errorf("the world saw cookie %q, host %q", r.Header.Get("Cookie"), r.Host)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		whose := "nobody's"
		switch r.Header.Get("Origin") {
		case "":
		case inner.URL:
			whose = "its own"
		default:
			whose = "another's"
		}
		_, _ = io.WriteString(w, whose+` <a href="`+inner.URL+`/x">`)
	}))
	t.Cleanup(inner.Close)
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	g, err := gate.Open(context.Background(), f, outside, []string{inner.URL}, warifu.SystemClock{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(g.Authority) {
		t.Fatal("no authority")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	t.Cleanup(client.CloseIdleConnections)
	return g, g.Outer(inner.URL), client
}

func ask(t *testing.T, c *http.Client, method, address string, header map[string]string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestNobodyComesInWithoutTheCode(t *testing.T) {
	g, outer, client := opened(t)
	if status, body := ask(t, client, http.MethodGet, outer+"/", map[string]string{"Accept": "text/html"}); status != http.StatusUnauthorized || !strings.Contains(body, "<form") || strings.Contains(body, g.Code) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := ask(t, client, http.MethodGet, outer+"/", nil); status != http.StatusUnauthorized || !strings.Contains(body, "gate-code-needed") {
		t.Errorf("%d %s", status, body)
	}
	answer, err := client.PostForm(outer+"/gate/pair", url.Values{"code": {"x" + g.Code}})
	if err != nil || answer.StatusCode == http.StatusOK {
		t.Errorf("a wrong code: %v %v", answer, err)
	}
	if status, _ := ask(t, client, http.MethodGet, outer+"/ocsp/signature/x", nil); status != http.StatusOK {
		t.Errorf("status needs no code, got %d", status)
	}
}

func TestWhoPairsComesInAndLinksLeadOut(t *testing.T) {
	g, outer, client := opened(t)
	answer, err := client.PostForm(outer+"/gate/pair", url.Values{"code": {g.Code}})
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", answer, err)
	}
	status, body := ask(t, client, http.MethodPost, outer+"/a", map[string]string{"Origin": outer})
	if status != http.StatusOK || !strings.Contains(body, `href="`+outer+`/x"`) || !strings.HasPrefix(body, "its own") {
		t.Errorf("%d %s", status, body)
	}
	if _, body := ask(t, client, http.MethodPost, outer+"/a", map[string]string{"Origin": "https://elsewhere.example"}); !strings.HasPrefix(body, "another's") {
		t.Errorf("another's origin was made the world's own: %s", body)
	}
}

func TestProgramsPairByHeaderAndGuessersAreShutOut(t *testing.T) {
	g, outer, client := opened(t)
	if status, _ := ask(t, client, http.MethodGet, outer+"/", map[string]string{gate.Header: g.Code}); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
	for range 10 {
		ask(t, client, http.MethodGet, outer+"/", map[string]string{gate.Header: "00000000x"})
	}
	if status, _ := ask(t, client, http.MethodGet, outer+"/", map[string]string{gate.Header: g.Code}); status != http.StatusUnauthorized {
		t.Errorf("guessing was not slowed: %d", status)
	}
}

func TestOnlyAnAddressOfItsOwn(t *testing.T) {
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"", "0.0.0.0", "::", "example.org", "224.0.0.1"} {
		if _, err := gate.Open(context.Background(), f, address, nil, warifu.SystemClock{}); !errors.Is(err, &warifu.Error{Problem: "gate-address-malformed"}) {
			t.Errorf("%q: %v", address, err)
		}
	}
}
