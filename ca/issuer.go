package ca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"io"
	"time"

	"github.com/zmap/zlint/v3/lint"

	"warifu"
	"warifu/attest"
	"warifu/crl"
	"warifu/ocsp"
	"warifu/profile"
	"warifu/scheme"
	"warifu/signed"
)

// SerialCipher makes and recognises an authority's serial numbers.
type SerialCipher = profile.SerialCipher

// Config is what an Issuer is made of. Every field is required but Partitions and Random.
type Config struct {
	Kind         warifu.Kind
	Certificate  *x509.Certificate // of this authority, made by profile.Authority
	Key          crypto.Signer     // its private key
	Ledger       Ledger
	Clock        warifu.Clock
	Scheme       *scheme.Scheme
	Endpoints    profile.Endpoints                   // written into certificates
	Cards        map[warifu.Kind][]*x509.Certificate // the card bureau's authorities, by kind: the only ones believed
	Makers       *x509.CertPool                      // attestation roots of the makers of secure elements
	StatementKey *ecdsa.PublicKey                    // of the card bureau
	Challenge    attest.MAC                          // checks challenges; the registration authority makes them
	Serials      SerialCipher
	Partitions   profile.Partitions // of the revocation lists; zero: certificates name the full list
	Random       io.Reader          // of indices and common names; nil: crypto/rand
}

// Issuer is one certification authority. It is safe for concurrent use.
type Issuer struct {
	config  Config // not to be seen from outside: it holds the key
	profile *profile.Profile
	zlint   []*lint.CertificateLint
	// zlintConfig is what they are configured with: nothing beyond their defaults.
	zlintConfig lint.Configuration
	answers     *ocsp.Answers // one speaks of a whole batch
	shapes      signed.Facts  // of certificates that zlint found no fault with
	spread      spread
}

// New checks the configuration. Errors: Internal "issuer-incomplete" naming the field,
// "profile-mismatch" for a certificate that is no authority's.
func New(c Config) (*Issuer, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	for field, missing := range map[string]bool{
		"kind": !c.Kind.Valid(), "certificate": c.Certificate == nil, "key": c.Key == nil, "ledger": c.Ledger == nil,
		"clock": c.Clock == nil, "scheme": c.Scheme == nil, "makers": c.Makers == nil, "statement key": c.StatementKey == nil,
		"challenge": c.Challenge == nil, "serials": c.Serials.IsZero(),
		"endpoints": c.Endpoints.OCSP == "" || c.Endpoints.CRL == "" || c.Endpoints.Issuer == "",
		"cards":     len(c.Cards[warifu.Signature]) == 0 || len(c.Cards[c.Kind]) == 0,
	} {
		if missing {
			return nil, incomplete(field)
		}
	}
	if err := profile.CheckAuthority(c.Certificate); err != nil {
		return nil, err
	}
	algorithm := profile.Algorithm(c.Scheme.Algorithm)
	if algorithm != profile.RSA2048 && algorithm != profile.P256 {
		return nil, incomplete("scheme")
	}
	public, ok := c.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(c.Certificate.PublicKey) {
		return nil, incomplete("key")
	}
	c.Endpoints.Partitions = c.Partitions.Len()
	registry, err := registry()
	if err != nil {
		return nil, err
	}
	return &Issuer{
		config: c, profile: profile.Phone(c.Kind, algorithm, c.Endpoints), zlint: registry.CertificateLints().Lints(),
		zlintConfig: registry.GetConfiguration(), answers: new(ocsp.Answers),
	}, nil
}

func incomplete(field string) error {
	return &warifu.Error{Code: warifu.CodeInternal, Problem: "issuer-incomplete", Params: map[string]string{"field": field}}
}

// Request is everything an authority gets to see of one application. Which kind is
// asked for, it reads in the document.
type Request struct {
	Document           []byte                 // CMS SignedData over the application document, signed by the card
	Attestation        []byte                 // envelope of the secure element
	Chain              [][]byte               // its maker's certificates, leaf first, DER
	SecretsSet         []byte                 // envelope of the secure element
	Statement          []byte                 // envelope of the card bureau
	CardStatus         map[warifu.Kind][]byte // OCSP responses for the card's certificates
	CardAuthentication []byte                 // the card's authentication certificate, DER, when that kind is asked for
}

// Outcome answers one Request: the certificate in DER, or why there is none. An Err
// whose code is Unavailable or Internal may be tried again with fresh evidence; any
// other is final.
type Outcome struct {
	Certificate []byte
	Err         error
}

// Issue checks each request, records the intents of those that pass in one commit,
// signs outside any transaction, and records the certificates in one commit. Outcomes
// stand in the order of the requests. Asking again with the same document returns the
// same certificate. When ctx ends after the intents were recorded the work is finished
// all the same.
func (i *Issuer) Issue(ctx context.Context, requests []Request) []Outcome {
	i.widen(ctx)
	work := make([]*issuance, len(requests))
	each(len(requests), func(n int) { work[n] = i.prepare(requests[n]) })
	i.finish(ctx, work)
	out := make([]Outcome, len(work))
	for n, w := range work {
		out[n] = w.outcome()
	}
	return out
}

// finish takes drafts through ledger, key and ledger.
func (i *Issuer) finish(ctx context.Context, work []*issuance) {
	i.intend(ctx, work)
	each(len(work), func(n int) { i.sign(work[n]) })
	i.prove(work)
	i.record(context.WithoutCancel(ctx), work)
}

// unfinishedAge is how long an intent without a certificate may be still at work.
const unfinishedAge = time.Minute

// Unfinished lists intents that nobody is working on any more and that have no
// certificate: they count as issued and must be listed as revoked (design §3.5). It
// returns the next ones behind an intent, the zero one for the beginning, and none at the end.
func (i *Issuer) Unfinished(ctx context.Context, behind warifu.Intent) ([]warifu.Intent, error) {
	return i.config.Ledger.Unfinished(ctx, i.config.Clock.Now().Add(-unfinishedAge), behind)
}

// point is the CRL distribution point of the certificate of that number.
func (i *Issuer) point(serial []byte) string {
	return i.config.Endpoints.Point(i.config.Partitions.Of(serial))
}

// SignCRL signs a revocation list.
func (i *Issuer) SignCRL(list *crl.Draft) error {
	return list.Sign(i.config.Certificate, i.config.Key)
}
