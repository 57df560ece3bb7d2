package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"warifu/internal/housetest"
	"warifu/oidc"
)

// BenchmarkLogin is authorization and code exchange; the claimant's answers are not timed.
func BenchmarkLogin(b *testing.B) {
	w := newTown(b, housetest.Options{})
	w.config.Counted = nil
	w.open()
	k := openPhone(b, w.phone)
	query := w.ask(bank).Encode()
	tabs, backs, forms := make([]tab, b.N), make([]string, b.N), make([]string, b.N)
	for i := range forms {
		forms[i] = w.exchangeForm(bank, "CODE").Encode()
	}
	atOnce := func(do func(i int)) {
		var wait sync.WaitGroup
		for worker := range 16 {
			wait.Go(func() {
				for i := worker; i < b.N; i += 16 {
					do(i)
				}
			})
		}
		wait.Wait()
	}
	b.ResetTimer()
	atOnce(func(i int) {
		r := request(http.MethodGet, authURL+"?"+query, "")
		tabs[i] = w.tabOf(w.serve(r))
	})
	b.StopTimer()
	for i, at := range tabs {
		a, err := w.provider.Answer(ctx, at.login, k.answers(b, w.question(at.login, oidc.WayApp)))
		must(b, err)
		u, err := url.Parse(a.Return)
		must(b, err)
		backs[i] = u.Query().Get("return")
	}
	b.StartTimer()
	atOnce(func(i int) {
		redirect, err := w.provider.Finish(ctx, tabs[i].login, tabs[i].cookie, backs[i])
		if err != nil {
			b.Error(err)
			return
		}
		_, code, _ := strings.Cut(redirect, "code=")
		code, _, _ = strings.Cut(code, "&")
		a := w.serve(request(http.MethodPost, tokenURL, strings.Replace(forms[i], "CODE", code, 1)))
		if a.Code != http.StatusOK {
			b.Error(a.Code, a.Body)
		}
	})
}
