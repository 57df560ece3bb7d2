package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"warifu"
)

// What a client's entry may measure.
const (
	maxRedirectURIs = 10
	maxURI          = 500 // octets
	maxEntryKeys    = 10
	maxJWKS         = 32 << 10 // octets
	maxClientName   = 200      // octets, both languages together
	minRSABits      = 2048
)

// clientID is an operator's word for a service, or RP and eight digits as デジタル認証アプリ
// gives them and as developers get them from Enrol.
var (
	clientID = regexp.MustCompile(`^([a-z0-9][a-z0-9.-]{0,39}|RP[0-9]{8})$`)
	sectorID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$`)
)

// Check says whether the entry is one that the provider can serve. Invalid "client-invalid"
// names the client and the field that may not be as it is.
func (c Client) Check() error {
	if fault := c.fault(); fault != "" {
		return warifu.Invalid("client-invalid", "client", c.ID, "fault", fault)
	}
	return nil
}

func (c Client) fault() string {
	switch {
	case !clientID.MatchString(c.ID):
		return "id"
	case c.Name.Japanese == "" || c.Name.English == "" || len(c.Name.Japanese)+len(c.Name.English) > maxClientName || hasControl(c.Name.Japanese+c.Name.English):
		return "name"
	case len(c.RedirectURIs) == 0 || len(c.RedirectURIs) > maxRedirectURIs || !distinct(c.RedirectURIs):
		return "redirect_uris"
	case c.Sector != "" && !sectorID.MatchString(c.Sector):
		return "sector"
	case (c.JWKSURI == "") == (len(c.JWKS.Keys) == 0): // exactly one of the two
		return "jwks"
	case c.JWKSURI != "" && !webAddress(c.JWKSURI):
		return "jwks_uri"
	case !distinct(c.Scopes) || slices.ContainsFunc(c.Scopes, func(s string) bool { return !slices.Contains(ScopesSupported, s) }):
		return "scopes"
	case !slices.Contains([]string{"", FormatISO, FormatCompact}, c.BirthdateFormat):
		return "birthdate_format"
	case !slices.Contains([]string{"", FormatWord, FormatNumber}, c.GenderFormat):
		return "gender_format"
	}
	for _, u := range c.RedirectURIs {
		if !webAddress(u) {
			return "redirect_uris"
		}
	}
	if c.JWKSURI == "" {
		return keysFault(c.JWKS)
	}
	return ""
}

// webAddress reports whether a browser or the server may be sent there: https, or http where
// it stays on the machine (RFC 8252 §7.3); no fragment (RFC 6749 §3.1.2), nobody's name and
// password, and nothing that two readers could read differently.
func webAddress(s string) bool {
	if len(s) > maxURI || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) || strings.Contains(s, "#") {
		return false
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return false
	}
	return u.Scheme == "https" || (u.Scheme == "http" && loopbackHost(u.Hostname()))
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// keysFault says what is wrong with a client's key set: it has at least one key that signs,
// each of a kind that counts, and no private one, which its owner then would have published.
func keysFault(set jose.JSONWebKeySet) string {
	if len(set.Keys) > maxEntryKeys {
		return "jwks"
	}
	signs := false
	for _, k := range set.Keys {
		if !k.Valid() || !k.IsPublic() {
			return "jwks: a private or broken key"
		}
		switch key := k.Key.(type) {
		case *ecdsa.PublicKey:
			if key.Curve != elliptic.P256() {
				return "jwks: a curve that is not P-256"
			}
		case *rsa.PublicKey:
			if key.N.BitLen() < minRSABits {
				return "jwks: RSA of fewer than 2048 bits"
			}
		default:
			return "jwks: neither EC nor RSA"
		}
		signs = signs || k.Use != "enc"
	}
	if !signs {
		return "jwks: no key that signs"
	}
	return ""
}

// ParseJWKS reads a client's key set. Invalid "client-keys-invalid".
func ParseJWKS(b []byte) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	if len(b) > maxJWKS {
		return set, warifu.Invalid("client-keys-invalid", "fault", "too large")
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return jose.JSONWebKeySet{}, warifu.Invalid("client-keys-invalid", "fault", "no JWK set").With(err)
	}
	if fault := keysFault(set); fault != "" {
		return jose.JSONWebKeySet{}, warifu.Invalid("client-keys-invalid", "fault", fault)
	}
	return set, nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069)
	})
}

func distinct(list []string) bool {
	sorted := slices.Sorted(slices.Values(list))
	return len(slices.Compact(sorted)) == len(list)
}
