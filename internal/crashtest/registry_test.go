package crashtest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/ocsp"
	"warifu/profile"
)

// registry is a card bureau that can have a hundred thousand cards: it keeps of each
// only serial number and digest. Every person has certificates of their own; the keys
// behind them are one RSA-2048 key of each kind, which nobody here compares. Its
// authorities' keys are P-256, so that making cards takes no hour.
type registry struct {
	keys      map[warifu.Kind]*rsa.PrivateKey // of all cards
	parents   map[warifu.Kind]parent
	responder map[warifu.Kind]parent
	statement *ecdsa.PrivateKey
	begun     time.Time

	mu    sync.Mutex
	cards map[string][]attest.CardCertificate // by the signature certificate's serial
}

// parent is a key with its certificate.
type parent struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	pool, err := cardKeys()
	must(t, err)
	r := &registry{keys: map[warifu.Kind]*rsa.PrivateKey{}, parents: map[warifu.Kind]parent{}, responder: map[warifu.Kind]parent{},
		begun: clock.Now(), cards: map[string][]attest.CardCertificate{}}
	r.statement = newP256(t)
	for i, kind := range warifu.Kinds {
		r.keys[kind] = pool[i]
		key := newP256(t)
		der, err := profile.CardAuthority(kind).SelfSign(key, []byte{1}, r.begun.AddDate(-5, 0, 0), r.begun.AddDate(10, 0, 0))
		must(t, err)
		r.parents[kind] = parent{key, parsed(t, der)}
		r.responder[kind] = r.newResponder(t, kind)
	}
	return r
}

func newP256(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func parsed(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c
}

func (r *registry) newResponder(t *testing.T, kind warifu.Kind) parent {
	t.Helper()
	key := newP256(t)
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	must(t, err)
	tbs, err := profile.Responder{Serial: []byte{2}, PublicKey: spki, CommonName: "responder", NotBefore: r.begun.Add(-time.Hour), NotAfter: r.begun.AddDate(0, 1, 0)}.TBS(r.parents[kind].certificate)
	must(t, err)
	der, err := profile.Sign(tbs, r.parents[kind].key)
	must(t, err)
	return parent{key, parsed(t, der)}
}

// anchor has a server's configuration believe this registry and this maker's root.
func (r *registry) anchor(t *testing.T, dir string, makerRoot []byte) {
	t.Helper()
	for _, kind := range warifu.Kinds {
		must(t, os.WriteFile(filepath.Join(dir, "cards-"+kind.String()+".cer"), r.parents[kind].certificate.Raw, 0o600))
	}
	spki, err := x509.MarshalPKIXPublicKey(r.statement.Public())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "statement.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "makers", "roots.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: makerRoot}), 0o600))
}

// issue makes the n-th person's certificates.
func (r *registry) issue(n int, attributes profile.Attributes) (map[warifu.Kind][]byte, error) {
	out, onCard := map[warifu.Kind][]byte{}, []attest.CardCertificate{}
	serial := binary.BigEndian.AppendUint32(nil, uint32(n)+0x01000000)
	last := r.begun.AddDate(4, 0, 0).Truncate(time.Second)
	for _, kind := range warifu.Kinds {
		spki, err := x509.MarshalPKIXPublicKey(r.keys[kind].Public())
		if err != nil {
			return nil, err
		}
		in := profile.EndEntity{Serial: serial, PublicKey: spki, CommonName: "997794E9AGCIEG13221003A", Prefecture: "Tokyo-to",
			Municipality: "Kiyose-shi", NotBefore: r.begun.AddDate(-1, 0, 0), NotAfter: last}
		if kind == warifu.Signature {
			in.Attributes = attributes
		}
		tbs, err := profile.Card(kind, profile.Endpoints{OCSP: "http://registry.test/ocsp/" + kind.String(), CPS: "http://registry.test/cps"}).TBS(in, r.parents[kind].certificate)
		if err != nil {
			return nil, err
		}
		if out[kind], err = profile.Sign(tbs, r.parents[kind].key); err != nil {
			return nil, err
		}
		onCard = append(onCard, attest.CardCertificate{Kind: kind, Serial: serial, Certificate: warifu.DigestOf(out[kind]), State: warifu.StatusGood, NotAfter: last})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cards[string(serial)] = onCard
	return out, nil
}

// RoundTrip implements http.RoundTripper: the server's questions, answered at once.
func (r *registry) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	var answer []byte
	status := http.StatusOK
	if kind, isOCSP := strings.CutPrefix(request.URL.Path[strings.LastIndex(request.URL.Path, "/ocsp/")+1:], "ocsp/"); isOCSP {
		answer, err = r.status(kind, body)
	} else {
		answer, err = r.state(body)
	}
	if err != nil {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(answer)), Request: request}, nil
}

// state answers with a card statement.
func (r *registry) state(body []byte) ([]byte, error) {
	var in struct {
		Certificate []byte        `json:"certificate"`
		Nonce       warifu.Digest `json:"nonce"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(in.Certificate)
	if err != nil {
		return nil, err
	}
	serial := c.SerialNumber.Bytes()
	r.mu.Lock()
	onCard, known := r.cards[string(serial)]
	r.mu.Unlock()
	if !known {
		return nil, warifu.NotFound("card-certificate-unknown")
	}
	envelope, err := attest.CardStatement{Nonce: in.Nonce, Person: warifu.DigestOf(serial), ProducedAt: clock.Now(), Certificates: onCard}.Seal(r.statement)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string][]byte{"statement": envelope})
}

// status answers that a certificate is good.
func (r *registry) status(name string, body []byte) ([]byte, error) {
	kind, err := warifu.ParseKind(name)
	if err != nil {
		return nil, err
	}
	question, err := ocsp.ParseRequest(body)
	if err != nil {
		return nil, err
	}
	now := clock.Now()
	good := ocsp.Single{CertID: question.CertIDs[0], Status: warifu.Status{Cert: warifu.StatusGood}, ThisUpdate: now, NextUpdate: now.Add(15 * time.Minute)}
	return ocsp.Sign([]ocsp.Single{good}, question.Nonce, now, r.responder[kind].certificate, r.responder[kind].key)
}
