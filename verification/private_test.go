package verification_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"warifu/internal/housetest"
	"warifu/verification"
	"warifu/verify"
)

// Nobody but the holder's own phone reads a ledger: not an operator, not a relying party,
// not another phone.
func TestNobodyElseReadsALedger(t *testing.T) {
	w := newTown(t, housetest.Options{})
	w.check(t, w.question())
	element := w.phone.Record.Element.String()
	other := w.PhoneOf(t, housetest.OtherModel)
	other.Own(t, "hanako")
	for name, authorization := range map[string]string{
		"nobody": "", "a relying party": "Bearer " + housetest.BankKey, "a word": "Device AAAA",
		"no base64": "Device !", "an operator": "Bearer " + operatorToken, "an operator as a phone": "Device " + base64.StdEncoding.EncodeToString([]byte(operatorToken)),
	} {
		for _, door := range []string{"ledger", "consents", "evidence"} {
			r := httptest.NewRequest(http.MethodGet, housetest.Origin+"/api/v1/elements/"+element+"/"+door, nil)
			r.RemoteAddr = "127.0.0.1:5000"
			r.Header.Set("Authorization", authorization)
			answer := httptest.NewRecorder()
			w.Site.ServeHTTP(answer, r)
			if answer.Code < 400 || strings.Contains(answer.Body.String(), "account") {
				t.Errorf("%s at %s: %d", name, door, answer.Code)
			}
		}
	}
	if page, err := other.App.Ledger(ctx, 0, pin); err != nil || bytes.Contains(page, []byte("account")) || bytes.Contains(page, []byte("bank")) {
		t.Errorf("another phone reads %s %v", page, err)
	}
}

const operatorToken = "operator-token"

// Whoever reads the database learns neither what a question was for nor which attributes
// somebody has, and the log says neither.
func TestNothingOfTheLedgerLiesOpenInTheDatabase(t *testing.T) {
	w := newTown(t, housetest.Options{})
	q := w.question()
	q.Attributes = verify.AllAttributes
	a := w.check(t, q)
	_, err := w.Desk.Wish(ctx, housetest.BankKey, a.ID, nameAndAddress, "to open an account")
	must(t, err)
	db, err := sql.Open("sqlite", strings.TrimPrefix(w.DSN, "sqlite:"))
	must(t, err)
	defer db.Close()
	names, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table'`)
	must(t, err)
	var tables []string
	for names.Next() {
		var name string
		must(t, names.Scan(&name))
		tables = append(tables, name)
	}
	must(t, names.Err())
	if len(tables) < 20 {
		t.Fatalf("only %d tables seen", len(tables))
	}
	for _, table := range tables {
		searchTable(t, db, table, "to open an account", a.Attributes.Name, a.Attributes.Address)
	}
	if strings.Contains(w.Log.String(), "to open an account") || strings.Contains(w.Log.String(), a.Attributes.Name) {
		t.Error("the log says it")
	}
}

func searchTable(t *testing.T, db *sql.DB, table string, words ...string) {
	t.Helper()
	rows, err := db.Query(`SELECT * FROM ` + table)
	must(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	must(t, err)
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		must(t, rows.Scan(into...))
		for i, v := range values {
			said := ""
			switch v := v.(type) {
			case string:
				said = v
			case []byte:
				said = string(v)
			}
			for _, word := range words {
				if strings.Contains(said, word) {
					t.Errorf("%s.%s says it", table, columns[i])
				}
			}
		}
	}
	must(t, rows.Err())
}

func TestAHolderGetsTheEvidenceAndNobodyElseDoes(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	file, err := w.phone.App.Evidence(ctx, a.ID, pin)
	must(t, err)
	e, err := verify.Import(file)
	must(t, err)
	if e.ID() != a.Evidence.ID {
		t.Error("another record")
	}
	other := w.PhoneOf(t, housetest.OtherModel)
	other.Own(t, "hanako")
	_, err = other.App.Evidence(ctx, a.ID, pin)
	problem(t, err, "verification-unknown")
}

func TestAPartyThatAsksTooOftenWaits(t *testing.T) {
	w := newTown(t, housetest.Options{})
	list := housetest.Parties()
	list[0].PerMinute, list[1].PerDay = 2, 3
	parties, err := verification.NewParties(list)
	must(t, err)
	w.Desk.SetParties(parties)
	ask := func(key string) error { _, err := w.Desk.Check(ctx, key, w.question()); return err }
	must(t, ask(housetest.BankKey))
	must(t, ask(housetest.BankKey))
	problem(t, ask(housetest.BankKey), "party-questions-too-many")
	for range 3 {
		must(t, ask(housetest.ShopKey))
	}
	problem(t, ask(housetest.ShopKey), "party-questions-too-many")
	w.Clock.Forward(day + time.Second)
	must(t, ask(housetest.ShopKey))
}
