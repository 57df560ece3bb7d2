package notify

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"

	"warifu"
)

// Subscriptions keeps how a phone is reached, sealed, one a phone.
type Subscriptions interface {
	PutSubscription(ctx context.Context, element warifu.ElementID, subscription []byte) error
	// Subscription returns nil without an error where there is none.
	Subscription(ctx context.Context, element warifu.ElementID) ([]byte, error)
	DropSubscription(ctx context.Context, element warifu.ElementID) error
}

// MaxSubscription bounds a push subscription, in octets of JSON.
const MaxSubscription = 2 << 10

// maxEndpoint bounds a push service's address; the longest seen are under 600 octets.
const maxEndpoint = 1024

// Subscription is a browser's PushSubscription (W3C Push API §8): where to post, and the
// keys to encrypt for. The endpoint is a capability: it is in no log and no error.
type Subscription struct {
	endpoint     string
	p256dh, auth string // base64url, checked
}

type wireSubscription struct {
	Endpoint       string          `json:"endpoint"`
	ExpirationTime json.RawMessage `json:"expirationTime,omitempty"` // not used: a push service says 410 when it is over
	Keys           struct {
		P256dh string `json:"p256dh"`
		Auth   string `json:"auth"`
	} `json:"keys"`
}

// ParseSubscription reads PushSubscription.toJSON() strictly: an https address without
// user or fragment (http only where insecure is allowed, for tests on loopback), a P-256
// point, sixteen octets of secret. Errors: TooLarge "subscription-too-large", Invalid
// "subscription-invalid" with the field.
func ParseSubscription(b []byte, insecure bool) (Subscription, error) {
	if len(b) > MaxSubscription {
		return Subscription{}, warifu.TooLarge("subscription-too-large")
	}
	var w wireSubscription
	in := json.NewDecoder(bytes.NewReader(b))
	in.DisallowUnknownFields()
	if err := in.Decode(&w); err != nil {
		return Subscription{}, warifu.Invalid("subscription-invalid", "field", "json")
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return Subscription{}, warifu.Invalid("subscription-invalid", "field", "json")
	}
	for _, c := range []struct {
		field string
		ok    bool
	}{
		{"endpoint", endpointValid(w.Endpoint, insecure)},
		{"p256dh", pointValid(w.Keys.P256dh)},
		{"auth", len(octets(w.Keys.Auth)) == 16},
	} {
		if !c.ok {
			return Subscription{}, warifu.Invalid("subscription-invalid", "field", c.field)
		}
	}
	return Subscription{w.Endpoint, encode(octets(w.Keys.P256dh)), encode(octets(w.Keys.Auth))}, nil
}

// Marshal returns the JSON that ParseSubscription reads.
func (s Subscription) Marshal() ([]byte, error) {
	var w wireSubscription
	w.Endpoint, w.Keys.P256dh, w.Keys.Auth = s.endpoint, s.p256dh, s.auth
	return json.Marshal(w)
}

func endpointValid(endpoint string, insecure bool) bool {
	u, err := url.Parse(endpoint)
	return err == nil && len(endpoint) <= maxEndpoint && u.Host != "" && u.Hostname() != "" && u.User == nil && u.Fragment == "" &&
		(u.Scheme == "https" || insecure && u.Scheme == "http")
}

func pointValid(s string) bool {
	_, err := ecdh.P256().NewPublicKey(octets(s))
	return err == nil
}

// octets decodes base64url with or without padding; nil for what is neither.
func octets(s string) []byte {
	b, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil
	}
	return b
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
