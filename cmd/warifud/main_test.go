package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"warifu"
	"warifu/profile"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"warifud": main})
}

// TestScripts runs testdata/*.txt: each is a shell session with the command, in a
// folder that holds the anchors of a card bureau and a maker.
func TestScripts(t *testing.T) {
	anchors := t.TempDir()
	writeAnchors(t, anchors)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "C.UTF-8")
			e.Setenv("PORT", freePort(t))
			return os.CopyFS(e.WorkDir, os.DirFS(anchors))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await, "exits": exits},
	})
}

// exits runs a command and wants its exit code: exits 2 warifud dance.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// await waits until an address can be dialled.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for range 600 {
		c, err := net.DialTimeout("tcp", args[0], time.Second)
		if err == nil {
			ts.Check(c.Close())
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	ts.Fatalf("nobody listens on %s", args[0])
}

// freePort is a port below 32768 that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	for port := 20000 + os.Getpid()%10000; port < 32000; port++ {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err == nil {
			_, name, _ := net.SplitHostPort(l.Addr().String())
			must(t, l.Close())
			return name
		}
	}
	t.Fatal("no free port")
	return ""
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func writeAnchors(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	put := func(name, kind string, der []byte, err error) {
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	}
	for i, kind := range warifu.Kinds {
		der, err := profile.CardAuthority(kind).SelfSign(key, []byte{byte(i + 1)}, from, from.AddDate(10, 0, 0))
		put("cards-"+kind.String()+".pem", "CERTIFICATE", der, err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	put("bureau-statement.pem", "PUBLIC KEY", spki, err)
	must(t, os.Mkdir(filepath.Join(dir, "makers"), 0o700))
	root, err := profile.MakerRoot("Maker", key, []byte{1}, from, from.AddDate(10, 0, 0))
	put("makers/maker.pem", "CERTIFICATE", root, err)
	must(t, os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase for tests\n"), 0o600))
}
