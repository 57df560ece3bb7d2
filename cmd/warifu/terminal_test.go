//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"warifu/internal/pcsctest"
	"warifu/sandbox/world"
)

// at runs the command against a world.
func at(t *testing.T, w *world.World, args ...string) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	args = append([]string{"--server", w.Places.Server, "--desk", w.Places.Desk, "--lang", "en"}, args...)
	code = run(context.Background(), args, streams{&bytes.Buffer{}, &out, &out})
	return code, out.String()
}

// A hardware vendor's reader in place of the demo's: kiosk and clinic work through a real
// PC/SC stack with a phone and a card on it, and a phone where a card is wanted is refused.
func TestKioskAndClinicAtAPCSCReader(t *testing.T) {
	w := byDay(t)
	phoneReady(t, w)
	stack := pcsctest.Start(t, inReader(t, w, "phone-1"), inReader(t, w, "hanako"))
	t.Setenv("PCSCLITE_CSOCK_NAME", stack.Socket())
	if code, said := at(t, w, "kiosk", "readers"); code != exitDone || !strings.Contains(said, "Virtual PCD 00 01") {
		t.Fatalf("%d %s", code, said)
	}
	file := filepath.Join(t.TempDir(), "paper.pdf")
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitDone, "清瀬市", []string{"kiosk", "print", "--reader", "PCD 00 00", "--phone", "--pin", "2468", "--out", file}},
		{exitDone, "大阪市北区", []string{"kiosk", "print", "--reader", "Virtual PCD 00 01", "--pin", "1103", "--document", "seal", "--out", file}},
		{exitRefused, "This is a phone, not a card", []string{"kiosk", "print", "--reader", "PCD 00 00", "--pin", "2468", "--out", file}},
		{exitRefused, "no card reader of that name", []string{"kiosk", "print", "--reader", "Acme", "--pin", "2468", "--out", file}},
		{exitDone, "Insured", []string{"clinic", "check", "--reader", "PCD 00 00", "--phone", "--pin", "2468"}},
		{exitDone, "another insurer", []string{"clinic", "check", "--reader", "PCD 00 01", "--pin", "1103"}},
		{exitRefused, "Tries left", []string{"clinic", "check", "--reader", "PCD 00 01", "--pin", "0000"}},
	} {
		if code, said := at(t, w, c.args...); code != c.code || !strings.Contains(said, c.want) {
			t.Errorf("%q: %d %s", c.args, code, said)
		}
	}
}

// The kiosk's own virtual reader: a chip of another process dials in.
func TestAKioskListensForAVirtualChip(t *testing.T) {
	w := byDay(t)
	said, says := io.Pipe()
	served := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if _, rest, ok := strings.Cut(lines.Text(), "--vpcd "); ok {
				d := &session{ctx: context.Background(), server: w.Places.Server, deskURL: w.Places.Desk, std: streams{nil, io.Discard, io.Discard}}
				go func() { served <- d.serveVPCD("taro", strings.TrimRight(rest, ").")) }()
			}
		}
	}()
	args := []string{"--server", w.Places.Server, "--desk", w.Places.Desk, "--lang", "en", "kiosk", "print", "--vpcd", "127.0.0.1:0", "--pin", "1217", "--out", filepath.Join(t.TempDir(), "paper.pdf")}
	var out bytes.Buffer
	if code := run(t.Context(), args, streams{&bytes.Buffer{}, &out, says}); code != exitDone || !strings.Contains(out.String(), "清瀬市") {
		t.Errorf("%d %s", code, out.String())
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
