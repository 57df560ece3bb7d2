package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops bounds how many proxies of the operator's one request may have come through.
const maxHops = 16

// fromClient gives a request that one of the operator's own proxies handed on the address
// of whom it was handed on for, so that every limit of a source counts clients and not the proxy.
// X-Forwarded-For is read from its end, where the nearest proxy writes whom it saw, to
// the first address that is no proxy of ours: what stands before that is the client's own
// word. From anybody else the header is nothing, and what is no address ends the reading.
func (s *site) fromClient(r *http.Request) *http.Request {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !s.proxy(peer.Addr()) {
		return r
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i, hop := range slices.Backward(hops) {
		address, ok := hopAddress(strings.TrimSpace(hop))
		if !ok || len(hops)-i > maxHops {
			break
		}
		if !s.proxy(address) {
			out := *r
			out.RemoteAddr = netip.AddrPortFrom(address, 0).String()
			return &out
		}
	}
	return r
}

// proxy reports whether the address is one of the operator's proxies.
func (s *site) proxy(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// hopAddress reads what a proxy wrote: an address, with or without a port or the brackets of IPv6.
func hopAddress(s string) (netip.Addr, bool) {
	if with, err := netip.ParseAddrPort(s); err == nil {
		return with.Addr().Unmap(), true
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return address.Unmap(), err == nil
}

// SourceOf names where a request comes from as limits count it: an address, or the 64 bits of an
// IPv6 network; "" for what comes over loopback, which is a proxy that names nobody and
// stands for many.
func SourceOf(r *http.Request) string {
	if loopback(r.RemoteAddr) {
		return ""
	}
	return sourceOf(r)
}
