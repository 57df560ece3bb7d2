package web

import (
	"context"
	"time"

	"warifu"
)

// checkedBody is one certificate of a chip, found by its key.
type checkedBody struct {
	standingBody
	Application string     `json:"application" doc:"The application it came of"`
	PublicKey   string     `json:"publicKey" doc:"SHA-256 of the key's SubjectPublicKeyInfo, hexadecimal: as the chip names its slots"`
	EndedAt     *time.Time `json:"endedAt,omitempty"`
}

type checkOutput struct {
	Body struct {
		Credentials []checkedBody `json:"credentials" doc:"Every certificate that was ever live on this chip, oldest first; at most sixteen, the newest"`
		Application string        `json:"application,omitempty" doc:"The application that is open on this chip; new keys would destroy those that wait for it"`
		Listings    []askedBody   `json:"listings,omitempty" doc:"Marketplaces that ask about this phone, oldest first; at most five"`
	}
}

// check answers a chip that asks what is on it (有効性確認, K18).
func (s *site) check(ctx context.Context, in *deviceOrderInput) (*checkOutput, error) {
	element, err := warifu.ParseElementID(in.Element)
	if err != nil {
		return nil, err
	}
	life, err := s.Registration.OfElement(ctx, element, in.Body.Request)
	if err != nil {
		return nil, err
	}
	out := &checkOutput{}
	out.Body.Credentials, out.Body.Application = []checkedBody{}, life.Application.ID
	for _, c := range life.Credentials {
		b := checkedBody{standingBody: standingOf(c.Standing), Application: c.Application, PublicKey: c.PublicKey.String()}
		if !c.EndedAt.IsZero() {
			b.EndedAt = &c.EndedAt
		}
		out.Body.Credentials = append(out.Body.Credentials, b)
	}
	out.Body.Listings, err = s.asked(ctx, element)
	return out, err
}
