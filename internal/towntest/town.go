package towntest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/bureau"
	"warifu/sandbox/insurer"
	"warifu/sandbox/municipality"
	"warifu/sandbox/person"
	"warifu/scheme"
	"warifu/verify"
)

// Begin is when every town begins: a Wednesday morning in Tokyo on which everything is open.
var Begin = time.Date(2026, 6, 10, 10, 30, 0, 0, person.Tokyo)

// KioskKey is a key of the municipality, ClinicKey one of the insurers.
const (
	KioskKey  = "town-kiosk"
	ClinicKey = "town-clinic"
)

// Clock stands until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now implements warifu.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves it.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// Add moves it on.
func (c *Clock) Add(d time.Duration) { c.Set(c.Now().Add(d)) }

// keys are the RSA keys of a test binary: one takes a tenth of a second to make.
var keys struct {
	sync.Mutex
	made []*rsa.PrivateKey
}

// source hands a town each key once.
func source() func() (*rsa.PrivateKey, error) {
	next := 0
	return func() (*rsa.PrivateKey, error) {
		keys.Lock()
		defer keys.Unlock()
		if next == len(keys.made) {
			k, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				return nil, err
			}
			keys.made = append(keys.made, k)
		}
		next++
		return keys.made[next-1], nil
	}
}

// Town is one.
type Town struct {
	T        testing.TB
	Clock    *Clock
	Bureau   *bureau.Bureau
	Scheme   *scheme.Scheme
	Trust    verify.Trust
	Verifier *verify.Verifier
	// Origin is where bureau and municipality answer.
	Origin string
	// Together are identifiers of persons who live with whoever asks.
	Together []string
	// Silent, where it says so, has the responder answer nothing; Away municipality and insurers.
	Silent, Away func() bool
}

// New founds a town.
func New(t testing.TB) *Town {
	t.Helper()
	town := &Town{T: t, Clock: &Clock{now: Begin}, Silent: func() bool { return false }, Away: func() bool { return false }}
	var err error
	if town.Scheme, err = scheme.Shipped("jp-mobile"); err != nil {
		t.Fatal(err)
	}
	var site http.ServeMux
	server := httptest.NewServer(&site)
	t.Cleanup(server.Close)
	town.Origin = server.URL
	town.Bureau, err = bureau.Open(bureau.Config{Dir: t.TempDir(), Clock: town.Clock, BaseURL: server.URL + "/bureau", NewKey: source()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = town.Bureau.Close() })
	for _, kind := range warifu.Kinds {
		if err := town.Trust.Add(profile.ClassCard, kind, town.Bureau.Authority(kind)); err != nil {
			t.Fatal(err)
		}
	}
	town.Verifier = verify.New(town.Trust, verify.OCSPClient{}, town.Clock)
	house := insurer.New(insurer.Config{Origin: server.URL, Verifier: town.Verifier, Status: verify.OCSPClient{}, Register: town, Clock: town.Clock, Clinics: map[string]string{ClinicKey: "test"}})
	site.Handle("/insurers/", unless(func() bool { return town.Away() }, http.StripPrefix("/insurers", house.Handler())))
	hall := municipality.New(municipality.Config{Origin: server.URL, Verifier: town.Verifier, Register: town, Clock: town.Clock, Kiosks: map[string]string{KioskKey: "test"}})
	site.Handle("/bureau/", unless(func() bool { return town.Silent() }, http.StripPrefix("/bureau", town.Bureau.Handler())))
	site.Handle("/municipality/", unless(func() bool { return town.Away() }, http.StripPrefix("/municipality", hall.Handler())))
	return town
}

func unless(away func() bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away() {
			http.Error(w, "no line", http.StatusBadGateway)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Resident implements municipality.Register over the bureau.
func (t *Town) Resident(_ context.Context, _ profile.Class, c *x509.Certificate) (municipality.Resident, error) {
	v, err := t.Bureau.HolderOf(warifu.Authentication, c.SerialNumber.Bytes())
	if err != nil {
		return municipality.Resident{}, warifu.NotFound("resident-unknown").With(err)
	}
	out := municipality.Resident{Person: v.Person, Died: v.Died, Household: []person.Person{v.Person}}
	for _, id := range t.Together {
		other, err := t.Bureau.Show(id)
		if err != nil {
			return out, err
		}
		out.Household = append(out.Household, other.Person)
	}
	return out, nil
}

// Insured implements insurer.Register.
func (t *Town) Insured(ctx context.Context, class profile.Class, c *x509.Certificate) (person.Person, error) {
	who, err := t.Resident(ctx, class, c)
	return who.Person, err
}
