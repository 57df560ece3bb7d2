package clinic

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"sync"
	"time"

	"warifu"
	"warifu/verify"
)

const (
	// refreshEvery is how often what is kept is fetched anew while there is a line.
	refreshEvery = 10 * time.Minute
	maxList      = 64 << 20
)

// Kept is what a reader fetches for the time without a line: a pack of the status of all
// phones' certificates, and the list of the cards' that were revoked.
type Kept struct {
	Pack, List string            // addresses
	Phones     *x509.Certificate // whose pack it is
	Clock      warifu.Clock

	packs verify.Offline

	mu   sync.Mutex
	list verify.RawCRL
	at   time.Time
}

// Refresh fetches both, if the last time was some minutes ago. What cannot be fetched stays
// as it was.
func (k *Kept) Refresh(ctx context.Context) error {
	now := k.Clock.Now()
	k.mu.Lock()
	due := now.Sub(k.at) >= refreshEvery
	k.mu.Unlock()
	if !due {
		return nil
	}
	list, err := fetch(ctx, k.List)
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.list, k.at = list, now
	k.mu.Unlock()
	return k.packs.Fetch(ctx, nil, k.Pack, k.Phones, now)
}

func fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, insurersTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, warifu.Unavailable("status-unavailable").With(err)
	}
	defer answer.Body.Close()
	list, err := io.ReadAll(io.LimitReader(answer.Body, maxList))
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, warifu.Unavailable("status-unavailable").With(err)
	}
	return list, nil
}

// Check implements verify.StatusChecker, and asks nobody.
func (k *Kept) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (verify.Answer, error) {
	k.mu.Lock()
	list := k.list
	k.mu.Unlock()
	all := verify.FirstOf{&k.packs}
	if list != nil {
		all = append(all, list)
	}
	return all.Check(ctx, certificate, issuer, now)
}
