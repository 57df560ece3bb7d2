package web

import (
	"net/http"
	"net/netip"
)

// FromClient is where a request comes from when only these networks' word is believed.
func FromClient(r *http.Request, trusted ...netip.Prefix) string {
	return (&site{Config: Config{Proxies: trusted}}).fromClient(r).RemoteAddr
}
