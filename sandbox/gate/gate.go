// Package gate opens a world to other machines: a real phone's browser, containers,
// clients that insist on TLS. The world itself listens on loopback only; the gate
// listens on one address of the machine, on the same ports, speaks TLS with a
// certificate of a local authority of its own, and lets in only who has typed the
// pairing code that the terminal shows. Status and authorities' certificates need no
// code: they are the same for everybody.
package gate

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
	"warifu/sandbox/folder"
)

// Gate is open doors on another address, each in front of one on loopback.
type Gate struct {
	// Code is the pairing code, eight digits, made anew at each start.
	Code string
	// Authority is the local authority's certificate, PEM: what a client must trust.
	Authority []byte

	host  string
	doors []door
	pairs *pairing
}

type door struct {
	inner, outer string // http://127.0.0.1:8400, https://192.0.2.7:8400
	listener     net.Listener
}

// Open listens on the address, which must be one of this machine's and not a wildcard,
// at the port of each inner address, and keeps its authority in the folder. Errors:
// Invalid "gate-address-malformed", Unavailable "gate-address-taken".
func Open(ctx context.Context, f folder.Folder, address string, inner []string, clock warifu.Clock) (*Gate, error) {
	ip := net.ParseIP(address)
	if ip == nil || ip.IsUnspecified() || ip.IsMulticast() {
		return nil, warifu.Invalid("gate-address-malformed", "address", address)
	}
	certificate, authority, err := certify(f, ip, clock)
	if err != nil {
		return nil, err
	}
	pairs, err := newPairing(clock)
	if err != nil {
		return nil, err
	}
	g := &Gate{Code: pairs.code, Authority: authority, host: address, pairs: pairs}
	for _, in := range inner {
		u, err := url.Parse(in)
		if err != nil {
			return nil, errors.Join(err, g.Close())
		}
		plain, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(address, u.Port()))
		if err != nil {
			return nil, errors.Join(warifu.Unavailable("gate-address-taken", "address", net.JoinHostPort(address, u.Port())).With(err), g.Close())
		}
		secure := tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
		g.doors = append(g.doors, door{strings.TrimSuffix(in, "/"), "https://" + net.JoinHostPort(address, u.Port()), secure})
	}
	return g, nil
}

// Outer returns the address at which an inner one is reached from outside.
func (g *Gate) Outer(inner string) string {
	for _, d := range g.doors {
		if d.inner == inner {
			return d.outer
		}
	}
	return inner
}

// Run serves until ctx ends.
func (g *Gate) Run(ctx context.Context) error {
	ended := make(chan error, len(g.doors))
	sites := make([]*http.Server, len(g.doors))
	for i, d := range g.doors {
		sites[i] = &http.Server{
			Handler: g.pairs.guard(g.proxy(d)), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
			MaxHeaderBytes: 32 << 10, ErrorLog: log.New(io.Discard, "", 0), // clients that do not trust the authority say so at every try
		}
		go func() { ended <- sites[i].Serve(d.listener) }()
	}
	<-ctx.Done()
	var failed []error
	for _, site := range sites {
		failed = append(failed, site.Close())
	}
	for range sites {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// Close closes what Open opened; Run does it by itself.
func (g *Gate) Close() error {
	var failed []error
	for _, d := range g.doors {
		failed = append(failed, d.listener.Close())
	}
	g.doors = nil
	return errors.Join(failed...)
}
