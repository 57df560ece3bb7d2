package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// stepCA is the peer of issuance: step-ca as `step ca init` sets it up (its Badger
// database, a JWK provisioner, P-256 throughout, TLS), in a process of its own.
type stepCA struct {
	origin      string
	process     *process
	client      *http.Client
	provisioner *ecdsa.PrivateKey
}

const (
	stepProvisioner = "bench"
	stepKeyID       = "bench-1"
)

// openStepCA makes its files and starts it.
func openStepCA(ctx context.Context, binary, dir string) (*stepCA, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &stepCA{origin: "https://" + address}
	if s.provisioner, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	root, err := stepAuthorities(dir)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	s.client = newClient(&http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}})
	config, err := s.configuration(dir, address)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.json"), config, 0o600); err != nil {
		return nil, err
	}
	if s.process, err = start(binary, filepath.Join(dir, "ca.json")); err != nil {
		return nil, err
	}
	if err := await(ctx, s.client, s.origin+"/health"); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, s.process.said())
	}
	return s, nil
}

// stepAuthorities writes a root and an intermediate.
func stepAuthorities(dir string) (root *x509.Certificate, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	template := func(name string, path int) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
			IsCA: true, BasicConstraintsValid: true, MaxPathLen: path, MaxPathLenZero: path == 0, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, template("root", 1), template("root", 1), rootKey.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	if root, err = x509.ParseCertificate(rootDER); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template("intermediate", 0), root, key.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	for name, block := range map[string]*pem.Block{
		"root.crt": {Type: "CERTIFICATE", Bytes: rootDER}, "intermediate.crt": {Type: "CERTIFICATE", Bytes: der}, "intermediate.key": {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// configuration is what `step ca init` writes for a standalone authority.
func (s *stepCA) configuration(dir, address string) ([]byte, error) {
	at := func(name string) string { return filepath.Join(dir, name) }
	public, err := s.provisioner.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	type object = map[string]any
	return json.Marshal(object{
		"root": at("root.crt"), "crt": at("intermediate.crt"), "key": at("intermediate.key"), "address": address, "dnsNames": []string{"127.0.0.1"},
		"logger": object{"format": "text"}, "db": object{"type": "badgerv2", "dataSource": at("db")},
		"authority": object{"provisioners": []object{{"type": "JWK", "name": stepProvisioner, "key": object{
			"use": "sig", "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": stepKeyID, "x": base64URL(public[1:33]), "y": base64URL(public[33:]),
		}}}},
		"tls": object{"minVersion": 1.2, "maxVersion": 1.3, "renegotiation": false, "cipherSuites": []string{
			"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
		}},
	})
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// prepare makes n signing requests, each with a key and a one-time token of its own.
func (s *stepCA) prepare(from, n int) ([][]byte, error) {
	out := make([][]byte, n)
	return out, each(n, func(i int) (err error) {
		out[i], err = s.request(fmt.Sprintf("resident-%06d.example", from+i))
		return err
	})
}

func (s *stepCA) request(name string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}}, key)
	if err != nil {
		return nil, err
	}
	token, err := s.token(name)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{"csr": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})), "ott": token})
}

// token is a one-time token as `step ca token` makes it (RFC 7519, ES256).
func (s *stepCA) token(name string) (string, error) {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	now := time.Now().Unix()
	head, err := json.Marshal(map[string]string{"alg": "ES256", "kid": stepKeyID, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"aud": s.origin + "/1.0/sign", "iss": stepProvisioner, "sub": name, "sans": []string{name},
		"jti": hex.EncodeToString(random), "iat": now, "nbf": now, "exp": now + 3600,
	})
	if err != nil {
		return "", err
	}
	message := base64URL(head) + "." + base64URL(claims)
	digest := sha256.Sum256([]byte(message))
	r, t, err := ecdsa.Sign(rand.Reader, s.provisioner, digest[:])
	if err != nil {
		return "", err
	}
	signature := append(r.FillBytes(make([]byte, 32)), t.FillBytes(make([]byte, 32))...)
	return message + "." + base64URL(signature), nil
}

// issue sends the requests; an answer means that the certificate is in its database.
func (s *stepCA) issue(ctx context.Context, requests [][]byte) (spent, error) {
	before, err := s.process.cpu()
	if err != nil {
		return spent{}, err
	}
	began := time.Now()
	err = each(len(requests), func(i int) error {
		_, err := post(ctx, s.client, s.origin+"/1.0/sign", requests[i], http.StatusCreated)
		return err
	})
	if err != nil {
		return spent{}, fmt.Errorf("%w\n%s", err, s.process.said())
	}
	after, err := s.process.cpu()
	return spent{len(requests), after - before, time.Since(began)}, err
}
