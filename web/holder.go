package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/attest"
	"warifu/ledger"
	"warifu/registration"
	"warifu/verification"
)

// holders adds the doors of phones: who checked me, and may they be told.
func (s *site) holders(api huma.API) {
	register(s, api, http.MethodGet, "/api/v1/elements/{element}/ledger", "ledger", "Who checked me", http.StatusOK, s.ledgerPage)
	register(s, api, http.MethodGet, "/api/v1/elements/{element}/evidence", "export-evidence", "The evidence that a relying party has of me", http.StatusOK, s.exportEvidence)
	register(s, api, http.MethodGet, "/api/v1/elements/{element}/consents", "consents", "Who wants to be told attributes of mine", http.StatusOK, s.consents)
	register(s, api, http.MethodPost, "/api/v1/elements/{element}/consents", "consent", "Let them be told, or not", http.StatusOK, s.consent)
	register(s, api, http.MethodPost, "/api/v1/orders/consents", "card-consents", "Who wants to be told attributes of mine, asked with the card on any device", http.StatusOK, s.cardConsents)
	register(s, api, http.MethodPost, "/api/v1/orders/consent", "card-consent", "Let them be told, or not, with the card on any device", http.StatusOK, s.cardConsent)
}

// holder checks a phone's request in the header.
func (s *site) holder(ctx context.Context, in phoneRequest, purpose string) (registration.Holder, error) {
	element, request, err := in.open()
	if err != nil {
		return registration.Holder{}, err
	}
	return s.Holders.Holder(ctx, element, request, purpose)
}

type ledgerOutput struct{ Body ledger.Page }

func (s *site) ledgerPage(ctx context.Context, in *phoneRequest) (*ledgerOutput, error) {
	h, err := s.holder(ctx, *in, registration.PurposeLedger)
	if err != nil {
		return nil, err
	}
	after, err := strconv.ParseInt(h.Subject, 10, 64)
	if err != nil || after < 0 {
		return nil, warifu.Refused("device-request-other")
	}
	page, err := s.Checked.Read(ctx, h.Person, after)
	return &ledgerOutput{page}, err
}

type evidenceOutput struct{ Body json.RawMessage }

func (s *site) exportEvidence(ctx context.Context, in *phoneRequest) (*evidenceOutput, error) {
	h, err := s.holder(ctx, *in, registration.PurposeEvidence)
	if err != nil {
		return nil, err
	}
	file, err := s.Verification.Export(ctx, h.Person, h.Subject)
	return &evidenceOutput{file}, err
}

type wishBody struct {
	ID           string          `json:"id"`
	Verification string          `json:"verification"`
	Party        string          `json:"party" doc:"The relying party's identifier"`
	Name         ledger.Name     `json:"name"`
	Attributes   []string        `json:"attributes"`
	Purpose      string          `json:"purpose"`
	State        string          `json:"state" enum:"waiting,granted,refused,expired"`
	At           time.Time       `json:"at"`
	ExpiresAt    time.Time       `json:"expiresAt"`
	Changed      *bool           `json:"changed,omitempty" doc:"Of one that was granted: one of them is another now than when it was checked"`
	Told         *attributesBody `json:"told,omitempty" doc:"As they are now: where one has changed, or was not told before"`
}

func wishBodyOf(w verification.Wish) wishBody {
	b := wishBody{
		ID: w.ID, Verification: w.Verification, Party: w.PartyID, Name: w.Party, Attributes: w.Attributes, Purpose: w.Purpose, State: w.State,
		At: w.At.UTC(), ExpiresAt: w.Expires.UTC(), Told: attributesOf(w.Told),
	}
	if w.State == "granted" {
		b.Changed = &w.Changed
	}
	return b
}

type wishInput struct {
	Bearer
	ID   string `path:"id" maxLength:"64" doc:"Of the verification"`
	Body struct {
		Attributes []string `json:"attributes" minItems:"1" enum:"name,address,birthDate,gender"`
		Purpose    string   `json:"purpose" minLength:"1" maxLength:"400" doc:"What for, in words: the holder reads it and decides by it"`
	}
}

type wishOutput struct{ Body wishBody }

func (s *site) wish(ctx context.Context, in *wishInput) (*wishOutput, error) {
	attributes, err := verification.ParseAttributes(in.Body.Attributes)
	if err != nil {
		return nil, err
	}
	return wishAnswer(s.Verification.Wish(ctx, in.token(), in.ID, attributes, in.Body.Purpose))
}

func (s *site) wished(ctx context.Context, in *verificationPath) (*wishOutput, error) {
	return wishAnswer(s.Verification.Wished(ctx, in.token(), in.ID))
}

func wishAnswer(w verification.Wish, err error) (*wishOutput, error) {
	if err != nil {
		return nil, err
	}
	return &wishOutput{wishBodyOf(w)}, nil
}

type consentsOutput struct {
	Body struct {
		Requests []wishBody `json:"requests" doc:"Oldest first"`
	}
}

func (s *site) consents(ctx context.Context, in *phoneRequest) (*consentsOutput, error) {
	h, err := s.holder(ctx, *in, registration.PurposeConsents)
	if err != nil {
		return nil, err
	}
	return s.wishesOf(ctx, h)
}

func (s *site) wishesOf(ctx context.Context, h registration.Holder) (*consentsOutput, error) {
	all, err := s.Verification.Wishes(ctx, h.Person)
	if err != nil {
		return nil, err
	}
	out := &consentsOutput{}
	out.Body.Requests = []wishBody{}
	for _, w := range all {
		out.Body.Requests = append(out.Body.Requests, wishBodyOf(w))
	}
	return out, nil
}

type consentInput struct {
	Element string `path:"element" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Identifier of the secure element, 32 hexadecimal digits"`
	Body    struct {
		Request octets `json:"request" doc:"The secure element's signed request: purpose consent:grant or consent:refuse, subject the request's id"`
		Grant   bool   `json:"grant" doc:"As the purpose says"`
	}
}

type consentOutput struct {
	Body struct {
		State string `json:"state" enum:"granted,refused"`
	}
}

// consent takes the holder's decision. A phone that is on hold grants nothing: it may be in
// other hands; it may refuse.
func (s *site) consent(ctx context.Context, in *consentInput) (*consentOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	purpose, state := registration.PurposeRefuse, "refused"
	if in.Body.Grant {
		purpose, state = registration.PurposeGrant, "granted"
	}
	h, err := s.Holders.Holder(ctx, element, in.Body.Request, purpose)
	if err != nil {
		return nil, err
	}
	if in.Body.Grant && h.Held {
		return nil, warifu.Conflict("credential-held")
	}
	return s.decided(state, s.Verification.Decide(ctx, h.Person, h.Subject, in.Body.Grant, in.Body.Request))
}

func (s *site) decided(state string, err error) (*consentOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &consentOutput{}
	out.Body.State = state
	return out, nil
}

type cardConsentsInput struct {
	Body struct {
		Document octets `json:"document" doc:"CMS SignedData over a card order of the verb consents, signed by the card; its reason is all"`
	}
}

func (s *site) cardConsents(ctx context.Context, in *cardConsentsInput) (*consentsOutput, error) {
	h, err := s.Holders.HolderByCard(ctx, in.Body.Document, attest.VerbConsents)
	if err != nil {
		return nil, err
	}
	return s.wishesOf(ctx, h)
}

type cardConsentInput struct {
	Body struct {
		Document octets `json:"document" doc:"CMS SignedData over a card order of the verb consent:grant or consent:refuse, signed by the card; its reason is the request's id"`
		Grant    bool   `json:"grant" doc:"As the verb says"`
	}
}

func (s *site) cardConsent(ctx context.Context, in *cardConsentInput) (*consentOutput, error) {
	verb, state := attest.VerbRefuse, "refused"
	if in.Body.Grant {
		verb, state = attest.VerbGrant, "granted"
	}
	h, err := s.Holders.HolderByCard(ctx, in.Body.Document, verb)
	if err != nil {
		return nil, err
	}
	return s.decided(state, s.Verification.Decide(ctx, h.Person, h.Subject, in.Body.Grant, in.Body.Document))
}
