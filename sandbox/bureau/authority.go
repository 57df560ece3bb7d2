package bureau

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"sync"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/folder"
	"warifu/sandbox/person"
)

// authority is one of the two parents: a self-signed RSA-2048 root of one tier
// (docs/card-facts.md §2.1).
type authority struct {
	kind        warifu.Kind
	key         crypto.Signer
	certificate *x509.Certificate
	profile     *profile.Profile

	mu        sync.Mutex
	responder *responder
}

// responder is a delegated OCSP signer, made anew before it expires because a sandbox
// clock may jump years.
type responder struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// The real roots live ten years and overlap. One here spans every world: cards issued
// years before its start and certificates issued years after it.
const (
	rootYearsBefore = 7
	rootYearsAfter  = 23
	responderLife   = 30 * 24 * time.Hour
)

// cps is the policy qualifier of the real profile.
const cps = "http://www.jpki.go.jp/cps.html"

// openAuthority reads the authority's key and certificate, or makes them in a new world.
func openAuthority(f folder.Folder, kind warifu.Kind, start time.Time, config Config) (*authority, error) {
	key, err := f.Key(kind.String()+".key", func() (crypto.Signer, error) { return config.NewKey() })
	if err != nil {
		return nil, err
	}
	a := &authority{kind: kind, key: key, profile: profile.Card(kind, profile.Endpoints{OCSP: config.BaseURL + "/ocsp/" + kind.String(), CPS: cps})}
	der, there, err := f.Read(kind.String() + ".cer")
	if err != nil {
		return nil, err
	}
	if !there {
		if der, err = selfSign(kind, key, start); err != nil {
			return nil, err
		}
		if err := f.Write(kind.String()+".cer", der); err != nil {
			return nil, err
		}
	}
	a.certificate, err = x509.ParseCertificate(der)
	if err != nil {
		return nil, warifu.Unavailable("world-damaged", "file", kind.String()+".cer").With(err)
	}
	return a, nil
}

func selfSign(kind warifu.Kind, key crypto.Signer, start time.Time) ([]byte, error) {
	serial, err := randomSerial()
	if err != nil {
		return nil, err
	}
	first := person.DateOf(start).AddDate(-rootYearsBefore, 0, 0)
	last := person.EndOfDay(start.AddDate(rootYearsAfter, 0, 0))
	return profile.CardAuthority(kind).SelfSign(key, serial, first, last)
}

// issue signs one card certificate.
func (a *authority) issue(in profile.EndEntity) ([]byte, error) {
	tbs, err := a.profile.TBS(in, a.certificate)
	if err != nil {
		return nil, err
	}
	return profile.Sign(tbs, a.key)
}

// responderAt returns a delegated OCSP signer that is valid at now.
func (a *authority) responderAt(now time.Time) (*responder, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.responder; r != nil && now.After(r.certificate.NotBefore) && now.Add(24*time.Hour).Before(r.certificate.NotAfter) {
		return r, nil
	}
	r, err := a.newResponder(now)
	if err == nil {
		a.responder = r
	}
	return r, err
}

func (a *authority) newResponder(now time.Time) (*responder, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	serial, err := randomSerial()
	if err != nil {
		return nil, err
	}
	tbs, err := profile.Responder{
		Serial: serial, PublicKey: public, CommonName: "OCSP responder for cards " + a.kind.String(),
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(responderLife),
	}.TBS(a.certificate)
	if err != nil {
		return nil, err
	}
	der, err := profile.Sign(tbs, a.key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &responder{certificate, key}, err
}

// randomSerial draws four octets, the length seen on real cards (docs/card-facts.md
// §2.2); the high bit is clear and the first octet is not zero, so that none is
// shortened or padded.
func randomSerial() ([]byte, error) {
	serial := make([]byte, 4)
	if _, err := rand.Read(serial); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(serial)&0x7FFFFFFF | 0x01000000
	binary.BigEndian.PutUint32(serial, n)
	return serial, nil
}

func newRSA() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }
