package main

import (
	"context"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/cloudflare/cfssl/log"
	cfssl "github.com/cloudflare/cfssl/ocsp"
	xocsp "golang.org/x/crypto/ocsp"

	"warifu"
)

// cfsslPool is how many certificates cfssl's responder knows: its signer wants each whole.
const cfsslPool = 100

// onDemand is a source of cfssl's responder that has cfssl's signer sign each answer.
type onDemand struct {
	signer       cfssl.Signer
	certificates map[string]*x509.Certificate
}

// Response implements cfssl's Source.
func (s onDemand) Response(r *xocsp.Request) ([]byte, http.Header, error) {
	c, known := s.certificates[r.SerialNumber.String()]
	if !known {
		return nil, nil, cfssl.ErrNotFound
	}
	now := warifu.SystemClock{}.Now().UTC().Truncate(time.Second)
	next := now.Add(10 * time.Minute)
	der, err := s.signer.Sign(cfssl.SignRequest{Certificate: c, Status: "good", IssuerHash: r.HashAlgorithm, ThisUpdate: &now, NextUpdate: &next})
	return der, nil, err
}

// serveCFSSL is `bench cfssl-ocsp ADDRESS READY N`: cfssl's HTTP responder, which serves
// answers that it is given, over cfssl's own signer, which makes them. Authority and
// responder are P-256.
func serveCFSSL(args []string) error {
	if len(args) != 3 {
		return errors.New("cfssl-ocsp ADDRESS READY CERTIFICATES")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log.Level = log.LevelFatal
	a, err := newAppointed()
	if err != nil {
		return err
	}
	source := onDemand{certificates: map[string]*x509.Certificate{}}
	if source.signer, err = cfssl.NewSigner(a.issuer, a.responder, a.key, 10*time.Minute); err != nil {
		return err
	}
	serials, err := benchSerials()
	if err != nil {
		return err
	}
	for i := range uint64(cfsslPool) {
		template := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(serials.Serial(i)), NotBefore: a.issuer.NotBefore, NotAfter: a.issuer.NotAfter}
		der, err := x509.CreateCertificate(nil, template, a.issuer, a.key.Public(), a.issuerKey)
		if err != nil {
			return err
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		source.certificates[c.SerialNumber.String()] = c
	}
	socket, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	if err := announce(args[1], a.issuer.Raw); err != nil {
		return err
	}
	// Its own mux: net/http's would redirect base64 with two slashes in a row.
	server := &http.Server{Handler: http.StripPrefix("/", cfssl.NewResponder(source, nil))}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
