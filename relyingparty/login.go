package relyingparty

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu"
)

// What Wish.ACR may demand: the card, or the phone. Without either the person chooses.
const (
	DemandCard  = "urn:warifu:class:card"
	DemandPhone = "urn:warifu:class:phone"
)

// classOf is the class of credential that an acr value demands.
var classOf = map[string]string{DemandCard: "card", DemandPhone: "phone"}

// Wish is what one login is to be like; the zero Wish is a plain one.
type Wish struct {
	Scopes   []string      // name address birthdate gender sign; none: those of the configuration
	ACR      []string      // DemandCard or DemandPhone, or what the provider documents (aal3, crl)
	MaxAge   time.Duration // the person must have shown presence within it; 0: whenever
	Prompt   string        // "none", "login", "consent" or nothing
	UILocale string        // "ja" or "en"; "" leaves it to the browser
	// SignTransaction is a document to be signed on the way (Party.SignTransaction).
	SignTransaction string
}

// Begun is a login under way.
type Begun struct {
	URL   string // where to send the browser
	State string // what goes into its cookie, and back into Finish
}

// Login is somebody who is logged in.
type Login struct {
	Subject         string // who it is: the same at every login here, another at every other relying party
	Class           string // "card" or "phone"
	Activation      string // "pin", "screen-lock" or "password"
	AuthTime        time.Time
	ACR             string
	IDToken         string // as received, for the record
	AccessToken     string
	RefreshToken    string // for Refresh; may be empty
	Expires         time.Time
	SignTransaction string // the wish's
}

// Begin starts a login: it tells the provider what is asked for (RFC 9126; where the
// provider has no such door the browser carries it) and returns where to send the browser.
// Errors: "provider-unreachable", "provider-refused".
func (p *Party) Begin(ctx context.Context, w Wish) (Begun, error) {
	at, err := p.discover(ctx)
	if err != nil {
		return Begun{}, err
	}
	u := underWay{
		State: random(), Nonce: random(), Verifier: random(), Began: p.now().Unix(),
		ACR: w.ACR, MaxAge: int64(w.MaxAge / time.Second), Sign: w.SignTransaction,
	}
	challenge := sha256.Sum256([]byte(u.Verifier))
	form := url.Values{
		"response_type": {"code"}, "client_id": {p.config.ClientID}, "redirect_uri": {p.config.RedirectURI}, "scope": {p.scopes(w.Scopes)},
		"state": {u.State}, "nonce": {u.Nonce}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	set := func(name, value string) {
		if value != "" {
			form.Set(name, value)
		}
	}
	set("acr_values", strings.Join(w.ACR, " "))
	set("prompt", w.Prompt)
	set("ui_locales", w.UILocale)
	set("sign_transaction_id", w.SignTransaction)
	if u.MaxAge > 0 {
		set("max_age", strconv.FormatInt(u.MaxAge, 10))
	}
	if at.Pushed != "" {
		if form, err = p.push(ctx, at, form); err != nil {
			return Begun{}, err
		}
	}
	state, err := p.seal.seal(u)
	if err != nil {
		return Begun{}, err
	}
	return Begun{URL: withQuery(at.Authorization, form), State: state}, nil
}

// push hands the request to the provider and returns what the browser carries in its place.
func (p *Party) push(ctx context.Context, at *provider, form url.Values) (url.Values, error) {
	if err := p.authenticate(form, at.Token); err != nil {
		return nil, err
	}
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	if err := p.post(ctx, at.Pushed, form, &pushed); err != nil {
		return nil, err
	}
	if pushed.RequestURI == "" {
		return nil, warifu.Unauthenticated("provider-answer", "what", "request_uri")
	}
	return url.Values{"client_id": {p.config.ClientID}, "request_uri": {pushed.RequestURI}}, nil
}

// withQuery adds parameters to an address that may have some.
func withQuery(address string, more url.Values) string {
	if strings.Contains(address, "?") {
		return address + "&" + more.Encode()
	}
	return address + "?" + more.Encode()
}

// Finish takes the query that the browser came back with to the redirect URI, and the
// state from its cookie, and returns who logged in. Errors: Unauthenticated "login-state"
// (another browser, too late, or twice), "login-answer", "id-token-invalid",
// "login-class"; Refused "login-refused" with the provider's code (access_denied where the
// person said no); Unavailable "provider-unreachable".
func (p *Party) Finish(ctx context.Context, callback url.Values, state string) (*Login, error) {
	u, err := p.seal.open(state, p.now())
	if err != nil {
		return nil, err
	}
	at, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	code, err := p.readCallback(at, callback, u)
	if err != nil {
		return nil, err
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.config.RedirectURI}, "code_verifier": {u.Verifier},
	}
	login, token, err := p.tokens(ctx, at, form)
	if err != nil {
		return nil, err
	}
	if err := p.agrees(token, u); err != nil {
		return nil, err
	}
	login.SignTransaction = u.Sign
	return login, nil
}

// readCallback returns the code in the browser's answer. Each parameter counts only once:
// of two a proxy may see one and we the other.
func (p *Party) readCallback(at *provider, callback url.Values, u underWay) (string, error) {
	wrong := func(what string) error { return warifu.Unauthenticated("login-answer", "what", what) }
	for _, name := range []string{"state", "iss", "code", "error"} {
		if len(callback[name]) > 1 {
			return "", wrong(name)
		}
	}
	if subtle.ConstantTimeCompare([]byte(callback.Get("state")), []byte(u.State)) != 1 || !p.spent.once(u.State, p.now()) {
		return "", warifu.Unauthenticated("login-state")
	}
	if iss := callback.Get("iss"); (iss != "" || at.TellsIssuer) && iss != p.config.Issuer {
		return "", wrong("iss") // another provider's answer (mix-up, RFC 9207)
	}
	if refused := callback.Get("error"); refused != "" {
		return "", warifu.Refused("login-refused", "error", refused)
	}
	if callback.Get("code") == "" {
		return "", wrong("code")
	}
	return callback.Get("code"), nil
}

// agrees checks that the ID token is of this login and as was demanded.
func (p *Party) agrees(t idToken, u underWay) error {
	if subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(u.Nonce)) != 1 {
		return warifu.Unauthenticated("id-token-invalid", "what", "nonce")
	}
	if u.MaxAge > 0 && (t.AuthTime == nil || p.now().Sub(t.AuthTime.Time()) > time.Duration(u.MaxAge)*time.Second+skew) {
		return warifu.Unauthenticated("id-token-invalid", "what", "auth_time")
	}
	var classes []string
	for _, value := range u.ACR {
		if class := classOf[value]; class != "" {
			classes = append(classes, class)
		}
	}
	if len(classes) > 0 && !slices.Contains(classes, t.Class) {
		return warifu.Unauthenticated("login-class", "wanted", strings.Join(classes, " "))
	}
	return nil
}
