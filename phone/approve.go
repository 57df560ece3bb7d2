package phone

import (
	"context"
	"time"

	"warifu"
	"warifu/jpki"
)

// Asked fetches what a login's link stands for, to be shown to the person. Errors:
// "approve-link-malformed"; "approve-other-server" for a link of anybody but the app's own
// server; "approve-malformed" for a question whose parts do not belong together, so that
// something else would be signed than is shown; "approve-expired"; "approve-card-demanded";
// those of the server.
func (a *App) Asked(ctx context.Context, link string) (LoginQuestion, error) {
	q, err := LoginAsked(ctx, a.Server, link, a.Clock.Now())
	if err != nil {
		return LoginQuestion{}, err
	}
	return q, q.takes(ClassPhone)
}

// LoginAsked is App.Asked before it is known what will answer, a phone or a card.
func LoginAsked(ctx context.Context, s *Server, link string, now time.Time) (LoginQuestion, error) {
	l, err := ParseLoginLink(link)
	if err != nil {
		return LoginQuestion{}, err
	}
	if l.Origin != s.Origin() {
		return LoginQuestion{}, warifu.Refused("approve-other-server", "origin", l.Origin, "server", s.Origin())
	}
	q, err := s.LoginQuestion(ctx, l)
	if err != nil {
		return LoginQuestion{}, err
	}
	return q, q.check(l, now)
}

// Agreement is what the person decided and typed.
type Agreement struct {
	Attributes []string // left ticked; none is an answer too
	Number     string   // picked, where the question has Numbers
	Unlock     Unlock   // the PIN or the screen lock
	Password   Unlock   // the signing password, where the question has a document
}

// Approved is what came of it.
type Approved struct {
	// Return is where the browser of this device goes on; empty where the other device's does
	// by itself.
	Return string `json:"return,omitempty"`
	// Agreed are the attributes that the person agreed to have told, and Missing those of them
	// that cannot be: there is no good signing certificate that carries them.
	Agreed  []string `json:"agreed,omitempty"`
	Missing []string `json:"missing,omitempty"`
}

// Approve answers the question with the phone's authentication key. Everything that can be
// wrong is found before the chip is asked and a try is spent (K7). Errors, besides those of
// Asked: "approve-attribute-unasked", "approve-number-missing"; those of the PIN and the screen
// lock; those of the server ("login-number-wrong" ends the login).
func (a *App) Approve(ctx context.Context, q LoginQuestion, g Agreement) (Approved, error) {
	if err := q.takes(ClassPhone); err != nil {
		return Approved{}, err
	}
	agreed, err := q.agreed(g.Attributes, g.Number, a.Clock.Now())
	if err != nil {
		return Approved{}, err
	}
	if q.Sign != nil {
		return a.approveSigning(ctx, q, agreed, g)
	}
	token, certificate, err := a.openKey(ctx, warifu.Authentication, g.Unlock)
	if err != nil {
		return Approved{}, err
	}
	signature, err := token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(q.presence(agreed).Digest()))
	if err != nil {
		return Approved{}, phoneError(err)
	}
	answer := LoginAnswer{Certificate: certificate.Raw, Signature: signature, Agreed: agreed, Number: g.Number, Activation: activationOf(g.Unlock)}
	return a.Server.answerLogin(ctx, q, answer)
}

// Decline tells the server that the person does not want to: the browser goes back to the
// relying party with access_denied, and nothing is signed. On this device it does so once it is
// opened at Return.
func (a *App) Decline(ctx context.Context, q LoginQuestion) (Approved, error) {
	return a.Server.declineLogin(ctx, q)
}

func activationOf(u Unlock) string {
	if u.Gesture != nil {
		return ActivationScreenLock
	}
	return ActivationPIN
}
