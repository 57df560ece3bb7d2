package server_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"warifu"
	"warifu/crl"
	"warifu/server"
)

// TestTheNumberOfListsIsAsOldAsTheAuthority: certificates name the lists, so that neither
// a configuration nor another ceremony changes how many there are.
func TestTheNumberOfListsIsAsOldAsTheAuthority(t *testing.T) {
	p := newPremises(t)
	some, none := 3, 0
	set := func(n *int) {
		for _, kind := range warifu.Kinds {
			a := p.config.Authority[kind.String()]
			a.Partitions = n
			p.config.Authority[kind.String()] = a
		}
	}
	set(&some)
	p.furnish(t)
	must(t, server.Examine(t.Context(), p.config, server.Options{Clock: p.clock}))
	set(nil)
	must(t, server.Examine(t.Context(), p.config, server.Options{Clock: p.clock}))
	set(&none)
	fault(t, server.Examine(t.Context(), p.config, server.Options{Clock: p.clock}), "configuration-invalid", "made with 3")

	// An authority without them stays so.
	for _, kind := range warifu.Kinds {
		must(t, os.Remove(p.path("keys/partition-"+kind.String()+"-3.key")))
	}
	must(t, server.Ceremony(p.config, p.clock, t.Logf))
	must(t, server.Examine(t.Context(), p.config, server.Options{Clock: p.clock}))
	set(nil)
	must(t, server.Ceremony(p.config, p.clock, t.Logf))
	must(t, server.Examine(t.Context(), p.config, server.Options{Clock: p.clock}))
	if _, err := os.Stat(p.path("keys/partition-signature-16.key")); err == nil {
		t.Error("a ceremony dealt out anew what an authority had issued")
	}
	many := 2000
	set(&many)
	fault(t, p.config.Check(), "configuration-invalid", "partitions")
}

// TestPartialListsAreServedBesideTheFullOne asks a running server.
func TestPartialListsAreServedBesideTheFullOne(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	r := p.run(t)
	for path, want := range map[string]int{
		"/crl/signature/0.crl": 200, "/crl/authentication/15.crl": 200, "/crl/signature/16.crl": 404, "/crl/signature/00.crl": 404,
		"/crl/signature/-1.crl": 404, "/crl/signature/1": 404, "/crl/signature/": 404, "/crl/signature/1.crl/": 404,
	} {
		got, der := r.get(t, path)
		if got != want {
			t.Errorf("%s: %d", path, got)
		}
		if want != http.StatusOK {
			continue
		}
		l, err := crl.Parse([]byte(der))
		must(t, err)
		if len(l.Points) != 1 || !strings.HasSuffix(l.Points[0], path) {
			t.Errorf("%s says that it is %v", path, l.Points)
		}
	}
}

// TestALargeListLiesInAFileThatHasNoName writes past the limit and reads across it.
func TestALargeListLiesInAFileThatHasNoName(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, folder := range []bool{true, false} {
		if !folder {
			t.Setenv("TMPDIR", "/nowhere/at/all")
		}
		place := server.NewRoom()
		piece := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
		for n := range int64(40) {
			if _, err := place.WriteAt(piece, n*int64(len(piece))); err != nil {
				t.Fatal(err)
			}
		}
		got, err := io.ReadAll(io.NewSectionReader(place, 0, 40*int64(len(piece))))
		if err != nil || !bytes.Equal(got, bytes.Repeat(piece, 40)) {
			t.Errorf("in a folder %v: %d octets, %v", folder, len(got), err)
		}
		if !folder {
			continue
		}
		left, err := os.ReadDir(os.Getenv("TMPDIR"))
		if err != nil || len(left) != 0 {
			t.Error("something stays behind", left, err)
		}
	}
}
