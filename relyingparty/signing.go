package relyingparty

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"warifu"
)

// The forms a signature may have.
const (
	ModeCMS         = "cms"          // a detached CMS signature
	ModeCMSAttached = "cms-attached" // a CMS signature around the document
	ModePDF         = "pdf"          // a PDF file, signed in itself
	ModeXML         = "xml"          // an XML document, signed in itself
	ModeDigest      = "digest"       // a bare signature over the document's SHA-256
	ModeDigestInfo  = "digestinfo"   // the same, asked for as the DER DigestInfo of PKCS #1
)

// Document is something that is to be signed. The person is shown its name, its size and
// its SHA-256, and may open it.
type Document struct {
	Name    string
	Content []byte
	Mode    string // one of the constants; "" is ModeCMS
}

// SignTransaction tells the provider of a document, in this client's own name (client
// credentials), and returns the transaction's identifier for Wish.SignTransaction, with
// the scope "sign". Errors: "provider-unreachable", "provider-refused".
func (p *Party) SignTransaction(ctx context.Context, d Document) (id string, err error) {
	at, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	own, err := p.grant(ctx, at, url.Values{"grant_type": {"client_credentials"}, "scope": {"sign"}})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(d.Content)
	asked := struct {
		Name       string `json:"name"`
		Mode       string `json:"mode"`
		Digest     []byte `json:"digest,omitempty"`
		DigestInfo []byte `json:"digestInfo,omitempty"`
		Document   []byte `json:"document"`
	}{Name: d.Name, Mode: d.Mode, Document: d.Content}
	if asked.Mode == "" {
		asked.Mode = ModeCMS
	}
	if asked.Mode == ModeDigestInfo {
		asked.DigestInfo, err = digestInfo(sum[:])
	} else {
		asked.Digest = sum[:]
	}
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.transactions(), bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	var made struct {
		ID string `json:"id"`
	}
	if err := p.ask(r, own.AccessToken, &made); err != nil {
		return "", err
	}
	if made.ID == "" {
		return "", warifu.Unauthenticated("provider-answer", "what", "id")
	}
	return made.ID, nil
}

// transactions is where documents are handed in: beside the realms, not below the issuer.
func (p *Party) transactions() string {
	root, _, _ := strings.Cut(p.config.Issuer, "/api/realms/")
	return root + "/api/sign-transactions"
}

// digestInfo is DigestInfo(SHA-256) in DER (RFC 8017 9.2).
func digestInfo(sum []byte) ([]byte, error) {
	type identifier struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters asn1.RawValue
	}
	return asn1.Marshal(struct {
		Algorithm identifier
		Digest    []byte
	}{identifier{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, asn1.NullRawValue}, sum})
}

// Signed is what came of a signature.
type Signed struct {
	Signature   []byte `json:"signature"`   // the CMS, or the bare signature of ModeDigest
	Certificate []byte `json:"certificate"` // the signer's, DER; where the provider tells it
	Document    []byte `json:"document"`    // the signed file of ModePDF and ModeXML
}

// SignResult fetches what the person signed; it is encrypted to the client's own key.
// Errors as UserInfo; Invalid "relying-party-config" without a DecryptionKey.
func (p *Party) SignResult(ctx context.Context, login *Login, id string) (Signed, error) {
	var result Signed
	if p.config.DecryptionKey == nil {
		return result, warifu.Invalid("relying-party-config", "what", "DecryptionKey")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.transactions()+"/"+url.PathEscape(id)+"/result", nil)
	if err != nil {
		return result, err
	}
	sealed, err := p.send(r, login.AccessToken, maxResult)
	if err != nil {
		return result, err
	}
	wrong := warifu.Unauthenticated("provider-answer", "what", "JWE")
	jwe, err := jose.ParseEncryptedCompact(string(bytes.TrimSpace(sealed)),
		[]jose.KeyAlgorithm{jose.ECDH_ES_A256KW, jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return result, wrong.With(err)
	}
	plain, err := jwe.Decrypt(p.config.DecryptionKey)
	if err != nil {
		return result, wrong.With(err)
	}
	if err := json.Unmarshal(plain, &result); err != nil {
		return result, wrong.With(err)
	}
	return result, nil
}
