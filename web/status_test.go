package web_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/notify"
	"warifu/ocsp"
	"warifu/store"
	"warifu/web"
)

// question is an OCSP request whose base64 holds "//" and "+".
func question(t *testing.T, issuer *x509.Certificate, serial []byte) []byte {
	t.Helper()
	for {
		nonce := make([]byte, 24)
		_, _ = rand.Read(nonce)
		der, err := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA1, issuer, new(big.Int).SetBytes(serial))}, Nonce: nonce}.Marshal()
		must(t, err)
		if b := base64.StdEncoding.EncodeToString(der); strings.Contains(b, "//") && strings.Contains(b, "+") {
			return der
		}
	}
}

// The base64 of a question may hold slashes in a row and plus signs; every usual way
// of writing it into an address is the same question, over a real connection.
func TestStatusByGetWhateverTheBase64Holds(t *testing.T) {
	h, site := site(t)
	a := h.Phone(t).Own(t, "taro")
	var serial []byte
	h.Read(t, func(tx *store.Tx) error {
		all, err := tx.CredentialsOfApplication(a.ID)
		serial = all[0].Serial
		return err
	})
	der := question(t, h.CAs[warifu.Signature], serial)
	b := base64.StdEncoding.EncodeToString(der)
	live := httptest.NewServer(site)
	defer live.Close()
	for name, path := range map[string]string{
		"as it is": b, "escaped": url.PathEscape(b), "wholly escaped": url.QueryEscape(b),
		"plus escaped only": strings.ReplaceAll(b, "+", "%2B"), "lower-case escapes": strings.ToLower("%2F") + "",
	} {
		if name == "lower-case escapes" {
			path = strings.NewReplacer("/", "%2f", "+", "%2b", "=", "%3d").Replace(b)
		}
		t.Run(name, func(t *testing.T) {
			status, header, body := raw(t, live.Listener.Addr(), "GET /ocsp/signature/"+path+" HTTP/1.1\r\nHost: whoever\r\nConnection: close\r\n\r\n")
			if status != 200 || header.Get("Content-Type") != "application/ocsp-response" || !strings.HasPrefix(header.Get("Cache-Control"), "max-age=0,") {
				t.Errorf("%d %v", status, header)
			}
			wantGood(t, h, body, serial)
		})
	}
	plain, err := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, h.CAs[warifu.Signature], new(big.Int).SetBytes(serial))}}.Marshal()
	must(t, err) // without a nonce a cache may keep the answer
	cached := ask(site, "GET", "/ocsp/signature/"+url.PathEscape(base64.StdEncoding.EncodeToString(plain)), "")
	if !strings.Contains(cached.Header.Get("Cache-Control"), "max-age=60") || cached.Header.Get("ETag") == "" || cached.Header.Get("Vary") != "" {
		t.Errorf("%v", cached.Header)
	}
	r := ask(site, "POST", "/ocsp/signature", string(der), "Content-Type", "application/ocsp-request")
	wantGood(t, h, []byte(text(t, r)), serial)
	// The other authority never issued it.
	r = ask(site, "POST", "/ocsp/authentication", string(der), "Content-Type", "application/ocsp-request")
	if answer, err := ocsp.ParseResponse([]byte(text(t, r))); err == nil {
		for _, s := range answer.Singles {
			if s.Status.Cert == warifu.StatusGood {
				t.Error("the other authority calls it good")
			}
		}
	}
}

// raw speaks HTTP by hand, so that no client cleans the address.
func raw(t *testing.T, address net.Addr, request string) (int, http.Header, []byte) {
	t.Helper()
	c, err := net.Dial("tcp", address.String())
	must(t, err)
	defer c.Close()
	_, err = io.WriteString(c, request)
	must(t, err)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	must(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	must(t, err)
	return r.StatusCode, r.Header, body
}

func wantGood(t *testing.T, h *housetest.House, der, serial []byte) {
	t.Helper()
	answer, err := ocsp.ParseResponse(der)
	must(t, err)
	must(t, answer.Verify(h.CAs[warifu.Signature], h.Clock.Now()))
	one, err := answer.Find(h.CAs[warifu.Signature], new(big.Int).SetBytes(serial))
	must(t, err)
	if one.Status.Cert != warifu.StatusGood {
		t.Errorf("the status is %s", one.Status.Cert)
	}
}

func TestAuthoritiesCertificatesAreThoseThatIssue(t *testing.T) {
	h, site := site(t)
	for _, kind := range warifu.Kinds {
		r := ask(site, "GET", "/ca/"+kind.String()+".cer", "")
		if !bytes.Equal([]byte(text(t, r)), h.CAs[kind].Raw) {
			t.Errorf("%s: another certificate", kind)
		}
		r = ask(site, "POST", "/ca/"+kind.String()+".cer", "")
		if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") == "" {
			t.Errorf("%s: POST is answered %d", kind, r.StatusCode)
		}
	}
}

// waiting has nothing that waits.
type waiting struct{}

func (waiting) Waiting(context.Context, warifu.ElementID) ([]string, error) { return nil, nil }

// A phone's stream lives on when the server's read deadline has long passed.
func TestStreamOutlivesTheReadDeadline(t *testing.T) {
	hub := notify.NewHub(notify.HubConfig{Waiting: waiting{}, KeepAlive: 40 * time.Millisecond})
	h, site := site(t, func(c *web.Config) { c.Notices = notify.New(hub, nil) })
	live := httptest.NewUnstartedServer(site)
	live.Config.ReadTimeout = 50 * time.Millisecond
	live.Start()
	defer live.Close()
	defer hub.Close()
	request, err := http.NewRequest("GET", live.URL+"/api/v1/notices/"+element+"/events", nil)
	must(t, err)
	request.Host = "warifu.test"
	r, err := live.Client().Do(request)
	must(t, err)
	defer r.Body.Close()
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/event-stream" || !strings.Contains(r.Header.Get("Cache-Control"), "no-") {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	id := "a" + strings.Repeat("q", 26)
	notice, err := notify.Of(id)
	must(t, err)
	to, err := warifu.ParseElementID(element)
	must(t, err)
	time.AfterFunc(200*time.Millisecond, func() { hub.Tell(to, notice) })
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
			if strings.TrimSpace(data) != id {
				t.Errorf("the event says %q, want the identifier and nothing else", data)
			}
			_ = h
			return
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
}
