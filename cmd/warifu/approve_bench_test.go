//go:build linux

package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/sandbox/phones"
)

// BenchmarkApprovalToRedirect is the time from the person's approval, as the app hands it to the
// server, to the address of the relying party in the browser's hands: the phone's key signs, the
// server judges and writes, the page hears of it and asks where to go. Run with -benchtime=200x.
func BenchmarkApprovalToRedirect(b *testing.B) {
	w := runWorld(b)
	phoneReady(b, w)
	at, err := newShop(w.Places.Server)
	if err != nil {
		b.Fatal(err)
	}
	defer at.site.Close()
	var took []time.Duration
	for b.Loop() {
		person, err := newBrowser()
		if err != nil {
			b.Fatal(err)
		}
		if err := person.open(at.site.URL + "/login?scope=name"); err != nil {
			b.Fatal(err)
		}
		took = append(took, approved(b, w.Phones, person))
	}
	slices.Sort(took)
	quantile := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(quantile(.5), "p50-ms")
	b.ReportMetric(quantile(.99), "p99-ms")
}

// approved has the phone approve the login that the browser waits for, and times it.
func approved(b *testing.B, all *phones.Phones, person *browser) time.Duration {
	person.CheckRedirect = func(to *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(to.URL.Path, "/callback") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	stream, err := person.listen()
	if err != nil {
		b.Fatal(err)
	}
	defer stream.Close()
	page, err := url.Parse(person.address)
	if err != nil {
		b.Fatal(err)
	}
	link := page.Scheme + "://" + page.Host + strings.Replace(page.Path, "/login/", "/l/", 1)
	number := numberShown.FindStringSubmatch(person.page)[1]
	begun := warifu.SystemClock{}.Now()
	failed := make(chan error, 1)
	go func() {
		_, err := all.Approve(b.Context(), "phone-1", phones.Approve{Link: phones.Link{Link: link}, Number: number, Unlock: phones.Unlock{PIN: "2468"}})
		failed <- err
	}()
	if err := person.follow(stream); err != nil {
		b.Fatal(err)
	}
	took := warifu.SystemClock{}.Now().Sub(begun)
	if err := <-failed; err != nil {
		b.Fatal(err)
	}
	if !strings.HasSuffix(person.address, "/done") || !strings.Contains(person.location, "/callback?code=") {
		b.Fatalf("the browser is at %s, sent to %s", person.address, person.location)
	}
	return took
}
