package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/ledger"
	"warifu/registration"
	"warifu/verification"
)

// Listings are what the site asks about phones that are offered at a marketplace.
type Listings interface {
	List(ctx context.Context, key string, element warifu.ElementID, nonce []byte, expires time.Time) (verification.Listing, error)
	Listed(ctx context.Context, key, id string) (verification.Listing, error)
	Listings(ctx context.Context, element warifu.ElementID) ([]verification.Listing, error)
	ListingFor(ctx context.Context, element warifu.ElementID, id string) (verification.Listing, error)
	AnswerListing(ctx context.Context, element warifu.ElementID, id, decision string, answer []byte) error
}

const elementListings = "/api/v1/elements/{element}/listings"

// listings adds the doors of marketplaces and of the phones they ask.
func (s *site) listings(api huma.API) {
	register(s, api, http.MethodPost, elementListings, "ask-listing", "Have the holder of a phone on offer asked", http.StatusAccepted, s.askListing)
	register(s, api, http.MethodPost, elementListings+"/{id}", "answer-listing", "Answer a marketplace as the holder decided", http.StatusOK, s.answerListing)
	register(s, api, http.MethodGet, "/api/v1/listings/{id}", "listing-outcome", "What the holder decided, and the proof if there is one", http.StatusOK, s.listed)
}

type listingInput struct {
	Bearer
	Element string `path:"element" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Identifier of the secure element, 32 hexadecimal digits"`
	Body    struct {
		Nonce     octets    `json:"nonce" doc:"16 to 64 octets, never used twice; the same again is the same question"`
		ExpiresAt time.Time `json:"expiresAt" doc:"Until when the holder may answer: at most 7 days ahead"`
	}
}

// listingOutput says the same of a chip that is known and of one that is not.
type listingOutput struct {
	Body struct {
		ID          string    `json:"id"`
		Marketplace string    `json:"marketplace" doc:"Your name in the chip's proof"`
		ExpiresAt   time.Time `json:"expiresAt"`
	}
}

func (s *site) askListing(ctx context.Context, in *listingInput) (*listingOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	l, err := s.Verification.List(ctx, in.token(), element, in.Body.Nonce, in.Body.ExpiresAt)
	if err != nil {
		return nil, err
	}
	out := &listingOutput{}
	out.Body.ID, out.Body.Marketplace, out.Body.ExpiresAt = l.ID, l.Marketplace, l.Expires.UTC()
	return out, nil
}

// listingProof is what a phone sends for a marketplace, and what is kept for it.
type listingProof struct {
	Proof octets   `json:"proof" doc:"The chip's signed clean-phone proof"`
	Chain []octets `json:"chain" minItems:"1" maxItems:"4" doc:"Its maker's certificates, leaf first, DER"`
}

type listedOutput struct {
	Body struct {
		ID          string        `json:"id"`
		State       string        `json:"state" enum:"pending,declined,clean,expired" doc:"Declined says nothing of why, nor of what is on the phone"`
		Marketplace string        `json:"marketplace" doc:"Your name in the chip's proof"`
		ExpiresAt   time.Time     `json:"expiresAt"`
		AnsweredAt  *time.Time    `json:"answeredAt,omitempty" doc:"Of clean: when the authority found it so"`
		Clean       *listingProof `json:"clean,omitempty" doc:"For you alone: names you and your nonce"`
	}
}

func (s *site) listed(ctx context.Context, in *verificationPath) (*listedOutput, error) {
	l, err := s.Verification.Listed(ctx, in.token(), in.ID)
	if err != nil {
		return nil, err
	}
	out := &listedOutput{}
	b := &out.Body
	b.ID, b.State, b.Marketplace, b.ExpiresAt, b.AnsweredAt = l.ID, l.State, l.Marketplace, l.Expires.UTC(), moment(l.DecidedAt)
	if len(l.Answer) == 0 {
		return out, nil
	}
	b.Clean = &listingProof{}
	return out, json.Unmarshal(l.Answer, b.Clean)
}

type answerListingInput struct {
	Element string `path:"element" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]{32}$" doc:"Identifier of the secure element, 32 hexadecimal digits"`
	ID      string `path:"id" maxLength:"64" doc:"Of the question"`
	Body    struct {
		Request  octets        `json:"request" doc:"The secure element's signed request: purpose listing:clean, listing:declined or listing:not-me, subject the question's id"`
		Decision string        `json:"decision" enum:"clean,declined,not-me" doc:"As the purpose says"`
		Clean    *listingProof `json:"clean,omitempty" doc:"Of clean: the proof for that marketplace, with no identifiers"`
	}
}

type answerListingOutput struct {
	Body struct {
		State string `json:"state" enum:"declined,clean"`
	}
}

// answerListing takes what the holder decided on the phone. It asks for no secret: declining
// gives nobody anything, and a proof is taken only where nothing is left, which took the
// holder's password.
func (s *site) answerListing(ctx context.Context, in *answerListingInput) (*answerListingOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if err := s.Registration.ByChip(ctx, element, b.Request, registration.PurposeListing+b.Decision, in.ID); err != nil {
		return nil, err
	}
	out := &answerListingOutput{}
	out.Body.State = verification.ListingDeclined
	var answer []byte
	if b.Decision == verification.DecisionClean {
		out.Body.State = verification.ListingClean
		if answer, err = s.proofFor(ctx, element, in.ID, b.Clean); err != nil {
			return nil, err
		}
	}
	return out, s.Verification.AnswerListing(ctx, element, in.ID, b.Decision, answer)
}

// proofFor checks that a proof answers that question, by this chip and made since it was
// asked, and that the phone is clean; Conflict "listing-not-clean". That no identifier is
// named is no fault: the marketplace asked by the chip's own.
func (s *site) proofFor(ctx context.Context, element warifu.ElementID, id string, p *listingProof) ([]byte, error) {
	if p == nil {
		return nil, warifu.Invalid("listing-malformed", "what", "clean")
	}
	l, err := s.Verification.ListingFor(ctx, element, id)
	if err != nil {
		return nil, err
	}
	clean, err := s.Registration.Clean(ctx, p.Proof, bare(p.Chain), registration.CleanQuestion{Marketplace: l.Marketplace, Nonce: l.Nonce})
	if err != nil {
		return nil, err
	}
	if clean.Element != element || clean.ProvedAt.Before(l.At.Truncate(time.Second)) {
		return nil, warifu.Refused("clean-proof-other")
	}
	if slices.ContainsFunc(clean.Reasons, func(r string) bool { return r != registration.CleanUnnamed }) {
		return nil, warifu.Conflict("listing-not-clean")
	}
	return json.Marshal(p)
}

// askedBody is a marketplace's question as the phone shows it.
type askedBody struct {
	ID          string      `json:"id"`
	Marketplace string      `json:"marketplace" doc:"What the proof is to name"`
	Name        ledger.Name `json:"name" doc:"What people call the marketplace"`
	Nonce       octets      `json:"nonce"`
	At          time.Time   `json:"at"`
	ExpiresAt   time.Time   `json:"expiresAt"`
}

// asked lists the questions of marketplaces that wait for the holder of a chip.
func (s *site) asked(ctx context.Context, element warifu.ElementID) ([]askedBody, error) {
	if s.Verification == nil {
		return nil, nil
	}
	all, err := s.Verification.Listings(ctx, element)
	var out []askedBody
	for _, l := range all {
		out = append(out, askedBody{l.ID, l.Marketplace, l.Party, l.Nonce, l.At.UTC(), l.Expires.UTC()})
	}
	return out, err
}
