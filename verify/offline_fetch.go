package verify

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/offline"
)

// Fetch brings what is kept of an authority up to date from its address,
// "https://…/offline/signature": the whole pack where it is not here or stands no more,
// and the update on it. client may be nil: ten seconds, no redirects. Errors: Unavailable
// "status-unavailable", TooLarge "status-answer-too-large", those of Take.
func (o *Offline) Fetch(ctx context.Context, client *http.Client, address string, issuer *x509.Certificate, now time.Time) error {
	if whole, _ := o.Packs(issuer); whole != nil {
		stands, err := o.update(ctx, client, address, issuer, now)
		if stands || err != nil {
			return err
		}
	}
	there, err := o.fetch(ctx, client, address, issuer, now)
	if err == nil && !there {
		err = warifu.Unavailable("status-unavailable", "http", "404")
	}
	if err != nil {
		return err
	}
	_, err = o.update(ctx, client, address, issuer, now)
	return err
}

// update fetches the update on the pack that is here. It reports false where the
// authority, or the one of its servers that answered, has none on it.
func (o *Offline) update(ctx context.Context, client *http.Client, address string, issuer *x509.Certificate, now time.Time) (bool, error) {
	whole, _ := o.Packs(issuer)
	return o.fetch(ctx, client, address+"/delta?from="+strconv.FormatUint(whole.Number, 10), issuer, now)
}

// fetch reports false where there is no such pack, and takes nothing where there is
// nothing newer.
func (o *Offline) fetch(ctx context.Context, client *http.Client, address string, issuer *x509.Certificate, now time.Time) (bool, error) {
	if client == nil {
		client = defaultClient
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, warifu.Unavailable("status-unavailable").With(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return false, warifu.Unavailable("status-unavailable").With(err)
	}
	defer func() { _ = response.Body.Close() }()
	kind, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	switch {
	case response.StatusCode == http.StatusNoContent:
		return true, nil
	case response.StatusCode == http.StatusNotFound:
		return false, nil
	case response.StatusCode != http.StatusOK || strings.TrimSpace(kind) != "application/cms":
		return false, warifu.Unavailable("status-unavailable", "http", response.Status)
	}
	der, err := io.ReadAll(io.LimitReader(response.Body, offline.MaxPack+1))
	if err != nil {
		return false, warifu.Unavailable("status-unavailable").With(err)
	}
	if len(der) > offline.MaxPack {
		return false, warifu.TooLarge("status-answer-too-large")
	}
	return true, o.Take(der, issuer, now)
}

// Packs returns what is kept of an authority, nil where there is none: the whole pack and
// the newest delta on it. Raw is what to write to a file and hand to Take after a restart.
func (o *Offline) Packs(issuer *x509.Certificate) (whole, delta *offline.SignedPack) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	s := o.issuer[offline.NewKeyer(issuer).Issuer()]
	return s.base, s.delta
}
