package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"warifu"
	"warifu/crl"
	"warifu/keystore"
	"warifu/notify"
	"warifu/verification"
)

// NewAsking is asking for tests.
func NewAsking(send func(context.Context, [][]byte) ([]byte, error)) func(context.Context, []byte) ([]byte, int, error) {
	return (&asking{send: send}).ask
}

// NewRoom is the place of one list.
func NewRoom() crl.Spool { return newRoom() }

// NewHookSender posts webhooks, to private addresses too where private says so.
func NewHookSender(private bool) verification.Sender {
	return hookSender{notify.NewGuardedClient(private, hookTimeout)}
}

// NewSigningKey makes the key of ID tokens that signs from then on, unless it is there.
func NewSigningKey(keys *keystore.Store, from time.Time) error {
	return newSigningKey(keys, from, func(string, ...any) {})
}

// NewRate is rate for tests.
func NewRate() (worked func(kind string, done int, took time.Duration), perSecond func() float64) {
	r := newRate()
	return r.worked, r.perSecond
}

// NewUnderWay is the long work of a server on a machine's clock: what a batch is told to, and the
// gauge.
func NewUnderWay(log *slog.Logger, machine warifu.Clock) (worked func(kind string, done int, waiting func() (int64, error)), gauges prometheus.Gatherer) {
	r := prometheus.NewRegistry()
	return newUnderWay(log, r, machine).worked, r
}

// NewManyStatements asks the bureau at an address for papers about many cards.
func NewManyStatements(base string) func(ctx context.Context, serials [][]byte, nonce warifu.Digest) ([]byte, error) {
	return newBureauClient(base, nil, nil).Statements
}

// NewStatements asks the bureau at an address for card statements.
func NewStatements(base string) func(ctx context.Context, certificate []byte, nonce warifu.Digest) ([]byte, error) {
	return newBureauClient(base, nil, nil).Statement
}
