package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"warifu/relyingparty"
)

// loginPage is a small relying party on package relyingparty; a careless one sets its cookie
// without HttpOnly.
func loginPage(t *testing.T, issuer string, careless bool) *httptest.Server {
	t.Helper()
	key, err := relyingparty.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p, err := relyingparty.Open(t.Context(), relyingparty.Config{Issuer: issuer, ClientID: "doctor-cli", Key: key, RedirectURI: server.URL + "/callback"})
	if err != nil {
		t.Fatal(err)
	}
	keep := func(w http.ResponseWriter, name, value string) {
		http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: !careless, SameSite: http.SameSiteLaxMode})
	}
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		b, err := p.Begin(r.Context(), relyingparty.Wish{})
		if err != nil {
			http.Error(w, "later", http.StatusBadGateway)
			return
		}
		keep(w, "login", b.State)
		http.Redirect(w, r, b.URL, http.StatusSeeOther)
	})
	mux.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("login")
		if err == nil {
			var login *relyingparty.Login
			if login, err = p.Finish(r.Context(), r.URL.Query(), c.Value); err == nil {
				keep(w, "who", login.Subject)
				http.Redirect(w, r, "/", http.StatusSeeOther)
				return
			}
		}
		http.Error(w, "not logged in", http.StatusForbidden)
	})
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("who")
		if err != nil {
			http.Error(w, "nobody", http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"sub":%q}`, c.Value)
	})
	mux.HandleFunc("/{$}", func(http.ResponseWriter, *http.Request) {})
	return server
}

// providerAddress is an address below those that the kernel gives out by itself.
func providerAddress(t *testing.T) string {
	t.Helper()
	for port := 15000 + os.Getpid()%10000; port < 32000; port++ {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// doctorRP runs the command and returns its exit code and what it said.
func doctorRP(t *testing.T, args ...string) (code int, out, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append([]string{"--lang", "en", "doctor", "rp"}, args...), streams{strings.NewReader(""), &stdout, &stderr})
	return code, stdout.String(), stderr.String()
}

func TestDoctorRPExaminesAndReports(t *testing.T) {
	issuer := "http://" + providerAddress(t) + "/api/realms/main"
	dir := t.TempDir()
	config := filepath.Join(dir, "doctor.toml")
	file := "issuer = \"" + issuer + "\"\nwait = \"1s\"\n[client]\nid = \"doctor-cli\"\nredirect_uri = \"/callback\"\npar = true\n[login]\nstart = \"/login\"\n[who]\nurl = \"/me\"\njson = \"/sub\"\n"
	if err := os.WriteFile(config, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	good, careless := loginPage(t, issuer, false), loginPage(t, issuer, true)
	junit, page := filepath.Join(dir, "r.xml"), filepath.Join(dir, "r.html")
	quick := []string{"--client-config", config, "--only", "honest", "--only", "callback", "--only", "cookie-flags"}

	code, out, said := doctorRP(t, append(quick, "--junit", junit, "--html", page, good.URL)...)
	if code != exitDone || !strings.Contains(out, "pass     mix-up") || !strings.Contains(out, " 0 faults,") {
		t.Fatalf("%d\n%s\n%s", code, out, said)
	}
	var suite struct {
		Tests int `xml:"tests,attr"`
	}
	b, err := os.ReadFile(junit)
	if err != nil || xml.Unmarshal(b, &suite) != nil || suite.Tests < 15 {
		t.Errorf("%v %s", err, b)
	}
	if b, err := os.ReadFile(page); err != nil || !bytes.Contains(b, []byte("mix-up")) {
		t.Errorf("%v %s", err, b)
	}

	code, out, _ = doctorRP(t, append(quick, careless.URL)...)
	if code != exitRefused || !strings.Contains(out, "FAULT    cookie-flags") || !strings.Contains(out, "→ ") || strings.Count(out, "FAULT") != 1 {
		t.Errorf("%d\n%s", code, out)
	}
	var asJSON bytes.Buffer
	code = run(t.Context(), append([]string{"--json", "doctor", "rp"}, append(quick, careless.URL)...), streams{strings.NewReader(""), &asJSON, &asJSON})
	var report struct{ Counts map[string]int }
	if err := json.Unmarshal(asJSON.Bytes(), &report); err != nil || code != exitRefused || report.Counts["fault"] != 1 {
		t.Errorf("%d %v %s", code, err, asJSON.String())
	}

	good.Close()
	if code, _, said := doctorRP(t, append(quick, good.URL)...); code != exitUnreachable || !strings.Contains(said, good.URL) {
		t.Errorf("%d %s", code, said)
	}
}

func TestDoctorRPSaysWhatIsWrongWithItsUse(t *testing.T) {
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong.toml")
	if err := os.WriteFile(wrong, []byte("issuer = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {"http://127.0.0.1:1"}, {"--client-config", wrong, "http://127.0.0.1:1"}, {"--list", "--only", "nothing"}} {
		if code, _, said := doctorRP(t, args...); code != exitUsage || said == "" {
			t.Errorf("%v: %d %s", args, code, said)
		}
	}
	code, out, _ := doctorRP(t, "--list", "--only", "keys")
	if code != exitDone || !strings.Contains(out, "alg-none") || strings.Contains(out, "honest-login") {
		t.Errorf("%d\n%s", code, out)
	}
}
