package housetest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"time"

	"warifu"
	"warifu/ca"
	"warifu/console"
	"warifu/globalplatform"
	"warifu/oidc"
	"warifu/phone"
	"warifu/profile"
	"warifu/provision"
	"warifu/queue"
	"warifu/registration"
	"warifu/server"
	"warifu/status"
	"warifu/store"
	"warifu/verification"
	"warifu/verify"
	"warifu/web"
)

func (h *House) openIssuers(t TB) {
	t.Helper()
	for _, kind := range warifu.Kinds {
		h.openIssuer(t, kind)
	}
}

func (h *House) openIssuer(t TB, kind warifu.Kind) {
	t.Helper()
	key, err := h.keys.Generate("authority-"+kind.String(), h.Scheme.Algorithm)
	check(t, err)
	now := h.Clock.Now()
	der, err := profile.PhoneAuthority(kind, "").SelfSign(key, []byte{byte(kind)}, now.UTC().Truncate(time.Second), now.AddDate(10, 0, 0))
	check(t, err)
	h.CAs[kind], err = x509.ParseCertificate(der)
	check(t, err)
	dsn := "sqlite:" + filepath.Join(h.Dir, "ledger-"+kind.String()+".db")
	check(t, store.MigrateLedger(context.Background(), dsn))
	ledger, err := store.OpenLedger(context.Background(), dsn, h.symmetric(t, keySeal))
	check(t, err)
	t.Cleanup(func() { _ = ledger.Close() })
	serials, err := profile.NewSerialCipher(byte(kind), h.symmetric(t, "serial-"+kind.String()).Block())
	check(t, err)
	own := &Ledger{Ledger: ledger, intents: map[string]warifu.Intent{}}
	issuer, err := ca.New(ca.Config{
		Kind: kind, Certificate: h.CAs[kind], Key: key, Ledger: own, Clock: h.Clock, Scheme: h.Scheme, Endpoints: Endpoints(kind),
		Cards: map[warifu.Kind][]*x509.Certificate{
			warifu.Signature: {h.Bureau.Authority(warifu.Signature)}, warifu.Authentication: {h.Bureau.Authority(warifu.Authentication)},
		},
		Makers: h.Maker.Anchors(), StatementKey: h.Bureau.StatementKey(), Challenge: h.symmetric(t, keyChallenge).HMAC, Serials: serials,
	})
	check(t, err)
	h.Issuers[kind] = &Issuer{Kind: kind, CA: issuer, Ledger: own}
	h.openStatus(t, kind)
}

// Endpoints are the addresses in an authority's certificates.
func Endpoints(kind warifu.Kind) profile.Endpoints {
	return profile.Endpoints{OCSP: Origin + "/ocsp/" + kind.String(), CRL: Origin + "/crl/" + kind.String() + ".crl", Issuer: Origin + "/ca/" + kind.String() + ".cer"}
}

func (h *House) openStatus(t TB, kind warifu.Kind) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	var delegate status.Delegate
	appointed := func() (status.Delegate, error) {
		if c := delegate.Certificate; c != nil && !ca.ResponderDue(c, h.Clock.Now()) {
			return delegate, nil
		}
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return delegate, err
		}
		der, err := h.Issuers[kind].CA.CertifyResponder(context.Background(), &key.PublicKey)
		if err != nil {
			return delegate, err
		}
		certificate, err := x509.ParseCertificate(der)
		delegate = status.Delegate{Certificate: certificate, Key: key}
		return delegate, err
	}
	h.responders[kind] = status.NewResponder(kind, h.CAs[kind], server.NewStatuses(h.Store), appointed, h.Clock)
	h.responders[kind].Cache = status.NewCache(1 << 20)
	h.historians[kind] = status.NewHistorian(kind, h.CAs[kind], server.NewStatuses(h.Store), appointed, h.Clock)
	h.publishers[kind] = h.publisher(kind)
}

func (h *House) openRegistrar(t TB) {
	t.Helper()
	var err error
	h.Registrar, err = registration.New(h.Config(t))
	check(t, err)
}

// UseRegistrar puts another registration authority in the place of the house's, with the
// site before it; phones made before reach it as well.
func (h *House) UseRegistrar(r *registration.Authority) {
	h.Registrar = r
	h.openHandler()
}

// Config is what the house's registration authority is made of.
func (h *House) Config(t TB) registration.Config {
	t.Helper()
	var trust verify.Trust
	for _, kind := range warifu.Kinds {
		check(t, trust.Add(profile.ClassCard, kind, h.Bureau.Authority(kind)))
	}
	master := h.symmetric(t, keyDomain)
	tickets := map[warifu.Kind]crypto.Signer{}
	for _, kind := range warifu.Kinds {
		key, err := h.keys.Signer(keyTicket + kind.String())
		check(t, err)
		tickets[kind] = key
	}
	working, err := operators()
	check(t, err)
	return registration.Config{
		Store: h.Store, Queue: h.Queue, Scheme: h.Scheme, Origin: Origin, Clock: h.Clock, Random: rand.Reader,
		Models: h.Catalogue, Cards: verify.New(trust, nil, h.Clock), Bureau: h.Cards, StatementKey: h.Bureau.StatementKey(),
		MakerAnchors: h.Maker.Anchors(), ChallengeMAC: h.symmetric(t, keyChallenge).HMAC,
		Issuers:     map[warifu.Kind]registration.Issuer{warifu.Signature: h.Issuers[warifu.Signature], warifu.Authentication: h.Issuers[warifu.Authentication]},
		Authorities: map[warifu.Kind][]byte{warifu.Signature: h.CAs[warifu.Signature].Raw, warifu.Authentication: h.CAs[warifu.Authentication].Raw},
		Pusher:      h.Pushed, TicketKeys: tickets, Operators: working, CardReports: h.Reports, Log: h.logger(),
		Keys: provision.Deriver(func(label string, context []byte, bits int) (globalplatform.Key, error) {
			return master.Derive(label, context, bits)
		}),
	}
}

// SecondServer is another server's registration authority over the same database and
// authorities, with its own queue: what stands beside the first behind a load balancer.
func (h *House) SecondServer(t TB) (*registration.Authority, *queue.Queue) {
	t.Helper()
	c := h.Config(t)
	c.Queue = h.newQueue()
	a, err := registration.New(c)
	check(t, err)
	return a, c.Queue
}

func (h *House) openSite(t TB) {
	t.Helper()
	h.Stamps = h.NewStamps(t, 3*365*24*time.Hour)
	h.Desk = verification.New(h.DeskConfig(t, h.Stamps))
	var err error
	h.Console, err = console.New(h.ConsoleConfig(t))
	check(t, err)
	h.openHandler()
	h.Server, err = phone.NewServer(Origin, &http.Client{Transport: h.Wire})
	check(t, err)
}

// ConsoleConfig is what the house's console is made of.
func (h *House) ConsoleConfig(t TB) console.Config {
	t.Helper()
	return console.Config{Store: h.Store, Clock: h.Clock, Random: rand.Reader, MAC: h.symmetric(t, keyChallenge).HMAC, Origin: Origin}
}

func (h *House) openHandler() { h.Site = web.New(h.SiteConfig()) }

// SiteConfig is what the house's site is made of.
func (h *House) SiteConfig() web.Config {
	published := map[warifu.Kind]web.Authority{}
	for _, kind := range warifu.Kinds {
		published[kind] = web.Authority{
			Certificate: h.CAs[kind].Raw, OCSP: h.responders[kind], CRL: h.publishers[kind], Delta: h.publishers[kind].Deltas(), History: h.historians[kind],
		}
	}
	return web.Config{
		Origin: Origin, Hosts: []string{"warifu.test"}, Clients: oidc.NewDirectory(h.Store, h.Clock, true), Scheme: h.Scheme, Registration: h.Registrar, Follow: h.Follow, Catalogue: h.Catalogue,
		Verification: h.Desk, Checked: h.Desk.Ledger, Holders: h.Registrar,
		Authorities: published, Notices: silent{}, Forecast: func(due time.Time) (time.Time, bool) { return due, true },
		Ready: h.Store.Ready, NewID: func() (string, error) { return h.Store.NewID(), nil }, Clock: h.Clock, Log: h.logger(), Console: h.Console,
	}
}

// silent answers no notices over HTTP; Pushed tells what was pushed.
type silent struct{}

func (silent) Handler(string, func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.NotFoundHandler()
}

// InProcess is a transport that hands each request to a handler.
type InProcess struct{ Handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p InProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RemoteAddr, in.Host, in.RequestURI = "127.0.0.1:1", r.URL.Host, r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	out := httptest.NewRecorder()
	p.Handler.ServeHTTP(out, in)
	response := out.Result()
	response.Request = r
	return response, nil
}
