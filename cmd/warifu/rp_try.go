package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"warifu"
	"warifu/relyingparty"
	"warifu/sandbox/firstlogin"
)

type rpTry struct {
	rpFolder
	Once bool `help:"Stop after the first login."`
}

// Run implements the command.
func (c rpTry) Run(s *session) error {
	env, err := readEnv(filepath.Join(c.Dir, rpEnvName))
	if err != nil {
		return warifu.NotFound("rp-folder", "folder", c.Dir).With(err)
	}
	party, err := partyOf(s.ctx, env)
	if err != nil {
		return err
	}
	callback, err := url.Parse(env["WARIFU_REDIRECT_URI"])
	if err != nil || callback.Scheme != "http" || callback.Port() == "" {
		return warifu.Refused("rp-try-address", "address", env["WARIFU_REDIRECT_URI"])
	}
	listener, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", callback.Host)
	if err != nil {
		return warifu.Conflict("world-port-taken", "address", callback.Host).With(err)
	}
	return c.serve(s, listener, party, callback)
}

// rpClaims is who came, for programs.
type rpClaims struct {
	Subject    string    `json:"sub"`
	Class      string    `json:"warifu_class"`
	Activation string    `json:"warifu_activation"`
	ACR        string    `json:"acr"`
	AuthTime   time.Time `json:"auth_time"`
	Name       string    `json:"name,omitempty"`
	Address    string    `json:"address,omitempty"`
	BirthDate  string    `json:"birthdate,omitempty"`
	Gender     string    `json:"gender,omitempty"`
}

// serve answers until somebody stops it, or with --once until somebody has logged in.
func (c rpTry) serve(s *session, l net.Listener, party *relyingparty.Party, callback *url.URL) error {
	came := make(chan firstlogin.Came, 1)
	told := func(who firstlogin.Came) {
		claims := rpClaims{
			Subject: who.Subject, Class: who.Class, Activation: who.Activation, ACR: who.ACR, AuthTime: who.AuthTime.UTC(),
			Name: who.Name, Address: who.Address, BirthDate: who.BirthDate, Gender: who.Gender,
		}
		_ = s.say(claims, "rp.came", map[string]string{"subject": who.Subject, "class": who.Class, "name": orElse(who.Name, "-")})
		if c.Once {
			select {
			case came <- who:
			default:
			}
		}
	}
	site := &http.Server{Handler: firstlogin.Handler(party, callback, told), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- site.Serve(l) }()
	origin := "http://" + callback.Host + "/"
	if err := s.tell("rp.trying", map[string]string{"url": origin}); err != nil {
		return err
	}
	openBrowser(origin)
	select {
	case <-s.ctx.Done():
	case <-came:
	case err := <-served:
		return err
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 5*time.Second)
	defer cancel()
	err := site.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = site.Close()
	}
	return err
}

// partyOf is the relying party of an .env: what a program of one's own does with it too.
func partyOf(ctx context.Context, env map[string]string) (*relyingparty.Party, error) {
	b, err := os.ReadFile(env["WARIFU_KEY_FILE"])
	if err != nil {
		return nil, warifu.NotFound("cli-file", "file", env["WARIFU_KEY_FILE"]).With(err)
	}
	key, err := relyingparty.LoadKey(b)
	if err != nil {
		return nil, err
	}
	return relyingparty.Open(ctx, relyingparty.Config{
		Issuer: env["WARIFU_ISSUER"], ClientID: env["WARIFU_CLIENT_ID"], Key: key, RedirectURI: env["WARIFU_REDIRECT_URI"],
		Scopes: strings.Fields(env["WARIFU_SCOPES"]),
	})
}

// readEnv reads an .env as "rp new" writes it: NAME="value", and lines that begin with #.
func readEnv(name string) (map[string]string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, line := range strings.Split(string(b), "\n") {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			out[key] = strings.Trim(value, `"`)
		}
	}
	return out, nil
}
