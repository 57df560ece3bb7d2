package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"warifu"
	"warifu/keystore"
	"warifu/notify"
	"warifu/verification"
)

// keyWebhooks signs what relying parties are told of changes (ES256).
const keyWebhooks = "webhooks"

const (
	hookRound   = time.Second
	hookTimeout = 10 * time.Second
)

// hooks is how subscribers are told; nobody is where there is no key yet.
func (s *Server) hooks() (verification.Hooks, error) {
	key, err := s.keys.Signer(keyWebhooks)
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return verification.Hooks{}, nil
	}
	private := s.config.Parties.AllowPrivate
	return verification.Hooks{Key: key, Sender: hookSender{notify.NewGuardedClient(private, hookTimeout)}, Plain: private}, err
}

// webhooksCeremony makes the key where it is missing.
func webhooksCeremony(keys *keystore.Store, tell func(string, ...any)) error {
	return once(keys, keyWebhooks, tell, func() error { _, err := keys.Generate(keyWebhooks, keystore.P256); return err })
}

// hookSender posts tokens to addresses that relying parties named, through the guard.
type hookSender struct{ client *http.Client }

var errNotTaken = errors.New("the subscriber did not take it")

// Send implements verification.Sender (RFC 8935 §2).
func (h hookSender) Send(ctx context.Context, address, token string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(token))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/secevent+jwt")
	r.Header.Set("Accept", "application/json")
	response, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10)) // so that the connection is kept
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return errNotTaken
	}
	return nil
}

// keepHooks goes by itself: subscribers that hang must keep nothing else from being done.
func (s *Server) keepHooks(ctx context.Context) {
	every(ctx, hookRound, func() { s.tellParties(ctx) })
}

// tellParties puts what changed into the outbox and hands on what is due; and it hands in
// what was laid by while the database was away.
func (s *Server) tellParties(ctx context.Context) {
	late, err := s.desk.HandIn(ctx)
	s.complain("late ledger lines", err)
	_, err = s.desk.FollowFeed(ctx)
	s.complain("webhooks", err)
	told, err := s.desk.Deliver(ctx)
	s.complain("webhooks", err)
	if told+late > 0 {
		s.log.Info("relying parties were told", "events", told, "late ledger lines", late)
	}
}
