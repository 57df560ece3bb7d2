package status_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/status"
)

func ask(t testing.TB, ids []ocsp.CertID, nonce []byte) []byte {
	t.Helper()
	der, err := ocsp.Request{CertIDs: ids, Nonce: nonce}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func certID(h crypto.Hash, n byte) ocsp.CertID {
	return ocsp.NewCertID(h, world().ca.certificate, new(big.Int).SetBytes(serial(n)))
}

func statusOf(t testing.TB, der []byte, n byte) ocsp.Single {
	t.Helper()
	r, err := ocsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(world().ca.certificate, now); err != nil {
		t.Fatal(err)
	}
	s, err := r.Find(world().ca.certificate, new(big.Int).SetBytes(serial(n)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func refusal(der []byte) string {
	_, err := ocsp.ParseResponse(der)
	if p := warifu.ProblemOf(err); p != nil && p.Problem == "status-refused" {
		return p.Params["answer"]
	}
	return ""
}

func TestEveryStatusIsAnsweredByEitherHash(t *testing.T) {
	source := newRecords()
	o := newResponder(t, source)
	for n, want := range map[byte]warifu.Status{isGood: source.held[isGood], isRevoked: source.held[isRevoked], isHeld: source.held[isHeld], isPending: {}, isNeverIssued: {}} {
		for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			s := statusOf(t, o.Answer(t.Context(), ask(t, []ocsp.CertID{certID(h, n)}, nil)), n)
			if s.Status != want || s.CertID.Hash != h || !s.ThisUpdate.Equal(now) || !s.NextUpdate.Equal(now.Add(status.DefaultAnswerLife)) {
				t.Errorf("%d by %v: %+v", n, h, s)
			}
		}
	}
}

func TestSeveralCertIDsAreAnsweredTogether(t *testing.T) {
	o := newResponder(t, newRecords())
	stranger := ocsp.NewCertID(crypto.SHA256, world().responder.certificate, big.NewInt(1))
	der := o.Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA1, isGood), stranger, certID(crypto.SHA256, isHeld)}, []byte{7}))
	r, err := ocsp.ParseResponse(der)
	if err != nil || len(r.Singles) != 3 || !bytes.Equal(r.Nonce, []byte{7}) {
		t.Fatalf("%v %+v", err, r)
	}
	for i, want := range []warifu.CertStatus{warifu.StatusGood, warifu.StatusUnknown, warifu.StatusRevoked} {
		if r.Singles[i].Status.Cert != want {
			t.Errorf("%d: %v", i, r.Singles[i].Status)
		}
	}
}

func TestWhatCannotBeAnsweredIsRefusedByName(t *testing.T) {
	w := world()
	stranger := ocsp.NewCertID(crypto.SHA256, w.responder.certificate, big.NewInt(1))
	fine := ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, nil)
	down := newRecords()
	down.err = errDown
	expired := w.delegate(now.AddDate(0, 0, -9), now.AddDate(0, 0, -2))
	over := status.NewResponder(warifu.Signature, w.ca.certificate, newRecords(), func() (status.Delegate, error) {
		return status.Delegate{Certificate: expired.certificate, Key: expired.key}, nil
	}, clock)
	keyless := status.NewResponder(warifu.Signature, w.ca.certificate, newRecords(), func() (status.Delegate, error) { return status.Delegate{}, errDown }, clock)
	cases := []struct {
		name     string
		o        *status.Responder
		question []byte
		want     ocsp.ResponseStatus
	}{
		{"rubbish", newResponder(t, newRecords()), []byte("rubbish"), ocsp.MalformedRequest},
		{"nothing", newResponder(t, newRecords()), nil, ocsp.MalformedRequest},
		{"a nonce of 129 octets", newResponder(t, newRecords()), ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, make([]byte, 129)), ocsp.MalformedRequest},
		{"an empty nonce", newResponder(t, newRecords()), ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, []byte{}), ocsp.MalformedRequest},
		{"another authority", newResponder(t, newRecords()), ask(t, []ocsp.CertID{stranger}, nil), ocsp.Unauthorized},
		{"the source is down", newResponder(t, down), fine, ocsp.TryLater},
		{"the responder's time is over", over, fine, ocsp.TryLater},
		{"no key", keyless, fine, ocsp.TryLater},
	}
	for _, c := range cases {
		if got := refusal(c.o.Answer(t.Context(), c.question)); got != c.want.String() {
			t.Errorf("%s: %q, want %s", c.name, got, c.want)
		}
	}
}

func TestANonceOf1To128OctetsIsEchoed(t *testing.T) {
	o := newResponder(t, newRecords())
	for _, n := range []int{1, 16, 32, 128} {
		nonce := bytes.Repeat([]byte{0xA5}, n)
		r, err := ocsp.ParseResponse(o.Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, nonce)))
		if err != nil || !bytes.Equal(r.Nonce, nonce) {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestAKeyMayBeRotated(t *testing.T) {
	w := world()
	second := w.delegate(now.AddDate(0, 0, -1), now.AddDate(0, 0, 7))
	current := w.responder
	o := status.NewResponder(warifu.Signature, w.ca.certificate, newRecords(), func() (status.Delegate, error) {
		return status.Delegate{Certificate: current.certificate, Key: current.key}, nil
	}, clock)
	for _, p := range []party{w.responder, second} {
		current = p
		der := o.Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, nil))
		r, err := ocsp.ParseResponse(der)
		if err != nil || !r.ResponderCertificate.Equal(p.certificate) || r.Verify(w.ca.certificate, now) != nil {
			t.Error(err)
		}
	}
}

// route sends what is asked under the responder's path to it, as it came, and all else to next.
func route(next http.Handler, o *status.Responder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.EscapedPath(); path == o.Path || strings.HasPrefix(path, o.Path+"/") {
			o.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// server is the responder as it would stand, before a mux that would spoil its paths.
func server(t *testing.T, o *status.Responder) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "elsewhere", http.StatusTeapot) })
	s := httptest.NewServer(route(mux, o))
	t.Cleanup(s.Close)
	return s
}

func do(t *testing.T, method, address, mediaType string, body []byte) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, got
}

// slashed finds a request whose base64 has two slashes in a row, which path cleaning would break.
func slashed(t *testing.T) []byte {
	for i := range uint16(60000) {
		der := ask(t, []ocsp.CertID{certID(crypto.SHA1, isGood)}, []byte{0xFF, 0xFF, 0xFF, byte(i >> 8), byte(i), 0xFF, 0xFF, 0xFF})
		encoded := base64.StdEncoding.EncodeToString(der)
		if strings.Contains(encoded, "//") && strings.Contains(encoded, "+") {
			return der
		}
	}
	t.Fatal("none found")
	return nil
}

func TestGetTakesBase64InEveryWriting(t *testing.T) {
	s := server(t, newResponder(t, newRecords()))
	encoded := base64.StdEncoding.EncodeToString(slashed(t))
	for name, path := range map[string]string{
		"plain":           encoded,
		"escaped whole":   url.QueryEscape(encoded),
		"slashes escaped": strings.ReplaceAll(encoded, "/", "%2f"),
		"plus escaped":    strings.ReplaceAll(encoded, "+", "%2B"),
	} {
		response, der := do(t, http.MethodGet, s.URL+"/ocsp/signature/"+path, "", nil)
		if response.StatusCode != http.StatusOK || statusOf(t, der, isGood).Status.Cert != warifu.StatusGood {
			t.Errorf("%s: %s", name, response.Status)
		}
	}
	for name, path := range map[string]string{"not base64": "!!!", "broken escape": "%2", "line break": encoded + "%0A", "nothing": ""} {
		request, _ := http.NewRequest(http.MethodGet, s.URL, nil)
		request.URL.Opaque = "/ocsp/signature/" + path
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		der, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK && refusal(der) != "malformedRequest" {
			t.Errorf("%s: %s %x", name, response.Status, der)
		}
	}
}

func TestCachesMayKeepAGetForAMinuteAtMost(t *testing.T) {
	s := server(t, newResponder(t, newRecords()))
	plain := ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, nil)
	response, _ := do(t, http.MethodGet, s.URL+"/ocsp/signature/"+url.QueryEscape(base64.StdEncoding.EncodeToString(plain)), "", nil)
	h := response.Header
	if h.Get("Cache-Control") != "max-age=60, public, no-transform, must-revalidate" || h.Get("ETag") == "" ||
		h.Get("Last-Modified") != now.Format(http.TimeFormat) || h.Get("Expires") != now.Add(time.Minute).Format(http.TimeFormat) ||
		h.Get("Content-Type") != "application/ocsp-response" {
		t.Error(h)
	}
	with := ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, []byte("nonce"))
	response, _ = do(t, http.MethodGet, s.URL+"/ocsp/signature/"+url.QueryEscape(base64.StdEncoding.EncodeToString(with)), "", nil)
	if response.Header.Get("Cache-Control") != "max-age=0, public, no-transform, must-revalidate" {
		t.Error("an answer to a nonce may be kept")
	}
	response, _ = do(t, http.MethodPost, s.URL+"/ocsp/signature", "application/ocsp-request", []byte("rubbish"))
	if response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "no-store" {
		t.Error("a refusal may be kept:", response.Header)
	}
}

func TestPostIsBoundedAndTyped(t *testing.T) {
	s := server(t, newResponder(t, newRecords()))
	fine := ask(t, []ocsp.CertID{certID(crypto.SHA256, isRevoked)}, nil)
	response, der := do(t, http.MethodPost, s.URL+"/ocsp/signature", "application/ocsp-request", fine)
	if response.StatusCode != http.StatusOK || statusOf(t, der, isRevoked).Status.Reason != warifu.ReasonKeyCompromise {
		t.Error(response.Status)
	}
	if response, _ := do(t, http.MethodPost, s.URL+"/ocsp/signature", "text/plain", fine); response.StatusCode != http.StatusUnsupportedMediaType {
		t.Error(response.Status)
	}
	if _, der := do(t, http.MethodPost, s.URL+"/ocsp/signature", "application/ocsp-request", make([]byte, ocsp.MaxRequest*2)); refusal(der) != "malformedRequest" {
		t.Errorf("%x", der)
	}
	if response, _ := do(t, http.MethodPut, s.URL+"/ocsp/signature", "application/ocsp-request", fine); response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD, POST" {
		t.Error(response.Status)
	}
	if response, _ := do(t, http.MethodGet, s.URL+"/ocsp/signatures", "", nil); response.StatusCode != http.StatusTeapot {
		t.Error("another path was taken:", response.Status)
	}
}

func TestAnswersAreCounted(t *testing.T) {
	counted := map[string]int{}
	o := newResponder(t, newRecords())
	o.Count = func(answer string) { counted[answer]++ }
	s := server(t, o)
	_, _ = do(t, http.MethodPost, s.URL+"/ocsp/signature", "application/ocsp-request", ask(t, []ocsp.CertID{certID(crypto.SHA1, isGood), certID(crypto.SHA1, isNeverIssued)}, nil))
	_, _ = do(t, http.MethodPost, s.URL+"/ocsp/signature", "application/ocsp-request", []byte{1})
	if fmt.Sprint(counted) != "map[good:1 malformedRequest:1 unknown:1]" {
		t.Error(counted)
	}
}

func FuzzAnswer(f *testing.F) {
	o := newResponder(f, newRecords())
	f.Add(ask(f, []ocsp.CertID{certID(crypto.SHA1, isGood), certID(crypto.SHA256, isHeld)}, []byte("nonce")))
	f.Add(ask(f, []ocsp.CertID{certID(crypto.SHA1, isNeverIssued)}, nil))
	f.Fuzz(func(t *testing.T, question []byte) {
		der := o.Answer(context.Background(), question)
		r, err := ocsp.ParseResponse(der)
		if err != nil {
			if !errors.Is(err, &warifu.Error{Problem: "status-refused"}) {
				t.Fatal(err)
			}
			return
		}
		if err := r.Verify(world().ca.certificate, now); err != nil {
			t.Fatal(err)
		}
	})
}
