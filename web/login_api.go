package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/oidc"
)

const loginsPath = "/api/v1/logins/{login}"

// claimants adds the doors by which an app, or a reader with a card, answers a login.
func (s *site) claimants(api huma.API, mux *http.ServeMux) {
	register(s, api, http.MethodGet, loginsPath, "login-question", "What a login asks, for who has its link", http.StatusOK, s.loginQuestion)
	registerUpTo(s, api, maxLoginAnswer, http.MethodPost, loginsPath+"/answer", "answer-login", "Approve a login", http.StatusOK, s.answerLogin)
	register(s, api, http.MethodPost, loginsPath+"/decline", "decline-login", "Decline a login: nothing is signed", http.StatusOK, s.declineLogin)
	mux.HandleFunc("GET "+loginsPath+"/document", s.loginDocument)
}

// LoginPath names a login. Who has its identifier may look and may end it, and no more.
type LoginPath struct {
	Login string `path:"login" minLength:"27" maxLength:"27" pattern:"^l[a-z2-7]{26}$" doc:"Of the link that the browser shows"`
}

type loginQuestionInput struct {
	LoginPath
	Way string `query:"way" enum:"app,qr" required:"true" doc:"app: the link was opened on the device that logs in. qr: on another, where a number is picked"`
}

type presenceBody struct {
	Purpose     string    `json:"purpose"`
	ClientID    string    `json:"clientId"`
	Origin      string    `json:"origin"`
	Nonce       octets    `json:"nonce" doc:"Of the consent to all attributes; with less, another: attest.Consent"`
	Transaction string    `json:"transaction"`
	Time        time.Time `json:"time"`
}

// loginQuestionBody is oidc.Question on the wire.
type loginQuestionBody struct {
	Login      string          `json:"login"`
	Client     oidc.ClientView `json:"client"`
	Scopes     []string        `json:"scopes"`
	Attributes []string        `json:"attributes" doc:"Asked for: name, address, birthdate, gender. The person may leave out any"`
	Demands    string          `json:"demands,omitempty" doc:"card or phone: no other is taken"`
	Sign       *oidc.SignView  `json:"sign,omitempty" doc:"What is to be signed together with the login"`
	Salt       octets          `json:"salt" doc:"Of the consent"`
	Presence   presenceBody    `json:"presence" doc:"What is signed by who agrees to everything"`
	Numbers    []string        `json:"numbers,omitempty" doc:"Three, of which the browser shows one"`
	Expires    time.Time       `json:"expires"`
	Way        string          `json:"way"`
}

type loginQuestionOutput struct{ Body loginQuestionBody }

func (s *site) loginQuestion(ctx context.Context, in *loginQuestionInput) (*loginQuestionOutput, error) {
	q, err := s.Login.Claimant.Question(ctx, in.Login, in.Way)
	if err != nil {
		return nil, err
	}
	p := q.Presence
	return &loginQuestionOutput{loginQuestionBody{
		Login: q.Login, Client: q.Client, Scopes: q.Scopes, Attributes: q.Attributes, Demands: q.Demands, Sign: q.Sign, Salt: q.Salt,
		Presence: presenceBody{p.Purpose, p.ClientID, p.Origin, p.Nonce, p.Transaction, p.Time.UTC()},
		Numbers:  q.Numbers, Expires: q.Expires.UTC(), Way: q.Way,
	}}, nil
}

// maxLoginAnswer is an answer with a signed document in it, in base64 and JSON.
const maxLoginAnswer = oidc.MaxAnswer

// loginAnswers reports whether a request may be that large: only the answer to a login that
// waits for a signed document. Who sends little is not looked up.
func (s *site) loginAnswers(r *http.Request) bool {
	rest, answers := strings.CutPrefix(r.URL.Path, "/api/v1/logins/")
	id, ends := strings.CutSuffix(rest, "/answer")
	if s.Login == nil || r.Method != http.MethodPost || !answers || !ends || r.ContentLength >= 0 && r.ContentLength <= maxRequest || !loginID.MatchString(id) {
		return false
	}
	q, err := s.Login.Claimant.Question(r.Context(), id, oidc.WayApp)
	return err == nil && q.Sign != nil
}

type loginAnswerInput struct {
	LoginPath
	Body struct {
		Certificate    octets   `json:"certificate,omitempty" doc:"DER, of the authentication credential of the phone or of the card"`
		Signature      octets   `json:"signature,omitempty" doc:"Over the presence, its nonce that of the consent to what was agreed"`
		Agreed         []string `json:"agreed" maxItems:"16" doc:"Which of the attributes may be told"`
		Number         string   `json:"number,omitempty" maxLength:"2" doc:"As picked; a wrong one ends the login"`
		Activation     string   `json:"activation" enum:"pin,screen-lock,password" doc:"What opened the key"`
		AttributesFrom octets   `json:"attributesFrom,omitempty" doc:"DER, of the same card's signing credential: where a card's attributes are told from"`
		Signed         *struct {
			Certificate octets `json:"certificate" doc:"DER, of the signing credential"`
			Signature   octets `json:"signature,omitempty" doc:"Bare, or CMS"`
			Document    octets `json:"document,omitempty" doc:"With the signature in it"`
			Element     string `json:"element,omitempty" maxLength:"32" doc:"With request: identifier of the secure element"`
			Request     octets `json:"request,omitempty" doc:"The secure element's word that the signing password was given for this signature and this consent: in the place of the presence"`
		} `json:"signed,omitempty" doc:"Where a document was asked to be signed"`
	}
}

type loginAnswerOutput struct {
	Body struct {
		Return  string   `json:"return,omitempty" doc:"Where the browser of this device goes on; once, and only the one that began"`
		Missing []string `json:"missing,omitempty" doc:"Attributes that were agreed to and cannot be told"`
	}
}

func (s *site) answerLogin(ctx context.Context, in *loginAnswerInput) (*loginAnswerOutput, error) {
	b := in.Body
	a := oidc.Answer{Certificate: b.Certificate, Signature: b.Signature, Agreed: b.Agreed, Number: b.Number, Activation: b.Activation, AttributesFrom: b.AttributesFrom}
	if g := b.Signed; g != nil {
		a.Signed = &oidc.Signed{Certificate: g.Certificate, Signature: g.Signature, Document: g.Document, Element: g.Element, Request: g.Request}
	}
	answered, err := s.Login.Claimant.Answer(ctx, in.Login, a)
	if err != nil {
		return nil, err
	}
	out := &loginAnswerOutput{}
	out.Body.Return, out.Body.Missing = answered.Return, answered.Missing
	return out, nil
}

type emptyOutput struct{ Body struct{} }

func (s *site) declineLogin(ctx context.Context, in *LoginPath) (*emptyOutput, error) {
	return &emptyOutput{}, s.Login.Claimant.Decline(ctx, in.Login)
}

// loginDocument hands out what is to be signed, as it is.
func (s *site) loginDocument(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("login")
	if !loginID.MatchString(id) {
		s.refuse(w, r, "login-document", warifu.NotFound("login-unknown"))
		return
	}
	document, err := s.Login.Claimant.Document(r.Context(), id)
	if err != nil {
		s.refuse(w, r, "login-document", err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", "attachment")
	_, _ = w.Write(document)
}
