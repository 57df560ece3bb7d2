package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
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

// checked is one document with everything a relying party has: the three signatures over
// it that nobody has checked yet.
type checked struct {
	document, signature, answer []byte
	bare                        []func() bool
}

// signingHouse is an authority with its responder.
type signingHouse struct {
	key, responderKey      crypto.Signer
	authority, responder   *x509.Certificate
	algorithm              profile.Algorithm
	now                    time.Time
	holders                []crypto.Signer
	newKey                 func() (crypto.Signer, error)
	authorityMay, answerBy func(digest, signature []byte) bool
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
	h := &signingHouse{newKey: newKey, now: time.Date(2026, 6, 10, 3, 0, 0, 0, time.UTC)}
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
	h.authorityMay, h.answerBy = holds(h.key.Public()), holds(h.responderKey.Public())
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
	c := &checked{document: fmt.Appendf(nil, "口座開設の申込書 %d\n", n)}
	prepared, err := cms.Prepare(cms.OIDData, c.document, certificate, nil, h.now, true)
	if err != nil {
		return nil, err
	}
	digest := prepared.Digest()
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	if c.signature, err = prepared.Finish(signature); err != nil {
		return nil, err
	}
	single := ocsp.Single{CertID: ocsp.NewCertID(crypto.SHA256, h.authority, certificate.SerialNumber), Status: warifu.Status{Cert: warifu.StatusGood}, ThisUpdate: h.now, NextUpdate: h.now.Add(10 * time.Minute)}
	if c.answer, err = ocsp.Sign([]ocsp.Single{single}, nil, h.now, h.responder, h.responderKey); err != nil {
		return nil, err
	}
	own, issued := holds(key.Public()), sha256.Sum256(certificate.RawTBSCertificate)
	answerDigest := sha256.Sum256([]byte("answer"))
	answerSignature, err := h.responderKey.Sign(rand.Reader, answerDigest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	c.bare = []func() bool{
		func() bool { return own(digest[:], signature) },
		func() bool { return h.authorityMay(issued[:], certificate.Signature) },
		func() bool { return h.answerBy(answerDigest[:], answerSignature) },
	}
	return c, nil
}

// verification compares judging a document, its certificate and an OCSP answer with the
// three bare signature checks in it. The authority's certificate is parsed and trusted
// beforehand, and its responder's has been seen once.
func verification(_ context.Context, b *bench) ([]Row, error) {
	var rows []Row
	for _, algorithm := range []struct {
		name   string
		newKey func() (crypto.Signer, error)
	}{{"P-256", newP256}, {"RSA-2048", newRSA}} {
		ours, bare, err := verificationCost(algorithm.newKey)
		if err != nil {
			return rows, err
		}
		row := plain("verification of a document, "+algorithm.name+": signature, certificate, OCSP answer", ours, "µs").against("its three bare signature checks", bare)
		if algorithm.name == "P-256" {
			row = row.ratioAtMost(1.3)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func verificationCost(newKey func() (crypto.Signer, error)) (ours, bare float64, err error) {
	h, err := newSigningHouse(newKey)
	if err != nil {
		return 0, 0, err
	}
	all := make([]*checked, verificationRounds)
	for n := range all {
		if all[n], err = h.document(n); err != nil {
			return 0, 0, err
		}
	}
	var trust verify.Trust
	if err := trust.Add(profile.ClassPhone, warifu.Signature, h.authority); err != nil {
		return 0, 0, err
	}
	v := verify.New(trust, nil, warifu.ClockFunc(func() time.Time { return h.now }))
	judge := func(c *checked) error {
		r, err := v.Document(context.Background(), c.signature, c.document, verify.Policy{Status: verify.RawOCSP(c.answer)})
		if err == nil && r.Verdict != verify.Good {
			err = r.Err()
		}
		return err
	}
	if err := judge(all[0]); err != nil {
		return 0, 0, err
	}
	// Both in turns, so that a machine that slows down slows both.
	var spentOurs, spentBare time.Duration
	const turn = 100
	for from := 1; from+turn <= len(all); from += turn {
		runtime.GC()
		before := processTime()
		for _, c := range all[from : from+turn] {
			if err := judge(c); err != nil {
				return 0, 0, err
			}
		}
		between := processTime()
		for _, c := range all[from : from+turn] {
			for _, check := range c.bare {
				if !check() {
					return 0, 0, fmt.Errorf("a signature of our own making does not hold")
				}
			}
		}
		spentOurs, spentBare = spentOurs+between-before, spentBare+processTime()-between
	}
	n := float64((len(all) - 1) / turn * turn)
	return float64(spentOurs.Nanoseconds()) / n / 1000, float64(spentBare.Nanoseconds()) / n / 1000, nil
}
