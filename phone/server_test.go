package phone_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"warifu"
	"warifu/phone"
)

// serve starts a server that answers by f, and a client of it that does not wait
// between attempts.
func serve(t *testing.T, f http.HandlerFunc) *phone.Server {
	t.Helper()
	site := httptest.NewServer(f)
	t.Cleanup(site.Close)
	s, err := phone.NewServer(site.URL, site.Client())
	if err != nil {
		t.Fatal(err)
	}
	return s.WithoutPauses()
}

func refuse(w http.ResponseWriter, status int, slug string, params map[string]string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "urn:warifu:problem:" + slug, "status": status, "params": params})
}

func TestARefusalComesBackAsTheErrorTheServerHad(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "device-unverified", map[string]string{"model": "X"})
	})
	_, err := s.Challenge(context.Background(), phone.Device{})
	e := warifu.ProblemOf(err)
	if e.Code != warifu.CodeRefused || e.Problem != "device-unverified" || e.Params["model"] != "X" {
		t.Errorf("got %v", err)
	}
}

func TestIdempotentCallsAreRepeatedAndOthersNot(t *testing.T) {
	var calls atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%3 != 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(`{"id":"a1","state":"submitted","commands":[]}`))
	})
	if a, err := s.Submit(context.Background(), phone.Submission{}); err != nil || a.ID != "a1" {
		t.Errorf("submitting: %v, %v", a, err)
	}
	if n := calls.Swap(0); n != 3 {
		t.Errorf("submitting took %d calls, want 3", n)
	}
	if _, err := s.Exchange(context.Background(), "s1", nil); warifu.ProblemOf(err).Code != warifu.CodeUnavailable {
		t.Errorf("exchanging: %v", err)
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("an exchange was sent %d times: the secure channel counts", n)
	}
}

func TestAServerThatIsNotThereIsUnreachable(t *testing.T) {
	site := httptest.NewServer(http.NotFoundHandler())
	site.Close()
	s, err := phone.NewServer(site.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.WithoutPauses().Application(context.Background(), "a1")
	if warifu.ProblemOf(err).Problem != "server-unreachable" {
		t.Errorf("got %v", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"` + strings.Repeat("a", 2<<20) + `"}`))
	})
	_, err := s.Application(context.Background(), "a1")
	if warifu.ProblemOf(err).Problem != "server-answer-unreadable" {
		t.Errorf("got %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	site := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	t.Cleanup(site.Close)
	s, err := phone.NewServer(site.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.WithoutPauses().Application(context.Background(), "a1")
	if warifu.ProblemOf(err).Problem != "server-answer-unreadable" {
		t.Errorf("got %v", err)
	}
}

func TestOnlyWebAddressesAreServers(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:8400", "ftp://x", "http://", "http://[::1"} {
		if _, err := phone.NewServer(address, nil); warifu.ProblemOf(err).Problem != "server-address-malformed" {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func FuzzParseProblem(f *testing.F) {
	f.Add(403, []byte(`{"type":"urn:warifu:problem:card-expired","params":{"notAfter":"2030"}}`))
	f.Add(500, []byte(`{"type":"urn:warifu:problem:../x"}`))
	f.Add(404, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := warifu.ProblemOf(phone.ParseProblem(status, body))
		if e.Problem == "" || strings.Trim(e.Problem, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("slug %q", e.Problem)
		}
	})
}

func FuzzReadEvents(f *testing.F) {
	f.Add("data: a1\n\n")
	f.Add(": hello\nid: 1\ndata: a1\ndata: a2\n\n")
	f.Add("data\n\n\n")
	f.Fuzz(func(t *testing.T, stream string) {
		err := phone.ReadEvents(strings.NewReader(stream), func(id string) {
			if len(id) > len(stream) {
				t.Errorf("an event of %d octets out of %d", len(id), len(stream))
			}
		})
		if err == nil {
			t.Error("a stream that ended is no error")
		}
	})
}
