package party

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"html"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/sandbox/doctor"
)

// Examination is one relying party under examination. Close it after use.
type Examination struct {
	config    Config
	clock     warifu.Clock
	provider  *provider
	house     *house // nil: there is no verifier to examine
	transport *http.Transport
	hosts     map[string]bool
	close     context.CancelFunc
	closed    <-chan struct{}
	// Restart, when set, starts the relying party anew: cases about what it reads at its
	// start need it.
	Restart func(ctx context.Context) error

	seen    *shape
	program *program
}

// shape is what an honest login shows of how the relying party works.
type shape struct {
	userinfo  bool // it asks for attributes
	discovers bool // it reads the discovery document anew at each login
	names     bool // it shows the person's name
	let       bool // an honest login succeeds
}

// Open has the provider listen, on listener or where the configuration says when it is nil.
// Errors: Unavailable "doctor-listen" with "address", Invalid "doctor-config".
func Open(ctx context.Context, c Config, listener net.Listener, clock warifu.Clock) (*Examination, error) {
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", c.Listen); err != nil {
			return nil, warifu.Unavailable("doctor-listen", "address", c.Listen).With(err)
		}
	}
	var roots *x509.CertPool
	if c.Trust != "" {
		file, err := os.ReadFile(c.Trust)
		if roots = x509.NewCertPool(); err != nil || !roots.AppendCertsFromPEM(file) {
			_ = listener.Close()
			return nil, wrong("trust")
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	x := &Examination{config: c, clock: clock, provider: newProvider(c, clock), transport: transport(roots), hosts: map[string]bool{}, close: cancel}
	if c.Verifier.URL != "" {
		if err := x.build(); err != nil {
			cancel()
			_ = listener.Close()
			return nil, err
		}
	}
	x.closed = x.provider.open(ctx, listener, c.TLS)
	for _, a := range []string{c.Login.Start, c.Login.Page, c.Login.Logout, c.Who.URL, c.Client.RedirectURI} {
		if u, err := url.Parse(a); err == nil && u.Host != "" {
			x.hosts[u.Host] = true
		}
	}
	return x, nil
}

// build makes the authorities under which papers for the verifier are signed.
func (x *Examination) build() error {
	base, err := url.Parse(x.config.Issuer)
	if err != nil {
		return wrong("issuer")
	}
	if x.house, err = newHouse("http://"+base.Host, x.clock); err != nil {
		return err
	}
	x.provider.house = x.house
	if x.config.Verifier.Authorities == "" {
		return nil
	}
	return x.house.save(x.config.Verifier.Authorities)
}

// Close stops the provider, and the relying party where the doctor started it.
func (x *Examination) Close() {
	if x.program != nil {
		x.program.end()
	}
	x.close()
	<-x.closed
	x.transport.CloseIdleConnections()
}

// Reach waits until the relying party answers, for as long as the configuration says or until
// it ends.
// Error: Unavailable "doctor-unreachable" with "address".
func (x *Examination) Reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, x.config.Wait.Duration)
	defer cancel()
	var ended <-chan struct{}
	if x.program != nil {
		ended = x.program.done
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := x.browser().once(ctx, http.MethodGet, x.config.Who.URL, nil); err == nil {
			return nil
		}
		select {
		case <-tick.C:
			continue
		case <-ended: // the program that was started
		case <-ctx.Done():
		}
		return warifu.Unavailable("doctor-unreachable", "address", x.config.Who.URL)
	}
}

// browser is a new person's.
func (x *Examination) browser() *browser { return x.browserWith(newJar()) }

func (x *Examination) browserWith(j *jar) *browser {
	return &browser{jar: j, provider: x.config.Issuer + pathAuth, hosts: x.hosts, client: &http.Client{
		Transport: x.transport, Jar: j, Timeout: x.config.Patience.Duration,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// begun is a login the relying party began in a browser.
type begun struct {
	browser *browser
	login   *login // nil: it did not come to the provider
	pages   []page
	err     error
}

// begin begins a login; extra goes into the start address.
func (x *Examination) begin(ctx context.Context, b *browser, extra url.Values) begun {
	out := begun{browser: b}
	start, err := url.Parse(x.config.Login.Start)
	if err != nil {
		out.err = err
		return out
	}
	q := start.Query()
	for name, v := range extra {
		q[name] = v
	}
	start.RawQuery = q.Encode()
	var form url.Values
	if x.config.Login.Method == http.MethodPost {
		form = x.form(ctx, b)
	}
	if out.pages, out.err = b.follow(ctx, x.config.Login.Method, start.String(), form); out.err != nil {
		return out
	}
	if to := last(out.pages).to; to != nil && b.isProvider(to) {
		out.login = x.provider.begin(to.Query())
	}
	return out
}

var (
	input = regexp.MustCompile(`(?i)<input\b[^>]*>`)
	named = regexp.MustCompile(`(?i)\bname\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s">]+))`)
	value = regexp.MustCompile(`(?i)\bvalue\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s">]+))`)
)

// form is what is posted to begin: the configured fields, and the hidden ones of the page.
func (x *Examination) form(ctx context.Context, b *browser) url.Values {
	form := url.Values{}
	if x.config.Login.Page != "" {
		if pages, err := b.get(ctx, x.config.Login.Page); err == nil {
			for _, tag := range input.FindAllString(last(pages).body, 1000) {
				if name := attribute(named, tag); name != "" {
					form.Set(name, attribute(value, tag))
				}
			}
		}
	}
	for name, v := range x.config.Login.Form {
		form.Set(name, v)
	}
	return form
}

func attribute(of *regexp.Regexp, tag string) string {
	m := of.FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1] + m[2] + m[3])
}

// visit is a login tried to its end.
type visit struct {
	begun
	who  string // who the relying party says is logged in; "" nobody
	says string // the page that says so
	back []page // from the callback on
}

// attempt begins a login in a new browser, answers it by the act and looks who is logged in.
func (x *Examination) attempt(ctx context.Context, a act) visit {
	x.provider.perform(a)
	defer x.provider.perform(act{})
	return x.finish(ctx, x.begin(ctx, x.browser(), nil), a)
}

// finish answers a login that was begun.
func (x *Examination) finish(ctx context.Context, b begun, a act) visit {
	v := visit{begun: b}
	if b.err != nil || b.login == nil {
		return v
	}
	return x.arrive(ctx, v, x.provider.answered(b.login, a))
}

// arrive opens the callback in the visit's browser.
func (x *Examination) arrive(ctx context.Context, v visit, callback string) visit {
	if v.back, v.err = v.browser.get(ctx, callback); v.err == nil {
		v.who, v.says, v.err = x.whoSays(ctx, v.browser)
	}
	return v
}

// who is whom the relying party shows as logged in, "" for nobody. A redirection, an error
// status and a page without the place are nobody.
func (x *Examination) who(ctx context.Context, b *browser) (string, error) {
	who, _, err := x.whoSays(ctx, b)
	return who, err
}

// whoSays is who, with the page.
func (x *Examination) whoSays(ctx context.Context, b *browser) (who, says string, err error) {
	p, err := b.once(ctx, http.MethodGet, x.config.Who.URL, nil)
	if err != nil || p.status != http.StatusOK {
		return "", p.body, err
	}
	if m := x.config.Who.match; m != nil {
		if found := m.FindStringSubmatch(p.body); found != nil {
			who = strings.TrimSpace(html.UnescapeString(found[1]))
		}
		return who, p.body, nil
	}
	var doc any
	if json.Unmarshal([]byte(p.body), &doc) == nil {
		who = pointed(doc, x.config.Who.JSON)
	}
	return who, p.body, nil
}

// pointed is the value at a JSON pointer (RFC 6901) as text; "" where there is none.
func pointed(doc any, pointer string) string {
	if !strings.HasPrefix(pointer, "/") {
		return ""
	}
	for _, token := range strings.Split(pointer, "/")[1:] {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch v := doc.(type) {
		case map[string]any:
			doc = v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return ""
			}
			doc = v[i]
		default:
			return ""
		}
	}
	switch v := doc.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		if v {
			return "true"
		}
	}
	return ""
}

// is reports whether who is the person of the login.
func (x *Examination) is(who string, l *login) bool {
	if x.config.Who.Claim == "name" {
		return strings.Contains(who, l.name)
	}
	return strings.Contains(who, l.subject)
}

// shape looks once how the relying party works, by an honest login.
func (x *Examination) shape(ctx context.Context) shape {
	if x.seen != nil {
		return *x.seen
	}
	before := x.provider.count(pathKnown)
	v := x.attempt(ctx, act{})
	s := shape{discovers: x.provider.count(pathKnown) > before}
	if v.login != nil {
		_, asked := x.provider.reached(v.login)
		s.names = strings.Contains(v.says, v.login.name)
		s.userinfo, s.let = asked > 0, v.err == nil && x.is(v.who, v.login)
	}
	x.seen = &s
	return s
}

// Suite is all cases, in the order they are tried in.
func (x *Examination) Suite(target string) doctor.Suite {
	s := doctor.Suite{Name: "rp", Target: target, Clock: x.clock}
	for _, theme := range x.themes() {
		s.Cases = append(s.Cases, theme...)
	}
	return s
}

// Cases lists every case, for a listing: nothing of them can be run.
func Cases() []doctor.Case {
	c := Config{Client: Client{Algorithm: "ES256"}}
	return (&Examination{config: c, provider: newProvider(c, warifu.SystemClock{})}).Suite("").Cases
}
