package relyingparty

import (
	"context"
	"net/url"
	"strings"
	"time"

	"warifu"
)

// tokenAnswer is what the token endpoint says (RFC 6749 5.1).
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
}

// grant asks the token endpoint.
func (p *Party) grant(ctx context.Context, at *provider, form url.Values) (tokenAnswer, error) {
	var answer tokenAnswer
	if err := p.authenticate(form, at.Token); err != nil {
		return answer, err
	}
	if err := p.post(ctx, at.Token, form, &answer); err != nil {
		return answer, err
	}
	if answer.AccessToken == "" || !strings.EqualFold(answer.TokenType, "Bearer") {
		return answer, warifu.Unauthenticated("provider-answer", "what", "access_token")
	}
	return answer, nil
}

// tokens asks for tokens with an ID token among them, and checks that one.
func (p *Party) tokens(ctx context.Context, at *provider, form url.Values) (*Login, idToken, error) {
	answer, err := p.grant(ctx, at, form)
	if err != nil {
		return nil, idToken{}, err
	}
	t, err := p.readIDToken(ctx, at, answer.IDToken, answer.AccessToken)
	if err != nil {
		return nil, t, err
	}
	login := &Login{
		Subject: t.Subject, Class: t.Class, Activation: t.Activation, ACR: t.ACR, IDToken: answer.IDToken,
		AccessToken: answer.AccessToken, RefreshToken: answer.RefreshToken,
		Expires: p.now().Add(time.Duration(answer.ExpiresIn) * time.Second),
	}
	if t.AuthTime != nil {
		login.AuthTime = t.AuthTime.Time()
	}
	return login, t, nil
}

// Refresh returns the login with new tokens: the refresh token is spent, and one that is
// used twice ends the login everywhere. It fails when the credential is no longer good.
// Errors as Finish.
func (p *Party) Refresh(ctx context.Context, login *Login) (*Login, error) {
	at, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	next, _, err := p.tokens(ctx, at, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {login.RefreshToken}})
	if err != nil {
		return nil, err
	}
	if next.Subject != login.Subject { // Core 12.2
		return nil, warifu.Unauthenticated("id-token-invalid", "what", "sub")
	}
	next.SignTransaction = login.SignTransaction
	if next.RefreshToken == "" {
		next.RefreshToken = login.RefreshToken
	}
	return next, nil
}

// Revoke ends the login at the provider (RFC 7009): its tokens open nothing any more. Where
// the provider has no such door it does nothing.
func (p *Party) Revoke(ctx context.Context, login *Login) error {
	at, err := p.discover(ctx)
	if err != nil || at.Revocation == "" {
		return err
	}
	token := login.RefreshToken
	if token == "" {
		token = login.AccessToken
	}
	form := url.Values{"token": {token}}
	if err := p.authenticate(form, at.Token); err != nil {
		return err
	}
	return p.post(ctx, at.Revocation, form, nil)
}

// Attributes is what the person agreed to tell; "" where they did not, or were not asked.
type Attributes struct {
	Name      string
	Address   string
	BirthDate string // as the client is registered: 2001-02-03 or 20010203
	Gender    string // as the client is registered: male, female or 1, 2
}

// UserInfo fetches the attributes. Errors as Finish; Unauthenticated "userinfo-subject"
// where they are somebody else's (Core 5.3.2).
func (p *Party) UserInfo(ctx context.Context, login *Login) (Attributes, error) {
	var told struct {
		Subject   string `json:"sub"`
		Name      string `json:"name"`
		BirthDate string `json:"birthdate"`
		Gender    string `json:"gender"`
		Address   struct {
			Formatted string `json:"formatted"`
		} `json:"address"`
	}
	at, err := p.discover(ctx)
	if err != nil {
		return Attributes{}, err
	}
	if err := p.get(ctx, at.UserInfo, login.AccessToken, &told); err != nil {
		return Attributes{}, err
	}
	if told.Subject == "" || told.Subject != login.Subject {
		return Attributes{}, warifu.Unauthenticated("userinfo-subject")
	}
	return Attributes{Name: told.Name, Address: told.Address.Formatted, BirthDate: told.BirthDate, Gender: told.Gender}, nil
}
