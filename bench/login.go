package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/oidc"
	"warifu/phone"
	town "warifu/sandbox/phones"
	"warifu/sandbox/world"
)

const (
	loginsARound = 1500 // of each provider
	loginRounds  = 3
	loginsAtOnce = 16 // browsers and relying parties that ask at the same time
)

// logins measures the OpenID provider: authorization and code exchange beside ory/fosite's,
// both in this process and without sockets, in turn. Requests are made before the clock starts
// and answers read after it. Ours is the whole site as an operator has it (its guard, its
// routes), keeps every login in its database and is asked three times a login, as the browser
// comes back from the claimant's answer; fosite is asked twice and has a memory store. The
// claimant's answer (presence, consent, ledger) has no counterpart there and stands in a row
// of its own.
func logins(ctx context.Context, b *bench) ([]Row, error) {
	place, err := openLoginTown(ctx, filepath.Join(b.fast, "logins"))
	if err != nil {
		return nil, err
	}
	defer place.close()
	signing, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	peer := newFosite(signing, place.client)
	var ours, answers, theirs time.Duration
	for round := range loginRounds + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		spent, answered, err := place.round(ctx, loginsARound)
		if err != nil {
			return nil, err
		}
		other, err := peer.round(place.client, loginsARound)
		if err != nil {
			return nil, err
		}
		if round > 0 { // the first warms both up
			ours, answers, theirs = ours+spent, answers+answered, theirs+other
		}
	}
	const all = loginRounds * loginsARound
	rate := func(d time.Duration) float64 { return all / d.Seconds() }
	return []Row{
		plain("login: authorization and code exchange, ES256, a CPU-second", rate(ours), "/CPU s").against("ory/fosite in memory", rate(theirs)).ratioAtLeast(1.5),
		plain("login: the claimant's answer judged and kept", answers.Seconds()*1e6/all, "µs CPU"),
	}, nil
}

// measured is the CPU time, of all threads, that f takes.
func measured(f func() error) (time.Duration, error) {
	before, err := ownCPU()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := ownCPU()
	return after - before, err
}

// inParallel does n things, loginsAtOnce at a time.
func inParallel(n int, do func(int) error) error {
	var wait sync.WaitGroup
	failed := make([]error, loginsAtOnce)
	for worker := range loginsAtOnce {
		wait.Go(func() {
			for i := worker; i < n; i += loginsAtOnce {
				if err := do(i); err != nil {
					failed[worker] = err
					return
				}
			}
		})
	}
	wait.Wait()
	return errors.Join(failed...)
}

// loginTown is a world with one registered relying party and one phone that has its credentials.
type loginTown struct {
	world  *world.World
	client *ecdsa.PrivateKey
	id     string // of the client
	stop   context.CancelFunc
	ended  chan error
}

const (
	townCard, townPassword = "taro", "TARO1980"
	townSecret, townPIN    = "PHONE123", "2468"
)

func openLoginTown(ctx context.Context, dir string) (*loginTown, error) {
	w, err := world.Open(ctx, world.Config{Dir: dir, AnyPort: true, Scheme: "badge", Unheard: true})
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	t := &loginTown{world: w, stop: stop, ended: make(chan error, 1)}
	ready := make(chan struct{})
	go func() { t.ended <- w.Run(running, func() error { close(ready); return nil }) }()
	select {
	case <-ready:
	case err := <-t.ended:
		stop()
		return nil, err
	}
	if err := errors.Join(t.personalize(ctx), t.register(ctx)); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *loginTown) close() {
	t.stop()
	<-t.ended
}

func (t *loginTown) personalize(ctx context.Context) error {
	p := t.world.Phones
	_, err := p.Apply(ctx, "phone-1", town.Apply{Card: townCard, CardPassword: townPassword, Kinds: warifu.Kinds[:], Consent: t.world.Scheme.Consent, Signature: townSecret, PIN: townPIN})
	for tries := 0; err == nil && tries < 600; tries++ {
		a, failed := p.Status(ctx, "phone-1")
		if failed != nil || a.State == warifu.ApplicationIssued {
			err = failed
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err == nil {
		_, err = p.Personalize(ctx, "phone-1", town.Personalize{})
	}
	return err
}

// register makes the relying party known as a developer does.
func (t *loginTown) register(ctx context.Context) error {
	keys, key, err := benchKeySet()
	if err != nil {
		return err
	}
	var registered struct{ ID string }
	err = call(ctx, http.MethodPost, t.world.Places.Server+"/api/v1/clients", benchEntry(keys), &registered)
	t.client, t.id = key, registered.ID
	return err
}

func (t *loginTown) endpoint(name string) string {
	return t.world.Places.Server + oidc.IssuerPath() + "/protocol/openid-connect/" + name
}

// asked is a request that waits to be put to a handler, and then its answer.
type asked struct {
	request *http.Request
	answer  *httptest.ResponseRecorder
}

func ask(method, address string, form url.Values, cookies ...*http.Cookie) asked {
	r := httptest.NewRequest(method, address, strings.NewReader(form.Encode()))
	r.RemoteAddr = "127.0.0.1:1"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return asked{r, httptest.NewRecorder()}
}

// put has a handler answer what is asked, without sockets, and tells the CPU time of that
// alone: what asks was made before, and what is answered is looked at afterwards.
func put(all []asked, serve func(http.ResponseWriter, *http.Request)) (time.Duration, error) {
	return measured(func() error {
		return inParallel(len(all), func(i int) error { serve(all[i].answer, all[i].request); return nil })
	})
}

// codeIn is the code that a browser was sent back with.
func codeIn(w *httptest.ResponseRecorder) (string, error) {
	back, err := url.Parse(w.Header().Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		return "", fmt.Errorf("no code: %d %s %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	return back.Query().Get("code"), nil
}

// exchanges are the token requests for the codes of those who were sent back.
func exchanges(back []asked, all []preparedLogin, endpoint string) ([]asked, error) {
	out := make([]asked, len(back))
	for i, b := range back {
		code, err := codeIn(b.answer)
		if err != nil {
			return nil, err
		}
		out[i] = ask(http.MethodPost, endpoint, all[i].exchange(code))
	}
	return out, nil
}

// redeemed checks that there are tokens in every answer.
func redeemed(all []asked) error {
	for _, a := range all {
		if w := a.answer; w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"id_token"`) {
			return fmt.Errorf("token: %d %s", w.Code, w.Body)
		}
	}
	return nil
}

// begun is a login under way in a browser.
type begun struct {
	page    string // its address at the provider
	cookies []*http.Cookie
	back    string // where the answer said the browser goes on
}

// round takes n logins through the provider: the CPU time of what the browser and the
// relying party ask, and that of the claimant's answers.
func (t *loginTown) round(ctx context.Context, n int) (spent, answered time.Duration, err error) {
	all, err := prepareLogins(n, t.client, t.id, t.endpoint("token"), t.world.Clock.Now())
	if err != nil {
		return 0, 0, err
	}
	site := t.world.Server.Handler().ServeHTTP
	opening, returning := make([]asked, n), make([]asked, n)
	for i, p := range all {
		opening[i] = ask(http.MethodGet, t.endpoint("auth")+"?"+p.query.Encode(), nil)
	}
	first, err := put(opening, site)
	if err != nil {
		return 0, 0, err
	}
	under, err := t.under(opening)
	if err != nil {
		return 0, 0, err
	}
	if answered, err = t.answer(ctx, under); err != nil {
		return 0, 0, err
	}
	for i, u := range under {
		returning[i] = ask(http.MethodGet, u.back, nil, u.cookies...)
	}
	second, err := put(returning, site)
	if err != nil {
		return 0, 0, err
	}
	redeeming, err := exchanges(returning, all, t.endpoint("token"))
	if err != nil {
		return 0, 0, err
	}
	third, err := put(redeeming, site)
	return first + second + third, answered, errors.Join(err, redeemed(redeeming))
}

// under reads where the browsers were sent.
func (t *loginTown) under(opening []asked) ([]begun, error) {
	out := make([]begun, len(opening))
	for i, o := range opening {
		page := o.answer.Header().Get("Location")
		u, err := url.Parse(page)
		if err != nil || !strings.Contains(page, "/login/l") {
			return nil, fmt.Errorf("authorization answered %d %s", o.answer.Code, o.answer.Body)
		}
		out[i] = begun{page: t.world.Places.Server + u.Path, cookies: o.answer.Result().Cookies()}
	}
	return out, nil
}

// answer has the phone prove presence for every login, which is not measured, and hands the
// answers in, which is.
func (t *loginTown) answer(ctx context.Context, under []begun) (time.Duration, error) {
	provider := t.world.Server.Provider()
	answers := make([]oidc.Answer, len(under))
	for i, u := range under {
		q, err := provider.Question(ctx, nameOfLogin(u.page), oidc.WayApp)
		if err != nil {
			return 0, err
		}
		a, err := t.world.Phones.Login(ctx, "phone-1", town.Login{Question: questionOf(q), Seen: q.Client.Origin, Unlock: town.Unlock{PIN: townPIN}})
		if err != nil {
			return 0, err
		}
		answers[i] = oidc.Answer{Certificate: a.Certificate, Signature: a.Signature, Agreed: []string{}, Activation: oidc.ActivationPIN}
	}
	return measured(func() error {
		return inParallel(len(under), func(i int) error {
			done, err := provider.Answer(ctx, nameOfLogin(under[i].page), answers[i])
			under[i].back = done.Return
			return err
		})
	})
}

func nameOfLogin(page string) string { return page[strings.LastIndex(page, "/")+1:] }

// questionOf is the provider's question as a phone's app reads it.
func questionOf(q oidc.Question) phone.Question {
	p := q.Presence
	return phone.Question{Purpose: p.Purpose, ClientID: p.ClientID, Origin: p.Origin, Nonce: p.Nonce, Transaction: p.Transaction, Time: p.Time}
}
