// Package worldtest stands a whole sandbox up for tests of the sample services: a world of
// the scheme badge (small keys, always open) with its doors open, phones that are bought and
// registered in one call, and a browser that keeps cookies and reads English.
package worldtest

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

// Secrets of every phone here.
const (
	Password = "PHONE123"
	PIN      = "2468"
)

// patience bounds what happens by itself; a test that waits longer has failed.
const patience = 60 * time.Second

// Stand opens a world in a folder of its own and serves it until the test ends. change may
// alter how it is made, and Default is the change to the default scheme.
func Stand(t testing.TB, change ...func(*world.Config)) *world.World {
	t.Helper()
	c := world.Config{Dir: t.TempDir(), AnyPort: true, Scheme: "badge"}
	for _, f := range change {
		f(&c)
	}
	w, err := world.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.Run(ctx, func() error { close(ready); return nil }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return w
}

// Default is the default scheme's world: the hours, and the keys of a card.
func Default(c *world.Config) { c.Scheme = "" }

// Buy buys a phone and returns its identifier.
func Buy(t testing.TB, w *world.World) string {
	t.Helper()
	h, err := w.Phones.Buy(phones.Buy{})
	if err != nil {
		t.Fatal(err)
	}
	return h.ID
}

// Own registers the person's certificates on the phone, of both kinds unless some are named.
func Own(t testing.TB, w *world.World, phone, card string, kinds ...warifu.Kind) {
	t.Helper()
	ctx := context.Background()
	v, err := w.Bureau.Show(card)
	if err != nil {
		t.Fatal(err)
	}
	if len(kinds) == 0 {
		kinds = warifu.Kinds[:]
	}
	in := phones.Apply{Card: card, CardPassword: v.Person.Record().PINs.Signature, Kinds: kinds, Consent: w.Scheme.Consent, PIN: PIN}
	if kinds[0] == warifu.Signature {
		in.Signature = Password
	}
	if _, err := w.Phones.Apply(ctx, phone, in); err != nil {
		t.Fatal(err)
	}
	Until(t, "the certificates are issued", func() bool {
		a, err := w.Phones.Status(ctx, phone)
		return err == nil && a.State == warifu.ApplicationIssued
	})
	if _, err := w.Phones.Personalize(ctx, phone, phones.Personalize{}); err != nil {
		t.Fatal(err)
	}
}

// Until waits for what happens by itself.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it did not come to be that %s", what)
		}
	}
}

// Forward moves the world's clock, by the desk's time machine.
func Forward(t testing.TB, w *world.World, words string) {
	t.Helper()
	b := NewBrowser(t)
	if status, page := b.Fill(w.Places.Desk+"/clock", "words", words); status != http.StatusOK {
		t.Fatalf("the clock to %q: status %d: %.400s", words, status, page[max(0, strings.Index(page, "role=\"alert\"")):])
	}
}

// Slug is the problem of err, "" where there is none.
func Slug(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

// Browser is a person at the pages.
type Browser struct {
	t      testing.TB
	client *http.Client
}

// NewBrowser opens a browser without cookies.
func NewBrowser(t testing.TB) *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{t, &http.Client{Jar: jar}}
}

// Send sends one request as a page of the same origin does, and follows redirections.
func (b *Browser) Send(method, address, kind string, body io.Reader) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, string(page)
}

// Get opens a page, which must be there.
func (b *Browser) Get(address string) string {
	b.t.Helper()
	status, page := b.Send(http.MethodGet, address, "", nil)
	if status != http.StatusOK {
		b.t.Fatalf("%s: status %d: %s", address, status, page)
	}
	return page
}

// Fill sends a form of name, value pairs.
func (b *Browser) Fill(address string, pairs ...string) (int, string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.Send(http.MethodPost, address, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// Upload sends a form with files and name, value pairs.
func (b *Browser) Upload(address string, files map[string]string, pairs ...string) (int, string) {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, content := range files {
		part, err := form.CreateFormFile(name, name+".txt")
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = io.WriteString(part, content)
	}
	for i := 0; i < len(pairs); i += 2 {
		_ = form.WriteField(pairs[i], pairs[i+1])
	}
	_ = form.Close()
	return b.Send(http.MethodPost, address, form.FormDataContentType(), &body)
}

// Wants fails the test unless the page says the sentence.
func (b *Browser) Wants(page, sentence string) {
	b.t.Helper()
	if !strings.Contains(page, sentence) {
		b.t.Errorf("the page does not say %q:\n%s", sentence, page)
	}
}
