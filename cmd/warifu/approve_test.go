package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/oauth2"

	"warifu"
	"warifu/sandbox/doorway"
)

// shop is a relying party as anybody might write one, with coreos/go-oidc.
type shop struct {
	site     *httptest.Server
	key      *ecdsa.PrivateKey
	id       string
	provider *oidc.Provider
	begun    sync.Map // state → begun
}

type begun struct{ verifier, nonce string }

// newShop registers the shop with the world's server.
func newShop(server string) (*shop, error) {
	p := &shop{}
	var err error
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", p.begin)
	mux.HandleFunc("GET /callback", p.callback)
	p.site = httptest.NewServer(mux)
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k1", Use: "sig", Algorithm: "ES256"}}})
	if err != nil {
		return nil, err
	}
	wish := map[string]any{
		"name": map[string]string{"ja": "試験の店", "en": "Test Shop"}, "redirectUris": []string{p.site.URL + "/callback"},
		"jwks": json.RawMessage(keys), "scopes": []string{"name", "address"},
	}
	var out struct{ ID, Issuer string }
	if err := doorway.NewClient(server).Post(context.Background(), "/api/v1/clients", wish, &out); err != nil {
		return nil, err
	}
	p.id = out.ID
	p.provider, err = oidc.NewProvider(context.Background(), out.Issuer)
	return p, err
}

func (p *shop) config(scopes ...string) oauth2.Config {
	endpoint := p.provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return oauth2.Config{ClientID: p.id, RedirectURL: p.site.URL + "/callback", Endpoint: endpoint, Scopes: append([]string{oidc.ScopeOpenID}, scopes...)}
}

func (p *shop) begin(w http.ResponseWriter, r *http.Request) {
	state, b := rand.Text(), begun{oauth2.GenerateVerifier(), rand.Text()}
	p.begun.Store(state, b)
	options := []oauth2.AuthCodeOption{oidc.Nonce(b.nonce), oauth2.S256ChallengeOption(b.verifier)}
	if acr := r.FormValue("acr"); acr != "" {
		options = append(options, oauth2.SetAuthURLParam("acr_values", acr))
	}
	c := p.config(strings.Fields(r.FormValue("scope"))...)
	http.Redirect(w, r, c.AuthCodeURL(state, options...), http.StatusSeeOther)
}

// callback tells in one line what the provider said.
func (p *shop) callback(w http.ResponseWriter, r *http.Request) {
	said, err := p.finish(r)
	if err != nil {
		said = err.Error()
	}
	fmt.Fprintln(w, "party:", said)
}

func (p *shop) finish(r *http.Request) (string, error) {
	kept, known := p.begun.LoadAndDelete(r.FormValue("state"))
	if !known {
		return "", fmt.Errorf("a state that nobody began")
	}
	if problem := r.FormValue("error"); problem != "" {
		return "error=" + problem, nil
	}
	b := kept.(begun)
	assertion, err := p.assertion()
	if err != nil {
		return "", err
	}
	c := p.config()
	token, err := c.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(b.verifier),
		oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
		oauth2.SetAuthURLParam("client_assertion", assertion))
	if err != nil {
		return "", err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.provider.Verifier(&oidc.Config{ClientID: p.id, SupportedSigningAlgs: []string{oidc.ES256}}).Verify(r.Context(), raw)
	if err != nil {
		return "", err
	}
	var claims struct {
		Class      string `json:"warifu_class"`
		Activation string `json:"warifu_activation"`
	}
	if err := id.Claims(&claims); err != nil {
		return "", err
	}
	if id.Nonce != b.nonce || id.VerifyAccessToken(token.AccessToken) != nil {
		return "", fmt.Errorf("nonce or at_hash of another")
	}
	info, err := p.provider.UserInfo(r.Context(), oauth2.StaticTokenSource(token))
	if err != nil {
		return "", err
	}
	var told map[string]any
	if err := info.Claims(&told); err != nil {
		return "", err
	}
	delete(told, "sub")
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range told {
			if !yield(name) {
				return
			}
		}
	})
	return fmt.Sprintf("class=%s activation=%s told=%s name=%v sub=%s", claims.Class, claims.Activation, strings.Join(names, ","), told["name"], id.Subject), nil
}

// assertion is the party's word who it is (RFC 7523).
func (p *shop) assertion() (string, error) {
	now := warifu.SystemClock{}.Now()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.key}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: p.id, Subject: p.id, Audience: jwt.Audience{p.provider.Endpoint().TokenURL}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Serialize()
}

// people are who browse, one in each script.
var people sync.Map // *testscript.TestScript → *visit

// visit is a browser and the party it visits.
type visit struct {
	shop    *shop
	browser *browser
}

// visitOf is who browses in a script.
func visitOf(ts *testscript.TestScript) *visit {
	kept, _ := people.LoadOrStore(ts, &visit{})
	v := kept.(*visit)
	if v.browser == nil {
		ts.Defer(func() { people.Delete(ts) })
		var err error
		v.browser, err = newBrowser()
		ts.Check(err)
	}
	return v
}

// browse is the script command "browse …":
//
//	browse login [scope=name address] [acr=…]  log in at a relying party, as far as the provider's page
//	browse moved                               wait until the page moves on
//	browse open ADDRESS                        go to an address
//	browse page ADDRESS                        follow a link of the page
//	browse press ACTION [name=value …]         send a form of the page
//	browse other                               another browser, without cookies
//	browse sees REGEXP                         what the page says; with ! what it does not
//	browse grab NAME REGEXP                    keep what the first group matches
func browse(ts *testscript.TestScript, neg bool, args []string) {
	v := visitOf(ts)
	rest := args[1:]
	switch args[0] {
	case "login":
		if v.shop == nil {
			var err error
			v.shop, err = newShop(ts.Getenv("WARIFU_SERVER"))
			ts.Check(err)
			ts.Defer(v.shop.site.Close)
		}
		ts.Check(v.browser.open(v.shop.site.URL + "/login?" + fields(rest).Encode()))
		v.arrived(ts)
	case "moved":
		ts.Check(v.browser.moved())
	case "open":
		ts.Check(v.browser.open(rest[0]))
	case "page":
		base, err := url.Parse(v.browser.address)
		ts.Check(err)
		to, err := base.Parse(rest[0])
		ts.Check(err)
		ts.Check(v.browser.open(to.String()))
	case "press":
		ts.Check(v.browser.press(rest[0], fields(rest[1:])))
	case "other":
		var err error
		v.browser, err = newBrowser()
		ts.Check(err)
	case "sees":
		if found := regexp.MustCompile(rest[0]).MatchString(v.browser.page); found == neg {
			ts.Fatalf("%s (wanted: %v) at %s:\n%s", rest[0], !neg, v.browser.address, v.browser.page)
		}
	case "grab":
		m := regexp.MustCompile(rest[1]).FindStringSubmatch(v.browser.page)
		if m == nil {
			ts.Fatalf("%s is not at %s:\n%s", rest[1], v.browser.address, v.browser.page)
		}
		ts.Setenv(rest[0], html.UnescapeString(m[1]))
	default:
		ts.Fatalf("browse %s", args[0])
	}
}

// arrived keeps what the provider's page shows of a login.
func (v *visit) arrived(ts *testscript.TestScript) {
	for name, pattern := range map[string]string{"LINK": `>(http[^<]*/l/l[a-z2-7]{26})<`, "NUMBER": `class="bignumber"[^>]*>([0-9]{2})<`} {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(v.browser.page); m != nil {
			ts.Setenv(name, m[1])
		}
	}
	ts.Setenv("HERE", v.browser.address+"/app")
	ts.Setenv("PAGE", v.browser.address)
	ts.Setenv("WRONG", otherNumber(ts, v.browser.address))
}

// otherNumber is one that the app offers for the login of a page and the page does not show.
func otherNumber(ts *testscript.TestScript, page string) string {
	u, err := url.Parse(page)
	ts.Check(err)
	var q struct{ Numbers []string }
	ts.Check(doorway.NewClient(u.Scheme+"://"+u.Host).Get(context.Background(), "/api/v1/logins/"+path.Base(u.Path)+"?way=qr", &q))
	i := slices.IndexFunc(q.Numbers, func(n string) bool { return n != ts.Getenv("NUMBER") })
	return q.Numbers[i]
}

// fields are name=value pairs.
func fields(pairs []string) url.Values {
	v := url.Values{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		v.Add(name, value)
	}
	return v
}
