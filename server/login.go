package server

import (
	"net/url"

	"warifu/oidc"
	"warifu/web"
)

// LoginConfig says where a login's page sends people on the same device. The link is added as
// the parameter "at".
type LoginConfig struct {
	// App is where the app takes a login's link: "https://app.example.jp/approve" (the platform
	// hands it to the app), or an address of the app's own scheme, "jp.example.app://approve".
	// Empty: the link itself, below the server's own origin.
	App string `toml:"app"`
	// Reader is the same for what works the card at a reader of this computer. Empty: the page
	// tells only that the card will do.
	Reader string `toml:"reader"`
	// Sandbox says that App opens phones in this browser, as the sandbox's place of phones does:
	// the page leads there beside its QR code, which nobody can scan.
	Sandbox bool `toml:"sandbox"`
}

// faults names an address that no browser hands to a program.
func (c LoginConfig) faults(must func(bool, string, ...any)) {
	must(c.App == "" || opens(c.App), "[login] app %q is no address of https or of a scheme of the app's own", c.App)
	must(c.Reader == "" || opens(c.Reader), "[login] reader %q is no address of https or of a scheme of the reader's own", c.Reader)
}

// opens reports whether an address leads a person somewhere: not to what a browser runs or
// reads by itself, and over plain HTTP to this machine only.
func opens(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Opaque != "" || u.Fragment != "" || u.User != nil {
		return false
	}
	switch u.Scheme {
	case "http":
		return isLoopback(u.Hostname())
	case "javascript", "data", "vbscript", "blob", "file", "about", "filesystem", "view-source":
		return false
	}
	return true
}

// loginSite is the provider's claimants' side as the site shows it.
func (s *Server) loginSite(p *oidc.Provider) *web.Login {
	return &web.Login{
		Endpoints: p, Claimant: p, Browser: p, Own: p, Cookie: p.CookieName(),
		App: s.config.Login.App, Reader: s.config.Login.Reader, Sandbox: s.config.Login.Sandbox, Ended: s.ended,
	}
}
