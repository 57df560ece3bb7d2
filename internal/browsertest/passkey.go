package browsertest

import (
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Passkeys gives the tab an authenticator that keeps passkeys and takes whoever sits there for
// verified (DevTools' WebAuthn domain), as a laptop's fingerprint reader would.
func (p *Page) Passkeys() *Page {
	p.t.Helper()
	return p.authenticator(webauthn.AuthenticatorTransportInternal)
}

// SecurityKey plugs a security key in beside it, which keeps passkeys of its own.
func (p *Page) SecurityKey() *Page {
	p.t.Helper()
	return p.authenticator(webauthn.AuthenticatorTransportUsb)
}

func (p *Page) authenticator(transport webauthn.AuthenticatorTransport) *Page {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, webauthn.Enable, webauthn.EnableParams{})
	p.must("passkeys", err)
	_, err = chromedp.Call(p.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: transport,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	p.must("an authenticator", err)
	return p
}
