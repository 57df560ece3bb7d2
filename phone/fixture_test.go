package phone_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/iso7816"
	"warifu/keystore"
	"warifu/phone"
	"warifu/sandbox/bureau"
	"warifu/sandbox/folder"
	"warifu/sandbox/handset"
	"warifu/sandbox/maker"
	"warifu/scheme"
)

// The secrets of the fixture: the card is taro's, the phone's are new.
const (
	cardPassword = "TARO1980"
	phonePass    = "PHONE123"
	phonePIN     = "2468"
)

var oneKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// start is when every fixture begins: a weekday noon in Tokyo.
var start = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

// hands is a clock whose hands a test turns.
type hands struct{ at time.Time }

func (h *hands) Now() time.Time { return h.at }

// counter plays the server: it remembers what was handed in.
type counter struct {
	mu         sync.Mutex
	consent    string
	scheme     string
	challenges int
	submitted  []phone.Submission
	expires    time.Time
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/api/v1/challenges":
		c.challenges++
		_ = json.NewEncoder(w).Encode(phone.Terms{
			Challenge: bytes.Repeat([]byte{byte(c.challenges)}, attest.ChallengeLength), ExpiresAt: c.expires,
			Scheme: phone.SchemeTerms{ID: c.scheme, Algorithm: "p-256"}, Consent: c.consent,
		})
	case "/api/v1/applications":
		var s phone.Submission
		if json.NewDecoder(r.Body).Decode(&s) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.submitted = append(c.submitted, s)
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(phone.Application{ID: "a1", State: warifu.ApplicationSubmitted})
	default:
		refuse(w, http.StatusNotFound, "application-unknown", nil)
	}
}

// fixture is a phone, a card and a server that accepts everything.
type fixture struct {
	app     *phone.App
	card    *chip.Card
	element *chip.Element
	lock    *handset.ScreenLock
	server  *counter
	clock   *hands
	consent string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	rules, err := scheme.Shipped("badge")
	must(t, err)
	f := &fixture{clock: &hands{start}, consent: rules.Consent}
	f.server = &counter{consent: rules.Consent, scheme: rules.ID(), expires: start.Add(10 * time.Minute)}
	cards, err := bureau.Open(bureau.Config{Dir: t.TempDir(), Clock: f.clock, BaseURL: "http://bureau.invalid", NewKey: oneKey})
	must(t, err)
	t.Cleanup(func() { must(t, cards.Close()) })
	f.card, err = cards.Card("taro")
	must(t, err)
	h := f.makePhone(t)
	f.lock = h.ScreenLock()
	f.app = h.App(serve(t, f.server.ServeHTTP), rules, f.clock)
	return f
}

func (f *fixture) makePhone(t *testing.T) *handset.Handset {
	t.Helper()
	master, err := keystore.NewSymmetricKey(make([]byte, 32))
	must(t, err)
	makers, err := maker.Open(maker.Config{
		Dir: t.TempDir(), Clock: f.clock, Makers: []string{"Warifu"}, Apps: []warifu.Digest{handset.AppCertificate},
		Domain: func(id warifu.ElementID) (chip.DomainKeys, error) { return chip.DeriveDomainKeys(master, id) },
	})
	must(t, err)
	made, err := makers.Make("phone-1", "Warifu", "W-1")
	must(t, err)
	f.element, err = makers.Element("phone-1")
	must(t, err)
	dir, err := folder.Open(t.TempDir())
	must(t, err)
	h, err := handset.Open(dir, handset.Record{ID: "phone-1", Model: "W-1", OSBuild: "16", AppVersion: 60, Element: made.Element}, f.element, rand.Reader)
	must(t, err)
	return h
}

func (f *fixture) choice(kinds ...warifu.Kind) phone.Choice {
	return phone.Choice{Kinds: kinds, Consent: f.consent, CardPassword: cardPassword}
}

// prepared goes as far as before the tap.
func (f *fixture) prepared(t *testing.T, kinds ...warifu.Kind) *phone.Draft {
	t.Helper()
	d, err := f.app.Begin(f.choice(kinds...))
	must(t, err)
	must(t, f.app.Prepare(context.Background(), d))
	return d
}

// untouched is a chip that must not be asked anything.
func untouched(t *testing.T) iso7816.Transmitter {
	return iso7816.TransmitterFunc(func(context.Context, []byte) ([]byte, error) {
		t.Error("a chip was touched")
		return nil, iso7816.ErrRemoved
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantProblem(t *testing.T, what, slug string, err error) {
	t.Helper()
	if err == nil || warifu.ProblemOf(err).Problem != slug {
		t.Errorf("%s: got %v, want %s", what, err, slug)
	}
}
