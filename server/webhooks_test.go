package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"warifu/server"
)

// TestAWebhookIsPostedThroughTheGuard: a token goes to its subscriber as RFC 8935 §2 has it,
// what is not taken is said to be, and nobody is led to a private address.
func TestAWebhookIsPostedThroughTheGuard(t *testing.T) {
	answer, asked := http.StatusAccepted, 0
	subscriber := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		token, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/events" || string(token) != "a.b.c" || r.Header.Get("Content-Type") != "application/secevent+jwt" {
			t.Errorf("%s %s %v: %s (%v)", r.Method, r.URL, r.Header, token, err)
		}
		if answer == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(answer)
	}))
	defer subscriber.Close()
	send := server.NewHookSender(true)
	must(t, send.Send(t.Context(), subscriber.URL+"/events", "a.b.c"))
	for _, answer = range []int{http.StatusFound, http.StatusBadRequest, http.StatusServiceUnavailable} {
		if err := send.Send(t.Context(), subscriber.URL+"/events", "a.b.c"); err == nil {
			t.Errorf("%d counts as taken", answer)
		}
	}
	if asked != 4 {
		t.Errorf("asked %d times, want 4: a redirection is not followed", asked)
	}
	answer = http.StatusAccepted
	if err := server.NewHookSender(false).Send(t.Context(), subscriber.URL+"/events", "a.b.c"); err == nil || asked != 4 {
		t.Errorf("a private address was reached: %v, asked %d times", err, asked)
	}
}
