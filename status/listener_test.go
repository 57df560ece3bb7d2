package status_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/status"
)

// doors are the two ways to a responder: net/http, and the listener.
func doors(t *testing.T, o *status.Responder) map[string]string {
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "elsewhere", http.StatusTeapot) })
	plain := httptest.NewServer(route(teapot, o))
	t.Cleanup(plain.Close)
	return map[string]string{"net/http": plain.Listener.Addr().String(), "listener": listen(t, status.NewListener(route(teapot, o), o))}
}

// listen serves until the test ends.
func listen(t testing.TB, l *status.Listener) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx, socket) }()
	t.Cleanup(func() {
		end()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return socket.Addr().String()
}

// dial opens a connection that gives up when the test has been going on for too long.
func dial(t testing.TB, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(warifu.SystemClock{}.Now().Add(time.Minute))
	return c, bufio.NewReader(c)
}

func pathOf(question []byte) string {
	return "/ocsp/signature/" + base64.StdEncoding.EncodeToString(question)
}

func get(path string, fields ...string) string {
	var b strings.Builder
	b.WriteString("GET " + path + " HTTP/1.1\r\nHost: status.example\r\n")
	for _, f := range fields {
		b.WriteString(f + "\r\n")
	}
	return b.String() + "\r\n"
}

// said is an answer as it stood on the line, but for Date and what differs in every signature.
func said(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	h := r.Header.Clone()
	if h.Get("Date") == "" {
		t.Error("no Date")
	}
	h.Del("Date")
	return fmt.Sprint(r.StatusCode, r.ContentLength, r.Close, h, "\n", body)
}

// TestBothDoorsAnswerAlike sends the same octets through net/http and through the listener.
func TestBothDoorsAnswerAlike(t *testing.T) {
	k := newKeeper(1 << 20)
	k.source.tell(serial(isRevoked), revoked(warifu.ReasonKeyCompromise, now))
	k.source.tell(serial(isPending), warifu.Status{})
	at := doors(t, k.Responder)
	question := func(n byte, h crypto.Hash) []byte { return ask(t, []ocsp.CertID{certID(h, n)}, nil) }
	good := pathOf(question(isGood, crypto.SHA256))
	stranger := ocsp.NewCertID(crypto.SHA256, world().responder.certificate, big.NewInt(1))
	post := func(path, kind string, body []byte) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", path, kind, len(body), body)
	}
	for name, c := range map[string]struct {
		sent     string
		signed   bool // anew each time: its octets differ
		bodyless bool
	}{
		"good":                         {sent: get(good)},
		"good, SHA-1":                  {sent: get(pathOf(question(isGood, crypto.SHA1)))},
		"revoked":                      {sent: get(pathOf(question(isRevoked, crypto.SHA256)))},
		"unknown":                      {sent: get(pathOf(question(isPending, crypto.SHA256))), signed: true},
		"escaped":                      {sent: get("/ocsp/signature/" + strings.NewReplacer("+", "%2b", "/", "%2F", "=", "%3D").Replace(good[len("/ocsp/signature/"):]))},
		"several fields":               {sent: get(good, "User-Agent: x", "Accept: */*", "Cache-Control: no-cache", "Connection: keep-alive")},
		"a nonce":                      {sent: get(pathOf(ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, []byte{1}))), signed: true},
		"another authority":            {sent: get(pathOf(ask(t, []ocsp.CertID{stranger}, nil)))},
		"an empty nonce":               {sent: get(pathOf(ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, []byte{})))},
		"rubbish in base64":            {sent: get(pathOf([]byte("rubbish")))},
		"no base64":                    {sent: get("/ocsp/signature/!!!")},
		"base64 without its end":       {sent: get(strings.TrimRight(good, "="))},
		"base64 for addresses":         {sent: get(pathOf([]byte{0xFB, 0xFF, 0xFE}))},
		"a line break in base64":       {sent: get(good + "%0A")},
		"a broken escape":              {sent: get("/ocsp/signature/%2")},
		"nothing":                      {sent: get("/ocsp/signature/")},
		"the bare path":                {sent: get("/ocsp/signature")},
		"a query":                      {sent: get(good + "?x=1")},
		"elsewhere":                    {sent: get("/ocsp/signatures/MA==")},
		"the other authority":          {sent: get("/ocsp/authentication/MA==")},
		"HEAD":                         {sent: "HEAD" + get(good)[3:], bodyless: true},
		"a condition":                  {sent: get(good, `If-None-Match: "nothing", W/"else"`)},
		"PUT":                          {sent: "PUT " + good + " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"},
		"POST":                         {sent: post("/ocsp/signature", "application/ocsp-request", question(isGood, crypto.SHA256))},
		"POST, no bounds":              {sent: post("/ocsp/signature", "application/ocsp-request", make([]byte, ocsp.MaxRequest+1))},
		"POST, another kind":           {sent: post("/ocsp/signature", "text/plain", question(isGood, crypto.SHA256))},
		"POST of HTTP/1.0 and no host": {sent: strings.Replace(strings.Replace(post("/ocsp/signature", "application/ocsp-request", question(isGood, crypto.SHA256)), "1.1", "1.0", 1), "Host: h\r\n", "", 1)},
		"GET of HTTP/1.0":              {sent: strings.Replace(get(good), "1.1", "1.0", 1)},
		"no host":                      {sent: "GET " + good + " HTTP/1.1\r\n\r\n"},
		"two hosts":                    {sent: get(good, "Host: another")},
		"a host that is none":          {sent: "GET " + good + " HTTP/1.1\r\nHost: a b\r\n\r\n"},
		"a body":                       {sent: get(good, "Content-Length: 3") + "abc"},
		"Connection: close":            {sent: get(good, "Connection: close")},
		"a field without colon":        {sent: get(good, "nonsense")},
		"a field that goes on":         {sent: get(good, "A: b", " c")},
		"a space before the colon":     {sent: get(good, "A : b")},
		"a long head":                  {sent: get(good, "A: "+strings.Repeat("b", 8000))},
		"a head beyond all bounds":     {sent: get(good, "A: "+strings.Repeat("b", 2<<20))},
		"another protocol":             {sent: "\x16\x03\x01\x00\x05hello\r\n\r\n"},
		"another version":              {sent: strings.Replace(get(good), "1.1", "3.1", 1)},
		"chunks":                       {sent: "POST /ocsp/signature HTTP/1.1\r\nHost: h\r\nContent-Type: application/ocsp-request\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
		"chunks and a length":          {sent: get(good, "Transfer-Encoding: chunked", "Content-Length: 3") + "0\r\n\r\n"},
	} {
		heard := map[string]string{}
		for door, address := range at {
			if name == "a head beyond all bounds" && door != "listener" {
				continue // its answer is lost when it closes on what is still being sent
			}
			conn, in := dial(t, address)
			go func() { _, _ = io.WriteString(conn, c.sent) }()
			method := http.MethodGet
			if c.bodyless {
				method = http.MethodHead
			}
			r, err := http.ReadResponse(in, &http.Request{Method: method})
			if err != nil && name == "a head beyond all bounds" {
				continue
			}
			if err != nil {
				t.Errorf("%s: %s: %v", name, door, err)
				continue
			}
			switch r.StatusCode {
			case http.StatusBadRequest, http.StatusRequestHeaderFieldsTooLarge, http.StatusHTTPVersionNotSupported: // net/http's own
				heard[door] = r.Status
				continue
			}
			heard[door] = said(t, r)
			if c.signed {
				heard[door] = fmt.Sprint(r.StatusCode, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"))
			}
		}
		if len(heard) == 2 && heard["net/http"] != heard["listener"] {
			t.Errorf("%s: by net/http\n%.400s\nby the listener\n%.400s", name, heard["net/http"], heard["listener"])
		}
	}
}

// TestAConnectionIsKeptAndItsRequestsAnsweredInOrder, sent one by one, all at once and octet by octet.
func TestAConnectionIsKeptAndItsRequestsAnsweredInOrder(t *testing.T) {
	k := newKeeper(1 << 20)
	var sent bytes.Buffer
	const n = 40
	for i := range byte(n) {
		switch {
		case i == 30: // from here on it is net/http's
			body := ask(t, []ocsp.CertID{certID(crypto.SHA1, i)}, nil)
			fmt.Fprintf(&sent, "POST /ocsp/signature HTTP/1.1\r\nHost: h\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		default:
			sent.WriteString(get(pathOf(ask(t, []ocsp.CertID{certID(crypto.SHA256, i)}, nil))))
		}
	}
	for door, address := range doors(t, k.Responder) {
		for _, size := range []int{1, 7, 1000, sent.Len()} {
			conn, in := dial(t, address)
			go func() {
				for part := range slices.Chunk(sent.Bytes(), size) {
					if _, err := conn.Write(part); err != nil {
						return
					}
				}
			}()
			for i := range byte(n) {
				r, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatalf("%s, by %d: %d: %v", door, size, i, err)
				}
				der, err := io.ReadAll(r.Body)
				if err != nil || statusOf(t, der, i).Status.Cert != warifu.StatusGood {
					t.Fatalf("%s, by %d: %d: %v", door, size, i, err)
				}
			}
		}
	}
}
