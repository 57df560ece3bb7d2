package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"warifu/web"
)

// Behind proxies of the operator's the limits of a source count whom they name, and a
// client cannot choose by a header of its own where it comes from.
func TestLimitsCountWhomATrustedProxyNames(t *testing.T) {
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		eleventh  int // what the eleventh try is answered
		apart     int // what it is answered when the client writes another address before
	}{
		"a trusted proxy":            {"10.1.2.3:4000", []string{"203.0.113.9"}, 429, 429},
		"a trusted one on loopback":  {"127.0.0.1:4000", []string{"203.0.113.9"}, 429, 429},
		"two trusted ones in a row":  {"10.1.2.3:4000", []string{"203.0.113.9, 10.9.9.9"}, 429, 429},
		"headers in two lines":       {"10.1.2.3:4000", []string{"203.0.113.9", "10.9.9.9"}, 429, 429},
		"IPv6 with port":             {"[fd00::1]:4000", []string{"[2001:db8::1]:5000"}, 429, 429},
		"IPv4 in IPv6":               {"[::ffff:10.1.2.3]:4000", []string{"::ffff:203.0.113.9"}, 429, 429},
		"a stranger with the header": {"192.0.2.1:4000", []string{"203.0.113.9"}, 429, 429},
		"a proxy that names nobody":  {"10.1.2.3:4000", nil, 429, 404}, // it is one source itself
		"loopback that names nobody": {"127.0.0.1:4000", nil, 404, 404},
		"what is no address":         {"10.1.2.3:4000", []string{"unknown"}, 429, 429},
	} {
		t.Run(name, func(t *testing.T) {
			_, site := site(t, func(c *web.Config) {
				c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("fd00::/8")}
			})
			try := func(forwarded ...string) int {
				r := httptest.NewRequest("POST", "http://warifu.test/api/v1/suspensions", strings.NewReader(`{"code":"00000 00000 00000 00000 98"}`))
				r.RemoteAddr = c.peer
				r.Header.Set("Content-Type", "application/json")
				r.Header["X-Forwarded-For"] = forwarded
				w := httptest.NewRecorder()
				site.ServeHTTP(w, r)
				return w.Code
			}
			for n := range 10 {
				if got := try(c.forwarded...); got != http.StatusNotFound {
					t.Fatalf("try %d: %d", n, got)
				}
			}
			if got := try(c.forwarded...); got != c.eleventh {
				t.Errorf("the eleventh try: %d, want %d", got, c.eleventh)
			}
			if got := try(append([]string{"198.51.100.77"}, c.forwarded...)...); got != c.apart {
				t.Errorf("with an address of the client's own before: %d, want %d", got, c.apart)
			}
		})
	}
}

// One client's tries cost another client of the same proxy nothing.
func TestClientsOfOneProxyAreCountedApart(t *testing.T) {
	_, site := site(t, func(c *web.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	from := func(client string) int {
		r := httptest.NewRequest("GET", "http://warifu.test/healthz", nil)
		r.RemoteAddr = "10.1.2.3:4000"
		r.Header.Set("X-Forwarded-For", client)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w.Code
	}
	refused := 0
	for range 500 {
		if from("203.0.113.9") == http.StatusTooManyRequests {
			refused++
		}
	}
	if other := from("203.0.113.10"); refused != 100 || other != http.StatusOK {
		t.Errorf("%d of 500 refused, another client %d", refused, other)
	}
}

func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{"", "203.0.113.9", "a, 10.0.0.1", "[::1]:80", "fe80::1%eth0", ",,,", strings.Repeat("10.0.0.1,", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "http://warifu.test/", nil)
		r.RemoteAddr = "10.1.2.3:4000"
		r.Header["X-Forwarded-For"] = []string{header}
		got := web.FromClient(r, netip.MustParsePrefix("10.0.0.0/8"))
		from, err := netip.ParseAddrPort(got)
		if err != nil || got != r.RemoteAddr && netip.MustParsePrefix("10.0.0.0/8").Contains(from.Addr()) {
			t.Fatalf("%q came from %q: %v", header, got, err)
		}
	})
}
