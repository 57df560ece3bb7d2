package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"warifu/iso7816"
	"warifu/phone"
)

// connect gives the app a line to the real server.
func (h *house) connect(a *applicant, client *http.Client) error {
	server, err := phone.NewServer(h.origin, client)
	a.app.Server = server
	return err
}

// percentile is the value that p of a hundred do not exceed.
func percentile(all []time.Duration, p float64) time.Duration {
	slices.Sort(all)
	return all[min(len(all)-1, int(float64(len(all))*p/100))]
}

func seconds(d time.Duration) float64 { return d.Seconds() }

// phonesListening is how many phones apply and wait for their notice; they come pace
// apart, an hour's rush of some 100,000.
const (
	phonesListening = 300
	pace            = 33 * time.Millisecond
)

// phones are R42 and R44: how long from acceptance to the notice, and how long
// writing to the phone takes apart from the chip.
func phones(ctx context.Context, b *bench) ([]Row, error) {
	at := b.site("phones", "badge")
	h, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer h.close()
	applicants, err := h.prepare(ctx, 0, phonesListening)
	if err != nil {
		return nil, err
	}
	if err := h.begin(ctx, at); err != nil {
		return nil, err
	}
	line := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * phonesListening}}
	for _, a := range applicants {
		if err := h.connect(a, line); err != nil {
			return nil, err
		}
	}
	notices, err := h.awaitNotices(ctx, applicants)
	if err != nil {
		return nil, err
	}
	whole, ours, err := h.write(ctx, applicants)
	if err != nil {
		return nil, err
	}
	return []Row{
		plain("notice after acceptance, p99 (R42)", seconds(percentile(notices, 99)), "s").below(1),
		plain("notice after acceptance, median", seconds(percentile(notices, 50)), "s"),
		plain("write to the phone without the chip, p99 (R44)", seconds(percentile(ours, 99)), "s").below(1),
		plain("write to the phone with the emulated chip, p99", seconds(percentile(whole, 99)), "s"),
	}, nil
}

// awaitNotices lets every phone listen, apply in turn, and tells how long after its
// 202 each heard of its certificates.
func (h *house) awaitNotices(ctx context.Context, applicants []*applicant) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	took := make([]time.Duration, len(applicants))
	failed := make([]error, len(applicants))
	var all sync.WaitGroup
	for i, a := range applicants {
		all.Go(func() { took[i], failed[i] = h.applyAndListen(ctx, a, time.Duration(i)*pace) })
	}
	all.Wait()
	return took, errors.Join(failed...)
}

func (h *house) applyAndListen(ctx context.Context, a *applicant, after time.Duration) (time.Duration, error) {
	listening, stop := context.WithCancel(ctx)
	defer stop()
	heard, began, ended := make(chan time.Time, 4), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- a.app.Notices(listening, func() { close(began) }, func(string) { heard <- time.Now() })
	}()
	select {
	case <-began:
	case err := <-ended:
		return 0, err
	}
	select {
	case <-time.After(after):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if err := h.submit(ctx, a); err != nil {
		return 0, err
	}
	accepted := time.Now()
	select {
	case at := <-heard:
		return max(0, at.Sub(accepted)), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// stopwatch is a chip whose own time is counted.
type stopwatch struct {
	chip  iso7816.Transmitter
	spent time.Duration
}

// Transmit implements iso7816.Transmitter.
func (s *stopwatch) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	began := time.Now()
	defer func() { s.spent += time.Since(began) }()
	return s.chip.Transmit(ctx, command)
}

// write personalizes every phone, one after the other.
func (h *house) write(ctx context.Context, applicants []*applicant) (whole, ours []time.Duration, err error) {
	for _, a := range applicants {
		watch := &stopwatch{chip: a.app.Element}
		a.app.Element = watch
		began := time.Now()
		if err := a.app.Personalize(ctx, phone.Personalization{}); err != nil {
			return nil, nil, err
		}
		took := time.Since(began)
		whole, ours = append(whole, took), append(ours, took-watch.spent)
	}
	return whole, ours, nil
}
