package server_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu/internal/housetest"
	"warifu/keystore"
	"warifu/server"
	"warifu/store"
)

// K1: what was complete in time and will not be done by closing raises the alarm, in
// the log and in the metrics, and the queue tells its length and age.
func TestForecastBeyondClosingRaisesTheAlarm(t *testing.T) {
	p := newPremises(t)
	p.config.Scheme = "jp-mobile"
	p.furnish(t)
	defer p.clock.To(housetest.Begin)
	p.clock.To(time.Date(2026, 6, 10, 19, 58, 0, 0, housetest.Tokyo))
	var log strings.Builder
	s := p.open(t, server.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	metrics := func() string {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "http://warifu.test/metrics", nil)
		r.RemoteAddr = "127.0.0.1:1"
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("the metrics: %d", w.Code)
		}
		return w.Body.String()
	}
	wants := func(what string) {
		t.Helper()
		if all := metrics(); !strings.Contains(all, what) {
			t.Errorf("the metrics lack %s", what)
		}
	}
	s.Sweep(t.Context())
	wants("warifu_forecast_late 0")

	p.enqueue(t, 200, time.Date(2026, 6, 10, 19, 29, 0, 0, housetest.Tokyo))
	s.Sweep(t.Context()) // four seconds of work, two minutes left
	wants("warifu_forecast_late 0")
	wants(`warifu_queue_jobs{kind="issue",state="ready"} 200`)
	wants(`warifu_queue_age_seconds{kind="issue"} 1740`)

	p.clock.To(time.Date(2026, 6, 10, 19, 59, 58, 0, housetest.Tokyo))
	s.Sweep(t.Context())
	wants("warifu_forecast_late 1")
	if !strings.Contains(log.String(), "closing") {
		t.Errorf("the log does not say so: %s", log.String())
	}
}

// enqueue writes jobs past the server.
func (p *premises) enqueue(t *testing.T, n int, due time.Time) {
	t.Helper()
	passphrase, err := p.config.Passphrase()
	must(t, err)
	keys, err := keystore.Open(p.path("keys"), passphrase)
	must(t, err)
	seal, err := keys.Symmetric("seal")
	must(t, err)
	db, err := store.Open(t.Context(), "sqlite:"+p.path("registration.db"), seal, p.clock)
	must(t, err)
	defer db.Close()
	must(t, db.Write(t.Context(), func(tx *store.Tx) error {
		for i := range n {
			if _, err := tx.EnqueueJob(store.Job{Kind: "issue", Application: fmt.Sprintf("a-%d", i), EnqueuedAt: due, DueAt: due}); err != nil {
				return err
			}
		}
		return nil
	}))
}
