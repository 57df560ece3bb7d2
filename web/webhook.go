package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"warifu/verification"
)

// Webhooks is what the site asks about subscriptions of relying parties.
type Webhooks interface {
	Subscribe(ctx context.Context, key, verification, address string) (verification.Subscription, error)
	Subscription(ctx context.Context, key, id string) (verification.Subscription, error)
	Unsubscribe(ctx context.Context, key, id string) error
	// Configuration and Keys are public: where events come from and what they are checked with.
	Configuration() ([]byte, error)
	Keys() ([]byte, error)
}

type subscribeInput struct {
	Bearer
	Body struct {
		Verification string `json:"verification" maxLength:"64" doc:"Of yours: you are told of its certificate"`
		Address      string `json:"address" maxLength:"1000" doc:"https, public, port 443: tokens are posted there (RFC 8935)"`
	}
}

type subscriptionBody struct {
	ID           string    `json:"id"`
	Verification string    `json:"verification"`
	Address      string    `json:"address"`
	State        string    `json:"state" enum:"live,ended,failed" doc:"failed: for three days nobody took anything"`
	Sequence     int64     `json:"sequence" doc:"Number of the newest event; they are told in order, without gaps"`
	At           time.Time `json:"at"`
}

type subscriptionOutput struct{ Body subscriptionBody }

func subscriptionAnswer(s verification.Subscription, err error) (*subscriptionOutput, error) {
	if err != nil {
		return nil, err
	}
	return &subscriptionOutput{subscriptionBody{s.ID, s.Verification, s.Address, s.State, s.Told, s.At.UTC()}}, nil
}

func (s *site) webhooks(api huma.API, mux *http.ServeMux) {
	register(s, api, http.MethodPost, "/api/v1/webhooks", "subscribe", "Be told when the status behind a verification changes", http.StatusCreated, s.subscribe)
	register(s, api, http.MethodGet, "/api/v1/webhooks/{id}", "subscription", "How a subscription stands", http.StatusOK, s.subscription)
	register(s, api, http.MethodPost, "/api/v1/webhooks/{id}/end", "unsubscribe", "Be told no more", http.StatusOK, s.unsubscribe)
	mux.HandleFunc("GET /.well-known/ssf-configuration", s.public(s.Verification.Configuration))
	mux.HandleFunc("GET /api/v1/webhook-keys", s.public(s.Verification.Keys))
}

func (s *site) subscribe(ctx context.Context, in *subscribeInput) (*subscriptionOutput, error) {
	return subscriptionAnswer(s.Verification.Subscribe(ctx, in.token(), in.Body.Verification, in.Body.Address))
}

func (s *site) subscription(ctx context.Context, in *verificationPath) (*subscriptionOutput, error) {
	return subscriptionAnswer(s.Verification.Subscription(ctx, in.token(), in.ID))
}

func (s *site) unsubscribe(ctx context.Context, in *verificationPath) (*subscriptionOutput, error) {
	if err := s.Verification.Unsubscribe(ctx, in.token(), in.ID); err != nil {
		return nil, err
	}
	return subscriptionAnswer(s.Verification.Subscription(ctx, in.token(), in.ID))
}

// public answers JSON that is the same for everybody.
func (s *site) public(make func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := make()
		if err != nil {
			writeProblem(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(b)
	}
}
