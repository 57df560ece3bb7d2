package web

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"warifu"
)

// publicKeyInfrastructure serves /ocsp/, /crl/, /offline/, /ca/ and the status history before the
// mux sees the request: the mux cleans "//" out of a path, and an OCSP request in
// base64 (RFC 6960 §A.1) may hold it.
func (s *site) publicKeyInfrastructure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		escaped := r.URL.EscapedPath()
		for _, kind := range warifu.Kinds {
			a, name := s.Authorities[kind], kind.String()
			switch {
			case escaped == "/ocsp/"+name, strings.HasPrefix(escaped, "/ocsp/"+name+"/"):
				a.OCSP.ServeHTTP(w, r)
				return
			case escaped == "/crl/"+name+".crl":
				a.CRL.ServeHTTP(w, r)
				return
			case escaped == "/crl/"+name+"-delta.crl" && a.Delta != nil:
				a.Delta.ServeHTTP(w, r)
				return
			case strings.HasPrefix(escaped, "/crl/"+name+"/"):
				partial(a.Parts, strings.TrimPrefix(escaped, "/crl/"+name+"/")).ServeHTTP(w, r)
				return
			case strings.HasPrefix(escaped, "/api/v1/status-history/"+name+"/") && a.History != nil:
				a.History.ServeHTTP(w, r)
				return
			case escaped == "/offline/"+name, strings.HasPrefix(escaped, "/offline/"+name+"/"):
				s.withoutALine(w, r, a.Offline, strings.TrimPrefix(escaped, "/offline/"+name))
				return
			case escaped == "/ca/"+name+".cer":
				s.authorityCertificate(w, r, a.Certificate)
				return
			}
		}
		if s.Timestamps != nil && escaped == "/ca/timestamp.cer" {
			s.authorityCertificate(w, r, s.Timestamps.Certificate)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Publications is the part of the site that tells the world about certificates (status,
// lists, packs, authorities' certificates) and nothing else, for a listener of its own.
func Publications(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &site{Config: c, limits: newLimits(c.Clock)}
	return s.publicKeyInfrastructure(http.NotFoundHandler())
}

// partial is the handler of "7.crl": one number has one address.
func partial(parts []http.Handler, name string) http.Handler {
	digits, ok := strings.CutSuffix(name, ".crl")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 || n >= len(parts) || strconv.Itoa(n) != digits {
		return http.NotFoundHandler()
	}
	return parts[n]
}

func (s *site) authorityCertificate(w http.ResponseWriter, r *http.Request, der []byte) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-cert") // RFC 2585 §4.1
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(der)
}
