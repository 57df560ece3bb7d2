package notify

import (
	"context"

	"warifu"
)

// Notifier tells a phone by every way there is.
type Notifier struct {
	hub  *Hub
	push *Push // nil: server-sent events only
}

// New makes a notifier of a hub and, where web push is configured, a Push.
func New(hub *Hub, push *Push) *Notifier { return &Notifier{hub, push} }

// Push tells the element's phone that the application has news. It satisfies
// registration's Pusher. An error whose code is Unavailable may be tried again: a
// stream that is still open is told once only.
func (n *Notifier) Push(ctx context.Context, element warifu.ElementID, application string) error {
	notice, err := Of(application)
	if err != nil {
		return err
	}
	n.hub.Tell(element, notice)
	if n.push == nil {
		return nil
	}
	return n.push.Send(ctx, element, notice)
}
