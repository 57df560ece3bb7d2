package facetest

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"warifu"
	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/profile"
	"warifu/sandbox/fault"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

// crowd writes a day's applications past the server: so many complete since the opening, so many of
// them issued, and jobs for as many as wait.
func crowd(t *testing.T, dir string, now time.Time, complete, issued, waiting int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "server/registration.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	opens := time.Date(now.Year(), now.Month(), now.Day(), 7, 30, 0, 0, profile.Japan)
	const each = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1) `
	const move = each + `INSERT INTO moves (life, subject, seq, previous, from_state, verb, to_state, at) SELECT 'application', 'crowd-' || i, `
	for _, one := range []struct {
		statement string
		args      []any
	}{
		{move + `0, NULL, '', 'begin', 'submitted', $2 + ($3 * i) / $1 FROM n`, []any{complete, opens.UnixMicro(), now.Sub(opens).Microseconds()}},
		{move + `1, 0, 'submitted', 'issue', 'issued', $2 + ($3 * i) / $1 FROM n`, []any{issued, opens.UnixMicro(), now.Sub(opens).Microseconds()}},
		{each + `INSERT INTO jobs (id, kind, unique_key, application, state, enqueued_at, due_at, attempts, lease, lease_until, problem)
			SELECT 'crowd-' || $2 || '-' || i, 'issue', 'crowd-' || $2 || '-' || i, 'crowd-' || i, 'ready', $2, $2, 0, '', 0, '' FROM n`, []any{waiting, now.Add(-time.Minute).UnixMicro() + int64(waiting)}},
	} {
		if n, _ := one.args[0].(int); n == 0 {
			continue
		}
		if _, err := db.ExecContext(t.Context(), one.statement, one.args...); err != nil {
			t.Fatal(err)
		}
	}
}

// K1 on the console: at twenty past seven in the evening applications wait, and the chart says
// whether they will be issued by closing; with more of them it is too late. When the session ends the page
// keeps what it has, and says that its figures are old.
func TestTheEveningAtTheConsole(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	evening := time.Date(2026, 6, 10, 19, 20, 0, 0, profile.Japan)
	var dir string
	w := worldtest.Stand(t, func(c *world.Config) { c.Scheme, c.Begin, dir = "jp-mobile", evening, c.Dir })
	console := consoleOf(w.Places.Server)
	worldtest.Own(t, w, worldtest.Buy(t, w), "hanako")
	if err := w.Faults.On(fault.Setting{Name: fault.IssuerSlow, Length: fault.Longest}); err != nil {
		t.Fatal(err)
	}
	late := phones.Apply{Card: "taro", CardPassword: "TARO1980", Kinds: warifu.Kinds[:], Consent: w.Scheme.Consent, PIN: worldtest.PIN, Signature: worldtest.Password}
	if _, err := w.Phones.Apply(t.Context(), worldtest.Buy(t, w), late); err != nil {
		t.Fatal(err)
	}
	crowd(t, dir, evening, 120_000, 60_000, 60_000) // some twenty minutes of work
	page := b.Page(t, browsertest.Desktop, "ja").Go(console + "/sign-in").Click(`form:has(input[value="rin"]) button`)
	page.Go(console + "/figures").See("20:00").Until("#chart-promise .chart-dashed").Shot("console-promise").Whole(t)
	page.Click("#chart-promise summary").Shot("console-promise-table")
	phone := b.Page(t, browsertest.Phone, "en").Go(console + "/sign-in").Click(`form:has(input[value="mio"]) button`)
	phone.Go(console + "/figures").Shot("console-promise").Whole(t)
	crowd(t, dir, evening, 0, 0, 150_000) // and more than there is time for
	page.Until("#chart-promise .chart-bad").Shot("console-promise-late").Whole(t)
	ended(t, dir) // the page keeps what it has, and says that it is old
	page.Until("[data-stale]:not([hidden])").Shot("console-stale").Alone(t)
	page.Click("[data-stale] a").Until("[data-passkey-go]")
}

// ended ends every session at the console.
func ended(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "server/registration.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `DELETE FROM console_sessions`); err != nil {
		t.Fatal(err)
	}
}
