package notify

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrForbiddenAddress is beneath a call that the guard refused.
var ErrForbiddenAddress = errors.New("an address that is not public, or a port other than 443")

// special are address blocks that belong to no public host (IANA special-purpose
// registries) and that netip has no predicate for.
var special = func() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
		"3fff::/20", "5f00::/16", "fec0::/10",
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

// Public reports whether an address belongs to the public internet: not loopback,
// private, link-local, multicast, unspecified or of any special block, whichever way it
// is written.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// NewGuardedClient returns the HTTP client for addresses that strangers name (design §5):
// it connects to port 443 of public addresses only, looks at the address after the name
// was resolved (so that no name leads inside), follows no redirect and uses no proxy.
// allowPrivate takes the address rule away, for tests and the sandbox on loopback.
func NewGuardedClient(allowPrivate bool, within time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: within}
	if !allowPrivate {
		dialer.ControlContext = guard
	}
	return &http.Client{
		Timeout:       within,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: within,
			ResponseHeaderTimeout: within, MaxResponseHeaderBytes: 16 << 10, MaxIdleConns: 32, IdleConnTimeout: time.Minute,
		},
	}
}

// guard is called with the resolved address of every connection before it is made.
func guard(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || to.Port() != 443 || !Public(to.Addr()) {
		return ErrForbiddenAddress
	}
	return nil
}
