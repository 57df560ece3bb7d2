package notify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
)

// vapid makes the Authorization header of RFC 8292 with a key that is a crypto.Signer
// (keystore hands out nothing else).
type vapid struct {
	key     crypto.Signer
	public  string // uncompressed point, base64url
	subject string
	clock   warifu.Clock
}

// vapidLife is how long a token is good for; RFC 8292 §2 allows a day.
const vapidLife = 12 * time.Hour

func newVAPID(key crypto.Signer, subject string, clock warifu.Clock) (vapid, error) {
	if key == nil || clock == nil {
		return vapid{}, warifu.Invalid("push-misconfigured", "field", "key")
	}
	pub, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() {
		return vapid{}, warifu.Invalid("push-misconfigured", "field", "key")
	}
	if !strings.HasPrefix(subject, "mailto:") && !strings.HasPrefix(subject, "https:") {
		return vapid{}, warifu.Invalid("push-misconfigured", "field", "subject")
	}
	point, err := pub.Bytes()
	return vapid{key, encode(point), subject, clock}, err
}

// header returns the Authorization header for a push service's origin.
func (v vapid) header(origin string) (string, error) {
	claims, err := json.Marshal(map[string]any{"aud": origin, "exp": v.clock.Now().Add(vapidLife).Unix(), "sub": v.subject})
	if err != nil {
		return "", err
	}
	signed := encode([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	der, err := v.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", err
	}
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		return "", err
	}
	var raw [64]byte // RFC 7518 §3.4: R ‖ S
	sig.R.FillBytes(raw[:32])
	sig.S.FillBytes(raw[32:])
	return "vapid t=" + signed + "." + encode(raw[:]) + ", k=" + v.public, nil
}

// authorized sends a request with our own Authorization header in place of the library's.
type authorized struct {
	client *http.Client
	vapid  vapid
}

// Do implements webpush.HTTPClient.
func (a authorized) Do(r *http.Request) (*http.Response, error) {
	origin := url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host}
	header, err := a.vapid.header(origin.String())
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", header)
	return a.client.Do(r)
}
