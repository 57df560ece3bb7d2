package trace_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu/iso7816"
	"warifu/sandbox/doorway"
	"warifu/sandbox/trace"
	"warifu/text"
)

type clock struct{}

func (clock) Now() time.Time { return time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC) }

// answers is a chip that always says the same.
type answers []byte

func (a answers) Transmit(context.Context, []byte) ([]byte, error) { return a, nil }

func verify(pin string) []byte {
	return append([]byte{0x00, 0x20, 0x00, 0x80, byte(len(pin))}, pin...)
}

// What a chip is told is kept as a log may hold it: the data, a PIN for one, never.
func TestNoDataOfAnAPDUIsKept(t *testing.T) {
	ring := trace.New(clock{})
	chip := ring.Chip("taro", trace.DoorReader, answers{0x63, 0xC2})
	if _, err := chip.Transmit(t.Context(), verify("1217")); err != nil {
		t.Fatal(err)
	}
	steps := ring.Steps(0)
	if len(steps) != 1 || len(steps[0].Entries) != 1 {
		t.Fatalf("%+v", steps)
	}
	e := steps[0].Entries[0]
	if e.Line != iso7816.Redact(verify("1217"), []byte{0x63, 0xC2}) || strings.Contains(e.Line, "31323137") || e.Means != "trace.apdu.verify-wrong" || e.Params["n"] != "2" || e.Good() {
		t.Errorf("%+v", e)
	}
}

// What happens because of a request is of its step, also at the server that it calls.
func TestARequestIsAStepAndTheServersPartOfIt(t *testing.T) {
	ring := trace.New(clock{})
	server := httptest.NewServer(ring.Around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("secret") == "" {
			t.Error("the query did not arrive")
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"type":"urn:warifu:problem:card-pin-wrong","title":"x"}`))
	})))
	defer server.Close()
	place := httptest.NewServer(ring.Begins("phones", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = ring.Chip("phone-1", trace.DoorApp, answers{0x90, 0x00}).Transmit(r.Context(), []byte{0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x1B})
		ask, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, server.URL+"/api/v1/sessions/abcdefghijklmnopqrstuvwxyz0123?secret=1", nil)
		answer, err := ring.Client().Do(ask)
		if err == nil {
			_ = answer.Body.Close()
		}
	})))
	defer place.Close()
	answer, err := http.Post(place.URL+"/phones/phone-1/register", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	steps := ring.Steps(0)
	if len(steps) != 1 {
		t.Fatalf("%+v", steps)
	}
	s := steps[0]
	if s.Means != "trace.step.personalize" || s.Subject != "phone-1" || !s.Acts() || len(s.Entries) != 2 || s.Entries[0].Means != "trace.apdu.file-signature-password" {
		t.Fatalf("%+v", s)
	}
	if e := s.Entries[1]; e.Path != "/api/v1/sessions/abcdef…" || e.Status != 403 || e.Slug != "card-pin-wrong" || e.Means != "trace.door.exchange" {
		t.Errorf("%+v", e)
	}
	if later := ring.Steps(s.Entries[1].Number); len(later) != 0 {
		t.Errorf("asked on: %+v", later)
	}
}

// The same look at a page takes the place of the one before; acts stay, up to the bound.
func TestTheRingIsBounded(t *testing.T) {
	ring := trace.New(clock{})
	h := ring.Begins("phones", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = ring.Chip("phone-1", trace.DoorApp, answers{0x90, 0x00}).Transmit(r.Context(), []byte{0, 0xB0, 0, 0, 0})
	}))
	do := func(method string, n int) {
		for range n {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, "/phones/phone-1", nil))
		}
	}
	do(http.MethodGet, 5)
	if s := ring.Steps(0); len(s) != 1 || s[0].Times != 5 || len(s[0].Entries) != 1 {
		t.Errorf("%+v", s)
	}
	do(http.MethodPost, trace.MaxSteps+10)
	if n := len(ring.Steps(0)); n != trace.MaxSteps {
		t.Errorf("%d steps", n)
	}
	ring.Clear()
	if n := len(ring.Steps(0)); n != 0 {
		t.Errorf("%d steps after all", n)
	}
}

// Who follows hears at once, and a wait ends with its asker.
func TestTheAPIWaitsForWhatComes(t *testing.T) {
	ring := trace.New(clock{})
	mux := http.NewServeMux()
	ring.Routes(mux)
	site := httptest.NewServer(mux)
	defer site.Close()
	client := doorway.NewClient(site.URL)
	told := make(chan trace.Told, 1)
	go func() {
		var out trace.Told
		if err := client.Get(context.Background(), "/api/trace?wait=1", &out); err != nil {
			t.Error(err)
		}
		told <- out
	}()
	chip := ring.Chip("taro", trace.DoorReader, answers{0x90, 0x00})
	if _, err := chip.Transmit(t.Context(), []byte{0, 0xB0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	out := <-told
	if len(out.Steps) != 1 || out.Last != 1 {
		t.Errorf("%+v", out)
	}
	if err := client.Get(t.Context(), "/api/trace?after=x", &out); err == nil {
		t.Error("a number that is none")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := client.Get(ctx, "/api/trace?wait=1&after=9", &out); err == nil {
		t.Error("a wait that does not end")
	}
}

func TestMaskedPathsKeepWordsAlone(t *testing.T) {
	for path, want := range map[string]string{
		"/ocsp/signature": "/ocsp/signature", "/ocsp/signature/MFEwTzBNMEswSTAJBgUrDgMCGgUABBQ": "/ocsp/signature/MFEwTz…",
		"/login/x@y": "/login/x@y…", "/": "/",
	} {
		if got := trace.Masked(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// Every meaning has its sentence, whatever the octets.
func FuzzMeaning(f *testing.F) {
	for _, seed := range [][2][]byte{
		{verify("1217"), {0x90, 0}}, {{0, 0xA4, 4, 0x0C, 10, 0xD3, 0x92, 0xF0, 0, 0x26, 1, 0, 0, 0, 1}, {0x90, 0}}, {{0x84, 0xE2, 0, 0, 8}, nil},
		{{0, 0xA4, 2, 0x0C, 2, 0, 6}, {0x6A, 0x82}}, {{0x80, 0x2A, 0, 0x80, 0}, {0x90, 0}}, {{0}, nil}, {{0x80, 0x46, 0, 0}, {0x90, 0}},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, command, response []byte) {
		key, params := trace.Meaning(command, response)
		if !text.Has(key) {
			t.Fatalf("%x has no sentence %q", command, key)
		}
		for _, lang := range text.Languages {
			if s := text.Sentence(key, lang, params); strings.Contains(s, "{") {
				t.Errorf("%s: %s", key, s)
			}
		}
	})
}

// Every door and step has its sentence.
func TestEveryDoorHasItsSentence(t *testing.T) {
	for _, path := range []string{"/", "/api/v1/applications/x/sessions", "/ocsp/signature/abc", "/api/realms/main/protocol/openid-connect/token", "/api/v1/devices", "/tsa"} {
		for _, method := range []string{"GET", "POST"} {
			if key := trace.DoorMeaning(method, path); !text.Has(key) {
				t.Errorf("%s %s: %s", method, path, key)
			}
		}
	}
	for _, place := range []string{"desk", "phones", "bank"} {
		for _, path := range []string{"/", "/phones/phone-1/apply", "/api/cards/taro/events", "/clock", "/chips/taro/apdu"} {
			for _, method := range []string{"GET", "POST"} {
				if key, _ := trace.StepMeaning(place, method, path); !text.Has(key) {
					t.Errorf("%s %s %s: %s", place, method, path, key)
				}
			}
		}
	}
}
