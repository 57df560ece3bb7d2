package postgrestest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"warifu/internal/postgrestest"
)

func TestEachDatabaseIsNewAndEmpty(t *testing.T) {
	for range 2 {
		conn, err := pgx.Connect(context.Background(), postgrestest.DSN(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), "CREATE TABLE only_here (n BIGINT)"); err != nil {
			t.Fatal(err)
		}
	}
}
