package phone

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"warifu"
)

// Device is what the app says about the phone it runs on.
type Device struct {
	Element    warifu.ElementID `json:"element"`
	Model      string           `json:"model"` // catalogue identifier
	OSBuild    string           `json:"osBuild"`
	AppVersion int              `json:"appVersion"` // R20
}

// Terms are what the server offers an eligible phone: a challenge of one use (at
// most ten minutes), the scheme and the version of the consent text (R35).
type Terms struct {
	Challenge []byte      `json:"challenge"`
	ExpiresAt time.Time   `json:"expiresAt"`
	Scheme    SchemeTerms `json:"scheme"`
	Consent   string      `json:"consent"`
}

// SchemeTerms names the scheme the server works by.
type SchemeTerms struct {
	ID        string `json:"id"`        // "jp-mobile/1"
	Algorithm string `json:"algorithm"` // "rsa-2048" or "p-256"
}

// Submission is a complete application.
type Submission struct {
	Document           []byte   `json:"document"` // CMS signed by the card
	Attestation        []byte   `json:"attestation"`
	Chain              [][]byte `json:"chain"`
	SecretsSet         []byte   `json:"secretsSet"`
	CardAuthentication []byte   `json:"cardAuthentication,omitempty"` // the card's authentication certificate, when that kind is asked for
	Contact            *Contact `json:"contact,omitempty"`
}

// Application is where an application stands at the server.
type Application struct {
	ID       string                  `json:"id"`
	State    warifu.ApplicationState `json:"state"`
	Problem  string                  `json:"problem,omitempty"` // slug, when rejected
	Held     bool                    `json:"held,omitempty"`    // a hold keeps it from being personalized
	DueAt    *time.Time              `json:"dueAt,omitempty"`   // when issuance may begin (K1)
	Forecast *time.Time              `json:"forecast,omitempty"`
	Lapses   *time.Time              `json:"lapses,omitempty"` // last instant to fetch it (K14)
}

// Script is the next part of a personalizing session: commands for the chip.
type Script struct {
	Session  string   `json:"session,omitempty"`
	Commands [][]byte `json:"commands"`
	Done     bool     `json:"done,omitempty"`
	// SuspensionCode comes with Done, once: to be shown, printed or saved elsewhere.
	SuspensionCode string `json:"suspensionCode,omitempty"`
}

// CardProof is the card's presence when the server asks for it again (R45).
type CardProof struct {
	Certificate []byte `json:"certificate"` // DER, the card's authentication certificate
	Challenge   []byte `json:"challenge"`   // the nonce of the server's question
	Signature   []byte `json:"signature"`   // over attest.Presence of the server's question
}

// Challenge asks for terms; the server refuses a phone that is not eligible and
// keeps nothing either way.
func (s *Server) Challenge(ctx context.Context, d Device) (Terms, error) {
	var t Terms
	err := s.do(ctx, call{http.MethodPost, "/api/v1/challenges", d, &t, true})
	return t, err
}

// Submit hands an application in. It may be repeated: the server knows it by its
// document's identity.
func (s *Server) Submit(ctx context.Context, sub Submission) (Application, error) {
	var a Application
	err := s.do(ctx, call{http.MethodPost, "/api/v1/applications", sub, &a, true})
	return a, err
}

// Application asks where an application stands.
func (s *Server) Application(ctx context.Context, id string) (Application, error) {
	var a Application
	err := s.do(ctx, call{http.MethodGet, applicationPath(id), nil, &a, true})
	return a, err
}

// Withdraw hands in the chip's signed request (attest.DeviceRequest) to withdraw.
func (s *Server) Withdraw(ctx context.Context, id string, request []byte) error {
	in := struct {
		Request []byte `json:"request"`
	}{request}
	return s.do(ctx, call{http.MethodPost, applicationPath(id) + "/withdrawal", in, nil, true})
}

// OpenSession begins to personalize. It changes nothing on the chip, so it may be repeated.
func (s *Server) OpenSession(ctx context.Context, id string, proof *CardProof) (Script, error) {
	in := struct {
		CardProof *CardProof `json:"cardProof,omitempty"`
	}{proof}
	var script Script
	err := s.do(ctx, call{http.MethodPost, applicationPath(id) + "/sessions", in, &script, true})
	return script, err
}

// Exchange returns the chip's responses and fetches the next commands. It is never
// repeated: the secure channel counts; after a cut a new session resumes.
func (s *Server) Exchange(ctx context.Context, session string, responses [][]byte) (Script, error) {
	in := struct {
		Responses [][]byte `json:"responses"`
	}{responses}
	var script Script
	err := s.do(ctx, call{http.MethodPost, "/api/v1/sessions/" + url.PathEscape(session), in, &script, false})
	return script, err
}

func applicationPath(id string) string { return "/api/v1/applications/" + url.PathEscape(id) }
