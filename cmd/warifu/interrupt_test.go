package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warifu/internal/worldtest"
	pack "warifu/offline"
	"warifu/sandbox/world"
)

// atFirst calls something at the first line that is written to it.
type atFirst struct {
	io.Writer
	call func()
}

func (a *atFirst) Write(p []byte) (int, error) {
	a.call()
	return a.Writer.Write(p)
}

// A tour that is interrupted on its way removes its world, says so and exits as shells expect.
func TestAnInterruptedTourTidiesUp(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	ctx, interrupt := context.WithCancel(t.Context())
	var errs bytes.Buffer
	code := run(ctx, []string{"tour", "--scheme", "badge", "--lang", "en"}, streams{strings.NewReader(""), &atFirst{io.Discard, interrupt}, &errs})
	if code != exitInterrupted || !strings.Contains(errs.String(), "Interrupted.") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range left {
		if strings.HasPrefix(one.Name(), "warifu-tour-") {
			t.Errorf("%s is left behind", one.Name())
		}
	}
}

// A fetch that is interrupted between two packs leaves whole files or none, and goes on the next time.
func TestAnInterruptedFetchLeavesNoHalfFile(t *testing.T) {
	w := worldtest.Stand(t)
	dir := filepath.Join(t.TempDir(), "packs")
	worldtest.Until(t, "the first pack is made", func() bool {
		r, err := http.Get(w.Places.Server + "/offline/authentication")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	ctx, interrupt := context.WithCancel(t.Context())
	line := httptest.NewServer(between(t, w, "/offline/authentication", interrupt))
	defer line.Close()
	var out, errs bytes.Buffer
	fetch := func(ctx context.Context, server string) int {
		return run(ctx, []string{"--server", server, "--desk", w.Places.Desk, "--lang", "en", "offline", "fetch", dir}, streams{strings.NewReader(""), &out, &errs})
	}
	if code := fetch(ctx, line.URL); code != exitInterrupted || !strings.Contains(errs.String(), "Interrupted.") {
		t.Fatalf("exit %d, %q", code, errs.String())
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range left {
		b, err := os.ReadFile(filepath.Join(dir, one.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pack.Parse(b); err != nil {
			t.Errorf("%s is no whole pack: %v", one.Name(), err)
		}
	}
	errs.Reset()
	if code := fetch(t.Context(), w.Places.Server); code != exitDone {
		t.Errorf("the next time: exit %d, %q", code, errs.String())
	}
}

// between is a server behind which a world stands, and that never answers at one path: there it
// has something called and waits until who asked is gone.
func between(t *testing.T, w *world.World, path string, call func()) http.Handler {
	t.Helper()
	to, err := url.Parse(w.Places.Server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, path) {
			call()
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(rw, r)
	})
}

// What a command writes is whole or not there: not even beside it is anything left.
func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	for _, content := range []string{"first", "second"} {
		if err := writeFile(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(name); err != nil || string(b) != content {
			t.Errorf("%q, %v", b, err)
		}
	}
	if err := writeFile(filepath.Join(dir, "nowhere", "out"), nil); err == nil {
		t.Error("a folder that is not there was written to")
	}
	if err := writeFile(os.DevNull, []byte("x")); err != nil {
		t.Errorf("what is no file: %v", err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
		t.Errorf("%v is left, %v", all, err)
	}
}
