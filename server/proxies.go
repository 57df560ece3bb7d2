package server

import "net/netip"

// ProxiesConfig names the operator's own proxies and load balancers.
type ProxiesConfig struct {
	// Trusted are their networks or addresses: ["10.0.0.0/8", "127.0.0.1"]. What one of
	// them hands on is counted, wherever a limit is for each source, for the last address in its
	// X-Forwarded-For that is none of them; the header of anybody else is not read. A proxy named here must
	// write the header itself. Empty: nobody is believed.
	Trusted []string `toml:"trusted"`
}

// faults names what is no network, and what would trust everybody.
func (c ProxiesConfig) faults(must func(bool, string, ...any)) {
	for _, name := range c.Trusted {
		network, ok := trustedNetwork(name)
		must(ok, "[proxies] trusted: %q is neither an address nor a network", name)
		must(!ok || network.Bits() > 0, "[proxies] trusted: %q is everybody", name)
	}
}

// networks are the trusted networks, checked before.
func (c ProxiesConfig) networks() []netip.Prefix {
	var out []netip.Prefix
	for _, name := range c.Trusted {
		if network, ok := trustedNetwork(name); ok {
			out = append(out, network)
		}
	}
	return out
}

func trustedNetwork(name string) (netip.Prefix, bool) {
	if address, err := netip.ParseAddr(name); err == nil {
		address = address.Unmap().WithZone("")
		return netip.PrefixFrom(address, address.BitLen()), true
	}
	network, err := netip.ParsePrefix(name)
	return network.Masked(), err == nil && !network.Addr().Is4In6()
}
