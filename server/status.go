package server

import (
	"context"
	"errors"
	"net"
	"time"

	"warifu"
	"warifu/status"
)

// StatusConfig is how certificates' status is told. It may be left out.
type StatusConfig struct {
	// Listen is the address and port of a second listener, for OCSP, CRLs and what else
	// relying parties fetch, and nothing besides: "0.0.0.0:8480". It speaks plain HTTP on any address, since
	// everything it says is signed, and is made for very many questions; the first one goes on
	// answering them too. Empty: there is none.
	Listen string `toml:"listen"`
	// Connections is how many connections it holds at once. Zero: 8192.
	Connections int `toml:"connections"`
	// CacheMiB bounds the memory in which signed OCSP answers are kept, in MiB. Zero: 64, which
	// is up to four hundred thousand answers.
	CacheMiB int `toml:"cache_mib"`
	// Keep is the age at which a kept answer is signed anew, as "60s", which it is when left
	// empty. Longer saves signatures; what changes is told at once all the same.
	Keep time.Duration `toml:"keep"`
	// Limit is how old the statuses in memory may be, as "5m": how long a server that is cut
	// off from its database goes on answering, and says its age. Beyond it every question is answered
	// "try later". Between 10s and 10m; empty: five minutes.
	Limit time.Duration `toml:"limit"`
	// Snapshots is the folder of the snapshots that the next start begins with. Empty: the
	// folder in which the key folder lies.
	Snapshots string `toml:"snapshots"`
}

func (c StatusConfig) faults(must func(bool, string, ...any), site string) {
	if c.Listen != "" {
		_, port, err := net.SplitHostPort(c.Listen)
		must(err == nil, "[status] listen %q is not address:port", c.Listen)
		must(err != nil || c.Listen != site || port == "0", "[status] listen is the address of the site itself")
	}
	must(c.limit() >= 10*time.Second && c.limit() <= status.DefaultAnswerLife, "[status] limit is not between 10s and 10m")
	must(c.Connections >= 0 && c.Connections <= 1<<20, "[status] connections is not between 0 and 1048576")
	must(c.CacheMiB >= 0 && c.CacheMiB <= 1<<16, "[status] cache_mib is not between 0 and 65536")
	must(c.Keep == 0 || c.Keep >= time.Second && c.Keep <= status.DefaultAnswerLife-status.MaxAge, "[status] keep is not between 1s and 9m")
}

// newCache makes the cache that both authorities' responders share.
func (c StatusConfig) newCache() *status.Cache {
	octets := status.DefaultCache
	if c.CacheMiB > 0 {
		octets = c.CacheMiB << 20
	}
	cache := status.NewCache(octets)
	if c.Keep > 0 {
		cache.Keep = c.Keep
	}
	return cache
}

// openStatusListener opens the socket of the second listener and makes it; nil where
// there is none.
func (s *Server) openStatusListener(ctx context.Context) (net.Listener, *status.Listener, error) {
	socket, c := s.options.StatusListener, s.config.Status
	if socket == nil && c.Listen == "" {
		return nil, nil, nil
	}
	if socket == nil {
		var err error
		if socket, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen); err != nil {
			return nil, nil, warifu.Unavailable("listen-failed", "address", c.Listen).With(err)
		}
	}
	var responders []*status.Responder
	for _, kind := range warifu.Kinds {
		responders = append(responders, s.authorities[kind].responder)
	}
	l := status.NewListener(s.publications, responders...)
	if c.Connections > 0 {
		l.Connections = c.Connections
	}
	return socket, l, nil
}

// listen opens the site's socket and, where there is one, the second.
func (s *Server) listen(ctx context.Context) (site, second net.Listener, l *status.Listener, err error) {
	if second, l, err = s.openStatusListener(ctx); err != nil {
		return nil, nil, nil, err
	}
	if site = s.options.Listener; site != nil {
		return site, second, l, nil
	}
	if site, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Listen); err != nil {
		err = warifu.Unavailable("listen-failed", "address", s.config.Listen).With(err)
		if second != nil {
			err = errors.Join(err, second.Close())
		}
	}
	return site, second, l, err
}

// answerOn serves the second listener until ctx ends; should it end by itself, it stops
// the server. What it returns receives once.
func (s *Server) answerOn(ctx context.Context, socket net.Listener, l *status.Listener, stop func()) <-chan error {
	done := make(chan error, 1)
	if l == nil {
		done <- nil
		return done
	}
	s.log.Info("serving status", "listen", socket.Addr().String())
	go func() {
		done <- l.Serve(ctx, socket)
		stop()
	}()
	return done
}
