package oidc

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/ledger"
	"warifu/store"
	"warifu/verify"
)

// How long things last.
const (
	PushedLife  = 90 * time.Second // of a pushed authorization request, until a browser brings it
	LoginLife   = 5 * time.Minute  // from the browser's arrival to the claimant's answer
	ReturnLife  = 2 * time.Minute  // from the answer to the browser's going back
	CodeLife    = time.Minute      // of a code
	AccessLife  = 10 * time.Minute // of an access token, and of an ID token
	RefreshLife = 24 * time.Hour   // from the code's exchange to the end of its last refresh token
)

// Store is what a Provider asks of the registration side's database (store.Store).
type Store interface {
	Read(ctx context.Context, fn func(*store.Tx) error) error
	Write(ctx context.Context, fn func(*store.Tx) error) error
}

// Ledger is who checked me (ledger.Ledger).
type Ledger interface {
	Append(tx *store.Tx, person warifu.Digest, e ledger.Entry) error
}

// Cards tells of a card by one of its certificates.
type Cards interface {
	// Card asks the card bureau whose card carries the certificate (DER) and which two
	// certificates it carries. NotFound for a card that it does not know.
	Card(ctx context.Context, certificate []byte) (attest.CardStatement, error)
}

// Config is what a Provider is made of. Fields are required unless it says otherwise.
type Config struct {
	Origin   string // scheme://host[:port] under which the site is reached
	Clients  Clients
	Store    Store
	Ledger   Ledger
	Verifier *verify.Verifier // believes cards and phones, asks for status in this process
	Cards    Cards            // nil: nobody logs in with a card
	// MAC computes HMAC-SHA-256 under a key of the provider's own. Subjects, codes and tokens
	// are made with it: with another key every relying party would take everybody for somebody else.
	MAC  attest.MAC
	Keys []SigningKey // until SetKeys; at least one
	// HTTP fetches client keys from addresses that clients named: it must not let one lead
	// inside (design §5). Plain lets http addresses through too, for tests and the sandbox.
	HTTP    *http.Client
	Plain   bool
	Signing Signing // nil: nothing is signed here
	Limits  Limits
	Counted func(what string) // told of "begun", "approved", "refused", "redeemed", "refreshed", "replayed"; may be nil
	Clock   warifu.Clock
	// Outside is what clients' clocks say: their assertions, and the ID tokens they are given,
	// carry its time. Nil: Clock. The sandbox's Clock may stand elsewhere, and a client of
	// somebody's own cannot follow it.
	Outside warifu.Clock
	Log     *slog.Logger // may be nil
}

// Provider is the OpenID provider. It is the handler of the protocol's endpoints (Paths) and
// has a door for each step of a login. It keeps no state that another server on the same
// database would miss.
type Provider struct {
	Config
	issuer    string
	tokenURL  string
	discovery []byte
	mac       macs
	keys      atomic.Pointer[keyRing]
	fetched   clientKeys
	crowd     *crowd
	waiting   *waiting
	recent    *recent
	routes    map[string]route
}

// New makes a provider. Error: a MAC or a signing key that does not work.
func New(c Config) (*Provider, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Counted == nil {
		c.Counted = func(string) {}
	}
	if c.Outside == nil {
		c.Outside = c.Clock
	}
	c.Clients = withOwn{c.Clients, ownClient(c.Origin)}
	p := &Provider{Config: c, issuer: c.Origin + realm, mac: macs{c.MAC}, crowd: newCrowd(c.Limits, c.Clock)}
	p.tokenURL = p.issuer + pathToken
	p.fetched = clientKeys{http: c.HTTP, plain: c.Plain, clock: c.Clock}
	p.waiting, p.recent = newWaiting(c.Store, c.Clock), newRecent()
	p.routes = p.addresses()
	if _, err := c.MAC([]byte("works")); err != nil {
		return nil, err
	}
	if err := p.SetKeys(c.Keys); err != nil {
		return nil, err
	}
	var err error
	p.discovery, err = p.discover()
	return p, err
}

// The addresses, as デジタル認証アプリ has them (requirements B.9).
const (
	realm         = "/api/realms/main"
	wellKnown     = "/.well-known/openid-configuration"
	protocol      = "/protocol/openid-connect"
	pathAuthorize = protocol + "/auth"
	pathToken     = protocol + "/token"
	pathUserinfo  = protocol + "/userinfo"
	pathKeys      = protocol + "/certs"
	pathPush      = protocol + "/ext/par/request"
	pathRevoke    = protocol + "/revoke"
)

// Paths are the addresses that the provider answers at, below the origin; one that ends in /
// stands for all that is below it.
func Paths() []string { return []string{wellKnown, realm + "/"} }

// AuthorizePath is the one address that a browser may post to from another site.
func AuthorizePath() string { return realm + pathAuthorize }

// Issuer is the provider's name in tokens.
func (p *Provider) Issuer() string { return p.issuer }

// route is one address, and which methods it answers to. An error that it returns is for
// a reader of JSON, but at the authorization endpoint, where it is for a person.
type route struct {
	methods string // "GET POST"
	serve   func(w http.ResponseWriter, r *http.Request) error
	page    bool
}

func (p *Provider) addresses() map[string]route {
	return map[string]route{
		wellKnown:             {"GET", p.serveDiscovery, false},
		realm + wellKnown:     {"GET", p.serveDiscovery, false},
		realm + pathKeys:      {"GET", p.serveKeys, false},
		realm + pathAuthorize: {"GET POST", p.authorize, true},
		realm + pathPush:      {"POST", p.push, false},
		realm + pathToken:     {"POST", p.token, false},
		realm + pathUserinfo:  {"GET POST", p.userinfo, false},
		realm + pathRevoke:    {"POST", p.revoke, false},
	}
}

// ServeHTTP answers at Paths. People are told what is wrong in plain text; Handler does it
// with the site's pages.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.serve(w, r, plainProblem)
}

// Handler is ServeHTTP with a page for what a person has to be told: a request whose client or
// redirect URI is not to be trusted is never answered with a redirection (RFC 6749 §4.1.2.1).
// page is handed a *warifu.Error and writes status 400, or that of its class.
func (p *Provider) Handler(page func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, page) })
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request, page func(http.ResponseWriter, *http.Request, error)) {
	at, known := p.routes[r.URL.Path]
	switch {
	case !known:
		page(w, r, warifu.NotFound("page-unknown"))
	case r.Method == http.MethodOptions && !at.page:
		preflight(w, at.methods)
	case !strings.Contains(at.methods, r.Method) && r.Method != http.MethodHead:
		w.Header().Set("Allow", strings.ReplaceAll(at.methods, " ", ", "))
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		err := at.serve(w, r)
		if err == nil {
			return
		}
		p.refused(r.Context(), r.URL.Path, err)
		if at.page {
			page(w, r, err)
			return
		}
		writeRefusal(w, err)
	}
}

// refused logs a refusal by its slug: no value of a request is written down.
func (p *Provider) refused(ctx context.Context, path string, err error) {
	e := problemOf(err)
	if e.Code == warifu.CodeInternal {
		p.Log.ErrorContext(ctx, "login", "path", path, "error", err.Error())
		return
	}
	p.Log.DebugContext(ctx, "login refused", "path", path, "problem", e.Problem)
}

// originOf is scheme://host[:port] of a redirect URI, and of an app's own scheme (RFC 8252
// §7.1) the scheme with its colon.
func originOf(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil || u.Host == "" {
		scheme, _, _ := strings.Cut(redirect, ":")
		return scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}
