package ca_test

import (
	"crypto"
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/ca"
	"warifu/cms"
	"warifu/ocsp"
	"warifu/profile"
	"warifu/scheme"
)

var now = time.Date(2026, 6, 10, 10, 30, 0, 0, profile.Japan)

var rsaKey = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newKey() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func spki(k crypto.Signer) []byte { return must(x509.MarshalPKIXPublicKey(k.Public())) }

func parse(der []byte) *x509.Certificate { return must(x509.ParseCertificate(der)) }

// counted is an authority's key that counts how often it was asked to sign.
type counted struct {
	crypto.Signer
	signatures atomic.Int64
	fail       atomic.Pointer[error] // once
	spoil      bool                  // every signature is wrong

	mu   sync.Mutex
	made [][]byte
}

func (c *counted) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := c.fail.Swap(nil); err != nil {
		return nil, *err
	}
	c.signatures.Add(1)
	signature, err := c.Signer.Sign(random, digest, opts)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = append(c.made, signature)
	if c.spoil {
		flip(&signature, len(signature)-1)
	}
	return signature, err
}

// authority is a key with its self-signed certificate.
type authority struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

func newAuthority(a profile.Authority, key crypto.Signer) authority {
	return authority{key, parse(must(a.SelfSign(key, []byte{1}, now.AddDate(-1, 0, 0), now.AddDate(9, 0, 0))))}
}

func (a authority) issue(tbs []byte, err error) *x509.Certificate {
	return parse(must(profile.Sign(must(tbs, err), a.key)))
}

// world is everybody around one pair of phone authorities: the card bureau, a maker,
// the registration authority's challenge key. Everybody's keys are P-256 unless said.
type world struct {
	clock     time.Time
	scheme    *scheme.Scheme
	bureau    map[warifu.Kind]authority
	statement crypto.Signer
	maker     authority
	mac       attest.MAC
	authority map[warifu.Kind]authority
	keys      map[warifu.Kind]*counted
	ledgers   map[warifu.Kind]*memory
	issuers   map[warifu.Kind]*ca.Issuer
	phoneKey  func() crypto.Signer
}

func macOf(key string) attest.MAC {
	return func(message []byte) ([]byte, error) {
		m := hmac.New(sha256.New, []byte(key))
		m.Write(message)
		return m.Sum(nil), nil
	}
}

var phoneEndpoints = profile.Endpoints{
	OCSP: "http://127.0.0.1:8400/ocsp/signature", CRL: "http://127.0.0.1:8400/crl/signature.crl", Issuer: "http://127.0.0.1:8400/ca/signature.cer",
}

var cardEndpoints = profile.Endpoints{OCSP: "http://127.0.0.1:8401/bureau/ocsp/signature", CPS: "http://127.0.0.1:8401/bureau/cps"}

func newWorld(name string) *world {
	shipped := *must(scheme.Shipped(name)) // a copy: attacks change it
	w := &world{
		clock: now, scheme: &shipped, statement: newKey(), mac: macOf("challenge"), phoneKey: newKey,
		bureau: map[warifu.Kind]authority{}, authority: map[warifu.Kind]authority{},
		keys: map[warifu.Kind]*counted{}, ledgers: map[warifu.Kind]*memory{}, issuers: map[warifu.Kind]*ca.Issuer{},
	}
	makerKey := newKey()
	w.maker = authority{makerKey, parse(must(profile.MakerRoot("Yakumo Semiconductor", makerKey, []byte{1}, now.AddDate(-2, 0, 0), now.AddDate(20, 0, 0))))}
	for _, kind := range warifu.Kinds {
		w.bureau[kind] = newAuthority(profile.CardAuthority(kind), newKey())
	}
	for _, kind := range warifu.Kinds {
		key := newKey()
		if w.scheme.Algorithm == scheme.RSA2048 {
			key = rsaKey()
		}
		w.keys[kind] = &counted{Signer: key}
		w.authority[kind] = newAuthority(profile.PhoneAuthority(kind, ""), key)
		w.ledgers[kind] = &memory{before: map[string]error{}, after: map[string]error{}}
		w.issuers[kind] = w.issuer(kind)
	}
	return w
}

func (w *world) issuer(kind warifu.Kind) *ca.Issuer {
	makers := x509.NewCertPool()
	makers.AddCert(w.maker.certificate)
	return must(ca.New(ca.Config{
		Kind: kind, Certificate: w.authority[kind].certificate, Key: w.keys[kind], Ledger: w.ledgers[kind],
		Clock: warifu.ClockFunc(func() time.Time { return w.clock }), Scheme: w.scheme, Endpoints: phoneEndpoints,
		Cards: map[warifu.Kind][]*x509.Certificate{
			warifu.Signature: {w.bureau[warifu.Signature].certificate}, warifu.Authentication: {w.bureau[warifu.Authentication].certificate},
		},
		Makers: makers, StatementKey: w.statement.Public().(*ecdsa.PublicKey), Challenge: w.mac, Serials: serials(kind), Partitions: partitions(kind),
	}))
}

func serials(kind warifu.Kind) ca.SerialCipher {
	block := must(aes.NewCipher([]byte{byte(kind), 15: 0}))
	return must(profile.NewSerialCipher(byte(kind), block))
}

func partitions(kind warifu.Kind) profile.Partitions {
	return must(profile.NewPartitions(16, must(aes.NewCipher([]byte{byte(kind), 1, 15: 0}))))
}

// partitioned are the addresses in a certificate with sixteen lists.
func partitioned() profile.Endpoints {
	e := phoneEndpoints
	e.Partitions = 16
	return e
}

// card is one person's card.
type card struct {
	person warifu.Digest
	keys   map[warifu.Kind]crypto.Signer
	certs  map[warifu.Kind]*x509.Certificate
}

var yamada = profile.Attributes{Name: "山田　太郎", Gender: "1", BirthDate: "319800217", Address: "東京都清瀬市中里五丁目８４２番地"}.Complete()

func cardEntity(kind warifu.Kind, key crypto.Signer, a profile.Attributes) profile.EndEntity {
	e := profile.EndEntity{
		Serial: must(rand.Int(rand.Reader, big.NewInt(1<<31))).Bytes(), PublicKey: spki(key), CommonName: "997794E9AGCIEG13221003A",
		Prefecture: "Tokyo-to", Municipality: "Kiyose-shi",
		NotBefore: now.AddDate(0, -8, 0), NotAfter: time.Date(2030, 2, 17, 23, 59, 59, 0, profile.Japan),
	}
	if kind == warifu.Signature {
		e.Attributes = a
	}
	return e
}

func (w *world) newCard(change ...func(kind warifu.Kind, e *profile.EndEntity)) *card {
	c := &card{person: warifu.DigestOf(spki(newKey())), keys: map[warifu.Kind]crypto.Signer{}, certs: map[warifu.Kind]*x509.Certificate{}}
	for _, kind := range warifu.Kinds {
		c.keys[kind] = newKey()
		e := cardEntity(kind, c.keys[kind], yamada)
		for _, f := range change {
			f(kind, &e)
		}
		p := profile.Card(kind, cardEndpoints)
		p.Algorithm = profile.P256
		c.certs[kind] = w.bureau[kind].issue(p.TBS(e, w.bureau[kind].certificate))
	}
	return c
}

// element is one secure element.
type element struct {
	id    warifu.ElementID
	key   crypto.Signer
	chain [][]byte
}

func (w *world) newElement() *element {
	e := &element{key: newKey()}
	_, _ = rand.Read(e.id[:])
	leaf := w.maker.issue(profile.ElementLeaf(e.id, spki(e.key), []byte{2}, now.AddDate(-1, 0, 0), now.AddDate(20, 0, 0), w.maker.certificate))
	e.chain = [][]byte{leaf.Raw}
	return e
}

// application is an application in the making: change a part, then call request,
// which signs and seals whatever the parts say.
type application struct {
	w           *world
	card        *card
	element     *element
	document    attest.Document
	attestation attest.Attestation
	envelope    []byte                // the sealed attestation, made once
	secrets     *attest.SecretsSet    // nil: what belongs to the document
	statement   *attest.CardStatement // nil: what belongs to document and card
	status      map[warifu.Kind]warifu.Status
	statusAt    time.Time
	signer      crypto.Signer     // of the document; nil: the card's signature key
	certificate *x509.Certificate // of the signer
	sealer      crypto.Signer     // of the statement
}

func (w *world) newApplication(kinds ...warifu.Kind) *application {
	if len(kinds) == 0 {
		kinds = warifu.Kinds[:]
	}
	e := w.newElement()
	a := &application{
		w: w, card: w.newCard(), element: e, statusAt: w.clock, sealer: w.statement,
		status: map[warifu.Kind]warifu.Status{warifu.Signature: {Cert: warifu.StatusGood}, warifu.Authentication: {Cert: warifu.StatusGood}},
	}
	challenge := must(attest.NewChallenge(w.mac, rand.Reader, e.id, w.clock.Add(-5*time.Minute)))
	a.document = attest.Document{
		Challenge: challenge, Element: e.id, Model: "sample/hayabusa-5", OSBuild: "16", AppVersion: w.scheme.MinimumAppVersion,
		Consent: w.scheme.Consent, Scheme: w.scheme.ID(),
	}
	for _, k := range kinds {
		a.document.Keys = append(a.document.Keys, attest.Key{Kind: k, PublicKey: spki(w.phoneKey())})
	}
	a.attestation = attest.Attestation{Element: e.id, Model: a.document.Model, Challenge: challenge, Keys: a.document.Keys}
	return a
}

// request signs the papers in the order of the walk.
func (a *application) request() ca.Request {
	r := ca.Request{Chain: a.element.chain, CardStatus: map[warifu.Kind][]byte{}, CardAuthentication: a.card.certs[warifu.Authentication].Raw}
	if a.envelope == nil {
		a.envelope = must(a.attestation.Seal(a.element.key))
	}
	r.Attestation = a.envelope
	if a.document.Attestation.IsZero() {
		a.document.Attestation = warifu.DigestOf(r.Attestation)
	}
	content := must(a.document.Marshal())
	r.Document = a.sign(content)
	identity := warifu.DigestOf(content)
	secrets := attest.SecretsSet{Element: a.element.id, Document: identity, Kinds: a.document.Kinds()}
	if a.secrets != nil {
		secrets = *a.secrets
	}
	r.SecretsSet = must(secrets.Seal(a.element.key))
	statement := a.w.statementOf(a.card, identity)
	if a.statement != nil {
		statement = *a.statement
	}
	r.Statement = must(statement.Seal(a.sealer))
	for _, kind := range warifu.Kinds {
		r.CardStatus[kind] = a.w.answer(kind, a.card.certs[kind].SerialNumber, a.status[kind], a.statusAt)
	}
	return r
}

func (a *application) sign(content []byte) []byte {
	key, certificate := a.signer, a.certificate
	if key == nil {
		key, certificate = a.card.keys[warifu.Signature], a.card.certs[warifu.Signature]
	}
	return signDocument(content, key, certificate)
}

func signDocument(content []byte, key crypto.Signer, certificate *x509.Certificate) []byte {
	p := must(cms.Prepare(attest.OIDApplicationDocument, content, certificate, nil, now, false))
	digest := p.Digest()
	return must(p.Finish(must(key.Sign(rand.Reader, digest[:], crypto.SHA256))))
}

func (w *world) statementOf(c *card, nonce warifu.Digest) attest.CardStatement {
	s := attest.CardStatement{Nonce: nonce, Person: c.person, ProducedAt: w.clock}
	for _, kind := range warifu.Kinds {
		certificate := c.certs[kind]
		s.Certificates = append(s.Certificates, attest.CardCertificate{
			Kind: kind, Serial: certificate.SerialNumber.Bytes(), Certificate: warifu.DigestOf(certificate.Raw),
			State: warifu.StatusGood, NotAfter: certificate.NotAfter,
		})
	}
	return s
}

func (w *world) answer(kind warifu.Kind, serial *big.Int, status warifu.Status, at time.Time) []byte {
	b := w.bureau[kind]
	if status.Cert == warifu.StatusRevoked && status.RevokedAt.IsZero() {
		status.RevokedAt = at
	}
	single := ocsp.Single{CertID: ocsp.NewCertID(crypto.SHA256, b.certificate, serial), Status: status, ThisUpdate: at, NextUpdate: at.Add(time.Hour)}
	return must(ocsp.Sign([]ocsp.Single{single}, nil, at, b.certificate, b.key))
}

func (w *world) signatures() int64 {
	return w.keys[warifu.Signature].signatures.Load() + w.keys[warifu.Authentication].signatures.Load()
}

func (w *world) intents() int {
	return len(w.ledgers[warifu.Signature].rows) + len(w.ledgers[warifu.Authentication].rows)
}

func (w *world) issue(t testing.TB, kind warifu.Kind, r ca.Request) []byte {
	t.Helper()
	o := w.issuers[kind].Issue(t.Context(), []ca.Request{r})[0]
	if o.Err != nil {
		t.Fatalf("%s: %v", kind, o.Err)
	}
	return o.Certificate
}

// phoneKeys returns a maker of phone keys of the scheme's algorithm; RSA keys are dear,
// so a test binary has two.
func phoneKeys(name string) func() crypto.Signer {
	if must(scheme.Shipped(name)).Algorithm == scheme.P256 {
		return newKey
	}
	next := 0
	return func() crypto.Signer {
		next++
		return rsaKeys()[next%len(rsaKeys())]
	}
}

var rsaKeys = sync.OnceValue(func() []crypto.Signer {
	var out []crypto.Signer
	for range 2 {
		out = append(out, must(rsa.GenerateKey(rand.Reader, 2048)))
	}
	return out
})
