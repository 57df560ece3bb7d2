//go:build unix

package crashtest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/cms"
	"warifu/phone"
	"warifu/profile"
	"warifu/sandbox/person"
	"warifu/server"
	"warifu/store"
)

// backlogSize is how many applications wait before the first is worked on.
func backlogSize(t *testing.T) int {
	t.Helper()
	if n := os.Getenv("WARIFU_BACKLOG"); n != "" {
		size, err := strconv.Atoi(n)
		must(t, err)
		return size
	}
	if soaking() {
		return 100_000
	}
	return 600
}

// crowd makes complete applications of ever new persons and hands them to a server's
// site in this process. The papers are real; no chip is emulated behind them, since
// nobody is going to fetch.
type crowd struct {
	town     *town
	registry *registry
	maker    *chip.Maker
	site     http.Handler
	person   person.Generator
}

// TestBacklogDrainsInOrder hands in applications while nobody works on them, and then
// has the queue worked off: in order of arrival, each exactly once, the last tenth for no
// more than the first. The server is this process: who moves its queue can only be here.
func TestBacklogDrainsInOrder(t *testing.T) {
	tn := settle(t, places["sqlite"])
	r := newRegistry(t)
	m, err := chip.NewMaker("Backlog", clock.Now().Add(-time.Hour))
	must(t, err)
	r.anchor(t, tn.dir, m.Root)
	config, err := server.ReadConfig(tn.config)
	must(t, err)
	s, err := server.New(t.Context(), config, server.Options{Clock: clock, Log: slog.New(slog.DiscardHandler), Bureau: &http.Client{Transport: r}})
	must(t, err)
	n, began := backlogSize(t), clock.Now()
	c := &crowd{town: tn, registry: r, maker: m, site: s.Handler(), person: person.Generator{Seed: 7, Start: clock.Now()}}
	c.hand(t, n)
	t.Logf("%d applications made and accepted in %v", n, clock.Now().Sub(began).Round(time.Millisecond))
	pace := drain(t, tn, s, n)
	must(t, s.Close())
	b := tn.openBooks(t)
	b.auditBacklog(t, n)
	pace.compare(t, n)
}

// hand submits n applications from all cores.
func (c *crowd) hand(t *testing.T, n int) {
	t.Helper()
	failed := make([]error, 2*runtime.GOMAXPROCS(0))
	var next atomic.Int64
	var all sync.WaitGroup
	for worker := range failed {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n) && failed[worker] == nil; i = next.Add(1) {
				failed[worker] = c.apply(int(i))
			}
		})
	}
	all.Wait()
	must(t, errors.Join(failed...))
}

// apply is one person's application from the challenge to the 202.
func (c *crowd) apply(n int) error {
	model, err := pixel()
	if err != nil {
		return err
	}
	element, err := c.maker.Manufacture(chip.Order{
		Model: phoneModel, Identifiers: map[string]string{"imei": "490154203237518"}, At: clock.Now().Add(-time.Minute),
		Domain: func(warifu.ElementID) (chip.DomainKeys, error) { return chip.DomainKeys{}, nil },
	})
	if err != nil {
		return err
	}
	device := phone.Device{Element: element.ID, Model: phoneModel, OSBuild: model.MinOSBuild, AppVersion: max(model.MinAppVersion, c.town.scheme.MinimumAppVersion)}
	var terms phone.Terms
	if err := c.post("/api/v1/challenges", http.StatusOK, device, &terms); err != nil {
		return err
	}
	submission, err := c.sign(n, element, device, terms)
	if err != nil {
		return err
	}
	var accepted phone.Application
	return c.post("/api/v1/applications", http.StatusAccepted, submission, &accepted)
}

func (c *crowd) post(path string, status int, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request := httptest.NewRequest(http.MethodPost, c.town.origin+path, bytes.NewReader(body))
	request.RemoteAddr = "127.0.0.1:1"
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	c.site.ServeHTTP(answer, request)
	if answer.Code != status {
		return fmt.Errorf("%s: %d %s", path, answer.Code, answer.Body)
	}
	return json.Unmarshal(answer.Body.Bytes(), out)
}

// sign makes the papers that element, card and phone would sign (design §3.1).
func (c *crowd) sign(n int, element chip.ElementPersonality, device phone.Device, terms phone.Terms) (phone.Submission, error) {
	var out phone.Submission
	p := c.person.Person(n)
	attributes := profile.Attributes{Name: p.Name, Gender: p.Sex.CertificateCode(), BirthDate: p.BirthCode(), Address: p.Address}.Complete()
	card, err := c.registry.issue(n, attributes)
	if err != nil {
		return out, err
	}
	parsedKey, err := x509.ParsePKCS8PrivateKey(element.AttestationKey)
	if err != nil {
		return out, err
	}
	key := parsedKey.(crypto.Signer)
	keys, err := freshKeys()
	if err != nil {
		return out, err
	}
	out.Chain, out.CardAuthentication = element.Chain, card[warifu.Authentication]
	out.Attestation, err = attest.Attestation{Element: element.ID, Model: element.Model, Identifiers: element.Identifiers, Challenge: terms.Challenge, Keys: keys}.Seal(key)
	if err != nil {
		return out, err
	}
	paper, err := attest.Document{
		Challenge: terms.Challenge, Element: element.ID, Model: device.Model, OSBuild: device.OSBuild, AppVersion: device.AppVersion,
		Keys: keys, Attestation: warifu.DigestOf(out.Attestation), Consent: terms.Consent, Scheme: terms.Scheme.ID,
	}.Marshal()
	if err != nil {
		return out, err
	}
	if out.Document, err = c.tap(paper, card[warifu.Signature]); err != nil {
		return out, err
	}
	out.SecretsSet, err = attest.SecretsSet{Element: element.ID, Document: warifu.DigestOf(paper), Kinds: warifu.Kinds[:]}.Seal(key)
	return out, err
}

// tap signs the paper as the card does.
func (c *crowd) tap(paper, certificate []byte) ([]byte, error) {
	signer, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, err
	}
	prepared, err := cms.Prepare(attest.OIDApplicationDocument, paper, signer, nil, clock.Now(), false)
	if err != nil {
		return nil, err
	}
	digest := prepared.Digest()
	signature, err := c.registry.keys[warifu.Signature].Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return prepared.Finish(signature)
}

func freshKeys() ([]attest.Key, error) {
	var out []attest.Key
	for _, kind := range warifu.Kinds {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		spki, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			return nil, err
		}
		out = append(out, attest.Key{Kind: kind, PublicKey: spki})
	}
	return out, nil
}

// pace is how far a drain was at an instant, and what it had cost.
type pace []struct {
	issued int
	at     time.Duration
	cpu    time.Duration
}

// drain runs the queue until nothing is left.
func drain(t *testing.T, tn *town, s *server.Server, n int) pace {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	began, spent := clock.Now(), cpuTime()
	db := bare(t, tn.db.registration)
	go func() { ended <- s.Queue().Run(ctx) }()
	var p pace
	told, issued, newest := 0, 0, int64(0)
	for late := began.Add(time.Hour); ; wait(ctx, 50*time.Millisecond) {
		var more int // only what is new: a count of all would itself grow with what is done
		must(t, db.QueryRow(`SELECT COUNT(*), COALESCE(MAX(at), $1) FROM moves WHERE life = 'application' AND verb = 'issue' AND at > $1`, newest).Scan(&more, &newest))
		issued += more
		p = append(p, struct {
			issued  int
			at, cpu time.Duration
		}{issued, clock.Now().Sub(began), cpuTime() - spent})
		for ; len(p) > 1 && told < 10 && issued*10 >= (told+1)*n; told++ {
			from, spentBefore := p.until(float64(told*n) / 10)
			to, spentNow := p.until(float64((told+1)*n) / 10)
			t.Logf("tenth %2d: %v, %v of CPU", told+1, (to - from).Round(time.Millisecond), (spentNow - spentBefore).Round(time.Millisecond))
		}
		if issued == n && count(t, db, `SELECT COUNT(*) FROM jobs`) == 0 {
			break
		}
		if clock.Now().After(late) {
			t.Fatalf("after an hour %d of %d are issued", issued, n)
		}
	}
	stop()
	must(t, <-ended)
	return p
}

// until is when, and at what cost, a number was issued, between two looks.
func (p pace) until(issued float64) (at, cpu time.Duration) {
	for i := 1; i < len(p); i++ {
		if a, b := p[i-1], p[i]; float64(b.issued) >= issued && b.issued > a.issued {
			share := (issued - float64(a.issued)) / float64(b.issued-a.issued)
			return a.at + time.Duration(share*float64(b.at-a.at)), a.cpu + time.Duration(share*float64(b.cpu-a.cpu))
		}
	}
	last := p[len(p)-1]
	return last.at, last.cpu
}

// compare holds the last tenth against the first.
func (p pace) compare(t *testing.T, n int) {
	t.Helper()
	tenth := float64(n) / 10
	firstAt, firstCPU := p.until(tenth)
	fromAt, fromCPU := p.until(float64(n) - tenth)
	toAt, toCPU := p.until(float64(n))
	lastAt, lastCPU := toAt-fromAt, toCPU-fromCPU
	each := func(d time.Duration) time.Duration {
		return (d / time.Duration(max(1, int(tenth)))).Round(time.Microsecond)
	}
	t.Logf("%d issued in %v (%.0f applications a second); an application of the first tenth took %v (%v of CPU), of the last %v (%v of CPU): ratio %.2f (%.2f)",
		n, toAt.Round(time.Millisecond), float64(n)/toAt.Seconds(), each(firstAt), each(firstCPU), each(lastAt), each(lastCPU),
		lastAt.Seconds()/firstAt.Seconds(), lastCPU.Seconds()/firstCPU.Seconds())
	if soaking() && lastCPU > firstCPU*3/2 {
		t.Errorf("the cost grows: %v of CPU for the first tenth, %v for the last", firstCPU, lastCPU)
	}
}

// auditBacklog: everything was issued, once, in order of arrival.
func (b *books) auditBacklog(t *testing.T, n int) {
	t.Helper()
	want(t, "issued applications", count(t, b.bare, `SELECT COUNT(*) FROM applications WHERE state = 'issued'`), n)
	want(t, "credentials", count(t, b.bare, `SELECT COUNT(*) FROM credentials WHERE state = 'pending'`), n*len(warifu.Kinds))
	want(t, "distinct public keys", count(t, b.bare, `SELECT COUNT(DISTINCT public_key) FROM credentials`), n*len(warifu.Kinds))
	rows, err := b.bare.Query(`SELECT issued_at, document FROM applications ORDER BY due_at, issued_at`) // of one instant, any may be first
	must(t, err)
	defer rows.Close()
	var last, early int64
	documents := map[warifu.Digest]bool{}
	for rows.Next() {
		var at int64
		var document []byte
		must(t, rows.Scan(&at, &document))
		if at < last {
			early++
		}
		last = max(last, at)
		documents[warifu.Digest(document)] = true
	}
	must(t, rows.Err())
	signed := map[warifu.Kind]int{}
	for _, i := range b.intents {
		if documents[i.document] && !i.certificate.IsZero() {
			signed[i.kind]++
		}
	}
	for _, kind := range warifu.Kinds {
		want(t, "certificates for applications in the ledger of "+kind.String(), signed[kind], n)
	}
	if early > 0 {
		t.Errorf("%d applications were issued before one that had come earlier", early)
	}
	must(t, b.store.Read(t.Context(), func(tx *store.Tx) error {
		depths, err := tx.JobDepths()
		want(t, "kinds of jobs left", len(depths), 0)
		return err
	}))
}
