// Package elementtest makes phones for tests: a manufactured secure element with what a
// server and a card would know of it, so that tests of the chip, of personalization and
// of what stands above them begin where theirs begins.
package elementtest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/globalplatform"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/provision"
)

// At is the instant at which everything in these tests happens.
var At = time.Date(2026, 4, 1, 9, 0, 0, 0, time.FixedZone("JST", 9*3600))

// App is the hash of the certificate that the test's app is signed with.
var App = warifu.DigestOf([]byte("the app's signing certificate"))

// The secrets that Apply sets.
var (
	Password = []byte("ABC123")
	PIN      = []byte("1234")
)

// SecretOf returns the secret Apply sets for a kind.
func SecretOf(kind warifu.Kind) []byte {
	if kind == warifu.Signature {
		return Password
	}
	return PIN
}

// maker is one for all tests of a binary.
var maker = sync.OnceValues(func() (*chip.Maker, error) { return chip.NewMaker("Test Maker", At) })

// RSAKeys are four RSA-2048 keys, made once for all tests of a binary.
var RSAKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	out := make([]*rsa.PrivateKey, 4)
	for i := range out {
		out[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return out
})

// Phone is a secure element and what surrounds it.
type Phone struct {
	Maker       *chip.Maker
	Personality chip.ElementPersonality
	Memory      chip.Memory
	Element     *chip.Element
	Keys        provision.Keys                // the server's
	Parent      crypto.Signer                 // the parent card's signature key
	CA          crypto.Signer                 // who certifies
	Tickets     map[warifu.Kind]crypto.Signer // the authorities' ticket keys
	made        int                           // RSA keys handed out
}

// New manufactures a phone with the memory, Volatile where nil. RSA keys come out of RSAKeys
// in turn.
func New(t testing.TB, memory chip.Memory) *Phone {
	t.Helper()
	m, err := maker()
	check(t, err)
	master := make([]byte, 32)
	_, _ = rand.Read(master)
	masterKey, err := globalplatform.NewAESKey(master)
	check(t, err)
	p := &Phone{Maker: m, Memory: memory, Parent: newP256(t), CA: newP256(t), Tickets: map[warifu.Kind]crypto.Signer{}}
	for _, kind := range warifu.Kinds {
		p.Tickets[kind] = newP256(t)
	}
	if memory == nil {
		p.Memory = new(chip.Volatile)
	}
	p.Keys = provision.Deriver(func(label string, context []byte, bits int) (globalplatform.Key, error) {
		octets, err := globalplatform.Diversify(masterKey, label, context, bits)
		if err != nil {
			return nil, err
		}
		return globalplatform.NewAESKey(octets)
	})
	p.Personality, err = m.Manufacture(chip.Order{
		Model: "sample-phone", Identifiers: map[string]string{"imei": "490154203237518"}, Apps: []warifu.Digest{App}, At: At,
		Domain: func(id warifu.ElementID) (chip.DomainKeys, error) { return chip.DeriveDomainKeys(masterKey, id) },
	})
	check(t, err)
	p.Personality.Keys = p.makeKey
	p.Element, err = chip.NewElement(p.Personality, p.Memory)
	check(t, err)
	return p
}

func (p *Phone) makeKey(a jpki.Algorithm) (crypto.Signer, error) {
	if a == jpki.P256 {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	p.made++
	return RSAKeys()[p.made%len(RSAKeys())], nil
}

func newP256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return key
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Anchors is the pool with the maker's root.
func (p *Phone) Anchors(t testing.TB) *x509.CertPool {
	t.Helper()
	root, err := x509.ParseCertificate(p.Maker.Root)
	check(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool
}

// App opens a channel of the internal interface as the app.
func (p *Phone) App() iso7816.Transmitter { return p.Element.Internal(App) }

// Client selects the application as the app.
func (p *Phone) Client(t testing.TB) *jpki.Element {
	t.Helper()
	e, err := jpki.SelectElement(t.Context(), p.App())
	check(t, err)
	return e
}

// Apply makes keys of the algorithm for the kinds, with their secrets.
func (p *Phone) Apply(t testing.TB, algorithm jpki.Algorithm, kinds ...warifu.Kind) map[warifu.Kind][]byte {
	t.Helper()
	client := p.Client(t)
	out := map[warifu.Kind][]byte{}
	for _, kind := range kinds {
		spki, err := client.Generate(t.Context(), kind, algorithm.String())
		check(t, err)
		check(t, client.SetSecret(t.Context(), kind, warifu.NewActivationSecret(SecretOf(kind))))
		out[kind] = spki
	}
	return out
}

// Work certifies the keys and is what a server would personalize.
func (p *Phone) Work(t testing.TB, keys map[warifu.Kind][]byte) provision.Work {
	t.Helper()
	parent, err := x509.MarshalPKIXPublicKey(p.Parent.Public())
	check(t, err)
	w := provision.Work{
		Element: p.Element.ID(), Application: warifu.DigestOf([]byte("application")), Parent: parent,
		Certificates: map[warifu.Kind][]byte{}, Authorities: map[warifu.Kind][]byte{}, TicketKeys: map[warifu.Kind][]byte{},
	}
	for kind, key := range p.Tickets {
		w.TicketKeys[kind], err = x509.MarshalPKIXPublicKey(key.Public())
		check(t, err)
	}
	for kind, spki := range keys {
		w.Certificates[kind], w.Authorities[kind] = p.Certify(t, kind, spki)
	}
	return w
}

// Certify issues a certificate over the key, of about the length of a real one, and returns it
// with its authority's.
func (p *Phone) Certify(t testing.TB, kind warifu.Kind, spki []byte) (certificate, authority []byte) {
	t.Helper()
	public, err := x509.ParsePKIXPublicKey(spki)
	check(t, err)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(int64(kind)), Subject: pkix.Name{Country: []string{"JP"}, Organization: []string{"WARIFU-TEST"}, CommonName: kind.String()},
		NotBefore: At, NotAfter: At.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authority, err = x509.CreateCertificate(rand.Reader, root, root, p.CA.Public(), p.CA)
	check(t, err)
	serial := sha256.Sum256(spki)
	leaf := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[:16]), Subject: pkix.Name{Country: []string{"JP"}, CommonName: "0123456789ABCDEF"},
		NotBefore: At, NotAfter: At.AddDate(5, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		CRLDistributionPoints: []string{"http://127.0.0.1/crl/" + kind.String() + ".crl"}, OCSPServer: []string{"http://127.0.0.1/ocsp/" + kind.String()},
		ExtraExtensions: []pkix.Extension{{Id: []int{2, 25, 154071603, 9}, Value: make([]byte, 700)}},
	}
	certificate, err = x509.CreateCertificate(rand.Reader, leaf, root, public, p.CA)
	check(t, err)
	return certificate, authority
}

// Relay carries every step of a session to its end, over one channel of the app. Commit is
// called with the receipt, if one comes.
func Relay(ctx context.Context, t iso7816.Transmitter, s *provision.Session, commit func(receipt []byte) error) error {
	step, err := s.Next(nil)
	for err == nil && !step.Done {
		if step.Receipt != nil {
			if err = commit(step.Receipt); err == nil {
				step, err = s.Continue()
			}
			continue
		}
		var responses [][]byte
		for _, c := range step.Commands {
			r, err := t.Transmit(ctx, c)
			if err != nil {
				return err
			}
			responses = append(responses, r)
		}
		step, err = s.Next(responses)
	}
	return err
}

// Personalize runs a whole session and returns the receipt.
func (p *Phone) Personalize(t testing.TB, w provision.Work) []byte {
	t.Helper()
	s, err := provision.NewSession(p.Keys, w, rand.Reader)
	check(t, err)
	var receipt []byte
	check(t, Relay(t.Context(), p.App(), s, func(r []byte) error { receipt = r; return nil }))
	return receipt
}

// Ticket is a kill ticket for the key, as its authority would write it.
func (p *Phone) Ticket(kind warifu.Kind, spki []byte, number int64) attest.KillTicket {
	serial := sha256.Sum256(spki)
	return attest.KillTicket{
		Element: p.Element.ID(), Kind: kind, PublicKey: warifu.DigestOf(spki), Serial: serial[:16], Status: warifu.CredentialRevoked, Number: number, IssuedAt: At,
	}
}

// SealTicket signs a ticket with the ticket key of its kind.
func (p *Phone) SealTicket(t testing.TB, ticket attest.KillTicket) []byte {
	t.Helper()
	der, err := ticket.Seal(p.Tickets[ticket.Kind])
	check(t, err)
	return der
}
