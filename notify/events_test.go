package notify_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/notify"
)

var element = warifu.ElementID{1, 2, 3}

// waiting is what the store would answer.
type waiting struct {
	mu  sync.Mutex
	ids []string
}

func (w *waiting) Waiting(context.Context, warifu.ElementID) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.ids), nil
}

func (w *waiting) add(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids = append(w.ids, id)
}

func problem(w http.ResponseWriter, _ *http.Request, err error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(warifu.ProblemOf(err).Problem)
}

func serve(t *testing.T, hub *notify.Hub, push *notify.Push) (*notify.Notifier, string) {
	t.Helper()
	n := notify.New(hub, push)
	server := httptest.NewServer(n.Handler("/api/v1/notices/", problem))
	t.Cleanup(func() { hub.Close(); server.Close() })
	return n, server.URL + "/api/v1/notices/"
}

// listener reads one stream.
type listener struct {
	status int
	lines  *bufio.Scanner
	body   io.Closer
}

func listen(t *testing.T, base, last string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+element.String()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return &listener{answer.StatusCode, bufio.NewScanner(answer.Body), answer.Body}
}

// next returns the next event's data, "" at the end of the stream.
func (l *listener) next() string {
	for l.lines.Scan() {
		if data, ok := strings.CutPrefix(l.lines.Text(), "data: "); ok {
			return data
		}
	}
	return ""
}

func hear(t *testing.T, l *listener, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := l.next(); got != w {
			t.Fatalf("heard %q, want %q", got, w)
		}
	}
}

func TestANoticeHasRoomForAnIdentifierAndNothingElse(t *testing.T) {
	n := reflect.TypeFor[notify.Notice]()
	if n.NumField() != 1 || n.Field(0).IsExported() || n.Field(0).Type.Kind() != reflect.String {
		t.Fatalf("Notice has become %v: a notice carries an application's identifier alone", n)
	}
	for _, good := range []string{"amfzg64dpnq3xg2ltorswq2lom5xw63i", "a-1", "0"} {
		if _, err := notify.Of(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "Yamada", "山田太郎", "a b", `{"id":"a"}`, "a\nb", "a/b", "-a", "tarō@example.jp", strings.Repeat("a", 65)} {
		if _, err := notify.Of(bad); warifu.ProblemOf(err) == nil || warifu.ProblemOf(err).Problem != "notice-malformed" || len(warifu.ProblemOf(err).Params) > 0 {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestR42ANoticeReachesEveryOpenStreamOfItsElementOnly(t *testing.T) {
	n, base := serve(t, notify.NewHub(notify.HubConfig{Waiting: &waiting{}}), nil)
	one, two := listen(t, base, ""), listen(t, base, "")
	for _, step := range []struct {
		to warifu.ElementID
		id string
	}{{warifu.ElementID{9}, "other"}, {element, "app-1"}, {element, "app-2"}} {
		if err := n.Push(context.Background(), step.to, step.id); err != nil {
			t.Fatal(err)
		}
	}
	hear(t, one, "app-1", "app-2")
	hear(t, two, "app-1", "app-2")
}

// The phone that was told of its application must hear of it again when another is about
// to take its place.
func TestASecondNoticeOfOneApplicationIsHeardOnTheSameStream(t *testing.T) {
	n, base := serve(t, notify.NewHub(notify.HubConfig{Waiting: &waiting{}}), nil)
	l := listen(t, base, "")
	for _, id := range []string{"app-1", "app-1", "app-2"} {
		if err := n.Push(context.Background(), element, id); err != nil {
			t.Fatal(err)
		}
	}
	hear(t, l, "app-1", "app-1", "app-2")
}

func TestR43WhatWaitsIsToldWhenThePhoneComesBack(t *testing.T) {
	w := &waiting{ids: []string{"app-1", "app-2", "app-3"}}
	n, base := serve(t, notify.NewHub(notify.HubConfig{Waiting: w}), nil)
	hear(t, listen(t, base, ""), "app-1", "app-2", "app-3")
	back := listen(t, base, "app-2")
	hear(t, back, "app-3")
	if err := n.Push(context.Background(), element, "app-4"); err != nil {
		t.Fatal(err)
	}
	hear(t, back, "app-4")
}

func TestANoticeOfAnotherProcessArrivesWithTheNextSignOfLife(t *testing.T) {
	w := &waiting{}
	_, base := serve(t, notify.NewHub(notify.HubConfig{Waiting: w, KeepAlive: 10 * time.Millisecond}), nil)
	l := listen(t, base, "")
	w.add("app-elsewhere")
	hear(t, l, "app-elsewhere")
}

func TestStreamsAreBounded(t *testing.T) {
	hub := notify.NewHub(notify.HubConfig{Waiting: &waiting{}, MaxStreams: 3, PerElement: 2})
	n, base := serve(t, hub, nil)
	first, second := listen(t, base, ""), listen(t, base, "")
	third := listen(t, base, "")
	if got := first.next(); got != "" {
		t.Errorf("the oldest of three should have been ended, heard %q", got)
	}
	if hub.Streams() != 2 {
		t.Errorf("%d streams open, want 2", hub.Streams())
	}
	if err := n.Push(context.Background(), element, "app-1"); err != nil {
		t.Fatal(err)
	}
	hear(t, second, "app-1")
	hear(t, third, "app-1")
}

func TestAFullHubSaysSo(t *testing.T) {
	hub := notify.NewHub(notify.HubConfig{Waiting: &waiting{}, MaxStreams: 1, PerElement: 5})
	_, base := serve(t, hub, nil)
	listen(t, base, "")
	if l := listen(t, base, ""); l.status != http.StatusBadRequest {
		t.Errorf("status %d", l.status)
	}
}

// One source cannot take all streams from the others, and gets its place back with each that ends.
func TestOneSourceHasItsShareOfStreams(t *testing.T) {
	hub := notify.NewHub(notify.HubConfig{Waiting: &waiting{}, PerElement: 9, PerSource: 2, Source: func(r *http.Request) string { return r.Header.Get("Last-Event-ID") }})
	_, base := serve(t, hub, nil)
	first, second := listen(t, base, "one"), listen(t, base, "one")
	if l := listen(t, base, "one"); l.status == http.StatusOK {
		t.Error("a third stream from one source")
	}
	for _, source := range []string{"another", "", "", ""} { // "" is nobody known
		if l := listen(t, base, source); l.status != http.StatusOK {
			t.Errorf("from %q: %d", source, l.status)
		}
	}
	_ = first.body.Close()
	for hub.Streams() != 5 {
		runtime.Gosched()
	}
	if l := listen(t, base, "one"); l.status != http.StatusOK || second.status != http.StatusOK {
		t.Errorf("after one ended: %d", l.status)
	}
}

func TestAPhoneThatLagsIsEndedNotWaitedFor(t *testing.T) {
	hub := notify.NewHub(notify.HubConfig{Waiting: &waiting{}})
	gate := make(chan struct{})
	n := notify.New(hub, nil)
	handler := n.Handler("/", problem)
	done := make(chan struct{})
	w := &stuck{gate: gate, header: http.Header{}, began: make(chan struct{})}
	go func() {
		defer close(done)
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+element.String()+"/events", nil))
	}()
	<-w.began
	for i := range 100 {
		if err := n.Push(context.Background(), element, fmt.Sprintf("app-%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if hub.Streams() != 0 {
		t.Error("the stream that lags is still open")
	}
	close(gate)
	<-done
}

// stuck is a phone that does not read.
type stuck struct {
	header http.Header
	gate   chan struct{}
	began  chan struct{}
	once   sync.Once
}

func (s *stuck) Header() http.Header { return s.header }
func (s *stuck) WriteHeader(int)     {}
func (s *stuck) Flush()              {}
func (s *stuck) Write(b []byte) (int, error) {
	s.once.Do(func() { close(s.began) })
	<-s.gate
	return len(b), nil
}

func TestCloseEndsEveryStreamAndTakesNoMore(t *testing.T) {
	hub := notify.NewHub(notify.HubConfig{Waiting: &waiting{}})
	_, base := serve(t, hub, nil)
	l := listen(t, base, "")
	hub.Close()
	if got := l.next(); got != "" {
		t.Errorf("heard %q", got)
	}
	if l := listen(t, base, ""); l.status != http.StatusBadRequest {
		t.Errorf("status %d after closing", l.status)
	}
}

func TestHandlerRefuses(t *testing.T) {
	_, base := serve(t, notify.NewHub(notify.HubConfig{Waiting: &waiting{}}), nil)
	for path, want := range map[string]string{
		"zz/events": "element-id-malformed", element.String() + "/event": "notices-path-unknown", "key": "push-off",
	} {
		answer, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %s", path, got, err, want)
		}
		_ = answer.Body.Close()
	}
}
