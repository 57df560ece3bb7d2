package oidc

import (
	"context"
	"net/http"

	"warifu"
)

// Provider is the OpenID provider. It is the handler of the protocol's endpoints (Paths) and
// has a door for each step of a login.
type Provider struct{}

// ServeHTTP answers at Paths.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Question tells whoever has a login's identifier what is asked; way is WayApp or WayQR.
// Errors: NotFound "login-unknown", Conflict "login-over" with parameter "state".
func (p *Provider) Question(ctx context.Context, login, way string) (Question, error) {
	return Question{}, warifu.NotFound("login-unknown")
}

// Document returns the octets that are to be signed with a login. Errors as Question, and
// NotFound "login-signs-nothing".
func (p *Provider) Document(ctx context.Context, login string) ([]byte, error) {
	return nil, warifu.NotFound("login-unknown")
}

// Answer judges what the claimant hands in and, where it is good, approves the login in one
// transaction with the line in the holder's ledger. Errors: as Question; Invalid
// "login-answer-malformed"; Refused "login-presence-bad", "login-demands-card",
// "login-demands-phone", "login-number-wrong" (which ends the login), those of package verify
// where the credential is not good; TooMany "login-answers-too-many".
func (p *Provider) Answer(ctx context.Context, login string, a Answer) (Answered, error) {
	return Answered{}, warifu.NotFound("login-unknown")
}

// Decline ends a login: the browser goes back with access_denied. Errors as Question.
func (p *Provider) Decline(ctx context.Context, login string) error {
	return warifu.NotFound("login-unknown")
}

// Wait returns a channel that is closed when the login is not Waiting any more, or when ctx
// has ended: at once where this process moved it, and within 200 ms where another did.
func (p *Provider) Wait(ctx context.Context, login string) <-chan struct{} { return nil }

// View shows a login to the browser that began it: cookie is the value of CookieName.
// Errors: NotFound "login-unknown", Refused "login-cookie-wrong".
func (p *Provider) View(ctx context.Context, login, cookie string) (View, error) {
	return View{}, warifu.NotFound("login-unknown")
}

// Finish returns where the browser goes back to: with a code when the login is Approved,
// with access_denied when it ended otherwise. It gives a code once. returnToken is the
// parameter "return" of Answered.Return; "" where the browser goes on by itself. Errors: as
// View; Conflict "login-waiting", "login-finished"; Refused "login-return-wrong" where the
// login was approved on the same device and the token is not the answer's.
func (p *Provider) Finish(ctx context.Context, login, cookie, returnToken string) (redirect string, err error) {
	return "", warifu.NotFound("login-unknown")
}

// Cancel ends a login in its browser and returns where it goes back to, with access_denied.
// A page whose form leads here has to allow the client's origin in form-action: browsers hold
// redirections of a form against it. Errors as View; Conflict "login-over".
func (p *Provider) Cancel(ctx context.Context, login, cookie string) (redirect string, err error) {
	return "", warifu.NotFound("login-unknown")
}

// CookieName is the cookie that ties a login to its browser, with the port in it, since
// browsers keep cookies by host alone. Its path is /login/{login}: each login has its own.
func (p *Provider) CookieName() string { return "" }

// Paths are the addresses that the provider answers at, below the origin; those ending in /
// with all that is below them.
func Paths() []string {
	return []string{"/.well-known/openid-configuration", "/api/realms/main/"}
}
