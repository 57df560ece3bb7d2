package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/profile"
	"warifu/status"
)

// appointed is an authority of scheme badge (P-256) with a delegated responder.
type appointed struct {
	issuer, responder *x509.Certificate
	issuerKey, key    crypto.Signer
}

func newAppointed() (a appointed, err error) {
	keys := [2]*ecdsa.PrivateKey{}
	for i := range keys {
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return a, err
		}
	}
	a.issuerKey, a.key = keys[0], keys[1]
	now := warifu.SystemClock{}.Now().UTC().Truncate(time.Second)
	der, err := profile.PhoneAuthority(warifu.Signature, "").SelfSign(keys[0], []byte{1}, now.AddDate(-1, 0, 0), now.AddDate(9, 0, 0))
	if err != nil {
		return a, err
	}
	if a.issuer, err = x509.ParseCertificate(der); err != nil {
		return a, err
	}
	spki, err := x509.MarshalPKIXPublicKey(keys[1].Public())
	if err != nil {
		return a, err
	}
	tbs, err := profile.Responder{Serial: []byte{2}, PublicKey: spki, CommonName: "responder", NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 1, 0)}.TBS(a.issuer)
	if err != nil {
		return a, err
	}
	if der, err = profile.Sign(tbs, keys[0]); err != nil {
		return a, err
	}
	a.responder, err = x509.ParseCertificate(der)
	return a, err
}

// serveOCSP is `bench ocsp ADDRESS READY N`: set, follower, responder, cache and listener as
// warifud wires them, over N certificates of which one in a hundred is revoked. It signs an answer about each
// before it says by the file READY, the issuer's certificate, that it is.
func serveOCSP(args []string) error {
	if len(args) != 3 {
		return errors.New("ocsp ADDRESS READY CERTIFICATES")
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	a, err := newAppointed()
	if err != nil {
		return err
	}
	o, err := newMeasured(ctx, a, n)
	if err != nil {
		return err
	}
	socket, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	if err := presign(ctx, o, a, n); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	runtime.GC()
	if err := announce(args[1], a.issuer.Raw); err != nil {
		return err
	}
	return status.NewListener(o, o).Serve(ctx, socket)
}

// newMeasured makes the responder.
func newMeasured(ctx context.Context, a appointed, n int) (*status.Responder, error) {
	serials, err := benchSerials()
	if err != nil {
		return nil, err
	}
	clock := warifu.SystemClock{}
	census := func(_ context.Context, add func(warifu.StatusRecord) error) (status.Change, error) {
		for i := range uint64(n) {
			s := warifu.Status{Cert: warifu.StatusGood}
			if i%100 == 0 {
				s = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonSuperseded, RevokedAt: clock.Now().Add(-time.Hour).UTC().Truncate(time.Second)}
			}
			if err := add(warifu.StatusRecord{Kind: warifu.Signature, Serial: serials.Serial(i), Status: s}); err != nil {
				return status.Change{}, err
			}
		}
		return status.Change{}, nil
	}
	feed := func(context.Context, int64) ([]status.Change, error) { return nil, nil }
	set := status.NewSet(warifu.Signature, serials, clock)
	follower := status.NewFollower(feed, census, clock, set)
	cache := status.NewCache(1 << 30)
	cache.Keep = status.DefaultAnswerLife - status.MaxAge // signing a million takes a while
	set.OnChange(cache.Invalidate)
	if err := follower.Load(ctx); err != nil {
		return nil, err
	}
	go func() {
		for ctx.Err() == nil {
			_ = follower.CatchUp(ctx)
			time.Sleep(200 * time.Millisecond)
		}
	}()
	o := status.NewResponder(warifu.Signature, a.issuer, follower, func() (status.Delegate, error) {
		return status.Delegate{Certificate: a.responder, Key: a.key}, nil
	}, clock)
	o.Cache = cache
	return o, nil
}

// presign asks about every certificate once.
func presign(ctx context.Context, o *status.Responder, a appointed, n int) error {
	serials, err := benchSerials()
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	failed := make(chan error, runtime.NumCPU())
	for k := range runtime.NumCPU() {
		all.Go(func() {
			for i := k; i < n; i += runtime.NumCPU() {
				der, err := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, a.issuer, serialNumber(serials, uint64(i)))}}.Marshal()
				if err == nil && len(o.Answer(ctx, der)) < 100 {
					err = fmt.Errorf("no answer about %d", i)
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return err
	}
	if kept := o.Cache.Len(); kept != n {
		return fmt.Errorf("%d answers of %d are kept", kept, n)
	}
	return nil
}

// announce puts a whole file in its place.
func announce(name string, content []byte) error {
	if err := os.WriteFile(name+".new", content, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
