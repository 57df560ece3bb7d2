package oidc

import (
	"context"

	"warifu"
	"warifu/store"
)

// sweepPage is how many rows one transaction takes away.
const sweepPage = 500

// Sweep takes away what has expired, and returns how many rows.
func (p *Provider) Sweep(ctx context.Context) (total int64, err error) {
	for {
		var n int64
		err := p.Store.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.PurgeLogins(p.Clock.Now(), sweepPage)
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
