package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/registration"
)

// maxBody bounds the body of every request of the JSON interface in octets.
const maxBody = 128 << 10

// octets is []byte of a request: base64 in JSON. Its schema says so without asking for
// the check, which would go over every character with a regular expression before the
// decoder does it anyway.
type octets []byte

// Schema implements huma.SchemaProvider.
func (octets) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Extensions: map[string]any{"contentEncoding": "base64"}}
}

// bare is the same octets under the name that others know them by.
func bare(in []octets) [][]byte {
	out := make([][]byte, len(in))
	for i, o := range in {
		out[i] = o
	}
	return out
}

type challengeInput struct {
	Body struct {
		Element    string `json:"element" minLength:"32" maxLength:"32" doc:"Identifier of the secure element, 32 hexadecimal digits"`
		Model      string `json:"model" minLength:"1" maxLength:"128" doc:"Catalogue identifier of the device model"`
		OSBuild    string `json:"osBuild" maxLength:"128" doc:"Build of the operating system"`
		AppVersion int    `json:"appVersion" minimum:"0" maximum:"1000000" doc:"Version of the app (R20)"`
	}
}

type schemeTerms struct {
	ID        string `json:"id" doc:"Scheme and version, signed in the application document"`
	Algorithm string `json:"algorithm" enum:"rsa-2048,p-256" doc:"Algorithm of the keys to make"`
}

type challengeOutput struct {
	Body struct {
		Challenge []byte      `json:"challenge" doc:"32 octets, base64; one use"`
		ExpiresAt time.Time   `json:"expiresAt"`
		Scheme    schemeTerms `json:"scheme"`
		Consent   string      `json:"consent" doc:"Version of the notes to be consented to (R35)"`
	}
}

type applyInput struct {
	Body struct {
		Document           octets       `json:"document" doc:"CMS SignedData over the application document, signed by the card"`
		Attestation        octets       `json:"attestation" doc:"The secure element's attestation of its keys"`
		Chain              []octets     `json:"chain" minItems:"1" maxItems:"4" doc:"Its maker's certificates, leaf first, DER"`
		SecretsSet         octets       `json:"secretsSet" doc:"The secure element's word that the activation secrets are set"`
		CardAuthentication octets       `json:"cardAuthentication,omitempty" doc:"The card's authentication certificate, when that kind is asked for"`
		Contact            *contactBody `json:"contact,omitempty" doc:"Whom to tell of what is done, and how the hotline finds the holder"`
	}
}

type applicationBody struct {
	ID       string                  `json:"id" doc:"Identifier; it opens nothing by itself"`
	State    warifu.ApplicationState `json:"state" enum:"submitted,issued,rejected,withdrawn,personalized,lapsed"`
	Kinds    []string                `json:"kinds" doc:"signature, authentication"`
	Problem  string                  `json:"problem,omitempty" doc:"Why it was rejected or ended: a problem's slug"`
	Held     bool                    `json:"held,omitempty" doc:"A hold keeps it from being personalized"`
	DueAt    time.Time               `json:"dueAt" doc:"When issuing may begin (K1)"`
	Forecast *time.Time              `json:"forecast,omitempty" doc:"When it will be issued as things stand"`
	Lapses   *time.Time              `json:"lapses,omitempty" doc:"When issued: last instant to fetch it (K14)"`
	Status   string                  `json:"status" doc:"Address to ask again"`
}

type applicationOutput struct {
	Location string `header:"Location"`
	Body     applicationBody
}

type applicationPath struct {
	ID string `path:"id" minLength:"27" maxLength:"27" pattern:"^a[a-z2-7]{26}$" doc:"Identifier of the application"`
}

type withdrawInput struct {
	ID   string `path:"id" minLength:"27" maxLength:"27" pattern:"^a[a-z2-7]{26}$" doc:"Identifier of the application"`
	Body struct {
		Request []byte `json:"request" doc:"The secure element's signed request, purpose withdraw"`
	}
}

type sessionInput struct {
	ID   string `path:"id" minLength:"27" maxLength:"27" pattern:"^a[a-z2-7]{26}$" doc:"Identifier of the application"`
	Body struct {
		CardProof *struct {
			Certificate []byte `json:"certificate" doc:"The card's authentication certificate, DER"`
			Challenge   []byte `json:"challenge" doc:"The challenge of the problem card-proof-required"`
			Signature   []byte `json:"signature" doc:"Of the presence message, by the card's authentication key"`
		} `json:"cardProof,omitempty" doc:"Only after the problem card-proof-required (R45)"`
	}
}

type exchangeInput struct {
	Session string `path:"session" minLength:"27" maxLength:"27" pattern:"^s[a-z2-7]{26}$"`
	Body    struct {
		Responses []octets `json:"responses" maxItems:"256" doc:"Response APDUs in the order of the commands"`
	}
}

type exchangeOutput struct {
	Body struct {
		Session        string   `json:"session"`
		Commands       [][]byte `json:"commands" doc:"Command APDUs to hand to the chip in order"`
		Done           bool     `json:"done"`
		SuspensionCode string   `json:"suspensionCode,omitempty" doc:"When done: to be shown once, to print or to save elsewhere; it suspends and nothing else"`
	}
}

func (s *site) applications(api huma.API) {
	register(s, api, http.MethodPost, "/api/v1/challenges", "challenge", "Ask for a challenge", http.StatusOK, s.challenge)
	register(s, api, http.MethodPost, "/api/v1/applications", "apply", "Apply for certificates", http.StatusAccepted, s.apply)
	register(s, api, http.MethodGet, "/api/v1/applications/{id}", "application", "Where an application stands", http.StatusOK, s.application)
	register(s, api, http.MethodPost, "/api/v1/applications/{id}/withdrawal", "withdraw", "Withdraw an open application", http.StatusOK, s.withdraw)
	register(s, api, http.MethodPost, "/api/v1/applications/{id}/sessions", "open-session", "Begin to personalize", http.StatusOK, s.openSession)
	register(s, api, http.MethodPost, "/api/v1/sessions/{session}", "exchange", "Hand on the chip's responses", http.StatusOK, s.exchange)
}

// register adds an operation with the bounds and the error wording of the house.
func register[I, O any](s *site, api huma.API, method, path, id, summary string, status int, handle func(context.Context, *I) (*O, error)) {
	registerUpTo(s, api, maxBody, method, path, id, summary, status, handle)
}

// registerUpTo is register for bodies of up to that many octets.
func registerUpTo[I, O any](s *site, api huma.API, most int64, method, path, id, summary string, status int, handle func(context.Context, *I) (*O, error)) {
	huma.Register(api, huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, MaxBodyBytes: most,
		Errors: []int{401, 403, 404, 409, 413, 422, 429, 503},
	}, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			s.refused(ctx, id, err)
			p := problemOf(err, languageOf(ctx))
			if _, bearer := any(in).(interface{ token() string }); bearer && p.Status == http.StatusUnauthorized { // RFC 6750 §3
				return nil, huma.ErrorWithHeaders(p, http.Header{"WWW-Authenticate": {`Bearer error="invalid_token"`}})
			}
			if p.passes() {
				return nil, huma.ErrorWithHeaders(p, http.Header{"Retry-After": {retryAfter}})
			}
			return nil, p
		}
		return out, nil
	})
}

func (s *site) challenge(ctx context.Context, in *challengeInput) (*challengeOutput, error) {
	element, err := warifu.ParseElementID(in.Body.Element)
	if err != nil {
		return nil, err
	}
	c, err := s.Registration.Challenge(ctx, registration.Enquiry{
		Element: element, Model: in.Body.Model, OSBuild: in.Body.OSBuild, AppVersion: in.Body.AppVersion,
	})
	if err != nil {
		return nil, err
	}
	out := &challengeOutput{}
	out.Body.Challenge, out.Body.ExpiresAt, out.Body.Consent = c.Octets, c.ExpiresAt, s.Scheme.Consent
	out.Body.Scheme = schemeTerms{ID: s.Scheme.ID(), Algorithm: s.Scheme.Algorithm}
	return out, nil
}

func (s *site) apply(ctx context.Context, in *applyInput) (*applicationOutput, error) {
	submission := registration.Submission{
		Document: in.Body.Document, Attestation: in.Body.Attestation, Chain: bare(in.Body.Chain),
		SecretsSet: in.Body.SecretsSet, CardAuthentication: in.Body.CardAuthentication,
	}
	if in.Body.Contact != nil {
		contact := in.Body.Contact.contact()
		submission.Contact = &contact
	}
	a, err := s.Registration.Apply(ctx, submission)
	if err != nil {
		return nil, err
	}
	return s.applicationOutput(a), nil
}

func (s *site) application(ctx context.Context, in *applicationPath) (*applicationOutput, error) {
	a, err := s.Registration.Application(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.applicationOutput(a), nil
}

func (s *site) withdraw(ctx context.Context, in *withdrawInput) (*applicationOutput, error) {
	a, err := s.Registration.Withdraw(ctx, in.ID, in.Body.Request)
	if err != nil {
		return nil, err
	}
	return s.applicationOutput(a), nil
}

func (s *site) openSession(ctx context.Context, in *sessionInput) (*exchangeOutput, error) {
	var proof *registration.CardProof
	if p := in.Body.CardProof; p != nil {
		proof = &registration.CardProof{Certificate: p.Certificate, Challenge: p.Challenge, Signature: p.Signature}
	}
	return exchangeAnswer(s.Registration.OpenSession(ctx, in.ID, proof))
}

func (s *site) exchange(ctx context.Context, in *exchangeInput) (*exchangeOutput, error) {
	return exchangeAnswer(s.Registration.Exchange(ctx, in.Session, bare(in.Body.Responses)))
}

func exchangeAnswer(e registration.Exchange, err error) (*exchangeOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &exchangeOutput{}
	out.Body.Session, out.Body.Commands, out.Body.Done, out.Body.SuspensionCode = e.Session, e.Commands, e.Done, e.SuspensionCode.Reveal()
	return out, nil
}

func (s *site) applicationOutput(a registration.Application) *applicationOutput {
	address := "/api/v1/applications/" + a.ID
	b := applicationBody{ID: a.ID, State: a.State, Problem: a.Problem, Held: a.Held, DueAt: a.Due, Status: address}
	for _, k := range a.Kinds {
		b.Kinds = append(b.Kinds, k.String())
	}
	if !a.Lapses.IsZero() {
		b.Lapses = &a.Lapses
	}
	if a.State == warifu.ApplicationSubmitted {
		if f, ok := s.Forecast(a.Due); ok {
			b.Forecast = &f
		}
	}
	return &applicationOutput{Location: address, Body: b}
}
