package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/ocsp"
	"warifu/profile"
	"warifu/verify"
)

const (
	// verificationRounds is how many different people's documents are verified: each once,
	// so that nothing is remembered but what is the authority's.
	verificationRounds = 1500
	// rsaHolders bounds how many RSA keys are made; their documents are still all different.
	rsaHolders = 4
)

// signingTime is when everything is signed and judged.
var signingTime = time.Date(2026, 6, 10, 3, 0, 0, 0, time.UTC)

// checked is one document with everything a relying party has, and the three signatures
// in it by themselves.
type checked struct {
	Document, Signature, Answer []byte
	Bare                        [3]bareCheck
}

// bareCheck is one signature over a digest; Key is a SubjectPublicKeyInfo.
type bareCheck struct{ Key, Digest, Signature []byte }

// papers are what a process of its own makes: in the one that made a signature it is
// remembered to hold (package signed), and checking it again would cost nothing.
type papers struct {
	Authority []byte
	All       []*checked
}

// signingHouse is an authority with its responder.
type signingHouse struct {
	key, responderKey    crypto.Signer
	authority, responder *x509.Certificate
	algorithm            profile.Algorithm
	now                  time.Time
	holders              []crypto.Signer
	newKey               func() (crypto.Signer, error)
}

func newP256() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func newRSA() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// holds returns the bare check of one signature by a key.
func holds(key crypto.PublicKey) func(digest, signature []byte) bool {
	return func(digest, signature []byte) bool {
		switch key := key.(type) {
		case *ecdsa.PublicKey:
			return ecdsa.VerifyASN1(key, digest, signature)
		case *rsa.PublicKey:
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, signature) == nil
		}
		return false
	}
}

func newSigningHouse(newKey func() (crypto.Signer, error)) (*signingHouse, error) {
	h := &signingHouse{newKey: newKey, now: signingTime}
	var err error
	if h.key, err = newKey(); err != nil {
		return nil, err
	}
	if h.responderKey, err = newP256(); err != nil { // P-256 in every scheme
		return nil, err
	}
	h.algorithm = profile.P256
	if _, ok := h.key.(*rsa.PrivateKey); ok {
		h.algorithm = profile.RSA2048
	}
	h.authority, err = parsed(profile.PhoneAuthority(warifu.Signature, "").SelfSign(h.key, []byte{1}, h.now.AddDate(-1, 0, 0), h.now.AddDate(9, 0, 0)))
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(h.responderKey.Public())
	if err != nil {
		return nil, err
	}
	tbs, err := profile.Responder{Serial: []byte{2}, PublicKey: spki, CommonName: "responder", NotBefore: h.now.AddDate(0, 0, -1), NotAfter: h.now.AddDate(0, 0, 9)}.TBS(h.authority)
	if err != nil {
		return nil, err
	}
	h.responder, err = parsed(profile.Sign(tbs, h.key))
	return h, err
}

func parsed(der []byte, err error) (*x509.Certificate, error) {
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// holder returns a key for the n-th person: P-256 keys are all different.
func (h *signingHouse) holder(n int) (crypto.Signer, error) {
	if h.algorithm == profile.P256 {
		return h.newKey()
	}
	if len(h.holders) < rsaHolders {
		k, err := h.newKey()
		h.holders = append(h.holders, k)
		return k, err
	}
	return h.holders[n%rsaHolders], nil
}

// document is the n-th person's certificate, document, signature and OCSP answer.
func (h *signingHouse) document(n int) (*checked, error) {
	key, err := h.holder(n)
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	serial := make([]byte, 17)
	_, _ = rand.Read(serial[1:])
	serial[0] = 0x42
	p := profile.Phone(warifu.Signature, h.algorithm, profile.Endpoints{OCSP: "http://status.test/ocsp/signature", CRL: "http://status.test/crl/signature.crl", Issuer: "http://status.test/ca/signature.cer"})
	attributes := profile.Attributes{Name: fmt.Sprintf("割符　太郎%d", n), Gender: "1", BirthDate: "319800217", Address: "東京都清瀬市中里五丁目８４２番地"}.Complete()
	tbs, err := p.TBS(profile.EndEntity{Serial: serial, PublicKey: spki, CommonName: fmt.Sprintf("X%d", n), Attributes: attributes, NotBefore: h.now.AddDate(0, -1, 0), NotAfter: h.now.AddDate(2, 0, 0)}, h.authority)
	if err != nil {
		return nil, err
	}
	certificate, err := parsed(profile.Sign(tbs, h.key))
	if err != nil {
		return nil, err
	}
	c := &checked{Document: fmt.Appendf(nil, "口座開設の申込書 %d\n", n)}
	prepared, err := cms.Prepare(cms.OIDData, c.Document, certificate, nil, h.now, true)
	if err != nil {
		return nil, err
	}
	digest := prepared.Digest()
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	if c.Signature, err = prepared.Finish(signature); err != nil {
		return nil, err
	}
	single := ocsp.Single{CertID: ocsp.NewCertID(crypto.SHA256, h.authority, certificate.SerialNumber), Status: warifu.Status{Cert: warifu.StatusGood}, ThisUpdate: h.now, NextUpdate: h.now.Add(10 * time.Minute)}
	if c.Answer, err = ocsp.Sign([]ocsp.Single{single}, nil, h.now, h.responder, h.responderKey); err != nil {
		return nil, err
	}
	issued, answerDigest := sha256.Sum256(certificate.RawTBSCertificate), sha256.Sum256(c.Answer)
	answerSignature, err := h.responderKey.Sign(rand.Reader, answerDigest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	for i, check := range []struct {
		key               crypto.PublicKey
		digest, signature []byte
	}{{key.Public(), digest[:], signature}, {h.key.Public(), issued[:], certificate.Signature}, {h.responderKey.Public(), answerDigest[:], answerSignature}} {
		der, err := x509.MarshalPKIXPublicKey(check.key)
		if err != nil {
			return nil, err
		}
		c.Bare[i] = bareCheck{der, check.digest, check.signature}
	}
	return c, nil
}

// verification compares judging a document, its certificate and an OCSP answer with the
// three bare signature checks in it. The authority's certificate is parsed and trusted
// beforehand, and its responder's has been seen once.
func verification(ctx context.Context, _ *bench) ([]Row, error) {
	var rows []Row
	for _, algorithm := range []string{"P-256", "RSA-2048"} {
		ours, bare, err := verificationCost(ctx, algorithm)
		if err != nil {
			return rows, err
		}
		row := plain("verification of a document, "+algorithm+": signature, certificate, OCSP answer", ours, "µs").against("its three bare signature checks", bare)
		if algorithm == "P-256" {
			row = row.ratioAtMost(1.3)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// makePapers is what the process does that is started with "documents" and an algorithm: it
// writes papers to standard output.
func makePapers(algorithm string) error {
	newKey := newP256
	if algorithm == "RSA-2048" {
		newKey = newRSA
	}
	h, err := newSigningHouse(newKey)
	if err != nil {
		return err
	}
	out := papers{Authority: h.authority.Raw}
	for n := range verificationRounds {
		c, err := h.document(n)
		if err != nil {
			return err
		}
		out.All = append(out.All, c)
	}
	return gob.NewEncoder(os.Stdout).Encode(out)
}

func verificationCost(ctx context.Context, algorithm string) (ours, bare float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	made, err := exec.CommandContext(ctx, self, "documents", algorithm).Output()
	if err != nil {
		return 0, 0, err
	}
	var p papers
	if err := gob.NewDecoder(bytes.NewReader(made)).Decode(&p); err != nil {
		return 0, 0, err
	}
	authority, err := x509.ParseCertificate(p.Authority)
	if err != nil {
		return 0, 0, err
	}
	var trust verify.Trust
	if err := trust.Add(profile.ClassPhone, warifu.Signature, authority); err != nil {
		return 0, 0, err
	}
	v := verify.New(trust, nil, warifu.ClockFunc(func() time.Time { return signingTime }))
	judge := func(c *checked) error {
		r, err := v.Document(ctx, c.Signature, c.Document, verify.Policy{Status: verify.RawOCSP(c.Answer)})
		if err == nil && r.Verdict != verify.Good {
			err = r.Err()
		}
		return err
	}
	if err := judge(p.All[0]); err != nil { // the responder's appointment, once
		return 0, 0, err
	}
	bareChecks := make([]func() bool, 0, 3*len(p.All))
	for _, c := range p.All {
		for _, check := range c.Bare {
			key, err := x509.ParsePKIXPublicKey(check.Key)
			if err != nil {
				return 0, 0, err
			}
			may := holds(key)
			bareChecks = append(bareChecks, func() bool { return may(check.Digest, check.Signature) })
		}
	}
	// Both in turns, so that a machine that slows down slows both.
	var spentOurs, spentBare time.Duration
	const turn = 100
	for from := 1; from+turn <= len(p.All); from += turn {
		runtime.GC()
		before := processTime()
		for _, c := range p.All[from : from+turn] {
			if err := judge(c); err != nil {
				return 0, 0, err
			}
		}
		between := processTime()
		for _, check := range bareChecks[3*from : 3*(from+turn)] {
			if !check() {
				return 0, 0, errors.New("a signature of our own making does not hold")
			}
		}
		spentOurs, spentBare = spentOurs+between-before, spentBare+processTime()-between
	}
	n := float64((len(p.All) - 1) / turn * turn)
	return float64(spentOurs.Nanoseconds()) / n / 1000, float64(spentBare.Nanoseconds()) / n / 1000, nil
}
