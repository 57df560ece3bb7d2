package notify_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/notify"
	"warifu/text"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func clock() warifu.Clock { return warifu.ClockFunc(func() time.Time { return now }) }

var applicationServerKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// book is the store's part.
type book struct {
	mu   sync.Mutex
	kept map[warifu.ElementID][]byte
}

func (b *book) PutSubscription(_ context.Context, e warifu.ElementID, s []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[e] = s
	return nil
}

func (b *book) Subscription(_ context.Context, e warifu.ElementID) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept[e], nil
}

func (b *book) DropSubscription(_ context.Context, e warifu.ElementID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.kept, e)
	return nil
}

// service is a push service and the browser behind it: it holds the browser's keys,
// checks the token and decrypts, by the RFCs and without the library that sends.
type service struct {
	t      *testing.T
	key    *ecdh.PrivateKey
	auth   []byte
	answer int
	url    string

	mu       sync.Mutex
	messages []string
	requests int
}

func newService(t *testing.T) *service {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, key: key, auth: bytes.Repeat([]byte{7}, 16), answer: http.StatusCreated}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *service) subscription() string {
	e := base64.RawURLEncoding
	return fmt.Sprintf(`{"endpoint":"%s/canary-endpoint","expirationTime":null,"keys":{"p256dh":"%s","auth":"%s"}}`,
		s.url, e.EncodeToString(s.key.PublicKey().Bytes()), e.EncodeToString(s.auth))
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<10))
	if err == nil {
		err = s.checkToken(r)
	}
	if err != nil {
		s.t.Error(err)
	}
	plain, err := s.decrypt(body)
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.messages = append(s.messages, string(plain))
	if s.answer == http.StatusTemporaryRedirect {
		w.Header().Set("Location", s.url+"/elsewhere")
	}
	w.WriteHeader(s.answer)
}

// decrypt undoes RFC 8188 and RFC 8291 §3.4.
func (s *service) decrypt(body []byte) ([]byte, error) {
	if len(body) < 86 || body[20] != 65 {
		return nil, errors.New("no aes128gcm header")
	}
	salt, sender := body[:16], body[21:86]
	pub, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	shared, err := s.key.ECDH(pub)
	if err != nil {
		return nil, err
	}
	derive := func(secret, salt []byte, info string, n int) []byte {
		out, err := hkdf.Key(sha256.New, secret, salt, info, n)
		if err != nil {
			panic(err)
		}
		return out
	}
	ikm := derive(shared, s.auth, "WebPush: info\x00"+string(s.key.PublicKey().Bytes())+string(sender), 32)
	block, err := aes.NewCipher(derive(ikm, salt, "Content-Encoding: aes128gcm\x00", 16))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, derive(ikm, salt, "Content-Encoding: nonce\x00", 12), body[86:], nil)
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(bytes.TrimRight(plain, "\x00"), []byte{2}), nil
}

// checkToken checks RFC 8292: the signature, the audience, the expiry, the key.
func (s *service) checkToken(r *http.Request) error {
	var token, key string
	if _, err := fmt.Sscanf(strings.ReplaceAll(r.Header.Get("Authorization"), ",", " "), "vapid t=%s k=%s", &token, &key); err != nil {
		return fmt.Errorf("authorization: %w", err)
	}
	point, _ := applicationServerKey().PublicKey.Bytes()
	parts := strings.Split(token, ".")
	if len(parts) != 3 || key != base64.RawURLEncoding.EncodeToString(point) {
		return fmt.Errorf("token of %d parts under key %s", len(parts), key)
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(sig) != 64 {
		return fmt.Errorf("signature of %d octets: %w", len(sig), err)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(&applicationServerKey().PublicKey, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return errors.New("the token's signature does not hold")
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var c struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(claims, &c); err != nil {
		return err
	}
	if c.Aud != s.url || c.Sub != "mailto:ops@example.jp" || c.Exp != now.Add(12*time.Hour).Unix() {
		return fmt.Errorf("claims %+v", c)
	}
	return nil
}

func pusher(t *testing.T, allowPrivate bool) (*notify.Push, *book) {
	t.Helper()
	b := &book{kept: map[warifu.ElementID][]byte{}}
	p, err := notify.NewPush(notify.PushConfig{
		Subscriptions: b, Key: applicationServerKey(), Subject: "mailto:ops@example.jp", Clock: clock(), Insecure: true,
		Client: notify.NewGuardedClient(allowPrivate, 5*time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, b
}

func TestPushCarriesTheIdentifierAndNothingElse(t *testing.T) {
	ctx, s := context.Background(), newService(t)
	p, _ := pusher(t, true)
	n, base := serve(t, notify.NewHub(notify.HubConfig{Waiting: &waiting{}}), p)
	if err := n.Push(ctx, element, "app-1"); err != nil {
		t.Fatalf("a phone without subscription: %v", err)
	}
	answer, err := http.Post(base+element.String()+"/push", "application/json", strings.NewReader(s.subscription()))
	if err != nil || answer.StatusCode != http.StatusNoContent {
		t.Fatal(answer, err)
	}
	_ = answer.Body.Close()
	if err := n.Push(ctx, element, "app-2"); err != nil {
		t.Fatal(err)
	}
	if len(s.messages) != 1 || s.messages[0] != "app-2" {
		t.Errorf("decrypted %q", s.messages)
	}
	if err := n.Push(ctx, element, "Yamada Tarō"); !errors.Is(err, &warifu.Error{Problem: "notice-malformed"}) || len(s.messages) != 1 {
		t.Errorf("a name went out: %v", err)
	}
}

func TestPushAnswers(t *testing.T) {
	ctx := context.Background()
	for status, c := range map[int]struct {
		problem string
		kept    bool
	}{
		200: {"", true}, 201: {"", true}, 202: {"", true},
		404: {"", false}, 410: {"", false},
		429: {"push-unavailable", true}, 500: {"push-unavailable", true}, 503: {"push-unavailable", true},
		400: {"push-refused", true}, 403: {"push-refused", true}, 307: {"push-refused", true},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newService(t)
			s.answer = status
			p, b := pusher(t, true)
			if err := p.Subscribe(ctx, element, []byte(s.subscription())); err != nil {
				t.Fatal(err)
			}
			err := notify.New(notify.NewHub(notify.HubConfig{Waiting: &waiting{}}), p).Push(ctx, element, "app-1")
			if c.problem == "" && err != nil || c.problem != "" && !errors.Is(err, &warifu.Error{Problem: c.problem}) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
			if (b.kept[element] != nil) != c.kept || s.requests != 1 {
				t.Errorf("kept %v after %d requests", b.kept[element] != nil, s.requests)
			}
		})
	}
}

func TestTheGuardRefusesWhatIsNotPublic(t *testing.T) {
	ctx, s := context.Background(), newService(t)
	p, b := pusher(t, false)
	n := notify.New(notify.NewHub(notify.HubConfig{Waiting: &waiting{}}), p)
	for _, address := range []string{s.url, strings.Replace(s.url, "127.0.0.1", "localhost", 1)} {
		sub := strings.Replace(s.subscription(), s.url, address, 1)
		if err := p.Subscribe(ctx, element, []byte(sub)); err != nil {
			t.Fatal(err)
		}
		err := n.Push(ctx, element, "app-1")
		if !errors.Is(err, &warifu.Error{Problem: "push-refused"}) || s.requests != 0 || b.kept[element] != nil {
			t.Errorf("%s: %v after %d requests", address, err, s.requests)
		}
	}
}

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.31.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "::": false, "224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false,
		"fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false, "2001:db8::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
	} {
		if got := notify.Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("Public(%s) = %v", address, got)
		}
	}
	if notify.Public(netip.Addr{}) {
		t.Error("no address is not public")
	}
}

func TestNoErrorNamesTheEndpoint(t *testing.T) {
	ctx, s := context.Background(), newService(t)
	p, _ := pusher(t, true)
	sub := strings.Replace(s.subscription(), s.url, "http://127.0.0.1:1", 1) // nobody listens
	if err := p.Subscribe(ctx, element, []byte(sub)); err != nil {
		t.Fatal(err)
	}
	err := notify.New(notify.NewHub(notify.HubConfig{Waiting: &waiting{}}), p).Push(ctx, element, "app-1")
	if !errors.Is(err, &warifu.Error{Problem: "push-unavailable"}) || strings.Contains(fmt.Sprintf("%v", err), "canary") {
		t.Errorf("%v", err)
	}
}

func TestSubscriptionBounds(t *testing.T) {
	s := newService(t)
	good := strings.Replace(s.subscription(), "http://", "https://", 1)
	if _, err := notify.ParseSubscription([]byte(good), false); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, problem, field string }{
		{"plain http", "https://", "http://", "subscription-invalid", "endpoint"},
		{"another scheme", "https://", "file://", "subscription-invalid", "endpoint"},
		{"no host", s.url[len("http://"):], "", "subscription-invalid", "endpoint"},
		{"a password in the address", "https://", "https://a:b@", "subscription-invalid", "endpoint"},
		{"an endpoint too long", "canary", strings.Repeat("a", 1024), "subscription-invalid", "endpoint"},
		{"a point off the curve", `"p256dh":"B`, `"p256dh":"C`, "subscription-invalid", "p256dh"},
		{"a short secret", "BwcHBwcHBwcHBwcHBwcHBw", "BwcH", "subscription-invalid", "auth"},
		{"an unknown field", `"expirationTime"`, `"name"`, "subscription-invalid", "json"},
		{"two values", "}}", "}}{}", "subscription-invalid", "json"},
		{"too large", "canary", strings.Repeat("a", notify.MaxSubscription), "subscription-too-large", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(good, c.from, c.to, 1)
			if bad == good {
				t.Fatal("the case changes nothing")
			}
			_, err := notify.ParseSubscription([]byte(bad), false)
			if p := warifu.ProblemOf(err); p == nil || p.Problem != c.problem || p.Params["field"] != c.field {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNewPushRefusesAHalfMadeConfiguration(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := notify.PushConfig{Subscriptions: &book{}, Key: applicationServerKey(), Subject: "mailto:ops@example.jp", Client: http.DefaultClient, Clock: clock()}
	for name, spoil := range map[string]func(*notify.PushConfig){
		"no key": func(c *notify.PushConfig) { c.Key = nil }, "a key of another curve": func(c *notify.PushConfig) { c.Key = p384 },
		"no subject": func(c *notify.PushConfig) { c.Subject = "" }, "no client": func(c *notify.PushConfig) { c.Client = nil },
		"no clock": func(c *notify.PushConfig) { c.Clock = nil }, "no subscriptions": func(c *notify.PushConfig) { c.Subscriptions = nil },
	} {
		bad := good
		spoil(&bad)
		_, err := notify.NewPush(bad)
		p := warifu.ProblemOf(err)
		if p == nil || p.Problem != "push-misconfigured" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, detail, _ := text.Problem(p, text.English); detail == "" {
			t.Errorf("%s: the detail lacks its field", name)
		}
	}
}

func FuzzParseSubscription(f *testing.F) {
	f.Add([]byte(`{"endpoint":"https://push.example/x","keys":{"p256dh":"","auth":"BwcHBwcHBwcHBwcHBwcHBw=="}}`))
	point, _ := ecdh.P256().GenerateKey(rand.Reader)
	f.Add([]byte(`{"endpoint":"https://push.example/x","keys":{"p256dh":"` + base64.URLEncoding.EncodeToString(point.PublicKey().Bytes()) + `","auth":"BwcHBwcHBwcHBwcHBwcHBw"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := notify.ParseSubscription(b, false)
		if err != nil {
			return
		}
		kept, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := notify.ParseSubscription(kept, false); err != nil || again != s {
			t.Fatalf("does not survive being kept: %v", err)
		}
	})
}
