package oidc

import (
	"context"
	"time"

	"warifu"
	"warifu/store"
)

// lingering is how long what has expired is still known: who comes back to the page of a login
// is told that it was too late, and led back to the service.
const lingering = 15 * time.Minute

// sweepPage is how many rows one transaction takes away.
const sweepPage = 500

// Sweep takes away what expired a quarter of an hour ago, and returns how many rows.
func (p *Provider) Sweep(ctx context.Context) (total int64, err error) {
	for {
		var n int64
		err := p.Store.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.PurgeLogins(p.Clock.Now().Add(-lingering), sweepPage)
			return err
		})
		if total += n; err != nil || n < sweepPage {
			return total, err
		}
	}
}

// UnderWay is how many logins this server counts as under way, for metrics.
func (p *Provider) UnderWay() int { return p.crowd.size() }

// ignoreUnknown makes nothing of what is not there.
func ignoreUnknown(err error) error {
	if problemOf(err).IsCode(warifu.CodeNotFound) {
		return nil
	}
	return err
}
