package worldtest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

// JSON sends in, or fetches where it is nil, with the browser's cookies, and reads the answer
// into out. It returns the problem's slug, "" for none.
func (b *Browser) JSON(address string, in, out any) string {
	b.t.Helper()
	c := doorway.Client{Base: address, Client: b.client}
	if in == nil {
		return Slug(c.Get(context.Background(), "", out))
	}
	return Slug(c.Post(context.Background(), "", in, out))
}

// Open opens an address as a browser does, and tells where it led.
func (b *Browser) Open(address string) (status int, page, at string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Request.URL.String()
}

// Approve goes the way to the provider that begins at address, has the phone answer there with
// its password and PIN, and comes back as the app brings the browser back. Where the phone or
// the provider refuses, slug says why.
func (b *Browser) Approve(t testing.TB, w *world.World, phone, address string) (status int, page, at, slug string) {
	t.Helper()
	status, page, at = b.Open(address)
	if !strings.HasPrefix(at, w.Places.Server+"/login/") {
		return status, page, at, ""
	}
	in := phones.Approve{Link: phones.Link{Link: at + "/app"}, Password: Password, Unlock: phones.Unlock{PIN: PIN}}
	decided, err := w.Phones.Approve(context.Background(), phone, in)
	if err != nil {
		return 0, "", at, warifu.ProblemOf(err).Problem
	}
	status, page, at = b.Open(decided.Return)
	return status, page, at, ""
}
