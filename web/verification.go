package web

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/attest"
	"warifu/ledger"
	"warifu/profile"
	"warifu/registration"
	"warifu/verification"
	"warifu/verify"
)

// Verification is what the site asks for relying parties, by their keys, and for holders,
// whose request was checked.
type Verification interface {
	Known(key string) bool
	Check(ctx context.Context, key string, q verification.Question) (verification.Answer, error)
	Again(ctx context.Context, key, id string) (verification.Answer, error)
	History(ctx context.Context, key, id string) (verification.Past, error)
	Wish(ctx context.Context, key, id string, attributes []verify.Attribute, purpose string) (verification.Wish, error)
	Wished(ctx context.Context, key, id string) (verification.Wish, error)
	Wishes(ctx context.Context, person warifu.Digest) ([]verification.Wish, error)
	Decide(ctx context.Context, person warifu.Digest, id string, grant bool, paper []byte) error
	Export(ctx context.Context, person warifu.Digest, id string) ([]byte, error)
	Webhooks
	Listings
}

// Checked is the ledger of who checked whom: read by its holder alone.
type Checked interface {
	Read(ctx context.Context, person warifu.Digest, after int64) (ledger.Page, error)
}

// Holders say who stands behind a phone's signed request.
type Holders interface {
	Holder(ctx context.Context, element warifu.ElementID, request []byte, purpose string) (registration.Holder, error)
	HolderByCard(ctx context.Context, document []byte, verb warifu.Verb) (registration.Holder, error)
}

// maxVerification bounds a question with a document: 16 MiB and its signature, in base64.
const maxVerification = 24 << 20

const verificationsPath = "/api/v1/verifications"

type verificationInput struct {
	Bearer
	Body struct {
		Form        string `json:"form" enum:"cms,pdf,xml,digest,presence,certificate" doc:"What you have in your hands"`
		Signature   octets `json:"signature,omitempty" doc:"cms: the message (DER). digest, presence: the bare signature"`
		Document    octets `json:"document,omitempty" doc:"cms: the document of a detached signature. pdf, xml: the signed file"`
		Field       string `json:"field,omitempty" maxLength:"200" doc:"pdf with several signatures: the name of the signature field"`
		Digest      octets `json:"digest,omitempty" doc:"digest: SHA-256 of the document, 32 octets"`
		Certificate octets `json:"certificate,omitempty" doc:"digest, presence, certificate: DER"`
		Question    *struct {
			Purpose     string    `json:"purpose" maxLength:"128"`
			ClientID    string    `json:"clientId" maxLength:"256"`
			Origin      string    `json:"origin" maxLength:"256"`
			Nonce       octets    `json:"nonce"`
			Transaction string    `json:"transaction" maxLength:"256"`
			Time        time.Time `json:"time"`
		} `json:"question,omitempty" doc:"presence: the question as you asked it, from your own records"`
		Policy struct {
			Accept       []string `json:"accept,omitempty" enum:"card,phone" doc:"What may stand behind it; both if left out"`
			MaxStatusAge int      `json:"maxStatusAge,omitempty" minimum:"0" maximum:"604800" doc:"Seconds that the status may be old; 0: as its issuer says"`
			Attributes   []string `json:"attributes,omitempty" enum:"name,address,birthDate,gender" doc:"The attributes you need, and no others"`
		} `json:"policy,omitempty"`
		Purpose string `json:"purpose" minLength:"1" maxLength:"400" doc:"What for, in words: the holder reads it"`
	}
}

type reasonBody struct {
	Problem string `json:"problem" doc:"Stable slug: decide by it"`
	TitleJa string `json:"titleJa"`
	TitleEn string `json:"titleEn"`
	NextJa  string `json:"nextJa"`
	NextEn  string `json:"nextEn"`
}

type certificateStatus struct {
	Status     string     `json:"status" enum:"good,revoked,unknown"`
	Reason     string     `json:"reason,omitempty" doc:"Of a revocation, as RFC 5280 names it; certificateHold is a suspension"`
	Since      *time.Time `json:"since,omitempty" doc:"When the revocation or suspension began"`
	Source     string     `json:"source,omitempty" doc:"Who said so"`
	At         *time.Time `json:"at,omitempty" doc:"When that was true"`
	AgeSeconds int64      `json:"ageSeconds" doc:"How old it was at the instant judged"`
}

type attributesBody struct {
	Name                string `json:"name,omitempty"`
	NameSubstitution    string `json:"nameSubstitution,omitempty"`
	Address             string `json:"address,omitempty"`
	AddressSubstitution string `json:"addressSubstitution,omitempty"`
	BirthDate           string `json:"birthDate,omitempty"`
	Gender              string `json:"gender,omitempty"`
}

type evidenceBody struct {
	ID    string    `json:"id" doc:"Name of the record: keep it"`
	Until time.Time `json:"until" doc:"When its newest time-stamp stops proving; it is renewed before"`
}

type verificationBody struct {
	ID             string             `json:"id,omitempty" doc:"Keep it: GET it to have the signature judged once more. Missing where this server is cut off"`
	Form           string             `json:"form"`
	Verdict        string             `json:"verdict" enum:"good,bad,unknown"`
	Reasons        []reasonBody       `json:"reasons" doc:"Why it is not good; empty exactly when it is"`
	Warnings       []reasonBody       `json:"warnings"`
	Class          string             `json:"class,omitempty" enum:"card,phone"`
	Kind           string             `json:"kind,omitempty" enum:"signature,authentication"`
	Subject        string             `json:"subject,omitempty" doc:"The holder, by a name for you alone"`
	Status         certificateStatus  `json:"status"`
	Now            *certificateStatus `json:"now,omitempty" doc:"When judged once more: the certificate's status at present"`
	At             time.Time          `json:"at" doc:"The instant judged"`
	StampedAt      *time.Time         `json:"stampedAt,omitempty" doc:"A trusted time-stamp on the signature says so"`
	SigningTime    *time.Time         `json:"signingTime,omitempty" doc:"The signer's own claim"`
	DocumentSHA256 string             `json:"documentSha256,omitempty" doc:"Keep it beside the id"`
	Changes        []string           `json:"changes,omitempty" doc:"pdf: what came after the signature"`
	Attributes     *attributesBody    `json:"attributes,omitempty"`
	Evidence       *evidenceBody      `json:"evidence,omitempty"`
	NoEvidence     string             `json:"noEvidence,omitempty" doc:"Why no evidence was kept: a slug"`
	HolderHears    string             `json:"holderHears" enum:"at-once,late,nobody" doc:"Whether this question stands in the holder's ledger"`
}

type verificationOutput struct{ Body verificationBody }

type verificationPath struct {
	Bearer
	ID string `path:"id" maxLength:"64" doc:"Of the verification"`
}

// verifications adds the doors for relying parties and those for holders.
func (s *site) verifications(api huma.API, mux *http.ServeMux) {
	if s.Verification == nil {
		return
	}
	registerUpTo(s, api, maxVerification, http.MethodPost, verificationsPath, "verify", "Have a signature, a login or a certificate checked", http.StatusOK, s.verify)
	register(s, api, http.MethodGet, verificationsPath+"/{id}", "verify-again", "Have it judged once more from the evidence that was kept", http.StatusOK, s.verifyAgain)
	register(s, api, http.MethodGet, verificationsPath+"/{id}/status-history", "verification-history", "When the certificate behind it was not good", http.StatusOK, s.verificationHistory)
	register(s, api, http.MethodPost, verificationsPath+"/{id}/attribute-requests", "wish-attributes", "Ask the holder for attributes as they are now", http.StatusAccepted, s.wish)
	register(s, api, http.MethodGet, "/api/v1/attribute-requests/{id}", "wished-attributes", "What the holder decided, and the attributes if they were granted", http.StatusOK, s.wished)
	s.holders(api)
	s.listings(api)
	s.webhooks(api, mux)
}

func (s *site) verify(ctx context.Context, in *verificationInput) (*verificationOutput, error) {
	q, err := questionOf(in)
	if err != nil {
		return nil, err
	}
	return verificationAnswer(s.Verification.Check(ctx, in.token(), q))
}

func questionOf(in *verificationInput) (verification.Question, error) {
	b := in.Body
	q := verification.Question{
		Form: verification.Form(b.Form), Signature: b.Signature, Document: b.Document, Field: b.Field, Digest: b.Digest, Certificate: b.Certificate,
		MaxStatusAge: time.Duration(b.Policy.MaxStatusAge) * time.Second, Purpose: b.Purpose,
	}
	if b.Question != nil {
		q.Presence = attest.Presence{Purpose: b.Question.Purpose, ClientID: b.Question.ClientID, Origin: b.Question.Origin, Nonce: b.Question.Nonce, Transaction: b.Question.Transaction, Time: b.Question.Time}
	}
	for _, name := range b.Policy.Accept {
		for _, class := range []profile.Class{profile.ClassCard, profile.ClassPhone} {
			if class.String() == name {
				q.Accept = append(q.Accept, class)
			}
		}
	}
	var err error
	q.Attributes, err = verification.ParseAttributes(b.Policy.Attributes)
	return q, err
}

func (s *site) verifyAgain(ctx context.Context, in *verificationPath) (*verificationOutput, error) {
	return verificationAnswer(s.Verification.Again(ctx, in.token(), in.ID))
}

func verificationAnswer(a verification.Answer, err error) (*verificationOutput, error) {
	if err != nil {
		return nil, err
	}
	r := a.Result
	b := verificationBody{
		ID: a.ID, Form: string(a.Form), Verdict: r.Verdict.String(), Reasons: reasons(r.Reasons), Warnings: reasons(a.Warnings), Subject: a.Subject,
		Status: statusOfResult(r), At: r.At.UTC(), StampedAt: moment(r.Stamped), SigningTime: moment(r.SigningTime), Changes: a.Changes,
		NoEvidence: a.NoEvidence, HolderHears: string(a.Holder), Attributes: attributesOf(a.Attributes),
	}
	if r.Authority != nil {
		b.Class, b.Kind = r.Class.String(), r.Kind.String()
	}
	if a.Document != (warifu.Digest{}) {
		b.DocumentSHA256 = a.Document.String()
	}
	if a.Evidence != nil {
		b.Evidence = &evidenceBody{a.Evidence.ID.String(), a.Evidence.Until.UTC()}
	}
	if a.Now != nil {
		now := statusOfResult(a.Now)
		b.Now = &now
	}
	return &verificationOutput{b}, nil
}

func statusOfResult(r *verify.Result) certificateStatus {
	out := certificateStatus{Status: r.Status.Cert.String(), Source: r.StatusSource, At: moment(r.StatusTime)}
	if out.At != nil {
		out.AgeSeconds = int64(r.StatusAge().Seconds())
	}
	if r.Status.Cert == warifu.StatusRevoked {
		out.Reason, out.Since = r.Status.Reason.String(), moment(r.Status.RevokedAt)
	}
	return out
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func attributesOf(a profile.Attributes) *attributesBody {
	if a.IsZero() {
		return nil
	}
	return &attributesBody{a.Name, a.NameSubstitution, a.Address, a.AddressSubstitution, a.BirthDate, a.Gender}
}

func reasons(list []*warifu.Error) []reasonBody {
	out := make([]reasonBody, len(list))
	for i, e := range list {
		p := problemOf(e, "")
		out[i] = reasonBody{e.Problem, p.TitleJa, p.TitleEn, p.NextJa, p.NextEn}
	}
	return out
}

type historyOutput struct {
	Body struct {
		AsOf  time.Time      `json:"asOf" doc:"Complete up to here"`
		Times []intervalBody `json:"times" doc:"When it was not good"`
	}
}

type intervalBody struct {
	From   *time.Time `json:"from,omitempty" doc:"Missing: as far back as there is"`
	To     *time.Time `json:"to,omitempty" doc:"Missing: it has not ended"`
	Status string     `json:"status" enum:"good,revoked,unknown"`
	Reason string     `json:"reason,omitempty"`
}

func (s *site) verificationHistory(ctx context.Context, in *verificationPath) (*historyOutput, error) {
	past, err := s.Verification.History(ctx, in.token(), in.ID)
	if err != nil {
		return nil, err
	}
	out := &historyOutput{}
	out.Body.AsOf, out.Body.Times = past.AsOf.UTC(), []intervalBody{}
	for _, i := range past.Holds {
		b := intervalBody{From: moment(i.From), To: moment(i.To), Status: i.Status.Cert.String()}
		if i.Status.Cert == warifu.StatusRevoked {
			b.Reason = i.Status.Reason.String()
		}
		out.Body.Times = append(out.Body.Times, b)
	}
	return out, nil
}

// verificationLimit is what a request's body may measure: more than others where it is a
// question by somebody who has a key.
func (s *site) verificationLimit(r *http.Request) (int64, bool) {
	if s.Verification == nil || r.URL.Path != verificationsPath || r.Method != http.MethodPost {
		return 0, false
	}
	return maxVerification, s.Verification.Known(Bearer{r.Header.Get("Authorization")}.token())
}

// phoneRequest is a request that a chip signed, where there is no body to put it in.
type phoneRequest struct {
	Element       string `path:"element" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Identifier of the secure element, 32 hexadecimal digits"`
	Authorization string `header:"Authorization" maxLength:"8000" doc:"Device and the secure element's signed request in base64"`
}

func (p phoneRequest) open() (element warifu.ElementID, request []byte, err error) {
	if element, err = warifu.ParseElementID(p.Element); err != nil {
		return element, nil, err
	}
	scheme, encoded, _ := strings.Cut(p.Authorization, " ")
	if request, err = base64.StdEncoding.DecodeString(encoded); err != nil || !strings.EqualFold(scheme, "Device") {
		return element, nil, warifu.Unauthenticated("device-request-absent")
	}
	return element, request, nil
}
