package lifetest_test

import (
	"database/sql"
	"strings"

	_ "modernc.org/sqlite"

	"warifu/internal/housetest"
)

// fuse cuts a transaction of the registration authority's at its n-th row, as a failing
// statement would: a trigger on every table counts down and aborts. What it counted is
// rolled back with the rest.
type fuse struct{ db *sql.DB }

// unlit is more rows than a test ever writes.
const unlit = 1 << 40

func newFuse(t housetest.TB, dsn string) *fuse {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(dsn, "sqlite:")+"?_pragma=busy_timeout(5000)&_pragma=synchronous(0)")
	must(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	f := &fuse{db}
	f.exec(t, "CREATE TABLE lifetest_fuse (rows_left INTEGER NOT NULL)")
	f.exec(t, "INSERT INTO lifetest_fuse VALUES (?)", unlit)
	rows, err := db.Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'lifetest%' AND name NOT LIKE 'sqlite%'")
	must(t, err)
	var tables []string
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		tables = append(tables, name)
	}
	must(t, rows.Err())
	must(t, rows.Close())
	for _, table := range tables {
		for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
			f.exec(t, "CREATE TRIGGER lifetest_"+table+"_"+verb+" BEFORE "+verb+" ON "+table+` BEGIN
				UPDATE lifetest_fuse SET rows_left = rows_left - 1;
				SELECT RAISE(ABORT, 'lifetest: cut') FROM lifetest_fuse WHERE rows_left < 0;
			END`)
		}
	}
	return f
}

func (f *fuse) exec(t housetest.TB, statement string, args ...any) {
	t.Helper()
	_, err := f.db.Exec(statement, args...)
	must(t, err)
}

// light has the row after n further ones cut.
func (f *fuse) light(t housetest.TB, n int) {
	t.Helper()
	f.exec(t, "UPDATE lifetest_fuse SET rows_left = ?", n)
}

// out takes it away. It reports whether every row was used up: then something was cut, or
// was only just not.
func (f *fuse) out(t housetest.TB) bool {
	t.Helper()
	var left int
	must(t, f.db.QueryRow("SELECT rows_left FROM lifetest_fuse").Scan(&left))
	f.exec(t, "UPDATE lifetest_fuse SET rows_left = ?", unlit)
	return left <= 0
}
