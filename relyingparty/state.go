package relyingparty

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"warifu"
)

// underWay is what a login needs to remember from Begin to Finish.
type underWay struct {
	State    string   `json:"s"`
	Nonce    string   `json:"n"`
	Verifier string   `json:"v"`
	Began    int64    `json:"t"` // seconds
	ACR      []string `json:"a,omitempty"`
	MaxAge   int64    `json:"m,omitempty"` // seconds; 0: whatever
	Sign     string   `json:"d,omitempty"`
}

// How long a login may be under way, and how much of it a browser may bring back.
const (
	stateLife = 15 * time.Minute
	maxState  = 4 << 10 // a browser keeps no longer cookie
)

// sealer seals with AES-256-GCM, the nonce drawn at random and in front; the client's
// identifier is bound in, so that two parties that share a key share no logins.
type sealer struct {
	aead  cipher.AEAD
	bound []byte
}

func newSealer(key [32]byte, clientID string) (sealer, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead, []byte("warifu-relying-party-v1 " + clientID)}, err
}

func (s sealer) seal(u underWay) (string, error) {
	plain, err := json.Marshal(u)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, s.bound)), nil
}

// open undoes seal. Errors: "login-state" where the text was not sealed here, or was
// sealed too long ago.
func (s sealer) open(sealed string, now time.Time) (underWay, error) {
	var u underWay
	wrong := warifu.Unauthenticated("login-state")
	if sealed == "" || len(sealed) > maxState {
		return u, wrong
	}
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return u, wrong.With(err)
	}
	plain, err := s.aead.Open(nil, nil, b, s.bound)
	if err != nil {
		return u, wrong.With(err)
	}
	if err := json.Unmarshal(plain, &u); err != nil {
		return u, wrong.With(err)
	}
	if age := now.Sub(time.Unix(u.Began, 0)); age > stateLife || age < -skew {
		return u, wrong
	}
	return u, nil
}

// spent remembers which states were brought back, so that the same answer is not taken
// twice. It is the second bolt: the provider redeems a code once, and the cookie is
// removed. It is of this process alone and holds what came back within stateLife.
type spent struct {
	mu    sync.Mutex
	seen  map[[sha256.Size]byte]time.Time
	swept time.Time
}

// once reports whether the state comes back for the first time.
func (s *spent) once(state string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[[sha256.Size]byte]time.Time{}
	}
	if now.Sub(s.swept) > time.Minute {
		maps.DeleteFunc(s.seen, func(_ [sha256.Size]byte, t time.Time) bool { return now.Sub(t) > stateLife+skew })
		s.swept = now
	}
	k := sha256.Sum256([]byte(state))
	_, again := s.seen[k]
	s.seen[k] = now
	return !again
}
