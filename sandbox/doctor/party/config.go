package party

import (
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"warifu"
)

// maxConfig bounds a configuration file in octets.
const maxConfig = 256 << 10

// Config says how the relying party is reached and what it demands. docs/doctor.md tells
// of every field.
type Config struct {
	Issuer   string   `toml:"issuer"`    // what the relying party is configured with: the doctor's address and /api/realms/main
	Listen   string   `toml:"listen"`    // where the doctor listens; the issuer's host and port by default
	TLS      TLS      `toml:"tls"`       // for an https issuer
	Trust    string   `toml:"trust"`     // PEM file of who certified the relying party's https
	Run      []string `toml:"run"`       // starts the relying party, once the provider listens
	Wait     Duration `toml:"wait"`      // for the relying party to answer at first; 60s
	Patience Duration `toml:"patience"`  // within which every page of it must come; 20s
	KeysWait Duration `toml:"keys_wait"` // within which it has to fetch new keys; 0s: at once
	Client   Client   `toml:"client"`
	Login    Login    `toml:"login"`
	Who      Who      `toml:"who"`
	Demands  Demands  `toml:"demands"`
	Verifier Verifier `toml:"verifier"`
}

// TLS is the doctor's own certificate.
type TLS struct {
	Certificate string `toml:"certificate"` // PEM file, chain
	Key         string `toml:"key"`         // PEM file
}

// Client is what the relying party was registered as.
type Client struct {
	ID             string `toml:"id"`
	RedirectURI    string `toml:"redirect_uri"`
	Authentication string `toml:"authentication"` // private_key_jwt (default), client_secret_basic, client_secret_post, none
	JWKS           string `toml:"jwks"`           // the set itself, as JSON
	JWKSURI        string `toml:"jwks_uri"`
	Algorithm      string `toml:"algorithm"` // of ID tokens: ES256 (default), RS256, PS256
	PAR            bool   `toml:"par"`       // it pushes its requests (RFC 9126)
	// OneProvider: it knows no other provider than this, so that answers cannot be mixed up
	// (RFC 9700 §4.4) and one without iss is advice and no fault.
	OneProvider bool `toml:"one_provider"`
}

// Login is how a person logs in and out at the relying party.
type Login struct {
	Start        string            `toml:"start"`     // begins a login; may be relative to the examined URL
	Method       string            `toml:"method"`    // of Start: GET (default) or POST
	Form         map[string]string `toml:"form"`      // of a POST
	Page         string            `toml:"page"`      // fetched before a POST; its hidden fields go along
	ReturnTo     string            `toml:"return_to"` // name of the parameter of Start that says where to go afterwards
	Logout       string            `toml:"logout"`
	LogoutMethod string            `toml:"logout_method"` // GET (default) or POST
}

// Who is how to tell who is logged in.
type Who struct {
	URL   string `toml:"url"`
	JSON  string `toml:"json"`  // JSON pointer (RFC 6901) to the subject or the name
	Match string `toml:"match"` // regular expression whose first group is it
	Claim string `toml:"claim"` // which claim is shown there: sub (default) or name

	match *regexp.Regexp
}

// Demands is what the relying party asks of a login, and must refuse when it is not there.
type Demands struct {
	Class  string   `toml:"class"`   // "card" or "phone" (warifu_class)
	ACR    []string `toml:"acr"`     // acr_values
	MaxAge Duration `toml:"max_age"` // max_age
}

// Duration is a span of time as "20s".
type Duration struct{ time.Duration }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(b))
	if err == nil && d.Duration < 0 {
		err = errors.New("a duration is not negative")
	}
	return err
}

// The ways in which a relying party proves to the provider that it is itself.
const (
	byAssertion = "private_key_jwt"
	byBasic     = "client_secret_basic"
	byPost      = "client_secret_post"
	byNothing   = "none"
)

// ReadConfig reads the TOML file of somebody's relying party at target, to which addresses
// in it may be relative. Errors: Invalid "doctor-config" with "what"; TooLarge
// "doctor-config-large".
func ReadConfig(r io.Reader, target string) (Config, error) {
	var c Config
	file, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return c, warifu.Unavailable("doctor-config", "what", err.Error())
	}
	if len(file) > maxConfig {
		return c, warifu.TooLarge("doctor-config-large")
	}
	meta, err := toml.Decode(string(file), &c)
	if err != nil {
		return c, wrong(err.Error())
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return c, wrong(unknown[0].String())
	}
	return c, c.Complete(target)
}

func wrong(what string) error { return warifu.Invalid("doctor-config", "what", what) }

// Complete fills in what was left out and refuses what cannot be. Errors as ReadConfig.
func (c *Config) Complete(target string) error {
	at, err := absolute(target)
	if err != nil {
		return wrong("URL")
	}
	issuer, err := absolute(c.Issuer)
	if err != nil || issuer.RawQuery != "" || issuer.Fragment != "" || strings.HasSuffix(c.Issuer, "/") {
		return wrong("issuer")
	}
	if c.Listen == "" {
		c.Listen = issuer.Host
		if issuer.Port() == "" {
			return wrong("listen")
		}
	}
	if c.Client.ID == "" {
		return wrong("client.id")
	}
	preset(&c.Client.Authentication, byAssertion)
	if !slices.Contains([]string{byAssertion, byBasic, byPost, byNothing}, c.Client.Authentication) {
		return wrong("client.authentication")
	}
	preset(&c.Client.Algorithm, "ES256")
	if !slices.Contains([]string{"ES256", "RS256", "PS256"}, c.Client.Algorithm) {
		return wrong("client.algorithm")
	}
	if !slices.Contains([]string{"", "card", "phone"}, c.Demands.Class) {
		return wrong("demands.class")
	}
	span(&c.Wait, time.Minute)
	span(&c.Patience, 20*time.Second)
	if err := c.Who.complete(); err != nil {
		return err
	}
	if c.Verifier.URL != "" {
		if issuer.Scheme != "http" { // status is asked for over http (RFC 5280 §4.2.2.1)
			return wrong("issuer, verifier")
		}
		if err := c.Verifier.complete(); err != nil {
			return err
		}
	}
	return c.addresses(at)
}

func preset(s *string, to string) {
	if *s == "" {
		*s = to
	}
}

func span(d *Duration, to time.Duration) {
	if d.Duration == 0 {
		d.Duration = to
	}
}

func (w *Who) complete() error {
	preset(&w.Claim, "sub")
	switch {
	case w.URL == "":
		return wrong("who.url")
	case w.Claim != "sub" && w.Claim != "name":
		return wrong("who.claim")
	case (w.JSON == "") == (w.Match == ""):
		return wrong("who.json, who.match")
	case w.JSON != "" && !strings.HasPrefix(w.JSON, "/"):
		return wrong("who.json")
	}
	if w.Match == "" {
		return nil
	}
	m, err := regexp.Compile(w.Match)
	if err != nil || m.NumSubexp() < 1 {
		return wrong("who.match")
	}
	w.match = m
	return nil
}

// addresses makes every address absolute.
func (c *Config) addresses(at *url.URL) error {
	preset(&c.Login.Method, "GET")
	preset(&c.Login.LogoutMethod, "GET")
	if c.Login.Start == "" {
		return wrong("login.start")
	}
	if c.Client.RedirectURI == "" {
		return wrong("client.redirect_uri")
	}
	named := map[string]*string{
		"login.start": &c.Login.Start, "login.page": &c.Login.Page, "login.logout": &c.Login.Logout, "who.url": &c.Who.URL,
		"client.jwks_uri": &c.Client.JWKSURI, "client.redirect_uri": &c.Client.RedirectURI,
		"verifier.url": &c.Verifier.URL, "verifier.pdf_url": &c.Verifier.PDFURL, "verifier.xml_url": &c.Verifier.XMLURL,
	}
	for name, p := range named {
		if *p == "" {
			continue
		}
		u, err := at.Parse(*p)
		if err != nil {
			return wrong(name)
		}
		if *p = u.String(); u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return wrong(name)
		}
	}
	for name, method := range map[string]string{"login.method": c.Login.Method, "login.logout_method": c.Login.LogoutMethod} {
		if method != "GET" && method != "POST" {
			return wrong(name)
		}
	}
	return nil
}

func absolute(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err == nil && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		err = errors.New("no http address")
	}
	return u, err
}
