package judgetest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu/internal/judgetest"
	"warifu/internal/worldtest"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

const phonePIN = "2468"

// stand opens a world in which Taro's phone has its certificates.
func stand(t *testing.T) *world.World {
	t.Helper()
	w := worldtest.Stand(t)
	worldtest.Own(t, w, "phone-1", "taro")
	return w
}

// register makes a relying party known at the world's provider, as a developer does.
func register(t *testing.T, w *world.World, key jose.JSONWebKey, p *judgetest.Party) {
	t.Helper()
	wish := map[string]any{"name": map[string]string{"en": "Judge"}, "redirectUris": []string{p.Origin() + "/callback"}, "jwks": json.RawMessage(publicSet(t, key))}
	var out struct{ ID, Issuer string }
	if err := doorway.NewClient(w.Places.Server).Post(t.Context(), "/api/v1/clients", wish, &out); err != nil {
		t.Fatal(err)
	}
	p.ClientID, p.Issuer, p.Key = out.ID, out.Issuer, key
}

// browser is a person's browser.
type browser struct {
	*http.Client
	t *testing.T
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{&http.Client{Jar: jar, Timeout: 30 * time.Second}, t}
}

// get opens an address and says where it ended, with which status, and what stood there.
func (b browser) get(address string) (at string, status int, page string) {
	b.t.Helper()
	wish, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	wish.Header.Set("Accept", "text/html") // without it mod_auth_openidc takes us for a program, and answers 401
	r, err := b.Do(wish)
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return r.Request.URL.String(), r.StatusCode, string(body)
}

// begin goes to the relying party until the provider waits for the phone, and returns the
// link that the page offers to an app on this device.
func (b browser) begin(p judgetest.Party) string {
	b.t.Helper()
	at, status, page := b.get(p.Origin() + "/login")
	if status != http.StatusOK || !strings.Contains(at, "/login/l") {
		b.t.Fatalf("the browser is at %s (%d): %s", at, status, page)
	}
	at, _, _ = strings.Cut(at, "?")
	return at + "/app"
}

// judged has a relying party let Taro in by the phone, and nobody in who declines, whose
// certificates are revoked, or who brings a code that was used.
func judged(t *testing.T, from int, key jose.JSONWebKey, start func(testing.TB, judgetest.Party)) {
	w := stand(t)
	p := judgetest.Party{Port: judgetest.Port(t, from)}
	register(t, w, key, &p)
	start(t, p)

	b := newBrowser(t)
	link := b.begin(p)
	done, err := w.Phones.Approve(t.Context(), "phone-1", phones.Approve{Link: phones.Link{Link: link}, Unlock: phones.Unlock{PIN: phonePIN}})
	if err != nil {
		t.Fatal(err)
	}
	if at, status, page := b.get(done.Return); status != http.StatusOK || !strings.HasPrefix(at, p.Origin()) {
		t.Fatalf("after the approval the browser is at %s (%d): %s", at, status, page)
	}
	_, status, page := b.get(p.Origin() + "/me")
	var me struct{ Sub string }
	if status != http.StatusOK || json.Unmarshal([]byte(page), &me) != nil || len(me.Sub) < 20 {
		t.Fatalf("nobody is logged in: %d %s", status, page)
	}

	declined := newBrowser(t)
	link = declined.begin(p)
	if _, err := w.Phones.Approve(t.Context(), "phone-1", phones.Approve{Link: phones.Link{Link: link}, Decline: true}); err != nil {
		t.Fatal(err)
	}
	declined.get(strings.TrimSuffix(link, "/app") + "/done")
	nobody(t, declined, p, "a person who declined")

	ended := newBrowser(t)
	link = ended.begin(p)
	if done, err = w.Phones.Approve(t.Context(), "phone-1", phones.Approve{Link: phones.Link{Link: link}, Unlock: phones.Unlock{PIN: phonePIN}}); err != nil {
		t.Fatal(err)
	}
	if err := doorway.NewClient(w.Places.Desk).Post(t.Context(), "/api/cards/taro/events", map[string]string{"event": "lose-card"}, nil); err != nil {
		t.Fatal(err)
	}
	ended.get(done.Return)
	nobody(t, ended, p, "a person whose certificates were put on hold between consent and code")
}

func nobody(t *testing.T, b browser, p judgetest.Party, who string) {
	t.Helper()
	if _, status, page := b.get(p.Origin() + "/me"); status == http.StatusOK && !strings.Contains(page, `{"sub":""}`) && page != "{}" {
		t.Errorf("%s was let in: %s", who, page)
	}
}

func TestOpenIDClientLogsInAndRefuses(t *testing.T) {
	judged(t, 24000, ecKey(t), judgetest.OpenIDClient)
}

func TestModAuthOpenIDCLogsInAndRefuses(t *testing.T) {
	judged(t, 24200, rsaKey(t), judgetest.ModAuthOpenIDC)
}
