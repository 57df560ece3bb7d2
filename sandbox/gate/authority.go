package gate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"

	"warifu"
	"warifu/sandbox/folder"
)

const authorityName = "gate-authority.json"

// kept is the local authority as the world's folder keeps it.
type kept struct {
	Certificate []byte `json:"certificate"` // DER
	Key         []byte `json:"key"`         // PKCS#8
}

// certify returns a certificate for the address, made anew at each start, and the local
// authority that vouches for it, made once a world.
func certify(f folder.Folder, ip net.IP, clock warifu.Clock) (tls.Certificate, []byte, error) {
	authority, key, err := localAuthority(f, clock)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(clock.Now().UnixMicro()), Subject: pkix.Name{CommonName: ip.String()}, IPAddresses: []net.IP{ip},
		NotBefore: clock.Now().Add(-time.Hour), NotAfter: clock.Now().AddDate(0, 0, 90),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, &own.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der, authority.Raw}, PrivateKey: own},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw}), nil
}

func localAuthority(f folder.Folder, clock warifu.Clock) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	var k kept
	there, err := f.ReadJSON(authorityName, &k)
	if err != nil {
		return nil, nil, err
	}
	if !there {
		if k, err = newAuthority(clock); err != nil {
			return nil, nil, err
		}
		if err := f.WriteJSON(authorityName, k); err != nil {
			return nil, nil, err
		}
	}
	certificate, err := x509.ParseCertificate(k.Certificate)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(k.Key)
	if err != nil {
		return nil, nil, err
	}
	own, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, warifu.Invalid("world-damaged", "file", authorityName)
	}
	return certificate, own, nil
}

// newAuthority makes an authority that can vouch for servers only, and for nothing below it.
func newAuthority(clock warifu.Clock) (kept, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return kept{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(clock.Now().UnixMicro()), Subject: pkix.Name{Organization: []string{"WARIFU-TEST"}, CommonName: "Warifu sandbox gate"},
		NotBefore: clock.Now().Add(-time.Hour), NotAfter: clock.Now().AddDate(2, 0, 0), KeyUsage: x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return kept{}, err
	}
	octets, err := x509.MarshalPKCS8PrivateKey(key)
	return kept{der, octets}, err
}
