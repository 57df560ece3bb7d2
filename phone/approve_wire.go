package phone

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"warifu"
)

// LoginAnswer is a claimant's answer on the wire.
type LoginAnswer struct {
	Certificate []byte   `json:"certificate,omitempty"` // DER, of the authentication key
	Signature   []byte   `json:"signature,omitempty"`   // over the presence with the consent's nonce
	Agreed      []string `json:"agreed"`
	Number      string   `json:"number,omitempty"`
	Activation  string   `json:"activation"`
	// AttributesFrom is, of a card, the certificate (DER) of its signing credential, which the
	// attributes are told from.
	AttributesFrom []byte       `json:"attributesFrom,omitempty"`
	Signed         *LoginSigned `json:"signed,omitempty"` // where the question has a document
}

// LoginSigned is what was signed together with a login.
type LoginSigned struct {
	Certificate []byte `json:"certificate"`         // DER, of the signing credential
	Signature   []byte `json:"signature,omitempty"` // bare, or CMS
	Document    []byte `json:"document,omitempty"`  // of modes that put the signature in it
	// Element and Request are the chip's word in the place of Certificate and Signature of the
	// answer, where the signing password alone was typed (approveSigning).
	Element string `json:"element,omitempty"`
	Request []byte `json:"request,omitempty"`
}

// LoginQuestion asks what a login is about.
func (s *Server) LoginQuestion(ctx context.Context, l LoginLink) (LoginQuestion, error) {
	var q LoginQuestion
	err := s.do(ctx, call{http.MethodGet, "/api/v1/logins/" + l.Login + "?way=" + l.Way, nil, &q, true})
	return q, err
}

// answerLogin hands an answer in, once: a number is picked once. Where the browser is to be
// opened, it must be with the server and nobody else.
func (s *Server) answerLogin(ctx context.Context, q LoginQuestion, answer LoginAnswer) (Approved, error) {
	var out Approved
	if err := s.do(ctx, call{http.MethodPost, "/api/v1/logins/" + q.Login + "/answer", answer, &out, false}); err != nil {
		return Approved{}, err
	}
	if out.Return != "" && (q.Way != WayApp || !strings.HasPrefix(out.Return, s.Origin()+"/login/"+q.Login+"/done?")) {
		return Approved{}, warifu.Unavailable("server-answer-unreadable", "server", s.Origin()).With(errors.New("a return address elsewhere"))
	}
	out.Agreed = answer.Agreed
	return out, nil
}

// declineLogin ends a login. It needs no secret: whoever holds the link can only end it.
func (s *Server) declineLogin(ctx context.Context, q LoginQuestion) (Approved, error) {
	var out Approved
	if q.Way == WayApp {
		out.Return = s.Origin() + "/login/" + q.Login
	}
	return out, s.do(ctx, call{http.MethodPost, "/api/v1/logins/" + q.Login + "/decline", struct{}{}, nil, true})
}
