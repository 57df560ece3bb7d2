package server

import (
	"context"
	"time"

	"warifu"
	"warifu/notify"
	"warifu/store"
	"warifu/web"
)

// pushTimeout bounds a call to a push service.
const pushTimeout = 10 * time.Second

// openNotices opens the ways to phones: server-sent events always, web push where
// a subject is configured.
func (s *Server) openNotices() error {
	s.hub = notify.NewHub(notify.HubConfig{Waiting: phoneBook{s}, Source: web.SourceOf})
	var push *notify.Push
	if c := s.config.Notices; c.Subject != "" {
		key, err := s.keys.Signer(keyNotices)
		if err != nil {
			return err
		}
		push, err = notify.NewPush(notify.PushConfig{
			Subscriptions: phoneBook{s}, Key: key, Subject: c.Subject, Client: notify.NewGuardedClient(c.AllowPrivate, pushTimeout),
			Insecure: c.AllowPrivate, Clock: s.clock,
		})
		if err != nil {
			return err
		}
	}
	s.notifier = notify.New(s.hub, push)
	return nil
}

// push implements registration.Pusher and counts.
func (s *Server) push(ctx context.Context, element warifu.ElementID, application string) error {
	if f := s.options.Faults; f != nil && f.Lost() {
		return nil // the sandbox wants it to look as if it had gone out
	}
	err := s.notifier.Push(ctx, element, application)
	if err != nil {
		s.metrics.notices.WithLabelValues("failed").Inc()
		return err
	}
	s.metrics.notices.WithLabelValues("handed on").Inc()
	return nil
}

// phoneBook is what the notifier asks of the store.
type phoneBook struct{ s *Server }

// Waiting implements notify.Waiting: the issued applications of the element.
func (b phoneBook) Waiting(ctx context.Context, element warifu.ElementID) (waiting []string, err error) {
	err = b.s.store.Read(ctx, func(tx *store.Tx) error {
		waiting = nil
		all, err := tx.ApplicationsOfElement(element)
		for _, a := range all {
			if a.State == warifu.ApplicationIssued {
				waiting = append(waiting, a.ID)
			}
		}
		return err
	})
	return waiting, err
}

// PutSubscription implements notify.Subscriptions. Only a phone that has applied is
// kept: nobody fills the table for chips that never come.
func (b phoneBook) PutSubscription(ctx context.Context, element warifu.ElementID, subscription []byte) error {
	return b.s.store.Write(ctx, func(tx *store.Tx) error {
		all, err := tx.ApplicationsOfElement(element)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return warifu.NotFound("application-unknown")
		}
		return tx.PutSubscription(element, subscription, b.s.clock.Now())
	})
}

// Subscription implements notify.Subscriptions.
func (b phoneBook) Subscription(ctx context.Context, element warifu.ElementID) (subscription []byte, err error) {
	err = b.s.store.Read(ctx, func(tx *store.Tx) (err error) {
		subscription, err = tx.Subscription(element)
		return err
	})
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return nil, nil
	}
	return subscription, err
}

// DropSubscription implements notify.Subscriptions.
func (b phoneBook) DropSubscription(ctx context.Context, element warifu.ElementID) error {
	return b.s.store.Write(ctx, func(tx *store.Tx) error { return tx.DropSubscription(element) })
}
