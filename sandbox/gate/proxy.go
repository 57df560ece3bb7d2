package gate

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
)

// maxRewritten bounds a page whose addresses are rewritten; larger ones pass as they are.
const maxRewritten = 4 << 20

// proxy hands requests to the inner door as if they came from this machine, and turns
// the inner addresses in what comes back into outer ones, so that links lead where the
// visitor can go. Signed octets (certificates, CMS, OCSP) are never touched.
func (g *Gate) proxy(d door) http.Handler {
	inner, err := url.Parse(d.inner)
	if err != nil {
		return http.NotFoundHandler()
	}
	return &httputil.ReverseProxy{
		FlushInterval: -1, // server-sent events
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(inner)
			r.SetXForwarded() // what is open to this machine alone is not open to who comes from outside
			r.Out.Host = inner.Host
			r.Out.Header.Del(Header)
			r.Out.Header.Del("Accept-Encoding")
			dropCookie(r.Out)
			if r.In.Header.Get("Origin") == d.outer { // the page's own: same origin stays same origin
				r.Out.Header.Set("Origin", d.inner)
			}
		},
		ModifyResponse: g.outward,
	}
}

// dropCookie keeps the gate's cookie from the world.
func dropCookie(r *http.Request) {
	cookies := r.Cookies()
	r.Header.Del("Cookie")
	for _, c := range cookies {
		if c.Name != cookieName {
			r.AddCookie(c)
		}
	}
}

func (g *Gate) outward(r *http.Response) error {
	if l := r.Header.Get("Location"); l != "" {
		r.Header.Set("Location", g.rewrite(l))
	}
	if c := r.Header.Get("Content-Type"); !strings.HasPrefix(c, "text/html") && !strings.HasPrefix(c, "application/json") {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRewritten+1))
	if err != nil || len(body) > maxRewritten {
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
		return err
	}
	if err := r.Body.Close(); err != nil {
		return err
	}
	out := g.rewrite(string(body))
	r.Body = io.NopCloser(strings.NewReader(out))
	r.ContentLength = int64(len(out))
	r.Header.Set("Content-Length", strconv.Itoa(len(out)))
	return nil
}

func (g *Gate) rewrite(s string) string {
	for _, d := range g.doors {
		s = strings.ReplaceAll(s, d.inner, d.outer)
	}
	return s
}
