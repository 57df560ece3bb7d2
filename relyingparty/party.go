package relyingparty

import (
	"context"
	"crypto"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"warifu"
)

// Config is what a relying party is made of: the first four are in the .env that
// `warifu rp new` writes.
type Config struct {
	Issuer      string        // the provider, e.g. http://127.0.0.1:8400/api/realms/main
	ClientID    string        // as the provider registered it
	Key         crypto.Signer // signs client assertions: P-256, or RSA of 2048 bits and more
	RedirectURI string        // exactly as registered
	Scopes      []string      // asked for where a Wish names none; "openid" is added

	// DecryptionKey opens the results of signatures ([Party.SignResult]): an
	// *ecdsa.PrivateKey or *rsa.PrivateKey; nil where nothing is signed.
	DecryptionKey crypto.PrivateKey
	// StateKey seals what travels in the browser. Several processes that serve one site
	// share it; zero: a key of this process, so a restart ends the logins under way.
	StateKey [32]byte
	HTTP     *http.Client // nil: one with a limit of ten seconds that follows no redirection
	Clock    warifu.Clock // nil: the machine's
}

// Party is a relying party at one provider. It may be used by many at once.
type Party struct {
	config Config
	http   *http.Client
	seal   sealer
	spent  spent

	mu       sync.Mutex
	provider *provider // read at the first need
	keys     keySet
}

// Open checks the configuration. The provider is asked nothing yet: it may start later
// than its relying parties do. Errors: Invalid "relying-party-config".
func Open(_ context.Context, c Config) (*Party, error) {
	for _, need := range []struct{ name, value string }{{"Issuer", c.Issuer}, {"RedirectURI", c.RedirectURI}} {
		u, err := url.Parse(need.value)
		if err != nil || u.Host == "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
			return nil, warifu.Invalid("relying-party-config", "what", need.name)
		}
	}
	if c.ClientID == "" {
		return nil, warifu.Invalid("relying-party-config", "what", "ClientID")
	}
	if c.Key == nil {
		return nil, warifu.Invalid("relying-party-config", "what", "Key")
	}
	if _, err := algorithmOf(c.Key.Public()); err != nil {
		return nil, err
	}
	if c.Clock == nil {
		c.Clock = warifu.SystemClock{}
	}
	if c.StateKey == ([32]byte{}) {
		_, _ = rand.Read(c.StateKey[:]) // never fails (crypto/rand)
	}
	seal, err := newSealer(c.StateKey, c.ClientID)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: timeout}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Party{config: c, http: &client, seal: seal}, nil
}

// timeout is how long one question to the provider may take.
const timeout = 10 * time.Second

// now is the instant by the party's clock.
func (p *Party) now() time.Time { return p.config.Clock.Now() }

// scopes is what is asked for: the wish's or else the configuration's, "openid" first.
func (p *Party) scopes(wish []string) string {
	if len(wish) == 0 {
		wish = p.config.Scopes
	}
	all := []string{"openid"}
	for _, s := range wish {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return strings.Join(all, " ")
}
