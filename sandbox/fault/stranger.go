package fault

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/sandbox/doorway"
)

// stranger is an authority that nobody trusts, with a key that is born when it is first
// needed and dies with the process.
type stranger struct {
	clock warifu.Clock

	once        sync.Once
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
	failed      error
}

func (s *stranger) born() error {
	s.once.Do(func() {
		if s.key, s.failed = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); s.failed != nil {
			return
		}
		begin := s.clock.Now().AddDate(-1, 0, 0)
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"JP"}, Organization: []string{"WARIFU-TEST"}, CommonName: "A stranger"},
			NotBefore: begin, NotAfter: begin.AddDate(20, 0, 0), IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		}
		var der []byte
		if der, s.failed = x509.CreateCertificate(rand.Reader, template, template, s.key.Public(), s.key); s.failed == nil {
			s.certificate, s.failed = x509.ParseCertificate(der)
		}
	})
	return s.failed
}

// showStranger answers with the stranger's certificate instead of an authority's.
func (b *Board) showStranger(w http.ResponseWriter, _ *http.Request, _ Setting) bool {
	if err := b.stranger.born(); err != nil {
		doorway.Refuse(w, err)
		return true
	}
	w.Header().Set("Content-Type", "application/pkix-cert")
	_, _ = w.Write(b.stranger.certificate.Raw)
	return true
}

// answerAsStranger says good of whatever is asked about, over a signature that counts for
// nothing. What is no question is left to the responder.
func (b *Board) answerAsStranger(w http.ResponseWriter, r *http.Request, _ Setting) bool {
	question, err := questionOf(w, r)
	if err != nil {
		doorway.Refuse(w, err)
		return true
	}
	if err := b.stranger.born(); err != nil {
		doorway.Refuse(w, err)
		return true
	}
	now := b.stranger.clock.Now().UTC().Truncate(time.Second)
	singles := make([]ocsp.Single, len(question.CertIDs))
	for i, id := range question.CertIDs {
		singles[i] = ocsp.Single{CertID: id, Status: warifu.Status{Cert: warifu.StatusGood}, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}
	}
	answer, err := ocsp.Sign(singles, question.Nonce, now, b.stranger.certificate, b.stranger.key)
	if err != nil {
		doorway.Refuse(w, err)
		return true
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	_, _ = w.Write(answer)
	return true
}

// questionOf reads an OCSP request from either method (RFC 6960 appendix A.1).
func questionOf(w http.ResponseWriter, r *http.Request) (*ocsp.Request, error) {
	var der []byte
	var err error
	if r.Method == http.MethodPost {
		der, err = io.ReadAll(http.MaxBytesReader(w, r.Body, ocsp.MaxRequest))
	} else {
		_, last, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/ocsp/"), "/")
		if last, err = url.PathUnescape(last); err == nil {
			der, err = base64.StdEncoding.DecodeString(last)
		}
	}
	if err != nil {
		return nil, warifu.Invalid("status-request-malformed").With(err)
	}
	return ocsp.ParseRequest(der)
}
