package party

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

const (
	// maxPage bounds what is read of a page, in octets.
	maxPage = 4 << 20
	// maxSteps bounds a chain of redirections.
	maxSteps = 15
)

// page is one answer of the relying party.
type page struct {
	url    *url.URL
	status int
	header http.Header
	body   string
	to     *url.URL // where it sends the browser; nil: nowhere
}

// browser is one person's browser: a cookie jar, and redirections followed step by step
// within the relying party.
type browser struct {
	client   *http.Client
	jar      *jar
	provider string // address of the authorization endpoint
	hosts    map[string]bool
}

// jar is a cookie jar that, as browsers do, counts loopback as a secure place
// (Secure cookies travel to http://127.0.0.1).
type jar struct {
	inner http.CookieJar
	set   map[string]*http.Cookie // as it was set last, with its flags
	home  *url.URL                // where it was set
}

func newJar() *jar {
	inner, _ := cookiejar.New(nil) // has no error to give
	return &jar{inner: inner, set: map[string]*http.Cookie{}}
}

// SetCookies implements http.CookieJar.
func (j *jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		j.set[c.Name], j.home = c, u
	}
	j.inner.SetCookies(secure(u), cookies)
}

// Cookies implements http.CookieJar.
func (j *jar) Cookies(u *url.URL) []*http.Cookie { return j.inner.Cookies(secure(u)) }

func secure(u *url.URL) *url.URL {
	host := u.Hostname()
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return u
	}
	v := *u
	v.Scheme = "https"
	return &v
}

// without is the jar as it is now, without the named cookie.
func (j *jar) without(u *url.URL, name string) *jar {
	out := newJar()
	var kept []*http.Cookie
	for _, c := range j.Cookies(u) {
		if c.Name != name {
			kept = append(kept, &http.Cookie{Name: c.Name, Value: c.Value, Path: "/"})
		}
	}
	out.SetCookies(u, kept)
	return out
}

// transport dials the relying party; roots may be nil.
func transport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}
}

// get opens an address and follows redirections within the relying party. It stops at the
// provider and at anybody else's: the last page then says where to.
func (b *browser) get(ctx context.Context, address string) ([]page, error) {
	return b.follow(ctx, http.MethodGet, address, nil)
}

func (b *browser) follow(ctx context.Context, method, address string, form url.Values) ([]page, error) {
	var pages []page
	for range maxSteps {
		p, err := b.once(ctx, method, address, form)
		if err != nil {
			return pages, err
		}
		pages = append(pages, p)
		if p.to == nil || b.isProvider(p.to) || !b.hosts[p.to.Host] {
			return pages, nil
		}
		if p.status != http.StatusTemporaryRedirect && p.status != http.StatusPermanentRedirect {
			method, form = http.MethodGet, nil
		}
		address = p.to.String()
	}
	return pages, nil
}

// once opens an address and follows nothing.
func (b *browser) once(ctx context.Context, method, address string, form url.Values) (page, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return page{}, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8")
	r.Header.Set("User-Agent", "warifu-doctor")
	answer, err := b.client.Do(r)
	if err != nil {
		return page{}, err
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(io.LimitReader(answer.Body, maxPage))
	if err != nil {
		return page{}, err
	}
	p := page{url: r.URL, status: answer.StatusCode, header: answer.Header, body: string(read)}
	if at := answer.Header.Get("Location"); at != "" && answer.StatusCode >= 300 && answer.StatusCode < 400 {
		p.to, _ = r.URL.Parse(at) // what is no address leads nowhere
	}
	return p, nil
}

func (b *browser) isProvider(u *url.URL) bool {
	return strings.HasPrefix(u.String(), b.provider)
}

// last is the page where a chain ended.
func last(pages []page) page {
	if len(pages) == 0 {
		return page{}
	}
	return pages[len(pages)-1]
}
