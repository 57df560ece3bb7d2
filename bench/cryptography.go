package main

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// operation is one primitive that issuance needs, and how often for a certificate of
// an application for both kinds, everything checked once in the process.
type operation struct {
	name  string
	count float64
	why   string
	do    func()
}

// operations of scheme badge. An application makes two certificates; what is needed
// once for it counts half.
func operations() ([]operation, error) {
	digest := sha256.Sum256([]byte("bench"))
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	signature, err := ecdsa.SignASN1(rand.Reader, p256, digest[:])
	if err != nil {
		return nil, err
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	rsaSignature, err := rsa.SignPKCS1v15(nil, rsaKey, crypto.SHA256, digest[:])
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	paper := make([]byte, 1200)
	sealed := gcm.Seal(nil, make([]byte, 12), paper, nil)
	return []operation{
		{"P-256 verification", 3.0/2 + 2.0/16 + 1.0/64, "chip's certificate, attestation, secrets set; a sixteenth of each of two card statements and two status answers; one new signature of each batch",
			func() { ecdsa.VerifyASN1(&p256.PublicKey, digest[:], signature) }},
		{"P-256 signature", 1, "the certificate", func() { _, _ = ecdsa.SignASN1(rand.Reader, p256, digest[:]) }},
		{"RSA-2048 verification", 3.0 / 2, "the card's signature and its two certificates",
			func() { _ = rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, digest[:], rsaSignature) }},
		{"AES-256-GCM seal, 1.2 kB", 14.0 / 2, "seven papers, two certificates, and in each ledger intent, certificate and key; the person's key",
			func() { gcm.Seal(nil, make([]byte, 12), paper, nil) }},
		{"AES-256-GCM open, 1.2 kB", 8.0 / 2, "the papers, when the job runs", func() { _, _ = gcm.Open(nil, make([]byte, 12), sealed, nil) }},
		{"SHA-256, 1.2 kB", 40.0 / 2, "digests of papers, signed octets, rows of the ledgers' chains", func() { sha256.Sum256(paper) }},
	}, nil
}

// cost is the CPU time of doing something once, by this thread's own clock.
func cost(do func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	do()
	n := 64
	for {
		before := threadTime()
		for range n {
			do()
		}
		if spent := threadTime() - before; spent > 100*time.Millisecond {
			return spent / time.Duration(n)
		}
		n *= 2
	}
}

// threadTime is user and system time of this thread.
func threadTime() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	var r syscall.Rusage
	_ = syscall.Getrusage(thisThread, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// cryptography lists the bare operations and their sum, beside which issuance is seen.
func cryptography(_ context.Context, b *bench) ([]Row, error) {
	all, err := operations()
	if err != nil {
		return nil, err
	}
	var rows []Row
	sum := 0.0
	for _, o := range all {
		unit := float64(cost(o.do).Nanoseconds()) / 1000
		sum += unit * o.count
		rows = append(rows, plain(fmt.Sprintf("bare: %s (%.4g a certificate)", o.name, o.count), unit, "µs"))
	}
	rows = append(rows, plain("bare cryptography of a certificate, badge", sum, "µs"))
	b.bare = sum
	return rows, nil
}
