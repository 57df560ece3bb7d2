package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/keystore"
	"warifu/ledger"
	"warifu/oidc"
	"warifu/phone"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wants checks the slug of an error.
func wants(t testing.TB, err error, slug string) {
	t.Helper()
	if err == nil || warifu.ProblemOf(err).Problem != slug {
		t.Errorf("got %v, want problem %q", err, slug)
	}
}

// book is Clients in memory.
type book map[string]oidc.Client

// Client implements oidc.Clients.
func (b book) Client(_ context.Context, id string) (oidc.Client, error) {
	c, known := b[id]
	if !known {
		return c, warifu.NotFound("client-unknown")
	}
	return c, nil
}

// cards asks the house's bureau.
type cards struct{ house *housetest.House }

// Card implements oidc.Cards.
func (c cards) Card(ctx context.Context, certificate []byte) (attest.CardStatement, error) {
	der, err := c.house.Cards.Statement(ctx, certificate, warifu.DigestOf(certificate))
	if err != nil {
		return attest.CardStatement{}, err
	}
	return attest.OpenCardStatement(der, c.house.Bureau.StatementKey())
}

// town is a house with a provider, two relying parties and a person with phone and card.
type town struct {
	*housetest.House
	t        testing.TB
	provider *oidc.Provider
	config   oidc.Config
	clients  book
	keys     map[string]*ecdsa.PrivateKey
	phone    *housetest.Phone
	counted  map[string]int
}

const (
	bank     = "RP00000001"
	shop     = "RP00000002"
	bankBack = "https://bank.example/callback"
	shopBack = "https://shop.example/callback?from=warifu"
	person   = "taro"
)

func newTown(t testing.TB, o housetest.Options) *town {
	t.Helper()
	w := &town{House: housetest.New(t, o), t: t, clients: book{}, keys: map[string]*ecdsa.PrivateKey{}, counted: map[string]int{}}
	for id, back := range map[string]string{bank: bankBack, shop: shopBack} {
		w.keys[id] = newKey(t)
		w.clients[id] = oidc.Client{
			ID: id, Name: ledger.Name{Japanese: "見本", English: "Sample " + id}, RedirectURIs: []string{back},
			JWKS: keySet(w.keys[id], id), Scopes: []string{"name", "address", "birthdate", "gender"},
		}
	}
	w.config = w.configuration()
	w.open()
	w.phone = w.Phone(t)
	w.phone.Own(t, person)
	return w
}

func (w *town) configuration() oidc.Config {
	octets := make([]byte, 32)
	_, _ = rand.Read(octets)
	mac, err := keystore.NewSymmetricKey(octets)
	must(w.t, err)
	desk := w.DeskConfig(w.t, nil)
	return oidc.Config{
		Origin: housetest.Origin, Clients: w.clients, Store: w.Store, Ledger: desk.Ledger, Verifier: desk.Verifier, Cards: cards{w.House}, MAC: mac.HMAC,
		Keys: []oidc.SigningKey{{Key: newKey(w.t), From: w.Clock.Now()}}, Clock: w.Clock, Counted: func(what string) { w.counted[what]++ },
	}
}

// open opens a provider; again, it is another server on the same database.
func (w *town) open() *oidc.Provider {
	w.t.Helper()
	p, err := oidc.New(w.config)
	must(w.t, err)
	w.provider = p
	return p
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func keySet(key crypto.Signer, id string) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: id, Algorithm: "ES256", Use: "sig"}}}
}

// The addresses.
const (
	issuer    = housetest.Origin + "/api/realms/main"
	authURL   = issuer + "/protocol/openid-connect/auth"
	tokenURL  = issuer + "/protocol/openid-connect/token"
	pushURL   = issuer + "/protocol/openid-connect/ext/par/request"
	infoURL   = issuer + "/protocol/openid-connect/userinfo"
	revokeURL = issuer + "/protocol/openid-connect/revoke"
	keysURL   = issuer + "/protocol/openid-connect/certs"
)

// answerOf is what came back.
type answerOf struct {
	*httptest.ResponseRecorder
	t testing.TB
}

func (w *town) do(method, address string, form url.Values, header http.Header) answerOf {
	w.t.Helper()
	var r *http.Request
	if method == http.MethodGet {
		if form != nil {
			address += "?" + form.Encode()
		}
		r = httptest.NewRequest(method, address, nil)
	} else {
		r = httptest.NewRequest(method, address, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	maps.Copy(r.Header, header)
	return w.serve(r)
}

func (w *town) serve(r *http.Request) answerOf {
	out := httptest.NewRecorder()
	w.provider.ServeHTTP(out, r)
	return answerOf{out, w.t}
}

func (a answerOf) json() map[string]any {
	a.t.Helper()
	var out map[string]any
	if err := json.Unmarshal(a.Body.Bytes(), &out); err != nil {
		a.t.Fatalf("%d %s: %v", a.Code, a.Body, err)
	}
	return out
}

// refuses checks a JSON error.
func (a answerOf) refuses(status int, code string) {
	a.t.Helper()
	if a.Code != status || a.json()["error"] != code {
		a.t.Errorf("%d %s, want %d %s", a.Code, a.Body, status, code)
	}
}

// back is the redirection to a relying party.
func (a answerOf) back(to string) url.Values {
	a.t.Helper()
	where := a.Header().Get("Location")
	if a.Code != http.StatusSeeOther || !strings.HasPrefix(where, to) {
		a.t.Fatalf("%d %s %s", a.Code, where, a.Body)
	}
	u, err := url.Parse(where)
	must(a.t, err)
	return u.Query()
}

// page checks that a person is told, and nobody is sent anywhere.
func (a answerOf) page(status int) {
	a.t.Helper()
	if a.Code != status || a.Header().Get("Location") != "" || a.Body.Len() == 0 {
		a.t.Errorf("%d %v %s, want a page of %d", a.Code, a.Header(), a.Body, status)
	}
}

const verifier = "a-verifier-of-at-least-forty-three-characters"

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ask is a good authorization request.
func (w *town) ask(client string, more ...string) url.Values {
	v := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {w.clients[client].RedirectURIs[0]}, "scope": {"openid"},
		"state": {"a state"}, "nonce": {"a-nonce"}, "code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}
	return with(v, more...)
}

// with sets parameters; one that begins with - goes.
func with(v url.Values, more ...string) url.Values {
	for i := 0; i < len(more); i += 2 {
		if name, gone := strings.CutPrefix(more[i], "-"); gone {
			v.Del(name)
			continue
		}
		v.Set(more[i], more[i+1])
	}
	return v
}

// tab is a browser's tab with a login in it.
type tab struct{ login, cookie string }

// begin sends a browser to the provider.
func (w *town) begin(v url.Values) tab {
	w.t.Helper()
	return w.tabOf(w.do(http.MethodGet, authURL, v, nil))
}

func (w *town) tabOf(a answerOf) tab {
	w.t.Helper()
	where := a.Header().Get("Location")
	login, is := strings.CutPrefix(where, housetest.Origin+"/login/")
	if a.Code != http.StatusSeeOther || !is || len(a.Result().Cookies()) != 1 {
		w.t.Fatalf("%d %s %s", a.Code, where, a.Body)
	}
	c := a.Result().Cookies()[0]
	if c.Name != w.provider.CookieName() || c.Path != "/login/"+login || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		w.t.Fatalf("%+v", c)
	}
	return tab{login, c.Value}
}

// key is an authentication key that was opened.
type key struct {
	token       *jpki.Token
	certificate []byte
}

// openPhone opens the authentication key of a phone.
func openPhone(t testing.TB, p *housetest.Phone) key {
	t.Helper()
	token, err := jpki.Select(ctx, p.App.Element)
	must(t, err)
	must(t, token.VerifyPhone(ctx, warifu.Authentication, warifu.NewActivationSecret([]byte(housetest.Secrets.Authentication))))
	der, err := token.Certificate(ctx, warifu.Authentication)
	must(t, err)
	return key{token, der}
}

// openCard opens that of a person's card; attributes is its signing certificate.
func (w *town) openCard(who string) (k key, attributes []byte) {
	w.t.Helper()
	card := w.Card(w.t, who)
	w.t.Cleanup(card.PowerOff)
	token, err := jpki.Select(ctx, iso7816.Transmitter(card))
	must(w.t, err)
	pins := w.PINs(w.t, who)
	must(w.t, token.VerifyCard(ctx, warifu.Signature, pins.Signature))
	attributes, err = token.Certificate(ctx, warifu.Signature)
	must(w.t, err)
	must(w.t, token.VerifyCard(ctx, warifu.Authentication, pins.Authentication))
	der, err := token.Certificate(ctx, warifu.Authentication)
	must(w.t, err)
	return key{token, der}, attributes
}

// answers signs a question, agreeing to some attributes.
func (k key) answers(t testing.TB, q oidc.Question, agreed ...string) oidc.Answer {
	t.Helper()
	p := q.Presence
	p.Nonce = attest.Consent{Client: q.Client.ID, Origin: q.Client.Origin, Login: q.Login, Attributes: agreed}.Nonce(q.Salt)
	signature, err := k.token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(p.Digest()))
	must(t, err)
	return oidc.Answer{Certificate: k.certificate, Signature: signature, Agreed: agreed, Activation: oidc.ActivationPIN}
}

// approve has the phone approve a login on the same device, and returns the return token.
func (w *town) approve(login string, agreed ...string) string {
	w.t.Helper()
	q, err := w.provider.Question(ctx, login, oidc.WayApp)
	must(w.t, err)
	a, err := w.provider.Answer(ctx, login, openPhone(w.t, w.phone).answers(w.t, q, agreed...))
	must(w.t, err)
	u, err := url.Parse(a.Return)
	must(w.t, err)
	return u.Query().Get("return")
}

// code takes a login to its code.
func (w *town) code(v url.Values, agreed ...string) string {
	w.t.Helper()
	at := w.begin(v)
	back := w.approve(at.login, agreed...)
	redirect, err := w.provider.Finish(ctx, at.login, at.cookie, back)
	must(w.t, err)
	u, err := url.Parse(redirect)
	must(w.t, err)
	return u.Query().Get("code")
}

// claimed is an assertion's claims.
type claimed map[string]any

// assertion signs one of a client's; change alters its claims.
func (w *town) assertion(client string, change func(claimed)) string {
	w.t.Helper()
	return w.assertionBy(w.keys[client], jose.ES256, client, client, change)
}

var assertions int

func (w *town) assertionBy(key any, algorithm jose.SignatureAlgorithm, kid, client string, change func(claimed)) string {
	w.t.Helper()
	assertions++
	now := w.Clock.Now().Unix()
	c := claimed{"iss": client, "sub": client, "aud": tokenURL, "exp": now + 60, "iat": now, "jti": strconv.Itoa(assertions)}
	if change != nil {
		change(c)
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options = options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	must(w.t, err)
	text, err := jwt.Signed(signer).Claims(map[string]any(c)).Serialize()
	must(w.t, err)
	return text
}

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// by is a form with a client's assertion.
func (w *town) by(client string, more ...string) url.Values {
	w.t.Helper()
	return with(url.Values{"client_id": {client}, "client_assertion_type": {jwtBearer}, "client_assertion": {w.assertion(client, nil)}}, more...)
}

func (w *town) exchangeForm(client, code string, more ...string) url.Values {
	w.t.Helper()
	return with(w.by(client, "grant_type", "authorization_code", "code", code, "redirect_uri", w.clients[client].RedirectURIs[0], "code_verifier", verifier), more...)
}

func (w *town) exchange(client, code string, more ...string) answerOf {
	w.t.Helper()
	return w.do(http.MethodPost, tokenURL, w.exchangeForm(client, code, more...), nil)
}

func (w *town) refresh(client, token string, more ...string) answerOf {
	w.t.Helper()
	return w.do(http.MethodPost, tokenURL, with(w.by(client, "grant_type", "refresh_token", "refresh_token", token), more...), nil)
}

func (w *town) userinfo(token string) answerOf {
	w.t.Helper()
	return w.do(http.MethodGet, infoURL, nil, http.Header{"Authorization": {"Bearer " + token}})
}

// tokensOf is a token answer that has to be good.
type tokensOf struct{ access, refresh, id, scope string }

func (a answerOf) tokens() tokensOf {
	a.t.Helper()
	if a.Code != http.StatusOK {
		a.t.Fatalf("%d %s", a.Code, a.Body)
	}
	m := a.json()
	text := func(name string) string { s, _ := m[name].(string); return s }
	return tokensOf{text("access_token"), text("refresh_token"), text("id_token"), text("scope")}
}

// login goes the whole way.
func (w *town) login(v url.Values, agreed ...string) tokensOf {
	w.t.Helper()
	return w.exchange(v.Get("client_id"), w.code(v, agreed...)).tokens()
}

// claims reads an ID token with the published keys.
func (w *town) claims(text string) map[string]any {
	w.t.Helper()
	var set jose.JSONWebKeySet
	must(w.t, json.Unmarshal(w.do(http.MethodGet, keysURL, nil, nil).Body.Bytes(), &set))
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	must(w.t, err)
	var out map[string]any
	keys := set.Key(token.Headers[0].KeyID)
	if len(keys) != 1 {
		w.t.Fatalf("kid %s in %+v", token.Headers[0].KeyID, set)
	}
	must(w.t, token.Claims(keys[0].Key, &out))
	return out
}

// lines is what the holder's phone reads.
func (w *town) lines() []ledger.Entry {
	w.t.Helper()
	raw, err := w.phone.App.Ledger(ctx, 0, phone.Secret{Kind: warifu.Authentication, Typed: housetest.Secrets.Authentication})
	must(w.t, err)
	page, err := ledger.ParsePage(raw)
	must(w.t, err)
	var out []ledger.Entry
	for _, line := range page.Lines {
		out = append(out, *line.Entry)
	}
	return out
}

// sleepless reports whether a channel is closed soon.
func sleepless(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-time.After(10 * time.Second):
		return false
	}
}

// request is one as it comes over the wire.
func request(method, address, form string) *http.Request {
	r := httptest.NewRequest(method, address, strings.NewReader(form))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}
