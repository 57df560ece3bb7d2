package notify

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/SherClockHolmes/webpush-go"

	"warifu"
)

// PushConfig is what a Push is made of; every field but TTL is required.
type PushConfig struct {
	Subscriptions Subscriptions
	Key           crypto.Signer // P-256, the application server's (RFC 8292); kept, or every phone must subscribe anew
	Subject       string        // mailto: or https:, for push services to complain to
	Client        *http.Client  // NewGuardedClient
	Insecure      bool          // http endpoints too, for tests on loopback
	TTL           time.Duration // how long a push service keeps a notice for a phone that sleeps; a day
	Clock         warifu.Clock  // the world's own: push services compare the token's expiry with theirs
}

// Push sends notices by web push.
type Push struct {
	config PushConfig
	vapid  vapid
	// ephemeral is a key that signs nothing that leaves the house: the library insists on
	// octets of a private key, and ours stays a crypto.Signer; see vapid.
	ephemeral, ephemeralPublic string
}

// NewPush checks the configuration. Errors: "push-misconfigured" with the field.
func NewPush(c PushConfig) (*Push, error) {
	v, err := newVAPID(c.Key, c.Subject, c.Clock)
	if err != nil {
		return nil, err
	}
	if c.Subscriptions == nil || c.Client == nil {
		return nil, warifu.Invalid("push-misconfigured", "field", "client")
	}
	if c.TTL <= 0 {
		c.TTL = 24 * time.Hour
	}
	p := &Push{config: c, vapid: v}
	p.ephemeral, p.ephemeralPublic, err = webpush.GenerateVAPIDKeys()
	return p, err
}

// PublicKey returns the application server key that a browser subscribes with: an
// uncompressed P-256 point in base64url.
func (p *Push) PublicKey() string { return p.vapid.public }

// Subscribe keeps a phone's subscription. Errors as ParseSubscription.
func (p *Push) Subscribe(ctx context.Context, element warifu.ElementID, body []byte) error {
	s, err := ParseSubscription(body, p.config.Insecure)
	if err != nil {
		return err
	}
	kept, err := s.Marshal()
	if err != nil {
		return err
	}
	return p.config.Subscriptions.PutSubscription(ctx, element, kept)
}

// Send sends a notice to the element's subscription, if there is one. A subscription
// that is over (404, 410) is forgotten. Errors: Unavailable "push-unavailable", worth
// another try; Refused "push-refused", not.
func (p *Push) Send(ctx context.Context, element warifu.ElementID, n Notice) error {
	kept, err := p.config.Subscriptions.Subscription(ctx, element)
	if err != nil || kept == nil {
		return err
	}
	s, err := ParseSubscription(kept, p.config.Insecure)
	if err != nil {
		return p.config.Subscriptions.DropSubscription(ctx, element)
	}
	status, err := p.post(ctx, s, n)
	switch {
	case errors.Is(err, ErrForbiddenAddress):
		return errors.Join(warifu.Refused("push-refused", "status", "forbidden address"), p.config.Subscriptions.DropSubscription(ctx, element))
	case err != nil:
		return warifu.Unavailable("push-unavailable").With(err)
	}
	return p.settle(ctx, element, status)
}

func (p *Push) settle(ctx context.Context, element warifu.ElementID, status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusNotFound || status == http.StatusGone:
		return p.config.Subscriptions.DropSubscription(ctx, element)
	case status == http.StatusTooManyRequests || status >= 500:
		return warifu.Unavailable("push-unavailable")
	}
	return warifu.Refused("push-refused", "status", http.StatusText(status))
}

// post encrypts (RFC 8291) and sends, and returns the status. No error of it names the endpoint.
func (p *Push) post(ctx context.Context, s Subscription, n Notice) (int, error) {
	response, err := webpush.SendNotificationWithContext(ctx, n.payload(),
		&webpush.Subscription{Endpoint: s.endpoint, Keys: webpush.Keys{Auth: s.auth, P256dh: s.p256dh}},
		&webpush.Options{
			HTTPClient: authorized{p.config.Client, p.vapid}, TTL: int(p.config.TTL.Seconds()), Urgency: webpush.UrgencyHigh,
			Subscriber: p.config.Subject, VAPIDPublicKey: p.ephemeralPublic, VAPIDPrivateKey: p.ephemeral,
		})
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
	return response.StatusCode, nil
}
